//! What is required of a figure, for the pages.

use crate::measure::Spread;
use crate::render::decimals;

/// How a table names a figure that is not there.
pub(crate) const NOT_MEASURED: &str = "not measured";

/// A bound on a figure.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

impl Bound {
    pub(crate) fn text(&self) -> String {
        match self {
            Bound::AtLeast(bound) => format!("≥ {}", decimals(*bound)),
            Bound::AtMost(bound) => format!("≤ {}", decimals(*bound)),
        }
    }

    /// What was not measured, or is no number, is missed.
    pub(crate) fn verdict(&self, figure: Option<f64>) -> String {
        let met = figure.is_some_and(|figure| match self {
            Bound::AtLeast(bound) => figure >= *bound,
            Bound::AtMost(bound) => figure <= *bound,
        });
        if met { "met" } else { "MISSED" }.into()
    }
}

/// As [`ratio`](crate::render::ratio), with all the decimals there are: what just misses a bound must not look as if it
/// met it. A figure of medians has no quartiles.
pub(crate) fn precise(spread: Option<Spread>) -> String {
    match spread {
        None => NOT_MEASURED.into(),
        Some(Spread { median, lower, upper }) if lower == upper => format!("{median:.3}"),
        Some(Spread { median, lower, upper }) => format!("{median:.3} ({lower:.3}–{upper:.3})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_met_or_missed() {
        for (bound, figure, expected) in [
            (Bound::AtLeast(0.6), Some(0.6), "met"),
            (Bound::AtLeast(0.6), Some(0.599), "MISSED"),
            (Bound::AtMost(58.0), Some(58.0), "met"),
            (Bound::AtMost(58.0), Some(58.1), "MISSED"),
            (Bound::AtMost(58.0), Some(f64::NAN), "MISSED"),
            (Bound::AtLeast(0.6), Some(f64::NAN), "MISSED"),
            (Bound::AtLeast(0.6), None, "MISSED"),
        ] {
            assert_eq!(bound.verdict(figure), expected, "{} {figure:?}", bound.text());
        }
    }
}
