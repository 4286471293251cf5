//! The configuration of an ordered topic: `broker-a:4;broker-b:4` (rule 1 of `docs/wire.md` §4.6).
//!
//! Java's client loses the whole route over one item that it cannot read; here the other items count.

use std::fmt;

use rocketmq_nameserver_protocol::model::Name;

/// How many malformed items [`wrong_items`](super::PublishQueues::wrong_items) holds at most. The first hundred show what is
/// wrong, and a body of some megabytes can hold millions.
pub const MAX_WRONG_ITEMS: usize = 100;

/// An item of `order_topic_conf` that is not `broker:count`. It gives no queues.
///
/// ```
/// use rocketmq_nameserver::{OrderConfItemProblem, TopicRouteData, publish_queues};
///
/// let route = TopicRouteData { order_topic_conf: "a:2;b;c:1".into(), ..Default::default() };
/// let queues = publish_queues("T", &route);
/// let wrong = &queues.wrong_items()[0];
/// assert_eq!((wrong.position, &*wrong.item, wrong.problem), (1, "b", OrderConfItemProblem::NoColon));
/// assert_eq!(queues.count(), 3);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderConfItemError {
    /// Which item it is, from 0.
    pub position: usize,
    /// Its text.
    pub item: Name,
    /// What is wrong with it.
    pub problem: OrderConfItemProblem,
}

/// Why an item of `order_topic_conf` gives no queues.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum OrderConfItemProblem {
    /// There is no `:` in it; an empty item between two `;` is one of these.
    NoColon,
    /// There is no broker before the `:`. Java's client makes queues of a broker without a name, which nobody can reach.
    NoBroker,
    /// There is no count behind the `:`.
    NoCount,
    /// The count is not a whole number in decimal digits. One `+` or `-` may stand before them, nothing else, not even a blank.
    NotANumber,
    /// The count is below zero. Java's client makes no queues of it.
    Negative,
    /// The count is above 2^31-1.
    TooLarge,
}

impl fmt::Display for OrderConfItemError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.problem {
            OrderConfItemProblem::NoColon => "has no ':'",
            OrderConfItemProblem::NoBroker => "has no broker before the ':'",
            OrderConfItemProblem::NoCount => "has no count behind the ':'",
            OrderConfItemProblem::NotANumber => "has a count that is no number",
            OrderConfItemProblem::Negative => "has a count below zero",
            OrderConfItemProblem::TooLarge => "has a count above 2147483647",
        };
        let Self { position, item, .. } = self;
        write!(
            f,
            "item {position} of the order configuration, {item:?}, {what}: write broker:count;broker:count"
        )
    }
}

impl std::error::Error for OrderConfItemError {}

/// The items that can be read, one by one: a broker and how many queues it has.
#[derive(Clone, Debug)]
pub(super) struct OrderConf<'a> {
    /// `None` when all have been read.
    rest: Option<&'a str>,
}

impl<'a> OrderConf<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        // As Java's split does it: what is empty at the end is not there.
        OrderConf { rest: Some(text.trim_end_matches(';')).filter(|text| !text.is_empty()) }
    }

    /// How many queues all items claim, the malformed ones (the first [`MAX_WRONG_ITEMS`]), and how many those are in all.
    pub(super) fn survey(mut self) -> (u64, Vec<OrderConfItemError>, u64) {
        let (mut claimed, mut wrong, mut wrong_count) = (0_u64, Vec::new(), 0);
        let mut position = 0;
        while let Some(item) = self.next_item() {
            match read(item) {
                Ok((_, count)) => claimed = claimed.saturating_add(count.into()),
                Err(problem) => {
                    wrong_count += 1;
                    if wrong.len() < MAX_WRONG_ITEMS {
                        wrong.push(OrderConfItemError { position, item: Name::from(item), problem });
                    }
                }
            }
            position += 1;
        }
        (claimed, wrong, wrong_count)
    }

    fn next_item(&mut self) -> Option<&'a str> {
        let rest = self.rest?;
        let (item, rest) = rest.split_once(';').map_or((rest, None), |(item, rest)| (item, Some(rest)));
        self.rest = rest;
        Some(item)
    }
}

impl<'a> Iterator for OrderConf<'a> {
    type Item = (&'a str, u32);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            // The malformed ones were told of already, by the survey.
            if let Ok(item) = read(self.next_item()?) {
                return Some(item);
            }
        }
    }
}

