//! What is written where: JSON-RPC and nothing else on stdout, no memory text on stderr.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::said::{hold_write, page};
use crate::support::{Setup, flip, put};

/// A word that is in every text and nowhere else.
const MARKER: &str = "Quetzalcoatl";

/// Pipes lines through a program that serves the user `ada` of a data directory.
fn pipe(data: &std::path::Path, log: Option<&str>, lines: &[String]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_memoryos"));
    command.env_clear().args(["--user-id", "ada", "--data-path"]).arg(data);
    command.envs(log.map(|log| ("MEMORYOS_LOG", log)));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = lines.join("\n");
    std::thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
    child.wait_with_output().unwrap()
}

/// A session with everything in it that can go well or wrong on the wire.
fn session() -> Vec<String> {
    let request = |id: u64, method: &str, params: Value| {
        json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}).to_string()
    };
    let tool = |id: u64, name: &str, arguments: Value| {
        request(id, "tools/call", json!({"name": name, "arguments": arguments}))
    };
    let mut bad = page(MARKER);
    bad["timestamp"] = json!(format!("yesterday {MARKER}"));
    let mut lines = vec![
        request(
            1,
            "initialize",
            json!({"protocolVersion": "2025-11-25", "capabilities": {},
            "clientInfo": {"name": "t", "version": "1"}}),
        ),
        json!({"jsonrpc": "2.0", "method": "notifications/initialized"}).to_string(),
        format!("{{ no JSON {MARKER}"),
        format!("[{{\"{MARKER}\": 1}}, 2]"),
        request(2, MARKER, json!({MARKER: 1})),
        request(3, "tools/list", json!({})),
        request(4, "ping", json!({})),
        tool(5, MARKER, json!({})),
        tool(6, "add_memory", bad),
        tool(7, "add_memory", json!({"user_input": MARKER})),
        tool(8, "retrieve_memory", json!({"query": MARKER})),
        tool(9, "create_user", json!({"user_id": format!("{MARKER}/x")})),
        tool(10, "get_user_info", json!({})),
        tool(11, "get_user_profile", json!({})),
    ];
    lines.extend((20..60).map(|n| tool(n, "add_memory", page(&format!("{MARKER} {n}")))));
    lines.push(tool(60, "retrieve_memory", json!({"query": MARKER, "max_results": 100})));
    lines
}

/// Demands that every line is a JSON-RPC answer; returns how many there are.
fn answers(output: &Output) -> usize {
    let text = std::str::from_utf8(&output.stdout).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'));
    for line in text.lines() {
        let answer: Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        assert_eq!(answer["jsonrpc"], "2.0", "{line}");
        assert!(answer.get("id").is_some(), "{line}");
        assert!(answer.get("result").is_some() != answer.get("error").is_some(), "{line}");
    }
    text.lines().count()
}

#[test]
fn nothing_but_answers_is_on_stdout_at_any_level_of_the_log() {
    for log in [None, Some("trace"), Some("off")] {
        let dir = TempDir::new().unwrap();
        let lines = session();
        let output = pipe(dir.path(), log, &lines);
        // One notification is not answered, the batch of two is answered twice.
        assert_eq!(answers(&output), lines.len());
        assert_eq!(output.status.code(), Some(0));
    }
}

#[test]
fn no_text_of_a_memory_or_a_query_is_in_the_log_at_the_default_level() {
    let dir = TempDir::new().unwrap();
    let output = pipe(dir.path(), None, &session());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!said.contains(MARKER), "{said}");
}

#[test]
fn no_text_of_a_memory_is_in_the_log_when_the_disk_is_damaged_or_busy() {
    let dir = TempDir::new().unwrap();
    let setup = Setup::new(dir.path(), "ada");
    answers(&pipe(dir.path(), None, &session()));
    for share in [0.2, 0.5, 0.8] {
        flip(&setup.file("memory.db"), share);
        flip(&setup.file("mid_term_memory.json"), share);
        put(&setup.file("user_profile.json"), format!("[{{\"user_input\": \"{MARKER}"));
        let output = pipe(dir.path(), None, &session());
        answers(&output);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!said.contains(MARKER), "{said}");
    }
    let mut other = setup.start();
    let _held = hold_write(&mut other, &setup);
    let lines = session();
    let output = pipe(dir.path(), None, &lines[..8]);
    answers(&output);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!said.contains(MARKER), "{said}");
}
