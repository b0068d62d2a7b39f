//! How a server wants to be asked: what it refused once is not sent again.
//!
//! Servers that speak "OpenAI" differ in what they know. This decides the body of a request and,
//! from a refusal, the next thing to try; it sends nothing. The one rule: a refusal only ever leads
//! to a plainer request, so asking comes to an end.

use serde_json::{Value, json};

use crate::memory::prompts::Prompt;

/// How the shape of the answer is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rung {
    /// The server sees to it that the answer fits the schema.
    Schema,
    /// The server sees to it that the answer is a JSON object.
    Object,
    /// The model is only told.
    Text,
}

/// What a server is known not to understand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dialect {
    rung: Rung,
    /// Whether the length of the answer is limited by the newer `max_completion_tokens`.
    newer_limit: bool,
    /// Whether a temperature may be given.
    temperature: bool,
    /// Whether the instructions may be a message of their own.
    system: bool,
}

impl Default for Dialect {
    fn default() -> Self {
        Self { rung: Rung::Schema, newer_limit: false, temperature: true, system: true }
    }
}

impl Dialect {
    /// Returns the body of the request.
    pub(super) fn body(self, model: &str, prompt: &Prompt) -> Value {
        let mut system = prompt.system.clone();
        if self.rung != Rung::Schema {
            system.push_str("\nAnswer with one JSON object that fits this JSON Schema:\n");
            system.push_str(&prompt.schema.to_string());
        }
        let messages = if self.system {
            json!([{"role": "system", "content": system}, {"role": "user", "content": prompt.user}])
        } else {
            json!([{"role": "user", "content": format!("{system}\n\n{}", prompt.user)}])
        };
        let mut body = json!({"model": model, "messages": messages, "stream": false});
        let limit = if self.newer_limit { "max_completion_tokens" } else { "max_tokens" };
        let mut set = |name: &str, value: Value| {
            if let Some(body) = body.as_object_mut() {
                body.insert(name.to_owned(), value);
            }
        };
        set(limit, json!(prompt.max_answer_tokens));
        if self.temperature {
            set("temperature", json!(0));
        }
        match self.rung {
            Rung::Schema => set("response_format", schema_format(prompt)),
            Rung::Object => set("response_format", json!({"type": "json_object"})),
            Rung::Text => {}
        }
        body
    }

    /// Returns what to try after a refusal, if what the server said names something to leave out.
    pub(super) fn after(self, status: u16, said: &str) -> Option<Self> {
        if !matches!(status, 400 | 415 | 422 | 500 | 501) {
            return None;
        }
        let said = said.to_ascii_lowercase();
        let names = |words: &[&str]| words.iter().any(|word| said.contains(word));
        if names(&["response_format", "json_schema", "json_object", "grammar", "structured output"])
            && let Some(rung) = self.rung.below()
        {
            return Some(Self { rung, ..self });
        }
        if !self.newer_limit && names(&["max_completion_tokens"]) {
            return Some(Self { newer_limit: true, ..self });
        }
        if self.temperature && names(&["temperature"]) {
            return Some(Self { temperature: false, ..self });
        }
        if self.system && names(&["system role", "system message", "roles must alternate"]) {
            return Some(Self { system: false, ..self });
        }
        None
    }
}

impl Rung {
    fn below(self) -> Option<Self> {
        match self {
            Self::Schema => Some(Self::Object),
            Self::Object => Some(Self::Text),
            Self::Text => None,
        }
    }
}

fn schema_format(prompt: &Prompt) -> Value {
    json!({
        "type": "json_schema",
        "json_schema": {"name": prompt.schema_name, "strict": true, "schema": prompt.schema},
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prompt() -> Prompt {
        Prompt {
            system: "S".to_owned(),
            user: "U".to_owned(),
            schema_name: "n",
            schema: json!({"type": "object"}),
            max_answer_tokens: 7,
        }
    }

    #[test]
    fn the_schema_is_sent_as_one_and_told_where_it_is_refused() {
        let first = Dialect::default();
        let body = first.body("m", &prompt());
        let expected = json!({
            "model": "m",
            "messages": [{"role": "system", "content": "S"}, {"role": "user", "content": "U"}],
            "stream": false, "max_tokens": 7, "temperature": 0,
            "response_format": {"type": "json_schema",
                "json_schema": {"name": "n", "strict": true, "schema": {"type": "object"}}},
        });
        assert_eq!(body, expected);
        let second = first.after(400, "Invalid parameter: response_format").unwrap();
        let body = second.body("m", &prompt());
        assert_eq!(body["response_format"], json!({"type": "json_object"}));
        let told =
            "S\nAnswer with one JSON object that fits this JSON Schema:\n{\"type\":\"object\"}";
        assert_eq!(body["messages"][0]["content"], told);
        let third = second.after(500, "no GRAMMAR").unwrap();
        assert_eq!(third.body("m", &prompt()).get("response_format"), None);
        assert_eq!(third.after(400, "response_format"), None);
    }

    #[test]
    fn what_newer_models_and_small_ones_refuse_is_left_out() {
        let said = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.";
        let newer = Dialect::default().after(400, said).unwrap();
        let body = newer.body("m", &prompt());
        let limits = (body.get("max_tokens"), &body["max_completion_tokens"]);
        assert_eq!(limits, (None, &json!(7)));
        let said = "'temperature' does not support 0 with this model";
        let body = newer.after(400, said).unwrap().body("m", &prompt());
        assert_eq!(body.get("temperature"), None);
        let merged = Dialect::default().after(400, "System role not supported").unwrap();
        let messages = json!([{"role": "user", "content": "S\n\nU"}]);
        assert_eq!(merged.body("m", &prompt())["messages"], messages);
    }

    #[test]
    fn a_server_that_refuses_everything_is_asked_five_times_more_at_most() {
        let said = "response_format max_completion_tokens temperature system role";
        let mut dialect = Dialect::default();
        let mut steps = 0;
        while let Some(next) = dialect.after(400, said) {
            (dialect, steps) = (next, steps + 1);
        }
        assert_eq!(steps, 5);
        for status in [200, 401, 404, 429, 503] {
            assert_eq!(Dialect::default().after(status, said), None);
        }
    }
}
