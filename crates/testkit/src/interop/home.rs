//! The folder that one server lives in: its settings, its store, its output. Gone when the server is.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

use super::error::InteropError;

const LOGBACK: &str = include_str!("logback.xml");

/// A server's home: `ROCKETMQ_HOME`, `user.home`, working folder and folder for temporary files in one, so that
/// nothing is left anywhere else. Dropping it removes it.
pub(super) struct Home(PathBuf);

impl Home {
    /// A new home among these, with the server's settings and a logback file under each name that 4.9.7 insists on.
    pub(super) fn create(homes: &Path, settings: &str) -> Result<Home, InteropError> {
        let home = Home::claim(homes).map_err(InteropError::io("create a server's home"))?;
        let furnished = home.furnish(settings);
        furnished.map_err(InteropError::io("write a server's settings"))?;
        Ok(home)
    }

    /// The folder.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// The server's settings.
    pub(super) fn settings(&self) -> PathBuf {
        self.0.join("server.conf")
    }

    /// The logback file that a 5.x server must be pointed at.
    pub(super) fn logback(&self) -> PathBuf {
        self.0.join("conf/logback_tools.xml")
    }

    /// Everything that the server said since its last start. A file: a pipe would fill up and stop the server.
    pub(super) fn output(&self) -> PathBuf {
        self.0.join("output.log")
    }

    fn claim(homes: &Path) -> io::Result<Home> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        fs::create_dir_all(homes)?;
        loop {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let path = homes.join(format!("{}-{number}", process::id()));
            match fs::create_dir(&path) {
                // Left over from a process that had this id before and was killed.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                created => return created.map(|()| Home(path)),
            }
        }
    }

    fn furnish(&self, settings: &str) -> io::Result<()> {
        fs::write(self.settings(), settings)?;
        fs::create_dir(self.0.join("conf"))?;
        for name in ["namesrv", "broker", "tools"] {
            fs::write(self.0.join(format!("conf/logback_{name}.xml")), LOGBACK)?;
        }
        Ok(())
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        // There is nobody to tell, and nothing but disk space depends on it.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The end of a log, for an error. Without the lines of stack traces, which would push out what has a cause.
pub(super) fn last_lines(path: &Path) -> String {
    const LINES: usize = 25;
    let text = match fs::read(path) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) => return format!("(cannot read {}: {error})", path.display()),
    };
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with("\tat ")).collect();
    let start = lines.len().saturating_sub(LINES);
    lines.get(start..).unwrap_or_default().join("\n")
}
