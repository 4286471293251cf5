//! Every required figure beside the measured one. A figure that was not measured is a missed one.

use super::faults::{SILENT, UNREACHABLE};
use super::lookups::ASYNC;
use super::memory::MANY_TOPICS;
use super::refresh::CACHE;
use super::report::{CacheReport, Waited};
use crate::bound::Bound::{self, AtLeast, AtMost};
use crate::bound::precise;
use crate::measure::Spread;
use crate::render::table;

pub(crate) fn required(report: &CacheReport) -> String {
    let hit = report.hits.as_ref().and_then(|hits| hits.who.iter().find(|lookup| lookup.name == ASYNC));
    let refresh =
        report.refresh.as_ref().and_then(|refresh| refresh.who.iter().find(|who| who.name == CACHE));
    let rows: [(&str, Bound, Option<Spread>); 11] = [
        ("a hit: time, of the bare loop's", AtMost(1.5), hit.map(|lookup| lookup.ns_of_bare)),
        (
            "a hit on two threads: gain, of the bare loop's",
            AtLeast(0.9),
            hit.map(|lookup| lookup.gain_of_bare),
        ),
        (
            "a hit: times as fast as moka",
            AtLeast(1.0),
            report.hits.as_ref().map(|hits| hits.faster_than_moka),
        ),
        (
            "refresh without a change: rate, of the floor's",
            // A third; the measured figures have three decimals, too.
            AtLeast(0.333),
            refresh.map(|who| who.per_second_of_floor),
        ),
        (
            "the same: CPU per topic, of a query's that reads the answer",
            AtMost(0.5),
            refresh.map(|who| who.cpu_of_decoding),
        ),
        ("live bytes per topic, 100,000 topics, the worse of two", AtMost(1_000.0), bytes(report)),
        ("one of two servers silent: slowest call, s", AtMost(2.0), slowest(report, SILENT)),
        ("the same: p99, of the p99 with both healthy", AtMost(3.0), p99(report, SILENT)),
        ("one of two servers not to be reached: slowest call, s", AtMost(2.0), slowest(report, UNREACHABLE)),
        ("the same: p99, of the p99 with both healthy", AtMost(3.0), p99(report, UNREACHABLE)),
        (
            "1,000 calls at once for a cold topic: requests",
            AtMost(1.0),
            Spread::of(report.cold.as_ref().map(|cold| cold.most_requests as f64)),
        ),
    ];
    table(
        ["figure", "must", "measured", ""],
        rows.map(|(figure, must, measured)| {
            let median = measured.map(|spread| spread.median);
            [figure.into(), must.text(), precise(measured), must.verdict(median)]
        }),
    )
}

/// The worse of all routes different and all the same.
fn bytes(report: &CacheReport) -> Option<Spread> {
    let held = &report.memory.as_ref()?.held;
    let of = |differ| {
        let wanted = held.iter().find(|held| held.routes_differ == differ && held.topics == MANY_TOPICS);
        wanted.map(|held| held.bytes_each)
    };
    Spread::of([of(true)?.max(of(false)?)])
}

fn waited<'a>(report: &'a CacheReport, other: &str) -> Option<&'a Waited> {
    report.faults.as_ref()?.others.iter().find(|waited| waited.other == other)
}

fn slowest(report: &CacheReport, other: &str) -> Option<Spread> {
    Spread::of(waited(report, other).map(|waited| waited.slowest_ms / 1e3))
}

fn p99(report: &CacheReport, other: &str) -> Option<Spread> {
    waited(report, other).map(|waited| waited.p99_of_healthy)
}
