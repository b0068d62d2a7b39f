//! A client in Rust: starts the server as a child process and calls its tools over the pipes.
//!
//! ```text
//! cargo build --release
//! cargo run --release --example stdio_client               drives target/release/memoryos
//! cargo run --release --example stdio_client -- PROGRAM    drives another build
//! ```
//!
//! It serves a user in a folder of its own, which is removed afterwards. One JSON message a line is
//! all there is to the protocol; a client with more needs takes a library for it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context as _, bail};
use serde_json::{Value, json};

/// A server that was started, and both ends of its pipes.
struct Server {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    last_id: u64,
}

impl Server {
    fn start(program: &PathBuf, folder: &std::path::Path) -> anyhow::Result<Self> {
        let mut child = Command::new(program)
            .env("MEMORYOS_DATA_PATH", folder)
            .env("MEMORYOS_USER_ID", "ada")
            .env("MEMORYOS_SHORT_TERM_CAPACITY", "2")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let input = child.stdin.take().context("the server has no stdin")?;
        let output = BufReader::new(child.stdout.take().context("the server has no stdout")?);
        let mut server = Self { child, input, output, last_id: 0 };
        server.request(
            "initialize",
            &json!({
                "protocolVersion": "2025-11-25",
                "capabilities": {},
                "clientInfo": {"name": "stdio_client", "version": "1"},
            }),
        )?;
        server.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}))?;
        Ok(server)
    }

    fn send(&mut self, message: &Value) -> anyhow::Result<()> {
        writeln!(self.input, "{message}").context("the server does not read")
    }

    fn request(&mut self, method: &str, params: &Value) -> anyhow::Result<Value> {
        self.last_id += 1;
        let id = self.last_id;
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}))?;
        let mut line = String::new();
        if self.output.read_line(&mut line)? == 0 {
            bail!("the server ended without an answer to {method}");
        }
        let mut reply: Value = serde_json::from_str(&line)?;
        match reply.get("error") {
            Some(error) => bail!("{method}: {error}"),
            None => Ok(reply.get_mut("result").map(Value::take).unwrap_or_default()),
        }
    }

    /// Calls a tool; its failures are results with `isError` and a sentence.
    fn tool(&mut self, name: &str, arguments: &Value) -> anyhow::Result<Value> {
        let call = json!({"name": name, "arguments": arguments});
        let mut result = self.request("tools/call", &call)?;
        if result.get("isError") == Some(&json!(true)) {
            let text = result.pointer("/content/0/text").and_then(Value::as_str);
            bail!("{name}: {}", text.unwrap_or("failed"));
        }
        Ok(result.get_mut("structuredContent").map(Value::take).unwrap_or_default())
    }

    /// Ends the input; the server answers what was asked, closes its files and exits.
    fn end(mut self) -> anyhow::Result<()> {
        drop(self.input);
        let status = self.child.wait()?;
        if !status.success() {
            bail!("the server ended with {status}");
        }
        Ok(())
    }
}

fn main() -> anyhow::Result<()> {
    let given = std::env::args_os().nth(1).map(PathBuf::from);
    let program = given.unwrap_or_else(|| PathBuf::from("target/release/memoryos"));
    let folder = tempfile::tempdir()?;
    let mut out = std::io::stdout().lock();
    let mut server = Server::start(&program, folder.path())?;

    for (user_input, agent_response) in [
        ("My sister Mara has moved to Lisbon.", "How lovely. Does she like it there?"),
        ("I am allergic to peanuts.", "Noted: nothing with peanuts."),
        ("The kitchen renovation starts in May.", "Good luck with the builders."),
        ("We ordered oak for the counter.", "Oak will last."),
    ] {
        let page = json!({"user_input": user_input, "agent_response": agent_response});
        let added = server.tool("add_memory", &page)?;
        writeln!(out, "{} {user_input}", text(&added, "/memory_id"))?;
    }
    let query = "Where does my sister live?";
    let found = server.tool("retrieve_memory", &json!({"query": query, "max_results": 1}))?;
    writeln!(out, "\n{query}\n  {}", text(&found, "/retrieved_pages/0/user_input"))?;
    let info = server.tool("get_user_info", &json!({}))?;
    let total = info.pointer("/memory_stats/total_pages").cloned().unwrap_or_default();
    writeln!(out, "\n{total} pages in {}", text(&info, "/data_path"))?;
    server.end()
}

fn text<'a>(reply: &'a Value, pointer: &str) -> &'a str {
    reply.pointer(pointer).and_then(Value::as_str).unwrap_or("(nothing)")
}
