//! How messages are written in each protocol.

use http::HeaderValue;
use serde_json::Value;

use crate::streams::Out;

/// Which protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Server-sent events of one operation.
    Distinct,
    /// Server-sent events of many operations.
    Single,
    /// Parts of a multipart body, of one operation.
    Multipart,
}

impl Dialect {
    /// The content type of the stream.
    pub fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Dialect::Distinct | Dialect::Single => "text/event-stream; charset=utf-8",
            Dialect::Multipart => "multipart/mixed; boundary=\"graphql\"; subscriptionSpec=\"1.0\"",
        })
    }

    /// What comes before everything else: so clients, and proxies between, know at once that the stream is open.
    pub fn opening(self) -> &'static str {
        match self {
            Dialect::Distinct | Dialect::Single => ":\n\n",
            Dialect::Multipart => "\r\n--graphql\r\n",
        }
    }

    /// What is said when there is nothing to say.
    pub fn heartbeat(self) -> String {
        match self {
            Dialect::Distinct | Dialect::Single => ":\n\n".to_owned(),
            Dialect::Multipart => part("{}"),
        }
    }

    /// Writes a message. With the last one of a stream of one operation, also its end; then `true` is given.
    pub fn write(self, out: Out, to: &mut String) -> bool {
        match (self, out) {
            (Dialect::Single, Out::Next(op, event)) => {
                let payload = event.body.as_str();
                to.push_str(&next(&format!(
                    r#"{{"id":{},"payload":{payload}}}"#,
                    quoted(&op.id)
                )));
            }
            (Dialect::Single, Out::Error(op, errors)) => {
                let (id, errors) = (quoted(&op.id), String::from_utf8_lossy(&errors));
                let data = format!(r#"{{"id":{id},"payload":{{"errors":{errors}}}}}"#);
                to.push_str(&next(&data));
                to.push_str(&complete(&format!(r#"{{"id":{id}}}"#)));
            }
            (Dialect::Single, Out::Complete(op)) => {
                to.push_str(&complete(&format!(r#"{{"id":{}}}"#, quoted(&op.id))));
            }
            (Dialect::Distinct, Out::Next(_, event)) if event.body.contains(['\n', '\r']) => {
                to.push_str(&next(&event.body));
            }
            (Dialect::Distinct, Out::Next(_, event)) => {
                to.push_str(&event.message("event: next\ndata: ", "\n\n"))
            }
            (Dialect::Multipart, Out::Next(_, event)) => {
                to.push_str(&event.message(PART_BEGIN, PART_END));
            }
            (_, Out::Error(_, errors)) => {
                to.push_str(&self.errors(&String::from_utf8_lossy(&errors)));
                to.push_str(self.closing());
                return true;
            }
            (_, Out::Complete(_)) => {
                to.push_str(self.closing());
                return true;
            }
            (_, Out::Text(_) | Out::Ping) => {}
        }
        false
    }

    /// A stream that breaks off says why. It is not completed, so that clients come again.
    pub fn broken_off(self, id: Option<&str>, errors: &str) -> String {
        match (self, id) {
            (Dialect::Single, Some(id)) => {
                let id = quoted(id);
                next(&format!(r#"{{"id":{id},"payload":{{"errors":{errors}}}}}"#))
            }
            (Dialect::Multipart, _) => {
                format!("{PART_HEAD}{{\"payload\":null,\"errors\":{errors}}}\r\n--graphql--\r\n")
            }
            _ => self.errors(errors),
        }
    }

    fn errors(self, errors: &str) -> String {
        match self {
            Dialect::Multipart => format!("{PART_BEGIN}{{\"errors\":{errors}}}{PART_END}"),
            _ => next(&format!(r#"{{"errors":{errors}}}"#)),
        }
    }

    fn closing(self) -> &'static str {
        match self {
            Dialect::Distinct | Dialect::Single => "event: complete\ndata:\n\n",
            // A heartbeat closes the part whose boundary was written already.
            Dialect::Multipart => "content-type: application/json\r\n\r\n{}\r\n--graphql--\r\n",
        }
    }
}

const PART_HEAD: &str = "content-type: application/json\r\n\r\n";
const PART_BEGIN: &str = "content-type: application/json\r\n\r\n{\"payload\":";
/// The next boundary comes with each part: a client knows that the part is whole.
const PART_END: &str = "}\r\n--graphql\r\n";

fn part(body: &str) -> String {
    format!("{PART_HEAD}{body}\r\n--graphql\r\n")
}

/// JSON has no line break outside its strings, and in them it is escaped; but a subgraph may have laid out its own.
fn next(data: &str) -> String {
    format!("event: next\ndata: {}\n\n", data.replace(['\n', '\r'], " "))
}

fn complete(data: &str) -> String {
    format!("event: complete\ndata: {data}\n\n")
}

fn quoted(id: &str) -> Value {
    Value::String(id.to_owned())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::streams::{Event, Op};

    #[test]
    fn an_answer_with_line_breaks_is_one_line_of_data() {
        for dialect in [Dialect::Distinct, Dialect::Single] {
            let event = Event::new("{\"data\":{\n\"a\":\r\n1}}".into(), None);
            let mut written = String::new();
            let last = dialect.write(Out::Next(Op::new("1"), Arc::new(event)), &mut written);
            assert!(!last);
            let data: Vec<_> = written
                .lines()
                .filter(|line| line.starts_with("data: "))
                .collect();
            assert_eq!((data.len(), written.lines().count()), (1, 3), "{written}");
            assert!(data[0].contains("{\"data\":{ \"a\":  1}}"), "{written}");
        }
    }
}
