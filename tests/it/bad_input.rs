//! Bad input gets a clear error, and the next request is served as if it had not been.

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::said::page;
use crate::support::{Server, Setup, names};

/// Demands that a call fails with a sentence that begins with `said`, and that an add still works.
fn refused(server: &mut Server, tool: &str, arguments: &Value, said: &str) {
    let shown: String = arguments.to_string().chars().take(100).collect();
    let Err(sentence) = server.tool(tool, arguments) else { panic!("{tool} took {shown}") };
    assert!(sentence.starts_with(said), "{tool} {shown}: {sentence}");
    assert!(sentence.len() < 400, "{sentence}");
    lives(server);
}

/// Demands that a page can be added and that nothing else was.
fn lives(server: &mut Server) {
    let before = server.info()["memory_stats"]["total_pages"].as_u64().unwrap();
    let added = server.tool("add_memory", &page(&format!("still alive {before}"))).unwrap();
    assert_eq!(added["details"]["total_pages"], before + 1);
}

#[test]
fn every_bad_argument_is_answered_with_what_is_wrong_and_what_is_expected() {
    let dir = TempDir::new().unwrap();
    let mut server = Setup::new(dir.path(), "ada").start();
    let add = |name: &str, value: Value| {
        let mut arguments = page("hello");
        arguments[name] = value;
        arguments
    };
    let find = |name: &str, value: Value| {
        let mut arguments = json!({"query": "hello"});
        arguments[name] = value;
        arguments
    };
    let megabyte = "x".repeat(1 << 20);
    let next_year = json!("2999-01-01");
    let cases = [
        ("add_memory", json!({}), "user_input is missing, expected a string"),
        ("add_memory", json!({"user_input": "x"}), "agent_response is missing, expected"),
        ("add_memory", add("user_input", json!(5)), "user_input is 5, expected a string"),
        ("add_memory", add("user_input", json!(["a"])), "user_input is [\"a\"], expected a string"),
        ("add_memory", json!({"user_input": "", "agent_response": " "}), "user_input and agent_"),
        ("add_memory", add("user_input", json!(megabyte)), "user_input has 1048576 bytes, expec"),
        ("add_memory", add("agent_response", json!(megabyte)), "agent_response has 1048576 byt"),
        (
            "add_memory",
            add("timestamp", json!("yesterday")),
            "timestamp \"yesterday\" is not a time",
        ),
        ("add_memory", add("timestamp", json!("2026-02-30")), "timestamp \"2026-02-30\" is not a"),
        ("add_memory", add("timestamp", next_year), "timestamp 2999-01-01T00:00:00Z is more than"),
        ("add_memory", add("timestamp", json!(5)), "timestamp is 5, expected a string"),
        ("add_memory", add("meta_data", json!([1])), "meta_data is [1], expected a JSON object"),
        ("add_memory", add("meta_data", json!("x")), "meta_data is \"x\", expected a JSON object"),
        ("add_memory", add("meta_data", json!({"x": megabyte})), "meta_data has 1048584 bytes"),
        ("retrieve_memory", json!({}), "query is empty, expected what to look for"),
        ("retrieve_memory", json!({"query": " "}), "query is empty, expected what to look for"),
        ("retrieve_memory", json!({"query": 5}), "query is 5, expected a string"),
        ("retrieve_memory", find("max_results", json!(-1)), "max_results is -1, expected a whole"),
        ("retrieve_memory", find("max_results", json!(0)), "max_results is 0, expected a whole"),
        ("retrieve_memory", find("max_results", json!(1_000_000_000)), "max_results is 1000000000"),
        ("retrieve_memory", find("max_results", json!("many")), "max_results is \"many\", expec"),
        ("retrieve_memory", find("max_results", json!(1.5)), "max_results is 1.5, expected a w"),
        ("retrieve_memory", find("max_chars", json!(1)), "max_chars is 1, expected a whole numb"),
        ("retrieve_memory", json!({"memory_id": "../x"}), "memory_id is \"../x\", expected a UUID"),
        ("get_user_profile", json!({"include_knowledge": 3}), "include_knowledge is 3, expected"),
    ];
    for (tool, arguments, said) in cases {
        refused(&mut server, tool, &arguments, said);
    }
}

#[test]
fn every_bad_id_is_refused_and_makes_no_folder() {
    let dir = TempDir::new().unwrap();
    let data = dir.path().join("data");
    let mut server = Setup::new(&data, "ada").start();
    let long = "a".repeat(51);
    let ids = [
        "",
        "..",
        "../x",
        "a/b",
        "a\\b",
        "a\0b",
        &long,
        "CON",
        "con",
        "nul",
        "COM1",
        "-a",
        "_a",
        ".hidden",
        "a b",
        "a.b",
        "\u{430}da",
        "ad\u{e0}",
        "\u{ff41}da",
        "a\n",
        "~",
        "C:",
    ];
    for id in ids {
        refused(&mut server, "create_user", &json!({"user_id": id}), "user id ");
    }
    refused(&mut server, "create_user", &json!({"user_id": 7}), "user_id is 7, expected a string");
    refused(&mut server, "create_user", &json!({"assistant_id": "a\0b"}), "assistant id ");
    assert_eq!(names(&data), [".gitignore", "ada"]);
    assert_eq!(names(dir.path()), ["data"]);
}

