//! Addresses: what is read prints as it is read again, and what is not is quoted; in a URI they are the same.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use rocketmq_nameserver::{
    AsyncNameServerClient, ClientBuilder, DEFAULT_PORT, ErrorKind, NameServerError, ServerAddress,
};

/// Takes bytes as an address, as a host, as a list of addresses and as the rest of a URI.
///
/// # Panics
/// If a promise is broken.
pub fn check(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    check_address(&text);
    check_host(&text);
    check_list(&text);
    check_uri(&text);
}

fn check_address(text: &str) {
    let read = text.parse::<ServerAddress>();
    match &read {
        Ok(address) => check_same_again(address),
        Err(error) => check_refusal(error, text.trim()),
    }
    // What the standard library has as an address is one here too, except for a port that nobody listens on.
    if let Ok(known) = text.parse::<SocketAddr>() {
        let found = read.as_ref().ok().map(|address| (ip(address), address.port()));
        assert_eq!(found, (known.port() > 0).then(|| (Some(known.ip()), known.port())), "{text:?}");
    }
    if let Ok(known) = text.parse::<IpAddr>() {
        let found = read.expect("an IP address is an address");
        assert_eq!((ip(&found), found.port()), (Some(known), DEFAULT_PORT), "{text:?}");
    }
}

fn ip(address: &ServerAddress) -> Option<IpAddr> {
    address.host().split('%').next()?.parse().ok()
}

/// An address prints as host and port, and everything that it can be made of again makes the same one.
fn check_same_again(address: &ServerAddress) {
    let (host, port) = (address.host(), address.port());
    assert!(port > 0 && !host.is_empty(), "{address}");
    let reserved = |character: char| character.is_whitespace() || "/;,[]?#@".contains(character);
    assert!(!host.contains(reserved), "{host:?}");
    let is_v6 = host.contains(':');
    if is_v6 {
        assert!(host.split('%').next().is_some_and(|ip| ip.parse::<Ipv6Addr>().is_ok()), "{host:?}");
    }
    let printed = address.to_string();
    assert_eq!(printed, if is_v6 { format!("[{host}]:{port}") } else { format!("{host}:{port}") });
    assert_eq!(printed.parse::<ServerAddress>().as_ref().ok(), Some(address), "{printed:?}");
    assert_eq!(format!(" {printed}\n").parse::<ServerAddress>().as_ref().ok(), Some(address));
    assert_eq!(ServerAddress::new(host, port).as_ref().ok(), Some(address), "{host:?}");
}

fn check_refusal(error: &NameServerError, text: &str) {
    assert_eq!(error.kind(), ErrorKind::Usage, "{text:?}");
    assert!(error.to_string().contains(&format!("{text:?}")), "{error} quotes {text:?}");
}

fn check_host(text: &str) {
    for port in [1, DEFAULT_PORT, u16::MAX] {
        match ServerAddress::new(text, port) {
            Ok(address) => {
                assert_eq!(address.port(), port);
                check_same_again(&address);
            }
            Err(error) => check_refusal(&error, text),
        }
    }
    let error = ServerAddress::new(text, 0).expect_err("no server listens on port 0");
    let quoted = [text.to_owned(), format!("{text}:0")].map(|text| format!("{text:?}"));
    assert!(quoted.iter().any(|quoted| error.to_string().contains(quoted)), "{error} quotes {text:?}");
}

/// A list has each of its addresses once, in order, or is refused for the first that is none.
fn check_list(text: &str) {
    let built = AsyncNameServerClient::builder().servers(text).build();
    let separates = |character: char| matches!(character, ';' | ',') || character.is_whitespace();
    let mut expected: Vec<String> = Vec::new();
    for place in text.split(separates).filter(|place| !place.is_empty()) {
        match place.parse::<ServerAddress>() {
            Ok(address) if expected.contains(&address.to_string()) => {}
            Ok(address) => expected.push(address.to_string()),
            Err(_) => return check_refusal(&built.expect_err("an address that is none"), place),
        }
    }
    if expected.is_empty() {
        assert_eq!(built.expect_err("no address at all").kind(), ErrorKind::Usage);
        return;
    }
    let servers = built.expect("good addresses").stats().servers;
    let found: Vec<&str> = servers.iter().map(|server| server.server.as_str()).collect();
    assert_eq!(found, expected);
}

/// Behind a scheme a list is the same list; whatever else stands there is settings or refused.
fn check_uri(text: &str) {
    let uri = format!("rocketmq://{text}");
    let servers = |builder: ClientBuilder| match builder.build() {
        Ok(client) => Some(client.server_list()),
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Usage, "{uri:?}");
            None
        }
    };
    let found = servers(AsyncNameServerClient::builder().uri(&uri));
    assert!(found.as_ref().is_none_or(|servers| !servers.is_empty()), "{uri:?}");
    // Without a query, a path or an escaped zone it is the list and nothing else.
    if !text.contains(['?', '/']) && !text.contains("%25") {
        assert_eq!(found, servers(AsyncNameServerClient::builder().servers(text)), "{uri:?}");
    }
}
