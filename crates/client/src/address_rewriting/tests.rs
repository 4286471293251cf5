//! Rules, one by one and in a row.

use super::*;
use crate::error::ErrorKind;
use std::sync::atomic::{AtomicUsize, Ordering};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// What is used for an address of member 1 of broker-a in cluster C.
fn used(rewriting: &AddressRewriting, address: &str) -> String {
    rewriting.check().expect("good rules");
    let advertised = AdvertisedAddress { cluster: "C", broker_name: "broker-a", broker_id: 1, address };
    rewriting.used(&advertised).map_or_else(|| "as advertised".to_owned(), |used| used.to_string())
}

const KEPT: &str = "as advertised";

#[test]
fn a_rule_replaces_what_it_names_and_nothing_else() {
    let new = AddressRewriting::new;
    for (rewriting, cases) in [
        (
            new().exact("172.17.0.2:10911", "localhost:20911"),
            vec![
                ("172.17.0.2:10911", "localhost:20911"),
                ("172.17.0.2:10912", KEPT),
                ("172.17.0.3:10911", KEPT),
            ],
        ),
        (new().exact("h:10911", "other"), vec![("h:10911", "other:10911"), ("H:10911", "other:10911")]),
        (
            new().host("172.17.0.2", "localhost"),
            vec![("172.17.0.2:1", "localhost:1"), ("172.17.0.2:2", "localhost:2"), ("172.17.0.20:1", KEPT)],
        ),
        (
            new().host("Broker-B.internal", "10.0.0.9:10911"),
            vec![
                ("broker-b.INTERNAL:1", "10.0.0.9:10911"),
                ("broker-b.internal.example:1", KEPT),
                ("broker-b:1", KEPT),
            ],
        ),
        (
            new().cidr("172.17.0.0/16", "localhost"),
            vec![
                ("172.17.0.2:10911", "localhost:10911"),
                ("172.17.255.255:1", "localhost:1"),
                ("172.18.0.0:1", KEPT),
                ("172.16.255.255:1", KEPT),
                ("[::ffff:172.17.0.2]:1", "localhost:1"),
                ("172.17.0.2.example:1", KEPT),
            ],
        ),
        // The bits of the host do not count.
        (new().cidr("172.17.3.4/16", "h"), vec![("172.17.0.2:1", "h:1")]),
        (new().cidr("10.0.0.1/32", "h"), vec![("10.0.0.1:1", "h:1"), ("10.0.0.0:1", KEPT)]),
        (
            new().cidr("0.0.0.0/0", "h:9"),
            vec![("10.0.0.1:1", "h:9"), ("255.255.255.255:1", "h:9"), ("[::1]:1", KEPT), ("name:1", KEPT)],
        ),
        (
            new().cidr("fd00::/8", "[2001:db8::1]"),
            vec![("[fd00::7]:10911", "[2001:db8::1]:10911"), ("[fe80::1]:1", KEPT), ("253.0.0.1:1", KEPT)],
        ),
        (new().cidr("::/0", "h"), vec![("[::1]:1", "h:1"), ("127.0.0.1:1", KEPT)]),
        // An IPv4 network in IPv6's clothes, as the host of an address may be.
        (
            new().cidr("::ffff:172.17.0.0/112", "h"),
            vec![("172.17.0.2:1", "h:1"), ("[::ffff:172.17.0.2]:1", "h:1"), ("172.18.0.2:1", KEPT)],
        ),
        (new().cidr("::ffff:0:0/96", "h"), vec![("10.0.0.1:1", "h:1"), ("[::1]:1", KEPT)]),
        (new().cidr("::1/128", "h"), vec![("[::1]:1", "h:1"), ("[::2]:1", KEPT), ("::1:1", "h:1")]),
        (
            new().host("::1", "[fe80::1%eth0]:7"),
            vec![("[0:0:0:0:0:0:0:1]:1", "[fe80::1%eth0]:7"), ("::1:1", "[fe80::1%eth0]:7")],
        ),
        (new().exact("[::1]:1", "::2"), vec![("[::1]:1", "[::2]:1")]),
        (new().host("fe80::1%a", "h"), vec![("[fe80::1%a]:1", "h:1"), ("[fe80::1%b]:1", KEPT)]),
        (new(), vec![("h:1", KEPT)]),
    ] {
        for (address, expected) in cases {
            assert_eq!(used(&rewriting, address), expected, "{address} by {rewriting:?}");
        }
    }
}

