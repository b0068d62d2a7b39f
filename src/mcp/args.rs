//! The arguments of the tools: what the model may send, and how leniently it is read.
//!
//! The doc comments of the structs are what the model reads: they become the input schemas.
//! Unknown arguments are ignored, null counts as absent (as does a blank `memory_id` or `timestamp`),
//! and a string that holds the right JSON is taken for it. Everything else is an error in one sentence that says how to do better.

use schemars::JsonSchema;
use serde_json::{Map, Value};

use crate::memory::page::{NewPage, PageId, Texts};
use crate::time::Timestamp;
use crate::user::{AssistantId, UserId};

/// The longest text of a page, in bytes.
const MAX_TEXT_BYTES: usize = 64 * 1024;
/// The largest `meta_data`, in bytes of JSON.
const MAX_META_BYTES: usize = 16 * 1024;
/// How deeply `meta_data` may be nested.
const MAX_META_DEPTH: usize = 32;
/// What of a query is read, in characters.
pub(super) const MAX_QUERY_CHARS: usize = 2_000;
/// What a recall may return, in characters of JSON.
const MAX_CHARS: std::ops::RangeInclusive<usize> = 2_000..=200_000;
pub(super) const DEFAULT_MAX_CHARS: usize = 24_000;
/// How far ahead of the clock a timestamp may be, in seconds.
const MAX_AHEAD: f64 = 86_400.0;

/// Arguments of `add_memory`.
#[derive(Debug, PartialEq, JsonSchema)]
pub(super) struct AddMemory {
    /// What the user said, in their own words. May be empty only if `agent_response` is not. At
    /// most 64 KiB.
    pub(super) user_input: String,
    /// What the assistant answered, or a note of what was learned or decided. May be empty only if
    /// `user_input` is not. At most 64 KiB.
    pub(super) agent_response: String,
    /// When it was said: RFC 3339 (2026-05-01T09:30:00Z), `YYYY-MM-DD HH:MM:SS` or `YYYY-MM-DD`,
    /// UTC without an offset. Leave it out for what is said now.
    pub(super) timestamp: Option<String>,
    /// Any JSON object to keep with the memory; it is returned as it is. `session_id` in it says
    /// which conversation the memory belongs to. At most 16 KiB.
    pub(super) meta_data: Option<Map<String, Value>>,
}

/// Arguments of `retrieve_memory`.
#[derive(Debug, PartialEq, JsonSchema)]
pub(super) struct RetrieveMemory {
    /// What to look for, as a question or in keywords; name people, places and things. The first
    /// 2,000 characters count. Required unless `memory_id` is given.
    pub(super) query: Option<String>,
    /// Returns this one memory whole instead of searching: a `memory_id` from an earlier reply,
    /// useful where a text was `cut`.
    pub(super) memory_id: Option<String>,
    /// How the assistant relates to the user. Accepted for compatibility; it does not change what
    /// is found.
    pub(super) relationship_with_user: Option<String>,
    /// How to answer. Accepted for compatibility; it does not change what is found.
    pub(super) style_hint: Option<String>,
    /// The most memories to return in `retrieved_pages`.
    #[schemars(range(min = 1, max = 100))]
    pub(super) max_results: Option<usize>,
    /// The most characters the reply may have; 24,000 if left out.
    #[schemars(range(min = 2_000, max = 200_000))]
    pub(super) max_chars: Option<usize>,
    /// With `memory_id`: the character to begin at, from `next_offset` of the reply before.
    pub(super) offset: Option<usize>,
}

/// Arguments of `get_user_profile`.
#[derive(Debug, PartialEq, Eq, JsonSchema)]
pub(super) struct GetUserProfile {
    /// Whether to return what is known about the user; true if left out.
    pub(super) include_knowledge: Option<bool>,
    /// Whether to return what the assistant has learned itself; false if left out.
    pub(super) include_assistant_knowledge: Option<bool>,
    /// The most characters the reply may have; 24,000 if left out.
    #[schemars(range(min = 2_000, max = 200_000))]
    pub(super) max_chars: Option<usize>,
}

/// Arguments of `create_user`.
#[derive(Debug, PartialEq, Eq, JsonSchema)]
pub(super) struct CreateUser {
    /// The new user's id: 1 to 50 of A-Z, a-z, 0-9, `_` and `-`, a letter or digit first. One is
    /// made if left out.
    pub(super) user_id: Option<String>,
    /// The name of the assistant the user's memories are made with; `mcp_assistant` if left out.
    pub(super) assistant_id: Option<String>,
}

/// Arguments of `get_user_info`: none.
#[derive(Debug, PartialEq, Eq, JsonSchema)]
pub(super) struct GetUserInfo {}

