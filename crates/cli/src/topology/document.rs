//! A JSON text whose values know where they stand, and all that is wrong with it so far.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use jsonc_parser::ast::{ObjectProp, Value};
use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};
use serde::de::IgnoredAny;

/// More than that helps nobody: the first mistakes are often the cause of the others.
const MAX_SHOWN: usize = 20;

/// A key with its value.
pub(super) type Entry<'t> = ObjectProp<'t>;

/// The text, and what is wrong with it. Reading goes on behind a mistake, so that all are found at once.
pub(super) struct Document<'t> {
    text: &'t str,
    /// Offset in bytes and what is wrong there.
    wrong: Vec<(usize, String)>,
}

impl<'t> Document<'t> {
    /// Takes a text apart. It must be JSON as RFC 8259 has it, so that other programs can read it too.
    ///
    /// # Errors
    /// `line:column: what`.
    pub(super) fn parse(text: &'t str) -> Result<(Self, Value<'t>), String> {
        let document = Document { text, wrong: Vec::new() };
        let strict = ParseOptions {
            allow_comments: false,
            allow_loose_object_property_names: false,
            allow_trailing_commas: false,
            allow_missing_commas: false,
            allow_single_quoted_strings: false,
            allow_hexadecimal_numbers: false,
            allow_unary_plus_numbers: false,
            allow_bare_decimal_point_numbers: false,
            allow_non_finite_numbers: false,
            allow_extended_string_escapes: false,
        };
        let parsed = match parse_to_ast(text, &CollectOptions::default(), &strict) {
            Ok(parsed) => parsed,
            Err(error) => return Err(document.not_json(error.range().start, &error.kind().to_string())),
        };
        let Some(value) = parsed.value else {
            return Err(document.not_json(0, "the file is empty"));
        };
        // The parser lets control characters in strings and some white space pass that JSON does not have.
        if let Err(error) = serde_json::from_str::<IgnoredAny>(text) {
            // It has counted the bytes before a control character, but up to another byte that it does not want.
            let before =
                text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum::<usize>();
            let behind = before + error.column();
            let is_control = text.as_bytes().get(behind).is_some_and(u8::is_ascii_control);
            let offset = if is_control { behind } else { behind.saturating_sub(1) };
            let what = error.to_string();
            let what = what.split_once(" at line ").map_or(&*what, |(what, _)| what);
            return Err(document.not_json(offset, what));
        }
        Ok((document, value))
    }

    fn not_json(mut self, offset: usize, what: &str) -> String {
        // Whoever begins with anything else has written YAML, say, and does not look for a misplaced letter.
        let is_meant = self.text.trim_start().starts_with('{');
        let hint = if is_meant { "" } else { "; topology files are JSON" };
        self.wrong.push((offset, format!("not valid JSON: {}{hint}", lower(what))));
        self.finish().concat()
    }

    /// Notes what is wrong with a value or a key.
    pub(super) fn wrong(&mut self, place: &impl Ranged, what: impl Into<String>) {
        self.wrong.push((place.start(), what.into()));
    }

    /// All that is wrong, in the order of the text: `line:column: what`.
    pub(super) fn finish(mut self) -> Vec<String> {
        self.wrong.sort();
        let hidden = self.wrong.len().saturating_sub(MAX_SHOWN);
        let mut lines: Vec<String> = self
            .wrong
            .iter()
            .take(MAX_SHOWN)
            .map(|(offset, what)| {
                let (line, column) = self.line_and_column(*offset);
                format!("{line}:{column}: {what}")
            })
            .collect();
        if let (1.., Some(last)) = (hidden, lines.last_mut()) {
            last.push_str(&format!(" (and {hidden} more)"));
        }
        lines
    }

    /// Both from 1; columns are characters, as editors count them.
    fn line_and_column(&self, offset: usize) -> (usize, usize) {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line = before.rsplit('\n').next().unwrap_or(before);
        (before.matches('\n').count() + 1, line.chars().count() + 1)
    }

    /// A place that another message refers to.
    pub(super) fn place(&self, place: &impl Ranged) -> String {
        let (line, column) = self.line_and_column(place.start());
        format!("line {line}, column {column}")
    }

