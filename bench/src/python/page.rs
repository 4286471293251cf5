//! The numbers as tables, for the terminal, and as the page `docs/benchmarks-python.md`, beside what is required.

use super::report::{PythonReport, Reading};
use crate::bound::{Bound, NOT_MEASURED, precise};
use crate::measure::Spread;
use crate::render::{decimals, machine, many, one, ratio, table, whole};
use crate::report::{Asked, find};

/// What the package before this one needed of the processor for a query, in µs; the aim is a tenth.
const OLD_CPU_US: f64 = 580.0;

/// Its rate with one query at a time, as a part of the floor's.
const OLD_RATE_OF_FLOOR: f64 = 0.12;

/// All tables, for a terminal.
pub(crate) fn tables(report: &PythonReport) -> String {
    let tables = [
        ("What is required", required(report)),
        ("One query at a time", one(&report.one)),
        ("Many queries in flight", many(&report.many)),
        ("1,000 in flight beside 64", crowd(report)),
        ("Reading the body of an answer", reading(&report.reading)),
    ]
    .map(|(title, table)| format!("{title}\n\n{table}"));
    format!(
        "{}. Medians of {} rounds of {} ms; in brackets the quartiles.\n\n{}",
        setting(report),
        report.rounds,
        report.slice_ms,
        tables.join("\n")
    )
}

/// The page.
pub(crate) fn page(report: &PythonReport) -> String {
    let quick = if report.quick { "\nThis was a quick run, which is good for a look only.\n" } else { "" };
    format!(
        "\
<!-- Made from bench/results/python.json by `cargo xtask bench render`. Change that or bench/src/python/page.rs. -->

# What a query costs in Python

**Ratios within one run are what counts**, as on [the page about the Rust clients](benchmarks-client.md), which says what the
floor is: a client that sends ready-made requests and parses nothing but the lengths of frames. Here everybody asks a
real NameServer {server} for the route of a topic on 8 broker pairs, so the server takes its share of the cores, and a
good part of the time with one query at a time is its own.

{setting}. The server shares these cores.
Each load was measured in {rounds} rounds; in each round every client had {slice} ms, one after the other. Figures are
medians over the rounds. A ratio compares with the floor's turn in the same round; in brackets are its quartiles. CPU is
the processor time of the client's process, user and system, with the background thread of the package's Rust core; the
server's is not in it.
{quick}
## What is required

The old package is the pure Python module of the same name that this one replaces. Its figures were measured once and
are not measured again here; it cannot be installed beside this one.

{required}
## One query at a time

`sync` is `SyncNameServerClient`; `asyncio` and `uvloop` are `AsyncNameServerClient` on these event loops, one task.

{one}
## Many queries in flight

One task per query in flight, each in a loop. The floor sends one new request for each answer that it gets.

{many}
## 1,000 in flight beside 64

The rate with 1,000 in flight as a part of the same client's rate with 64 in the same round. It should be no lower.

{crowd}
## Reading the body of an answer

The body of a real 4.9.7 answer, {body_bytes} bytes, into Python objects: by `TopicRouteData.from_bytes`, and by
`ast.literal_eval`, with which the old package began (it then made its objects out of dicts, which is not in the
figure). Processor time.

{reading}
## Repeat it

It needs a JDK, Maven and a Python that has the package.

    cargo xtask bench python --python path/to/python            # all of it, two minutes
    cargo xtask bench python --python path/to/python --quick    # a look

Leave the machine alone meanwhile.

These numbers are `bench/results/python.json`, and a test compares this page with that file. To replace both:

    cargo xtask bench python --python path/to/python --json bench/results/python.json
    cargo xtask bench render bench/results/python.json --write docs/benchmarks-python.md

No test asserts a speed.
",
        server = report.server,
        setting = setting(report),
        rounds = report.rounds,
        slice = report.slice_ms,
        required = required(report),
        one = one(&report.one),
        many = many(&report.many),
        crowd = crowd(report),
        body_bytes = whole(report.reading.body_bytes as f64),
        reading = reading(&report.reading),
    )
}

