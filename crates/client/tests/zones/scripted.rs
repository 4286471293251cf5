//! A server in memory that answers as told and notes what it was asked.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rocketmq_nameserver::protocol::code::ResponseCode;
use rocketmq_nameserver::{AsyncNameServerClient, ClientBuilder};
use rocketmq_nameserver_testkit::scripted_peer::in_memory;

/// How long a call may take.
pub(crate) const LIMIT: Duration = Duration::from_secs(5);

/// What the server says to one question.
#[derive(Clone, Copy)]
pub(crate) enum Says {
    Body(&'static str),
    /// That, a while later.
    Later(Duration, &'static str),
    NotFound,
    Nothing,
}

/// All questions: code, topic, zone name, zone mode.
pub(crate) type Asked = Arc<Mutex<Vec<String>>>;

/// A client of a server that says this one after the other, and the last again and again.
pub(crate) fn server(says: &'static [Says]) -> (ClientBuilder, Asked) {
    let asked = Asked::default();
    let noted = Arc::clone(&asked);
    let open = in_memory(move |mut peer| {
        let noted = Arc::clone(&noted);
        async move {
            let mut answers = says.iter();
            let mut says = None;
            while let Some(request) = peer.request().await {
                let header = &request.header;
                let field = |key| header.ext_fields.get(key).map_or("-", |value| value.as_str());
                noted.lock().unwrap().push(format!(
                    "{} {} {} {}",
                    header.code,
                    field("topic"),
                    field("__ZONE_NAME"),
                    field("__ZONE_MODE")
                ));
                says = answers.next().or(says);
                match says.expect("an answer") {
                    Says::Body(body) => peer.answer(header.opaque, body).await,
                    Says::Later(pause, body) => {
                        tokio::time::sleep(*pause).await;
                        peer.answer(header.opaque, body).await;
                    }
                    Says::NotFound => {
                        peer.refuse(header.opaque, ResponseCode::TOPIC_NOT_EXIST, "No topic route info")
                            .await;
                    }
                    Says::Nothing => {}
                }
            }
        }
    });
    (AsyncNameServerClient::builder().servers("ns").timeout(LIMIT).connector(open), asked)
}
