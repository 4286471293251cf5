//! What the reader takes and what it refuses: every row of `docs/wire.md` §3.3, and the facts of §3.1 and §3.2.
//!
//! There is one mode. Each accepted body is compared with a value made by hand; each refused one names its reason and
//! carries a mark, `↓`, before the byte at which the error must point.

mod absent;
mod accepted;
mod limits;
mod refused;
mod written;

use std::fmt::Debug;
use std::sync::Arc;

use rocketmq_nameserver_protocol::error::{DataParseError, Reason};
use rocketmq_nameserver_protocol::model::{
    BrokerAddresses, BrokerClusterInfo, BrokerData, Name, Perm, QueueData, TopicRouteData,
};

/// A model's `from_bytes`.
type Read<T> = fn(&[u8]) -> Result<T, DataParseError>;

/// The body is read, and this is what it says.
fn accepts<T: Debug + PartialEq>(read: Read<T>, rows: impl IntoIterator<Item = (impl AsRef<[u8]>, T)>) {
    for (body, expected) in rows {
        let body = body.as_ref();
        assert_eq!(read(body), Ok(expected), "{}", String::from_utf8_lossy(body));
    }
}

/// The body, without its mark, is refused for this reason and at the mark.
fn refuses<T: Debug>(read: Read<T>, rows: impl IntoIterator<Item = (impl AsRef<str>, Reason)>) {
    for (marked, reason) in rows {
        let marked = marked.as_ref();
        let (before, behind) = marked.split_once('↓').expect("a mark");
        let error = read(format!("{before}{behind}").as_bytes()).expect_err(marked);
        assert_eq!((error.reason, error.offset), (reason, before.len()), "{marked}");
    }
}

/// A broker group as 4.x servers have it.
fn broker<const N: usize>(name: &str, addresses: [(i64, &str); N]) -> BrokerData {
    BrokerData {
        cluster: Name::from("c"),
        broker_name: Name::from(name),
        broker_addresses: BrokerAddresses::from_iter(addresses),
        ..BrokerData::default()
    }
}

/// Four queues each way, read and write.
fn queue(broker_name: &str) -> QueueData {
    QueueData {
        broker_name: Name::from(broker_name),
        read_queue_nums: 4,
        write_queue_nums: 4,
        perm: Perm::READ_WRITE,
        ..QueueData::default()
    }
}

fn route<const B: usize, const Q: usize>(brokers: [BrokerData; B], queues: [QueueData; Q]) -> TopicRouteData {
    TopicRouteData {
        broker_data_list: brokers.into_iter().map(Arc::new).collect(),
        queue_data_list: queues.into_iter().collect(),
        ..TopicRouteData::default()
    }
}

/// One broker with those addresses, and one queue entry.
fn route_of_one<const N: usize>(addresses: [(i64, &str); N]) -> TopicRouteData {
    route([broker("a", addresses)], [queue("a")])
}

fn cluster<const B: usize>(brokers: [BrokerData; B], names: &[&str]) -> BrokerClusterInfo {
    let table = brokers.map(|broker| (broker.broker_name.clone(), broker));
    let names = names.iter().copied().map(Name::from).collect();
    BrokerClusterInfo {
        broker_addr_table: table.into_iter().collect(),
        cluster_addr_table: [(Name::from("c"), names)].into(),
    }
}
