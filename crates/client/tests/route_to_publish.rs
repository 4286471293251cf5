//! Where messages of a topic go that may not exist yet (`docs/wire.md` §4.5): the same by each of the four clients.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rocketmq_nameserver::protocol::code::ResponseCode;
use rocketmq_nameserver::{
    AsyncNameServerClient, DEFAULT_TOPIC_QUEUE_NUMS, ErrorKind, Result, RouteCache, RouteToPublish,
    SyncNameServerClient, SyncRouteCache, publish_queues,
};
use rocketmq_nameserver_testkit::scripted_peer::{PeerConnection, ScriptedPeer, in_memory};
use tokio::runtime::Runtime;

/// No call here needs a tenth of this; it only bounds a test that would hang.
const AMPLE: Duration = Duration::from_secs(30);

/// What a server says to a query.
#[derive(Clone, Copy)]
enum Says {
    /// One broker with that permission and 8 queues.
    Perm(u8),
    Missing,
    Garbage,
}

use Says::{Garbage, Missing, Perm};

/// What a call led to.
#[derive(Debug, PartialEq)]
enum Led {
    /// How many queues to publish to, and whether they are those of the other topic.
    Queues(usize, bool),
    /// The error's kind, and the topic that it is about.
    Failed(ErrorKind, String),
}

use Led::{Failed, Queues};

fn led(result: Result<RouteToPublish>) -> Led {
    match result {
        Ok(route) => Queues(publish_queues("orders", &route).count(), route.is_default),
        Err(error) => Failed(error.kind(), error.topic().unwrap_or_default().to_owned()),
    }
}

/// One of the four clients' calls.
type Call<'a> = Box<dyn Fn(AsyncNameServerClient, SyncNameServerClient) -> Result<RouteToPublish> + 'a>;

