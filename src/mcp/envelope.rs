//! One line to JSON-RPC messages: what is a request, and how everything else is answered.
//!
//! Nothing that wants an answer is dropped: a line that is no JSON, JSON that is no request and
//! parameters of the wrong shape each give a [`Fault`], which is the reply to send.

use rmcp::model::{CallToolRequest, ClientRequest};
use serde_json::{Map, Value, json};

const PARSE_ERROR: i32 = -32700;
const INVALID_REQUEST: i32 = -32600;
const INVALID_PARAMS: i32 = -32602;
const INTERNAL_ERROR: i32 = -32603;

/// What is said in the place of a reply that cannot be written.
pub(super) const UNWRITABLE: &str =
    "the reply cannot be written as JSON; this is a bug of the server";

/// The longest batch, in bytes: in memory, a list of tiny values takes many times its text.
const MAX_BATCH_BYTES: usize = 1024 * 1024;

/// What a message of the client turned out to be.
#[derive(Debug)]
pub(super) enum Incoming {
    /// A request to be carried out.
    Request {
        /// The client's id: a string or number.
        id: Value,
        /// What is asked.
        request: Box<ClientRequest>,
    },
    /// Something to be answered with an error.
    Fault(Fault),
    /// Something that needs no answer.
    Ignored,
}

/// An error reply.
#[derive(Debug, PartialEq)]
pub(super) struct Fault {
    /// The id of the request; null if it could not be read.
    pub(super) id: Value,
    /// The JSON-RPC error code.
    pub(super) code: i32,
    /// What is wrong.
    pub(super) message: String,
}

impl Fault {
    fn new(id: Value, code: i32, message: impl Into<String>) -> Self {
        Self { id, code, message: message.into() }
    }

    /// The reply to a line over the limit.
    pub(super) fn line_too_long(max: usize) -> Self {
        let message = format!("the line is longer than {} MiB, it was skipped", max >> 20);
        Self::new(Value::Null, INVALID_REQUEST, message)
    }

    /// The reply in the place of one that cannot be written as JSON.
    pub(super) fn unwritable(id: Value) -> Self {
        Self::new(id, INTERNAL_ERROR, UNWRITABLE)
    }

    fn batch_too_long() -> Self {
        let message = format!(
            "the batch is longer than {} MiB, it was skipped; send its messages one by one",
            MAX_BATCH_BYTES >> 20
        );
        Self::new(Value::Null, INVALID_REQUEST, message)
    }

    /// Returns the reply as JSON.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let error = json!({"code": self.code, "message": self.message});
        json!({"jsonrpc": "2.0", "id": self.id, "error": error}).to_string().into_bytes()
    }
}

/// Splits a line into messages, not yet looked at: one, those of a batch, or none if it is blank.
///
/// # Errors
///
/// [`Fault`] when the line is not UTF-8, not JSON, an empty batch or one over the limit.
pub(super) fn split(line: &[u8]) -> Result<Vec<Value>, Fault> {
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line).trim_ascii();
    if line.is_empty() {
        return Ok(Vec::new());
    }
    if line.starts_with(b"[") && line.len() > MAX_BATCH_BYTES {
        return Err(Fault::batch_too_long());
    }
    let fault = |message| Fault::new(Value::Null, PARSE_ERROR, message);
    let text = std::str::from_utf8(line)
        .map_err(|e| fault(format!("the line is not UTF-8 after byte {}", e.valid_up_to())))?;
    match serde_json::from_str(text) {
        Ok(Value::Array(batch)) if batch.is_empty() => {
            Err(Fault::new(Value::Null, INVALID_REQUEST, "the batch is empty"))
        }
        Ok(Value::Array(batch)) => Ok(batch),
        Ok(message) => Ok(vec![message]),
        Err(error) => Err(fault(format!("the line is not JSON: {error}"))),
    }
}

