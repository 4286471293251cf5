//! Every method for operators and brokers sends what it should and reads its answer, async and blocking.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rocketmq_nameserver::protocol::code::{RequestCode, ResponseCode};
use rocketmq_nameserver::protocol::command::Command;
use rocketmq_nameserver::protocol::frame::SerializeType;
use rocketmq_nameserver::protocol::header::ExtFields;
use rocketmq_nameserver::{
    AsyncNameServerClient, BrokerHeartbeat, BrokerMemberGroup, DataVersion, KvTable, Name, NameServerError,
    NamesrvConfig, PerServer, Perm, QueryDataVersion, QueryDataVersionResult, QueueData, RegisterBroker,
    RegisterBrokerBody, RegisterBrokerResult, Result, ServerAddress, Stream, TopicConfig, TopicList,
    TopicRouteData, UnregisterBroker,
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
                // What is asked to learn the release.
                if request.header.code != RequestCode::GET_ROUTEINFO_BY_TOPIC.0 {
                    seen.lock().unwrap().push(sent(&request));
                }
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
    fn failed(self) -> NameServerError;
}

impl<T> Answered for Result<T> {
    type Value = T;

    fn answered(self) -> T {
        self.unwrap()
    }

    fn failed(self) -> NameServerError {
        self.err().unwrap()
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

    fn failed(self) -> NameServerError {
        self.error().unwrap()
    }
}

async fn refuse(_: ServerAddress) -> io::Result<Box<dyn Stream>> {
    Err(io::ErrorKind::ConnectionRefused.into())
}

/// Each method is called on both clients, and once where nobody listens. Reads: what cannot be done then; code, fields and
/// body of the request; fields and body of the answer, and what becomes of it.
macro_rules! methods {
    ($($method:ident($($argument:expr),*) => $words:literal:
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
            let nobody = AsyncNameServerClient::builder().servers("nobody").connector(refuse).build().unwrap();
            let said = runtime.block_on(nobody.$method($($argument),*)).failed().to_string();
            assert!(said.starts_with(concat!("cannot ", $words, ": nobody:9876 [connect, ")), "{said}");
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

fn asking() -> QueryDataVersion {
    let UnregisterBroker { cluster_name, broker_name, broker_addr, broker_id } = leaving();
    let data_version = DataVersion { counter: 2, state_version: 0, timestamp: 5 };
    QueryDataVersion { cluster_name, broker_name, broker_addr, broker_id, data_version }
}

fn living() -> BrokerHeartbeat {
    let UnregisterBroker { cluster_name, broker_name, broker_addr, .. } = leaving();
    BrokerHeartbeat {
        cluster_name,
        broker_name,
        broker_addr,
        broker_id: Some(1),
        ..BrokerHeartbeat::default()
    }
}

fn queues() -> QueueData {
    QueueData { broker_name: Name::from("broker-a"), perm: Perm::READ_WRITE, ..QueueData::default() }
}

fn route() -> TopicRouteData {
    TopicRouteData { queue_data_list: vec![queues()], ..TopicRouteData::default() }
}

methods! {
    put_kv_config("ORDER_TOPIC_CONFIG", "orders", "broker-a:4") => "put KV config \"orders\" of namespace \"ORDER_TOPIC_CONFIG\"":
        PUT_KV_CONFIG {"namespace": "ORDER_TOPIC_CONFIG", "key": "orders", "value": "broker-a:4"} nothing(),
        {} "" => ();
    get_kv_config("n", "k") => "get KV config \"k\" of namespace \"n\"":
        GET_KV_CONFIG {"namespace": "n", "key": "k"} nothing(),
        {"value": "v"} "" => Name::from("v");
    delete_kv_config("n", "k") => "delete KV config \"k\" of namespace \"n\"":
        DELETE_KV_CONFIG {"namespace": "n", "key": "k"} nothing(),
        {} "" => ();
    get_kv_list_by_namespace("n") => "get the KV configs of namespace \"n\"":
        GET_KVLIST_BY_NAMESPACE {"namespace": "n"} nothing(),
        {} r#"{"table":{"k":"v"}}"# => KvTable { table: BTreeMap::from([(Name::from("k"), Name::from("v"))]) };
    register_broker(&broker()) => "register broker \"broker-a\"":
        REGISTER_BROKER {
            "brokerAddr": "10.0.0.1:10911", "brokerId": "0", "brokerName": "broker-a", "clusterName": "c",
            "haServerAddr": "10.0.0.1:10911", "enableActingMaster": "false", "compressed": "false",
            "bodyCrc32": crc32(&broker())
        } String::from_utf8(broker().body.to_bytes()).unwrap(),
        {"haServerAddr": "10.0.0.2:10912", "masterAddr": "10.0.0.2:10911"}
        r#"{"table":{"orders":"broker-a:4"}}"# => registered();
    unregister_broker(&leaving()) => "unregister broker \"broker-a\"":
        UNREGISTER_BROKER {
            "brokerAddr": "10.0.0.1:10911", "brokerId": "0", "brokerName": "broker-a", "clusterName": "c"
        } nothing(),
        {} "" => ();
    wipe_write_perm_of_broker("broker-a") => "wipe the write permission of broker \"broker-a\"":
        WIPE_WRITE_PERM_OF_BROKER {"brokerName": "broker-a"} nothing(),
        {"wipeTopicCount": "7"} "" => 7;
    add_write_perm_of_broker("broker-a") => "add the write permission of broker \"broker-a\"":
        ADD_WRITE_PERM_OF_BROKER {"brokerName": "broker-a"} nothing(),
        {"addTopicCount": "0"} "" => 0;
    query_data_version(&asking()) => "query the data version of broker \"broker-a\"":
        QUERY_DATA_VERSION {
            "brokerAddr": "10.0.0.1:10911", "brokerId": "0", "brokerName": "broker-a", "clusterName": "c"
        } r#"{"counter":2,"stateVersion":0,"timestamp":5}"#.to_owned(),
        {"changed": "true"} r#"{"counter":1,"stateVersion":0,"timestamp":4}"# => QueryDataVersionResult {
            changed: true,
            data_version: Some(DataVersion { counter: 1, state_version: 0, timestamp: 4 }),
        };
    get_broker_member_group("c", "broker-a") => "get the members of broker group \"broker-a\"":
        GET_BROKER_MEMBER_GROUP {"brokerName": "broker-a", "clusterName": "c"} nothing(),
        {} r#"{"brokerMemberGroup":{"brokerAddrs":{0:"a:1",1:"b:2"},"brokerName":"broker-a","cluster":"c"}}"# =>
        BrokerMemberGroup {
            broker_addresses: [(0, "a:1"), (1, "b:2")].into_iter().collect(),
            broker_name: Name::from("broker-a"),
            cluster: Name::from("c"),
        };
    broker_heartbeat(&living()) => "send the heartbeat of broker \"broker-a\"":
        BROKER_HEARTBEAT {
            "brokerAddr": "10.0.0.1:10911", "brokerName": "broker-a", "clusterName": "c", "brokerId": "1"
        } nothing(),
        {} "" => ();
    get_all_topic_list() => "get the list of all topics":
        GET_ALL_TOPIC_LIST_FROM_NAMESERVER {} nothing(),
        {} TOPICS => topics(&["orders", "付款"]);
    delete_topic_in_namesrv("orders", Some("c")) => "delete topic \"orders\"":
        DELETE_TOPIC_IN_NAMESRV {"topic": "orders", "clusterName": "c"} nothing(),
        {} "" => ();
    register_topic_in_namesrv("orders", vec![queues()]) => "register topic \"orders\"":
        REGISTER_TOPIC_IN_NAMESRV {"topic": "orders"} String::from_utf8(route().to_bytes()).unwrap(),
        {} "" => ();
    update_namesrv_config([("orderMessageEnable", "true"), ("productEnvName", "中")].into_iter().collect()) => "update the NameServer's configuration":
        UPDATE_NAMESRV_CONFIG {} "orderMessageEnable=true\nproductEnvName=\\u4E2D\n".to_owned(),
        {} "" => ();
    get_namesrv_config() => "get the NameServer's configuration":
        GET_NAMESRV_CONFIG {} nothing(),
        {} "listenPort=9876\nrocketmqHome=C:\\rocketmq\n" =>
        [("listenPort", "9876"), ("rocketmqHome", r"C:\rocketmq")].into_iter().collect::<NamesrvConfig>();
    get_topics_by_cluster("c") => "get the topics of cluster \"c\"":
        GET_TOPICS_BY_CLUSTER {"cluster": "c"} nothing(),
        {} TOPICS => topics(&["orders", "付款"]);
    get_system_topic_list() => "get the system topics":
        GET_SYSTEM_TOPIC_LIST_FROM_NS {} nothing(),
        {} r#"{"brokerAddr":"10.0.0.1:10911","topicList":["c","broker-a"]}"# =>
        TopicList { broker_addr: Some(Name::from("10.0.0.1:10911")), ..topics(&["c", "broker-a"]) };
    get_unit_topic_list() => "get the unit topics":
        GET_UNIT_TOPIC_LIST {} nothing(),
        {} TOPICS => topics(&["orders", "付款"]);
    get_has_unit_sub_topic_list() => "get the topics with unit subscriptions":
        GET_HAS_UNIT_SUB_TOPIC_LIST {} nothing(),
        {} TOPICS => topics(&["orders", "付款"]);
    get_has_unit_sub_ununit_topic_list() => "get the topics with unit subscriptions and without unit":
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
