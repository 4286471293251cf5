//! The numbers as tables, for the terminal, and as the page `docs/benchmarks-cache.md`, beside what is required.

use super::report::{CacheReport, Cold, Faults, Hits, Memory, Refresh};
use super::required::required;
use crate::bound::NOT_MEASURED;
use crate::render::{decimals, machine, ratio, table, whole};

/// All tables, for a terminal.
pub(crate) fn tables(report: &CacheReport) -> String {
    let tables = [
        ("What is required", required(report)),
        ("Lookups of fresh routes", part(report.hits.as_ref(), hits)),
        ("Asking again for routes that have not changed", part(report.refresh.as_ref(), refresh)),
        ("Memory", part(report.memory.as_ref(), memory)),
        ("One of two servers of no use", part(report.faults.as_ref(), faults)),
        ("Many calls at once for a cold topic", part(report.cold.as_ref(), cold)),
    ]
    .map(|(title, table)| format!("{title}\n\n{table}"));
    format!("{}. Medians; in brackets the quartiles.\n\n{}", setting(report), tables.join("\n"))
}

/// The page.
pub(crate) fn page(report: &CacheReport) -> String {
    let quick = if report.quick { "\nThis was a quick run, which is good for a look only.\n" } else { "" };
    format!(
        "\
<!-- Made from bench/results/cache.json by `cargo xtask bench render`. Change that or bench/src/cache/page.rs. -->

# What the route cache costs

**Ratios within one run are what counts.** Each figure is measured beside what it is compared with, in turns, round after
round; a ratio is of two figures of the same round.

{setting}, release build.
What else the machine had to do shows in the load average, and it makes every ratio wrong: above about 0.3, measure again.
Figures are medians over the rounds; in brackets are the quartiles.
{quick}
## What is required

{required}
## Lookups of fresh routes

{topics} topics, each with a route of its own on 8 broker pairs, are looked up in an order without a pattern, the same for all.
The bare loop is what a cache must do at least: read the clock, find the topic in a standard `HashMap` that nobody writes to,
by `&str` and with the cache's hasher, and clone the `Arc` that it finds. What is required is required beside the first one,
whose `Arc`s are as large as what the cache keeps of a topic beside its route and lie side by side in memory. The second one
has the routes themselves, as a program without a cache would: they are as far apart as their content makes them, as in the
cache, and more of them miss the processor's caches. moka has the same hasher, keys and time to live, and the compact values.
`get_route` of the async cache is awaited inside of one `block_on` on a current-thread runtime. The time is the
processor time of one thread. The gain is the rate of two threads, which look up the same topics from different places on,
as a multiple of the rate of one. {hits_rounds}

{hits}
## Asking again for routes that have not changed

{topics} topics on 8 brokers at an embedded server in a process of its own. `refresh_routes` asks for all of them again; the
cache compares each answer with the one it knows and, as all are the same, reads none. `query_topic_route_infos` is the client
under that cache, with the same topics, the same connection and as many queries in flight (256): it makes a route of each
answer, as a refresh without that comparison would have to. The floor is a plain socket that keeps 64 ready-made queries for
these topics in flight and looks at nothing but the lengths of answers. CPU is the processor time of the asking process,
all of it. {refresh_rounds}

{refresh}
## Memory

Live bytes per topic: what is allocated when the topics are in a new cache and was not before, divided by their number. A
program of its own counts them; its server is in memory, and the connection's buffers have their size before anything
counts. All topics are on the same 8 broker pairs; either each has other numbers of queues than all the others, so that no
route can be shared, or all have the same.

{memory}
## One of two servers of no use

A client with two servers asks one question at a time; a call may take {limit} s. The good server is an embedded one in a process of
its own. The other one stands first in the list, and is silent: it takes connections and never answers; or not to be
reached: connecting to it takes for ever. With both healthy, the same good server stands first. Each run has a new client, which knows
nothing of the servers, and {calls} calls. The percentiles leave out the first {first}, in which it may find out;
the slowest call is that of all runs and all calls. {faults_rounds}

{faults}
## Many calls at once for a cold topic

Tasks on two threads call `get_route` for one topic that nobody has asked for, and all of them have found nothing before the
server answers. What is told is how many requests the server has got in the worst round. {cold_rounds}

{cold}
## Repeat it

    cargo xtask bench cache            # all of it, a minute
    cargo xtask bench cache --quick    # a look, ten seconds
    cargo xtask bench cache --quick --only hits    # one part

Leave the machine alone meanwhile. More than 1 GiB of memory is taken for a moment.

These numbers are `bench/results/cache.json`, and a test compares this page with that file. To replace both:

    cargo xtask bench cache --json bench/results/cache.json
    cargo xtask bench render bench/results/cache.json --write docs/benchmarks-cache.md

No test asserts a speed.
",
        setting = setting(report),
        required = required(report),
        topics = whole(report.topics as f64),
        hits_rounds = report
            .hits
            .as_ref()
            .map(|hits| format!("{} rounds of {} lookups on each thread.", hits.rounds, whole(hits.lookups as f64)))
            .unwrap_or_default(),
        hits = part(report.hits.as_ref(), hits),
        refresh_rounds = rounds(report.refresh.as_ref().map(|refresh| refresh.rounds)),
        refresh = part(report.refresh.as_ref(), refresh),
        memory = part(report.memory.as_ref(), memory),
        limit = decimals(super::faults::LIMIT.as_secs_f64()),
        calls = whole(report.faults.as_ref().map_or(0, |faults| faults.calls) as f64),
        first = report.faults.as_ref().map_or(0, |faults| faults.first),
        faults_rounds = rounds(report.faults.as_ref().map(|faults| faults.rounds)),
        faults = part(report.faults.as_ref(), faults),
        cold_rounds = rounds(report.cold.as_ref().map(|cold| cold.rounds)),
        cold = part(report.cold.as_ref(), cold),
    )
}

