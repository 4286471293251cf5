//! What the core has to say, for Python's `logging`. The core's threads must not take the GIL, so records wait here until
//! a thread of Python's comes for them.

use std::collections::VecDeque;
use std::fmt::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, Once};

use pyo3::prelude::*;
use tracing::field::{Field, Visit};
use tracing::span;
use tracing::{Event, Level, Metadata, Subscriber};

/// How many records wait at most; then the oldest go. They tell of changes only, so this is hours of a normal life.
const KEPT: usize = 256;

/// Only ever tried, never waited for: in a forked child it may be held by a thread that is not there.
static RECORDS: Mutex<VecDeque<(u8, String)>> = Mutex::new(VecDeque::new());
static ANY: AtomicBool = AtomicBool::new(false);

/// Starts to keep records.
pub(crate) fn start() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        // Fails only if this was done before, and it is done once.
        let _already = tracing::subscriber::set_global_default(Keeper);
    });
}

/// The records that wait: level as `logging` counts it, and text.
#[pyfunction]
pub(crate) fn take_log_records() -> Vec<(u8, String)> {
    if !ANY.swap(false, Ordering::Relaxed) {
        return Vec::new();
    }
    RECORDS.try_lock().map_or_else(|_| Vec::new(), |mut records| records.drain(..).collect())
}

struct Keeper;

impl Subscriber for Keeper {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event()
            && metadata.target().starts_with("rocketmq_nameserver")
            && *metadata.level() <= Level::DEBUG
    }

    fn event(&self, event: &Event<'_>) {
        let mut text = String::new();
        event.record(&mut Text(&mut text));
        let level = match *event.metadata().level() {
            Level::ERROR => 40,
            Level::WARN => 30,
            Level::INFO => 20,
            _ => 10,
        };
        let Ok(mut records) = RECORDS.try_lock() else { return };
        if records.len() == KEPT {
            records.pop_front();
        }
        records.push_back((level, text));
        ANY.store(true, Ordering::Relaxed);
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

/// `connection ended server=127.0.0.1:9876 reason=…`
struct Text<'a>(&'a mut String);

impl Visit for Text<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let space = if self.0.is_empty() { "" } else { " " };
        // Writing into memory cannot fail.
        let _written = match field.name() {
            "message" => write!(self.0, "{space}{value:?}"),
            name => write!(self.0, "{space}{name}={value:?}"),
        };
    }
}
