//! Counts the instructions of a command with `valgrind --tool=callgrind`, per function.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::Outcome;

/// Instructions by the function that they are in, without those of the functions that it calls. What the compiler has
/// put inline belongs to the function around it.
pub(crate) type Functions = BTreeMap<String, u64>;

/// The C library picks its `memcpy` and the like by the processor. This leaves it only those that every x86-64 processor
/// can run, so that counts do not depend on the machine.
const ANY_PROCESSOR: (&str, &str) =
    ("GLIBC_TUNABLES", "glibc.cpu.hwcaps=-AVX_Fast_Unaligned_Load,-AVX2,-ERMS,-SSE4_2,-SSE4_1,-SSSE3");

/// Runs the program with these arguments to its end and counts. What callgrind writes stays in `file`, for
/// `callgrind_annotate`.
///
/// # Errors
/// If valgrind does not start, the program fails, or callgrind's file is not understood.
pub(crate) fn count(program: &Path, arguments: &[String], file: &Path) -> Outcome<Functions> {
    let (name, value) = ANY_PROCESSOR;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--compress-strings=no", "--compress-pos=no"])
        .arg(format!("--callgrind-out-file={}", file.display()))
        .arg(program)
        .args(arguments)
        .env(name, value)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("cannot run valgrind: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("valgrind: {}\n{said}", output.status).into());
    }
    let text = fs::read(file).map_err(|error| crate::about(file, &error))?;
    functions(&String::from_utf8_lossy(&text)).map_err(|why| format!("{}: {why}", file.display()).into())
}

/// Reads what callgrind writes without compression: `fn=` starts a function, a line of numbers is a place and what was
/// spent there, and such a line behind `calls=` is what the called function spent.
fn functions(text: &str) -> Outcome<Functions> {
    let mut functions = Functions::new();
    let mut function = None;
    let mut total = None;
    let mut is_callee = false;
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("fn=") {
            function = Some(functions.entry(plain(name)).or_default());
        } else if line.starts_with("calls=") {
            is_callee = true;
        } else if let Some(sum) = line.strip_prefix("totals:") {
            total = Some(sum.trim().parse::<u64>()?);
        } else if line.starts_with(|first: char| first.is_ascii_digit()) && !std::mem::take(&mut is_callee) {
            let (_place, spent) = line.split_once(' ').ok_or("a line without a count")?;
            **function.as_mut().ok_or("a count without a function")? += spent.trim().parse::<u64>()?;
        }
    }
    let sum: u64 = functions.values().sum();
    if Some(sum) != total {
        return Err(format!("its functions have {sum} instructions, its total is {total:?}").into());
    }
    Ok(functions)
}

/// The name without what differs from build to build: `path::function::h0123456789abcdef`, and callgrind's `'2` for
/// the inner calls of a recursive function.
fn plain(name: &str) -> String {
    let name = name.split_once('\'').map_or(name, |(name, _depth)| name);
    match name.rsplit_once("::h") {
        Some((path, hash)) if hash.len() == 16 && hash.bytes().all(|digit| digit.is_ascii_hexdigit()) => path,
        _ => name,
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WRITTEN: &str = "\
version: 1
creator: callgrind-3.19.0
positions: line
events: Ir
summary: 166

ob=/a/bench
fl=???
fn=path::outer::h0123456789abcdef
0 10
cfn=path::inner::h0123456789abcdef
calls=3 0
0 99
0 7

fn=path::inner::h0123456789abcdef
0 99
cob=/lib/libc.so.6
cfn=malloc
calls=1 0
0 50

fn=path::inner::h0123456789abcdef'2
0 1

ob=/lib/libc.so.6
fn=malloc
0 49

totals: 166
";

    #[test]
    fn each_function_has_what_was_spent_in_it_and_not_in_those_that_it_calls() {
        let found = functions(WRITTEN).unwrap();
        let expected = [("malloc", 49), ("path::inner", 100), ("path::outer", 17)];
        assert_eq!(found, expected.map(|(name, count)| (name.to_owned(), count)).into());
    }

    #[test]
    fn a_file_that_does_not_add_up_is_refused() {
        for (was, is) in [("totals: 166", "totals: 165"), ("fn=malloc\n0 49", "fn=malloc"), ("totals", "sum")]
        {
            assert!(functions(&WRITTEN.replace(was, is)).is_err(), "{was} → {is}");
        }
        assert!(functions("0 1\nfn=a\ntotals: 1\n").is_err());
    }
}
