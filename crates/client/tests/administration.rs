//! Every method for operators and brokers sends what it should and reads its answer, async and blocking.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rocketmq_nameserver::protocol::code::{RequestCode, ResponseCode};
use rocketmq_nameserver::protocol::command::Command;
use rocketmq_nameserver::protocol::frame::SerializeType;
use rocketmq_nameserver::protocol::header::ExtFields;
use rocketmq_nameserver::{
    AsyncNameServerClient, DataVersion, KvTable, Name, PerServer, Perm, RegisterBroker, RegisterBrokerBody,
    RegisterBrokerResult, Result, TopicConfig, TopicList, UnregisterBroker,
};
use rocketmq_nameserver_testkit::scripted_peer::ScriptedPeer;
use tokio::runtime::Runtime;

/// No call here needs a tenth of this; it only bounds a test that would hang.
const AMPLE: Duration = Duration::from_secs(30);

type Fields = BTreeMap<&'static str, &'static str>;

/// Code, fields and body of a request.
type Sent = (i32, BTreeMap<String, String>, String);

fn sent(request: &Command) -> Sent {
    let fields = request.header.ext_fields.iter().map(|(key, value)| (key.to_string(), value.to_string()));
    let body = String::from_utf8(request.body.to_vec()).unwrap();
    (request.header.code, fields.collect(), body)
}

/// A peer that gives the same answer to everything, and what it was asked.
async fn peer(fields: Fields, body: &'static str) -> (ScriptedPeer, Arc<Mutex<Vec<Sent>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&asked);
    let peer = ScriptedPeer::start(move |mut peer| {
        let (seen, fields) = (Arc::clone(&seen), fields.clone());
        async move {
            while let Some(request) = peer.request().await {
                seen.lock().unwrap().push(sent(&request));
                let mut ext_fields = ExtFields::new();
                for (key, value) in &fields {
                    ext_fields.set(Name::from(*key), Name::from(*value));
                }
                let answer =
                    Command::response(request.header.opaque, ResponseCode::SUCCESS, ext_fields, body);
                peer.send(&answer.to_frame(SerializeType::Json).unwrap()).await;
            }
        }
    })
    .await;
    (peer, asked)
}

/// What the only server answered.
trait Answered {
    type Value;
    fn answered(self) -> Self::Value;
}

impl<T> Answered for Result<T> {
    type Value = T;

    fn answered(self) -> T {
        self.unwrap()
    }
}

impl<T> Answered for PerServer<T> {
    type Value = T;

    fn answered(self) -> T {
        assert!(self.is_complete());
        let mut answers = self.into_result().unwrap();
        assert_eq!(answers.len(), 1);
        answers.remove(0).1
    }
}

/// Each method is called on both clients. Reads: code, fields and body of the request, fields and body of the answer, and
/// what becomes of it.
macro_rules! methods {
    ($($method:ident($($argument:expr),*):
        $code:ident {$($key:literal: $value:expr),*} $body:expr,
        {$($answer_key:literal: $answer_value:literal),*} $answer_body:expr => $expected:expr;
    )*) => {
        $(#[test]
        fn $method() {
            let runtime = Runtime::new().unwrap();
            let answer_fields = Fields::from([$(($answer_key, $answer_value)),*]);
            let (peer, asked) = runtime.block_on(peer(answer_fields, $answer_body));
            let builder = AsyncNameServerClient::builder().servers(peer.address().to_string()).timeout(AMPLE);
            let client = builder.clone().build().unwrap();
            assert_eq!(runtime.block_on(client.$method($($argument),*)).answered(), $expected);
            assert_eq!(builder.build_sync().unwrap().$method($($argument),*).answered(), $expected);
            let fields = BTreeMap::from([$(($key.to_owned(), $value.to_owned())),*]);
            let request = (RequestCode::$code.0, fields, $body);
            assert_eq!(*asked.lock().unwrap(), [request.clone(), request]);
        })*
    };
}

fn nothing() -> String {
    String::new()
}

