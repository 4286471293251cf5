//! Servers and settings in one line: `rocketmq://ns-1,ns-2:9877?timeout=3s`.

use std::time::Duration;

use crate::address::{self, ServerAddress};
use crate::error::{NameServerError, Result};

/// What the part behind `?` sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Setting {
    Timeout(Duration),
    ConnectTimeout(Duration),
    MaxFrameSize(usize),
    BatchInFlight(usize),
    ConnectRaceDelay(Duration),
    HedgedReads(bool),
}

const SCHEME: &str = "rocketmq://";

const KEYS: &str =
    "timeout, connect_timeout, connect_race_delay, hedged_reads, max_frame_size, batch_in_flight";

/// Reads such an address.
///
/// # Errors
/// Usage, with what cannot be read.
pub(crate) fn read(uri: &str) -> Result<(Vec<ServerAddress>, Vec<Setting>)> {
    let bad = |why: &str| NameServerError::usage(format!("bad NameServer URI {uri:?}: {why}"));
    let rest = match uri.trim().split_at_checked(SCHEME.len()) {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case(SCHEME) => rest,
        _ => return Err(bad("it begins with rocketmq://")),
    };
    let (servers, query) = rest.split_once('?').unwrap_or((rest, ""));
    // A URI has the '%' of a zone id in this form.
    let servers = servers.strip_suffix('/').unwrap_or(servers).replace("%25", "%");
    let servers = address::parse_list(&servers)?;
    let mut settings = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').ok_or_else(|| bad(&format!("{pair:?} has no '='")))?;
        let setting = match key {
            "timeout" => read_duration(value).map(Setting::Timeout),
            "connect_timeout" => read_duration(value).map(Setting::ConnectTimeout),
            "max_frame_size" => read_number(value).map(Setting::MaxFrameSize),
            "connect_race_delay" => read_duration(value).map(Setting::ConnectRaceDelay),
            "hedged_reads" => read_bool(value).map(Setting::HedgedReads),
            "batch_in_flight" => read_number(value).map(Setting::BatchInFlight),
            _ => return Err(bad(&format!("there is no key {key:?}; there are {KEYS}"))),
        };
        settings.push(setting.map_err(|why| bad(&format!("{key}={value}: {why}")))?);
    }
    Ok((servers, settings))
}

fn read_duration(text: &str) -> std::result::Result<Duration, &'static str> {
    let wrong = "write a whole number and its unit, such as 500ms, 3s or 1m";
    let unit = text.trim_start_matches(|character: char| character.is_ascii_digit());
    let number = text.strip_suffix(unit).filter(|number| !number.is_empty());
    let number: u64 = number.and_then(|number| number.parse().ok()).ok_or(wrong)?;
    match unit {
        "ms" => Ok(Duration::from_millis(number)),
        "s" => Ok(Duration::from_secs(number)),
        "m" => number.checked_mul(60).map(Duration::from_secs).ok_or(wrong),
        _ => Err(wrong),
    }
}

fn read_bool(text: &str) -> std::result::Result<bool, &'static str> {
    text.parse().map_err(|_| "write true or false")
}

fn read_number(text: &str) -> std::result::Result<usize, &'static str> {
    text.parse().map_err(|_| "write a whole number")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn servers_and_settings_are_read() {
        use Setting::{BatchInFlight, ConnectRaceDelay, ConnectTimeout, HedgedReads, MaxFrameSize, Timeout};
        let (ms, s) = (Duration::from_millis, Duration::from_secs);
        for (uri, servers, settings) in [
            ("rocketmq://h1,h2:9877?timeout=3s", "h1:9876;h2:9877", vec![Timeout(s(3))]),
            ("rocketmq://h1;h2", "h1:9876;h2:9876", vec![]),
            (" ROCKETMQ://h1/ ", "h1:9876", vec![]),
            ("rocketmq://[::1]:1,[fe80::1%25eth0]?", "[::1]:1;[fe80::1%eth0]:9876", vec![]),
            (
                "rocketmq://h?timeout=500ms&connect_timeout=1m",
                "h:9876",
                vec![Timeout(ms(500)), ConnectTimeout(s(60))],
            ),
            (
                "rocketmq://h?hedged_reads=false&connect_race_delay=100ms",
                "h:9876",
                vec![HedgedReads(false), ConnectRaceDelay(ms(100))],
            ),
            (
                "rocketmq://h/?max_frame_size=4096&batch_in_flight=7&",
                "h:9876",
                vec![MaxFrameSize(4096), BatchInFlight(7)],
            ),
        ] {
            let (found, set) = read(uri).unwrap();
            let found: Vec<String> = found.iter().map(ToString::to_string).collect();
            assert_eq!((found.join(";").as_str(), set), (servers, settings), "{uri}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_a_usage_error_that_quotes_it() {
        for (uri, quoted) in [
            ("h1:9876", "h1:9876"),
            ("http://h1", "http://h1"),
            ("rocketmq:/h1", "rocketmq:/h1"),
            ("rocketmq://h1:x", "h1:x"),
            ("rocketmq://h1/path", "h1/path"),
            ("rocketmq://user@h1", "user@h1"),
            ("rocketmq://h1?timeout", "timeout"),
            ("rocketmq://h1?timeout=3", "timeout=3"),
            ("rocketmq://h1?timeout=-3s", "timeout=-3s"),
            ("rocketmq://h1?timeout=1.5s", "timeout=1.5s"),
            ("rocketmq://h1?timeout=s", "timeout=s"),
            ("rocketmq://h1?timeout=3h", "timeout=3h"),
            ("rocketmq://h1?timeout=99999999999999999999s", "99999999999999999999s"),
            ("rocketmq://h1?timeout=9999999999999999999m", "9999999999999999999m"),
            ("rocketmq://h1?timeuot=3s", "timeuot"),
            ("rocketmq://h1?Timeout=3s", "Timeout"),
            ("rocketmq://h1?hedged_reads=1", "hedged_reads=1"),
            ("rocketmq://h1?batch_in_flight=x", "batch_in_flight=x"),
        ] {
            let error = read(uri).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Usage, "{uri}");
            assert!(error.to_string().contains(quoted), "{error}");
        }
        for uri in ["rocketmq://", "rocketmq://?timeout=3s", "rocketmq://,", ""] {
            assert_eq!(read(uri).unwrap_err().kind(), ErrorKind::Usage, "{uri}");
        }
    }
}
