//! What 4.x servers never answer is not sent to them. Their release is learnt from what they answer.

use std::sync::{Arc, Mutex};

use rocketmq_nameserver::protocol::code::{RequestCode, ResponseCode, Version};
use rocketmq_nameserver::protocol::command::Command;
use rocketmq_nameserver::protocol::error::Refusal;
use rocketmq_nameserver::protocol::frame::SerializeType;
use rocketmq_nameserver::protocol::header::ExtFields;
use rocketmq_nameserver::protocol::request::{BrokerHeartbeat, GetBrokerMemberGroup, RegisterTopicInNamesrv};
use rocketmq_nameserver::{AsyncNameServerClient, ErrorKind, Failure, NameServerError, TopicRouteData};
use rocketmq_nameserver_testkit::scripted_peer::PeerConnection;
use tokio::time::Instant;

use crate::peers::{LIMIT, Peers, kinds};

const ROUTE: RequestCode = RequestCode::GET_ROUTEINFO_BY_TOPIC;
const CLUSTER: RequestCode = RequestCode::GET_BROKER_CLUSTER_INFO;
const REGISTER: RequestCode = RequestCode::REGISTER_TOPIC_IN_NAMESRV;
const MEMBERS: RequestCode = RequestCode::GET_BROKER_MEMBER_GROUP;
const HEARTBEAT: RequestCode = RequestCode::BROKER_HEARTBEAT;

/// The release before 5.0.0.
const LAST_4: Version = Version(412);

/// What a server was asked.
type Asked = Arc<Mutex<Vec<RequestCode>>>;

fn asked(codes: &Asked) -> Vec<RequestCode> {
    codes.lock().unwrap().clone()
}

