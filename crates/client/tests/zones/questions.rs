//! What is asked, how often, and within which limit. Time is paused.

use std::sync::Arc;
use std::time::Duration;

use rocketmq_nameserver::protocol::request::GetRouteInfo;
use rocketmq_nameserver::{AsyncNameServerClient, ErrorKind, Name, NameServerError, RouteCache};
use tokio::time::Instant;

use crate::scripted::{LIMIT, Says, server};

/// What a server says that knows zones and leaves nothing out.
const UNFILTERED: &str = r#"{"brokerDatas":[{"brokerAddrs":{0:"a:1"},"brokerName":"a","cluster":"C","zoneName":"z"},{"brokerAddrs":{0:"b:1"},"brokerName":"b","cluster":"C","zoneName":"y"},{"brokerAddrs":{1:"s:1"},"brokerName":"s","cluster":"C","zoneName":"y"}],"filterServerTable":{"a:1":["f"],"b:1":["f"]},"queueDatas":[{"brokerName":"a","perm":6},{"brokerName":"b","perm":6},{"brokerName":"s","perm":4}]}"#;
const EMPTY: &str = r#"{"brokerDatas":[],"filterServerTable":{},"queueDatas":[]}"#;
const ONLY_Y: &str = r#"{"brokerDatas":[{"brokerAddrs":{0:"b:1"},"brokerName":"b","cluster":"C","zoneName":"y"}],"filterServerTable":{},"queueDatas":[{"brokerName":"b","perm":6}]}"#;
const CLUSTER: &str = r#"{"brokerAddrTable":{},"clusterAddrTable":{}}"#;

const IN_Z: &str = "105 T z true";
const IN_X: &str = "105 T x true";
const ALL: &str = "105 T - -";

