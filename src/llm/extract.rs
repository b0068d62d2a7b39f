//! The JSON object in what a model wrote.
//!
//! Models put their thoughts before it, a fence around it and a remark after it. This finds the
//! object; it does not repair one that is cut off or wrong, and it does not judge what it says.

use serde_json::{Map, Value};

/// The places at which an object is looked for, at most.
const MAX_STARTS: usize = 1_000;

/// Returns the first JSON object with anything in it in a text.
///
/// Thoughts between `<think>` and `</think>` are passed over, as are fences and prose. None for a
/// text without one, or where it is cut off. Linear in the length of the text.
///
/// ```
/// use memoryos::llm::json_in;
///
/// let found = json_in("<think>{no}</think>Here you are:\n```json\n{\"a\": 1}\n```\nAnything else?");
/// assert_eq!(found, Some(serde_json::json!({"a": 1})));
/// ```
pub fn json_in(text: &str) -> Option<Value> {
    let text = text.trim().trim_start_matches('\u{feff}');
    if let Ok(Value::Object(map)) = serde_json::from_str(text) {
        return filled(map);
    }
    let after_thoughts = text.rsplit_once("</think>").map(|(_, rest)| rest);
    if text.starts_with("<think>") {
        // A thought that does not end is followed by no answer.
        return after_thoughts.and_then(first_object);
    }
    // Some servers keep the beginning of a thought to themselves.
    after_thoughts.and_then(first_object).or_else(|| first_object(text))
}

fn first_object(text: &str) -> Option<Value> {
    let text = text.trim_end().trim_end_matches('`');
    for (at, _) in text.match_indices('{').take(MAX_STARTS) {
        let rest = text.get(at..).unwrap_or_default();
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<Map<String, Value>>();
        match values.next() {
            Some(Ok(map)) if !map.is_empty() => return filled(map),
            // All of the rest is the beginning of an object: the answer is cut off, and an object
            // inside it is not the answer.
            Some(Err(error)) if error.is_eof() => return None,
            _ => {}
        }
    }
    None
}

fn filled(map: Map<String, Value>) -> Option<Value> {
    (!map.is_empty()).then_some(Value::Object(map))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_object_is_found_whatever_is_around_it() {
        let a = || Some(json!({"a": {"b": "}`<think>"}}));
        let object = r#"{"a": {"b": "}`<think>"}}"#;
        let cases = [
            object.to_owned(),
            format!("\u{feff}\n {object}\n"),
            format!("```json\n{object}\n```"),
            format!("```\n{object}"),
            format!("Sure! Here it is: {object} Is {{that}} all?"),
            format!("In {{braces}} and {{\"more\"}}: {object}"),
            format!("{{}} {object}"),
            format!("<think>{{\"x\": 1}}</think>{object}"),
            format!("<think>a</think><think>{{\"x\": 1}}</think>\n```json\n{object}```"),
            format!("{{\"x\": 1}} so be it</think>{object}"),
        ];
        for text in cases {
            assert_eq!(json_in(&text), a(), "{text}");
        }
        let unended = r#"{"a": 1} <think> {"a": 2}"#;
        assert_eq!(json_in(unended), Some(json!({"a": 1})));
    }

    #[test]
    fn where_there_is_no_whole_object_nothing_is_found() {
        let cases = [
            "",
            "I am sorry.",
            "[1, 2]",
            "{}",
            "{a: 1}",
            "<think>{\"a\": 1}",
            "{\"a\": [{\"b\": 1}, {\"b\": ",
            "```json\n{\"a\": {\"b\": 1},\n```",
            "<html>{}</html>",
        ];
        for text in cases {
            assert_eq!(json_in(text), None, "{text}");
        }
    }

    #[test]
    fn a_hostile_text_takes_no_long_time() {
        for piece in ["{", "{\"a\":", "{\"a\":[", "{\"a\":1,", "{\"a\":{}x", "\\\"{", "<think>{"] {
            let text = piece.repeat((1 << 20) / piece.len());
            assert_eq!(json_in(&text), None, "{piece}");
        }
        let deep = format!("{}1{}", "{\"a\":".repeat(100_000), "}".repeat(100_000));
        assert_eq!(json_in(&deep), None);
    }
}
