use super::*;

#[tokio::test]
async fn every_version_with_an_introduction_is_spoken() {
    for version in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let mut client = Client::initialized(version).await;
        let tools = client.ask("tools/list", json!({})).await;
        assert_eq!(tools["result"]["tools"].as_array().map(Vec::len), Some(6));
        assert!(tools["result"].get("resultType").is_none());
        client.call("add_memory", add("x")["arguments"].clone()).await;
        client.ended().await;
    }
}

#[tokio::test]
async fn the_stateless_version_is_spoken_without_an_introduction() {
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let mut client = Client::start();
    let found = client.ask("server/discover", json!({"_meta": meta})).await;
    let versions = found["result"]["supportedVersions"].as_array().unwrap();
    assert!(versions.contains(&json!("2026-07-28")), "{found}");
    let tools = client.ask("tools/list", json!({"_meta": meta})).await;
    assert_eq!(tools["result"]["tools"].as_array().map(Vec::len), Some(6), "{tools}");
    let mut params = add("stateless");
    params["_meta"] = meta;
    let reply = client.ask("tools/call", params).await;
    assert_eq!(reply["result"]["structuredContent"]["status"], "success", "{reply}");
    assert_eq!(client.ended().await.inputs(), ["stateless"]);
}

#[tokio::test]
async fn the_introduction_names_the_server_and_says_when_to_use_it() {
    let mut client = Client::start();
    let params = json!({
        "protocolVersion": "1999-01-01",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    });
    let reply = client.ask("initialize", params).await;
    let result = &reply["result"];
    assert_eq!(result["serverInfo"]["name"], "memoryos");
    assert_eq!(result["serverInfo"]["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(result["protocolVersion"], "2025-11-25");
    assert!(result["instructions"].as_str().unwrap().contains("retrieve_memory"));
    client.ended().await;
}

#[tokio::test]
async fn faults_are_answered_and_the_server_lives_on() {
    let mut client = Client::new().await;
    let over = format!("\"{}\"", "x".repeat(16 << 20));
    let cases = [
        ("{broken", json!(null), -32700),
        ("[]", json!(null), -32600),
        (r#"{"jsonrpc":"2.0","id":4}"#, json!(4), -32600),
        (r#"{"jsonrpc":"2.0","id":5,"method":"tools/call","params":[]}"#, json!(5), -32602),
        (r#"{"jsonrpc":"2.0","id":6,"method":"no/such"}"#, json!(6), -32601),
        (
            r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"nope"}}"#,
            json!(7),
            -32602,
        ),
    ];
    for (line, id, code) in cases {
        client.send(line).await;
        let reply = client.reply().await;
        assert_eq!((&reply["id"], &reply["error"]["code"]), (&id, &json!(code)), "{reply}");
    }
    client.send(&over).await;
    assert_eq!(client.reply().await["error"]["code"], -32600);
    client.send("\r").await;
    client.send("\u{feff}{\"jsonrpc\":\"2.0\",\"id\":8,\"method\":\"ping\"}\r").await;
    assert_eq!(client.reply().await, json!({"jsonrpc": "2.0", "id": 8, "result": {}}));
    client.ended().await;
}

#[tokio::test]
async fn a_batch_is_split_and_each_part_is_answered() {
    let mut client = Client::new().await;
    let ping = |id: u32| json!({"jsonrpc": "2.0", "id": id, "method": "ping"});
    let notification = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    client.send(&json!([ping(1), 5, notification, ping(2)]).to_string()).await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(client.reply().await["id"].to_string());
    }
    ids.sort();
    assert_eq!(ids, ["1", "2", "null"]);
    client.ended().await;
}

#[tokio::test]
async fn a_line_of_ten_megabytes_is_read_and_its_text_refused() {
    let mut client = Client::new().await;
    let arguments = json!({"user_input": "x".repeat(10_000_000), "agent_response": ""});
    let message = client.fails("add_memory", arguments).await;
    assert!(message.starts_with("user_input has 10000000 bytes, expected at most 65536"));
    client.ended().await;
}
