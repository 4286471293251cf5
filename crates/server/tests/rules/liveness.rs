//! `docs/wire.md` §2.5: signs of life, 322 and 904, and what happens without them.

use std::collections::BTreeSet;
use std::time::Duration;

use rocketmq_nameserver_protocol::command::Command;
use rocketmq_nameserver_server::Personality;

use crate::world::{
    BOTH, Change, World, answers, ask, broker, builder, leave, lookup, on, request, v5, version_query,
};

const V1: &str = r#"{"counter":1,"stateVersion":0,"timestamp":0}"#;
const V2: &str = r#"{"counter":2,"stateVersion":0,"timestamp":0}"#;

fn heartbeat() -> Command {
    request(904, &[("brokerName", "a"), ("brokerAddr", "a-0"), ("clusterName", "c"), ("brokerId", "0")])
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[tokio::test(start_paused = true)]
async fn a_data_version_is_compared_with_that_of_the_last_registration() {
    let rows = || {
        let after = |query: Command| vec![on(1, broker("a", 0)), ask(query)];
        let version = |text| after(version_query("a", 0, text));
        let named = |key, value| after(version_query("a", 0, V1).field(key, value));
        let same = [
            r#"0 {changed=false} | {"counter":1,"timestamp":0}"#,
            r#"0 {changed=false} | {"counter":1,"stateVersion":0,"timestamp":0}"#,
        ];
        let changed = [
            r#"0 {changed=true} | {"counter":1,"timestamp":0}"#,
            r#"0 {changed=true} | {"counter":1,"stateVersion":0,"timestamp":0}"#,
        ];
        vec![
            ("the same", version(V1), same),
            ("another counter", version(V2), changed),
            ("another timestamp", version(r#"{"counter":1,"stateVersion":0,"timestamp":1}"#), changed),
            (
                "another state version, which 4.x does not know",
                version(r#"{"counter":1,"stateVersion":1,"timestamp":0}"#),
                [same[0], changed[1]],
            ),
            ("no state version is 0", version(r#"{"counter":1,"timestamp":0}"#), same),
            ("another name", named("brokerName", "x"), same),
            ("no name", after(version_query("a", 0, V1).without("brokerName")), same),
            ("another id", named("brokerId", "7"), same),
            ("no id", after(version_query("a", 0, V1).without("brokerId")), same),
            ("an id that is no number", named("brokerId", "x"), same),
            ("another cluster, which 4.x ignores", named("clusterName", "x"), [same[0], "0 {changed=true}"]),
            ("no cluster", after(version_query("a", 0, V1).without("clusterName")), [same[0], "1 …"]),
            ("another address", named("brokerAddr", "x"), ["0 {changed=true}"; 2]),
            ("no address", after(version_query("a", 0, V1).without("brokerAddr")), v5("1 …")),
            ("no body", version(""), ["1 …", changed[1]]),
            ("garbage", version("{"), ["1 …"; 2]),
            ("nobody lives there", vec![ask(version_query("a", 0, V1))], ["0 {changed=true}"; 2]),
            (
                "asking stores nothing",
                vec![on(1, broker("a", 0)), ask(version_query("a", 0, V2)), ask(version_query("a", 0, V2))],
                changed,
            ),
        ]
    };
    answers(rows).await;
}

#[tokio::test(start_paused = true)]
async fn a_heartbeat_needs_a_cluster_and_an_address() {
    let rows = || {
        let after = |heartbeat| vec![on(1, broker("a", 0)), ask(heartbeat)];
        vec![
            ("a broker", after(heartbeat()), v5("0")),
            ("an unknown broker", vec![ask(heartbeat())], v5("0")),
            ("no name", after(heartbeat().without("brokerName")), v5("0")),
            ("no id", after(heartbeat().without("brokerId")), v5("0")),
            ("an id that is no number", after(heartbeat().field("brokerId", "x")), v5("0")),
            ("a time that is no number", after(heartbeat().field("heartbeatTimeoutMills", "x")), v5("0")),
            ("no cluster", after(heartbeat().without("clusterName")), v5("1 …")),
            ("no address", after(heartbeat().without("brokerAddr")), v5("1 …")),
        ]
    };
    answers(rows).await;
}

#[tokio::test(start_paused = true)]
async fn a_silent_broker_goes_after_its_timeout_with_the_next_look() {
    for personality in BOTH {
        let v5 = personality == Personality::V5;
        let (period, short) = if v5 { (5, 10) } else { (10, 120) };
        for (broker, timeout) in [
            (broker("a", 0), 120),
            (broker("a", 0).field("heartbeatTimeoutMillis", "10000"), short),
            (broker("a", 0).field("heartbeatTimeoutMillis", "x"), 120),
            (broker("a", 0).field("heartbeatTimeoutMillis", "300000"), if v5 { 300 } else { 120 }),
        ] {
            for phase in [0, 3] {
                let mut world = World::listening(builder(personality)).await;
                world.advance(seconds(phase)).await;
                world.register(1, broker.clone()).await;
                let registered = world.shows().await;
                world.advance(seconds(timeout)).await;
                assert_eq!(world.shows().await, registered, "{personality:?} {timeout} {phase}");
                world.advance(seconds(period) + Duration::from_millis(1)).await;
                assert_eq!(world.shows().await, "", "{personality:?} {timeout} {phase}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_timeout_is_that_of_the_last_registration() {
    let mut world = World::listening(builder(Personality::V5)).await;
    world.register(1, broker("a", 0).field("heartbeatTimeoutMillis", "10000")).await;
    world.register(1, broker("a", 0)).await;
    world.advance(seconds(120)).await;
    assert!(world.shows().await.contains("a@c: 0=a-0"));
    world.register(1, broker("a", 0).field("heartbeatTimeoutMillis", "10000")).await;
    world.advance(seconds(16)).await;
    assert_eq!(world.shows().await, "");
}

#[tokio::test(start_paused = true)]
async fn silent_brokers_are_looked_for_every_10_s_on_4x_and_every_5_s_on_5x_unless_set() {
    for (personality, interval, period) in
        [(Personality::V4, None, 10), (Personality::V5, None, 5), (Personality::V5, Some("20000"), 20)]
    {
        let mut builder = builder(personality);
        if let Some(interval) = interval {
            builder = builder.setting("scanNotActiveBrokerInterval", interval);
        }
        let mut world = World::listening(builder).await;
        world.shows().await;
        for number in 1..=20 {
            world.register(number, broker(&format!("b{number}"), 0)).await;
            world.advance(seconds(1)).await;
        }
        let (mut gone_at, mut left) = (BTreeSet::new(), 20);
        for second in 21..180 {
            world.advance(seconds(1)).await;
            let brokers = world.ask(request(106, &[])).await.clusters().len().saturating_sub(1);
            if brokers < left {
                gone_at.insert(second % period);
                left = brokers;
            }
        }
        assert_eq!(left, 0, "{personality:?} {period}");
        assert_eq!(gone_at.len(), 1, "{personality:?} {period}: {gone_at:?}");
    }
}

/// Whether broker `a` over connection 1 is there after ten minutes, in which that request is sent each minute.
async fn outlives(personality: Personality, connection: u32, request: &Command) -> bool {
    let mut world = World::listening(builder(personality)).await;
    world.register(1, broker("a", 0)).await;
    for _ in 0..10 {
        world.advance(seconds(60)).await;
        if !world.shows().await.contains("a@c: 0=a-0") {
            return false;
        }
        world.tell(connection, request.clone().oneway()).await;
    }
    true
}

#[tokio::test(start_paused = true)]
async fn signs_of_life_are_103_322_and_904_and_nothing_else() {
    for (name, connection, request, expected) in [
        ("103", 1, broker("a", 0).into(), [true, true]),
        ("103 with a changed version", 1, broker("a", 0).counter(2).into(), [true, true]),
        ("322 of the same version", 1, version_query("a", 0, V1), [true, true]),
        ("322 over another connection", 2, version_query("a", 0, V1), [true, true]),
        ("322 of a changed version", 1, version_query("a", 0, V2), [false, true]),
        ("322 without a body", 1, version_query("a", 0, ""), [false, true]),
        ("322 for another address", 1, version_query("a", 0, V1).field("brokerAddr", "x"), [false, false]),
        ("904", 1, heartbeat(), [false, true]),
        ("904 over another connection", 2, heartbeat(), [false, true]),
        (
            "904 with another name and id",
            1,
            heartbeat().field("brokerName", "x").field("brokerId", "7"),
            [false, true],
        ),
        ("904 with another cluster", 1, heartbeat().field("clusterName", "x"), [false, false]),
        ("904 with another address", 1, heartbeat().field("brokerAddr", "x"), [false, false]),
        ("105", 1, lookup("T1"), [false, false]),
        ("106", 1, request(106, &[]), [false, false]),
        ("901", 1, request(901, &[("clusterName", "c"), ("brokerName", "a")]), [false, false]),
        ("104 of another broker", 1, leave("x", 0), [false, false]),
    ] {
        for (personality, expected) in BOTH.into_iter().zip(expected) {
            let found = outlives(personality, connection, &request).await;
            assert_eq!(found, expected, "{personality:?}: {name}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_answered_heartbeat_is_a_sign_of_life_too() {
    let mut world = World::listening(builder(Personality::V5)).await;
    world.register(1, broker("a", 0).field("heartbeatTimeoutMillis", "10000")).await;
    for _ in 0..100 {
        world.advance(seconds(9)).await;
        assert_eq!(world.ask(heartbeat()).await.line(), "0");
    }
    assert!(world.shows().await.contains("a@c: 0=a-0"));
}

#[tokio::test(start_paused = true)]
async fn the_connection_of_a_silent_broker_is_closed_and_no_other() {
    for personality in BOTH {
        let mut world = World::listening(builder(personality)).await;
        world.register(1, broker("a", 0)).await;
        world.register(2, broker("b", 0)).await;
        world.shows().await;
        for _ in 0..3 {
            world.advance(seconds(60)).await;
            world.register(2, broker("b", 0)).await;
        }
        assert!(!world.is_open(1) && world.is_open(2) && world.is_open(0), "{personality:?}");
        assert_eq!(world.shows().await, "c: b; b@c: 0=b-0; T1: b=6; T2: b=6");
    }
}

/// A broker of which nothing more is heard, beside one that registers over the same connection each minute.
async fn shared_connection(personality: Personality) -> World {
    let mut world = World::listening(builder(personality)).await;
    world.register(1, broker("a", 0)).await;
    for _ in 0..3 {
        world.register(1, broker("b", 0)).await;
        world.advance(seconds(60)).await;
        if !world.is_open(1) {
            break;
        }
    }
    world
}

#[tokio::test(start_paused = true)]
async fn of_a_shared_connection_the_silent_broker_goes() {
    for personality in BOTH {
        let shown = shared_connection(personality).await.shows().await;
        assert!(!shown.contains("a@c"), "{personality:?}: {shown}");
    }
}

/// A Java server closes it, and the others have to come again (`docs/conformance.md`).
#[tokio::test(start_paused = true)]
async fn a_shared_connection_stays_open_for_the_brokers_that_are_not_silent() {
    for personality in BOTH {
        let world = shared_connection(personality).await;
        assert!(world.is_open(1), "{personality:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn without_its_live_entry_an_address_does_not_expire_on_5x() {
    let mut world = World::listening(builder(Personality::V5)).await;
    world.register(1, broker("a", 0)).await;
    world.ask(leave("a", 0).without("brokerId")).await;
    world.advance(seconds(1000)).await;
    assert_eq!(world.shows().await, "c: a; a@c: 0=a-0; T1: a=6; T2: a=6");
    assert!(world.is_open(1));
}

#[tokio::test(start_paused = true)]
async fn an_acting_group_becomes_read_only_when_its_master_falls_silent() {
    let mut world = World::listening(builder(Personality::V5)).await;
    world.register(1, broker("a", 0).acting(true).field("heartbeatTimeoutMillis", "10000")).await;
    world.register(2, broker("a", 1).acting(true)).await;
    world.advance(seconds(16)).await;
    assert_eq!(world.shows().await, "c: a; a@c: 1=a-1 acting; T1: a=4; T2: a=4");
}

#[tokio::test(start_paused = true)]
async fn a_server_without_a_listener_looks_for_silent_brokers_too() {
    for personality in BOTH {
        let mut world = World::new(personality);
        world.shows().await;
        world.register(1, broker("a", 0)).await;
        world.advance(seconds(131)).await;
        assert_eq!(world.shows().await, "", "{personality:?}");
    }
}
