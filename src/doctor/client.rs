//! A client of a server of this program, over pipes: one request, one reply, bounded waits.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};

use crate::config::{self, Key};

/// How long a reply, or the end, may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// A running server; it is ended when it is dropped.
#[derive(Debug)]
pub(super) struct Server {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    next_id: u64,
}

impl Server {
    /// Starts a server of `user` in the data directory `data`, which calls no model, and shakes
    /// hands; none where it refuses to serve.
    pub(super) fn start(data: &Path, user: &str) -> std::io::Result<Option<Self>> {
        let mut command = Command::new(config::program()?);
        for key in Key::ALL {
            command.env_remove(key.variable());
        }
        command.env(Key::DataPath.variable(), data).env(Key::UserId.variable(), user);
        command.env(Key::Llm.variable(), "off").env(Key::Log.variable(), "off");
        command.current_dir(data).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::null()).spawn()?;
        let (sender, lines) = channel();
        if let Some(stdout) = child.stdout.take() {
            std::thread::spawn(move || {
                for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                    drop(sender.send(line));
                }
            });
        }
        let stdin = child.stdin.take();
        let mut server = Self { child, stdin, lines, next_id: 0 };
        let client = json!({"protocolVersion": "2025-11-25", "capabilities": {},
            "clientInfo": {"name": "memoryos doctor", "version": env!("CARGO_PKG_VERSION")}});
        if server.request("initialize", &client).is_none() {
            return Ok(None);
        }
        server.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        Ok(Some(server))
    }

    fn send(&mut self, message: &Value) {
        // A server that has ended does not read; its silence is noticed.
        drop(self.stdin.as_mut().map(|stdin| stdin.write_all(format!("{message}\n").as_bytes())));
    }

    /// Sends a request and returns the line it is answered with; none if there is no answer.
    fn request(&mut self, method: &str, params: &Value) -> Option<String> {
        self.next_id += 1;
        let id = self.next_id;
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        self.lines.recv_timeout(PATIENCE).ok()
    }

    /// Calls a tool and returns the line of the reply; none if there is no answer.
    pub(super) fn tool(&mut self, name: &str, arguments: &Value) -> Option<String> {
        self.request("tools/call", &json!({"name": name, "arguments": arguments}))
    }

    /// Ends the input and waits until everything is written.
    pub(super) fn close(mut self) {
        self.stdin = None;
        while self.lines.recv_timeout(PATIENCE).is_ok() {}
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stdin = None;
        // It has ended already, unless it hangs.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Returns what a tool said: its structured content, if it succeeded.
pub(super) fn content(line: &str) -> Option<Value> {
    let reply: Value = serde_json::from_str(line).ok()?;
    let result = reply.get("result")?;
    let failed = result.get("isError").and_then(Value::as_bool) == Some(true);
    if failed { None } else { result.get("structuredContent").cloned() }
}
