//! The reader and two parsers that are not ours agree on what a body says, and on whether it says anything.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use rocketmq_nameserver_protocol::model::{BrokerClusterInfo, TopicRouteData};

use super::json::{check_agreement, opinions};
use super::tree::{self, Opinion};
use super::{oracle, texts};

fn check_route(text: &[u8]) {
    check_agreement(text, &TopicRouteData::from_bytes(text), &opinions(text), oracle::route);
}

fn check_cluster(text: &[u8]) {
    check_agreement(text, &BrokerClusterInfo::from_bytes(text), &opinions(text), oracle::cluster);
}

proptest! {
    #[test]
    fn edited_routes(text in texts::edited_bodies(105)) {
        check_route(&text);
    }

    #[test]
    fn edited_cluster_infos(text in texts::edited_bodies(106)) {
        check_cluster(&text);
    }

    #[test]
    fn made_up_routes(text in texts::route_text()) {
        check_route(text.as_bytes());
    }

    #[test]
    fn made_up_cluster_infos(text in texts::cluster_text()) {
        check_cluster(text.as_bytes());
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