/// What a checked `retrieve_memory` asks for.
#[derive(Debug, PartialEq)]
pub(super) enum Retrieve {
    /// A search.
    Query {
        /// The query, at most 2,000 characters.
        query: String,
        /// The most ranked pages; none for the configured default.
        max_results: Option<usize>,
        /// The most characters of the reply.
        max_chars: usize,
    },
    /// One page, from a character on.
    Page {
        /// Which page.
        id: PageId,
        /// The first character shown.
        offset: usize,
        /// The most characters of the reply.
        max_chars: usize,
    },
}

impl AddMemory {
    pub(super) fn parse(args: &Map<String, Value>) -> Result<Self, String> {
        let required = |name: &str, other: &str| {
            string(args, name)?.ok_or_else(|| {
                format!("{name} is missing, expected a string (it may be empty if {other} is not)")
            })
        };
        Ok(Self {
            user_input: required("user_input", "agent_response")?,
            agent_response: required("agent_response", "user_input")?,
            timestamp: optional(args, "timestamp")?,
            meta_data: object(args, "meta_data")?,
        })
    }

    /// Checks the limits and makes the page, in the session `run` if none is given.
    pub(super) fn check(self, now: Timestamp, run: &str) -> Result<NewPage, String> {
        let Self { user_input, agent_response, timestamp, meta_data } = self;
        for (name, text) in [("user_input", &user_input), ("agent_response", &agent_response)] {
            if text.len() > MAX_TEXT_BYTES {
                let (len, max) = (text.len(), MAX_TEXT_BYTES);
                return Err(format!(
                    "{name} has {len} bytes, expected at most {max}; store the essential part, or \
                     several parts one by one"
                ));
            }
        }
        if user_input.trim().is_empty() && agent_response.trim().is_empty() {
            return Err("user_input and agent_response are both empty, expected text in at least \
                        one"
            .to_owned());
        }
        let given = timestamp.as_deref().map(Timestamp::parse).transpose();
        let given = given.map_err(|e| e.to_string())?;
        if let Some(given) = given.filter(|t| t.seconds_since(now) > MAX_AHEAD) {
            return Err(format!(
                "timestamp {given} is more than a day in the future (it is now {now}), expected \
                 when it was said"
            ));
        }
        let meta_data = meta_data.unwrap_or_default();
        check_meta(&meta_data)?;
        Ok(NewPage {
            session: session(&meta_data).unwrap_or_else(|| run.to_owned()),
            texts: Texts { user_input, agent_response },
            timestamp: given.unwrap_or(now),
            timestamp_given: given.is_some(),
            meta_data,
        })
    }
}

impl RetrieveMemory {
    pub(super) fn parse(args: &Map<String, Value>) -> Result<Self, String> {
        Ok(Self {
            query: string(args, "query")?,
            memory_id: optional(args, "memory_id")?,
            relationship_with_user: None,
            style_hint: None,
            max_results: count(args, "max_results", &(1..=100))?,
            max_chars: count(args, "max_chars", &MAX_CHARS)?,
            offset: count(args, "offset", &(0..=usize::MAX))?,
        })
    }

    pub(super) fn check(self) -> Result<Retrieve, String> {
        let max_chars = self.max_chars.unwrap_or(DEFAULT_MAX_CHARS);
        let query = self.query.filter(|q| !q.trim().is_empty());
        match (query, self.memory_id) {
            (Some(_), Some(_)) => Err("query and memory_id are both given, expected one: query \
                                       to search, memory_id to read one memory whole"
                .to_owned()),
            (None, None) => {
                Err("query is empty, expected what to look for (or memory_id, to read \
                                 one memory whole)"
                    .to_owned())
            }
            (Some(query), None) => {
                let query = query.chars().take(MAX_QUERY_CHARS).collect();
                Ok(Retrieve::Query { query, max_results: self.max_results, max_chars })
            }
            (None, Some(id)) => {
                let id = page_id("memory_id", &id)?;
                Ok(Retrieve::Page { id, offset: self.offset.unwrap_or(0), max_chars })
            }
        }
    }
}

impl GetUserProfile {
    pub(super) fn parse(args: &Map<String, Value>) -> Result<Self, String> {
        Ok(Self {
            include_knowledge: boolean(args, "include_knowledge")?,
            include_assistant_knowledge: boolean(args, "include_assistant_knowledge")?,
            max_chars: count(args, "max_chars", &MAX_CHARS)?,
        })
    }
}

impl CreateUser {
    pub(super) fn parse(args: &Map<String, Value>) -> Result<Self, String> {
        Ok(Self { user_id: string(args, "user_id")?, assistant_id: string(args, "assistant_id")? })
    }

    /// Checks the ids and makes those that are not given.
    pub(super) fn check(self) -> Result<(UserId, AssistantId), String> {
        let user = self.user_id.map_or_else(|| Ok(UserId::generate()), |id| id.parse());
        let assistant =
            self.assistant_id.map_or_else(|| Ok(AssistantId::default()), |id| id.parse());
        Ok((user.map_err(|e| e.to_string())?, assistant.map_err(|e| e.to_string())?))
    }
}