/// Looks at one message.
pub(super) fn read(message: Value) -> Incoming {
    let Value::Object(mut message) = message else {
        return invalid(Value::Null, "a message must be a JSON object");
    };
    let id = message.remove("id");
    let answer_to = match &id {
        Some(id @ (Value::String(_) | Value::Number(_))) => id.clone(),
        _ => Value::Null,
    };
    if message.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
        return invalid(answer_to, "`jsonrpc` must be \"2.0\"");
    }
    let method = match message.remove("method") {
        Some(Value::String(method)) => method,
        Some(_) => return invalid(answer_to, "`method` must be a string"),
        // This server asks nothing, so there is nothing to be answered.
        None if message.contains_key("result") || message.contains_key("error") => {
            return Incoming::Ignored;
        }
        None => return invalid(answer_to, "the message has no `method`"),
    };
    match id {
        // A notification. None matters here: a cancelled request takes effect and is answered all
        // the same, since by the time a cancellation is read the request is on its way.
        None => Incoming::Ignored,
        Some(_) if answer_to.is_null() => invalid(answer_to, "`id` must be a string or number"),
        Some(_) => request(answer_to, &method, message.remove("params")),
    }
}

fn invalid(id: Value, message: &str) -> Incoming {
    Incoming::Fault(Fault::new(id, INVALID_REQUEST, message))
}

fn request(id: Value, method: &str, params: Option<Value>) -> Incoming {
    let typed = match params {
        None | Some(Value::Null) => typed(method, None),
        Some(Value::Object(params)) => typed(method, Some(params)),
        Some(_) => Err("`params` must be an object".to_owned()),
    };
    match typed {
        Ok(request) => Incoming::Request { id, request: Box::new(request) },
        Err(message) => Incoming::Fault(Fault::new(id, INVALID_PARAMS, message)),
    }
}

fn typed(method: &str, params: Option<Map<String, Value>>) -> Result<ClientRequest, String> {
    if method == "tools/call" {
        return call(params.unwrap_or_default());
    }
    let mut message = Map::new();
    message.insert("method".to_owned(), method.into());
    if let Some(params) = params {
        message.insert("params".to_owned(), Value::Object(params));
    } else if needs_params(method) {
        message.insert("params".to_owned(), json!({}));
    }
    match serde_json::from_value(Value::Object(message)) {
        // What rmcp cannot read as the request it names, it takes for an unknown method.
        Ok(ClientRequest::CustomRequest(_)) if is_known(method) => {
            Err(format!("the parameters of {method} are missing or have the wrong type"))
        }
        Ok(request) => Ok(request),
        Err(error) => Err(format!("the parameters of {method} cannot be read: {error}")),
    }
}

/// Reads a tool call. Arguments given as a string that holds a JSON object are taken as the object.
fn call(mut params: Map<String, Value>) -> Result<ClientRequest, String> {
    let name = match params.get("name") {
        Some(Value::String(name)) => name.chars().take(80).collect::<String>(),
        _ => return Err("`name` of tools/call must be a string: the tool's name".to_owned()),
    };
    let arguments = match params.remove("arguments") {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(arguments)) => arguments,
        Some(Value::String(text)) => serde_json::from_str(&text)
            .map_err(|_| format!("`arguments` of {name} is a string, expected a JSON object"))?,
        Some(other) => {
            let kind = super::args::kind(&other);
            return Err(format!("`arguments` of {name} is {kind}, expected a JSON object"));
        }
    };
    params.insert("arguments".to_owned(), Value::Object(arguments));
    let call = json!({"method": "tools/call", "params": params});
    serde_json::from_value::<CallToolRequest>(call)
        .map(ClientRequest::CallToolRequest)
        .map_err(|e| format!("the parameters of tools/call cannot be read: {e}"))
}

fn needs_params(method: &str) -> bool {
    matches!(method, "server/discover")
}

