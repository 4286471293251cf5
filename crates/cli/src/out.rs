//! Prints answers to stdout and errors to stderr, and says what the exit code is.

use std::io::{self, Write};
use std::process::ExitCode;

use comfy_table::{ContentArrangement, Table, presets};
use rocketmq_nameserver::{Attempt, ErrorKind, NameServerError};
use serde_json::{Value, json};

use crate::args::Format;
use crate::cmd::Failed;

/// The answer is no.
pub(crate) const REFUSED: u8 = 1;
const WRONG_USE: u8 = 2;
pub(crate) const NO_SERVER: u8 = 3;
pub(crate) const BROKEN_ANSWER: u8 = 4;

/// Prints an answer, or nothing where there is none: `serve` has said all that it had to say.
pub(crate) fn answer(text: &str) -> ExitCode {
    let text = text.trim_end();
    let printed = if text.is_empty() { Ok(()) } else { line(text) };
    printed.map_or_else(|error| failed(&Failed::from(error), Format::Table), |()| ExitCode::SUCCESS)
}

/// Prints a line at once. A reader that has seen enough (`| head`) is no failure.
pub(crate) fn line(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let written = writeln!(out, "{text}").and_then(|()| out.flush());
    written.or_else(|error| if error.kind() == io::ErrorKind::BrokenPipe { Ok(()) } else { Err(error) })
}

/// Prints a line on stderr at once. Where that is closed, nobody wants it.
pub(crate) fn remark(text: &str) {
    let _closed = writeln!(io::stderr().lock(), "{text}");
}

/// Prints why there is no answer.
pub(crate) fn failed(failed: &Failed, format: Format) -> ExitCode {
    let (code, text, json) = match failed {
        Failed::Answered { text, code } => {
            return match line(text.trim_end()) {
                Ok(()) => ExitCode::from(*code),
                Err(error) => self::failed(&Failed::from(error), format),
            };
        }
        Failed::Usage(text) => (WRONG_USE, text.clone(), json!({"kind": "Usage", "message": text})),
        Failed::Partly(text) => (REFUSED, text.clone(), json!({"kind": "Partly", "message": text})),
        Failed::System(text) => (NO_SERVER, text.clone(), json!({"kind": "System", "message": text})),
        Failed::Query(error) => (exit_code(error), error_text(error), error_json(error)),
        Failed::Queries(errors) => of_several(errors),
    };
    let text = match format {
        Format::Table => tame(&format!("nsctl: {text}")),
        Format::Json => json!({ "error": json }).to_string(),
    };
    // Where even stderr is closed, the exit code has to do.
    remark(&text);
    ExitCode::from(code)
}

/// Prints help where it was asked for, and why a command line is not understood where it is not.
pub(crate) fn misused(error: &clap::Error, json: bool) -> ExitCode {
    if json && error.use_stderr() {
        return failed(&Failed::Usage(error.to_string().trim_end().to_owned()), Format::Json);
    }
    // Where even this cannot be printed, the exit code has to do.
    let _closed = error.print();
    if error.use_stderr() { ExitCode::from(WRONG_USE) } else { ExitCode::SUCCESS }
}

/// What each server said. The last one decides.
fn of_several(errors: &[NameServerError]) -> (u8, String, Value) {
    let texts: Vec<String> = errors.iter().map(error_text).collect();
    let mut json = errors.last().map_or(json!({}), error_json);
    json["message"] = texts.join("\n").into();
    json["attempts"] = errors.iter().flat_map(NameServerError::attempts).map(attempt_json).collect();
    (errors.last().map_or(NO_SERVER, exit_code), texts.join("\nnsctl: "), json)
}

/// A name or a remark of a server may be anything, and a terminal obeys some of it: control characters are shown and not
/// carried out.
pub(crate) fn tame(text: &str) -> String {
    let is_obeyed = |letter: char| letter.is_control() && letter != '\n';
    let shown =
        |letter: char| if is_obeyed(letter) { letter.escape_debug().to_string() } else { letter.into() };
    text.chars().map(shown).collect()
}

fn exit_code(error: &NameServerError) -> u8 {
    match error.kind() {
        ErrorKind::Response => REFUSED,
        ErrorKind::Usage => WRONG_USE,
        ErrorKind::Connection | ErrorKind::Timeout => NO_SERVER,
        _ => BROKEN_ANSWER,
    }
}

/// The usual one: a topic that is not there is said in a short line, what servers said of it in lines behind.
fn error_text(error: &NameServerError) -> String {
    let Some(topic) = error.topic().filter(|_| error.is_topic_not_found()) else {
        return error.to_string();
    };
    let attempts: String = error.attempts().iter().map(|attempt| format!("  {attempt}\n")).collect();
    format!(
        "topic {}: not found\n{attempts}Check the spelling, create the topic, or see with nsctl cluster whether its \
         brokers are registered there.",
        topic.escape_debug()
    )
}

pub(crate) fn error_json(error: &NameServerError) -> Value {
    json!({
        "kind": format!("{:?}", error.kind()),
        "code": error.code().map(|code| code.0),
        "remark": error.remark(),
        "message": error.to_string(),
        "attempts": error.attempts().iter().map(attempt_json).collect::<Vec<_>>(),
    })
}

fn attempt_json(attempt: &Attempt) -> Value {
    json!({
        "server": attempt.server.as_str(),
        "phase": attempt.phase.to_string(),
        "elapsedMillis": u64::try_from(attempt.elapsed.as_millis()).unwrap_or(u64::MAX),
        "failure": attempt.failure.to_string(),
    })
}

/// Columns under headings, two spaces apart, as wide as the terminal at most.
pub(crate) fn table<const N: usize>(headings: [&str; N], rows: Vec<[String; N]>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(headings);
    rows.into_iter().for_each(|row| {
        // In one line each: a table's rows are lines.
        table.add_row(row.map(|cell| tame(&cell).replace('\n', "\\n")));
    });
    let lines = table.lines().map(|line| line.strip_prefix(' ').unwrap_or(&line).trim_end().to_owned());
    lines.collect::<Vec<_>>().join("\n")
}

/// `1 broker`, `2 brokers`.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}
