//! The arguments of `forget_memory`, read as leniently as those of the other tools.
//!
//! The rule: only `memory_ids` together with `confirm: true` forget anything.

use schemars::JsonSchema;
use serde_json::{Map, Value};

use super::args::{MAX_QUERY_CHARS, boolean, given, optional, page_id, wrong};
use crate::engine::Forget;
use crate::memory::page::PageId;

/// The most memories that are forgotten in one call, and that a query shows.
const MAX_FORGET: usize = 100;
const MAX_FORGET_FOUND: usize = 10;

/// Arguments of `forget_memory`.
#[derive(Debug, PartialEq, Eq, JsonSchema)]
pub(super) struct ForgetMemory {
    /// What to forget, as a question or in keywords: shows the memories that fit, and forgets
    /// nothing. Take `memory_ids` from the reply.
    pub(super) query: Option<String>,
    /// The memories to forget, by the `memory_id`s of earlier replies; at most 100. Without `confirm`
    /// it is only shown what would go.
    #[schemars(length(max = 100))]
    pub(super) memory_ids: Option<Vec<String>>,
    /// True, with `memory_ids`, to forget for good, after the user has seen what would go and agreed.
    pub(super) confirm: Option<bool>,
}

/// What a checked `forget_memory` asks for.
#[derive(Debug, PartialEq)]
pub(super) enum Forgetting {
    /// What would go.
    Preview(Forget),
    /// That these go.
    Confirmed(Vec<PageId>),
}

impl ForgetMemory {
    pub(super) fn parse(args: &Map<String, Value>) -> Result<Self, String> {
        Ok(Self {
            query: optional(args, "query")?,
            memory_ids: strings(args, "memory_ids")?,
            confirm: boolean(args, "confirm")?,
        })
    }

    pub(super) fn check(self) -> Result<Forgetting, String> {
        let ids = self.memory_ids.filter(|ids| !ids.is_empty());
        match (self.query, ids) {
            (Some(_), Some(_)) => {
                Err("query and memory_ids are both given, expected one: query to \
                                       see what fits, memory_ids to forget it"
                    .to_owned())
            }
            (None, None) => {
                Err("query is empty, expected what to forget (or memory_ids, to forget \
                                 these memories)"
                    .to_owned())
            }
            (Some(_), None) if self.confirm == Some(true) => {
                Err("confirm is true, but query only shows what fits, expected memory_ids of what \
                     the user has agreed to forget; nothing was forgotten"
                    .to_owned())
            }
            (Some(query), None) => {
                let query = query.chars().take(MAX_QUERY_CHARS).collect();
                Ok(Forgetting::Preview(Forget::Query { query, limit: MAX_FORGET_FOUND }))
            }
            (None, Some(ids)) if ids.len() > MAX_FORGET => {
                let n = ids.len();
                Err(format!("memory_ids has {n} entries, expected at most {MAX_FORGET} a call"))
            }
            (None, Some(ids)) => {
                let ids =
                    ids.iter().map(|id| page_id("memory_ids", id)).collect::<Result<_, _>>()?;
                Ok(if self.confirm == Some(true) {
                    Forgetting::Confirmed(ids)
                } else {
                    Forgetting::Preview(Forget::Pages(ids))
                })
            }
        }
    }
}

/// Returns a list of strings; one string that is no list counts as a list of one.
fn strings(args: &Map<String, Value>, name: &str) -> Result<Option<Vec<String>>, String> {
    let Some(value) = given(args, name) else { return Ok(None) };
    let list = match value {
        Value::String(text) => serde_json::from_str(text).unwrap_or_else(|_| value.clone()),
        other => other.clone(),
    };
    let entries = match list {
        Value::Array(entries) => entries,
        Value::String(text) if text.trim().is_empty() => Vec::new(),
        Value::String(text) => vec![Value::String(text)],
        _ => return Err(wrong(name, value, "a list of strings")),
    };
    let text = |entry: &Value| entry.as_str().map(str::to_owned);
    let texts = entries.iter().map(text).collect::<Option<Vec<String>>>();
    texts.map(Some).ok_or_else(|| wrong(name, value, "a list of strings"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(args: &Value) -> Result<Forgetting, String> {
        ForgetMemory::parse(args.as_object().unwrap())?.check()
    }

    #[test]
    fn only_ids_that_are_confirmed_are_forgotten() {
        let id = PageId::generate();
        let ids = json!([id.to_string()]);
        let query = Forget::Query { query: "tea".to_owned(), limit: MAX_FORGET_FOUND };
        for (args, expected) in [
            (json!({"query": "tea"}), Forgetting::Preview(query)),
            (json!({"memory_ids": ids}), Forgetting::Preview(Forget::Pages(vec![id]))),
            (
                json!({"memory_ids": ids, "confirm": false}),
                Forgetting::Preview(Forget::Pages(vec![id])),
            ),
            (json!({"memory_ids": ids, "confirm": true}), Forgetting::Confirmed(vec![id])),
            (
                json!({"memory_ids": ids.to_string(), "confirm": "true", "query": ""}),
                Forgetting::Confirmed(vec![id]),
            ),
            (
                json!({"memory_ids": id.to_string(), "confirm": true}),
                Forgetting::Confirmed(vec![id]),
            ),
        ] {
            assert_eq!(check(&args), Ok(expected), "{args}");
        }
    }

    #[test]
    fn what_cannot_be_meant_is_told_and_nothing_is_forgotten() {
        let id = PageId::generate().to_string();
        let many = vec![id.clone(); 101];
        for (args, said) in [
            (json!({}), "query is empty"),
            (json!({"memory_ids": []}), "query is empty"),
            (json!({"query": "tea", "memory_ids": [id]}), "both given"),
            (json!({"query": "tea", "confirm": true}), "nothing was forgotten"),
            (json!({"memory_ids": ["tea"], "confirm": true}), "expected a UUID"),
            (json!({"memory_ids": [1], "confirm": true}), "a list of strings"),
            (json!({"memory_ids": {"a": 1}}), "a list of strings"),
            (json!({"memory_ids": many}), "at most 100"),
            (json!({"memory_ids": [id], "confirm": 7}), "true or false"),
        ] {
            let error = check(&args).unwrap_err();
            assert!(error.contains(said), "{args}: {error}");
        }
    }
}
