//! What a table takes from disk and gives to it.
//!
//! A route from disk counts as what it is: said by its server at its time. It never replaces what is known by now, any answer
//! replaces or confirms it, and all are asked for again at once.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rocketmq_nameserver_protocol::model::{Name, TopicRouteData};

use super::{Rest, Table};
use crate::cache::entry::{BodyHash, ByTopic, Cached, Origin};

/// A route that was on disk.
#[derive(Debug)]
pub(in crate::cache) struct Stored {
    pub(in crate::cache) topic: Name,
    pub(in crate::cache) route: Arc<TopicRouteData>,
    /// A hash that only this route has.
    pub(in crate::cache) body: BodyHash,
    pub(in crate::cache) source: Name,
    /// How long ago a server said or confirmed it.
    pub(in crate::cache) age: Duration,
}

/// What there is to be written at one moment. Two are different if anything has been found, changed, dropped or confirmed
/// between them: all of that is counted anyway.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::cache) struct Mark {
    topics: u64,
    changes: u64,
    confirmations: u64,
}

impl Mark {
    /// Whether nothing but confirmations lies between them.
    pub(in crate::cache) fn has_same_routes(&self, other: &Mark) -> bool {
        (self.topics, self.changes) == (other.topics, other.changes)
    }

    /// With so many topics more.
    pub(in crate::cache) fn and(self, topics: usize) -> Mark {
        Mark { topics: self.topics + topics as u64, ..self }
    }
}

/// How many are taken under one hold of the lock, so that no caller waits long for it.
const AT_ONCE: usize = 256;

/// The number of a question that nobody has asked: every answer is newer.
const NOT_ASKED: u64 = 0;

impl Table {
    /// Takes the routes that are no older than `max_stale` and of whose topics nothing newer is known. Says how many.
    pub(in crate::cache) fn load(&self, mut stored: Vec<Stored>, now: Duration, from: &Arc<Path>) -> usize {
        self.rest().loaded_from = Some(Arc::clone(from));
        let mut loaded = 0;
        while !stored.is_empty() {
            let some = stored.split_off(stored.len().saturating_sub(AT_ONCE));
            let mut rest = self.rest();
            let taken = some.into_iter().filter_map(|stored| self.take(&mut rest, stored, now)).count();
            rest.counted.loaded += taken as u64;
            loaded += taken;
        }
        loaded
    }

    fn take(&self, rest: &mut Rest, stored: Stored, now: Duration) -> Option<()> {
        let Stored { topic, route, body, source, age } = stored;
        let confirmed_at = now.checked_sub(age).filter(|_| age <= self.rules.max_stale)?;
        let known = rest.topics.get(&topic);
        let newer = known.is_some_and(|known| {
            known.missing.is_some() || known.gone.is_some() || known.not_before > NOT_ASKED
        });
        if newer || self.routes.pin().contains(topic.as_str()) {
            return None;
        }
        let route = rest.interned.share(body, route);
        let mut generation = 1;
        if let Some(known) = rest.topics.get_mut(&topic) {
            known.generation += 1;
            generation = known.generation;
            known.tell(&topic, false);
        }
        let origin = Origin { source, body, answered: NOT_ASKED };
        let cached = Arc::new(Cached::new(topic, route, origin, generation, confirmed_at));
        cached.used(now);
        self.routes.pin().insert(ByTopic(Arc::clone(&cached)));
        self.schedule(rest, &cached, now);
        Some(())
    }

    /// The routes that may be served now, by their topics.
    pub(in crate::cache) fn kept(&self, now: Duration) -> Vec<Arc<Cached>> {
        let routes = self.routes.pin();
        let all = routes.iter().map(|by_topic| &by_topic.0);
        let mut kept: Vec<_> = all.filter(|cached| cached.age(now) <= self.max_stale).cloned().collect();
        kept.sort_unstable_by(|one, other| one.topic.cmp(&other.topic));
        kept
    }

    /// What there is now, to compare.
    pub(in crate::cache) fn mark(&self) -> Mark {
        let rest = self.rest();
        let counted = &rest.counted;
        // Each question has a number, and so has each invalidation.
        let invalidated = rest.asked - counted.questions;
        Mark {
            topics: self.routes.len() as u64,
            changes: counted.changed + counted.dropped + counted.evicted + invalidated,
            confirmations: counted.unchanged + counted.decoded,
        }
    }

    pub(in crate::cache) fn ttl(&self) -> Duration {
        self.rules.ttl
    }
}

