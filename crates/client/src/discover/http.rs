//! Servers from an HTTP endpoint, as RocketMQ's Java client asks it (`docs/wire.md` §4.1).

mod get;

use std::fmt::Write;
use std::time::Duration;

use hyper::Uri;

use super::source::{Asking, Source, read_list};
use crate::error::{NameServerError, Result};

/// As Java's client has it.
const EVERY: Duration = Duration::from_secs(120);

/// As Java's client has it.
const LIMIT: Duration = Duration::from_secs(3);

/// Java's client asks this port if the domain has none of its own.
const DEFAULT_HTTP_PORT: u16 = 8080;

/// The address of an HTTP endpoint that lists NameServers, made as RocketMQ's Java client makes it from
/// `rocketmq.namesrv.domain`, `rocketmq.namesrv.domain.subgroup` and the unit name:
/// [`Discovery::http`](crate::Discovery::http). Needs the cargo feature `http`.
///
/// The endpoint is asked with GET every 2 minutes, as Java's client does, and after failures of servers. It has 3 s for the
/// whole answer, which must have the status 200 and at most 64 KiB; at most 3 redirects are followed, to `http://`
/// addresses only. The first line of the answer is a list of servers: `host:port`, several separated by `;` or `,`.
///
/// ```
/// use rocketmq_nameserver::{Discovery, HttpEndpoint};
///
/// let endpoint = HttpEndpoint::new("jmenv.example").subgroup("orders").unit("cn-1").parameter("zone", "b");
/// assert_eq!(endpoint.url(), "http://jmenv.example:8080/rocketmq/orders-cn-1?nofix=1&zone=b");
/// let discovery = Discovery::http(endpoint);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "an endpoint is asked only as a part of a Discovery"]
pub struct HttpEndpoint {
    domain: String,
    subgroup: String,
    unit: Option<String>,
    parameters: Vec<(String, String)>,
}

impl HttpEndpoint {
    /// The endpoint of a domain: a host, which is asked at port 8080, or `host:port`.
    pub fn new(domain: impl Into<String>) -> Self {
        HttpEndpoint {
            domain: domain.into(),
            subgroup: "nsaddr".to_owned(),
            unit: None,
            parameters: Vec::new(),
        }
    }

    /// The last part of the path. `nsaddr` by default, as in Java's client.
    pub fn subgroup(mut self, subgroup: impl Into<String>) -> Self {
        self.subgroup = subgroup.into();
        self
    }

    /// The unit, for installations that have several. None by default.
    pub fn unit(mut self, unit: impl Into<String>) -> Self {
        self.unit = Some(unit.into()).filter(|unit| !unit.trim().is_empty());
        self
    }

    /// One more parameter of the URL, as 5.x clients may send them. Given in plain text; what a URL cannot hold is
    /// escaped.
    pub fn parameter(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.parameters.push((key.into(), value.into()));
        self
    }

    /// The URL that is asked.
    pub fn url(&self) -> String {
        let mut url = format!("http://{}", self.domain);
        // A port of its own stands behind the host; an IPv6 address has its colons in brackets.
        if !self.domain.rsplit(']').next().is_some_and(|behind| behind.contains(':')) {
            let _infallible = write!(url, ":{DEFAULT_HTTP_PORT}");
        }
        let _infallible = write!(url, "/rocketmq/{}", self.subgroup);
        let mut separator = '?';
        if let Some(unit) = &self.unit {
            let _infallible = write!(url, "-{unit}?nofix=1");
            separator = '&';
        }
        for (key, value) in &self.parameters {
            let _infallible = write!(url, "{separator}{}={}", escaped(key), escaped(value));
            separator = '&';
        }
        url
    }
}

/// The endpoint of a domain.
impl From<&str> for HttpEndpoint {
    fn from(domain: &str) -> Self {
        HttpEndpoint::new(domain)
    }
}

pub(super) fn source(url: &str) -> Result<Source> {
    let uri =
        read_url(url).map_err(|why| NameServerError::usage(format!("bad HTTP endpoint {url:?}: {why}")))?;
    Ok(Source::new(url, EVERY, LIMIT, move || {
        let uri = uri.clone();
        Box::pin(async move { read_list(first_line(&get::get(uri).await?)) }) as Asking
    }))
}

/// A URL that can be asked.
fn read_url(url: &str) -> std::result::Result<Uri, String> {
    let uri: Uri = url.parse().map_err(|error| format!("{error}"))?;
    match (uri.scheme_str(), uri.authority()) {
        (Some("http"), Some(authority)) if authority.as_str().contains('@') => {
            Err("names and passwords in URLs are not sent".to_owned())
        }
        (Some("http"), Some(authority)) => get::server_at(authority).map(|_| uri.clone()),
        (Some("https"), _) => Err("https is not supported, only http".to_owned()),
        _ => Err("write http://host:port/path".to_owned()),
    }
}

/// What Java's client reads of an answer: it trims, and cuts at the first CR, then at the first LF.
fn first_line(body: &str) -> &str {
    body.trim().split(['\r', '\n']).next().unwrap_or_default()
}

/// A part of a query with everything in it escaped that is not plain text there.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:;,/@!$*()".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            let _infallible = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_those_of_javas_client() {
        let endpoint = HttpEndpoint::new;
        for (endpoint, expected) in [
            (endpoint("jmenv.example"), "http://jmenv.example:8080/rocketmq/nsaddr"),
            (endpoint("jmenv.example:80"), "http://jmenv.example:80/rocketmq/nsaddr"),
            (endpoint("[::1]"), "http://[::1]:8080/rocketmq/nsaddr"),
            (endpoint("[::1]:81"), "http://[::1]:81/rocketmq/nsaddr"),
            (endpoint("a").subgroup("x"), "http://a:8080/rocketmq/x"),
            (endpoint("a").unit("u"), "http://a:8080/rocketmq/nsaddr-u?nofix=1"),
            (endpoint("a").unit(" "), "http://a:8080/rocketmq/nsaddr"),
            (endpoint("a").parameter("k", "v").parameter("l", "w"), "http://a:8080/rocketmq/nsaddr?k=v&l=w"),
            (endpoint("a").unit("u").parameter("k", "v"), "http://a:8080/rocketmq/nsaddr-u?nofix=1&k=v"),
            (
                endpoint("a").parameter("k", "a b&c=d#%é"),
                "http://a:8080/rocketmq/nsaddr?k=a%20b%26c%3Dd%23%25%C3%A9",
            ),
        ] {
            assert_eq!(endpoint.url(), expected);
            assert!(read_url(expected).is_ok(), "{expected}");
        }
    }

    #[test]
    fn what_cannot_be_asked_is_refused() {
        for url in [
            "",
            "a",
            "a:80",
            "/x",
            "https://a",
            "ftp://a",
            "http://",
            "http://a:x",
            "http://u:p@a",
            "http://a b",
        ] {
            assert!(source(url).is_err(), "{url}");
        }
    }

    #[test]
    fn an_answer_ends_with_its_first_line() {
        for (body, expected) in [
            ("a:1;b:2", "a:1;b:2"),
            (" a:1 \r\n", "a:1"),
            ("\n\na:1\nb:2", "a:1"),
            ("a:1\rb:2\nc:3", "a:1"),
            ("a:1\r\n\r\nb", "a:1"),
            ("", ""),
            (" \r\n ", ""),
        ] {
            assert_eq!(first_line(body), expected, "{body:?}");
        }
    }
}