/// A server of a release: no route for any topic, everything else is done, but what is new in 5.0 is passed over by a 4.x one.
async fn serve(mut peer: PeerConnection, version: Version, codes: Asked) {
    while let Some(request) = peer.request().await {
        let (code, opaque) = (RequestCode(request.header.code), request.header.opaque);
        codes.lock().unwrap().push(code);
        let mut answer = match code {
            ROUTE => Refusal::new(ResponseCode::TOPIC_NOT_EXIST, "No topic route info").into_response(opaque),
            REGISTER | MEMBERS | HEARTBEAT if !version.is_5x() => continue,
            MEMBERS => success(opaque, r#"{"brokerMemberGroup":{"brokerAddrs":{0:"a:1"}}}"#),
            _ => success(opaque, "{}"),
        };
        answer.header.version = version;
        peer.send(&answer.to_frame(SerializeType::Json).unwrap()).await;
    }
}

fn success(opaque: i32, body: &'static str) -> Command {
    Command::response(opaque, ResponseCode::SUCCESS, ExtFields::new(), body)
}

impl Peers {
    /// A server of that release; each of its connections leads to the next one of several.
    fn with_release<const N: usize>(self, host: &'static str, versions: [Version; N], codes: &Asked) -> Self {
        let codes = Arc::clone(codes);
        self.with(host, move |peer| {
            let version = versions[peer.number.min(N - 1)];
            serve(peer, version, Arc::clone(&codes))
        })
    }
}

/// Asks what that code is for, of one server.
async fn ask(client: &AsyncNameServerClient, code: RequestCode) -> Result<(), NameServerError> {
    let members = GetBrokerMemberGroup { cluster_name: "c".into(), broker_name: "b".into() };
    let topic = RegisterTopicInNamesrv { topic: "t".into(), route: TopicRouteData::default() };
    match code {
        MEMBERS => client.request(&members).await.map(drop),
        REGISTER => client.request(&topic).await,
        _ => client.request(&BrokerHeartbeat::default()).await,
    }
}

fn check_unsupported(error: &NameServerError, version: Version) {
    assert_eq!(error.kind(), ErrorKind::Response, "{error}");
    assert!(error.is_unsupported() && !error.is_retryable() && error.code().is_none(), "{error}");
    let said = |failure: &Failure| matches!(failure, Failure::Unsupported(found) if *found == version);
    assert!(error.attempts().iter().all(|attempt| said(&attempt.failure)), "{error:?}");
    assert!(error.to_string().contains(&version.to_string()), "{error}");
}

#[tokio::test(start_paused = true)]
async fn the_release_decides_and_is_asked_for_only_if_no_answer_has_said_it() {
    for code in [REGISTER, MEMBERS, HEARTBEAT] {
        for version in [Version::V4_9_7, LAST_4, Version::V5_0_0, Version::V5_3_3] {
            for is_known in [false, true] {
                let codes = Asked::default();
                let client = Peers::default().with_release("a", [version], &codes).client();
                let mut expected = vec![ROUTE];
                if is_known {
                    client.get_broker_cluster_info().await.unwrap();
                    expected = vec![CLUSTER];
                }
                let started = Instant::now();
                for _ in 0..2 {
                    match ask(&client, code).await {
                        Ok(()) => assert!(version.is_5x()),
                        Err(error) => check_unsupported(&error, version),
                    }
                    expected.extend(version.is_5x().then_some(code));
                }
                assert_eq!(asked(&codes), expected, "{code} to {version}, known: {is_known}");
                assert!(started.elapsed().is_zero(), "nobody waits for silence");
                let stats = client.stats();
                assert_eq!((stats.errors(), stats.servers[0].version), (0, Some(version)));
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn another_connection_may_lead_to_another_release() {
    let codes = Asked::default();
    let (old, new) = (Version::V4_9_7, Version::V5_3_3);
    let client = Peers::default().with_release("a", [old, new, old], &codes).client();
    check_unsupported(&ask(&client, HEARTBEAT).await.unwrap_err(), old);
    client.disconnect().await;
    // This one has said nothing yet.
    client.connect().await.unwrap();
    ask(&client, HEARTBEAT).await.unwrap();
    client.disconnect().await;
    check_unsupported(&ask(&client, HEARTBEAT).await.unwrap_err(), old);
    assert_eq!(asked(&codes), [ROUTE, ROUTE, HEARTBEAT, ROUTE]);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_takes_over_from_a_lost_one_is_asked_for_its_release_again() {
    let codes = Asked::default();
    let counted = Arc::clone(&codes);
    // The first connection is to a new server and dies when it is asked for members; the next is to an old one.
    let peers = Peers::default().with("a", move |mut peer| {
        let codes = Arc::clone(&counted);
        async move {
            if peer.number > 0 {
                return serve(peer, Version::V4_9_7, codes).await;
            }
            while let Some(request) = peer.request().await {
                codes.lock().unwrap().push(RequestCode(request.header.code));
                if RequestCode(request.header.code) == MEMBERS {
                    return;
                }
                let mut answer = success(request.header.opaque, "{}");
                answer.header.version = Version::V5_3_3;
                peer.send(&answer.to_frame(SerializeType::Json).unwrap()).await;
            }
        }
    });
    let client = peers.client();
    client.get_broker_cluster_info().await.unwrap();
    assert!(ask(&client, MEMBERS).await.unwrap_err().is_unsupported());
    assert_eq!(asked(&codes), [RequestCode::GET_BROKER_CLUSTER_INFO, MEMBERS, ROUTE]);
}

#[tokio::test(start_paused = true)]
async fn a_read_goes_to_a_server_that_answers_it_and_the_other_stays_in_use() {
    let (old, new) = (Asked::default(), Asked::default());
    let client = Peers::default()
        .with_release("a-old", [Version::V4_9_7], &old)
        .with_release("b-new", [Version::V5_3_3], &new)
        .client();
    for _ in 0..2 {
        ask(&client, MEMBERS).await.unwrap();
    }
    client.get_broker_cluster_info().await.unwrap();
    assert_eq!(asked(&old), [ROUTE, CLUSTER], "it answers everything else");
    assert_eq!(asked(&new), [ROUTE, MEMBERS, MEMBERS]);
}

#[tokio::test(start_paused = true)]
async fn of_a_write_each_server_has_its_own_result() {
    let (old, new) = (Asked::default(), Asked::default());
    let client = Peers::default()
        .with_release("a-old", [Version::V4_9_7], &old)
        .with_release("b-new", [Version::V5_3_3], &new)
        .with_none_at("c-down")
        .client();
    let results = client.request_every(&BrokerHeartbeat::default()).await;
    assert_eq!(
        kinds(&results),
        [
            ("a-old:9876", Some(ErrorKind::Response)),
            ("b-new:9876", None),
            ("c-down:9876", Some(ErrorKind::Connection))
        ]
    );
    check_unsupported(results.failed().next().unwrap().1, Version::V4_9_7);
    assert_eq!((asked(&old), asked(&new)), (vec![ROUTE], vec![ROUTE, HEARTBEAT]));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_say_its_release_is_a_timeout_of_the_one_call() {
    let client = Peers::default().with("a", |mut peer| async move { peer.swallow().await }).client();
    let started = Instant::now();
    let error = ask(&client, HEARTBEAT).await.unwrap_err();
    assert_eq!((error.kind(), started.elapsed().as_secs()), (ErrorKind::Timeout, LIMIT.as_secs()));
    assert_eq!(client.stats().requests(), 1, "the heartbeat itself was not sent");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_goes_away_when_it_is_asked_for_its_release_is_asked_again() {
    let codes = Asked::default();
    let seen = Arc::clone(&codes);
    let client = Peers::default()
        .with("a", move |mut peer| {
            let seen = Arc::clone(&seen);
            async move {
                if peer.number == 0 {
                    let request = peer.request().await.unwrap();
                    peer.refuse(request.header.opaque, ResponseCode::GO_AWAY, "go away").await;
                    return peer.swallow().await;
                }
                serve(peer, Version::V5_3_3, seen).await;
            }
        })
        .client();
    ask(&client, HEARTBEAT).await.unwrap();
    assert_eq!(asked(&codes), [ROUTE, HEARTBEAT]);
}
