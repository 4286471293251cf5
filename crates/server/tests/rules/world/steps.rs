//! Tables: what is done with a server, and what it then shows or answers.

use std::time::Duration;

use rocketmq_nameserver_protocol::command::Command;
use rocketmq_nameserver_server::Personality;

use super::{Answer, BOTH, World, settings};

/// One thing that happens to a server.
pub(crate) enum Step {
    /// A request over that connection.
    Ask(u32, Command),
    /// A request that is not answered.
    Tell(u32, Command),
    Close(u32),
    Wait(Duration),
}

/// Why, what happens, and what is expected then of [4.9.7, 5.3.3].
pub(crate) type Row = (&'static str, Vec<Step>, [&'static str; 2]);

/// What is expected of a server that the row is not for.
const NOTHING: &str = "not for this server";

pub(crate) fn on(connection: u32, request: impl Into<Command>) -> Step {
    Step::Ask(connection, request.into())
}

pub(crate) fn ask(request: impl Into<Command>) -> Step {
    on(0, request)
}

pub(crate) fn tell(connection: u32, request: impl Into<Command>) -> Step {
    Step::Tell(connection, request.into())
}

pub(crate) fn close(connection: u32) -> Step {
    Step::Close(connection)
}

pub(crate) fn wait(seconds: u64) -> Step {
    Step::Wait(Duration::from_secs(seconds))
}

/// Changes settings of the server, by request 318.
pub(crate) fn set(text: &str) -> Step {
    ask(settings(text))
}

pub(crate) const fn both(expected: &'static str) -> [&'static str; 2] {
    [expected, expected]
}

pub(crate) const fn v4(expected: &'static str) -> [&'static str; 2] {
    [expected, NOTHING]
}

pub(crate) const fn v5(expected: &'static str) -> [&'static str; 2] {
    [NOTHING, expected]
}

/// Whether a line is the expected one; `…` at its end stands for the text of an exception, which never has fields.
pub(crate) fn matches(line: &str, expected: &str) -> bool {
    match expected.strip_suffix('…') {
        Some(start) => {
            line.strip_prefix(start).is_some_and(|text| !text.is_empty() && !text.starts_with('{'))
        }
        None => line == expected,
    }
}

impl World {
    /// Does these things. Gives back the last answer.
    pub(crate) async fn run(&mut self, steps: Vec<Step>) -> Option<Answer> {
        let mut last = None;
        for step in steps {
            match step {
                Step::Ask(connection, request) => last = Some(self.ask_on(connection, request).await),
                Step::Tell(connection, request) => self.tell(connection, request).await,
                Step::Close(connection) => self.close(connection).await,
                Step::Wait(time) => self.advance(time).await,
            }
        }
        last
    }
}

#[derive(Clone, Copy)]
enum View {
    Shows,
    Answer,
    Route,
}

/// After the steps of a row [`World::shows`] what the row expects.
pub(crate) async fn shows(rows: impl Fn() -> Vec<Row>) {
    check(rows, View::Shows).await;
}

/// The last answer of a row is the line that it expects.
pub(crate) async fn answers(rows: impl Fn() -> Vec<Row>) {
    check(rows, View::Answer).await;
}

/// The last answer of a row is the route that it expects, in short.
pub(crate) async fn routes(rows: impl Fn() -> Vec<Row>) {
    check(rows, View::Route).await;
}

async fn check(rows: impl Fn() -> Vec<Row>, view: View) {
    let mut wrong = Vec::new();
    for (at, personality) in BOTH.into_iter().enumerate() {
        for (name, steps, expected) in rows() {
            let expected = expected[at];
            if expected == NOTHING {
                continue;
            }
            let found = look(personality, steps, view).await;
            if !matches(&found, expected) {
                wrong.push(format!(
                    "{personality:?}: {name}\n    expected {expected:?}\n       found {found:?}"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{} rows:\n{}", wrong.len(), wrong.join("\n"));
}

async fn look(personality: Personality, steps: Vec<Step>, view: View) -> String {
    let mut world = World::new(personality);
    let last = world.run(steps).await;
    match view {
        View::Shows => world.shows().await,
        View::Answer => last.expect("an answer").line(),
        View::Route => last.expect("an answer").route(),
    }
}