#[tokio::test(start_paused = true)]
async fn what_a_server_does_not_leave_out_is_left_out_here() {
    let (client, asked) = server(&[Says::Body(UNFILTERED)]);
    let client = client.zone("Z").build().unwrap();
    let route = client.query_topic_route_info("T").await.unwrap();
    let brokers: Vec<_> = route.broker_data_list.iter().map(|broker| broker.broker_name.as_str()).collect();
    let queues: Vec<_> = route.queue_data_list.iter().map(|queue| queue.broker_name.as_str()).collect();
    let filtered: Vec<_> = route.filter_server_table.keys().map(Name::as_str).collect();
    assert_eq!((brokers, queues, filtered), (vec!["a", "s"], vec!["a", "s"], vec!["a:1"]));
    assert_eq!(*asked.lock().unwrap(), ["105 T Z true"]);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_left_nothing_out_is_not_asked_again() {
    let (client, asked) = server(&[Says::Body(UNFILTERED)]);
    let route = client.zone("x").build().unwrap().query_topic_route_info("T").await.unwrap();
    assert_eq!((route.broker_data_list.len(), route.queue_data_list.len()), (3, 3));
    assert_eq!(asked.lock().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_second_question_names_no_zone_and_its_answer_counts() {
    for (says, outcome) in [
        (&[Says::Body(EMPTY), Says::Body(ONLY_Y)][..], Ok(vec!["b"])),
        // A broker of the zone has come meanwhile.
        (&[Says::Body(EMPTY), Says::Body(UNFILTERED)], Ok(vec!["a", "s"])),
        (&[Says::Body(EMPTY), Says::Body(EMPTY)], Ok(vec![])),
        (&[Says::Body(EMPTY), Says::NotFound], Err(ErrorKind::Response)),
        (&[Says::Body(EMPTY), Says::Body("{]")], Err(ErrorKind::DataParse)),
        (&[Says::Body(EMPTY), Says::Nothing], Err(ErrorKind::Timeout)),
    ] {
        for way in ["single", "batch", "cache"] {
            let (client, asked) = server(says);
            let client = client.zone("z").build().unwrap();
            let route = match way {
                "single" => client.query_topic_route_info("T").await,
                "batch" => client.query_topic_route_infos(["T"]).await.remove(0),
                _ => RouteCache::new(client).get_route("T").await.map(|route| Arc::clone(route.route())),
            };
            let brokers = route.as_ref().map(|route| {
                route.broker_data_list.iter().map(|broker| broker.broker_name.as_str()).collect()
            });
            assert_eq!(brokers.map_err(NameServerError::kind), outcome, "{way}");
            assert_eq!(*asked.lock().unwrap(), [IN_Z, ALL], "{way}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn both_questions_of_a_call_are_within_one_limit() {
    const SAYS: [Says; 2] = [Says::Later(Duration::from_secs(3), EMPTY), Says::Nothing];
    let (client, asked) = server(&SAYS);
    let client = client.zone("z").build().unwrap();
    let started = Instant::now();
    let error = client.query_topic_route_info("T").await.unwrap_err();
    assert_eq!((error.kind(), asked.lock().unwrap().len()), (ErrorKind::Timeout, 2));
    let took = started.elapsed();
    assert!(took >= LIMIT && took < LIMIT + Duration::from_millis(50), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_first_answer_that_cannot_be_read_is_an_error_and_not_a_reason_to_ask_again() {
    for way in ["single", "batch", "cache"] {
        let (client, asked) = server(&[Says::Body("{]"), Says::Body(ONLY_Y)]);
        let client = client.zone("z").build().unwrap();
        let route = match way {
            "single" => client.query_topic_route_info("T").await,
            "batch" => client.query_topic_route_infos(["T"]).await.remove(0),
            _ => RouteCache::new(client).get_route("T").await.map(|route| Arc::clone(route.route())),
        };
        assert_eq!(route.unwrap_err().kind(), ErrorKind::DataParse, "{way}");
        assert_eq!(*asked.lock().unwrap(), [IN_Z], "{way}");
    }
}

#[tokio::test(start_paused = true)]
async fn only_route_queries_of_the_clients_own_name_the_zone() {
    let (client, asked) = server(&[Says::Body(CLUSTER)]);
    let client = client.zone("z").build().unwrap();
    client.get_broker_cluster_info().await.unwrap();
    client.request(&GetRouteInfo::new("T")).await.unwrap();
    assert_eq!(*asked.lock().unwrap(), ["106 - - -", ALL]);
}

#[test]
fn a_blank_zone_is_a_usage_error() {
    for zone in ["", " ", "\t"] {
        let error = AsyncNameServerClient::builder().servers("ns").zone(zone).build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage, "{zone:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn callers_of_a_cache_share_both_questions_in_each_of_its_ways() {
    const SECOND: Duration = Duration::from_secs(1);
    const SAYS: [Says; 4] = [
        Says::Later(SECOND, EMPTY),
        Says::Later(SECOND, UNFILTERED),
        Says::Later(SECOND, EMPTY),
        Says::Later(SECOND, UNFILTERED),
    ];
    // Who refreshes while a question is under way waits for the answer to a later one.
    for (way, questions) in [("get", 2), ("preload", 2), ("refresh", 4)] {
        let (client, asked) = server(&SAYS);
        let cache = RouteCache::new(client.zone("x").build().unwrap());
        let calls = (0..20).map(async |_| match way {
            "get" => cache.get_route("T").await,
            "refresh" => cache.refresh_route("T").await,
            _ => cache.preload(["T", "T"]).await.remove(0),
        });
        for route in futures_util::future::join_all(calls).await {
            assert_eq!(route.unwrap().route().broker_data_list.len(), 3, "{way}");
        }
        assert_eq!(asked.lock().unwrap().len(), questions, "{way}: {asked:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refresh_that_fails_at_its_second_question_leaves_the_route() {
    let (client, asked) =
        server(&[Says::Body(EMPTY), Says::Body(UNFILTERED), Says::Body(EMPTY), Says::Nothing]);
    let cache = RouteCache::new(client.zone("x").build().unwrap());
    assert_eq!(cache.get_route("T").await.unwrap().route().broker_data_list.len(), 3);
    let error = cache.refresh_route("T").await.unwrap_err();
    assert_eq!(
        (error.kind(), &asked.lock().unwrap()[2..4]),
        (ErrorKind::Timeout, &[IN_X, ALL].map(str::to_owned)[..])
    );
    // Not by a call, which would ask anew.
    assert_eq!(cache.peek("T").unwrap().route().broker_data_list.len(), 3);
}
