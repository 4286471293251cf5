use super::*;

fn info(bname: &str, scope: &str, epoch: i64, total_queues: u32, held: &[i32]) -> TopicQueueMappingInfo {
    TopicQueueMappingInfo {
        bname: Some(bname.into()).filter(|_| !bname.is_empty()),
        curr_id_map: held.iter().map(|id| (*id, 0)).collect(),
        epoch,
        scope: scope.into(),
        total_queues,
        ..Default::default()
    }
}

/// A route with these mappings, each under its place's letter.
fn route(infos: &[TopicQueueMappingInfo]) -> TopicRouteData {
    let keys = 'a'..;
    let mappings = keys.zip(infos).map(|(key, info)| (Name::from(key.to_string()), info.clone()));
    TopicRouteData { topic_queue_mapping_by_broker: mappings.collect(), ..Default::default() }
}

/// `scope id=broker`, with `-` for none.
fn shown(route: &TopicRouteData) -> String {
    let shown = static_topic_endpoints("T", route).map(|(queue, broker)| {
        assert_eq!(queue.topic, "T");
        let is_none = broker == LOGICAL_QUEUE_MOCK_BROKER_NAME_NOT_EXIST;
        assert_eq!(physical_broker(route, &queue), Some(broker.clone()).filter(|_| !is_none), "{queue:?}");
        let scope = queue.broker_name.strip_prefix(LOGICAL_QUEUE_MOCK_BROKER_PREFIX).unwrap();
        format!("{scope} {}={}", queue.queue_id, if is_none { "-" } else { broker.as_str() })
    });
    shown.collect::<Vec<_>>().join(", ")
}

const GLOBAL: &str = "__global__";

#[test]
fn rule_4_8_the_highest_epoch_of_a_scope_holds_a_queue() {
    let check = |name: &str, infos: &[TopicQueueMappingInfo], expected: &str| {
        assert_eq!(shown(&route(infos)), expected, "{name}");
    };
    check("no static topic", &[], "");
    check("no queues", &[info("a", GLOBAL, 0, 0, &[0, 1])], "");
    check("held and not held", &[info("a", GLOBAL, 0, 2, &[1])], "global__ 0=-, global__ 1=a");
    check("ids beyond the total", &[info("a", GLOBAL, 0, 1, &[-1, 0, 1, 7])], "global__ 0=a");
    check(
        "the highest epoch, wherever it stands",
        &[info("a", GLOBAL, 9, 2, &[0, 1]), info("b", GLOBAL, 8, 2, &[0]), info("c", GLOBAL, 10, 2, &[1])],
        "global__ 0=a, global__ 1=c",
    );
    check(
        "of equal epochs the later",
        &[info("a", GLOBAL, 1, 1, &[0]), info("b", GLOBAL, 1, 1, &[0])],
        "global__ 0=b",
    );
    check(
        "the largest total counts, whatever its epoch",
        &[info("a", GLOBAL, 9, 1, &[0]), info("b", GLOBAL, 1, 2, &[1])],
        "global__ 0=a, global__ 1=b",
    );
    check(
        "epochs below -1 do not say how many there are",
        &[info("a", GLOBAL, -2, 5, &[0]), info("b", GLOBAL, -1, 2, &[1])],
        "global__ 0=a, global__ 1=b",
    );
    check(
        "epochs further apart than an int",
        &[info("a", GLOBAL, 1_700_000_000_000, 1, &[0]), info("b", GLOBAL, 0, 1, &[0])],
        "global__ 0=a",
    );
    check(
        "each scope on its own, by id",
        &[info("a", GLOBAL, 1, 2, &[0, 1]), info("b", "s", 9, 1, &[0])],
        "global__ 0=a, s 0=b, global__ 1=a",
    );
    check("no bname", &[info("", GLOBAL, 1, 1, &[0])], "global__ 0=-");
    check(
        "no bname hides an older one",
        &[info("a", GLOBAL, 1, 1, &[0]), info("", GLOBAL, 2, 1, &[0])],
        "global__ 0=-",
    );
}

#[test]
fn rule_4_8_of_equal_epochs_the_last_one_of_javas_hash_table_holds_the_queue() {
    let infos = ["ap", "bo"].map(|key| (Name::from(key), info(key, GLOBAL, 1, 1, &[0])));
    let route = TopicRouteData { topic_queue_mapping_by_broker: infos.into(), ..Default::default() };
    // Their hash codes are 3119 and 3149.
    assert_eq!(["ap", "bo"].map(|key| bucket_of_text(key, 2)), [15, 13]);
    assert_eq!(shown(&route), "global__ 0=ap");
}

#[test]
fn a_queue_that_is_not_logical_goes_to_its_own_broker_unless_the_topic_is_static() {
    let queue = MessageQueue { topic: "T".into(), broker_name: "x".into(), queue_id: 0 };
    let route_of = |infos: &[TopicQueueMappingInfo]| physical_broker(&route(infos), &queue);
    assert_eq!(route_of(&[]), Some("x".into()));
    assert_eq!(route_of(&[info("a", GLOBAL, 0, 0, &[0])]), Some("x".into()));
    assert_eq!(route_of(&[info("a", GLOBAL, 0, 1, &[0])]), None);
}

#[test]
fn claims_beyond_the_limit_cost_nothing() {
    let mut infos = vec![info("a", GLOBAL, 0, u32::MAX, &[0, 70_000, i32::MAX])];
    infos.extend((0..25).map(|number| info("b", &format!("s{number}"), 0, 1, &[])));
    let route = route(&infos);
    let endpoints = static_topic_endpoints("T", &route);
    assert_eq!(endpoints.claimed(), u64::from(u32::MAX) + 25);
    assert!(endpoints.is_capped());
    assert_eq!(endpoints.len(), 65_536);
    assert_eq!(endpoints.clone().count(), 65_536);
    assert_eq!(endpoints.last().unwrap().0.queue_id, 65_536 - 26);
}
