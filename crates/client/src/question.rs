//! What a call asks, in the words of its error: "cannot put KV config …".

use std::borrow::Cow;
use std::fmt;

use rocketmq_nameserver_protocol::code::RequestCode;
use rocketmq_nameserver_protocol::model::Name;

use crate::error::NameServerError;
use crate::failure::Attempt;

/// What a call asks. Put into words only if it fails.
#[derive(Debug, Clone)]
pub(crate) enum Question {
    /// The route of a topic.
    Route(Name),
    /// Something else about a topic.
    Topic { verb: &'static str, topic: Name },
    /// A request for which there are no words here.
    Request(RequestCode),
    /// Anything else.
    About { verb: &'static str, object: Cow<'static, str> },
}

impl Question {
    pub(crate) fn new(verb: &'static str, object: impl Into<Cow<'static, str>>) -> Self {
        Question::About { verb, object: object.into() }
    }

    pub(crate) fn topic(verb: &'static str, topic: &Name) -> Self {
        Question::Topic { verb, topic: topic.clone() }
    }

    /// The error of a call whose attempts all failed.
    pub(crate) fn failed(&self, attempts: Vec<Attempt>) -> NameServerError {
        let (verb, topic) = match self {
            Question::Route(topic) => ("get", Some(topic.clone())),
            Question::Topic { verb, topic } => (*verb, Some(topic.clone())),
            Question::Request(_) => ("get", None),
            Question::About { verb, .. } => (*verb, None),
        };
        NameServerError::failed(verb, self.to_string(), topic, attempts)
    }
}

/// As the object of "cannot get …", or of another verb.
impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Question::Route(topic) => write!(f, "the route of topic {topic:?}"),
            Question::Topic { topic, .. } => write!(f, "topic {topic:?}"),
            Question::Request(code) => write!(f, "an answer to request {code}"),
            Question::About { object, .. } => f.write_str(object),
        }
    }
}
