//! Every required figure of every benchmark on one page, `docs/benchmarks.md`, made of the committed numbers.

use std::fs;
use std::path::Path;

use crate::cache::{self, CacheReport};
use crate::python::{self, PythonReport};
use crate::report::{Numbers, Report};
use crate::server::{self, ServerReport};
use crate::{Outcome, about, render};

/// The page about the numbers in this folder.
pub(crate) fn page(folder: &Path) -> Outcome<String> {
    let read = |name: &str| {
        let path = folder.join(name);
        fs::read_to_string(&path).map_err(|error| about(&path, &error))
    };
    let client = render::required(&Report::from_json(&read("baseline.json")?)?);
    let cache = cache::required(&CacheReport::from_json(&read("cache.json")?)?);
    let server = server::required(&ServerReport::from_json(&read("server.json")?)?);
    let python = python::required(&PythonReport::from_json(&read("python.json")?)?);
    Ok(format!(
        "\
<!-- Made from bench/results/ by `cargo xtask bench render`. Change that or bench/src/overview.rs. -->

# What is required, and what was measured

Ratios within one run are what counts; each page says what was measured how, and when. What bounds a figure that is
missed stands in [performance.md](performance.md) and [known-gaps.md](known-gaps.md).

## The Rust clients

Beside a client without the work: [benchmarks-client.md](benchmarks-client.md).

{client}
## The route cache

Beside a bare map, beside calls without a cache, and while servers fail: [benchmarks-cache.md](benchmarks-cache.md).

{cache}
## The embedded server

Beside the Java NameServer 5.3.3: [benchmarks-server.md](benchmarks-server.md).

{server}
## Python

On a real NameServer 4.9.7, beside a client without the work: [benchmarks-python.md](benchmarks-python.md).

{python}
## Make it again

    cargo xtask bench render bench/results --write docs/benchmarks.md
"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_page_is_what_the_committed_numbers_say() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("results");
        let difference =
            render::first_difference(&page(&folder).unwrap(), include_str!("../../docs/benchmarks.md"));
        assert_eq!(
            difference, None,
            "docs/benchmarks.md differs from bench/results in this line; make it again: \
             cargo xtask bench render bench/results --write docs/benchmarks.md"
        );
    }
}
