//! Replies of tools as they are sent: as data and, for clients that know none, as text.
//!
//! Both are the same JSON, which is made once: inside, a result carries the text alone, and where it
//! is written out the same bytes are put beside it. A tree of values, made only to be written twice,
//! took a fifth of the time that a recall keeps the protocol loop busy.

use rmcp::model::{CallToolResult, ContentBlock, ServerResult};

/// How a JSON-RPC reply ends whose last field is a result.
const END: &[u8] = b"}}";

/// Makes the result of a call from its reply, a JSON object.
pub(super) fn success(reply: String) -> CallToolResult {
    CallToolResult::success(vec![ContentBlock::text(reply)])
}

/// Returns the data of a result that [`success`] made; none of any other.
pub(super) fn data(result: &ServerResult) -> Option<&str> {
    let ServerResult::CallToolResult(result) = result else { return None };
    let [block] = result.content.as_slice() else { return None };
    // The text of a failure is a sentence.
    let is_ours = result.is_error == Some(false) && result.structured_content.is_none();
    block.as_text().filter(|_| is_ours).map(|text| text.text.as_str())
}

/// Puts the data of a result into a JSON-RPC reply that ends with that result.
pub(super) fn add(data: &str, reply: &mut Vec<u8>) {
    if reply.ends_with(END) {
        reply.truncate(reply.len() - END.len());
        reply.extend_from_slice(b",\"structuredContent\":");
        reply.extend_from_slice(data.as_bytes());
        reply.extend_from_slice(END);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn written(result: CallToolResult) -> Value {
        let result = ServerResult::CallToolResult(result);
        let mut reply = serde_json::to_vec(&json!({"id": 1, "result": result})).unwrap();
        if let Some(data) = data(&result) {
            add(data, &mut reply);
        }
        serde_json::from_slice::<Value>(&reply).unwrap()["result"].take()
    }

    #[test]
    fn a_reply_is_written_as_the_library_would_write_it() {
        let reply = json!({"a": [1, 0.5, null], "b": "\u{1b}\"\u{6f22}\n"});
        let expected = serde_json::to_value(CallToolResult::structured(reply.clone())).unwrap();
        assert_eq!(written(success(reply.to_string())), expected);
    }

    #[test]
    fn data_that_is_there_is_not_added() {
        let reply = CallToolResult::structured(json!({"a": 1}));
        assert_eq!(written(reply.clone()), serde_json::to_value(reply).unwrap());
    }

    #[test]
    fn a_failure_has_no_data_even_where_its_text_would_be_some() {
        for text in ["nothing was stored", "{\"a\": 1}"] {
            let failed = CallToolResult::error(vec![ContentBlock::text(text)]);
            assert_eq!(written(failed.clone()), serde_json::to_value(failed).unwrap());
        }
    }
}
