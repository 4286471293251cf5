//! The numbers as tables, for the terminal, and as the page `docs/benchmarks-client.md`, text and all: so neither can say
//! what the numbers do not.

use crate::bound::{Bound, precise};
use crate::client::{BLOCKING, CURRENT_THREAD, THREADS, WORKER_THREADS};
use crate::measure::Spread;
use crate::report::{Asked, Machine, Report, Steps, find};
use crate::rounds::MANY;

/// All tables, for a terminal.
pub(crate) fn tables(report: &Report) -> String {
    let tables = [
        ("What is required", required(report)),
        ("One query at a time", one(&report.one)),
        ("Many queries in flight", many(&report.many)),
        ("Batch calls of 1,000 topics", batch(&report.batch)),
        ("Reading the body of an answer", reading(&report.steps)),
        ("The steps around it", around(&report.steps)),
    ]
    .map(|(title, table)| format!("{title}\n\n{table}"));
    format!(
        "{}. Medians of {} rounds of {} ms; in brackets the quartiles.\n\n{}",
        machine(&report.machine),
        report.rounds,
        report.slice_ms,
        tables.join("\n")
    )
}

/// The page.
pub(crate) fn page(report: &Report) -> String {
    let steps = &report.steps;
    let quick = if report.quick { "\nThis was a quick run, which is good for a look only.\n" } else { "" };
    format!(
        "\
<!-- Made from bench/results/baseline.json by `cargo xtask bench render`. Change that or bench/src/render.rs. -->

# What a query costs

**Ratios within one run are what counts.** The figures themselves move with the machine and with what else it does;
the floor, measured beside everything else in the same run, moves with them.

The floor is a plain blocking socket that sends ready-made requests and parses nothing but the lengths of frames: a
client without the work. Everybody asks the same server, a stub in a process of its own: plain sockets, one thread per
connection, every request answered with the same ready-made bytes, a real 5.3.3 route of 8 broker pairs with a body of
{body_bytes} bytes. So the server costs the same for all, and what differs is the client.

{machine}, release build. The stub shares these cores.
Each load was measured in {rounds} rounds; in each round every client had {slice} ms, one after the other. Figures are medians
over the rounds. A ratio compares with the floor's turn in the same round; in brackets are its quartiles: half of the
rounds lay between them, and where they are far apart the machine was busy with something else. CPU is the processor
time of the client's process, user and system; the stub's is not in it.
{quick}
## What is required

Each figure beside what it must be and what it should be. [What bounds them](performance.md) is told elsewhere.

{required}
A steady query may allocate 21.3 times (the aim was 2 per broker and 6, that is 22): `crates/client/tests/allocations.rs`
counts it, and that test is the one to change.

## One query at a time

Most of this time goes by in the kernel, which wakes the stub and then the client. How fast it does so depends on what
the cores did just before, so a client can come level with the floor here.

{one}
## Many queries in flight

The async clients run one task per query in flight, each in a loop; the blocking client is shared by as many threads.
The floor sends one new request for each answer that it gets.

{many}
## Batch calls of 1,000 topics

One call of `query_topic_route_infos`. Its floor is 1,000 requests of which up to 64 are in flight.

{batch}
## Reading the body of an answer

{bodies} different bodies of {body_bytes} bytes, read in turn by `TopicRouteData::from_bytes` as a server sends them,
with bare integer keys, and by `serde_json` into plain structs of `String`, `BTreeMap` and `Vec`
(`bench/src/decode.rs`). Those keys are no JSON, so `serde_json` gets the text with its keys already quoted, free of
charge. Processor time, {step_rounds} rounds.

{reading}
## The steps around it

Sending: a route query as a command, and that as a frame. Receiving: one answer into a session and out again, its frame
cut, its header opened and its waiter found; the body is not read.

{around}
## Repeat it

    cargo xtask bench                # all of it, half a minute
    cargo xtask bench --quick        # a look, a few seconds

Leave the machine alone meanwhile.

These numbers are `bench/results/baseline.json`, and a test compares this page with that file. To replace both:

    cargo xtask bench run --json bench/results/baseline.json
    cargo xtask bench render bench/results/baseline.json --write docs/benchmarks-client.md

No test asserts a speed.
",
        machine = machine(&report.machine),
        rounds = report.rounds,
        slice = report.slice_ms,
        required = required(report),
        one = one(&report.one),
        many = many(&report.many),
        batch = batch(&report.batch),
        reading = reading(steps),
        around = around(steps),
        bodies = whole(steps.bodies as f64),
        body_bytes = whole(steps.body_bytes as f64),
        step_rounds = steps.rounds,
    )
}

