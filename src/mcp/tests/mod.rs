//! The server over in-process pipes, above an engine that keeps pages in memory.

mod connection;
mod protocol;
mod schema_check;
mod tools;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::{Served, Shown, serve};
use crate::engine::fake::Fake;
use crate::storage::data_dir;

/// A client with its server, its engine and the data directory's parent.
struct Client {
    fake: Fake,
    input: Option<DuplexStream>,
    output: BufReader<DuplexStream>,
    server: JoinHandle<anyhow::Result<()>>,
    stop: Option<oneshot::Sender<()>>,
    _folder: tempfile::TempDir,
}

impl Client {
    fn start() -> Self {
        let folder = tempfile::TempDir::new().unwrap();
        let fake = Fake::start();
        let shown = Shown {
            user: "alice_123".parse().unwrap(),
            data_dir: data_dir::prepare(Some(folder.path()), None).unwrap(),
            retrieval_capacity: 10,
            model: "none; nothing leaves this machine".to_owned(),
        };
        let (input, server_input) = tokio::io::duplex(1 << 20);
        let (output, server_output) = tokio::io::duplex(1 << 20);
        let (stop, stopped) = oneshot::channel();
        let stopped = async {
            if stopped.await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        let served = Served::new(fake.engine.clone(), shown);
        let server = tokio::spawn(serve(served, server_input, server_output, stopped));
        let (input, output) = (Some(input), BufReader::new(output));
        Self { fake, input, output, server, stop: Some(stop), _folder: folder }
    }

    /// A client that has introduced itself in the given era.
    async fn initialized(version: &str) -> Self {
        let mut client = Self::start();
        let params = json!({
            "protocolVersion": version,
            "capabilities": {},
            "clientInfo": {"name": "test", "version": "1"},
        });
        let reply = client.ask("initialize", params).await;
        assert_eq!(reply["result"]["protocolVersion"], version);
        client.send(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#).await;
        client
    }

    async fn new() -> Self {
        Self::initialized("2025-11-25").await
    }

    async fn send(&mut self, line: &str) {
        let input = self.input.as_mut().unwrap();
        input.write_all(format!("{line}\n").as_bytes()).await.unwrap();
    }

    async fn request(&mut self, id: impl Into<Value>, method: &str, params: Value) {
        let id = id.into();
        let request = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        self.send(&request.to_string()).await;
    }

    /// Reads the next reply; null at the end of the output.
    async fn reply(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).await.unwrap();
        if line.is_empty() { Value::Null } else { serde_json::from_str(&line).unwrap() }
    }

    async fn ask(&mut self, method: &str, params: Value) -> Value {
        self.request("ask", method, params).await;
        let reply = self.reply().await;
        assert_eq!(reply["id"], "ask");
        reply
    }

    /// Calls a tool; the structured reply, which is also the text.
    async fn call(&mut self, tool: &str, arguments: Value) -> Value {
        let reply = self.ask("tools/call", json!({"name": tool, "arguments": arguments})).await;
        let result = &reply["result"];
        assert_eq!(result["isError"], false, "{reply}");
        let text = result["content"][0]["text"].as_str().unwrap();
        let structured = result["structuredContent"].clone();
        assert_eq!(text, structured.to_string());
        structured
    }

    /// Calls a tool that fails; what it says.
    async fn fails(&mut self, tool: &str, arguments: Value) -> String {
        let reply = self.ask("tools/call", json!({"name": tool, "arguments": arguments})).await;
        assert_eq!(reply["result"]["isError"], true, "{reply}");
        reply["result"]["content"][0]["text"].as_str().unwrap().to_owned()
    }

    fn end_input(&mut self) {
        self.input = None;
    }

    /// Waits for the server to end; it must end well.
    async fn ended(self) -> Fake {
        drop(self.input);
        self.server.await.unwrap().unwrap();
        self.fake
    }
}

fn add(text: &str) -> Value {
    json!({"name": "add_memory", "arguments": {"user_input": text, "agent_response": "ok"}})
}
