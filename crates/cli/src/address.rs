//! `HOST:PORT` as people write it.

use rocketmq_nameserver::{DEFAULT_PORT, ServerAddress};
use rocketmq_nameserver_server::DEFAULT_LISTEN;

/// Host and port of `host:port` or `[v6]:port`, as they were written. `None` if there is no port, or an IPv6 address
/// without brackets, where nobody knows what the port is.
pub(crate) fn split(text: &str) -> Option<(&str, &str)> {
    let (host, port) = text.rsplit_once(':')?;
    let is_bracketed = host.starts_with('[') && host.ends_with(']');
    (host.contains(':') == is_bracketed).then_some((host, port))
}

/// A port: digits, from 0 to 65535.
pub(crate) fn port(text: &str) -> Option<u16> {
    if is_number(text) { text.parse().ok() } else { None }
}

/// Where to listen, always with a port. It is read as [`ServerAddress`] reads addresses, but port 0 is one too.
///
/// # Errors
/// What to write instead.
pub(crate) fn to_listen_at(text: &str) -> Result<String, String> {
    let text = text.trim();
    if is_number(text) {
        // A resolver would take it for an IPv4 address in one number, which nobody means.
        let port = port(text).unwrap_or(DEFAULT_PORT);
        return Err(format!("{text} is read as a host; write 127.0.0.1:{port}"));
    }
    let advice = |_| format!("write HOST:PORT, such as {DEFAULT_LISTEN} or [::1]:{DEFAULT_PORT}");
    let Some((host, given)) = split(text) else {
        return text.parse::<ServerAddress>().map(|address| address.to_string()).map_err(advice);
    };
    let port = port(given).ok_or("a port is 0 to 65535")?;
    ServerAddress::new(host, DEFAULT_PORT).map_err(advice)?;
    Ok(format!("{host}:{port}"))
}

/// All addresses of this machine, with the port of that one and in its family.
pub(crate) fn everywhere(listen: &str) -> String {
    match split(listen) {
        Some((host, port)) if host.starts_with('[') => format!("[::]:{port}"),
        Some((_, port)) => format!("0.0.0.0:{port}"),
        None => format!("0.0.0.0:{DEFAULT_PORT}"),
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_to_listen_at_always_has_a_port() {
        for (text, expected, everywhere_else) in [
            ("127.0.0.1:0", "127.0.0.1:0", "0.0.0.0:0"),
            ("192.0.2.1:19878", "192.0.2.1:19878", "0.0.0.0:19878"),
            (" localhost ", "localhost:9876", "0.0.0.0:9876"),
            ("[2001:db8::1]:19878", "[2001:db8::1]:19878", "[::]:19878"),
            ("[::1]:0", "[::1]:0", "[::]:0"),
            ("[::1]", "[::1]:9876", "[::]:9876"),
            ("::1", "[::1]:9876", "[::]:9876"),
        ] {
            let listen = to_listen_at(text);
            assert_eq!(listen.as_deref(), Ok(expected), "{text}");
            assert_eq!(everywhere(expected), everywhere_else, "{text}");
        }
    }

    #[test]
    fn what_is_no_place_to_listen_at_is_told_what_to_write() {
        for (text, expected) in [
            ("9876", "9876 is read as a host; write 127.0.0.1:9876"),
            ("0", "0 is read as a host; write 127.0.0.1:0"),
            ("99999", "99999 is read as a host; write 127.0.0.1:9876"),
            ("127.0.0.1:99999", "a port is 0 to 65535"),
            ("127.0.0.1:", "a port is 0 to 65535"),
            ("[::1]:+1", "a port is 0 to 65535"),
            ("a:b:c", "write HOST:PORT, such as 127.0.0.1:9876 or [::1]:9876"),
            (":9876", "write HOST:PORT, such as 127.0.0.1:9876 or [::1]:9876"),
            ("http://h:1", "write HOST:PORT, such as 127.0.0.1:9876 or [::1]:9876"),
        ] {
            assert_eq!(to_listen_at(text).unwrap_err(), expected, "{text}");
        }
    }
}