/// Every required figure beside the measured one.
pub(crate) fn required(report: &Report) -> String {
    let one = |name| find(&report.one, name, 1);
    let many = |name| find(&report.many, name, MANY);
    let batch = |name| report.batch.iter().find(|asked| asked.client == name);
    let rate = |asked: Option<&Asked>| asked.map(|asked| asked.queries_of_floor);
    let wait = |asked: Option<&Asked>| asked.and_then(|asked| asked.wait_p50_of_floor);
    let cpu = |asked: Option<&Asked>| {
        Spread::of(asked.map(|asked| asked.cpu_us_per_query * 1e3 / report.steps.serde_json_ns))
    };
    use Bound::{AtLeast, AtMost};
    let rows = [
        (
            "reading a route's body: time, of serde_json's on quoted text".to_owned(),
            AtMost(0.5),
            Some(AtMost(0.333)),
            Some(report.steps.read_of_serde_json),
        ),
        (
            format!("{CURRENT_THREAD}, {MANY} in flight: rate, of the floor's"),
            AtLeast(0.25),
            Some(AtLeast(0.5)),
            rate(many(CURRENT_THREAD)),
        ),
        (
            "the same: CPU per query, of serde_json's time".to_owned(),
            AtMost(1.5),
            Some(AtMost(1.0)),
            cpu(many(CURRENT_THREAD)),
        ),
        (
            format!("{WORKER_THREADS}, {MANY} in flight: CPU per query, of serde_json's time"),
            AtMost(2.5),
            Some(AtMost(1.5)),
            cpu(many(WORKER_THREADS)),
        ),
        (
            format!("{CURRENT_THREAD}, batch of 1,000 topics: rate, of the floor's"),
            AtLeast(0.25),
            Some(AtLeast(0.5)),
            rate(batch(CURRENT_THREAD)),
        ),
        (
            format!("{CURRENT_THREAD}, 1 in flight: p50, of the floor's"),
            AtMost(1.5),
            Some(AtMost(1.2)),
            wait(one(CURRENT_THREAD)),
        ),
        (
            format!("{BLOCKING}, 1 in flight: p50, of the floor's"),
            AtMost(2.0),
            Some(AtMost(1.5)),
            wait(one(BLOCKING)),
        ),
        (
            format!("{THREADS} threads that share a blocking client: rate, of {THREADS} async tasks'"),
            AtLeast(0.5),
            None,
            Some(report.threads_of_tasks),
        ),
    ];
    table(
        ["figure", "must", "aim", "measured", "must", "aim"],
        rows.map(|(figure, must, aim, measured)| {
            let median = measured.map(|spread| spread.median);
            [
                figure,
                must.text(),
                aim.map(|aim| aim.text()).unwrap_or_default(),
                precise(measured),
                must.verdict(median),
                aim.map(|aim| aim.verdict(median)).unwrap_or_default(),
            ]
        }),
    )
}

pub(crate) fn machine(machine: &Machine) -> String {
    let Machine { date, cores, system, rustc } = machine;
    format!("Measured on {date}: {cores} cores, {system}, rustc {rustc}")
}

/// The number of the first line in which two texts differ, from 1 on.
pub(crate) fn first_difference(left: &str, right: &str) -> Option<usize> {
    if left == right {
        return None;
    }
    let same =
        left.split_inclusive('\n').zip(right.split_inclusive('\n')).take_while(|(left, right)| left == right);
    Some(same.count() + 1)
}

pub(crate) fn one(clients: &[Asked]) -> String {
    let head = ["client", "queries/s", "of the floor", "p50 µs", "p99 µs", "CPU µs/query", "× floor"];
    table(
        head,
        clients.iter().map(|asked| {
            [
                asked.client.clone(),
                whole(asked.queries_per_second),
                ratio(asked.queries_of_floor),
                asked.wait_p50_us.map(whole).unwrap_or_default(),
                asked.wait_p99_us.map(whole).unwrap_or_default(),
                decimals(asked.cpu_us_per_query),
                ratio(asked.cpu_of_floor),
            ]
        }),
    )
}

pub(crate) fn many(clients: &[Asked]) -> String {
    let head = ["client", "in flight", "queries/s", "of the floor", "CPU µs/query", "× floor"];
    table(
        head,
        clients.iter().map(|asked| {
            [
                asked.client.clone(),
                asked.in_flight.map(|count| whole(count as f64)).unwrap_or_default(),
                whole(asked.queries_per_second),
                ratio(asked.queries_of_floor),
                decimals(asked.cpu_us_per_query),
                ratio(asked.cpu_of_floor),
            ]
        }),
    )
}

fn batch(clients: &[Asked]) -> String {
    let head = ["client", "ms per batch", "queries/s", "of the floor", "CPU µs/query", "× floor"];
    table(
        head,
        clients.iter().map(|asked| {
            [
                asked.client.clone(),
                asked.wait_p50_us.map(|wait| decimals(wait / 1e3)).unwrap_or_default(),
                whole(asked.queries_per_second),
                ratio(asked.queries_of_floor),
                decimals(asked.cpu_us_per_query),
                ratio(asked.cpu_of_floor),
            ]
        }),
    )
}

