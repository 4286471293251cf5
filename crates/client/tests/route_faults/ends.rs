//! The cache, or the runtime behind it, ends while a refresh is under way.

use std::sync::mpsc;
use std::time::Duration;

use rocketmq_nameserver::{ErrorKind, RouteCache, SyncRouteCache};
use rocketmq_nameserver_testkit::scripted_peer::{ScriptedPeer, route_body};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::Semaphore;

use crate::play::{TOPIC, Watched};
use crate::site::{Says, Site, outcome, pass};

const A: Says = Says::Route(&["a"]);

/// Far beyond what anything here takes.
const AMPLE: Duration = Duration::from_secs(60);

#[tokio::test(start_paused = true)]
async fn whatever_ends_a_cache_ends_its_refresh_and_nothing_is_asked_any_more() {
    for end in ["close", "drop"] {
        let site = Site::new(&["ns"], A);
        let cache = site.cache();
        let watch = (end == "close").then(|| Watched::of(&cache));
        cache.get_route(TOPIC).await.unwrap();
        site.server("ns").takes(Duration::from_secs(2));
        let waits = tokio::spawn({
            let cache = cache.clone();
            async move { cache.refresh_route(TOPIC).await }
        });
        site.server("ns").was_asked(2).await;
        if end == "close" {
            cache.close();
            let (waits, after) = (waits.await.unwrap(), cache.get_route(TOPIC).await);
            assert_eq!((outcome(&waits), outcome(&after)), ("Usage error".into(), "Usage error".into()));
            assert_eq!(watch.as_ref().unwrap().told(), ["found 1"], "and then it has ended");
        } else {
            waits.abort();
            assert!(waits.await.unwrap_err().is_cancelled());
        }
        drop((cache, watch));
        pass(Duration::from_secs(600)).await;
        assert_eq!(site.asked(), 2, "{end}");
        assert_eq!(Handle::current().metrics().num_alive_tasks(), 0, "{end}: tasks are left");
    }
}

/// A server on a runtime of its own, which answers each request when it is let to.
struct Elsewhere {
    peer: ScriptedPeer,
    answers: &'static Semaphore,
    asked: mpsc::Receiver<()>,
    _runtime: Runtime,
}

impl Elsewhere {
    fn start() -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let answers: &'static Semaphore = Box::leak(Box::new(Semaphore::new(0)));
        let (tell, asked) = mpsc::channel();
        let peer = runtime.block_on(ScriptedPeer::start(move |mut peer| {
            let tell = tell.clone();
            async move {
                while let Some((opaque, topic)) = peer.topic().await {
                    if !topic.is_empty() {
                        // The test may be over.
                        let _gone = tell.send(());
                    }
                    answers.acquire().await.unwrap().forget();
                    peer.answer(opaque, &route_body(&topic)).await;
                }
            }
        }));
        Elsewhere { peer, answers, asked, _runtime: runtime }
    }

    fn was_asked(&self) {
        self.asked.recv_timeout(AMPLE).unwrap();
    }
}

#[test]
fn a_runtime_that_is_dropped_with_a_refresh_under_way_leaves_the_route_and_the_next_one_goes_on() {
    let server = Elsewhere::start();
    let client =
        rocketmq_nameserver::create_sync_client("127.0.0.1", server.peer.address().port(), AMPLE).unwrap();
    let cache = RouteCache::new(client.to_async());
    let runtime = || Builder::new_current_thread().enable_all().build().unwrap();

    let first = runtime();
    server.answers.add_permits(1);
    assert_eq!(outcome(&first.block_on(cache.get_route(TOPIC))), TOPIC);
    server.was_asked();
    let waits = first.spawn({
        let cache = cache.clone();
        async move { cache.refresh_route(TOPIC).await }
    });
    // It runs until the server has got the question, and is gone before there is an answer.
    let asked = server.asked;
    first.block_on(async {
        let asked = tokio::task::spawn_blocking(move || asked.recv_timeout(AMPLE).map(|()| asked));
        asked.await.unwrap().unwrap()
    });
    drop(first);
    drop(waits);
    assert!(!cache.explain(TOPIC).asking, "the question went with its runtime");

    let second = runtime();
    assert_eq!(outcome(&second.block_on(cache.get_route(TOPIC))), TOPIC);
    server.answers.add_permits(2);
    assert_eq!(outcome(&second.block_on(cache.refresh_route(TOPIC))), TOPIC);
    assert_eq!(cache.stats().questions, 3, "one for each call that had to ask");
}

#[test]
fn a_blocking_caller_that_waits_is_told_when_the_cache_is_closed() {
    let server = Elsewhere::start();
    let client =
        rocketmq_nameserver::create_sync_client("127.0.0.1", server.peer.address().port(), AMPLE).unwrap();
    let cache = SyncRouteCache::of(&client);
    let waits = std::thread::spawn({
        let cache = cache.clone();
        move || cache.get_route(TOPIC)
    });
    server.was_asked();
    cache.close();
    assert_eq!(waits.join().unwrap().unwrap_err().kind(), ErrorKind::Usage);
    assert_eq!((cache.get_route(TOPIC).unwrap_err().kind(), cache.stats().questions), (ErrorKind::Usage, 1));
}
