//! The programs that the tests start, and the files that they read.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};

/// Runs nsctl to its end.
pub(crate) fn nsctl(arguments: &[&str]) -> Output {
    nsctl_that_reads(Stdio::null(), arguments)
}

/// Runs nsctl to its end, with that stdin.
pub(crate) fn nsctl_that_reads(stdin: impl Into<Stdio>, arguments: &[&str]) -> Output {
    command(arguments).stdin(stdin).output().expect("nsctl runs")
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nsctl"));
    command.args(arguments).env_remove("NAMESRV_ADDR").env_remove("RUST_LOG");
    command
}

/// A server in a process of its own, which ends with this value.
pub(crate) struct Serving {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Option<BufReader<ChildStdout>>,
    stderr: Option<BufReader<ChildStderr>>,
    /// The one line of stdout.
    pub(crate) ready: String,
}

impl Serving {
    /// With these further arguments, on a free port unless they say where. It is ready.
    pub(crate) fn start(arguments: &[&str]) -> Serving {
        Serving::start_that_reads(Stdio::null(), arguments)
    }

    /// The same, with that stdin.
    pub(crate) fn start_that_reads(stdin: impl Into<Stdio>, arguments: &[&str]) -> Serving {
        let mut command = command(&["serve"]);
        if !arguments.contains(&"--listen") {
            command.args(["--listen", "127.0.0.1:0"]);
        }
        let mut child = command
            .args(arguments)
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("nsctl runs");
        let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut ready = String::new();
        stdout.read_line(&mut ready).expect("a line");
        let stderr = child.stderr.take().map(BufReader::new);
        let serving = Serving { stdin: child.stdin.take(), stdout: Some(stdout), stderr, ready, child };
        if serving.ready.is_empty() {
            panic!("it ended with {:?}", serving.wait());
        }
        serving
    }

    /// The address that the ready line ends with.
    pub(crate) fn address(&self) -> &str {
        self.ready.trim_end().rsplit(' ').next().expect("a word")
    }

    /// Asks it, with success.
    pub(crate) fn ask(&self, arguments: &[&str]) -> String {
        let output = nsctl(&[&["-n", self.address()], arguments].concat());
        assert!(output.status.success(), "{arguments:?}: {}", stderr(&output));
        stdout(&output)
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("it runs");
    }

    /// Nobody reads what it writes from now on.
    pub(crate) fn close_pipes(&mut self) {
        drop((self.stdout.take(), self.stderr.take()));
    }

    /// Writes a line to its stdin, which is a pipe.
    pub(crate) fn tell(&mut self, line: &str) {
        writeln!(self.stdin.as_mut().expect("a pipe"), "{line}").expect("it reads");
    }

    /// Ends its stdin.
    pub(crate) fn close_stdin(&mut self) {
        drop(self.stdin.take());
    }

    /// The next line that it writes to stderr.
    pub(crate) fn remark(&mut self) -> String {
        let mut line = String::new();
        self.stderr.as_mut().expect("a pipe").read_line(&mut line).expect("UTF-8");
        line.trim_end().to_owned()
    }

    /// Waits for its end: the exit code, what else it wrote to stdout, and stderr.
    pub(crate) fn wait(mut self) -> (Option<i32>, String, String) {
        let (mut rest, mut log) = (String::new(), String::new());
        if let Some(mut stdout) = self.stdout.take() {
            stdout.read_to_string(&mut rest).expect("UTF-8");
        }
        if let Some(mut stderr) = self.stderr.take() {
            stderr.read_to_string(&mut log).expect("UTF-8");
        }
        (self.child.wait().expect("it ends").code(), rest, log)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended already.
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// A file for one test, gone with this value.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new(name: &str, content: impl AsRef<[u8]>) -> Scratch {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{name}", std::process::id()));
        std::fs::write(&path, content).expect("the target folder is writable");
        Scratch(path)
    }

    pub(crate) fn path(&self) -> &str {
        self.0.to_str().expect("UTF-8")
    }

    pub(crate) fn open(&self) -> File {
        File::open(&self.0).expect("it is there")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _gone = std::fs::remove_file(&self.0);
    }
}

/// A folder for one test, not there yet, gone with this value.
pub(crate) struct ScratchFolder(pub(crate) PathBuf);

impl ScratchFolder {
    pub(crate) fn new(name: &str) -> ScratchFolder {
        ScratchFolder(Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{name}", std::process::id())))
    }
}

impl Drop for ScratchFolder {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(&self.0);
    }
}
