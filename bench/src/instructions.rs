//! How many instructions the work on one answer takes, beside the committed numbers: the one figure here that does not
//! move with the machine, and so the one that `cargo xtask test` holds the code to.
//!
//! The program runs itself under callgrind, once with a number of items and once with twice as many, on the same
//! prepared input. The difference is the items alone: starting, preparing and ending cancel out.
//!
//! Counts stay the same on another x86-64 processor: the build has no instructions but those of every one, and so has,
//! by a setting, the C library. What still moves them: another compiler, and another C library, whose `malloc` and
//! `memcpy` are in them. Another architecture has other counts altogether.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::env;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};

use crate::callgrind::{self, Functions};
use crate::render::whole;
use crate::rounds::topic;
use crate::{Outcome, about, decode, print};

/// How much worse than committed, in percent, fails.
const LIMIT: f64 = 5.0;

/// The items of the short run. The long one has twice as many, and input is prepared for those in both.
const ITEMS: usize = 200;

/// The functions that are kept have at least this part of all instructions.
const WORTH_KEEPING: f64 = 0.01;

/// How many of the functions that grew are named.
const NAMED: usize = 8;

const RENEW: &str = "cargo xtask bench instructions --json bench/results/instructions.json";

#[derive(Debug, Args)]
pub(crate) struct InstructionsArguments {
    /// Write the counts to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Fail if anything takes 5 % more than the counts in this file.
    #[arg(long, value_name = "FILE", conflicts_with = "json")]
    against: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct WorkArguments {
    piece: Piece,
    items: usize,
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Piece {
    /// The body of an answer into a route, and the route freed.
    Decode,
    /// A route query as a command, and that as a frame.
    Encode,
    /// An answer into a session and out again, its header opened, its waiter found; the body is not read.
    SessionStep,
}

/// The counts of one run, as they are committed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Counts {
    rustc: String,
    pieces: BTreeMap<Piece, Cost>,
}

/// Instructions per item.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cost {
    instructions: u64,
    /// The functions that have a good part of them. They tell where a count has grown; nothing else is made of them.
    functions: Functions,
}

/// Counts, and writes or compares the counts.
///
/// # Errors
/// If a piece takes more than the committed count and 5 %; the text says which and what grew.
pub(crate) fn run(arguments: &InstructionsArguments) -> Outcome<()> {
    if cfg!(debug_assertions) || cfg!(target_feature = "sse3") {
        return Err(
            "only a release build for any processor has counts to compare: use `cargo xtask bench`, without \
                    RUSTFLAGS"
                .into(),
        );
    }
    let committed = arguments.against.as_deref().map(read).transpose()?;
    let counts = Counts::of_this_program()?;
    if let Some(file) = &arguments.json {
        fs::write(file, counts.to_json()?).map_err(|error| about(file, &error))?;
    }
    print(&counts.table())?;
    match committed {
        Some(committed) => print(&counts.compare(&committed)?),
        None => Ok(()),
    }
}

/// Does the work on that many items: this is what runs under callgrind.
pub(crate) fn work(arguments: &WorkArguments) -> Outcome<()> {
    const PREPARED: usize = 2 * ITEMS;
    let items = arguments.items;
    if items > PREPARED {
        return Err(format!("at most {PREPARED} items are prepared").into());
    }
    match arguments.piece {
        Piece::Decode => decode::read_ours(decode::bodies(PREPARED)?.get(..items).unwrap_or_default()),
        Piece::Encode => {
            let topics: Vec<String> = (1..=PREPARED).map(topic).collect();
            decode::encode(topics.get(..items).unwrap_or_default())
        }
        Piece::SessionStep => {
            let answers = decode::answers(&decode::bodies(PREPARED)?)?;
            let mut session = decode::waiting_session(PREPARED)?;
            decode::take_out(&mut session, answers.get(..items).unwrap_or_default())?;
            // Calls that still wait would cost something here, and the short run has more of them.
            std::mem::forget(session);
            Ok(())
        }
    }
}

