//! Server addresses as people write them.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use rocketmq_nameserver_protocol::model::Name;

use crate::error::{NameServerError, Result};

/// The port that a NameServer listens on unless told otherwise.
pub const DEFAULT_PORT: u16 = 9876;

/// One server: a host name or IP address, and a port.
///
/// ```
/// use rocketmq_nameserver::ServerAddress;
///
/// assert_eq!("ns-1".parse::<ServerAddress>()?.to_string(), "ns-1:9876");
/// assert_eq!("[::1]:9877".parse::<ServerAddress>()?.port(), 9877);
/// assert!("ns-1:port".parse::<ServerAddress>().is_err());
/// # Ok::<(), rocketmq_nameserver::NameServerError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerAddress {
    host: Name,
    port: u16,
}

impl ServerAddress {
    /// A server at that host and port. IPv6 addresses stand here without brackets; zone ids (`fe80::1%eth0`) are
    /// kept.
    ///
    /// # Errors
    /// Usage, if the host is empty or has characters that no host name has.
    pub fn new(host: &str, port: u16) -> Result<Self> {
        Self::checked(host, port, host)
    }

    /// `text` is what the user wrote, for the error.
    fn checked(host: &str, port: u16, text: &str) -> Result<Self> {
        let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
        if bare.is_empty() || bare.contains(|c: char| c.is_whitespace() || "/;,[]?#@".contains(c)) {
            return Err(bad(text, "not a host name or IP address"));
        }
        if bare.contains(':') && bare.split('%').next().is_none_or(|ip| ip.parse::<Ipv6Addr>().is_err()) {
            return Err(bad(
                text,
                "the host has a ':' but is no IPv6 address; the port goes into its own argument",
            ));
        }
        if port == 0 {
            return Err(bad(&format!("{text}:0"), "a port is 1 to 65535"));
        }
        Ok(ServerAddress { host: Name::from(bare), port })
    }

    /// Every address of a list once, in order: `host:port`, several separated by `;`, `,` or white space.
    ///
    /// # Errors
    /// Usage, with the address that cannot be read, or if there is none at all.
    pub fn parse_list(list: &str) -> Result<Vec<Self>> {
        parse_list(list)
    }

    /// The host, an IPv6 address without its brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The host as an IP address, if it is one.
    pub(crate) fn ip(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }
}

/// `host:port`, `[v6]:port` or either without the port.
impl FromStr for ServerAddress {
    type Err = NameServerError;

    fn from_str(text: &str) -> Result<Self> {
        let text = text.trim();
        if text.contains("://") {
            return Err(bad(
                text,
                "write host:port without a scheme. An HTTP endpoint that lists servers is for a Discovery, and a rocketmq:// \
                 address, where it is understood, stands alone",
            ));
        }
        if let Some(rest) = text.strip_prefix('[') {
            let (host, behind) = rest.split_once(']').ok_or_else(|| bad(text, "a '[' without its ']'"))?;
            return match behind.strip_prefix(':') {
                Some(port) => ServerAddress::checked(host, parse_port(text, port)?, text),
                None if behind.is_empty() => ServerAddress::checked(host, DEFAULT_PORT, text),
                None => Err(bad(text, "after ']' comes ':' and the port")),
            };
        }
        match text.split_once(':') {
            None => ServerAddress::checked(text, DEFAULT_PORT, text),
            Some((host, port)) if !port.contains(':') => {
                ServerAddress::checked(host, parse_port(text, port)?, text)
            }
            Some(_) if text.split('%').next().is_some_and(|ip| ip.parse::<Ipv6Addr>().is_ok()) => {
                ServerAddress::checked(text, DEFAULT_PORT, text)
            }
            Some(_) => Err(bad(text, "an IPv6 address with a port needs brackets: [::1]:9876")),
        }
    }
}

/// Every address of a list once, in order: `;`, `,` and white space separate, empty places are passed over.
///
/// # Errors
/// Usage, with the address that cannot be read, or if there is none at all.
pub(crate) fn parse_list(list: &str) -> Result<Vec<ServerAddress>> {
    let mut servers: Vec<ServerAddress> = Vec::new();
    for text in
        list.split(|c: char| c == ';' || c == ',' || c.is_whitespace()).filter(|text| !text.is_empty())
    {
        let server: ServerAddress = text.parse()?;
        if !servers.contains(&server) {
            servers.push(server);
        }
    }
    if servers.is_empty() {
        return Err(none_given());
    }
    Ok(servers)
}

pub(crate) fn none_given() -> NameServerError {
    NameServerError::usage("no NameServer address given: write host:port, several separated by ';' or ','")
}

fn parse_port(text: &str, port: &str) -> Result<u16> {
    let digits = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    let number = if digits { port.parse().ok() } else { None };
    number.filter(|port| *port > 0).ok_or_else(|| bad(text, "a port is 1 to 65535"))
}

fn bad(text: &str, why: &str) -> NameServerError {
    NameServerError::usage(format!("bad NameServer address {text:?}: {why}"))
}

impl fmt::Display for ServerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl fmt::Debug for ServerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn addresses_are_read_as_people_write_them() {
        for (text, expected) in [
            ("127.0.0.1:9877", "127.0.0.1:9877"),
            ("ns-1", "ns-1:9876"),
            (" ns-1.example.com:1 ", "ns-1.example.com:1"),
            ("[::1]", "[::1]:9876"),
            ("[2001:db8::1]:10911", "[2001:db8::1]:10911"),
            ("::1", "[::1]:9876"),
            ("fe80::1%eth0", "[fe80::1%eth0]:9876"),
            ("[fe80::1%eth0]:9877", "[fe80::1%eth0]:9877"),
        ] {
            assert_eq!(text.parse::<ServerAddress>().unwrap().to_string(), expected, "{text}");
        }
    }

    #[test]
    fn a_bad_address_is_a_usage_error_that_quotes_it() {
        for text in [
            "ns:",
            "ns:0",
            "ns:65536",
            "ns:-1",
            "ns:9876x",
            ":9876",
            "[::1",
            "[::1]9876",
            "[]:1",
            "2001:db8::1:70000",
            "http://ns:9876",
            "a b",
        ] {
            let error = text.parse::<ServerAddress>().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Usage, "{text}");
            assert!(error.to_string().contains(&format!("{text:?}")), "{error}");
        }
    }

    #[test]
    fn lists_take_both_separators_and_keep_each_server_once() {
        for (list, expected) in [
            ("a:1;b:2", vec!["a:1", "b:2"]),
            ("a:1,b:2", vec!["a:1", "b:2"]),
            (" a:1 ;; b:2 , a:1;", vec!["a:1", "b:2"]),
            ("a\n[::1]:5", vec!["a:9876", "[::1]:5"]),
        ] {
            let found: Vec<String> = parse_list(list).unwrap().iter().map(ToString::to_string).collect();
            assert_eq!(found, expected, "{list}");
        }
        for list in ["", " ; ,", "a:1;b:x"] {
            assert_eq!(parse_list(list).unwrap_err().kind(), ErrorKind::Usage, "{list}");
        }
    }
}