#[test]
fn an_address_that_is_none_is_kept() {
    let everything = AddressRewriting::parse("0.0.0.0/0=h;::/0=h;a=h;a:1=h").unwrap();
    for address in
        ["", ":", "a", "a:", "a:x", "a:0", "a:65536", "a:+1", "a:-1", "10.0.0.1", "[::1]", "[", "::"]
    {
        assert_eq!(used(&everything, address), KEPT, "{address}");
    }
}

#[test]
fn the_first_rule_that_matches_counts_and_its_result_is_not_rewritten_again() {
    let rewriting = AddressRewriting::new()
        .exact("10.0.0.1:1", "10.0.0.2")
        .host("10.0.0.1", "10.0.0.3")
        .cidr("10.0.0.0/8", "10.0.0.4")
        .host("10.0.0.2", "never");
    for (address, expected) in
        [("10.0.0.1:1", "10.0.0.2:1"), ("10.0.0.1:2", "10.0.0.3:2"), ("10.0.0.2:1", "10.0.0.4:1")]
    {
        assert_eq!(used(&rewriting, address), expected);
    }
}

#[test]
fn a_function_is_told_everything_and_asked_in_its_turn() {
    let rewriting = AddressRewriting::new()
        .exact("first:1", "by-rule")
        .with(|broker| {
            let AdvertisedAddress { cluster, broker_name, broker_id, address } = broker;
            let is_ours = *address != "last:1";
            is_ours.then(|| format!("{cluster}.{broker_name}.{broker_id}.{}", address.replace('/', ".")))
        })
        .host("last", "by-last");
    for (address, expected) in [
        ("first:1", "by-rule:1"),
        ("h:7", "C.broker-a.1.h:7"),
        // It may understand what the other rules do not.
        ("h/x:7", "C.broker-a.1.h.x:7"),
        ("last:1", "by-last:1"),
    ] {
        assert_eq!(used(&rewriting, address), expected);
    }
}

#[test]
fn an_answer_of_a_function_that_is_no_address_leaves_the_advertised_one() {
    for answer in ["", "h", "h:", "h:0", "h:x", "::1", "::1:1", "a b:1", "http://h:1", "h:1,h:2"] {
        let rewriting = AddressRewriting::new().with(move |_| Some(answer.to_owned())).host("h", "never");
        assert_eq!(used(&rewriting, "h:1"), KEPT, "{answer}");
    }
    let panics = AddressRewriting::new().with(|_| panic!("a bug in the function")).host("h", "never");
    assert_eq!(used(&panics, "h:1"), KEPT);
}

#[test]
fn rules_are_read_from_one_line() {
    let rewriting = AddressRewriting::parse(
        "172.17.0.0/16=localhost, broker-b.internal=10.0.0.9:10911 ;[::1]:7=[::2]:8;;::3 = [::4],a:1=b,",
    );
    let rewriting = rewriting.unwrap();
    for (address, expected) in [
        ("172.17.0.2:10911", "localhost:10911"),
        ("broker-b.internal:1", "10.0.0.9:10911"),
        ("[::1]:7", "[::2]:8"),
        ("[::1]:8", KEPT),
        ("[::3]:1", "[::4]:1"),
        ("a:1", "b:1"),
        ("a:2", KEPT),
    ] {
        assert_eq!(used(&rewriting, address), expected, "{address}");
    }
    for nothing in ["", " ", ",;"] {
        assert_eq!(used(&AddressRewriting::parse(nothing).unwrap(), "h:1"), KEPT);
    }
}