fn read(file: &Path) -> Outcome<Counts> {
    let text = fs::read_to_string(file).map_err(|error| about(file, &error))?;
    Ok(serde_json::from_str(&text)?)
}

impl Counts {
    fn of_this_program() -> Outcome<Counts> {
        let program = env::current_exe()?;
        let cost = |piece: Piece| {
            let count = |items: usize| {
                let arguments = ["work".into(), piece.to_string(), items.to_string()];
                callgrind::count(&program, &arguments, &file_of(piece, items)?)
            };
            Ok((piece, Cost::between(&count(ITEMS)?, &count(2 * ITEMS)?)))
        };
        let pieces = Piece::value_variants().iter().copied().map(cost).collect::<Outcome<_>>()?;
        Ok(Counts { rustc: env!("BENCH_RUSTC").into(), pieces })
    }

    fn to_json(&self) -> Outcome<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    fn table(&self) -> String {
        let line = |(piece, cost): (&Piece, &Cost)| {
            format!("{:<12} {:>7} instructions", piece.to_string(), whole(cost.instructions as f64))
        };
        self.pieces.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    /// What is better than committed, or that nothing has changed much.
    ///
    /// # Errors
    /// What is worse than committed, by how much and where.
    fn compare(&self, committed: &Counts) -> Outcome<String> {
        let (mut worse, mut better) = (String::new(), String::new());
        for (piece, now) in &self.pieces {
            let before = committed.pieces.get(piece).ok_or_else(|| {
                format!("there is no committed count of {piece}; renew the counts:\n    {RENEW}")
            })?;
            let [was, is] = [before, now].map(|cost| cost.instructions as f64);
            let percent = 100.0 * (is - was) / was;
            let change = format!("{piece} takes {} instructions, {} were committed", whole(is), whole(was));
            if percent > LIMIT {
                let growth = now.growth_since(before);
                let file = file_of(*piece, 2 * ITEMS)?;
                worse += &format!(
                    "{change}: {percent:.1} % more, and {LIMIT} % are allowed. What grew, per item:\n{growth}\
                     All of it: callgrind_annotate {}\n",
                    file.display()
                );
            } else if percent < -LIMIT {
                better += &format!("{change}: {:.1} % fewer.\n", -percent);
            }
        }
        let compilers = if self.rustc == committed.rustc {
            String::new()
        } else {
            format!("rustc {} made these counts and {} the committed ones.\n", self.rustc, committed.rustc)
        };
        if !worse.is_empty() {
            return Err(format!(
                "{worse}{compilers}If that is the price of something better, say so in the commit and renew the counts:\n    \
                 {RENEW}"
            )
            .into());
        }
        if !better.is_empty() {
            return Ok(format!("{better}{compilers}Renew the counts, so that it stays so:\n    {RENEW}"));
        }
        Ok(format!("all within {LIMIT} % of the committed counts"))
    }
}

/// Where the counts of a run stay for a closer look: beside the program.
fn file_of(piece: Piece, items: usize) -> Outcome<PathBuf> {
    Ok(env::current_exe()?.with_file_name(format!("callgrind.{piece}.{items}")))
}

impl fmt::Display for Piece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Piece::Decode => "decode",
            Piece::Encode => "encode",
            Piece::SessionStep => "session-step",
        })
    }
}

impl Cost {
    /// Per item, from a run and one with [`ITEMS`] more of them.
    fn between(short: &Functions, long: &Functions) -> Cost {
        let per_item = |more: u64| (more as f64 / ITEMS as f64).round() as u64;
        let total = |functions: &Functions| functions.values().sum::<u64>();
        let instructions = per_item(total(long).saturating_sub(total(short)));
        let functions = long
            .iter()
            .map(|(name, &count)| {
                let before = short.get(name).copied().unwrap_or_default();
                (name.clone(), per_item(count.saturating_sub(before)))
            })
            .filter(|(_, count)| *count as f64 >= WORTH_KEEPING * instructions as f64)
            .collect();
        Cost { instructions, functions }
    }

