//! One Java server as a child process: started, watched until it is ready, stopped, and always reaped.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::ops::ControlFlow::{Break, Continue};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use super::error::InteropError;
use super::home::{Home, last_lines};
use super::jars::Jars;
use super::wait::until;

/// How long a server may take to shut down by itself. A NameServer takes 3 s at most, a broker 11 s.
const STOP_LIMIT: Duration = Duration::from_secs(30);

/// How long a killed process may take to be gone.
const KILL_LIMIT: Duration = Duration::from_secs(10);

/// What both servers print when they listen.
const BOOT: &str = "boot success";

/// What the shell of the caller may say to Java programs; here everything is said by flags and settings.
pub(super) const FOREIGN_VARIABLES: [&str; 6] = [
    "_JAVA_OPTIONS",
    "CLASSPATH",
    "JAVA_TOOL_OPTIONS",
    "JDK_JAVA_OPTIONS",
    "NAMESRV_ADDR",
    "ROCKETMQ_SERIALIZE_TYPE",
];

/// What to start.
pub(super) struct Launch<'a> {
    /// For errors: `NameServer 4.9.7 on 127.0.0.1:10250`.
    pub(super) server: String,
    /// The class path.
    pub(super) jars: &'a Jars,
    /// The class with `main`.
    pub(super) main_class: &'static str,
    /// Flags for the JVM.
    pub(super) flags: &'a [&'a str],
    /// What is in the file behind `-c`.
    pub(super) settings: &'a str,
}

/// A server process and its home. Dropping it kills the process, then removes the home.
pub(super) struct JavaProcess {
    server: String,
    arguments: Vec<OsString>,
    // There until it has been waited for: as long as it is, its id cannot belong to another process.
    child: Option<Child>,
    home: Home,
}

impl JavaProcess {
    /// Makes a home and starts the process. It is not ready yet.
    pub(super) fn start(launch: Launch<'_>) -> Result<JavaProcess, InteropError> {
        let home = Home::create(&launch.jars.homes(), launch.settings)?;
        let mut arguments: Vec<OsString> = launch.flags.iter().map(OsString::from).collect();
        arguments.extend([
            property("user.home", home.path()),
            property("java.io.tmpdir", home.path()),
            property("rmq.logback.configurationFile", &home.logback()),
            // Else the JVM leaves a file in the system's folder for temporary files, whatever the line above says.
            "-XX:-UsePerfData".into(),
            "-cp".into(),
            launch.jars.class_path().into(),
            launch.main_class.into(),
            "-c".into(),
            home.settings().into(),
        ]);
        let mut process = JavaProcess { server: launch.server, arguments, child: None, home };
        process.start_again()?;
        Ok(process)
    }