#[test]
fn a_rule_that_cannot_be_understood_is_a_usage_error_that_quotes_it() {
    for (text, quoted) in [
        ("h", "\"h\""),
        ("=h", "\"\""),
        ("h=", "\"\""),
        ("a=b=c", "b=c"),
        ("h:0=x", "h:0"),
        ("h:x=x", "h:x"),
        ("h=x:0", "x:0"),
        ("h=x:", "x:"),
        ("h=::1:10911", "::1:10911"),
        ("h=[::1", "[::1"),
        ("h=[::1]1", "[::1]1"),
        ("h=a b", "a b"),
        ("h=10.0.0.0/8", "10.0.0.0/8"),
        ("h=http://x:1", "http://x:1"),
        ("10.0.0.0/33=x", "10.0.0.0/33"),
        ("10.0.0.0/-1=x", "10.0.0.0/-1"),
        ("10.0.0.0/+8=x", "10.0.0.0/+8"),
        ("10.0.0.0/=x", "10.0.0.0/"),
        ("::/129=x", "::/129"),
        ("host/8=x", "host/8"),
        ("10.0.0/8=x", "10.0.0/8"),
        ("good=fine,bad", "\"bad\""),
    ] {
        let error = AddressRewriting::parse(text).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage, "{text}");
        assert!(error.to_string().contains(quoted), "{text}: {error}");
    }
    for (rewriting, quoted) in [
        (AddressRewriting::new().exact("h", "x"), "host:port"),
        (AddressRewriting::new().host("h:1", "x"), "h:1"),
        (AddressRewriting::new().cidr("10.0.0.1", "x"), "172.17.0.0/16"),
        (AddressRewriting::new().host("a", "b").cidr("first", "x").cidr("second", "x"), "first"),
    ] {
        let builder = crate::AsyncNameServerClient::builder().servers("h").rewrite_addresses(rewriting);
        let error = builder.build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage);
        assert!(error.to_string().contains(quoted), "{error}");
    }
}

#[test]
fn a_group_keeps_what_it_advertises_only_where_something_else_is_used() {
    let group = |addresses: &[(i64, &str)]| BrokerData {
        broker_addresses: addresses.iter().copied().collect(),
        ..BrokerData::default()
    };
    let one = AddressRewriting::new().host("a", "x");
    let mut broker = group(&[(0, "a:1"), (1, "b:1")]);
    for _again in 0..2 {
        one.broker(&mut broker);
        assert_eq!(broker.broker_addresses, group(&[(0, "x:1"), (1, "b:1")]).broker_addresses);
        assert_eq!(broker.advertised(), &group(&[(0, "a:1"), (1, "b:1")]).broker_addresses);
    }
    let route = TopicRouteData { broker_data_list: vec![Arc::new(broker.clone())], ..Default::default() };
    assert_eq!(*route.as_advertised().broker_data_list[0], group(&[(0, "a:1"), (1, "b:1")]));
    // Other rules, such as those of the next start.
    AddressRewriting::new().host("b", "y").broker(&mut broker);
    assert_eq!(broker.broker_addresses, group(&[(0, "a:1"), (1, "y:1")]).broker_addresses);
    AddressRewriting::new().host("a", "a").broker(&mut broker);
    assert_eq!(broker, group(&[(0, "a:1"), (1, "b:1")]));
}

/// Counts messages.
#[derive(Clone, Default)]
struct Messages(Arc<AtomicUsize>);

impl Subscriber for Messages {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() == Level::WARN
    }

    fn event(&self, _: &Event<'_>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[test]
fn a_function_that_is_wrong_is_told_of_once() {
    let rewriting = AddressRewriting::new().with(|_| Some("nonsense".to_owned()));
    let messages = Messages::default();
    tracing::subscriber::with_default(messages.clone(), || {
        for rewriting in [&rewriting, &rewriting.clone()] {
            for _again in 0..3 {
                assert_eq!(used(rewriting, "h:1"), KEPT);
            }
        }
    });
    assert_eq!(messages.0.load(Ordering::SeqCst), 1);
}
