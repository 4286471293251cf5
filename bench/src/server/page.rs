//! The numbers as tables, for the terminal, and as the page `docs/benchmarks-server.md`, beside what is required.

use super::open_loop::RATE;
use super::report::{ServerReport, Started, Throughput, TwoWaits};
use super::required::required;
use crate::measure::Spread;
use crate::render::{decimals, machine, ratio, table, whole};

/// All tables, for a terminal.
pub(crate) fn tables(report: &ServerReport) -> String {
    let tables = [
        ("What is required", required(report)),
        ("One connection, 64 queries in flight", throughput(&report.queries.one_connection)),
        ("64 connections, 1 query in flight each", throughput(&report.queries.many_connections)),
        ("While a large broker registers changed tables", changing(report)),
        ("Just started: start and registering", fresh(report)),
        ("Just started: resident memory", memory(report)),
        ("Beside idle connections", idle(report)),
    ]
    .map(|(title, table)| format!("{title}\n\n{table}"));
    format!("{}. Medians; in brackets the quartiles.\n\n{}", setting(report), tables.join("\n"))
}

/// The page.
pub(crate) fn page(report: &ServerReport) -> String {
    let quick = if report.quick { "\nThis was a quick run, which is good for a look only.\n" } else { "" };
    format!(
        "\
<!-- Made from bench/results/server.json by `cargo xtask bench render`. Change that or bench/src/server/page.rs. -->

# What the embedded server can do

**Ratios within one run are what counts.** The embedded server, on the runtime that `nsctl serve` has, and the Java
NameServer (5.3.3, a heap of 512 MiB) are measured beside each other, in turns, by the same load generator. Each is a
process of its own on 127.0.0.1, and all share the cores.

{setting}, release build.
What else the machine had to do shows in the load average, and it makes every ratio wrong: above about 0.3, measure again.
The load generator sends ready-made requests and looks at no more than the lengths, the opaques and the codes of answers.
Figures are medians over the rounds; in brackets are the quartiles. A ratio is of two figures of the same round.
{quick}
## What is required

{required}
## Rates

{brokers} brokers with the same {topics} topics, which are asked for in turn. {rounds} rounds, {slice} ms each. The stub answers every
request with the same ready-made bytes, one thread per connection; it shows how fast the load generator is. CPU is the
processor time of the server's process, and beside it that of the load generator's.

One connection, 64 queries in flight:

{one}
64 connections, 1 query in flight each:

{many}
## While a large broker registers changed tables

A further broker, in a process of its own, has {many_topics} topics, among them all that are asked for, and registers each
second with a table in which every one of them has changed. Meanwhile {rate} queries a second leave in an open loop of
{changing_seconds} s: each wait counts from the time at which the query was meant to leave, so a server that stands still is
charged for all that would have come. Before it the same loop while that broker is silent. {changing_rounds} rounds.

{changing}
## Just started

{fresh_rounds} rounds, each with new processes. `start` is from before the process is started until it has answered a request.
Then {brokers} brokers with the same {many_topics} topics register at the same time, from the first byte sent to the last answer;
then three times more, each time with changed tables, of which the last is told.

{fresh}
Resident memory, MiB:

{memory}
## Beside idle connections

A client in a process of its own opens {connections} connections, asks once over each, and then is silent; a process may have
{open_files} files open here. Meanwhile the same open loop as above, of {idle_seconds} s; then each connection asks once more: those that got
an answer were kept. {idle_rounds} rounds, each with new servers. The memory is that of the process; the kernel's buffers are not in it.

{idle}
## Repeat it

It needs a JDK and Maven.

    cargo xtask bench server            # all of it, ten minutes
    cargo xtask bench server --quick    # a look, half a minute
    cargo xtask bench server --quick --alone --only queries    # one part, without the Java server

Leave the machine alone meanwhile.

These numbers are `bench/results/server.json`, and a test compares this page with that file. To replace both:

    cargo xtask bench server --json bench/results/server.json
    cargo xtask bench render bench/results/server.json --write docs/benchmarks-server.md

No test asserts a speed.
",
        setting = setting(report),
        required = required(report),
        brokers = report.brokers,
        topics = whole(report.topics as f64),
        many_topics = whole(report.many_topics as f64),
        rounds = report.queries.rounds,
        slice = report.queries.slice_ms,
        one = throughput(&report.queries.one_connection),
        many = throughput(&report.queries.many_connections),
        rate = whole(f64::from(RATE)),
        changing_seconds = report.changing.seconds,
        changing_rounds = report.changing.rounds,
        changing = changing(report),
        fresh_rounds = report.fresh.rounds,
        fresh = fresh(report),
        memory = memory(report),
        connections = whole(report.idle.connections as f64),
        open_files = whole(report.idle.open_files as f64),
        idle_seconds = report.idle.seconds,
        idle_rounds = report.idle.rounds,
        idle = idle(report),
    )
}

