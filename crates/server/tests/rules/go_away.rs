//! `docs/wire.md` §1.3, §2.10 and §4.3: a server of 5.x that shuts down gracefully tells newer clients to go away.

use std::time::Duration;

use rocketmq_nameserver_server::{NameServerBuilder, Personality};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::world::{BOTH, Envelope, World, broker, builder, lookup, request};

fn graceful() -> NameServerBuilder {
    builder(Personality::V5).setting("enableShutdownGracefully", "true")
}

/// A server that shuts down while connection 1 is open, over which broker `a` has registered.
async fn leaving(builder: NameServerBuilder) -> (World, JoinHandle<Duration>) {
    let mut world = World::listening(builder).await;
    world.register(1, broker("a", 0)).await;
    let start = Instant::now();
    let shutdown = world.shutdown();
    let ended = tokio::spawn(async move {
        shutdown.await;
        start.elapsed()
    });
    tokio::task::yield_now().await;
    (world, ended)
}

#[tokio::test(start_paused = true)]
async fn newer_clients_are_told_to_go_away_and_older_ones_are_served() {
    let (mut world, _ended) = leaving(graceful()).await;
    let go_away = "1500 please go away";
    for (version, goes) in [
        (-1, false),
        (0, false),
        (317, false),
        (441, false),
        (475, false),
        (476, true),
        (479, true),
        (612, true),
        (i32::MAX, true),
    ] {
        // Over the old connection, and over a new one.
        for connection in [1, 2] {
            for query in [lookup("T1"), request(106, &[]), request(206, &[]), request(999, &[])] {
                let code = query.header.code;
                let line = world.ask_on(connection, query.version(version)).await.line();
                assert_eq!(line == go_away, goes, "version {version}, request {code}: {line}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_registration_changes_nothing() {
    let (mut world, _ended) = leaving(graceful()).await;
    assert_eq!(world.ask_on(1, broker("b", 0).version(476)).await.line(), "1500 please go away");
    let shown = world.ask_on(1, request(106, &[]).version(1)).await.clusters();
    assert_eq!(shown, ["c: a", "a@c: 0=a-0"]);
}

#[tokio::test(start_paused = true)]
async fn it_ends_after_shutdown_wait_time_seconds() {
    for (setting, seconds) in [(None, 30), (Some("5"), 5)] {
        let mut builder = graceful();
        if let Some(setting) = setting {
            builder = builder.setting("shutdownWaitTimeSeconds", setting);
        }
        let (world, ended) = leaving(builder).await;
        let took = ended.await.unwrap();
        assert_eq!(took.as_secs(), seconds, "{took:?}");
        drop(world);
    }
}

#[tokio::test(start_paused = true)]
async fn it_ends_when_nobody_is_connected_any_more() {
    let (mut world, ended) = leaving(graceful()).await;
    world.advance(Duration::from_secs(3)).await;
    assert!(!ended.is_finished());
    world.close(1).await;
    let took = ended.await.unwrap();
    assert_eq!(took.as_secs(), 3, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn without_the_setting_it_ends_at_once() {
    for personality in BOTH {
        let (world, ended) = leaving(builder(personality)).await;
        assert!(ended.await.unwrap() < Duration::from_secs(1), "{personality:?}");
        drop(world);
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_leave_serves_every_version() {
    let mut world = World::listening(graceful()).await;
    world.register(1, broker("a", 0)).await;
    for version in [475, 476, 612] {
        assert_eq!(world.ask(lookup("T1").version(version)).await.route(), "a=6; a@c: 0=a-0");
    }
}
