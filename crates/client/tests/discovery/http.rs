//! HTTP endpoints, asked as RocketMQ's Java client asks them.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rocketmq_nameserver::{Discovery, ErrorKind, HttpEndpoint};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::world::{Network, ask, hosts, next};

/// A server that answers each request with the next of its answers, and in the end always with the last one.
struct Endpoint {
    address: SocketAddr,
    /// The heads of all requests.
    asked: Arc<Mutex<Vec<String>>>,
    answers: Arc<Mutex<VecDeque<String>>>,
    task: JoinHandle<()>,
}

impl Endpoint {
    async fn start<S: Into<String>>(answers: impl IntoIterator<Item = S>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let answers: Arc<Mutex<VecDeque<String>>> =
            Arc::new(Mutex::new(answers.into_iter().map(Into::into).collect()));
        let (noted, says) = (Arc::clone(&asked), Arc::clone(&answers));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&noted), Arc::clone(&says)));
            }
        });
        Endpoint { address, asked, answers, task }
    }

    fn url(&self) -> String {
        format!("http://{}/list", self.address)
    }

    fn lines(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        asked.iter().map(|head| head.lines().next().unwrap().to_owned()).collect()
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut stream: TcpStream, asked: Arc<Mutex<Vec<String>>>, answers: Arc<Mutex<VecDeque<String>>>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    asked.lock().unwrap().push(String::from_utf8(head).unwrap());
    let answer = {
        let mut answers = answers.lock().unwrap();
        if answers.len() > 1 { answers.pop_front().unwrap() } else { answers.front().unwrap().clone() }
    };
    if answer == SILENCE {
        std::future::pending::<()>().await;
    }
    // Whoever has enough of it closes early.
    let _closed = stream.write_all(answer.as_bytes()).await;
    let _closed = stream.shutdown().await;
}

const SILENCE: &str = "silence";

fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

fn moved(location: &str) -> String {
    format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n")
}

#[tokio::test]
async fn the_first_line_of_a_good_answer_is_the_list() {
    for (answer, expected) in [
        (ok("a:1;b:2"), "a:1;b:2"),
        (ok(" a:1,b \r\nc:3\n"), "a:1;b:9876"),
        (ok("\na:1\nb:2"), "a:1"),
        ("HTTP/1.0 200 OK\r\n\r\na:1".to_owned(), "a:1"),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\na:1\r\n4\r\n;b:2\r\n0\r\n\r\n"
                .to_owned(),
            "a:1;b:2",
        ),
    ] {
        let endpoint = Endpoint::start([answer.clone()]).await;
        let client = Network::default().client(Discovery::http_url(endpoint.url()));
        ask(&client).await;
        let found: Vec<String> = client.server_list().iter().map(ToString::to_string).collect();
        assert_eq!(found.join(";"), expected, "{answer}");
        assert_eq!(endpoint.lines(), ["GET /list HTTP/1.1"]);
        let host = format!("host: {}", endpoint.address);
        assert!(endpoint.asked.lock().unwrap()[0].lines().any(|line| line.eq_ignore_ascii_case(&host)));
    }
}

