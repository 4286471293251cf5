//! What a query costs, beside a floor measured in the same run.
//!
//! | module | what |
//! |---|---|
//! | [`stub`] | a server in a process of its own that answers every request with the same ready-made bytes |
//! | [`floor`] | a client that sends ready-made requests and parses nothing: what the machine allows |
//! | [`client`] | the async and the blocking client |
//! | [`rounds`] | who asks when: all of them in turns, and the medians |
//! | [`decode`] | the work on one answer without any waiting: reading its body, beside serde_json; the steps around it |
//! | [`instructions`] | how many instructions that work takes, by [`callgrind`]; the one number that tests hold the code to |
//! | [`cache`] | the route cache beside a bare map, and beside calls without it |
//! | [`python`] | the Python package on a real NameServer |
//! | [`server`] | the embedded server beside the Java server |
//! | [`measure`] | clock, CPU time, percentiles, medians |
//! | [`report`] | the numbers, to JSON and back |
//! | [`bound`] | what is required of a figure |
//! | [`mod@render`] | the numbers as tables and as `docs/benchmarks-client.md` |
//! | [`mod@overview`] | what is required, of all benchmarks, as `docs/benchmarks.md` |
//!
//! The committed numbers are `bench/results/baseline.json`; `docs/benchmarks-client.md` is made from them and a test
//! compares the two; the same for `python.json` and `docs/benchmarks-python.md`, `server.json` and
//! `docs/benchmarks-server.md`, `cache.json` and `docs/benchmarks-cache.md`. Nothing here asserts a speed;
//! `cargo xtask test` compares the instructions with `bench/results/instructions.json`.

mod bound;
mod cache;
mod callgrind;
mod client;
mod decode;
mod floor;
mod instructions;
mod measure;
mod overview;
mod python;
mod render;
mod report;
mod rounds;
mod server;
mod stub;

use std::error::Error;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::cache::CacheReport;
use crate::python::PythonReport;
use crate::report::{Numbers, Report};
use crate::server::ServerReport;

/// What can go wrong is for a person to read; nothing here is handled by kind.
type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Measures what a query costs, beside a floor measured in the same run. Without a subcommand: run.
#[derive(Debug, Parser)]
#[command(name = "bench", args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: RunArguments,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measure everything and print the tables; progress goes to stderr.
    Run(RunArguments),
    /// Measure the Python package on a real NameServer 4.9.7, beside the floor on it. Needs a JDK and Maven.
    Python(python::PythonArguments),
    /// Measure the embedded server beside a real NameServer 5.3.3. Needs a JDK and Maven, unless alone.
    Server(server::ServerArguments),
    /// Measure the route cache beside a bare map, and beside calls without it.
    Cache(cache::CacheArguments),
    /// Count the instructions that decode, encode and a session step take. Needs valgrind.
    Instructions(instructions::InstructionsArguments),
    /// Make the page about the numbers in a file.
    Render(RenderArguments),
    /// Answer every request with the same bytes until stdin ends. `run` starts this itself.
    #[command(hide = true)]
    Stub,
    /// Do a piece of work on prepared input. `instructions` starts this itself, under valgrind.
    #[command(hide = true)]
    Work(instructions::WorkArguments),
    /// Be an embedded server until stdin ends. `server` starts this itself, and the two below.
    #[command(hide = true)]
    Serve,
    /// Register a large broker again and again.
    #[command(hide = true)]
    Register(server::RegisterArguments),
    /// Hold idle connections until stdin ends.
    #[command(hide = true)]
    Idle(server::IdleArguments),
}

