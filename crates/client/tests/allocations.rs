//! What a steady query costs in allocations. The number is a promise: it may fall, and then so does the constant.

use std::sync::Arc;

use allocation_counter::measure;
use bytes::BytesMut;
use rocketmq_nameserver::protocol::frame::{self, DEFAULT_MAX_FRAME_SIZE};
use rocketmq_nameserver::{AsyncNameServerClient, TopicRouteData};
use rocketmq_nameserver_testkit::scripted_peer::ScriptedPeer;
use tokio::runtime::{Builder, Runtime};

/// The most that one query may allocate when its connection is there, for a route of 8 broker pairs: to call, to read
/// the answer and to make the route of it. What is behind the point happens only now and then, such as a new buffer to
/// read into.
const MOST_PER_QUERY: f64 = 21.3;

const QUERIES: u64 = 1_000;

/// A real 5.3.3 answer.
const ROUTE_FRAME: &[u8] = include_bytes!("../../testkit/captures/rocketmq-5.3.3-route.frame");

fn captured_body() -> String {
    let mut captured = BytesMut::from(ROUTE_FRAME);
    let frame = frame::cut(&mut captured, DEFAULT_MAX_FRAME_SIZE).unwrap().unwrap();
    String::from_utf8(frame.body.to_vec()).unwrap()
}

/// What reading that body allocates, without any call.
fn reading_alone(body: &str) -> u64 {
    measure(|| drop(TopicRouteData::from_bytes(body.as_bytes()).unwrap())).count_total
}

#[test]
#[expect(clippy::print_stdout, reason = "the number is worth a look when it is better than promised, too")]
fn a_steady_query_of_eight_broker_pairs_allocates_no_more_than_promised() {
    // Only what this thread allocates counts, and the peer lives on others.
    let elsewhere = Runtime::new().unwrap();
    let body: Arc<str> = captured_body().into();
    let reading = reading_alone(&body);
    let peer = elsewhere.block_on(ScriptedPeer::start(move |mut peer| {
        let body = Arc::clone(&body);
        async move {
            while let Some((opaque, _)) = peer.topic().await {
                peer.answer(opaque, &body).await;
            }
        }
    }));
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let client = AsyncNameServerClient::builder().servers(peer.address().to_string()).build().unwrap();
    let ask = |queries: u64| {
        runtime.block_on(async {
            for _ in 0..queries {
                let route = client.query_topic_route_info("T").await.unwrap();
                assert_eq!(route.broker_data_list.len(), 8);
            }
        });
    };
    ask(100);
    let total = measure(|| ask(QUERIES)).count_total;
    let per_query = total as f64 / QUERIES as f64;
    let found = format!("{per_query} allocations per query, {reading} of them to read the route");
    println!("{found}; {MOST_PER_QUERY} are promised");
    assert!(total > reading * QUERIES, "{found}: not everything was counted");
    assert!(per_query <= MOST_PER_QUERY, "{found}: more than the {MOST_PER_QUERY} that are promised");
    assert_eq!(client.stats().servers[0].connects, 1);
}
