use super::super::Discovery;
use super::*;
use crate::address::parse_list;
use crate::error::NameServerError;

const SECOND: Duration = Duration::from_secs(1);

/// A source that is asked every 30 s, under the number that it has in the book.
fn source() -> Discovery {
    Discovery::from_fn(30 * SECOND, || async { Ok::<_, NameServerError>(Vec::new()) })
}

fn answer(text: &str) -> Answer {
    if text.is_empty() { Err("it failed".to_owned()) } else { Ok(parse_list(text).unwrap()) }
}

/// A book with a clock.
struct Told {
    book: Book,
    start: Instant,
    now: Instant,
}

impl Told {
    fn new(discovery: &Discovery) -> Self {
        let now = Instant::now();
        Told { book: Book::new(&discovery.plan), start: now, now }
    }

    /// Moves the clock to that second; those that are to be asked then.
    fn asks_at(&mut self, second: f32) -> Vec<usize> {
        self.now = self.start + SECOND.mul_f32(second);
        self.book.begin_due(self.now).into_iter().map(|(number, _)| number).collect()
    }

    /// Whether it is worth a warning.
    fn says(&mut self, number: usize, text: &str) -> bool {
        self.book.end(number, answer(text), self.now).is_some()
    }

    fn list(&self) -> (String, bool) {
        let Verdict { servers, is_settled } = self.book.verdict();
        (servers.iter().map(ServerAddress::host).collect::<Vec<_>>().join(";"), is_settled)
    }

    /// When the next one is to be asked, in seconds from the start.
    fn next(&self) -> Option<f32> {
        self.book.next_due(self.now).map(|due| due.duration_since(self.start).as_secs_f32())
    }
}

fn settled(list: &str) -> (String, bool) {
    (list.to_owned(), true)
}

#[test]
fn the_first_one_that_has_a_list_counts_and_those_behind_it_are_not_asked() {
    let mut told = Told::new(&source().or(source()).or(source()));
    assert_eq!(told.list(), (String::new(), false));
    assert_eq!(told.asks_at(0.0), [0]);
    told.says(0, "");
    assert_eq!(told.list(), (String::new(), false));
    assert_eq!(told.asks_at(0.0), [1]);
    told.says(1, "b");
    assert_eq!(told.list(), settled("b"));
    assert!(told.asks_at(0.0).is_empty());
    // The first one is asked again sooner, because it failed.
    assert_eq!(told.next(), Some(10.0));
    assert_eq!(told.asks_at(10.0), [0]);
    assert_eq!(told.list(), settled("b"), "it is in use while the first one is asked");
    told.says(0, "a");
    assert_eq!(told.list(), settled("a"));
    // From now on only the first one matters, whatever happens to it.
    assert_eq!(told.asks_at(40.0), [0]);
    assert!(told.says(0, ""), "the first failure");
    assert_eq!(told.list(), settled("a"));
    assert_eq!(told.asks_at(50.0), [0]);
    assert!(!told.says(0, ""), "no news");
    assert_eq!(told.list(), settled("a"));
}

#[test]
fn all_together_wait_for_each_other_once_and_keep_what_they_had() {
    let mut told = Told::new(&source().and(source()));
    assert_eq!(told.asks_at(0.0), [0, 1]);
    told.says(1, "b;c");
    assert_eq!(told.list(), ("b;c".to_owned(), false));
    told.says(0, "a;b");
    assert_eq!(told.list(), settled("a;b;c"));
    assert_eq!(told.asks_at(30.0), [0, 1]);
    told.says(1, "c;d;d");
    assert_eq!(told.list(), settled("a;b;c;d"), "one that is being asked stands for its list");
    told.says(0, "");
    assert_eq!(told.list(), settled("a;b;c;d"), "one that failed, too");
}

#[test]
fn one_of_them_may_fail_from_the_start() {
    let mut told = Told::new(&source().and(source()));
    told.asks_at(0.0);
    assert!(!told.says(0, ""), "the error of the call says so, if there is one");
    told.says(1, "b");
    assert_eq!(told.list(), settled("b"));
}

#[test]
fn a_failed_call_has_everybody_asked_again_but_not_more_often_than_every_second() {
    let mut told = Told::new(&source());
    assert_eq!(told.asks_at(0.0), [0]);
    told.book.hurry();
    assert!(!told.book.is_hurried(), "it is being asked");
    told.says(0, "a");
    assert_eq!(told.next(), Some(30.0));
    told.book.hurry();
    assert_eq!((told.next(), told.book.is_hurried()), (Some(1.0), true));
    assert!(told.asks_at(0.9).is_empty());
    assert_eq!(told.asks_at(1.0), [0]);
    told.says(0, "a");
    assert_eq!((told.next(), told.book.is_hurried()), (Some(31.0), false));
    told.asks_at(5.0);
    told.book.hurry();
    assert_eq!(told.asks_at(5.0), [0], "at once, if it was long ago");
}

#[test]
fn what_does_not_change_is_asked_once_or_as_long_as_there_is_no_list() {
    let mut told = Told::new(&Discovery::env().or(Discovery::env()));
    assert_eq!(told.asks_at(0.0), [0]);
    told.says(0, "");
    assert_eq!(told.asks_at(0.0), [1]);
    told.says(1, "");
    assert_eq!(told.list(), settled(""));
    assert_eq!(told.next(), None);
    told.book.hurry();
    assert_eq!(told.asks_at(1.0), [0, 1]);
    told.says(0, "");
    told.says(1, "b");
    told.book.hurry();
    assert_eq!((told.asks_at(100.0), told.next()), (vec![], None));
}

#[test]
fn an_interval_that_is_shorter_than_the_usual_ones_holds_for_them_too() {
    let mut told = Told::new(&source().every(SECOND / 2));
    told.asks_at(0.0);
    told.says(0, "");
    assert_eq!(told.next(), Some(0.5));
    told.book.hurry();
    assert_eq!(told.next(), Some(0.5));
}

#[test]
fn who_does_not_ask_in_time_is_overdue() {
    let mut told = Told::new(&source());
    let overdue = |told: &Told, second: f32| told.book.is_overdue(told.start + SECOND.mul_f32(second));
    told.asks_at(0.0);
    assert!(!overdue(&told, 40.0) && overdue(&told, 41.0), "30 s for an answer, 10 s of patience");
    told.says(0, "a");
    assert!(!overdue(&told, 40.0) && overdue(&told, 41.0), "30 s until the next question");
    told.asks_at(30.0);
    told.book.forget_questions();
    assert_eq!(told.asks_at(30.0), [0]);
}

#[test]
fn reasons_name_each_source_that_matters() {
    let mut told =
        Told::new(&Discovery::env_named("A").or(Discovery::env_named("B").and(Discovery::env_named("C"))));
    assert_eq!(told.book.reasons(), "environment variable A: it has not answered yet");
    told.asks_at(0.0);
    told.says(0, "");
    told.asks_at(0.0);
    told.says(2, "");
    let expected = "environment variable A: it failed; environment variable B: it has not answered yet; \
                    environment variable C: it failed";
    assert_eq!(told.book.reasons(), expected);
}
