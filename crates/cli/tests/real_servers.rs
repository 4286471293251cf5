//! The whole way on real RocketMQ 4.9.7 and 5.3.3: a Java NameServer and a Java broker, asked by the async client, the
//! blocking client and nsctl. Then the behaviour suite on the same NameServer.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rocketmq_nameserver::{
    AsyncNameServerClient, BrokerClusterInfo, Name, Perm, SyncNameServerClient, TopicRouteData,
    create_sync_client, publish_queues, subscribe_queues,
};
use rocketmq_nameserver_testkit::behaviour::{self, Target};
use rocketmq_nameserver_testkit::interop::{
    BrokerOptions, InteropError, Jars, RealBroker, RealNameServer, Release, has_tools,
};

/// Starts nsctl; not all that it can do is needed here.
#[allow(dead_code)]
#[path = "serve/process.rs"]
mod process;

use process::{Scratch, Serving};

const TOPIC: &str = "RealTopic";
const AMPLE: Duration = Duration::from_secs(30);

#[test]
fn rocketmq_4_9_7_is_understood_and_passes_the_suite() -> Result<(), InteropError> {
    check(Release::V4_9_7)
}

#[test]
fn rocketmq_5_3_3_is_understood_and_passes_the_suite() -> Result<(), InteropError> {
    check(Release::V5_3_3)
}

fn check(release: Release) -> Result<(), InteropError> {
    if !has_tools() {
        return Ok(());
    }
    let jars = Jars::fetch(release)?;
    let name_server = RealNameServer::start(&jars)?;
    let address = name_server.address();
    let mut broker = RealBroker::start(&jars, address, &BrokerOptions::default())?;
    broker.create_topic(TOPIC, 4, 8, Perm::READ_WRITE)?;
    let truth = Truth {
        namesrv: address.to_string(),
        broker: broker.address().to_string(),
        options: broker.options().clone(),
    };

    let client = create_sync_client("127.0.0.1", address.port(), AMPLE).expect("a good address");
    truth.check_route(&client.query_topic_route_info(TOPIC).expect("the topic is there"));
    truth.check_cluster(&client.get_broker_cluster_info().expect("cluster info"));
    assert_eq!(client.stats().servers[0].version, Some(release.version()));
    client.close().expect("outside of a runtime");
    truth.check_nsctl(release);
    truth.check_recording(&client_of(&truth.namesrv), release);

    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let name_server = Arc::new(Mutex::new(name_server));
    runtime.block_on(async {
        let client =
            AsyncNameServerClient::builder().servers(&*truth.namesrv).build().expect("a good address");
        truth.check_route(&client.query_topic_route_info(TOPIC).await.expect("the topic is there"));
        let restarted = Arc::clone(&name_server);
        let restart = move || {
            let server = Arc::clone(&restarted);
            let restart = move || server.lock().expect("no panic before").restart().expect("it starts again");
            Box::pin(async move { tokio::task::spawn_blocking(restart).await.expect("no panic") }) as _
        };
        behaviour::all(&mut Target { address, restart: Box::new(restart) }).await;
    });

    // The Java broker finds the restarted NameServer by itself, and the same client sees its topic again.
    broker.wait_registered()?;
    let client = create_sync_client("127.0.0.1", address.port(), AMPLE).expect("a good address");
    truth.check_route(&client.query_topic_route_info(TOPIC).expect("the topic is there"));
    broker.stop()?;
    name_server.lock().expect("no panic before").stop()
}

/// Servers of both generations with one broker say the same, and a topic that one of them has lost is told.
#[test]
fn real_servers_of_both_generations_are_compared() -> Result<(), InteropError> {
    if !has_tools() {
        return Ok(());
    }
    let jars = [Jars::fetch(Release::V5_3_3)?, Jars::fetch(Release::V4_9_7)?];
    let (mut ns5, mut ns4) = (RealNameServer::start(&jars[0])?, RealNameServer::start(&jars[1])?);
    let addresses = [ns5.address(), ns4.address()];
    let options = BrokerOptions::default();
    let mut broker = RealBroker::start_at(&jars[0], &addresses, &options)?;
    broker.create_topic(TOPIC, 4, 8, Perm::READ_WRITE)?;
    let namesrv = addresses.map(|address| address.to_string()).join(";");

    // A broker that has just come tells more topics one by one, which is not what this is about.
    let agree = diff(&namesrv, &["--confirm", "60"]);
    assert_eq!(agree.0, Some(0), "{}", agree.1);
    // A 4.x server takes it back with the next changed registration only.
    let lost = create_sync_client("127.0.0.1", ns4.address().port(), AMPLE).expect("a good address");
    assert!(lost.delete_topic_in_namesrv(TOPIC, None).is_complete());
    let disagree = diff(&namesrv, &[]);
    assert_eq!(disagree.0, Some(1), "{}", disagree.1);
    assert!(
        disagree.1.contains(&format!("Topic {TOPIC}\n  {}: topic not found", addresses[1])),
        "{}",
        disagree.1
    );
    broker.stop()?;
    ns4.stop()?;
    let alone = diff(&namesrv, &[]);
    assert_eq!(alone.0, Some(3), "{}", alone.1);
    show(&format!("nsctl diff\n{}\n{}\n{}", agree.1, disagree.1, alone.1));
    ns5.stop()
}

