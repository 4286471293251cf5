//! Clients and tools that run to their end: the sources in this crate's folder `interop/`.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::error::InteropError;
use super::home::{Home, last_lines};
use super::jars::{Jars, homes, interop_folder};
use super::java_process::{FOREIGN_VARIABLES, property};
use super::tools::run;

/// What the servers' logback file would print would stand among what the program prints.
const SILENT_LOGBACK: &str = "<configuration/>\n";

/// How long building the Go client may take. About a minute the first time, with the modules to be fetched.
const BUILD_LIMIT: Duration = Duration::from_secs(600);

/// Runs a Java source against the jars of a release: `SendAndReceive.java`. Returns what it printed; what it wrote
/// elsewhere is gone.
///
/// # Errors
/// [`InteropError::Program`] with its last lines if it fails or does not end within the limit, when it is killed;
/// [`InteropError::MissingTool`] without `java`.
pub fn run_java(
    jars: &Jars,
    source: &str,
    arguments: &[&str],
    limit: Duration,
) -> Result<String, InteropError> {
    let home = Home::create(&jars.homes(), "")?;
    fs::write(home.logback(), SILENT_LOGBACK).map_err(InteropError::io("write a program's settings"))?;
    let mut java = Command::new("java");
    java.args(["-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:-UsePerfData"])
        .args([property("user.home", home.path()), property("java.io.tmpdir", home.path())])
        .arg(property("rmq.logback.configurationFile", &home.logback()))
        .arg("-cp")
        .arg(jars.class_path())
        .arg(folder().join(source))
        .args(arguments);
    let program = format!("{source} with the jars of {}", jars.release());
    run_to_end(java, &program, "java", &home, limit)
}

/// The Go client, built.
#[derive(Clone, Debug)]
pub struct GoClient {
    program: PathBuf,
}

impl GoClient {
    /// Builds the source in the folder `go`, with the modules that its `go.sum` names, into `<target>/interop/go`.
    ///
    /// # Errors
    /// [`InteropError::Program`] with its last lines if it fails or takes over 10 minutes; [`InteropError::MissingTool`]
    /// without `go`.
    pub fn build() -> Result<GoClient, InteropError> {
        let program = interop_folder().join("go/send-and-receive");
        let mut go = Command::new("go");
        go.args(["build", "-C"])
            .arg(folder().join("go"))
            .args(["-mod=readonly", "-buildvcs=false", "-o"])
            .args([program.as_os_str(), ".".as_ref()]);
        let home = Home::create(&homes(&interop_folder()), "")?;
        run_to_end(go, "go build", "go", &home, BUILD_LIMIT)?;
        Ok(GoClient { program })
    }

    /// Runs it and returns what it printed; what it wrote elsewhere is gone.
    ///
    /// # Errors
    /// As [`run_java`].
    pub fn run(&self, arguments: &[&str], limit: Duration) -> Result<String, InteropError> {
        let home = Home::create(&homes(&interop_folder()), "")?;
        let mut client = Command::new(&self.program);
        client.args(arguments).env("HOME", home.path());
        run_to_end(client, "the Go client", "go", &home, limit)
    }
}

/// Where the sources are.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("interop")
}

/// Runs a program in a home and returns what it printed.
fn run_to_end(
    mut command: Command,
    program: &str,
    tool: &'static str,
    home: &Home,
    limit: Duration,
) -> Result<String, InteropError> {
    let errors = home.path().join("errors.log");
    let create = |path: &Path| File::create(path).map_err(InteropError::io("write a program's output"));
    command
        .current_dir(home.path())
        .env("ROCKETMQ_HOME", home.path())
        .stdout(create(&home.output())?)
        .stderr(create(&errors)?);
    for variable in FOREIGN_VARIABLES {
        command.env_remove(variable);
    }
    let ended = run(&mut command, limit).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => InteropError::MissingTool { tool },
        _ => InteropError::io(format!("run {program}"))(source),
    })?;
    if !ended.is_some_and(|status| status.success()) {
        return Err(InteropError::Program {
            program: program.to_owned(),
            ending: ended
                .map_or_else(|| format!("not done after {} s", limit.as_secs()), |status| status.to_string()),
            output: format!("{}\n{}", last_lines(&home.output()), last_lines(&errors)),
        });
    }
    let printed = fs::read(home.output()).map_err(InteropError::io("read a program's output"))?;
    Ok(String::from_utf8_lossy(&printed).into_owned())
}
