use super::*;

const GOLDEN: &str = include_str!("../../../tests/golden/tools.json");

#[tokio::test]
async fn the_tools_are_listed_as_the_golden_file_says() {
    let mut client = Client::new().await;
    let listed = client.ask("tools/list", json!({})).await["result"]["tools"].take();
    let text = format!("{}\n", serde_json::to_string_pretty(&listed).unwrap());
    assert!(text == GOLDEN, "tests/golden/tools.json differs from:\n{text}");
    for noise in ["\"format\"", "\"null\"", "\"default\"", "$schema", "$ref", "anyOf"] {
        assert!(!text.contains(noise), "{noise}");
    }
}

#[tokio::test]
async fn every_reply_fits_its_output_schema() {
    let mut client = Client::new().await;
    let mut calls = Vec::new();
    for i in 0..5 {
        let page = json!({
            "user_input": format!("page {i}"),
            "agent_response": "the password is hunter2",
            "timestamp": "2026-05-01",
            "meta_data": {"any": [1, {"thing": null}]},
        });
        calls.push(("add_memory", page));
    }
    calls.push(("retrieve_memory", json!({"query": "page"})));
    calls.push(("get_user_profile", json!({"include_assistant_knowledge": true})));
    calls.push(("get_user_profile", json!({"include_knowledge": false})));
    calls.push(("create_user", json!({"user_id": "bob"})));
    calls.push(("get_user_info", json!({})));
    let added = client.call("add_memory", add("x")["arguments"].clone()).await;
    calls.push(("retrieve_memory", json!({"memory_id": added["memory_id"]})));
    let listed = client.ask("tools/list", json!({})).await["result"]["tools"].take();
    for (tool, arguments) in calls {
        let reply = client.call(tool, arguments).await;
        let listed = listed.as_array().unwrap().iter().find(|t| t["name"] == tool).unwrap();
        assert_eq!(schema_check::fault(&listed["outputSchema"], &reply, tool), None);
    }
    client.ended().await;
}

#[tokio::test]
async fn a_memory_that_is_added_is_found_again() {
    let mut client = Client::new().await;
    let text = "\u{0}\u{1b}[31mred\u{202e} \u{1f600}\r\n\"quoted\"";
    let arguments = json!({
        "user_input": text,
        "agent_response": "",
        "timestamp": "2026-05-01 09:30:00",
        "meta_data": "{\"k\": [1.0, null]}",
    });
    let added = client.call("add_memory", arguments).await;
    assert_eq!(added["timestamp"], "2026-05-01T09:30:00Z");
    let details = json!({
        "duplicate": false,
        "short_term_count": 1,
        "filed": 0,
        "segments": 1,
        "total_pages": 1,
        "has_timestamp": true,
        "has_meta_data": true,
    });
    assert_eq!(added["details"], details);
    let found = client.call("retrieve_memory", json!({"query": "red"})).await;
    let page = json!({
        "memory_id": added["memory_id"],
        "user_input": text,
        "agent_response": "",
        "timestamp": "2026-05-01T09:30:00Z",
        "meta_info": "chain of 1",
        "meta_data": {"k": [1.0, null]},
    });
    assert_eq!(found["short_term_memory"], json!([page]));
    assert_eq!((&found["query"], &found["user_profile"]), (&json!("red"), &json!("None")));
    let whole = client.call("retrieve_memory", json!({"memory_id": added["memory_id"]})).await;
    assert_eq!(whole["retrieved_pages"], json!([page]));
    client.ended().await;
}

#[tokio::test]
async fn memories_of_one_run_share_a_session_unless_one_is_given() {
    let mut client = Client::new().await;
    for meta in [json!(null), json!({}), json!({"session_id": "mine"})] {
        let page = json!({"user_input": "a", "agent_response": "b", "meta_data": meta});
        client.call("add_memory", page).await;
    }
    let fake = client.ended().await;
    let sessions: Vec<String> =
        fake.pages.lock().unwrap().iter().map(|p| p.new.session.clone()).collect();
    assert!(sessions[0].starts_with("run-"));
    assert_eq!((&sessions[1], sessions[2].as_str()), (&sessions[0], "mine"));
}

#[tokio::test]
async fn a_secret_is_stored_as_asked_and_warned_about() {
    let mut client = Client::new().await;
    let page = json!({"user_input": "my password is hunter2", "agent_response": ""});
    let added = client.call("add_memory", page).await;
    let warning = added["details"]["warning"].as_str().unwrap();
    assert!(warning.contains("a password") && !warning.contains("hunter2"));
    assert_eq!(client.ended().await.inputs(), ["my password is hunter2"]);
}

#[tokio::test]
async fn the_caller_s_mistakes_are_results_that_say_what_to_do() {
    let mut client = Client::new().await;
    let unknown = "0190163d-8694-739b-aea5-966c26f8ad91";
    let cases = [
        ("add_memory", json!({"user_input": "a"}), "agent_response is missing"),
        ("retrieve_memory", json!({"query": ""}), "query is empty"),
        ("retrieve_memory", json!({"memory_id": unknown}), "memory_id 0190163d-8694"),
        ("get_user_profile", json!({"include_knowledge": 3}), "include_knowledge is 3"),
        ("create_user", json!({"user_id": "a/b"}), "user id has '/'"),
    ];
    for (tool, arguments, message) in cases {
        let said = client.fails(tool, arguments).await;
        assert!(said.starts_with(message), "{said}");
    }
    client.ended().await;
}

#[tokio::test]
async fn the_user_is_the_one_served_and_paths_are_shown_as_configured() {
    let mut client = Client::new().await;
    let info = client.call("get_user_info", json!({"user_id": "bob", "unknown": 1})).await;
    assert_eq!(info["user_id"], "alice_123");
    assert_eq!(info["memory_stats"], json!({"pages": 0}));
    assert_eq!(info["model"], "none; nothing leaves this machine");
    assert_eq!(info["notices"], json!(["all is well"]));
    assert!(info["data_path"].as_str().unwrap().ends_with("alice_123"));
    let profile = client.call("get_user_profile", json!({})).await;
    assert_eq!(
        (&profile["user_profile"], &profile["user_knowledge"]),
        (&json!("None"), &json!([]))
    );
    assert!(profile.get("assistant_knowledge").is_none());
    let created = client.call("create_user", json!({})).await;
    assert_eq!(
        (&created["created"], &created["assistant_id"]),
        (&json!(true), &json!("mcp_assistant"))
    );
    client.ended().await;
}
