//! Over real sockets.

use std::io;

use rocketmq_nameserver_protocol::code::RequestCode;
use rocketmq_nameserver_protocol::command::Command;
use rocketmq_nameserver_protocol::frame::SerializeType;
use rocketmq_nameserver_protocol::header::{ExtFields, RESPONSE_FLAG};
use rocketmq_nameserver_protocol::model::{DataVersion, Name, Perm, RegisterBrokerBody, TopicConfig};
use rocketmq_nameserver_protocol::request::{
    GetBrokerClusterInfo, GetRouteInfo, RegisterBroker, Request, UnregisterBroker,
};
use rocketmq_nameserver_server::{NameServer, NameServerHandle, Personality};
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::time::timeout;

use crate::peer::{LIMIT, Peer, broker};

async fn start() -> NameServerHandle {
    let server = NameServer::builder().listen("127.0.0.1:0");
    server.start().await.expect("a free port")
}

/// Lets the others run until that holds.
async fn until(what: &str, holds: impl Fn() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::task::yield_now().await;
        }
    };
    timeout(LIMIT, waiting).await.unwrap_or_else(|_| panic!("not in time: {what}"));
}

fn query(topic: &str, opaque: i32) -> Command {
    let mut command = GetRouteInfo::new(topic).to_command();
    command.header.opaque = opaque;
    command
}

#[tokio::test]
async fn a_broker_is_there_as_long_as_its_connection() {
    let server = start().await;
    let mut registered = Peer::connect(server.address()).await;
    let mut client = Peer::connect(server.address()).await;
    assert!(!client.knows("a-1").await);

    registered.call(&broker("a")).await.unwrap();
    let route = client.call(&GetRouteInfo::new("a-1")).await.unwrap();
    assert_eq!(route.broker("a").unwrap().broker_addresses.master().unwrap(), "a:10911");
    let info = client.call(&GetBrokerClusterInfo).await.unwrap();
    assert_eq!(info.cluster_addr_table["c"], ["a"]);

    drop(registered);
    client.forgotten("a-1").await;
    let info = client.call(&GetBrokerClusterInfo).await.unwrap();
    assert!(info.broker_addr_table.is_empty() && info.cluster_addr_table.is_empty());
}

#[tokio::test]
async fn all_brokers_of_a_connection_go_with_it_but_those_that_came_again_elsewhere() {
    let server = start().await;
    let mut first = Peer::connect(server.address()).await;
    let mut second = Peer::connect(server.address()).await;
    for name in ["a", "b", "d"] {
        first.call(&broker(name)).await.unwrap();
    }
    second.call(&broker("d")).await.unwrap();
    drop(first);
    second.forgotten("a-1").await;
    second.forgotten("b-1").await;
    assert!(second.knows("d-1").await);
}

#[tokio::test]
async fn bytes_that_are_no_frames_close_their_connection_and_no_other() {
    let server = start().await;
    let mut bystander = Peer::connect(server.address()).await;
    bystander.call(&broker("a")).await.unwrap();
    let good = query("a-1", 1).to_frame(SerializeType::Json).unwrap();
    for bad in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        &[0x16, 3, 1, 2, 0, 1, 0, 1, 0, 3, 3, 0],
        &[0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0],
        &[0xff; 12],
        &[0, 0, 0, 8, 2, 0, 0, 2, b'{', b'}', 0, 0],
        &[0, 0, 0, 8, 0, 0, 0, 2, b'[', b']', 0, 0],
    ] {
        let mut alone = Peer::connect(server.address()).await;
        alone.send_bytes(bad).await;
        alone.expect_close().await;

        // What came before is still answered.
        let mut behind = Peer::connect(server.address()).await;
        behind.send_bytes(&[&good, bad].concat()).await;
        assert_eq!(behind.receive().await.header.code, 0, "{bad:02x?}");
        behind.expect_close().await;
    }
    assert!(bystander.knows("a-1").await);
}

#[tokio::test]
async fn a_5x_server_looks_at_nothing_before_12_bytes_and_a_4x_server_at_once() {
    let garbage = [0xff; 11];
    let v5 = start().await;
    let mut peer = Peer::connect(v5.address()).await;
    peer.send_bytes(&garbage).await;
    let mut other = Peer::connect(v5.address()).await;
    assert!(other.call(&GetBrokerClusterInfo).await.is_ok());
    assert_eq!(v5.connection_count(), 2);
    peer.send_bytes(&[0xff]).await;
    peer.expect_close().await;

    let v4 = NameServer::builder().listen("127.0.0.1:0").personality(Personality::V4).start().await.unwrap();
    let mut peer = Peer::connect(v4.address()).await;
    peer.send_bytes(&garbage).await;
    peer.expect_close().await;
}

