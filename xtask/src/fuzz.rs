//! `cargo xtask fuzz`: every fuzz target for some minutes, one after the other.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clap::builder::PossibleValuesParser;

use crate::{say, stages, succeeds};

/// What can be fuzzed, and what a finding would break.
const TARGETS: &[(&str, &str)] = &[
    ("frame", "frames are cut and headers opened alike in any pieces, and written as they were"),
    ("json", "bodies say what two other parsers read in them"),
    ("session", "every call ends once and in the right way, whatever comes in whatever order"),
    ("address", "addresses print as they are read again"),
];

/// How long one input may take, in seconds. They take milliseconds; the slack is for a machine that stands still for a while.
const SECONDS_PER_INPUT: u32 = 60;

/// How much one allocation may take, in MiB. Inputs are a few KiB, and memory follows what arrives.
const MEBIBYTES_AT_ONCE: u32 = 64;

/// The targets as a list for `--help`.
pub(crate) fn help() -> String {
    let lines: Vec<String> = TARGETS.iter().map(|(name, what)| format!("  {name:<8} {what}")).collect();
    format!("Targets:\n{}", lines.join("\n"))
}

/// Takes the name of a target.
pub(crate) fn names() -> PossibleValuesParser {
    PossibleValuesParser::new(TARGETS.iter().map(|(name, _)| *name))
}

/// Runs each target, or only the one named, for so many minutes, and closes with one line per target. Says whether
/// nothing was found.
pub(crate) fn run(minutes: u32, only: Option<&str>) -> bool {
    if let Some(advice) = missing() {
        say(&advice);
        return false;
    }
    let targets: Vec<&str> =
        TARGETS.iter().map(|(name, _)| *name).filter(|name| only.is_none_or(|only| only == *name)).collect();
    let mut lines = Vec::new();
    let mut found_nothing = true;
    for (at, target) in targets.iter().enumerate() {
        say(&format!("== {target} ({} of {}): {minutes} min", at + 1, targets.len()));
        let before = artifacts(target);
        let passed = fuzz(target, minutes);
        let new: Vec<PathBuf> = artifacts(target).into_iter().filter(|path| !before.contains(path)).collect();
        lines.push(match (passed, new.first()) {
            (true, _) => format!("{target:<8} nothing found"),
            (false, Some(input)) => finding(target, input),
            (false, None) => format!("{target:<8} FAILED: it was not built or did not run, see above"),
        });
        found_nothing &= passed;
    }
    say(&format!("\n{}", lines.join("\n")));
    found_nothing
}

/// What to install first, if anything.
fn missing() -> Option<String> {
    if !runs(nightly().args(["rustc", "--version"])) {
        return Some("fuzzing needs a nightly toolchain: rustup toolchain install nightly".to_owned());
    }
    if !runs(nightly().args(["cargo", "fuzz", "--version"])) {
        return Some(
            "fuzzing needs cargo-fuzz: cargo install cargo-fuzz --locked --version 0.13.2".to_owned(),
        );
    }
    None
}

/// Without a trace of the toolchain that runs this program.
fn nightly() -> Command {
    let mut command = Command::new("rustup");
    command.args(["run", "nightly"]).env_remove("CARGO").current_dir(stages::root());
    command
}

fn runs(command: &mut Command) -> bool {
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

/// New inputs go to `fuzz/found/`, which is not committed; the corpus is read and left as it is.
fn fuzz(target: &str, minutes: u32) -> bool {
    let found = format!("fuzz/found/{target}");
    if let Err(error) = fs::create_dir_all(stages::root().join(&found)) {
        say(&format!("cannot make {found}: {error}"));
        return false;
    }
    let corpus = format!("fuzz/corpus/{target}");
    let mut command = nightly();
    command.args(["cargo", "fuzz", "run", target, &found, &corpus, "--"]).args([
        format!("-max_total_time={}", u64::from(minutes) * 60),
        format!("-timeout={SECONDS_PER_INPUT}"),
        format!("-report_slow_units={SECONDS_PER_INPUT}"),
        format!("-malloc_limit_mb={MEBIBYTES_AT_ONCE}"),
        "-print_final_stats=1".to_owned(),
    ]);
    let words = format!("fuzz/dictionaries/{target}.dict");
    if stages::root().join(&words).exists() {
        command.arg(format!("-dict={words}"));
    }
    succeeds(&mut command)
}

/// The inputs that broke a promise.
fn artifacts(target: &str) -> Vec<PathBuf> {
    let folder = Path::new("fuzz/artifacts").join(target);
    let entries = fs::read_dir(stages::root().join(&folder)).into_iter().flatten().flatten();
    entries.map(|entry| folder.join(entry.file_name())).collect()
}

fn finding(target: &str, input: &Path) -> String {
    let input = input.display();
    format!(
        "{target:<8} FOUND {input}\n\
         \x20        make it small:  cargo +nightly fuzz tmin {target} {input}\n\
         \x20        keep it:        cp {input} fuzz/corpus/{target}/what-it-is\n\
         \x20        see it fail:    cargo test -p rocketmq-nameserver-testkit --lib hostile"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_is_known() {
        let files = fs::read_dir(stages::root().join("fuzz/fuzz_targets")).unwrap();
        let mut files: Vec<String> =
            files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        let mut known: Vec<String> = TARGETS.iter().map(|(name, _)| format!("{name}.rs")).collect();
        files.sort();
        known.sort();
        assert_eq!(files, known);
    }
}