    /// Starts the process in the home that it has. If it still runs it is killed first.
    pub(super) fn start_again(&mut self) -> Result<(), InteropError> {
        self.kill()?;
        let create = || -> io::Result<(File, File)> {
            let output = File::create(self.home.output())?;
            Ok((output.try_clone()?, output))
        };
        let (output, errors) = create().map_err(InteropError::io("write a server's output"))?;
        let mut java = Command::new("java");
        java.args(&self.arguments)
            .current_dir(self.home.path())
            .env("ROCKETMQ_HOME", self.home.path())
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors);
        for variable in FOREIGN_VARIABLES {
            java.env_remove(variable);
        }
        let child = java.spawn().map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => InteropError::MissingTool { tool: "java" },
            _ => InteropError::io("start java")(source),
        })?;
        self.child = Some(child);
        Ok(())
    }

    /// Waits until the server has printed that it listens and `look` finds what else makes it ready. `look` says
    /// what is missing when it finds nothing.
    pub(super) fn wait_ready<T>(
        &mut self,
        limit: Duration,
        mut look: impl FnMut() -> Result<T, String>,
    ) -> Result<T, InteropError> {
        let ready = until(limit, || {
            // First of all: where a port was taken, somebody else would answer for a server that has ended.
            match self.ended() {
                Ok(None) => {}
                Ok(Some(status)) => {
                    return Break(Err(InteropError::Ended {
                        server: self.server.clone(),
                        status,
                        output: last_lines(&self.home.output()),
                    }));
                }
                Err(error) => return Break(Err(error)),
            }
            let said = fs::read(self.home.output()).unwrap_or_default();
            if !said.windows(BOOT.len()).any(|bytes| bytes == BOOT.as_bytes()) {
                return Continue(format!("it has not printed \"{BOOT}\""));
            }
            match look() {
                Ok(found) => Break(Ok(found)),
                Err(missing) => Continue(missing),
            }
        });
        ready.unwrap_or_else(|missing| {
            Err(InteropError::NotReady {
                server: self.server.clone(),
                limit,
                missing,
                output: last_lines(&self.home.output()),
            })
        })
    }

    /// Asks the process to shut down (`SIGTERM`), waits until it is gone or `done` says that it has done what matters,
    /// and kills it then, or after 30 s. Nothing happens if it does not run. `ports` are what it listens on.
    pub(super) fn stop(
        &mut self,
        ports: &[SocketAddr],
        mut done: impl FnMut() -> bool,
    ) -> Result<(), InteropError> {
        let Some(child) = &self.child else { return Ok(()) };
        // A server waits for a thread that looks up every 3 s, or when a connection closes. Here is one to close; if
        // it does not come about, stopping takes longer and that is all.
        let connect = |port| TcpStream::connect_timeout(port, Duration::from_secs(1)).ok();
        let _connections: Vec<TcpStream> = ports.iter().filter_map(connect).collect();
        terminate(child).map_err(InteropError::io(format!("stop {}", self.server)))?;
        let gone = until(STOP_LIMIT, || match self.ended() {
            Err(error) => Break(Err(error)),
            Ok(Some(_)) => Break(Ok(())),
            Ok(None) if done() => Break(self.kill()),
            Ok(None) => Continue(()),
        });
        gone.unwrap_or_else(|()| self.kill())
    }

    /// Kills the process (`SIGKILL`) and waits until it is gone. Nothing happens if it does not run.
    pub(super) fn kill(&mut self) -> Result<(), InteropError> {
        let action = format!("kill {}", self.server);
        let Some(child) = &mut self.child else { return Ok(()) };
        child.kill().map_err(InteropError::io(action.clone()))?;
        let gone = until(KILL_LIMIT, || match self.ended() {
            Err(error) => Break(Err(error)),
            Ok(Some(_)) => Break(Ok(())),
            Ok(None) => Continue(()),
        });
        gone.unwrap_or_else(|()| Err(InteropError::io(action)(io::ErrorKind::TimedOut.into())))
    }

    /// The process id, if it runs.
    pub(super) fn id(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// The folder with everything that the server writes.
    pub(super) fn home(&self) -> &Path {
        self.home.path()
    }

    /// How the process ended, if it has just been found to have. Reaps it.
    fn ended(&mut self) -> Result<Option<ExitStatus>, InteropError> {
        let Some(child) = &mut self.child else { return Ok(None) };
        let status = child.try_wait();
        let status = status.map_err(InteropError::io(format!("wait for {}", self.server)))?;
        if status.is_some() {
            self.child = None;
        }
        Ok(status)
    }
}

impl Drop for JavaProcess {
    fn drop(&mut self) {
        // There is nobody to tell. The home is removed after this, when nothing writes into it any more.
        let _ = self.kill();
    }
}

/// A system property as a flag.
pub(super) fn property(name: &str, value: &Path) -> OsString {
    let mut flag = OsString::from(format!("-D{name}="));
    flag.push(value);
    flag
}

#[cfg(unix)]
fn terminate(child: &Child) -> io::Result<()> {
    use rustix::process::{Pid, Signal, kill_process};
    kill_process(Pid::from_child(child), Signal::TERM).map_err(io::Error::from)
}

#[cfg(not(unix))]
fn terminate(_: &Child) -> io::Result<()> {
    // Nothing softer than a kill can be said there; the caller's wait ends in one.
    Ok(())
}
