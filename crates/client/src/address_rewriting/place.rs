//! A host, or a host and a port, as rules and brokers write them.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use crate::address::ServerAddress;

/// A host with or without a port.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) host: Host,
    pub(super) port: Option<u16>,
}

/// A host name or an IP address.
#[derive(Debug, Clone)]
pub(super) struct Host {
    /// As it was written, without brackets.
    text: String,
    /// The address without the interface of a link-local one.
    pub(super) ip: Option<IpAddr>,
}

/// Why a text is no place.
pub(super) type Why = &'static str;

const NO_HOST: Why = "that is no host name or IP address";
const NO_PORT: Why = "a port is 1 to 65535";

impl Place {
    /// Reads `host`, `host:port` or `[v6]:port`, as rules have them.
    pub(super) fn parse(text: &str) -> Result<Place, Why> {
        let (host, port) = if let Some(rest) = text.strip_prefix('[') {
            let (host, behind) = rest.split_once(']').ok_or("a '[' without its ']'")?;
            match behind.strip_prefix(':') {
                Some(port) => (host, Some(port)),
                None if behind.is_empty() => (host, None),
                None => return Err("after ']' comes ':' and the port"),
            }
        } else {
            match text.rsplit_once(':') {
                Some((host, port)) if !host.contains(':') => (host, Some(port)),
                Some(_) if !is_ipv6(text) => {
                    return Err("an IPv6 address with a port needs brackets: [::1]:10911");
                }
                _ => (text, None),
            }
        };
        // Its rules for hosts hold here too; the port is nobody's.
        if host.contains(['[', '=']) || ServerAddress::new(host, 1).is_err() {
            return Err(NO_HOST);
        }
        let port = port.map(|port| read_port(port).ok_or(NO_PORT)).transpose()?;
        Ok(Place { host: Host::new(host), port })
    }

    /// Reads the `host:port` of a broker as its clients do: the port is what follows the last `:`.
    pub(super) fn advertised(text: &str) -> Option<Place> {
        let (host, port) = text.rsplit_once(':')?;
        let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
        Some(Place { host: Host::new(bare), port: Some(read_port(port)?) })
    }
}

impl Host {
    fn new(text: &str) -> Host {
        let bare = text.split('%').next().unwrap_or(text);
        Host { text: text.to_owned(), ip: bare.parse().ok().map(|ip: IpAddr| ip.to_canonical()) }
    }

    /// Whether both name the same host. Names are not looked up.
    pub(super) fn is(&self, other: &Host) -> bool {
        let interface = |host: &Host| host.text.split_once('%').map(|(_, interface)| interface.to_owned());
        match (self.ip, other.ip) {
            (Some(one), Some(other_ip)) => one == other_ip && interface(self) == interface(other),
            (None, None) => self.text.eq_ignore_ascii_case(&other.text),
            _ => false,
        }
    }

    /// This host with a port.
    pub(super) fn at(&self, port: u16) -> String {
        format!("{self}:{port}")
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.text.contains(':') { write!(f, "[{}]", self.text) } else { f.write_str(&self.text) }
    }
}

fn is_ipv6(text: &str) -> bool {
    text.split('%').next().is_some_and(|ip| ip.parse::<Ipv6Addr>().is_ok())
}

fn read_port(text: &str) -> Option<u16> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|port| digits && *port > 0)
}