#[tokio::test]
async fn anything_else_is_no_list_and_the_error_says_why() {
    let long = "a".repeat(70_000);
    for (answer, said) in [
        ("HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\na:1".to_owned(), "404"),
        ("HTTP/1.1 204 No Content\r\n\r\n".to_owned(), "204"),
        ("HTTP/1.1 304 Not Modified\r\n\r\n".to_owned(), "304"),
        (ok(""), "empty"),
        (ok(" \r\n a:1"), "a:1"),
        (ok("<html>no</html>"), "<html>no</html>"),
        (ok("a:1;b:x"), "b:x"),
        (ok(&long), "65536"),
        (format!("HTTP/1.1 200 OK\r\nX: {long}{long}{long}\r\n\r\na:1"), "too large"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\na:1".to_owned(), "end"),
        ("\u{0}\u{1}RocketMQ".to_owned(), ""),
        (String::new(), ""),
        (moved("/list"), "3 redirects"),
        (moved("https://127.0.0.1/list"), "https"),
        (moved("elsewhere"), "elsewhere"),
    ] {
        let endpoint = Endpoint::start([answer.clone()]).await;
        let client = Network::default().client(Discovery::http_url(endpoint.url()));
        let result = client.query_topic_route_info("t").await;
        if said == "a:1" {
            // Java's client trims first, so that the list is the first line that is not blank.
            assert_eq!(hosts(&client), "a");
            continue;
        }
        let error = result.map(|_| hosts(&client)).expect_err(&format!("{answer:.60}"));
        assert_eq!(error.kind(), ErrorKind::Connection, "{answer:.60}: {error}");
        assert!(error.to_string().contains(&endpoint.url()), "{error}");
        assert!(error.to_string().contains(said), "{answer:.60}: {error}");
    }
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let client = Network::default().client(Discovery::http_url(format!("http://{nobody}")));
    assert_eq!(client.query_topic_route_info("t").await.unwrap_err().kind(), ErrorKind::Connection);
}

#[tokio::test]
async fn redirects_are_followed_three_times() {
    let endpoint = Endpoint::start(["placeholder"]).await;
    let whole = format!("http://{}/c?d=e", endpoint.address);
    *endpoint.answers.lock().unwrap() = [moved("/a"), moved("/b"), moved(&whole), ok("x")].into();
    let client = Network::default().client(Discovery::http_url(endpoint.url()));
    ask(&client).await;
    assert_eq!(hosts(&client), "x");
    let expected = ["/list", "/a", "/b", "/c?d=e"].map(|path| format!("GET {path} HTTP/1.1"));
    assert_eq!(endpoint.lines(), expected);
}

#[tokio::test]
async fn units_and_parameters_stand_in_the_url() {
    let endpoint = Endpoint::start([ok("a")]).await;
    let named = HttpEndpoint::new(endpoint.address.to_string());
    for (endpoint, expected) in [
        (named.clone(), "/rocketmq/nsaddr"),
        (named.clone().subgroup("s"), "/rocketmq/s"),
        (named.clone().subgroup("s").unit("u"), "/rocketmq/s-u?nofix=1"),
        (named.clone().unit("u").parameter("k", "v w"), "/rocketmq/nsaddr-u?nofix=1&k=v%20w"),
        (named.parameter("k", "v"), "/rocketmq/nsaddr?k=v"),
    ]
    .map(|(named, expected)| ((named, &endpoint), expected))
    {
        let (named, endpoint) = endpoint;
        ask(&Network::default().client(Discovery::http(named))).await;
        assert_eq!(endpoint.lines().last().unwrap(), &format!("GET {expected} HTTP/1.1"));
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_may_take_three_seconds_in_all() {
    let endpoint = Endpoint::start([SILENCE]).await;
    let client = Network::default().client(Discovery::http_url(endpoint.url()));
    let started = Instant::now();
    let error = client.query_topic_route_info("t").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection, "{error}");
    assert_eq!(started.elapsed().as_secs(), 3);
}

#[tokio::test]
async fn another_answer_is_in_use_and_a_bad_one_is_not() {
    let failed = || "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n".to_owned();
    let answers = [ok("a"), failed(), ok(""), ok("b"), failed(), ok("c")];
    let endpoint = Endpoint::start(answers).await;
    let discovery = Discovery::http_url(endpoint.url()).every(Duration::from_millis(1));
    let client = Network::default().client(discovery);
    let mut changes = client.server_list_changes();
    ask(&client).await;
    for (before, after) in [("", "a"), ("a", "b"), ("b", "c")] {
        assert_eq!(next(&mut changes).await, (before.into(), after.into()));
    }
}

#[test]
fn a_url_that_cannot_be_asked_is_a_usage_error() {
    for discovery in [
        Discovery::http_url("https://ns"),
        Discovery::http_url("ns"),
        Discovery::http(""),
        Discovery::http("a b"),
        Discovery::http(HttpEndpoint::new("a").subgroup("b c")),
    ] {
        let built = rocketmq_nameserver::AsyncNameServerClient::builder().discovery(discovery).build();
        assert_eq!(built.unwrap_err().kind(), ErrorKind::Usage);
    }
}
