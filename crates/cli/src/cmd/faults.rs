//! Faults on demand: those of `nsctl serve --fault`, and those that lines on stdin name while it serves.

use std::io::{self, BufRead};
use std::thread;

use rocketmq_nameserver_server::{Fault, NameServer, ParseFaultError};

use crate::out;

/// The line that switches all off.
const NONE: &str = "none";

/// From now on it does these wrong and nothing else; says so.
pub(super) fn set(server: &NameServer, faults: Vec<Fault>) {
    let names: Vec<String> = faults.iter().map(ToString::to_string).collect();
    server.replace_faults(faults);
    let names = if names.is_empty() { NONE.to_owned() } else { names.join(",") };
    out::remark(&format!("fault: {names}"));
}

/// Does what the lines of stdin say, until it ends.
///
/// In a thread that nobody waits for: reading stdin cannot be broken off, and the end of the program must not wait for a line.
pub(super) fn follow_stdin(server: NameServer) -> io::Result<()> {
    let follow = move || {
        for line in io::stdin().lock().split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line);
            match read(&line) {
                Ok(Some(faults)) => set(&server, faults),
                Ok(None) => {}
                Err(error) => out::remark(&format!("nsctl: {error}, or {NONE}. Nothing has changed")),
            }
        }
    };
    thread::Builder::new().name("faults".to_owned()).spawn(follow).map(|_detached| ())
}

/// The faults that a line names, `None` if it is blank.
fn read(line: &str) -> Result<Option<Vec<Fault>>, ParseFaultError> {
    match line.trim() {
        "" => Ok(None),
        NONE => Ok(Some(Vec::new())),
        names => names.split(',').map(|name| name.trim().parse()).collect::<Result<_, _>>().map(Some),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_line_has_all_faults() {
        let slow = Fault::Slow(Duration::from_millis(200));
        for (line, expected) in [
            ("", Some(None)),
            (" \r", Some(None)),
            ("none", Some(Some(vec![]))),
            (" none\r", Some(Some(vec![]))),
            ("silent", Some(Some(vec![Fault::Silent]))),
            ("empty,slow=200ms", Some(Some(vec![Fault::Empty, slow]))),
            (" slow=200ms , forget ", Some(Some(vec![slow, Fault::ForgetEverything]))),
            ("nope", None),
            ("silent,nope", None),
            ("silent,none", None),
            ("silent,", None),
            ("silent empty", None),
            (",", None),
        ] {
            assert_eq!(read(line).ok(), expected, "{line:?}");
        }
    }
}