fn setting(report: &ServerReport) -> String {
    let java =
        report.java.as_ref().map_or_else(|| "no Java server".into(), |java| format!("Java server {java}"));
    let load = report.load_average.map(|load| format!(", load average {load:.2} before the run"));
    format!("{}, {java}{}", machine(&report.machine), load.unwrap_or_default())
}

fn throughput(servers: &[Throughput]) -> String {
    let optional = |spread: Option<Spread>| spread.map(|spread| decimals(spread.median)).unwrap_or_default();
    table(
        ["server", "queries/s", "× Java", "of the stub", "p99 µs", "CPU µs/query", "generator's"],
        servers.iter().map(|throughput| {
            [
                throughput.server.clone(),
                whole(throughput.queries_per_second.median),
                throughput.queries_of_java.map(ratio).unwrap_or_default(),
                ratio(throughput.queries_of_stub),
                throughput.wait_p99_us.map(|wait| whole(wait.median)).unwrap_or_default(),
                optional(throughput.cpu_us_per_query),
                decimals(throughput.generator_cpu_us_per_query.median),
            ]
        }),
    )
}

/// Quiet and disturbed.
fn waits(waits: &TwoWaits) -> [String; 5] {
    let TwoWaits { quiet_p50_us, quiet_p99_us, p50_us, p99_us, p99_of_quiet } = waits;
    let medians = [quiet_p50_us, p50_us, quiet_p99_us, p99_us].map(|spread| whole(spread.median));
    let [quiet_p50, p50, quiet_p99, p99] = medians;
    [quiet_p50, p50, quiet_p99, p99, ratio(*p99_of_quiet)]
}

fn changing(report: &ServerReport) -> String {
    table(
        ["server", "quiet p50 µs", "p50 µs", "quiet p99 µs", "p99 µs", "p99 × quiet", "registration ms"],
        report.changing.servers.iter().map(|disturbed| {
            let [quiet_p50, p50, quiet_p99, p99, times] = waits(&disturbed.waits);
            let registration = decimals(disturbed.registration_ms.median);
            [disturbed.server.clone(), quiet_p50, p50, quiet_p99, p99, times, registration]
        }),
    )
}

fn fresh(report: &ServerReport) -> String {
    let faster = |started: &Started| {
        let beside = started.beside_java.as_ref();
        beside.map_or_else(Default::default, |beside| [beside.register, beside.register_again].map(ratio))
    };
    table(
        ["server", "start ms", "register ms", "× as fast as Java", "again ms", "× as fast as Java"],
        report.fresh.servers.iter().map(|started| {
            let [register, again] = faster(started);
            [
                started.server.clone(),
                ratio(started.start_ms),
                ratio(started.register_ms),
                register,
                ratio(started.register_again_ms),
                again,
            ]
        }),
    )
}

fn memory(report: &ServerReport) -> String {
    let known = report.fresh.servers.iter().filter_map(|started| Some((started, started.memory.as_ref()?)));
    table(
        ["server", "idle", "registered", "of Java's", "registered again"],
        known.map(|(started, memory)| {
            [
                started.server.clone(),
                decimals(memory.idle_mib.median),
                decimals(memory.registered_mib.median),
                memory.registered_of_java.map(ratio).unwrap_or_default(),
                decimals(memory.registered_again_mib.median),
            ]
        }),
    )
}

fn idle(report: &ServerReport) -> String {
    table(
        ["server", "kept", "KiB each", "quiet p50 µs", "p50 µs", "quiet p99 µs", "p99 µs", "p99 × quiet"],
        report.idle.servers.iter().map(|beside| {
            let [quiet_p50, p50, quiet_p99, p99, times] = waits(&beside.waits);
            let kib_each = beside.kib_each.map(|kib| decimals(kib.median)).unwrap_or_default();
            let kept = whole(beside.kept as f64);
            [beside.server.clone(), kept, kib_each, quiet_p50, p50, quiet_p99, p99, times]
        }),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bound::NOT_MEASURED;
    use crate::render::first_difference;
    use crate::report::Numbers;

    fn committed() -> ServerReport {
        ServerReport::from_json(ServerReport::COMMITTED).unwrap()
    }

    #[test]
    fn the_committed_page_is_what_the_committed_numbers_say() {
        let committed_page = include_str!("../../../docs/benchmarks-server.md");
        assert_eq!(
            first_difference(&page(&committed()), committed_page),
            None,
            "docs/benchmarks-server.md differs from bench/results/server.json in this line; make it again: \
             cargo xtask bench render bench/results/server.json --write docs/benchmarks-server.md"
        );
    }

    #[test]
    fn what_was_not_measured_is_missed() {
        let mut report = committed();
        report.queries = Default::default();
        report.changing = Default::default();
        report.fresh = Default::default();
        report.idle = Default::default();
        assert_eq!(required(&report).matches(NOT_MEASURED).count(), 10);
        assert_eq!(required(&report).matches("MISSED").count(), 14);
    }
}
