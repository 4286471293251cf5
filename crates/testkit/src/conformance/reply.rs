//! What can come back for a request.

use std::fmt;

use serde_json::json;

use super::answer::Answer;

/// What came back for a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// An answer.
    Answer(Box<Answer>),
    /// Nothing, on a connection that works.
    Silence,
    /// Nothing, and the server has closed the connection.
    Closed,
    /// Something that is no answer: why, in words.
    Broken(String),
}

/// All of it, for a message.
impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reply::Silence => f.write_str("silence"),
            Reply::Closed => f.write_str("a closed connection"),
            Reply::Broken(why) => write!(f, "no answer: {why}"),
            Reply::Answer(answer) => {
                write!(f, "code {} ({:?} header", answer.code, answer.form)?;
                if let Some(remark) = &answer.remark {
                    write!(f, ", remark {remark:?}")?;
                }
                if let Some(fields) = &answer.ext_fields {
                    write!(f, ", extFields {}", json!(fields))?;
                }
                write!(f, ") {}", answer.body)
            }
        }
    }
}