impl Cached {
    /// Whether no server has said it to this process: it comes from disk.
    pub(super) fn is_only_loaded(&self) -> bool {
        self.answered() == NOT_ASKED
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::cache::config::Config;
    use crate::cache::table::{Asked, Found};
    use crate::call::Told;

    const NOW: Duration = Duration::from_secs(10_000);
    const AGE: Duration = Duration::from_secs(10);

    fn body(broker: &str) -> Bytes {
        format!(r#"{{"brokerDatas":[{{"brokerAddrs":{{0:"h:1"}},"brokerName":"{broker}","cluster":"C"}}]}}"#)
            .into()
    }

    fn stored(topic: &str, age: Duration) -> Stored {
        let route = Arc::new(TopicRouteData::from_bytes(&body("disk")).unwrap());
        Stored { topic: topic.into(), route, body: 1, source: "ns:1".into(), age }
    }

    fn load(table: &Table, stored: Stored) -> usize {
        table.load(vec![stored], NOW, &Arc::from(Path::new("file")))
    }

    /// What happens to a table.
    type Happens = fn(&Table);

    /// A question and its answer.
    fn answer(table: &Table, topic: &str, answer: &str) {
        let Asked::Ask(ticket, _) = table.ask_again(topic, NOW) else { panic!("nobody asks") };
        let told = Told { server: "ns:1".into(), answer: body(answer), is_second_opinion: false };
        let _no_other =
            table.apply(ticket, Ok(told), |_, body| Ok(TopicRouteData::from_bytes(body).unwrap()), NOW);
    }

    fn broker(table: &Table, topic: &str) -> String {
        match table.find(topic, NOW) {
            Found::Fresh(route) | Found::Stale(route) => route.broker_data_list[0].broker_name.to_string(),
            Found::Nothing => "none".to_owned(),
        }
    }

    #[test]
    fn a_loaded_route_does_not_beat_what_is_known_by_now() {
        let rows: [(&str, Happens, usize, &str); 5] = [
            ("nothing", |_| {}, 1, "disk"),
            ("an answer", |table| answer(table, "T", "net"), 0, "net"),
            ("an invalidation", |table| assert!(!table.invalidate("T", NOW)), 0, "none"),
            (
                "an answer that was invalidated",
                |table| {
                    answer(table, "T", "net");
                    table.invalidate("T", NOW);
                },
                0,
                "none",
            ),
            ("a question", |table| drop(table.ask_again("T", NOW)), 1, "disk"),
        ];
        for (what, before, loaded, expected) in rows {
            let table = Table::new(Config::default().rules);
            before(&table);
            let mark = table.mark();
            assert_eq!(load(&table, stored("T", AGE)), loaded, "{what}");
            assert_eq!(broker(&table, "T"), expected, "{what}");
            assert_eq!(table.stats().loaded, loaded as u64, "{what}");
            assert_eq!(table.mark(), mark.and(loaded), "{what}");
        }
    }

    #[test]
    fn any_answer_replaces_or_confirms_what_was_loaded() {
        for (said, confirmations) in [("net", 0), ("disk", 1)] {
            let table = Table::new(Config::default().rules);
            load(&table, stored("T", AGE));
            answer(&table, "T", said);
            let Found::Fresh(route) = table.find("T", NOW) else { panic!("{said}") };
            assert_eq!((route.age(), route.confirmations()), (Duration::ZERO, confirmations), "{said}");
            assert!(table.explain("T", NOW).kept.unwrap().loaded_from.is_none(), "{said}");
        }
    }

    #[test]
    fn what_is_too_old_or_older_than_the_table_is_not_loaded() {
        let max_stale = Config::default().rules.max_stale;
        for (age, now, expected) in [
            (max_stale, NOW, 1),
            (max_stale + Duration::from_nanos(1), NOW, 0),
            (AGE, AGE, 1),
            (AGE, AGE - Duration::from_nanos(1), 0),
        ] {
            let table = Table::new(Config::default().rules);
            let file = Arc::from(Path::new("file"));
            assert_eq!(table.load(vec![stored("T", age)], now, &file), expected, "{age:?} at {now:?}");
            assert_eq!(table.kept(now).len(), expected, "{age:?} at {now:?}");
        }
    }

    #[test]
    fn a_mark_tells_changes_from_confirmations() {
        let table = Table::new(Config::default().rules);
        let rows: [(&str, Happens, bool, bool); 6] = [
            ("found", |table| answer(table, "T", "a"), false, false),
            ("confirmed", |table| answer(table, "T", "a"), true, false),
            ("nothing", |_| {}, true, true),
            ("changed", |table| answer(table, "T", "b"), false, false),
            ("invalidated", |table| assert!(table.invalidate("T", NOW)), false, false),
            ("found again", |table| answer(table, "T", "b"), false, false),
        ];
        for (what, happens, same_routes, same) in rows {
            let before = table.mark();
            happens(&table);
            let after = table.mark();
            assert_eq!((before.has_same_routes(&after), before == after), (same_routes, same), "{what}");
        }
    }
}
