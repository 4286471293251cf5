//! The bytes that a cached topic takes, as the program beside this one counts them.

use std::env;
use std::env::consts::EXE_SUFFIX;
use std::process::{Command, Stdio};

use clap::ValueEnum;

use super::report::{Held, Memory};
use super::routes::Routes;
use super::{NOTHING, Plan};
use crate::{Outcome, say};

/// Built by `cargo xtask bench cache`, or with `--bins`.
const PROGRAM: &str = "rocketmq-nameserver-bench-memory";

/// What is required is required of so many topics.
pub(super) const MANY_TOPICS: usize = 100_000;

pub(super) fn measure(plan: &Plan) -> Outcome<Memory> {
    let mut held = Vec::new();
    for &topics in plan.curve {
        held.push(count(Routes::Differ, topics)?);
    }
    held.push(count(Routes::Same, MANY_TOPICS)?);
    Ok(Memory { held })
}

fn count(routes: Routes, topics: usize) -> Outcome<Held> {
    let name = routes.to_possible_value().ok_or(NOTHING)?;
    say(&format!("memory: {topics} topics, routes: {}", name.get_name()));
    let program = env::current_exe()?.with_file_name(format!("{PROGRAM}{EXE_SUFFIX}"));
    let output = Command::new(&program)
        .args([name.get_name(), &topics.to_string()])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| {
            let program = program.display();
            format!(
                "{program}: {error}; `cargo build --release -p rocketmq-nameserver-bench --bins` builds it"
            )
        })?;
    if !output.status.success() {
        return Err(format!("{PROGRAM} failed: {}", output.status).into());
    }
    let bytes: f64 = str::from_utf8(&output.stdout)?.trim().parse()?;
    Ok(Held { routes_differ: routes == Routes::Differ, topics, bytes_each: (bytes / topics as f64).round() })
}