fn is_known(method: &str) -> bool {
    const KNOWN: [&str; 15] = [
        "initialize",
        "ping",
        "server/discover",
        "completion/complete",
        "logging/setLevel",
        "prompts/get",
        "prompts/list",
        "resources/list",
        "resources/templates/list",
        "resources/read",
        "resources/subscribe",
        "resources/unsubscribe",
        "subscriptions/listen",
        "tools/call",
        "tools/list",
    ];
    KNOWN.contains(&method)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(line: &str) -> (Value, i32, String) {
        let incoming = match split(line.as_bytes()) {
            Ok(mut messages) => read(messages.remove(0)),
            Err(fault) => Incoming::Fault(fault),
        };
        match incoming {
            Incoming::Fault(f) => (f.id, f.code, f.message),
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn everything_that_is_no_request_is_answered_with_what_is_wrong() {
        let cases = [
            ("{\"a\":", json!(null), -32700, "the line is not JSON: EOF"),
            ("hello", json!(null), -32700, "the line is not JSON"),
            ("{\"a\": \"\\ud800\"}", json!(null), -32700, "the line is not JSON"),
            ("[]", json!(null), -32600, "the batch is empty"),
            ("[1]", json!(null), -32600, "a message must be"),
            ("5", json!(null), -32600, "a message must be"),
            (r#"{"id":1,"method":"ping"}"#, json!(1), -32600, "`jsonrpc` must be"),
            (r#"{"jsonrpc":"2.0","id":"x"}"#, json!("x"), -32600, "the message has no `method`"),
            (r#"{"jsonrpc":"2.0","id":1.5,"method":3}"#, json!(1.5), -32600, "`method` must"),
            (r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, json!(null), -32600, "`id` must"),
            (r#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#, json!(null), -32600, "`id` must"),
            (
                r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}"#,
                json!(1),
                -32602,
                "`params`",
            ),
            (
                r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}"#,
                json!(1),
                -32602,
                "the parameters of initialize",
            ),
            (
                r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","arguments":[1]}}"#,
                json!(1),
                -32602,
                "`arguments` of t is a list, expected a JSON object",
            ),
            (
                r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","arguments":"x"}}"#,
                json!(1),
                -32602,
                "`arguments` of t is a string, expected a JSON object",
            ),
            (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call"}"#, json!(1), -32602, "`name` of"),
        ];
        for (line, id, code, message) in cases {
            let found = fault(line);
            assert_eq!((&found.0, found.1), (&id, code), "{line}");
            assert!(found.2.starts_with(message), "{line}: {}", found.2);
        }
        assert_eq!(split(b"ab\xff").unwrap_err().message, "the line is not UTF-8 after byte 2");
    }

    #[test]
    fn a_batch_has_a_limit_of_its_own() {
        let of_size = |len: usize| [b"[", " ".repeat(len - 3).as_bytes(), b"1]"].concat();
        let single = format!("{{{}}}", " ".repeat(1 << 20));
        assert_eq!(split(&of_size(1 << 20)).unwrap(), [json!(1)]);
        assert_eq!(split(single.as_bytes()).unwrap(), [json!({})]);
        for blank in ["", " \t", "\u{feff}", "\u{feff} "] {
            let line = [blank.as_bytes(), &of_size((1 << 20) + 1)].concat();
            let message = "the batch is longer than 1 MiB, it was skipped; send its messages one \
                           by one";
            let fault = Fault::new(Value::Null, INVALID_REQUEST, message);
            assert_eq!(split(&line), Err(fault));
        }
    }

    #[test]
    fn a_call_may_give_its_arguments_as_a_string_or_not_at_all() {
        let arguments = |given: &str| {
            let line = format!(
                r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"t"{given}}}}}"#
            );
            match read(split(line.as_bytes()).unwrap().remove(0)) {
                Incoming::Request { request, .. } => match *request {
                    ClientRequest::CallToolRequest(call) => call.params.arguments.unwrap(),
                    other => panic!("{other:?}"),
                },
                other => panic!("{other:?}"),
            }
        };
        let object = json!({"a": 1}).as_object().cloned().unwrap();
        assert_eq!(arguments(r#","arguments":{"a":1}"#), object);
        assert_eq!(arguments(r#","arguments":"{\"a\":1}""#), object);
        assert_eq!(arguments(r#","arguments":null"#), Map::new());
        assert_eq!(arguments(""), Map::new());
    }

    #[test]
    fn blank_lines_byte_order_marks_and_carriage_returns_are_tolerated() {
        assert_eq!(split(b"").unwrap(), Vec::<Value>::new());
        assert_eq!(split(b" \t\r").unwrap(), Vec::<Value>::new());
        assert_eq!(split(b"\xef\xbb\xbf").unwrap(), Vec::<Value>::new());
        assert_eq!(split(b"\xef\xbb\xbf{}\r").unwrap(), [json!({})]);
    }

    #[test]
    fn notifications_and_answers_are_not_answered() {
        for line in [
            r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
            r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#,
            r#"{"jsonrpc":"2.0","id":1,"result":{}}"#,
        ] {
            let message = split(line.as_bytes()).unwrap().remove(0);
            assert!(matches!(read(message), Incoming::Ignored), "{line}");
        }
    }
}
