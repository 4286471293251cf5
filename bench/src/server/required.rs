//! Every required figure beside the measured one. A figure that was not measured is a missed one.

use super::report::{ServerReport, Throughput};
use super::subject::EMBEDDED;
use crate::bound::Bound::{self, AtLeast, AtMost};
use crate::bound::precise;
use crate::measure::Spread;
use crate::render::table;

pub(crate) fn required(report: &ServerReport) -> String {
    let rate = |servers: &[Throughput]| {
        let embedded = servers.iter().find(|throughput| throughput.server == EMBEDDED);
        embedded.and_then(|throughput| throughput.queries_of_java)
    };
    let changing = report.changing.servers.iter().find(|server| server.server == EMBEDDED);
    let fresh = report.fresh.servers.iter().find(|server| server.server == EMBEDDED);
    let memory = fresh.and_then(|started| started.memory.as_ref());
    let idle = report.idle.servers.iter().find(|server| server.server == EMBEDDED);
    let kept = idle.map(|beside| beside.kept as f64 / report.idle.connections as f64);
    let rows: [(&str, Bound, Option<Bound>, Option<Spread>); 10] = [
        (
            "one connection, 64 in flight: rate, of Java's",
            AtLeast(8.0),
            Some(AtLeast(12.0)),
            rate(&report.queries.one_connection),
        ),
        (
            "64 connections, 1 in flight each: rate, of Java's",
            AtLeast(2.5),
            Some(AtLeast(2.9)),
            rate(&report.queries.many_connections),
        ),
        (
            "a 10,000-topic broker registers a changed table each second: p99, of the quiet p99",
            AtMost(3.0),
            Some(AtMost(1.5)),
            changing.map(|disturbed| disturbed.waits.p99_of_quiet),
        ),
        (
            "8 brokers register the same 10,000 topics: times as fast as Java",
            AtLeast(2.0),
            Some(AtLeast(4.0)),
            fresh.and_then(|started| started.beside_java.as_ref()).map(|beside| beside.register),
        ),
        (
            "resident memory after that, of Java's",
            AtMost(0.25),
            None,
            memory.and_then(|memory| memory.registered_of_java),
        ),
        ("resident memory when idle, MiB", AtMost(15.0), None, memory.map(|memory| memory.idle_mib)),
        (
            "from the start of the process to an answer, ms",
            AtMost(20.0),
            None,
            fresh.map(|started| started.start_ms),
        ),
        ("10,000 idle connections: kept", AtLeast(1.0), None, Spread::of(kept)),
        (
            "the same: resident memory for each, KiB",
            AtMost(10.0),
            None,
            idle.and_then(|beside| beside.kib_each),
        ),
        (
            "the same: p99 of others' queries, of the quiet p99",
            AtMost(3.0),
            None,
            idle.map(|beside| beside.waits.p99_of_quiet),
        ),
    ];
    table(
        ["figure", "must", "aim", "measured", "must", "aim"],
        rows.map(|(figure, must, aim, measured)| {
            let median = measured.map(|spread| spread.median);
            [
                figure.into(),
                must.text(),
                aim.map(|aim| aim.text()).unwrap_or_default(),
                precise(measured),
                must.verdict(median),
                aim.map(|aim| aim.verdict(median)).unwrap_or_default(),
            ]
        }),
    )
}