#[tokio::test]
async fn oneway_requests_and_responses_are_not_answered() {
    let server = start().await;
    let mut peer = Peer::connect(server.address()).await;
    let mut response = query("a-1", 1);
    response.header.flag = RESPONSE_FLAG;
    peer.send(&broker("a").to_command().oneway()).await;
    peer.send(&query("a-1", 2).oneway()).await;
    peer.send(&response).await;
    peer.send(&query("a-1", 3)).await;
    // The first answer is to the last request, and it shows that the oneway registration took effect.
    let answer = peer.receive().await;
    assert_eq!((answer.header.opaque, answer.header.code), (3, 0));
}

#[tokio::test]
async fn requests_in_any_pieces_are_answered_one_by_one_by_a_4x_server_in_the_form_they_came_in() {
    let builder = NameServer::builder().listen("127.0.0.1:0").personality(Personality::V4);
    let server = builder.start().await.unwrap();
    let mut peer = Peer::connect(server.address()).await;
    peer.call(&broker("a")).await.unwrap();
    let forms = [SerializeType::Json, SerializeType::RocketMq, SerializeType::Json];
    let requests = (0..300).map(|opaque| {
        let form = forms[opaque as usize % forms.len()];
        query("a-1", opaque).to_frame(form).unwrap()
    });
    let requests = requests.collect::<Vec<_>>().concat();
    for piece in [requests.len(), 1000, 61, 1] {
        // One byte a write for the first frames only: the point is the same and the test is short.
        let (small, rest) = requests.split_at(if piece == 1 { 500 } else { requests.len() });
        for part in small.chunks(piece) {
            peer.send_bytes(part).await;
        }
        peer.send_bytes(rest).await;
        for opaque in 0..300 {
            let frame = peer.next_frame().await.unwrap();
            assert_eq!(frame.serialize_type, forms[opaque as usize % forms.len()]);
            let answer = Command::from_frame(frame).unwrap();
            assert_eq!((answer.header.opaque, answer.header.code), (opaque, 0));
        }
    }
}

#[tokio::test]
async fn a_refused_request_leaves_its_connection_open() {
    let server = start().await;
    let mut peer = Peer::connect(server.address()).await;
    let mut compressed = broker("a").to_command();
    compressed.header.ext_fields.set("compressed", "true");
    for (request, code) in [
        (Command::request(RequestCode(999), ExtFields::new(), ""), 3),
        (Command::request(RequestCode::REGISTER_BROKER, ExtFields::new(), ""), 1),
        (compressed, 1),
        (query("none", 0), 17),
    ] {
        peer.send(&request).await;
        assert_eq!(peer.receive().await.header.code, code);
    }
    assert!(!peer.knows("a-1").await);
}

#[tokio::test]
async fn one_process_has_many_servers_that_do_not_know_of_each_other() {
    let mut servers = Vec::new();
    for number in 0..20 {
        let server = start().await;
        let mut peer = Peer::connect(server.address()).await;
        peer.call(&broker(&format!("b{number}"))).await.unwrap();
        servers.push((server, peer));
    }
    for (number, (_, peer)) in servers.iter_mut().enumerate() {
        let info = peer.call(&GetBrokerClusterInfo).await.unwrap();
        let names = info.broker_addr_table.keys().map(ToString::to_string);
        assert_eq!(names.collect::<Vec<_>>(), [format!("b{number}")]);
    }
}

#[tokio::test]
async fn connections_are_counted() {
    let server = start().await;
    let mut peers = Vec::new();
    for expected in 1..=3 {
        peers.push(Peer::connect(server.address()).await);
        until("a connection more", || server.connection_count() == expected).await;
    }
    for expected in (0..3).rev() {
        drop(peers.pop());
        until("a connection less", || server.connection_count() == expected).await;
    }
}

async fn check_shutdown() {
    let server = start().await;
    let address = server.address();
    let mut peers = Vec::new();
    for name in ["a", "b"] {
        let mut peer = Peer::connect(address).await;
        peer.call(&broker(name)).await.unwrap();
        peers.push(peer);
    }
    // Half a frame: a connection in the middle of something.
    let mut busy = Peer::connect(address).await;
    busy.send_bytes(&[0, 0, 1, 0, 0, 0]).await;
    until("all connected", || server.connection_count() == 3).await;

    timeout(LIMIT, server.shutdown()).await.expect("shut down in time");
    peers.push(busy);
    for mut peer in peers {
        peer.expect_close().await;
    }
    TcpListener::bind(address).await.expect("the port is free");
    // A finished task may be counted until its worker has put it away.
    let tasks = Handle::current().metrics();
    until("no task left", || tasks.num_alive_tasks() == 0).await;
}

