//! The log of a command that goes on, on stderr.

use std::io;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Starts it: `RUST_LOG` says how much is logged, or `verbose` where that is not set. Without either, warnings are.
pub(crate) fn start(verbose: u8) {
    let level = match verbose {
        0 => LevelFilter::WARN,
        1 => LevelFilter::INFO,
        _ => LevelFilter::DEBUG,
    };
    let asked = std::env::var("RUST_LOG").ok().filter(|text| !text.trim().is_empty());
    let filter = asked.as_deref().map(str::parse::<Targets>);
    let misread = filter.as_ref().and_then(|filter| filter.as_ref().err().map(ToString::to_string));
    let filter = filter.and_then(Result::ok).unwrap_or_else(|| Targets::new().with_default(level));
    let layer = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    // Nothing else in this program sets one.
    let _only = tracing_subscriber::registry().with(layer).with(filter).try_init();
    if let Some(why) = misread {
        tracing::warn!(
            "RUST_LOG is passed over: {why}. It takes a level, or TARGET=LEVEL, several separated by ','"
        );
    }
}
