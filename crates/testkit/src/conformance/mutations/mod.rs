//! A comparison that finds nothing proves nothing unless it can find something: each capture is compared with itself
//! after one thing in it was changed. What may differ is changed too, and must not be found.

mod changes;

use std::collections::BTreeSet;

use super::answer::Answer;
use super::body::Body;
use super::compare::compare;
use super::known::{Against, Rules};
use super::replay::addresses;
use super::reply::Reply;
use crate::captures::{Capture, initial_state, manifest};

#[test]
fn any_single_change_of_any_captured_answer_is_found() {
    let mut count = 0;
    for (capture, answer, addresses) in answers() {
        let expected = Reply::Answer(Box::new(answer.clone()));
        changes::harmful(&capture, &answer, &mut |what, mutant| {
            let found = differences(&expected, mutant, &addresses);
            assert!(!found.is_empty(), "{}: {what} is not found", capture.id());
            count += 1;
        });
    }
    assert!(count > 10_000, "{count} changes");
}

#[test]
fn what_may_differ_is_not_found() {
    let mut count = 0;
    for (capture, answer, addresses) in answers() {
        let expected = Reply::Answer(Box::new(answer.clone()));
        changes::harmless(&answer, &addresses, &mut |what, mutant| {
            let found = differences(&expected, mutant, &addresses);
            assert!(found.is_empty(), "{}: {what} is found: {found:?}", capture.id());
            count += 1;
        });
    }
    assert!(count > 300, "{count} changes");
}

#[test]
fn an_answer_is_not_silence_and_silence_is_no_closed_connection() {
    let (_, answer, addresses) = answers().swap_remove(0);
    let rules = Rules { addresses: &addresses, against: Against::Captures };
    let replies = [
        Reply::Answer(Box::new(answer)),
        Reply::Silence,
        Reply::Closed,
        Reply::Broken("the length word says 1".to_owned()),
    ];
    for (one, expected) in replies.iter().enumerate() {
        for (other, found) in replies.iter().enumerate() {
            assert_eq!(compare(expected, found, &rules).is_empty(), one == other, "{expected} and {found}");
        }
    }
}

#[test]
fn exception_texts_are_worded_freely_only_where_the_rule_is_asked_for() {
    let (_, mut answer, addresses) = answers().swap_remove(0);
    let mut check = |against, expected: (i32, &str), found: (i32, &str), same: bool| {
        (answer.code, answer.remark) = (expected.0, Some(expected.1.to_owned()));
        let mut other = answer.clone();
        (other.code, other.remark) = (found.0, Some(found.1.to_owned()));
        let rules = Rules { addresses: &addresses, against };
        let [expected, found] = [answer.clone(), other].map(|answer| Reply::Answer(Box::new(answer)));
        assert_eq!(compare(&expected, &found, &rules).is_empty(), same, "{expected} and {found}");
    };
    let null = (1, "java.lang.NullPointerException, a.b.C.d(C.java:1)");
    let decode = (1, "org.apache.rocketmq.remoting.exception.RemotingCommandException: no, e");
    check(Against::Captures, null, decode, false);
    check(Against::RunningServer, null, decode, true);
    check(Against::RunningServer, null, (1, "the field brokerId is missing"), true);
    check(Against::RunningServer, null, (1, "disable"), false);
    check(Against::RunningServer, (1, "disable"), null, false);
    check(Against::RunningServer, null, (2, decode.1), false);
}

#[test]
fn a_clock_and_an_empty_order_configuration_are_allowed_where_the_rules_say_so() {
    use Against::{Captures, RunningServer};
    let (_, answer, addresses) = answers().swap_remove(0);
    for (expected, found, against, same) in [
        (r#"{"timestamp":1600000000000}"#, r#"{"timestamp":1700000000000}"#, Captures, true),
        (r#"{"timestamp":1600000000000}"#, r#"{"timestamp":1000}"#, RunningServer, false),
        (r#"{"timestamp":1000}"#, r#"{"timestamp":1600000000000}"#, RunningServer, false),
        (r#"{"orderTopicConf":""}"#, "{}", RunningServer, true),
        (r#"{"orderTopicConf":""}"#, "{}", Captures, false),
        (r#"{"orderTopicConf":"a:1"}"#, "{}", RunningServer, false),
        ("{}", r#"{"orderTopicConf":""}"#, RunningServer, false),
    ] {
        let rules = Rules { addresses: &addresses, against };
        let [expected, found] = [expected, found].map(|body| {
            let body = Body::read(body.as_bytes(), 105, 0);
            Reply::Answer(Box::new(Answer { body, ..answer.clone() }))
        });
        assert_eq!(compare(&expected, &found, &rules).is_empty(), same, "{expected} and {found}");
    }
}

/// Every captured answer, with the addresses that its server knew.
fn answers() -> Vec<(Capture, Answer, BTreeSet<String>)> {
    let states = initial_state();
    let answer = |capture: Capture| {
        let answer = Answer::cut(&capture.frame()?, capture.code).expect("a readable answer");
        let addresses = addresses(&states[&capture.server]);
        Some((capture, answer, addresses))
    };
    manifest().into_iter().filter_map(answer).collect()
}

fn differences(expected: &Reply, mutant: Answer, addresses: &BTreeSet<String>) -> Vec<String> {
    let rules = Rules { addresses, against: Against::Captures };
    compare(expected, &Reply::Answer(Box::new(mutant)), &rules).iter().map(ToString::to_string).collect()
}
