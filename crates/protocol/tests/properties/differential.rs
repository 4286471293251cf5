//! The reader and two parsers that are not ours agree on what a body says, and on whether it says anything.

use std::fmt::Debug;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use rocketmq_nameserver_protocol::error::DataParseError;
use rocketmq_nameserver_protocol::model::{BrokerClusterInfo, TopicRouteData};

use super::tree::{self, Opinion, Tree};
use super::{oracle, texts};

/// Whether the reader takes from this text what the rules take from each parser's tree of it.
fn check<T: Debug + PartialEq>(
    text: &[u8],
    read: fn(&[u8]) -> Result<T, DataParseError>,
    by_rules: fn(&Tree) -> Option<T>,
) {
    let found = read(text);
    for (parser, opinion) in
        [("serde_json", tree::by_serde_json(text)), ("jsonc-parser", tree::by_jsonc_parser(text))]
    {
        let expected = match &opinion {
            Opinion::Unknown => continue,
            Opinion::Refused => None,
            Opinion::Value(tree) => by_rules(tree),
        };
        assert_eq!(
            found.as_ref().ok(),
            expected.as_ref(),
            "{parser} against {found:?} in {:?}",
            text.escape_ascii().to_string()
        );
    }
}

proptest! {
    #[test]
    fn edited_routes(text in texts::edited_bodies(105)) {
        check(&text, TopicRouteData::from_bytes, oracle::route);
    }

    #[test]
    fn edited_cluster_infos(text in texts::edited_bodies(106)) {
        check(&text, BrokerClusterInfo::from_bytes, oracle::cluster);
    }

    #[test]
    fn made_up_routes(text in texts::route_text()) {
        check(text.as_bytes(), TopicRouteData::from_bytes, oracle::route);
    }

    #[test]
    fn made_up_cluster_infos(text in texts::cluster_text()) {
        check(text.as_bytes(), BrokerClusterInfo::from_bytes, oracle::cluster);
    }
}

/// How many of a thousand texts are accepted, and how many the two parsers have no opinion of.
fn count(texts: impl Strategy<Value = Vec<u8>>, accepted: fn(&[u8]) -> bool) -> (usize, [usize; 2]) {
    let mut runner = TestRunner::deterministic();
    let (mut good, mut unknown) = (0, [0, 0]);
    for _ in 0..1000 {
        let text = texts.new_tree(&mut runner).expect("a text").current();
        good += usize::from(accepted(&text));
        unknown[0] += usize::from(tree::by_serde_json(&text) == Opinion::Unknown);
        unknown[1] += usize::from(tree::by_jsonc_parser(&text) == Opinion::Unknown);
    }
    (good, unknown)
}

#[test]
fn the_texts_are_neither_all_good_nor_all_bad() {
    let route = |text: &[u8]| TopicRouteData::from_bytes(text).is_ok();
    let cluster = |text: &[u8]| BrokerClusterInfo::from_bytes(text).is_ok();
    let bytes = String::into_bytes;
    for (what, (good, [by_serde_json, by_jsonc_parser])) in [
        ("edited routes", count(texts::edited_bodies(105), route)),
        ("edited cluster infos", count(texts::edited_bodies(106), cluster)),
        ("made-up routes", count(texts::route_text().prop_map(bytes), route)),
        ("made-up cluster infos", count(texts::cluster_text().prop_map(bytes), cluster)),
    ] {
        assert!((200..900).contains(&good), "{what}: {good} of 1000 are accepted");
        assert!(by_serde_json < 600 && by_jsonc_parser < 100, "{what}: {by_serde_json}, {by_jsonc_parser}");
    }
}
