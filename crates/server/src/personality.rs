//! Which generation of Java server a server behaves as (`docs/wire.md` §6). What differs in bytes and words is a question
//! here; where the steps differ, their modules ask [`is_v5`](Personality::is_v5), and nobody compares versions.

use rocketmq_nameserver_protocol::code::Version;
use rocketmq_nameserver_protocol::frame::SerializeType;
use rocketmq_nameserver_protocol::model::TopicTextFields;

/// Which Java server it behaves as, where the generations differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Personality {
    /// RocketMQ 4.9.7.
    V4,
    /// RocketMQ 5.3.3.
    #[default]
    V5,
}

impl Personality {
    /// The release that its answers name.
    pub fn version(self) -> Version {
        match self {
            Personality::V4 => Version::V4_9_7,
            Personality::V5 => Version::V5_3_3,
        }
    }

    pub(crate) fn is_v5(self) -> bool {
        self == Personality::V5
    }

    /// In which form it answers a request of that form (`docs/wire.md` §1.6).
    pub(crate) fn answer_form(self, request: SerializeType) -> SerializeType {
        match self {
            Personality::V4 => request,
            Personality::V5 => SerializeType::Json,
        }
    }

    /// How many bytes a new connection must have sent before the first frame is looked at (`docs/wire.md` §1).
    pub(crate) fn first_bytes(self) -> usize {
        match self {
            Personality::V4 => 0,
            Personality::V5 => 12,
        }
    }

    /// How many fields a topic of a compressed registration has (`docs/wire.md` §2.4).
    pub(crate) fn topic_text_fields(self) -> TopicTextFields {
        match self {
            Personality::V4 => TopicTextFields::Five,
            Personality::V5 => TopicTextFields::FiveOrMore,
        }
    }

    /// Where the words of a refused route query send the reader (`docs/wire.md` §2.2).
    pub(crate) fn faq(self) -> &'static str {
        match self {
            Personality::V4 => "http://rocketmq.apache.org/docs/faq/",
            Personality::V5 => "https://rocketmq.apache.org/docs/bestPractice/06FAQ",
        }
    }
}