#[derive(Debug, Args)]
struct RunArguments {
    /// Fewer and shorter rounds: a few seconds in all, for a look.
    #[arg(long)]
    quick: bool,
    /// Write the numbers to this file, too.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct RenderArguments {
    /// What `run`, `python`, `server` or `cache` wrote with `--json`, or the folder that has all four.
    #[arg(value_name = "FILE.json")]
    numbers: PathBuf,
    /// Write the page to this file instead of standard output.
    #[arg(long, value_name = "PAGE.md")]
    write: Option<PathBuf>,
    /// Write nothing; fail unless this file is that page.
    #[arg(long, value_name = "PAGE.md", conflicts_with = "write")]
    check: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = match arguments.command.unwrap_or(Command::Run(arguments.run)) {
        Command::Run(arguments) => run(&arguments),
        Command::Python(arguments) => run_python(&arguments),
        Command::Server(arguments) => run_server(&arguments),
        Command::Cache(arguments) => run_cache(&arguments),
        Command::Render(arguments) => render(&arguments),
        Command::Instructions(arguments) => instructions::run(&arguments),
        Command::Stub => stub::serve(),
        Command::Work(arguments) => instructions::work(&arguments),
        Command::Serve => server::serve(),
        Command::Register(arguments) => server::register(&arguments),
        Command::Idle(arguments) => server::hold(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("bench: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &RunArguments) -> Outcome<()> {
    warn_of_debug_build();
    let plan = if arguments.quick { rounds::Plan::QUICK } else { rounds::Plan::FULL };
    let report = rounds::run(&plan)?;
    publish(arguments.json.as_deref(), &report.to_json()?, &render::tables(&report))
}

fn run_python(arguments: &python::PythonArguments) -> Outcome<()> {
    warn_of_debug_build();
    let report = python::run(arguments)?;
    publish(arguments.json.as_deref(), &report.to_json()?, &python::tables(&report))
}

fn run_server(arguments: &server::ServerArguments) -> Outcome<()> {
    warn_of_debug_build();
    let report = server::run(arguments)?;
    publish(arguments.json.as_deref(), &report.to_json()?, &server::tables(&report))
}

fn run_cache(arguments: &cache::CacheArguments) -> Outcome<()> {
    warn_of_debug_build();
    let report = cache::run(arguments)?;
    publish(arguments.json.as_deref(), &report.to_json()?, &cache::tables(&report))
}

fn warn_of_debug_build() {
    if cfg!(debug_assertions) {
        say("this is a debug build: run it with `cargo xtask bench` or `cargo run --release`");
    }
}

fn publish(file: Option<&Path>, numbers: &str, tables: &str) -> Outcome<()> {
    if let Some(path) = file {
        fs::write(path, numbers).map_err(|error| about(path, &error))?;
        say(&format!("wrote {}", path.display()));
    }
    print(tables)
}

fn print(text: &str) -> Outcome<()> {
    writeln!(io::stdout().lock(), "{text}")?;
    Ok(())
}

fn render(arguments: &RenderArguments) -> Outcome<()> {
    let read = |path: &Path| fs::read_to_string(path).map_err(|error| about(path, &error));
    let page = if arguments.numbers.is_dir() {
        overview::page(&arguments.numbers)?
    } else {
        page_about(&read(&arguments.numbers)?)?
    };
    match (&arguments.write, &arguments.check) {
        (Some(path), _) => fs::write(path, page).map_err(|error| about(path, &error).into()),
        (None, Some(path)) => match render::first_difference(&page, &read(path)?) {
            None => Ok(()),
            Some(line) => Err(format!(
                "{page} is not what {numbers} says, first in line {line}; make it again:\n    \
                 cargo xtask bench render {numbers} --write {page}",
                page = path.display(),
                numbers = arguments.numbers.display(),
            )
            .into()),
        },
        (None, None) => Ok(io::stdout().lock().write_all(page.as_bytes())?),
    }
}

fn page_about(numbers: &str) -> Outcome<String> {
    Ok(if PythonReport::is_meant_by(numbers) {
        python::page(&PythonReport::from_json(numbers)?)
    } else if ServerReport::is_meant_by(numbers) {
        server::page(&ServerReport::from_json(numbers)?)
    } else if CacheReport::is_meant_by(numbers) {
        cache::page(&CacheReport::from_json(numbers)?)
    } else {
        // Whatever it is: the error says what is missing.
        render::page(&Report::from_json(numbers)?)
    })
}

fn about(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// A line for the person who waits. If even stderr is closed there is nobody to tell.
fn say(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}
