//! What somebody may try to reach another user's memory through the tools.
//!
//! Plain data: every call is sent by one user and names the other in every way we know of.

use serde_json::{Map, Value, json};

/// The user whose memory is to be reached.
#[derive(Debug)]
pub(super) struct Target<'a> {
    /// The id.
    pub(super) user: &'a str,
    /// The folder.
    pub(super) folder: &'a str,
    /// The id of a memory.
    pub(super) memory: &'a str,
}

/// A call of a tool.
pub(super) type Call = (&'static str, Value);

/// Names under which a program may take a user or a place.
const NAMES: [&str; 10] = [
    "user_id",
    "user",
    "userId",
    "owner",
    "assistant_id",
    "data_path",
    "data_storage_path",
    "folder",
    "session_id",
    "MEMORYOS_USER_ID",
];

/// Returns the other's id in every spelling that a file system or a program may take for it.
pub(super) fn spellings(target: &Target<'_>) -> Vec<String> {
    let user = target.user;
    let mut capital = user.to_owned();
    capital.get_mut(..1).into_iter().for_each(str::make_ascii_uppercase);
    vec![
        user.to_owned(),
        user.to_ascii_uppercase(),
        capital,
        format!("../{user}"),
        format!("./{user}"),
        format!("{user}/"),
        format!("x/../{user}"),
        format!("..\\{user}"),
        format!("{user}\0"),
        format!(" {user} "),
        target.folder.to_owned(),
        format!("{}/memory.db", target.folder),
    ]
}

/// Returns every call that is tried.
pub(super) fn calls(target: &Target<'_>) -> Vec<Call> {
    let mut calls = Vec::new();
    let spellings = spellings(target);
    for (n, spelling) in spellings.iter().enumerate() {
        for name in NAMES {
            calls.extend(naming(name, &json!(spelling), n));
        }
        calls.push(("create_user", json!({"user_id": spelling})));
        calls.push(("retrieve_memory", json!({"query": spelling})));
        let meta_data = json!({"user_id": spelling, "session_id": spelling, "data_path": spelling});
        let said = format!("An attempt by meta_data {n}.");
        calls.push((
            "add_memory",
            json!({"user_input": said, "agent_response": "", "meta_data": meta_data}),
        ));
    }
    calls.extend(by_memory(target.memory));
    calls
}

/// Every tool with one more argument.
fn naming(name: &str, value: &Value, n: usize) -> Vec<Call> {
    let with = |arguments: Value| {
        let mut arguments: Map<String, Value> = arguments.as_object().cloned().unwrap_or_default();
        arguments.insert(name.to_owned(), value.clone());
        Value::Object(arguments)
    };
    let said = format!("An attempt by {name} {n}.");
    vec![
        ("retrieve_memory", with(json!({"query": "what is the secret word of the canary"}))),
        ("get_user_profile", with(json!({"include_assistant_knowledge": true}))),
        ("get_user_info", with(json!({}))),
        ("add_memory", with(json!({"user_input": said, "agent_response": ""}))),
        ("forget_memory", with(json!({"query": "what is the secret word of the canary"}))),
    ]
}

/// The id of the other's memory, wherever an id or a text may stand.
fn by_memory(id: &str) -> Vec<Call> {
    let page = |meta_data: Value| {
        let said = format!("An attempt by {meta_data}.");
        json!({"user_input": said, "agent_response": "", "meta_data": meta_data})
    };
    vec![
        ("retrieve_memory", json!({"memory_id": id})),
        ("retrieve_memory", json!({"memory_id": id.to_ascii_uppercase()})),
        ("retrieve_memory", json!({"memory_id": id.replace('-', "")})),
        ("retrieve_memory", json!({"query": id})),
        ("forget_memory", json!({"memory_ids": [id]})),
        ("forget_memory", json!({"memory_ids": [id], "confirm": true})),
        ("add_memory", page(json!({"continues": id}))),
        ("add_memory", page(json!({"memory_id": id, "id": id, "slot": 1}))),
        ("create_user", json!({"user_id": id})),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tool_is_called_in_every_way() {
        let target = Target { user: "ann", folder: "/d/ann", memory: "0a-1b" };
        let calls = calls(&target);
        let tools = [
            "retrieve_memory",
            "get_user_profile",
            "get_user_info",
            "add_memory",
            "forget_memory",
            "create_user",
        ];
        for tool in tools {
            let n_calls = calls.iter().filter(|(name, _)| *name == tool).count();
            assert!(n_calls >= spellings(&target).len(), "{tool}: {n_calls}");
        }
        let texts: Vec<String> = calls.iter().map(|(_, arguments)| arguments.to_string()).collect();
        for what in ["\"ANN\"", "\"Ann\"", "../ann", "/d/ann/memory.db", "0A-1B", "ann\\u0000"] {
            assert!(texts.iter().any(|text| text.contains(what)), "{what}");
        }
    }
}
