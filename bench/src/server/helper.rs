//! This program once more, as one of its own hidden commands: a process that talks in lines.

use std::env;
use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use crate::Outcome;

/// The process as its parent sees it. Dropping it ends the process; if the parent ends first, the process sees the end
/// of its stdin and ends, too.
#[derive(Debug)]
pub(super) struct Helper {
    what: &'static str,
    child: Child,
    lines: Receiver<io::Result<String>>,
}

impl Helper {
    /// Starts the hidden command `what`.
    pub(super) fn start<A: AsRef<OsStr>>(
        what: &'static str,
        arguments: impl IntoIterator<Item = A>,
    ) -> Outcome<Helper> {
        let child = Command::new(env::current_exe()?)
            .arg(what)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (sender, lines) = mpsc::channel();
        let mut helper = Helper { what, child, lines };
        let stdout = helper.child.stdout.take().ok_or("a helper has no stdout")?;
        thread::spawn(move || {
            // Ends with the process, or when nobody waits any more.
            let _ = BufReader::new(stdout).lines().try_for_each(|line| sender.send(line));
        });
        Ok(helper)
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The next line that it says.
    pub(super) fn line(&self, limit: Duration) -> Outcome<String> {
        let line = self.lines.recv_timeout(limit);
        Ok(line.map_err(|_| format!("{} said nothing; stderr may say why", self.what))??)
    }

    /// Says a line to it.
    pub(super) fn tell(&mut self, line: &str) -> Outcome<()> {
        let stdin = self.child.stdin.as_mut().ok_or("a helper has no stdin")?;
        writeln!(stdin, "{line}").map_err(|error| format!("{}: {error}", self.what).into())
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        // It may be gone already; there is nothing left to do then.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a helper says to its parent.
pub(super) fn reply(line: &str) -> Outcome<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{line}")?;
    Ok(stdout.flush()?)
}

/// What a helper waits for: the next line of its parent, `None` if that is gone.
pub(super) fn wait() -> Outcome<Option<String>> {
    let mut line = String::new();
    Ok((io::stdin().lock().read_line(&mut line)? > 0).then_some(line))
}
