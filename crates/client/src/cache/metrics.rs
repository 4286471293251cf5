//! The cache's numbers for the `metrics` crate, whose recorder the program chooses: Prometheus, OpenTelemetry, StatsD.
//! Published by the upkeep task, so a hit pays nothing for them.

use std::time::Duration;

use metrics::{counter, gauge};

use super::RouteCacheStats;

/// How often they are published: several times between two of the usual 15 s scrapes.
pub(super) const EVERY: Duration = Duration::from_secs(5);

/// Publishes them under the name of the cache.
pub(super) fn publish(cache: &str, stats: &RouteCacheStats) {
    gauge!("rocketmq_nameserver_route_cache_topics", "cache" => cache.to_owned()).set(stats.topics as f64);
    for (event, count) in [
        ("hit", stats.hits),
        ("stale_hit", stats.stale_hits),
        ("negative_hit", stats.negative_hits),
        ("miss", stats.misses),
        ("joined", stats.joined),
        ("question", stats.questions),
        ("background", stats.background),
        ("unchanged", stats.unchanged),
        ("decoded", stats.decoded),
        ("changed", stats.changed),
        ("late", stats.late),
        ("failure", stats.failures),
        ("not_found", stats.not_found),
        ("dropped", stats.dropped),
        ("evicted", stats.evicted),
        ("loaded", stats.loaded),
        ("reported", stats.reported),
    ] {
        counter!("rocketmq_nameserver_route_cache_events_total", "cache" => cache.to_owned(), "event" => event)
            .absolute(count);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use metrics_util::debugging::{DebugValue, DebuggingRecorder};

    use super::*;

    #[test]
    fn every_number_has_a_series() {
        let recorder = DebuggingRecorder::new();
        let stats = RouteCacheStats { topics: 3, hits: 5, evicted: 7, ..RouteCacheStats::default() };
        metrics::with_local_recorder(&recorder, || publish("orders", &stats));
        let series: HashMap<String, DebugValue> = recorder
            .snapshotter()
            .snapshot()
            .into_vec()
            .into_iter()
            .map(|(key, _, _, value)| (key.key().to_string(), value))
            .collect();
        // All fields of the statistics, each of which is a number.
        assert_eq!(series.len(), format!("{stats:?}").matches(": ").count(), "{series:?}");
        let value = |name: &str| series.iter().find(|(key, _)| key.contains(name)).map(|(_, value)| value);
        assert!(series.keys().all(|key| key.contains("cache = orders")), "{series:?}");
        assert_eq!(value("topics"), Some(&DebugValue::Gauge(3.0.into())));
        assert_eq!(value("event = hit"), Some(&DebugValue::Counter(5)));
        assert_eq!(value("event = evicted"), Some(&DebugValue::Counter(7)));
    }
}
