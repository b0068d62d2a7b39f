//! Streams that are sockets, as programs on Node hand them over.
#![cfg(unix)]

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::PATIENCE;

/// A server both of whose streams are one socket.
fn start(data: &TempDir) -> (Child, UnixStream) {
    let (own, other) = UnixStream::pair().unwrap();
    let output = Stdio::from(OwnedFd::from(other.try_clone().unwrap()));
    let child = Command::new(env!("CARGO_BIN_EXE_memoryos"))
        .env_clear()
        .env("MEMORYOS_DATA_PATH", data.path())
        .env("MEMORYOS_USER_ID", "ada")
        .stdin(Stdio::from(OwnedFd::from(other)))
        .stdout(output)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    own.set_read_timeout(Some(PATIENCE)).unwrap();
    own.set_write_timeout(Some(PATIENCE)).unwrap();
    (child, own)
}

fn call(id: usize, tool: &str, arguments: &Value) -> Value {
    let params = json!({"name": tool, "arguments": arguments});
    json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params})
}

#[test]
fn one_socket_serves_both_ways_also_when_replies_are_large_and_the_client_reads_late() {
    let data = TempDir::new().unwrap();
    let (mut child, socket) = start(&data);
    let hello = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
        "protocolVersion": "2025-06-18", "capabilities": {},
        "clientInfo": {"name": "socket", "version": "1"}}});
    let mut sent = vec![hello, json!({"jsonrpc": "2.0", "method": "notifications/initialized"})];
    for id in 1..=60 {
        let text = format!("Exchange {id} {}", "about the harbour and its boats. ".repeat(250));
        sent.push(call(id, "add_memory", &json!({"user_input": text, "agent_response": "Noted."})));
    }
    for id in 61..=100 {
        let arguments = json!({"query": "boats", "max_results": 40, "max_chars": 200_000});
        sent.push(call(id, "retrieve_memory", &arguments));
    }
    let mut output = socket.try_clone().unwrap();
    let writer = std::thread::spawn(move || {
        for line in sent {
            writeln!(output, "{line}").unwrap();
        }
        output.shutdown(Shutdown::Write).unwrap();
    });
    let mut ids = Vec::new();
    let mut longest = 0;
    for line in BufReader::new(socket).lines() {
        let line = line.unwrap();
        longest = longest.max(line.len());
        let reply: Value = serde_json::from_str(&line).unwrap();
        assert_ne!(reply["result"]["isError"], true, "{line}");
        ids.push(usize::try_from(reply["id"].as_u64().unwrap()).unwrap());
    }
    writer.join().unwrap();
    assert_eq!(ids, (0..=100).collect::<Vec<_>>());
    assert!(longest > 100_000, "{longest}");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
