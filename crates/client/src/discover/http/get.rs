//! One bounded GET.

use std::error::Error;
use std::pin::pin;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::{HOST, LOCATION, USER_AGENT};
use hyper::http::uri::Authority;
use hyper::{Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;

use super::{LIMIT, read_url};
use crate::address::ServerAddress;
use crate::dial;

/// A thousand servers fit; what is longer is not a list of servers.
const MOST: usize = 64 * 1024;

/// Enough for a load balancer and a moved path; a circle ends soon.
const MOST_REDIRECTS: usize = 3;

const HTTP_PORT: u16 = 80;

/// The body behind a URL, or why there is none.
pub(super) async fn get(mut uri: Uri) -> Result<String, String> {
    for _ in 0..=MOST_REDIRECTS {
        match get_once(&uri).await? {
            Answer::Body(body) => return Ok(body),
            Answer::Elsewhere(location) => uri = follow(&uri, &location)?,
        }
    }
    Err(format!("more than {MOST_REDIRECTS} redirects"))
}

enum Answer {
    Body(String),
    Elsewhere(String),
}

async fn get_once(uri: &Uri) -> Result<Answer, String> {
    let authority = uri.authority().ok_or("the URL has no host")?;
    let stream = dial::tcp(server_at(authority)?, LIMIT).await;
    let stream = stream.map_err(|broken| broken.failure.to_string())?;
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(MOST)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|error| told(&error))?;
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let request = Request::get(path)
        .header(HOST, authority.as_str())
        .header(USER_AGENT, concat!("rocketmq-nameserver/", env!("CARGO_PKG_VERSION")))
        .body(Empty::<Bytes>::new())
        .map_err(|error| error.to_string())?;
    let mut exchange =
        pin!(async move { read(sender.send_request(request).await.map_err(|error| told(&error))?).await });
    // No task of its own: what is dropped halfway is closed.
    tokio::select! {
        answer = &mut exchange => answer,
        // The answer may have come whole before the connection ended.
        _ended = connection => exchange.await,
    }
}

/// Who is to be connected to; without a port at that of all HTTP servers.
pub(super) fn server_at(authority: &Authority) -> Result<ServerAddress, String> {
    let behind = authority.as_str().strip_prefix(authority.host());
    let port = match behind.and_then(|behind| behind.strip_prefix(':')) {
        Some(port) => port.parse().map_err(|_| "a port is 1 to 65535".to_owned())?,
        None => HTTP_PORT,
    };
    ServerAddress::new(authority.host(), port).map_err(|error| error.to_string())
}

async fn read(response: Response<Incoming>) -> Result<Answer, String> {
    let status = response.status();
    let location = response.headers().get(LOCATION).and_then(|location| location.to_str().ok());
    if let (true, Some(location)) = (status.is_redirection(), location) {
        return Ok(Answer::Elsewhere(location.to_owned()));
    }
    if status != StatusCode::OK {
        return Err(format!("the answer's status is {status}, not 200"));
    }
    let body = Limited::new(response.into_body(), MOST).collect().await;
    let body = body.map_err(|error| match error.is::<LengthLimitError>() {
        true => format!("the answer is longer than {MOST} bytes, so it is no list of servers"),
        false => told(&*error),
    })?;
    String::from_utf8(body.to_bytes().into())
        .map(Answer::Body)
        .map_err(|_| "the answer is not text in UTF-8".to_owned())
}

/// Where a redirect leads: to a whole URL or to another path at the same server.
fn follow(from: &Uri, location: &str) -> Result<Uri, String> {
    let url = match from.authority() {
        Some(authority) if location.starts_with('/') && !location.starts_with("//") => {
            format!("http://{authority}{location}")
        }
        _ => location.to_owned(),
    };
    read_url(&url).map_err(|why| format!("a redirect to {location:?} is not followed: {why}"))
}

/// With its cause, which tells more than hyper's own words.
fn told(error: &dyn Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}