fn setting(report: &PythonReport) -> String {
    let PythonReport { python, server, .. } = report;
    let uvloop = report.uvloop.as_ref().map_or(String::new(), |version| format!(", uvloop {version}"));
    format!("{}, Python {python}{uvloop}, NameServer {server}", machine(&report.machine))
}

fn crowd(report: &PythonReport) -> String {
    let rows = report.crowd.iter().map(|crowd| [crowd.client.clone(), ratio(crowd.queries_of_64)]);
    table(["client", "of 64 in flight"], rows)
}

fn reading(reading: &Reading) -> String {
    table(
        ["reader", "ns per body", "of literal_eval"],
        [
            [
                "`TopicRouteData.from_bytes`".into(),
                whole(reading.from_bytes_ns),
                ratio(reading.from_bytes_of_literal_eval),
            ],
            ["`ast.literal_eval`".into(), whole(reading.literal_eval_ns), "1".into()],
        ],
    )
}

/// Every required figure beside the measured one. A figure that was not measured is a missed one.
pub(crate) fn required(report: &PythonReport) -> String {
    let one = |name| find(&report.one, name, 1);
    let many = |name, in_flight| find(&report.many, name, in_flight);
    let rate = |asked: Option<&Asked>| asked.map(|asked| asked.queries_of_floor);
    let row = |what: &str, bound: Bound, measured: Option<Spread>, old: &str| {
        let verdict = bound.verdict(measured.map(|spread| spread.median));
        [what.into(), bound.text(), precise(measured), verdict, old.into()]
    };
    let cpu_row = |what: &str, asked: Option<&Asked>| {
        let bound = Bound::AtMost(OLD_CPU_US / 10.0);
        let figure = asked.map(|asked| asked.cpu_us_per_query);
        let text = figure.map_or_else(|| NOT_MEASURED.into(), decimals);
        [what.into(), bound.text(), text, bound.verdict(figure), decimals(OLD_CPU_US)]
    };
    let crowd = report.crowd.iter().find(|crowd| crowd.client == "asyncio");
    table(
        ["figure", "required", "measured", "verdict", "old package"],
        [
            row(
                "sync, 1 in flight: rate, of the floor's",
                Bound::AtLeast(0.6),
                rate(one("sync")),
                &format!("about {}", decimals(OLD_RATE_OF_FLOOR)),
            ),
            row(
                "asyncio, 64 in flight: rate, of the floor's",
                Bound::AtLeast(0.25),
                rate(many("asyncio", 64)),
                "",
            ),
            row(
                "asyncio, 1,000 in flight: rate, of that with 64",
                Bound::AtLeast(1.0),
                crowd.map(|crowd| crowd.queries_of_64),
                "",
            ),
            cpu_row("sync, 1 in flight: CPU µs/query", one("sync")),
            cpu_row("asyncio, 64 in flight: CPU µs/query", many("asyncio", 64)),
            cpu_row("asyncio, 1,000 in flight: CPU µs/query", many("asyncio", 1_000)),
            row(
                "`from_bytes`: time, of `literal_eval`'s",
                Bound::AtMost(0.1),
                Some(report.reading.from_bytes_of_literal_eval),
                "",
            ),
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::first_difference;
    use crate::report::Numbers;

    fn committed() -> PythonReport {
        PythonReport::from_json(PythonReport::COMMITTED).unwrap()
    }

    #[test]
    fn the_committed_page_is_what_the_committed_numbers_say() {
        let committed_page = include_str!("../../../docs/benchmarks-python.md");
        assert_eq!(
            first_difference(&page(&committed()), committed_page),
            None,
            "docs/benchmarks-python.md differs from bench/results/python.json in this line; make it again: \
             cargo xtask bench render bench/results/python.json --write docs/benchmarks-python.md"
        );
    }

    #[test]
    fn what_was_not_measured_is_missed() {
        let missed = |report: &PythonReport| required(report).matches("MISSED").count();
        let mut report = committed();
        let before = missed(&report);
        report.one.retain(|asked| asked.client != "sync");
        report.many.retain(|asked| asked.client != "asyncio");
        report.crowd.clear();
        assert_eq!(required(&report).matches(NOT_MEASURED).count(), 6);
        assert!(missed(&report) >= before.max(6));
    }
}
