//! The documents name a test for what they promise. Those tests exist.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The documents whose tables have a column of tests, the last one.
const DOCUMENTS: [&str; 2] = ["README.md", "docs/guarantees.md"];

/// How the heading of such a column begins.
const HEADING: &str = "test";

/// Where tests are.
const FOLDERS: [&str; 2] = ["crates", "bench"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn every_test_that_a_document_names_exists() {
    let mut sources = Sources::default();
    for folder in FOLDERS {
        sources.add(&root().join(folder));
    }
    for document in DOCUMENTS {
        let text = fs::read_to_string(root().join(document)).unwrap();
        let names = named_tests(&text);
        assert!(!names.is_empty(), "{document} names no test");
        let missing: Vec<&String> = names.iter().filter(|name| !sources.have(name)).collect();
        assert!(missing.is_empty(), "{document} names tests that are not there: {missing:?}");
    }
}

#[test]
fn names_are_taken_from_columns_of_tests_only() {
    let text = "| what | test (`one::`) |\n|---|---|\n| `route` | `two::a_b`, `c.rs` |\n\n| what | do |\n|---|---|\n| x | `d` |\n";
    assert_eq!(named_tests(text), BTreeSet::from(["a_b".to_owned(), "c.rs".to_owned()]));
}

/// The names in backquotes in the last cells of tables of tests, without what stands before `::`.
fn named_tests(text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut is_of_tests = false;
    let mut is_table = false;
    for line in text.lines() {
        let Some(last) = line.strip_prefix('|').and_then(|row| row.trim_end_matches('|').rsplit('|').next())
        else {
            is_table = false;
            continue;
        };
        if !is_table {
            is_table = true;
            is_of_tests = last.trim().starts_with(HEADING);
        } else if is_of_tests {
            let quoted = last.split('`').skip(1).step_by(2);
            names.extend(quoted.map(|name| name.rsplit("::").next().unwrap_or(name).to_owned()));
        }
    }
    names
}

/// All files of Rust and Python below some folders.
#[derive(Default)]
struct Sources {
    /// Their names, and those of their folders.
    files: BTreeSet<String>,
    text: String,
}

impl Sources {
    fn add(&mut self, folder: &Path) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                if name != "target" && !name.starts_with('.') {
                    self.add(&path);
                    self.files.insert(name);
                }
            } else if name.ends_with(".rs") || name.ends_with(".py") {
                self.text += &fs::read_to_string(&path).unwrap();
                self.files.insert(name);
            }
        }
    }

    /// Whether it is a file, a folder of such, or a function in one.
    fn have(&self, name: &str) -> bool {
        self.files.contains(name)
            || (name.contains('/') && root().join(name).exists())
            || ["fn", "def"].iter().any(|kind| self.text.contains(&format!("{kind} {name}(")))
    }
}