fn topics(names: &[&'static str]) -> TopicList {
    TopicList { topic_list: names.iter().map(|name| Name::from(*name)).collect(), broker_addr: None }
}

const TOPICS: &str = r#"{"topicList":["orders","付款"]}"#;

fn broker() -> RegisterBroker {
    let topics = ["a", "b"].map(|topic| TopicConfig::new(topic, 4, Perm::READ_WRITE));
    let version = DataVersion { counter: 1, state_version: 0, timestamp: 1_700_000_000_000 };
    RegisterBroker::new("c", "broker-a", 0, "10.0.0.1:10911", RegisterBrokerBody::new(version, topics))
}

fn crc32(broker: &RegisterBroker) -> String {
    use rocketmq_nameserver::protocol::request::Request;
    broker.to_command().header.ext_fields.get("bodyCrc32").unwrap().to_string()
}

fn registered() -> RegisterBrokerResult {
    RegisterBrokerResult {
        ha_server_addr: Some(Name::from("10.0.0.2:10912")),
        master_addr: Some(Name::from("10.0.0.2:10911")),
        kv_table: Some(BTreeMap::from([(Name::from("orders"), Name::from("broker-a:4"))])),
    }
}

fn leaving() -> UnregisterBroker {
    UnregisterBroker {
        cluster_name: Name::from("c"),
        broker_name: Name::from("broker-a"),
        broker_addr: Name::from("10.0.0.1:10911"),
        broker_id: 0,
    }
}

methods! {
    put_kv_config("ORDER_TOPIC_CONFIG", "orders", "broker-a:4"):
        PUT_KV_CONFIG {"namespace": "ORDER_TOPIC_CONFIG", "key": "orders", "value": "broker-a:4"} nothing(),
        {} "" => ();
    get_kv_config("n", "k"):
        GET_KV_CONFIG {"namespace": "n", "key": "k"} nothing(),
        {"value": "v"} "" => Name::from("v");
    delete_kv_config("n", "k"):
        DELETE_KV_CONFIG {"namespace": "n", "key": "k"} nothing(),
        {} "" => ();
    get_kv_list_by_namespace("n"):
        GET_KVLIST_BY_NAMESPACE {"namespace": "n"} nothing(),
        {} r#"{"table":{"k":"v"}}"# => KvTable { table: BTreeMap::from([(Name::from("k"), Name::from("v"))]) };
    register_broker(&broker()):
        REGISTER_BROKER {
            "brokerAddr": "10.0.0.1:10911", "brokerId": "0", "brokerName": "broker-a", "clusterName": "c",
            "haServerAddr": "10.0.0.1:10911", "enableActingMaster": "false", "compressed": "false",
            "bodyCrc32": crc32(&broker())
        } String::from_utf8(broker().body.to_bytes()).unwrap(),
        {"haServerAddr": "10.0.0.2:10912", "masterAddr": "10.0.0.2:10911"}
        r#"{"table":{"orders":"broker-a:4"}}"# => registered();
    unregister_broker(&leaving()):
        UNREGISTER_BROKER {
            "brokerAddr": "10.0.0.1:10911", "brokerId": "0", "brokerName": "broker-a", "clusterName": "c"
        } nothing(),
        {} "" => ();
    wipe_write_perm_of_broker("broker-a"):
        WIPE_WRITE_PERM_OF_BROKER {"brokerName": "broker-a"} nothing(),
        {"wipeTopicCount": "7"} "" => 7;
    add_write_perm_of_broker("broker-a"):
        ADD_WRITE_PERM_OF_BROKER {"brokerName": "broker-a"} nothing(),
        {"addTopicCount": "0"} "" => 0;
    get_all_topic_list():
        GET_ALL_TOPIC_LIST_FROM_NAMESERVER {} nothing(),
        {} TOPICS => topics(&["orders", "付款"]);
    delete_topic_in_namesrv("orders", Some("c")):
        DELETE_TOPIC_IN_NAMESRV {"topic": "orders", "clusterName": "c"} nothing(),
        {} "" => ();
    get_topics_by_cluster("c"):
        GET_TOPICS_BY_CLUSTER {"cluster": "c"} nothing(),
        {} TOPICS => topics(&["orders", "付款"]);
    get_system_topic_list():
        GET_SYSTEM_TOPIC_LIST_FROM_NS {} nothing(),
        {} r#"{"brokerAddr":"10.0.0.1:10911","topicList":["c","broker-a"]}"# =>
        TopicList { broker_addr: Some(Name::from("10.0.0.1:10911")), ..topics(&["c", "broker-a"]) };
    get_unit_topic_list():
        GET_UNIT_TOPIC_LIST {} nothing(),
        {} TOPICS => topics(&["orders", "付款"]);
    get_has_unit_sub_topic_list():
        GET_HAS_UNIT_SUB_TOPIC_LIST {} nothing(),
        {} TOPICS => topics(&["orders", "付款"]);
    get_has_unit_sub_ununit_topic_list():
        GET_HAS_UNIT_SUB_UNUNIT_TOPIC_LIST {} nothing(),
        {} r#"{"topicList":[]}"# => topics(&[]);
}

#[tokio::test]
async fn a_topic_is_deleted_from_all_clusters_if_none_is_named() {
    let (peer, asked) = peer(Fields::new(), "").await;
    let client = AsyncNameServerClient::builder().servers(peer.address().to_string()).build().unwrap();
    client.delete_topic_in_namesrv("orders", None).await.answered();
    assert_eq!(asked.lock().unwrap()[0].1, BTreeMap::from([("topic".to_owned(), "orders".to_owned())]));
}
