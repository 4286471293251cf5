//! Only an answer wins: a hedge that is refused is one opinion.

use rocketmq_nameserver::{ErrorKind, NameServerError};

use crate::world::Behaviour::{self, *};
use crate::world::{LATE, LIMIT, World, check_took, timed};

/// How a call ends.
#[derive(Debug, PartialEq)]
enum End {
    Answer(&'static str),
    /// At so many servers.
    NotFound(usize),
    Other(ErrorKind),
}

use End::{Answer, Other};

fn end(answer: Result<String, NameServerError>) -> End {
    match answer {
        Ok(server) => Answer(["a", "b", "c"].into_iter().find(|name| *name == server).unwrap()),
        Err(error) if error.is_topic_not_found() => {
            let not_found = |attempt: &&rocketmq_nameserver::Attempt| {
                matches!(&attempt.failure, rocketmq_nameserver::Failure::Refused(_))
            };
            End::NotFound(error.attempts().iter().filter(not_found).count())
        }
        Err(error) => Other(error.kind()),
    }
}

#[tokio::test(start_paused = true)]
async fn a_hedge_that_is_refused_does_not_beat_a_server_that_is_merely_slow() {
    let cases: &[(&[Behaviour], End, u64)] = &[
        (&[Slow(200), NotFound], Answer("a"), 200),
        (&[SlowNotFound(200), NotFound], End::NotFound(2), 200),
        (&[SlowNotFound(200), Answers], Answer("b"), LATE),
        (&[SlowNotFound(200), Slow(300)], Answer("b"), LATE + 300),
        (&[Slow(2_000), NotFound], Answer("a"), 2_000),
        (&[Slow(200), SaysNo], Answer("a"), 200),
        (&[Slow(200), Nonsense], Answer("a"), 200),
        (&[Slow(200), Refuses], Answer("a"), 200),
        (&[Slow(200), Busy, Answers], Answer("c"), LATE),
        (&[SaysNo, Answers], Other(ErrorKind::Response), 0),
        // Two opinions are enough, whoever is slow.
        (&[Slow(200), NotFound, NotFound], End::NotFound(2), LATE),
        (&[Slow(200), NotFound, Answers], Answer("c"), LATE),
        (&[Silent, NotFound, NotFound], End::NotFound(2), LATE),
        (&[SlowNotFound(200), Silent, SlowNotFound(500)], End::NotFound(2), 3 * LATE + 500),
        // The second opinion is late, so a third one is asked for.
        (&[NotFound, Silent, NotFound], End::NotFound(2), LATE),
        (&[NotFound, Silent, Answers], Answer("c"), LATE),
        (&[NotFound, Slow(200), Refuses], Answer("b"), 200),
    ];
    for (behaviours, expected, cost) in cases {
        let (answer, took) = timed(&World::of(behaviours).client()).await;
        assert_eq!(end(answer), *expected, "{behaviours:?}");
        check_took(&format!("{behaviours:?}"), took, *cost);
    }
}

#[tokio::test(start_paused = true)]
async fn the_refusal_is_the_answer_when_the_silent_server_has_not_answered_a_probe_either() {
    for (behaviours, expected) in [
        ([Answers, NotFound], End::NotFound(1)),
        ([Answers, SaysNo], Other(ErrorKind::Response)),
        ([Answers, Nonsense], Other(ErrorKind::DataParse)),
    ] {
        let world = World::of(&behaviours);
        let client = world.client().with_timeout(10 * LIMIT);
        assert_eq!(end(timed(&client).await.0), Answer("a"));
        world.set("a", Silent);
        let (answer, took) = timed(&client).await;
        assert_eq!(end(answer), expected, "{behaviours:?}");
        // A probe, which has 3 s, and the next look of the call that waits.
        assert!((3_000..5_000).contains(&took), "{behaviours:?}: it could have been merely slow: {took}");
        let (answer, took) = timed(&client).await;
        assert_eq!(end(answer), expected, "{behaviours:?}");
        assert_eq!(took, 0, "{behaviours:?}: now it is known to fail");
    }
}
