//! What a server answers that was told to be wrong: no section of `docs/wire.md`, but answers as other servers would give
//! them.

use std::time::Duration;

use rocketmq_nameserver_protocol::command::Command;
use rocketmq_nameserver_server::{Fault, NameServerBuilder, Personality};

use crate::world::{BOTH, Change, Envelope, World, broker, builder, lookup, request, version_query};

const VERSIONS: [i32; 4] = [-1, 0, 400, 479];

/// Two brokers of cluster `c` with `T1` and `T2`, the second with `T3` too.
async fn world(personality: Personality) -> World {
    let mut world = World::new(personality);
    world.register(1, broker("a", 0).filters(Some(r#"["f-a"]"#)).mapping("T2", "a", 7)).await;
    let b = broker("b", 0).topics("T1 T2 T3").filters(Some(r#"["f-b"]"#)).mapping("T2", "b", 8);
    world.register(2, b).await;
    world.ask(request(100, &[("namespace", "n"), ("key", "k"), ("value", "v")])).await;
    world
}

/// All that asks which brokers and topics there are.
fn questions(personality: Personality) -> Vec<Command> {
    let mut questions = vec![lookup("T1"), lookup("none"), request(105, &[]), request(106, &[])];
    questions.extend([206, 224, 304, 311, 312, 313].map(|code| request(code, &[("cluster", "c")])));
    if personality == Personality::V5 {
        questions.push(request(901, &[("clusterName", "c"), ("brokerName", "a")]));
        questions.push(lookup("T1").field("__ZONE_NAME", "z").field("__ZONE_MODE", "true"));
    }
    questions
}

async fn lines(world: &mut World, questions: &[Command]) -> Vec<String> {
    let mut lines = Vec::new();
    for question in questions {
        for version in VERSIONS {
            lines.push(world.ask(question.clone().version(version)).await.line());
        }
    }
    lines
}

#[tokio::test(start_paused = true)]
async fn an_empty_server_answers_as_one_that_no_broker_has_met() {
    for personality in BOTH {
        for (setting, seconds) in [
            ("", 0),
            ("enableTopicList=false\nenableAllTopicList=false", 0),
            ("needWaitForService=true", 0),
            ("needWaitForService=true", 60),
        ] {
            let questions = questions(personality);
            let (mut full, mut new) = (world(personality).await, World::new(personality));
            for world in [&mut full, &mut new] {
                world.ask(request(318, &[]).body(setting)).await;
                world.advance(Duration::from_secs(seconds)).await;
            }
            let before = lines(&mut full, &questions).await;
            full.server().set_fault(Fault::Empty);
            assert_eq!(lines(&mut full, &questions).await, lines(&mut new, &questions).await, "{setting}");
            full.server().clear_faults();
            assert_eq!(lines(&mut full, &questions).await, before, "{setting}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_empty_server_goes_on_to_take_what_it_is_told() {
    for personality in BOTH {
        let mut world = world(personality).await;
        world.server().set_fault(Fault::Empty);
        assert_eq!(world.register(3, broker("d", 0).topics("T4 T5")).await.code(), 0);
        assert_eq!(world.ask(request(101, &[("namespace", "n"), ("key", "k")])).await.line(), "0 {value=v}");
        let version = r#"{"counter":1,"stateVersion":0,"timestamp":0}"#;
        let known = world.ask(version_query("d", 0, version)).await;
        assert!(known.line().contains("changed=false"), "{}", known.line());
        assert_eq!(world.server().snapshot().clusters.broker_addr_table.len(), 3);
        assert!(world.route("T4").await.starts_with("17 "));
        world.server().clear_faults();
        assert_eq!(world.route("T4").await, "d=6; d@c: 0=d-0");
    }
}

#[tokio::test(start_paused = true)]
async fn only_routes_are_refused_while_a_server_is_not_ready() {
    for personality in BOTH {
        let mut world = world(personality).await;
        let questions = questions(personality);
        let before = lines(&mut world, &questions).await;
        world.server().set_fault(Fault::NotReady);
        let then = lines(&mut world, &questions).await;
        let codes = questions.iter().flat_map(|question| VERSIONS.map(|_| question.header.code));
        for ((code, before), then) in codes.zip(&before).zip(&then) {
            let expected = if code == 105 { "1 name server not ready" } else { before };
            assert_eq!(then, expected);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn twins_disagree_about_the_last_group_of_a_topic_and_nothing_else() {
    for personality in BOTH {
        let [mut right, mut wrong] = [world(personality).await, world(personality).await];
        wrong.server().set_fault(Fault::Disagree);
        for (topic, said) in [
            ("T1", "a=6; a@c: 0=a-0; filters a-0: f-a"),
            (
                "T2",
                if personality == Personality::V5 {
                    "a=6; a@c: 0=a-0; filters a-0: f-a; mapped a: 7"
                } else {
                    "a=6; a@c: 0=a-0; filters a-0: f-a"
                },
            ),
        ] {
            assert_eq!(wrong.route(topic).await, said, "{personality:?}");
            assert!(right.route(topic).await.contains("b@c: 0=b-0"));
        }
        let only = wrong.ask(lookup("T3")).await.line();
        assert!(only.starts_with("17 No topic route info in name server for the topic: T3\nSee "), "{only}");
        assert_eq!(wrong.ask(lookup("none")).await.line(), right.ask(lookup("none")).await.line());

        let others: Vec<_> =
            questions(personality).into_iter().filter(|one| one.header.code != 105).collect();
        assert_eq!(lines(&mut wrong, &others).await, lines(&mut right, &others).await);
        wrong.server().clear_faults();
        let routes = ["T1", "T2", "T3"].map(lookup);
        assert_eq!(lines(&mut wrong, &routes).await, lines(&mut right, &routes).await);
    }
}

#[tokio::test(start_paused = true)]
async fn a_route_without_its_last_group_is_in_the_dialect_that_was_asked_for() {
    for personality in BOTH {
        let mut one = World::new(personality);
        one.register(1, broker("a", 0)).await;
        let mut two = World::new(personality);
        two.register(1, broker("a", 0)).await;
        two.register(2, broker("b", 0)).await;
        two.server().set_fault(Fault::Disagree);
        let route = [lookup("T1"), lookup("T1").field("acceptStandardJsonOnly", "true")];
        assert_eq!(lines(&mut two, &route).await, lines(&mut one, &route).await);
    }
}

#[tokio::test(start_paused = true)]
async fn forgetting_leaves_an_empty_server_that_has_closed_its_connections() {
    for personality in BOTH {
        let questions = questions(personality);
        let (mut world, mut new) = (world(personality).await, World::new(personality));
        world.server().replace_faults([Fault::Silent, Fault::ForgetEverything]);
        assert_eq!(world.server().faults(), [Fault::Silent]);
        assert_eq!(world.server().snapshot(), new.server().snapshot());
        world.advance(Duration::from_secs(1)).await;
        assert_eq!(world.server().connection_count(), 0);
        world.server().clear_faults();
        for number in 0..=2 {
            assert!(!world.is_open(number), "{number}");
            world.lose(number);
        }
        assert_eq!(lines(&mut world, &questions).await, lines(&mut new, &questions).await);
        world.register(1, broker("a", 0)).await;
        assert_eq!(world.route("T1").await, "a=6; a@c: 0=a-0");
    }
}

#[tokio::test(start_paused = true)]
async fn forgetting_keeps_the_kv_store_that_is_in_a_file() {
    let folder = tempfile::tempdir().expect("a folder");
    for (file, kept) in [(None, false), (Some(folder.path().join("kv.json")), true)] {
        let builder = builder(Personality::V5);
        let mut world = World::of(file.iter().fold(builder, NameServerBuilder::kv_file));
        world.ask(request(100, &[("namespace", "n"), ("key", "k"), ("value", "v")])).await;
        world.server().set_fault(Fault::ForgetEverything);
        world.lose(0);
        let code = world.ask(request(101, &[("namespace", "n"), ("key", "k")])).await.code();
        assert_eq!(code == 0, kept, "{file:?}: {code}");
        assert_eq!(!world.server().snapshot().kv.is_empty(), kept);
    }
}