fn read(item: &str) -> Result<(&str, u32), OrderConfItemProblem> {
    let (broker, behind) = item.split_once(':').ok_or(OrderConfItemProblem::NoColon)?;
    // What stands behind a second colon does not count.
    let count = behind.split(':').next().unwrap_or(behind);
    if broker.is_empty() {
        return Err(OrderConfItemProblem::NoBroker);
    }
    Ok((broker, read_count(count)?))
}

/// As Java's `Integer.parseInt`, but for digits of other scripts.
fn read_count(text: &str) -> Result<u32, OrderConfItemProblem> {
    if text.is_empty() {
        return Err(OrderConfItemProblem::NoCount);
    }
    let (is_negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(OrderConfItemProblem::NotANumber);
    }
    match (is_negative, digits.bytes().all(|byte| byte == b'0')) {
        (_, true) => Ok(0),
        (true, false) => Err(OrderConfItemProblem::Negative),
        // Whatever digits cannot be read are too many.
        (false, false) => digits
            .parse::<i32>()
            .ok()
            .and_then(|count| u32::try_from(count).ok())
            .ok_or(OrderConfItemProblem::TooLarge),
    }
}

#[cfg(test)]
mod tests {
    use super::OrderConfItemProblem::*;
    use super::*;

    #[test]
    fn rule_4_6_1_items_are_read_as_java_reads_them() {
        type Expected = (&'static [(&'static str, u32)], &'static [(usize, OrderConfItemProblem)]);
        let check = |text: &str, (items, wrong): Expected| {
            assert_eq!(OrderConf::new(text).collect::<Vec<_>>(), items, "{text}");
            let (claimed, found, count) = OrderConf::new(text).survey();
            let found: Vec<_> = found.iter().map(|error| (error.position, error.problem)).collect();
            assert_eq!(found, wrong, "{text}");
            assert_eq!(claimed, items.iter().map(|(_, count)| u64::from(*count)).sum::<u64>(), "{text}");
            assert_eq!(count, wrong.len() as u64, "{text}");
        };
        check("a:4;b:2", (&[("a", 4), ("b", 2)], &[]));
        check("b:1;a:1;b:2", (&[("b", 1), ("a", 1), ("b", 2)], &[]));
        check("a:+4", (&[("a", 4)], &[]));
        check("a:004", (&[("a", 4)], &[]));
        check("a:-0", (&[("a", 0)], &[]));
        check("a:4:x", (&[("a", 4)], &[]));
        check("a:4::", (&[("a", 4)], &[]));
        check("a:4;", (&[("a", 4)], &[]));
        check("a:4;;;", (&[("a", 4)], &[]));
        check(";;", (&[], &[]));
        check("a:4;;b:4", (&[("a", 4), ("b", 4)], &[(1, NoColon)]));
        check(";a:4", (&[("a", 4)], &[(0, NoColon)]));
        check("a", (&[], &[(0, NoColon)]));
        check("a;b:1", (&[("b", 1)], &[(0, NoColon)]));
        check(":4", (&[], &[(0, NoBroker)]));
        check(":", (&[], &[(0, NoBroker)]));
        check("a:", (&[], &[(0, NoCount)]));
        check("a::4", (&[], &[(0, NoCount)]));
        check("a: 4", (&[], &[(0, NotANumber)]));
        check("a:4 ", (&[], &[(0, NotANumber)]));
        check("a:x", (&[], &[(0, NotANumber)]));
        check("a:+", (&[], &[(0, NotANumber)]));
        check("a:--4", (&[], &[(0, NotANumber)]));
        check("a:+-4", (&[], &[(0, NotANumber)]));
        check("a:4.0", (&[], &[(0, NotANumber)]));
        check("a:-1", (&[], &[(0, Negative)]));
        check("a:-99999999999", (&[], &[(0, Negative)]));
        check("a:99999999999", (&[], &[(0, TooLarge)]));
        check("a:2147483648", (&[], &[(0, TooLarge)]));
        check("a:2147483647;b:2147483647", (&[("a", 2_147_483_647), ("b", 2_147_483_647)], &[]));
        check("中:1; b:1", (&[("中", 1), (" b", 1)], &[]));
    }

    #[test]
    fn malformed_items_are_counted_to_the_end_and_held_up_to_a_limit() {
        let text = "x;".repeat(1_000_000) + "a:1";
        let (claimed, wrong, count) = OrderConf::new(&text).survey();
        assert_eq!((claimed, wrong.len(), count), (1, MAX_WRONG_ITEMS, 1_000_000));
        assert_eq!(OrderConf::new(&text).collect::<Vec<_>>(), [("a", 1)]);
    }
}
