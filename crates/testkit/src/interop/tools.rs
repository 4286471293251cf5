//! The programs that a machine needs to run the Java servers and to build the Go client.

use std::io;
use std::ops::ControlFlow::{Break, Continue};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use super::wait::until;

/// How long a tool may take to print its version. Two are JVMs: a good half second on a busy machine.
const VERSION_LIMIT: Duration = Duration::from_secs(30);

/// Which of `java` and `mvn` do not run here; empty if all is well. Both are tried at the same time.
pub fn missing_tools() -> Vec<&'static str> {
    thread::scope(|scope| {
        let tried = ["java", "mvn"].map(|tool| (tool, scope.spawn(move || does_run(tool, "-version"))));
        tried.into_iter().filter_map(|(tool, run)| (!run.join().unwrap_or(false)).then_some(tool)).collect()
    })
}

/// Whether the real servers can be started here. Where they cannot, says why; in CI, which must have them, it panics.
pub fn has_tools() -> bool {
    has_all("the real servers cannot be started", &missing_tools())
}

/// Whether the Go client can be built here. Where it cannot, says why; in CI it panics.
pub fn has_go() -> bool {
    let missing = if does_run("go", "version") { vec![] } else { vec!["go"] };
    has_all("the Go client cannot be built", &missing)
}

#[expect(clippy::print_stderr, reason = "a skipped test must be seen")]
fn has_all(without_them: &str, missing: &[&str]) -> bool {
    if missing.is_empty() {
        return true;
    }
    let why = format!("SKIPPED, {without_them}: {} not found", missing.join(" and "));
    assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "{why}");
    eprintln!("{why}");
    false
}

/// Runs a program to its end: how it ended, or `None` if it had to be killed at the limit.
pub(super) fn run(command: &mut Command, limit: Duration) -> io::Result<Option<ExitStatus>> {
    let mut child = command.stdin(Stdio::null()).spawn()?;
    let ended = until(limit, || match child.try_wait().transpose() {
        Some(ended) => Break(ended.map(Some)),
        None => Continue(()),
    });
    ended.unwrap_or_else(|()| {
        child.kill()?;
        child.wait().map(|_| None)
    })
}

fn does_run(tool: &str, version_argument: &str) -> bool {
    let mut version = Command::new(tool);
    version.arg(version_argument).stdout(Stdio::null()).stderr(Stdio::null());
    run(&mut version, VERSION_LIMIT).is_ok_and(|ended| ended.is_some_and(|status| status.success()))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_program_ends_by_itself_or_at_the_limit() {
        const MINUTE: Duration = Duration::from_secs(60);
        for (program, argument, limit, expected) in [
            ("true", "", MINUTE, Ok(Some(true))),
            ("false", "", MINUTE, Ok(Some(false))),
            ("sleep", "60", Duration::ZERO, Ok(None)),
            ("no-such-program", "", MINUTE, Err(io::ErrorKind::NotFound)),
        ] {
            let ended = run(Command::new(program).arg(argument), limit);
            let ended = ended.map(|status| status.map(|status| status.success()));
            assert_eq!(ended.map_err(|error| error.kind()), expected, "{program}");
        }
    }
}