pub(super) fn page_id(name: &str, id: &str) -> Result<PageId, String> {
    id.trim().parse().map_err(|_| {
        let id = shown(&Value::String(id.to_owned()));
        format!("{name} is {id}, expected a UUID as replies give it")
    })
}

fn check_meta(meta_data: &Map<String, Value>) -> Result<(), String> {
    let depth = 1 + meta_data.values().map(depth).max().unwrap_or(0);
    if depth > MAX_META_DEPTH {
        return Err(format!("meta_data is nested {depth} deep, expected at most {MAX_META_DEPTH}"));
    }
    let bytes = serde_json::to_string(meta_data).map_or(usize::MAX, |json| json.len());
    if bytes > MAX_META_BYTES {
        return Err(format!("meta_data has {bytes} bytes, expected at most {MAX_META_BYTES}"));
    }
    Ok(())
}

/// Returns how deeply objects and lists are nested; the JSON parser bounds it at 128.
fn depth(value: &Value) -> usize {
    match value {
        Value::Array(list) => 1 + list.iter().map(depth).max().unwrap_or(0),
        Value::Object(map) => 1 + map.values().map(depth).max().unwrap_or(0),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

fn session(meta_data: &Map<String, Value>) -> Option<String> {
    match meta_data.get("session_id") {
        Some(Value::String(id)) if !id.trim().is_empty() => Some(id.clone()),
        Some(Value::Number(id)) => Some(id.to_string()),
        _ => None,
    }
}

/// Returns an argument that is there and not null.
pub(super) fn given<'a>(args: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    args.get(name).filter(|v| !v.is_null())
}

pub(super) fn string(args: &Map<String, Value>, name: &str) -> Result<Option<String>, String> {
    match given(args, name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(other) => Err(wrong(name, other, "a string")),
    }
}

/// Returns a string that is not blank: models fill what they need not give with "".
pub(super) fn optional(args: &Map<String, Value>, name: &str) -> Result<Option<String>, String> {
    Ok(string(args, name)?.filter(|text| !text.trim().is_empty()))
}

pub(super) fn boolean(args: &Map<String, Value>, name: &str) -> Result<Option<bool>, String> {
    match given(args, name) {
        None => Ok(None),
        Some(Value::Bool(b)) => Ok(Some(*b)),
        Some(Value::String(text)) if text.trim().eq_ignore_ascii_case("true") => Ok(Some(true)),
        Some(Value::String(text)) if text.trim().eq_ignore_ascii_case("false") => Ok(Some(false)),
        Some(other) => Err(wrong(name, other, "true or false")),
    }
}

fn object(args: &Map<String, Value>, name: &str) -> Result<Option<Map<String, Value>>, String> {
    match given(args, name) {
        None => Ok(None),
        Some(Value::Object(map)) => Ok(Some(map.clone())),
        Some(Value::String(text)) => match serde_json::from_str(text) {
            Ok(Value::Object(map)) => Ok(Some(map)),
            Ok(Value::Null) => Ok(None),
            _ => Err(wrong(name, &Value::String(text.clone()), "a JSON object")),
        },
        Some(other) => Err(wrong(name, other, "a JSON object")),
    }
}

fn count(
    args: &Map<String, Value>,
    name: &str,
    allowed: &std::ops::RangeInclusive<usize>,
) -> Result<Option<usize>, String> {
    let Some(value) = given(args, name) else { return Ok(None) };
    let number = match value {
        Value::String(text) => serde_json::from_str(text.trim()).unwrap_or(Value::Null),
        other => other.clone(),
    };
    let whole = number.as_u64().or_else(|| number.as_f64().and_then(whole));
    let count = whole.and_then(|n| usize::try_from(n).ok()).filter(|n| allowed.contains(n));
    let expected = || match *allowed.end() {
        usize::MAX => format!("a whole number from {}", allowed.start()),
        end => format!("a whole number from {} to {end}", allowed.start()),
    };
    count.map(Some).ok_or_else(|| wrong(name, value, &expected()))
}

/// Returns 5 for 5.0.
fn whole(number: f64) -> Option<u64> {
    let is_whole = number.fract() == 0.0 && (0.0..9e15).contains(&number);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the number was found to be whole and in range"
    )]
    is_whole.then_some(number as u64)
}

pub(super) fn wrong(name: &str, value: &Value, expected: &str) -> String {
    format!("{name} is {}, expected {expected}", shown(value))
}

/// Shows a value in an error, cut to a length that leaves the sentence readable.
pub(super) fn shown(value: &Value) -> String {
    let json = value.to_string();
    let short: String = json.chars().take(60).collect();
    if short.len() < json.len() { format!("{short}...") } else { short }
}

/// Names the JSON type of a value.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
#[path = "args_tests.rs"]
mod tests;