    /// The entries of a map, whose keys are names. None is empty and each stands there once.
    pub(super) fn map<'v>(&mut self, what: &str, value: &'v Value<'t>) -> Vec<&'v Entry<'t>> {
        let Value::Object(object) = value else {
            self.wrong(value, format!("{what} must be an object, not {}", shown(value)));
            return Vec::new();
        };
        let mut once: BTreeMap<&str, &Entry<'_>> = BTreeMap::new();
        for entry in &object.properties {
            let key = entry.name.as_str();
            if key.is_empty() {
                self.wrong(&entry.name, "a name must not be empty");
            } else if let Some(first) = once.get(key) {
                let first = self.place(&first.name);
                self.wrong(&entry.name, format!("{key:?} stands here twice, first in {first}"));
            } else {
                once.insert(key, entry);
            }
        }
        object
            .properties
            .iter()
            .filter(|entry| once.get(entry.name.as_str()).is_some_and(|first| std::ptr::eq(*first, *entry)))
            .collect()
    }

    /// The entries of an object whose keys are fixed.
    pub(super) fn fields<'v>(
        &mut self,
        what: &str,
        value: &'v Value<'t>,
        known: &'static [&'static str],
    ) -> Fields<'v, 't> {
        let mut fields = Fields { entries: self.map(what, value), meant: Vec::new() };
        for entry in &fields.entries {
            let key = entry.name.as_str();
            if known.contains(&key) {
                continue;
            }
            let advice = match nearest(key, known) {
                Some(meant) => {
                    fields.meant.push(meant);
                    format!(", did you mean {meant:?}?")
                }
                None => {
                    let known: Vec<String> = known.iter().map(|key| format!("{key:?}")).collect();
                    format!("; known here: {}", known.join(", "))
                }
            };
            self.wrong(&entry.name, format!("unknown key {key:?}{advice}"));
        }
        fields
    }

    pub(super) fn text<'v>(&mut self, entry: &'v Entry<'t>) -> Option<&'v str> {
        if let Value::StringLit(text) = &entry.value {
            return Some(&text.value);
        }
        self.mismatch(entry, "a string");
        None
    }

    pub(super) fn truth(&mut self, entry: &Entry<'t>) -> Option<bool> {
        if let Value::BooleanLit(truth) = &entry.value {
            return Some(truth.value);
        }
        self.mismatch(entry, "true or false");
        None
    }

    /// A whole number in that range.
    pub(super) fn number<N>(&mut self, entry: &Entry<'t>, range: RangeInclusive<N>) -> Option<N>
    where
        N: std::str::FromStr + PartialOrd + std::fmt::Display,
    {
        let number = entry.value.as_number_lit().and_then(|number| number.value.parse().ok());
        if let Some(number) = number.filter(|number| range.contains(number)) {
            return Some(number);
        }
        self.mismatch(entry, &format!("a whole number from {} to {}", range.start(), range.end()));
        None
    }

    /// The value is not what it must be.
    pub(super) fn mismatch(&mut self, entry: &Entry<'t>, expected: &str) {
        let what = format!("{:?} must be {expected}, not {}", entry.name.as_str(), shown(&entry.value));
        self.wrong(&entry.value, what);
    }
}

/// The entries of an object whose keys are fixed.
pub(super) struct Fields<'v, 't> {
    entries: Vec<&'v Entry<'t>>,
    /// Keys that are probably there, but misspelled.
    meant: Vec<&'static str>,
}

impl<'v, 't> Fields<'v, 't> {
    pub(super) fn get(&self, key: &str) -> Option<&'v Entry<'t>> {
        self.entries.iter().copied().find(|entry| entry.name.as_str() == key)
    }

    /// Whether a key was left out. A misspelled one was not: that is said already.
    pub(super) fn lack(&self, key: &str) -> bool {
        self.get(key).is_none() && !self.meant.contains(&key)
    }
}

/// The known key that was probably meant: at most a third of the letters are others.
fn nearest<'k>(key: &str, known: &[&'k str]) -> Option<&'k str> {
    let key = key.to_lowercase();
    let distance = |known: &&str| strsim::damerau_levenshtein(&key, &known.to_lowercase());
    let nearest = known.iter().copied().min_by_key(distance)?;
    (distance(&nearest) <= (key.chars().count() / 3).max(1)).then_some(nearest)
}

fn shown(value: &Value<'_>) -> String {
    match value {
        Value::StringLit(text) => format!("{:?}", text.value),
        Value::NumberLit(number) => number.value.to_owned(),
        Value::BooleanLit(truth) => truth.value.to_string(),
        Value::Object(_) => "an object".to_owned(),
        Value::Array(_) => "an array".to_owned(),
        Value::NullKeyword(_) => "null".to_owned(),
    }
}

/// The first letter small, as inside a sentence.
fn lower(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}
