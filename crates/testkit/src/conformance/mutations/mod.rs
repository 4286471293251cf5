//! A comparison that finds nothing proves nothing unless it can find something: each capture is compared with itself
//! after one thing in it was changed. What may differ is changed too, and must not be found.

mod changes;

use std::collections::BTreeSet;

use super::answer::Answer;
use super::compare::compare;
use super::known::{ExceptionTexts, Rules};
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
    let rules = Rules { addresses: &addresses, exception_texts: ExceptionTexts::Exact };
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
    let mut check = |texts, expected: (i32, &str), found: (i32, &str), same: bool| {
        (answer.code, answer.remark) = (expected.0, Some(expected.1.to_owned()));
        let mut other = answer.clone();
        (other.code, other.remark) = (found.0, Some(found.1.to_owned()));
        let rules = Rules { addresses: &addresses, exception_texts: texts };
        let [expected, found] = [answer.clone(), other].map(|answer| Reply::Answer(Box::new(answer)));
        assert_eq!(compare(&expected, &found, &rules).is_empty(), same, "{expected} and {found}");
    };
    let null = (1, "java.lang.NullPointerException, a.b.C.d(C.java:1)");
    let decode = (1, "org.apache.rocketmq.remoting.exception.RemotingCommandException: no, e");
    check(ExceptionTexts::Exact, null, decode, false);
    check(ExceptionTexts::AnyWording, null, decode, true);
    check(ExceptionTexts::AnyWording, null, (1, "disable"), false);
    check(ExceptionTexts::AnyWording, (1, "disable"), null, false);
    check(ExceptionTexts::AnyWording, null, (2, decode.1), false);
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
    let rules = Rules { addresses, exception_texts: ExceptionTexts::Exact };
    compare(expected, &Reply::Answer(Box::new(mutant)), &rules).iter().map(ToString::to_string).collect()
}