/// A part's table, if it was measured.
fn part<T>(part: Option<&T>, table: fn(&T) -> String) -> String {
    part.map_or_else(|| format!("{NOT_MEASURED}\n"), table)
}

fn rounds(rounds: Option<usize>) -> String {
    rounds.map(|rounds| format!("{rounds} rounds.")).unwrap_or_default()
}

fn setting(report: &CacheReport) -> String {
    let load = report.load_average.map(|load| format!(", load average {load:.2} before the run"));
    format!("{}{}", machine(&report.machine), load.unwrap_or_default())
}

fn hits(hits: &Hits) -> String {
    table(
        ["who", "ns", "× bare", "× bare on routes", "lookups/s on two threads", "gain", "of the bare gain"],
        hits.who.iter().map(|lookup| {
            [
                lookup.name.clone(),
                decimals(lookup.ns.median),
                ratio(lookup.ns_of_bare),
                ratio(lookup.ns_of_bare_on_routes),
                whole(lookup.per_second_on_two.median),
                ratio(lookup.gain),
                ratio(lookup.gain_of_bare),
            ]
        }),
    )
}

fn refresh(refresh: &Refresh) -> String {
    table(
        ["who", "topics/s", "of the floor", "CPU µs/topic", "of reading each"],
        refresh.who.iter().map(|who| {
            [
                who.name.clone(),
                whole(who.per_second.median),
                ratio(who.per_second_of_floor),
                decimals(who.cpu_us.median),
                ratio(who.cpu_of_decoding),
            ]
        }),
    )
}

fn memory(memory: &Memory) -> String {
    table(
        ["routes", "topics", "bytes/topic"],
        memory.held.iter().map(|held| {
            let routes = if held.routes_differ { "all differ" } else { "all the same" };
            [routes.into(), whole(held.topics as f64), whole(held.bytes_each)]
        }),
    )
}

fn faults(faults: &Faults) -> String {
    table(
        ["other server", "failed calls", "slowest ms", "p50 µs", "p99 µs", "p99 × healthy"],
        faults.others.iter().map(|waited| {
            [
                waited.other.clone(),
                whole(waited.failed as f64),
                decimals(waited.slowest_ms),
                whole(waited.p50_us.median),
                whole(waited.p99_us.median),
                ratio(waited.p99_of_healthy),
            ]
        }),
    )
}

fn cold(cold: &Cold) -> String {
    table(["calls at once", "requests"], [[whole(cold.calls as f64), whole(cold.most_requests as f64)]])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::first_difference;
    use crate::report::Numbers;

    fn committed() -> CacheReport {
        CacheReport::from_json(CacheReport::COMMITTED).unwrap()
    }

    #[test]
    fn the_committed_page_is_what_the_committed_numbers_say() {
        let committed_page = include_str!("../../../docs/benchmarks-cache.md");
        assert_eq!(
            first_difference(&page(&committed()), committed_page),
            None,
            "docs/benchmarks-cache.md differs from bench/results/cache.json in this line; make it again: \
             cargo xtask bench render bench/results/cache.json --write docs/benchmarks-cache.md"
        );
    }

    #[test]
    fn what_was_not_measured_is_missed() {
        let report =
            CacheReport { hits: None, refresh: None, memory: None, faults: None, cold: None, ..committed() };
        assert_eq!(required(&report).matches(NOT_MEASURED).count(), 11);
        assert_eq!(required(&report).matches("MISSED").count(), 11);
    }

    #[test]
    fn the_worse_memory_of_two_counts_and_both_are_needed() {
        let mut report = committed();
        let held = |routes_differ, bytes_each| super::super::report::Held {
            routes_differ,
            topics: super::super::memory::MANY_TOPICS,
            bytes_each,
        };
        for (held, expected) in [
            (vec![held(true, 999.0), held(false, 1.0)], "999.000"),
            (vec![held(true, 1.0), held(false, 1001.0)], "1001.000"),
            (vec![held(true, 1.0)], NOT_MEASURED),
        ] {
            report.memory = Some(Memory { held });
            let line = required(&report).lines().find(|line| line.contains("live bytes")).unwrap().to_owned();
            assert!(line.contains(expected), "{line}");
        }
    }
}