    /// The functions that grew most, one a line. One that was too small to be kept counts as 0 before.
    fn growth_since(&self, before: &Cost) -> String {
        let mut grown: Vec<(u64, &str)> = self
            .functions
            .iter()
            .map(|(name, now)| {
                (now.saturating_sub(before.functions.get(name).copied().unwrap_or_default()), name.as_str())
            })
            .filter(|(more, _)| *more > 0)
            .collect();
        grown.sort_by_key(|(more, _)| Reverse(*more));
        let line = |(more, name): &(u64, &str)| {
            let more = format!("+{}", whole(*more as f64));
            format!("{more:>12}  {name}\n")
        };
        grown.iter().take(NAMED).map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(functions: &[(&str, u64)]) -> Cost {
        let functions: Functions =
            functions.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
        Cost { instructions: functions.values().sum(), functions }
    }

    fn counts(decode: &[(&str, u64)]) -> Counts {
        let pieces = [(Piece::Decode, cost(decode)), (Piece::Encode, cost(&[("c", 10)]))];
        Counts { rustc: "1.88.0".into(), pieces: pieces.into() }
    }

    #[test]
    fn the_committed_counts_are_what_a_run_writes() {
        let committed = include_str!("../results/instructions.json");
        let counts: Counts = serde_json::from_str(committed).unwrap();
        assert_eq!(counts.to_json().unwrap(), committed);
        assert_eq!(counts.pieces.len(), Piece::value_variants().len());
    }

    #[test]
    fn the_difference_of_the_runs_is_the_cost_of_the_items() {
        let run = |start: u64, item: u64, small: u64| -> Functions {
            let items = ITEMS as u64;
            [("start", start), ("item", item * items), ("small", small * items)]
                .map(|(name, count)| (name.to_owned(), count))
                .into()
        };
        let found = Cost::between(&run(7000, 500, 3), &run(7000, 1000, 6));
        assert_eq!(found, Cost { instructions: 503, ..cost(&[("item", 500)]) });
    }

    #[test]
    fn every_piece_of_work_is_done_for_as_many_items_as_are_prepared() {
        for piece in Piece::value_variants().iter().copied() {
            for (items, is_done) in [(0, true), (2 * ITEMS, true), (2 * ITEMS + 1, false)] {
                assert_eq!(work(&WorkArguments { piece, items }).is_ok(), is_done, "{items} of {piece}");
            }
        }
    }

    #[test]
    fn five_percent_more_fails_and_names_what_grew() {
        let committed = counts(&[("a", 600), ("b", 400)]);
        let within = counts(&[("a", 600), ("b", 450)]).compare(&committed).unwrap();
        assert_eq!(within, "all within 5 % of the committed counts");
        let error =
            counts(&[("a", 600), ("b", 440), ("new", 4000)]).compare(&committed).unwrap_err().to_string();
        for part in [
            "decode takes 5,040 instructions, 1,000 were committed: 404.0 % more, and 5 % are allowed.",
            "+4,000  new\n         +40  b\nAll of it: callgrind_annotate ",
            RENEW,
        ] {
            assert!(error.contains(part), "{part} in {error}");
        }
        assert!(!error.contains("encode") && !error.contains("rustc"), "{error}");
    }

    #[test]
    fn five_percent_fewer_passes_and_asks_for_new_counts() {
        let text = counts(&[("a", 900)]).compare(&counts(&[("a", 1000)])).unwrap();
        assert!(
            text.starts_with("decode takes 900 instructions, 1,000 were committed: 10.0 % fewer.\n"),
            "{text}"
        );
        assert!(text.ends_with(RENEW), "{text}");
    }

    #[test]
    fn another_compiler_is_named_and_a_missing_count_is_an_error() {
        let mut committed = counts(&[("a", 10)]);
        committed.rustc = "1.87.0".into();
        let error = counts(&[("a", 20)]).compare(&committed).unwrap_err().to_string();
        assert!(error.contains("rustc 1.88.0 made these counts and 1.87.0 the committed ones."), "{error}");
        committed.pieces.remove(&Piece::Encode);
        assert!(
            counts(&[("a", 10)])
                .compare(&committed)
                .unwrap_err()
                .to_string()
                .contains("no committed count of encode")
        );
    }
}