/// The exit code and what is printed.
fn diff(namesrv: &str, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nsctl"));
    let output = command.args(["-n", namesrv, "--timeout", "30s", "diff"]).args(arguments).output();
    let output = output.expect("nsctl runs");
    (output.status.code(), String::from_utf8(output.stdout).expect("UTF-8"))
}

/// What is so, from the settings of the broker and the topic.
struct Truth {
    namesrv: String,
    broker: String,
    options: BrokerOptions,
}

impl Truth {
    fn check_route(&self, route: &TopicRouteData) {
        let [broker] = route.broker_data_list.as_slice() else { panic!("{route:?}") };
        assert_eq!(
            (&*broker.cluster, &*broker.broker_name),
            (&*self.options.cluster, &*self.options.broker_name)
        );
        assert_eq!(broker.broker_addresses.master().map(Name::as_str), Some(&*self.broker));
        let counts = behaviour::queue_counts(route);
        assert_eq!(counts[&*self.options.broker_name], (4, 8, Perm::READ_WRITE));
        assert_eq!((publish_queues(TOPIC, route).count(), subscribe_queues(TOPIC, route).count()), (8, 4));
    }

    fn check_cluster(&self, info: &BrokerClusterInfo) {
        assert_eq!(info.cluster_addr_table[&*self.options.cluster], [&*self.options.broker_name]);
        let group = &info.broker_addr_table[&*self.options.broker_name];
        assert_eq!(group.broker_addresses.master().map(Name::as_str), Some(&*self.broker));
    }

    /// The terminal tells the same; what it prints is shown, for the record.
    fn check_nsctl(&self, release: Release) {
        let route: TopicRouteData =
            serde_json::from_str(&self.nsctl(&["-o", "json", "route", TOPIC])).expect("JSON");
        self.check_route(&route);
        let info: BrokerClusterInfo =
            serde_json::from_str(&self.nsctl(&["-o", "json", "cluster"])).expect("JSON");
        self.check_cluster(&info);
        let (cluster, broker) = (&self.options.cluster, &self.options.broker_name);
        let table = self.nsctl(&["route", TOPIC]);
        let row = format!("{cluster} {broker} RW- 4 8 0={}", self.broker);
        assert_eq!(table.lines().nth(2).map(words), Some(row), "{table}");
        let clusters = self.nsctl(&["cluster"]);
        let row = format!("{cluster} {broker} 0 master {}", self.broker);
        assert_eq!(clusters.lines().nth(2).map(words), Some(row), "{clusters}");
        show(&format!("RocketMQ {release}\n$ nsctl route {TOPIC}\n{table}\n$ nsctl cluster\n{clusters}"));
    }

    /// What nsctl records of it and serves again are the same answers, field by field.
    fn check_recording(&self, client: &SyncNameServerClient, release: Release) {
        let before = told(client);
        let file = Scratch::new(&format!("recorded-{release}.json"), self.nsctl(&["record"]));
        let generation = if release == Release::V4_9_7 { "4" } else { "5" };
        let served = Serving::start(&["--from", file.path(), "--personality", generation]);
        let after = told(&client_of(served.address()));
        assert_eq!(before, after);
        assert!(before.1.len() > 3, "a broker has topics of its own: {:?}", before.1.keys());
        show(&format!("recorded and served again: {} topics", before.1.len()));
    }

    fn nsctl(&self, arguments: &[&str]) -> String {
        let output = Command::new(env!("CARGO_BIN_EXE_nsctl"))
            .args(arguments)
            .env("NAMESRV_ADDR", &self.namesrv)
            .output();
        let output = output.expect("nsctl runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
    }
}

fn client_of(address: &str) -> SyncNameServerClient {
    let port = address.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
    create_sync_client("127.0.0.1", port, AMPLE).expect("a good address")
}

/// The cluster info and every route, its lists in one order.
fn told(client: &SyncNameServerClient) -> (BrokerClusterInfo, BTreeMap<Name, TopicRouteData>) {
    let topics = client.get_all_topic_list().expect("it answers").topic_list;
    let route = |topic: &Name| {
        let mut route = (*client.query_topic_route_info(topic).expect("it is there")).clone();
        route.queue_data_list.sort();
        route.broker_data_list.sort();
        route
    };
    let routes = topics.iter().map(|topic| (topic.clone(), route(topic))).collect();
    (client.get_broker_cluster_info().expect("it answers"), routes)
}

fn words(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[expect(clippy::print_stdout, reason = "a transcript, for the record")]
fn show(text: &str) {
    println!("{text}");
}