fn reading(steps: &Steps) -> String {
    table(
        ["reader", "ns per body", "of serde_json"],
        [
            [
                "`TopicRouteData::from_bytes`, keys bare".into(),
                whole(steps.read_ns),
                ratio(steps.read_of_serde_json),
            ],
            ["`serde_json`, keys already quoted".into(), whole(steps.serde_json_ns), "1".into()],
        ],
    )
}

fn around(steps: &Steps) -> String {
    table(
        ["step", "ns"],
        [
            ["`GetRouteInfo::to_command` and `Command::encode`".into(), whole(steps.encode_request_ns)],
            ["`Session::feed` and `next_answer`".into(), whole(steps.session_step_ns)],
        ],
    )
}

/// A Markdown table that can be read as it is: the first column to the left, numbers to the right.
pub(crate) fn table<const N: usize>(head: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let rows: Vec<[String; N]> = rows.into_iter().collect();
    let length = |cell: &str| cell.chars().count();
    let mut widths = head.map(length);
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = length(cell).max(*width);
        }
    }
    let line = |cells: [&str; N]| {
        let mut line = String::from("|");
        for (column, (cell, width)) in cells.into_iter().zip(widths).enumerate() {
            let padded =
                if column == 0 { format!(" {cell:<width$} |") } else { format!(" {cell:>width$} |") };
            line.push_str(&padded);
        }
        line + "\n"
    };
    let mut out = line(head) + "|";
    for (column, width) in widths.into_iter().enumerate() {
        let dashes = "-".repeat(width + 1);
        out.push_str(&if column == 0 { format!("-{dashes}|") } else { format!("{dashes}:|") });
    }
    out.push('\n');
    for row in &rows {
        out.push_str(&line(row.each_ref().map(String::as_str)));
    }
    out
}

/// `1234567.8` as `1,234,568`.
pub(crate) fn whole(figure: f64) -> String {
    let digits = format!("{figure:.0}");
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// About three digits that count: `0.64`, `9.24`, `27.3`, `1,234`.
pub(crate) fn decimals(figure: f64) -> String {
    match figure {
        figure if figure < 9.995 => format!("{figure:.2}"),
        figure if figure < 99.95 => format!("{figure:.1}"),
        figure => whole(figure),
    }
}

/// A ratio with its quartiles. The floor's own has none.
pub(crate) fn ratio(spread: Spread) -> String {
    if spread.lower == 1.0 && spread.upper == 1.0 {
        return "1".into();
    }
    let [median, lower, upper] = [spread.median, spread.lower, spread.upper].map(decimals);
    format!("{median} ({lower}–{upper})")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Numbers;

    #[test]
    fn the_committed_page_is_what_the_committed_numbers_say() {
        let report = Report::from_json(Report::COMMITTED).unwrap();
        let difference = first_difference(&page(&report), include_str!("../../docs/benchmarks-client.md"));
        assert_eq!(
            difference, None,
            "docs/benchmarks-client.md differs from bench/results/baseline.json in this line; make it again: \
             cargo xtask bench render bench/results/baseline.json --write docs/benchmarks-client.md"
        );
    }

    #[test]
    fn the_first_line_that_differs_is_found() {
        for (left, right, expected) in [
            ("a\nb\n", "a\nb\n", None),
            ("a\nb\n", "a\nc\n", Some(2)),
            ("a\n", "a\nb\n", Some(2)),
            ("a\nb", "a\nb\n", Some(2)),
            ("", "a", Some(1)),
        ] {
            assert_eq!(first_difference(left, right), expected, "{left:?} {right:?}");
        }
    }

    #[test]
    fn figures_are_cut_to_what_they_can_tell() {
        for (figure, expected) in [(0.0, "0"), (999.4, "999"), (1000.0, "1,000"), (1_234_567.8, "1,234,568")]
        {
            assert_eq!(whole(figure), expected);
        }
        for (figure, expected) in [
            (0.641, "0.64"),
            (9.994, "9.99"),
            (9.996, "10.0"),
            (27.34, "27.3"),
            (99.96, "100"),
            (1234.5, "1,234"),
        ] {
            assert_eq!(decimals(figure), expected);
        }
    }

    #[test]
    fn a_table_lines_up_on_a_terminal() {
        let rows = [["a".into(), "1,000".into()], ["long".into(), "µ".into()]];
        let expected = "\
| who  |     n |
|------|------:|
| a    | 1,000 |
| long |     µ |
";
        assert_eq!(table(["who", "n"], rows), expected);
    }
}
