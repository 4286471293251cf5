//! What the client makes of routes and names is what Java's client 5.3.3 makes of them.
//!
//! | file | what |
//! |---|---|
//! | `random.rs`, `routes.rs`, `names.rs` | generated routes and names, the same in each run |
//! | `derived.rs` | what this client makes of a route |
//! | `compare.rs` | beside what Java's client makes of it |

mod compare;
mod derived;
mod names;
mod random;
mod routes;

use std::fs;
use std::path::Path;
use std::time::Duration;

use rocketmq_nameserver_testkit::interop::{InteropError, Jars, Release, has_tools, run_java};
use serde_json::Value;

use compare::Comparison;
use derived::derived;

/// The programs take a few seconds.
const LIMIT: Duration = Duration::from_secs(150);

const SEED: u64 = 20_240_533;
const ROUTES: usize = 200;

#[test]
fn queues_addresses_and_default_topics_of_routes_are_those_of_java() -> Result<(), InteropError> {
    if !has_tools() {
        return Ok(());
    }
    let routes = routes::generate(SEED, ROUTES);
    let lines: Vec<String> = routes.iter().map(|case| case.to_json().to_string()).collect();
    let answers = java("RouteDerivations.java", &lines)?;
    let mut comparison = Comparison::default();
    for (case, java) in routes.iter().zip(&answers) {
        comparison.add(case, &derived(case), java);
    }
    say(&format!("{ROUTES} routes: {comparison}"));
    assert!(comparison.differences.is_empty(), "{}", comparison.differences.join("\n"));
    comparison.assert_reach();
    Ok(())
}

#[test]
fn names_are_made_read_and_checked_as_java_does() -> Result<(), InteropError> {
    if !has_tools() {
        return Ok(());
    }
    let cases = names::generate(SEED);
    let lines: Vec<String> = cases.iter().map(|case| case.to_json().to_string()).collect();
    let answers = java("NameRules.java", &lines)?;
    let (mut compared, mut differences) = (0, Vec::new());
    for (case, java) in cases.iter().zip(&answers) {
        let ours = case.derived();
        let fields = ours.as_object().expect("an object");
        compared += fields.len();
        assert_eq!(java.as_object().map(serde_json::Map::len), Some(fields.len()), "{java}");
        let different = fields.iter().filter(|(field, ours)| java[field.as_str()] != **ours);
        differences.extend(
            different
                .map(|(field, ours)| format!("{case:?}, {field}: {ours}, Java {}", java[field.as_str()])),
        );
    }
    let count = cases.len();
    say(&format!("{count} names: {compared} values compared, {} differ", differences.len()));
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    for (field, answers_to) in
        [("checkTopic", &["fine", "blank", "longer", "illegal"][..]), ("checkGroup", &["fine", "longer"])]
    {
        for answer in answers_to {
            assert!(answers.iter().any(|java| java[field] == *answer), "no case is {answer} to {field}");
        }
    }
    Ok(())
}

/// What a program answers to each line.
fn java(source: &str, lines: &[String]) -> Result<Vec<Value>, InteropError> {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(source).with_extension("jsonl");
    fs::write(&file, lines.join("\n") + "\n").expect("a file for the program's input");
    let jars = Jars::fetch(Release::V5_3_3)?;
    let printed = run_java(&jars, source, &[file.to_str().expect("a path of text")], LIMIT)?;
    let answers: Vec<Value> = printed
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    assert_eq!(answers.len(), lines.len(), "{printed}");
    Ok(answers)
}

/// Tells what was compared, for the record.
#[expect(clippy::print_stdout, reason = "for the record")]
fn say(text: &str) {
    println!("{text}");
}
