//! Every habit of the project as a command: `cargo xtask test`, `cargo xtask interop`, `cargo xtask bench`, `cargo xtask fuzz`.

mod fuzz;
mod python;
mod stages;

use std::process::{Command, ExitCode};
use std::time::Instant;

use clap::{Parser, Subcommand};

use stages::{STAGES, Stage};

/// The project's own commands.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask")]
struct Args {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Runs all stages, or only those named. A stage whose tools are missing is skipped, and said so; with CI=true that
    /// is a failure.
    #[command(after_help = stages::help())]
    Test {
        /// Stages to run, in the given order; all of them if none is named.
        #[arg(value_parser = stages::by_name)]
        stages: Vec<&'static Stage>,
    },
    /// The behaviour suite on the real Java servers: the last stage of `test`.
    Interop,
    /// Measures what a query costs, beside a floor measured in the same run. Arguments go to the bench program.
    Bench {
        /// Such as: run --quick, or render bench/results/baseline.json --check docs/benchmarks.md
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, default_values = ["run"])]
        arguments: Vec<String>,
    },
    /// Looks for input that breaks a promise, on a nightly toolchain. What is found is told with what to do about it.
    #[command(after_help = fuzz::help())]
    Fuzz {
        /// How long each target runs.
        #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
        minutes: u32,
        /// The only target to run; all of them if none is named.
        #[arg(value_parser = fuzz::names())]
        target: Option<String>,
    },
}

fn main() -> ExitCode {
    let passed = match Args::parse().task {
        Task::Test { stages } if stages.is_empty() => run_all(STAGES.iter()),
        Task::Test { stages } => run_all(stages.into_iter()),
        Task::Interop => run_all(STAGES.iter().filter(|stage| stage.name == "interop")),
        Task::Bench { arguments } => {
            // It starts a second program, which `cargo run` does not build.
            let counts_memory = arguments.first().is_some_and(|name| name == "cache");
            (!counts_memory || succeeds(&mut bench_memory())) && succeeds(bench().args(arguments))
        }
        Task::Fuzz { minutes, target } => fuzz::run(minutes, target.as_deref()),
    };
    if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// How a stage ended.
enum Outcome {
    Passed,
    Failed,
    Skipped(String),
}

/// Runs the stages one after the other, stops at the first that fails, and closes with one line per stage.
fn run_all(stages: impl Iterator<Item = &'static Stage>) -> bool {
    let mut lines = Vec::new();
    let mut passed = true;
    for stage in stages {
        say(&format!("== {}: {}", stage.name, stage.what));
        let started = Instant::now();
        let outcome = stage.run();
        let seconds = started.elapsed().as_secs_f32();
        let (word, goes_on) = match outcome {
            Outcome::Passed => ("passed".to_owned(), true),
            Outcome::Failed => ("FAILED".to_owned(), false),
            Outcome::Skipped(why) if in_ci() => (format!("FAILED: {why}, and CI must have it"), false),
            Outcome::Skipped(why) => (format!("SKIPPED: {why}"), true),
        };
        lines.push(format!("{:<12} {seconds:>6.1} s  {word}", stage.name));
        if !goes_on {
            passed = false;
            break;
        }
    }
    say(&format!("\n{}", lines.join("\n")));
    passed
}

fn in_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true")
}

/// A cargo command in the workspace's root.
fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(stages::root());
    if !python::is_here() {
        // The Python package's Rust half can be checked all the same: it is told not to look for an interpreter.
        command.env("PYO3_NO_PYTHON", "1").env("PYO3_BUILD_EXTENSION_MODULE", "1");
    }
    command
}

/// The bench program, built for release; its arguments are yet to come.
fn bench() -> Command {
    cargo(&["run", "--release", "--quiet", "--package", "rocketmq-nameserver-bench", "--"])
}

/// Builds the program beside it that counts allocations.
fn bench_memory() -> Command {
    cargo(&[
        "build",
        "--release",
        "--quiet",
        "--package",
        "rocketmq-nameserver-bench",
        "--bin",
        "rocketmq-nameserver-bench-memory",
    ])
}

fn succeeds(command: &mut Command) -> bool {
    match command.status() {
        Ok(status) => status.success(),
        Err(error) => {
            say(&format!("cannot run {}: {error}", command.get_program().display()));
            false
        }
    }
}

#[expect(clippy::print_stdout, reason = "this is what the program is for")]
fn say(text: &str) {
    println!("{text}");
}