#[test]
fn a_server_does_not_start_for_a_bad_id() {
    let dir = TempDir::new().unwrap();
    let data = dir.path().join("data");
    let long = "a".repeat(51);
    for id in ["..", "../x", "a/b", "a\\b", &long, "CON", "-a", "\u{430}da"] {
        let mut server = Setup::new(&data, id).spawn();
        server.end_input();
        let (code, said) = server.wait();
        assert_eq!(code, Some(2), "{id}: {said}");
        assert!(said.starts_with("memoryos: MEMORYOS_USER_ID: user id "), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
    assert!(!data.exists());
}

#[cfg(unix)]
#[test]
fn a_link_that_leads_out_of_the_data_directory_is_refused() {
    let dir = TempDir::new().unwrap();
    let (data, outside) = (dir.path().join("data"), dir.path().join("outside"));
    std::fs::create_dir(&outside).unwrap();
    let mut server = Setup::new(&data, "ada").start();
    std::os::unix::fs::symlink(&outside, data.join("eve")).unwrap();
    let said = server.tool("create_user", &json!({"user_id": "eve"})).unwrap_err();
    assert!(said.contains("is a symlink"), "{said}");
    lives(&mut server);
    let mut of_eve = Setup::new(&data, "eve").spawn();
    of_eve.end_input();
    let (code, said) = of_eve.wait();
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("is a symbolic link, expected a folder"), "{said}");
    assert_eq!(names(&outside), Vec::<String>::new());
}

#[test]
fn every_bad_line_is_answered_once_and_the_next_is_read() {
    let dir = TempDir::new().unwrap();
    let mut server = Setup::new(dir.path(), "ada").start();
    let long = |n: usize| {
        let padding = "x".repeat(n);
        format!(r#"{{"jsonrpc":"2.0","id":7,"method":"ping","params":{{"padding":"{padding}"}}}}"#)
    };
    let many = format!("[{}1]", "1,".repeat(1 << 20));
    let cases: [(String, Value, i64, &str); 10] = [
        ("hello".into(), Value::Null, -32700, "the line is not JSON"),
        ("{\"jsonrpc\":\"2.0\",".into(), Value::Null, -32700, "the line is not JSON"),
        ("[]".into(), Value::Null, -32600, "the batch is empty"),
        ("5".into(), Value::Null, -32600, "a message must be a JSON object"),
        (r#"{"jsonrpc":"2.0","id":7}"#.into(), json!(7), -32600, "the message has no `method`"),
        (r#"{"id":7,"method":"ping"}"#.into(), json!(7), -32600, "`jsonrpc` must be"),
        (
            r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"rm"}}"#.into(),
            json!(7),
            -32602,
            "there is no tool \"rm\"",
        ),
        (r#"{"jsonrpc":"2.0","id":7,"method":"nonsense"}"#.into(), json!(7), -32601, ""),
        (long(17 << 20), Value::Null, -32600, "the line is longer than 16 MiB, it was skipped"),
        (many, Value::Null, -32600, "the batch is longer than 1 MiB, it was skipped"),
    ];
    for (line, id, code, message) in cases {
        server.send(&line);
        let reply = server.line().unwrap();
        assert_eq!((&reply["id"], &reply["error"]["code"]), (&id, &json!(code)), "{reply}");
        let said = reply["error"]["message"].as_str().unwrap();
        assert!(said.starts_with(message), "{said}");
        assert_eq!(reply["jsonrpc"], "2.0");
        lives(&mut server);
    }
    // A long line within the limit is a line like any other.
    server.send(&long(10 << 20));
    assert_eq!(server.line().unwrap(), json!({"jsonrpc": "2.0", "id": 7, "result": {}}));
    lives(&mut server);
}

#[test]
fn the_messages_of_a_batch_are_answered_one_by_one() {
    let dir = TempDir::new().unwrap();
    let mut server = Setup::new(dir.path(), "ada").start();
    server.send(
        r#"[{"jsonrpc":"2.0","id":"a","method":"ping"},1,{"jsonrpc":"2.0","id":"b","method":"ping"}]"#,
    );
    let ids = [0, 1, 2].map(|_| server.line().unwrap()["id"].take());
    // What cannot be carried out needs no waiting, so its answer may come first.
    for id in [json!("a"), json!("b"), Value::Null] {
        assert!(ids.contains(&id), "{ids:?}");
    }
    lives(&mut server);
}

#[test]
fn the_end_of_the_input_before_the_introduction_is_no_failure() {
    let dir = TempDir::new().unwrap();
    let setup = Setup::new(dir.path(), "ada");
    for line in ["", "{", "\n\n", r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#] {
        let mut server = setup.spawn();
        server.send(line);
        let (code, said) = server.close();
        assert_eq!((code, said.as_str()), (Some(0), ""), "{line}");
    }
    lives(&mut setup.start());
}