#[tokio::test]
async fn shutdown_closes_all_connections_and_leaves_no_task() {
    check_shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shutdown_does_so_on_many_threads_too() {
    check_shutdown().await;
}

#[tokio::test]
async fn dropping_the_handle_stops_the_server_too() {
    let server = start().await;
    let mut peer = Peer::connect(server.address()).await;
    peer.call(&broker("a")).await.unwrap();
    drop(server);
    peer.expect_close().await;
    let tasks = Handle::current().metrics();
    until("no task left", || tasks.num_alive_tasks() == 0).await;
}

#[tokio::test]
async fn an_address_that_cannot_be_had_is_named() {
    let holder = start().await;
    let taken = holder.address().to_string();
    for (address, kind) in
        [(taken.as_str(), Some(io::ErrorKind::AddrInUse)), ("no port", Some(io::ErrorKind::InvalidInput))]
    {
        let error = NameServer::builder().listen(address).start().await.unwrap_err();
        assert!(error.to_string().contains(address), "{error}");
        assert_eq!(Some(error.kind()), kind);
    }
}

#[tokio::test]
async fn the_members_of_a_group_are_told_that_its_smallest_id_has_changed_if_that_is_set() {
    let builder = NameServer::builder().listen("127.0.0.1:0");
    let server = builder.setting("notifyMinBrokerIdChanged", "true").start().await.unwrap();
    // A broker that listens at its address, and a master that leaves.
    let slave = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let slave_address = slave.local_addr().unwrap().to_string();
    let member = |id: i64, address: &str| RegisterBroker {
        broker_id: id,
        broker_addr: address.into(),
        enable_acting_master: Some(true),
        ..broker("a")
    };
    let mut peer = Peer::connect(server.address()).await;
    peer.call(&member(0, "127.0.0.1:1")).await.unwrap();
    peer.call(&member(1, &slave_address)).await.unwrap();
    let leaving = UnregisterBroker {
        cluster_name: "c".into(),
        broker_name: "a".into(),
        broker_addr: "127.0.0.1:1".into(),
        broker_id: 0,
    };
    peer.call(&leaving).await.unwrap();

    let (stream, _) = timeout(LIMIT, slave.accept()).await.expect("told in time").unwrap();
    let told = Peer::new(stream).receive().await.header;
    assert_eq!((told.code, told.is_oneway()), (905, true));
    for (field, expected) in [
        ("minBrokerId", Some("1")),
        ("minBrokerAddr", Some(&*slave_address)),
        ("offlineBrokerAddr", Some("127.0.0.1:1")),
        ("haBrokerAddr", None),
    ] {
        assert_eq!(told.ext_fields.get(field).map(Name::as_str), expected, "{field}");
    }
    server.shutdown().await;
}

#[tokio::test]
async fn a_server_that_stops_does_not_tell_brokers_that_others_are_gone() {
    let builder = NameServer::builder().listen("127.0.0.1:0");
    let server = builder.setting("notifyMinBrokerIdChanged", "true").start().await.unwrap();
    let slave = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let member = |id: i64, address: &str| RegisterBroker {
        broker_id: id,
        broker_addr: address.into(),
        enable_acting_master: Some(true),
        ..broker("a")
    };
    let mut master = Peer::connect(server.address()).await;
    master.call(&member(0, "127.0.0.1:1")).await.unwrap();
    let mut peer = Peer::connect(server.address()).await;
    peer.call(&member(1, &slave.local_addr().unwrap().to_string())).await.unwrap();
    server.shutdown().await;
    // All tasks have ended, so nobody can still be on the way to it.
    assert!(slave.into_std().unwrap().accept().is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock));
}

#[tokio::test]
async fn a_broker_that_takes_its_leave_and_comes_again_in_one_write_is_there() {
    let server = start().await;
    let mut peer = Peer::connect(server.address()).await;
    peer.call(&broker("a")).await.unwrap();
    let RegisterBroker { cluster_name, broker_name, broker_addr, broker_id, .. } = broker("a");
    let leaving = UnregisterBroker { cluster_name, broker_name, broker_addr, broker_id };
    let both = [leaving.to_command(), broker("a").to_command()];
    let bytes = both.map(|command| command.to_frame(SerializeType::Json).unwrap()).concat();
    peer.send_bytes(&bytes).await;
    for _ in 0..2 {
        assert_eq!(peer.receive().await.header.code, 0);
    }
    assert!(peer.knows("a-1").await);
}

#[tokio::test]
async fn a_broker_whose_connection_closes_while_its_registration_is_read_is_not_left_behind() {
    let server = start().await;
    let topics = (0..2_000).map(|number| TopicConfig::new(format!("topic-{number}"), 8, Perm::READ_WRITE));
    let mut large = broker("a");
    large.body = RegisterBrokerBody::new(DataVersion::default(), topics);
    let frame = large.to_command().to_frame(SerializeType::Json).unwrap();
    assert!(frame.len() > 128 * 1024);
    for _ in 0..20 {
        let mut peer = Peer::connect(server.address()).await;
        peer.send_bytes(&frame).await;
        drop(peer);
    }
    let mut peer = Peer::connect(server.address()).await;
    until("all connections but one have ended", || server.connection_count() == 1).await;
    // What they have set off may still be under way.
    let asking =
        async { while !peer.call(&GetBrokerClusterInfo).await.unwrap().broker_addr_table.is_empty() {} };
    timeout(LIMIT, asking).await.expect("gone in time");
}