async fn answer(peer: &mut PeerConnection, opaque: i32, says: Says) {
    match says {
        Perm(perm) => {
            let broker = r#"{"brokerAddrs":{0:"h:1"},"brokerName":"a","cluster":"C"}"#;
            let queues = r#""readQueueNums":8,"writeQueueNums":8"#;
            let queue = format!(r#"{{"brokerName":"a","perm":{perm},{queues}}}"#);
            peer.answer(opaque, &format!(r#"{{"brokerDatas":[{broker}],"queueDatas":[{queue}]}}"#)).await;
        }
        Missing => peer.refuse(opaque, ResponseCode::TOPIC_NOT_EXIST, "No topic route info").await,
        Garbage => peer.answer(opaque, "{]").await,
    }
}

/// A server that says the first to all topics but `TBW102`, and what it was asked.
async fn peer(orders: Says, tbw102: Says) -> (ScriptedPeer, Arc<Mutex<Vec<String>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&asked);
    let peer = ScriptedPeer::start(move |mut peer| {
        let seen = Arc::clone(&seen);
        async move {
            while let Some((opaque, topic)) = peer.topic().await {
                let says = if topic == "TBW102" { tbw102 } else { orders };
                seen.lock().unwrap().push(topic);
                answer(&mut peer, opaque, says).await;
            }
        }
    })
    .await;
    (peer, asked)
}

#[test]
fn rule_4_5_a_topic_that_no_server_knows_is_published_by_the_default_topic() {
    let runtime = Runtime::new().unwrap();
    let not_found = |topic: &str| Failed(ErrorKind::Response, topic.to_owned());
    for (name, topic, orders, tbw102, expected, questions) in [
        ("its own route", "orders", Perm(6), Perm(7), Queues(8, false), &["orders"][..]),
        (
            "its own route without queues to publish to",
            "orders",
            Perm(4),
            Perm(7),
            Queues(0, false),
            &["orders"],
        ),
        ("missing", "orders", Missing, Perm(7), Queues(4, true), &["orders", "TBW102"]),
        ("missing, as the other one", "orders", Missing, Missing, not_found("orders"), &["orders", "TBW102"]),
        (
            "missing, and the other one cannot be read",
            "orders",
            Missing,
            Garbage,
            Failed(ErrorKind::DataParse, "TBW102".to_owned()),
            &["orders", "TBW102"],
        ),
        (
            "other failures",
            "orders",
            Garbage,
            Perm(7),
            Failed(ErrorKind::DataParse, "orders".to_owned()),
            &["orders"],
        ),
        ("the default topic itself", "TBW102", Missing, Perm(7), Queues(8, false), &["TBW102"]),
        ("the default topic itself, missing", "TBW102", Missing, Missing, not_found("TBW102"), &["TBW102"]),
    ] {
        let n = DEFAULT_TOPIC_QUEUE_NUMS;
        let calls: [(&str, Call<'_>); 4] = [
            ("async", Box::new(|client, _| runtime.block_on(client.route_to_publish(topic, n)))),
            ("sync", Box::new(|_, client| client.route_to_publish(topic, n))),
            (
                "cache",
                Box::new(|client, _| {
                    runtime.block_on(async { RouteCache::new(client).route_to_publish(topic, n).await })
                }),
            ),
            ("sync cache", Box::new(|_, client| SyncRouteCache::of(&client).route_to_publish(topic, n))),
        ];
        for (client, call) in calls {
            let (peer, asked) = runtime.block_on(peer(orders, tbw102));
            let builder = AsyncNameServerClient::builder().servers(peer.address().to_string()).timeout(AMPLE);
            let clients = (builder.clone().build().unwrap(), builder.build_sync().unwrap());
            assert_eq!(led(call(clients.0, clients.1)), expected, "{name}, {client}");
            let asked = asked.lock().unwrap();
            assert!(
                asked.iter().filter(|topic| !topic.is_empty()).eq(questions),
                "{name}, {client}: {asked:?}"
            );
        }
    }
}

#[test]
fn rule_4_5_both_routes_come_out_of_the_cache() {
    let runtime = Runtime::new().unwrap();
    let (peer, asked) = runtime.block_on(peer(Missing, Perm(7)));
    runtime.block_on(async {
        let client = AsyncNameServerClient::builder().servers(peer.address().to_string()).timeout(AMPLE);
        let cache = RouteCache::builder(client.build().unwrap()).negative_ttl(AMPLE).build().unwrap();
        for nums in [4, 2, 16] {
            let route = cache.route_to_publish("orders", nums).await.unwrap();
            let expected = nums.min(8) as usize;
            assert_eq!((publish_queues("orders", &route).count(), route.is_default), (expected, true));
        }
    });
    assert_eq!(*asked.lock().unwrap(), ["orders", "TBW102"]);
}

/// A server in memory that says what it is told to, and how often it was asked for each topic.
#[derive(Clone, Default)]
struct Told {
    says: Arc<Mutex<Option<(Says, Says)>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Told {
    fn cache(&self) -> RouteCache {
        let told = self.clone();
        let open = in_memory(move |mut peer| {
            let told = told.clone();
            async move {
                while let Some((opaque, topic)) = peer.topic().await {
                    told.asked.lock().unwrap().push(topic.clone());
                    let says = *told.says.lock().unwrap();
                    // A server that is down closes its connections.
                    let Some((orders, tbw102)) = says else { return };
                    answer(&mut peer, opaque, if topic == "TBW102" { tbw102 } else { orders }).await;
                }
            }
        });
        RouteCache::new(AsyncNameServerClient::builder().servers("ns").connector(open).build().unwrap())
    }

    fn says(&self, says: Option<(Says, Says)>) {
        *self.says.lock().unwrap() = says;
    }
}

#[tokio::test(start_paused = true)]
async fn rule_4_5_the_cache_publishes_by_what_it_knows_while_the_server_is_down() {
    let n = DEFAULT_TOPIC_QUEUE_NUMS;
    let down = || Failed(ErrorKind::Connection, "orders".to_owned());
    let told = Told::default();
    let cache = told.cache();
    let publish = async || led(cache.route_to_publish("orders", n).await);
    assert_eq!(publish().await, down(), "nothing is known");

    told.says(Some((Missing, Perm(7))));
    assert_eq!(publish().await, Queues(4, true));
    told.says(None);
    assert_eq!(publish().await, Queues(4, true), "missing a moment ago");
    tokio::time::advance(Duration::from_secs(4)).await;
    // It may have been created meanwhile, on other brokers than those of the default topic.
    assert_eq!(publish().await, down(), "missing too long ago to be believed");

    told.says(Some((Perm(6), Perm(7))));
    assert_eq!(publish().await, Queues(8, false), "the topic was created");
    told.says(None);
    tokio::time::advance(Duration::from_secs(600)).await;
    assert_eq!(publish().await, Queues(8, false), "stale");

    // One server's word does not take a route that is known.
    told.says(Some((Missing, Perm(7))));
    let _refused = cache.refresh_route("orders").await.unwrap_err();
    assert_eq!(publish().await, Queues(8, false), "a server that was restarted");
    tokio::time::advance(Duration::from_secs(7200)).await;
    assert_eq!(publish().await, Queues(4, true), "deleted long ago");
}

#[tokio::test(start_paused = true)]
async fn many_who_publish_a_missing_topic_ask_for_each_of_both_once() {
    let told = Told::default();
    told.says(Some((Missing, Perm(7))));
    let cache = told.cache();
    let calls = (0..50).map(|_| cache.route_to_publish("orders", 4));
    for route in futures_util::future::join_all(calls).await {
        assert_eq!(led(route), Queues(4, true));
    }
    assert_eq!(*told.asked.lock().unwrap(), ["orders", "TBW102"]);
}
