//! A language model for tests: an HTTP server on this machine that replies as its script says.
//!
//! It knows nothing about models. One call more than the script has fails the test: a client that
//! asks without end is found out.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;

use serde_json::{Value, json};

use super::PATIENCE;

/// What the server does with one call.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// Replies: a status, headers as they stand in the reply, a body.
    Say(u16, Vec<String>, String),
    /// Keeps the connection and never replies.
    Hang,
    /// Ends the connection without a reply.
    Close,
    /// Ends the connection in the middle of the body.
    CloseAmid(String),
}

impl Reply {
    /// A status and a body.
    pub(crate) fn status(status: u16, body: &str) -> Self {
        Self::Say(status, Vec::new(), body.to_owned())
    }

    /// What a model writes, as a chat completion that counts 42 tokens.
    pub(crate) fn content(content: &str) -> Self {
        Self::status(200, &completion(content).to_string())
    }

    /// A JSON object, written by a model.
    pub(crate) fn json(json: &Value) -> Self {
        Self::content(&json.to_string())
    }

    /// Vectors, one for each text that was sent, as a host gives them: not in their order.
    pub(crate) fn vectors(vectors: &[Vec<f64>]) -> Self {
        let entry = |(index, vector): (usize, &Vec<f64>)| json!({"object": "embedding", "index": index, "embedding": vector});
        let data: Vec<Value> = vectors.iter().enumerate().map(entry).rev().collect();
        let usage = json!({"prompt_tokens": 5, "total_tokens": 5});
        Self::status(200, &json!({"object": "list", "data": data, "usage": usage}).to_string())
    }

    /// Adds a header.
    pub(crate) fn header(self, line: &str) -> Self {
        match self {
            Self::Say(status, mut headers, body) => {
                headers.push(line.to_owned());
                Self::Say(status, headers, body)
            }
            other => other,
        }
    }
}

/// Returns a chat completion around what a model writes.
pub(crate) fn completion(content: &str) -> Value {
    json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "test",
        "choices": [{"index": 0, "finish_reason": "stop", "logprobs": null,
            "message": {"role": "assistant", "content": content}}],
        "usage": {"prompt_tokens": 40, "completion_tokens": 2, "total_tokens": 42},
        "a_field_nobody_knows": {"x": [1]},
    })
}

/// A call, as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// Method and path: `POST /v1/chat/completions`.
    pub(crate) target: String,
    /// The headers, names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// The body.
    pub(crate) body: Value,
}

impl Call {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// Returns the texts of which vectors are wanted; empty for another call.
    pub(crate) fn inputs(&self) -> Vec<String> {
        let inputs = self.body["input"].as_array().into_iter().flatten();
        inputs.filter_map(|text| text.as_str().map(str::to_owned)).collect()
    }

    /// Returns the text of all messages.
    pub(crate) fn text(&self) -> String {
        let messages = self.body["messages"].as_array().into_iter().flatten();
        messages.filter_map(|m| m["content"].as_str()).collect::<Vec<_>>().join("\n")
    }
}

type Script = Box<dyn FnMut(&Call) -> Option<Reply> + Send>;

#[derive(Default)]
struct State {
    calls: Mutex<Vec<Call>>,
    arrived: Condvar,
    too_many: Mutex<usize>,
    stopped: Mutex<bool>,
}

/// A running server; it stops when it is dropped.
pub(crate) struct ModelServer {
    port: u16,
    state: Arc<State>,
    listening: Option<JoinHandle<()>>,
}

impl ModelServer {
    /// Starts a server that gives these replies, one a call.
    pub(crate) fn start(replies: impl IntoIterator<Item = Reply>) -> Self {
        let mut replies = replies.into_iter().collect::<Vec<_>>().into_iter();
        Self::scripted(move |_| replies.next())
    }

    /// Starts a server whose script sees each call; none is a call that must not be.
    pub(crate) fn scripted(script: impl FnMut(&Call) -> Option<Reply> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State::default());
        let script: Arc<Mutex<Script>> = Arc::new(Mutex::new(Box::new(script)));
        let shared = Arc::clone(&state);
        let listening = std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if *shared.stopped.lock().unwrap() {
                    return;
                }
                let (state, script) = (Arc::clone(&shared), Arc::clone(&script));
                std::thread::spawn(move || serve(stream, &state, &script));
            }
        });
        Self { port, state, listening: Some(listening) }
    }

    /// Returns where it is reached.
    pub(crate) fn base_url(&self) -> String {
        format!("http://127.0.0.1:{}/v1", self.port)
    }

    /// Returns the calls so far.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.state.calls.lock().unwrap().clone()
    }

    /// Waits until there were so many calls.
    pub(crate) fn wait_for_calls(&self, count: usize) -> Vec<Call> {
        let calls = self.state.calls.lock().unwrap();
        let few = |calls: &mut Vec<Call>| calls.len() < count;
        let (calls, late) = self.state.arrived.wait_timeout_while(calls, PATIENCE, few).unwrap();
        assert!(!late.timed_out(), "{} calls came, {count} were awaited", calls.len());
        calls.clone()
    }

    /// Demands that nobody called more often than the script has replies.
    pub(crate) fn check(&self) {
        let too_many = *self.state.too_many.lock().unwrap();
        assert_eq!(too_many, 0, "the model was called more often than scripted");
    }
}

impl Drop for ModelServer {
    fn drop(&mut self) {
        *self.state.stopped.lock().unwrap() = true;
        // Wakes the listener, which then sees that it is to stop.
        drop(TcpStream::connect(("127.0.0.1", self.port)));
        drop(self.listening.take().map(JoinHandle::join));
        if !std::thread::panicking() {
            self.check();
        }
    }
}

/// Answers the calls of one connection.
fn serve(stream: TcpStream, state: &State, script: &Mutex<Script>) {
    let mut reader = BufReader::new(stream);
    while let Some(call) = read_call(&mut reader) {
        let reply = (script.lock().unwrap())(&call);
        let mut calls = state.calls.lock().unwrap();
        calls.push(call);
        if reply.is_none() {
            *state.too_many.lock().unwrap() += 1;
        }
        drop(calls);
        state.arrived.notify_all();
        let stream = reader.get_mut();
        match reply {
            Some(Reply::Say(status, headers, body)) => say(stream, status, &headers, &body),
            Some(Reply::Hang) => {
                // Until the other side gives up.
                drop(stream.read(&mut [0]));
                return;
            }
            Some(Reply::CloseAmid(body)) => {
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", 2 * body.len());
                drop(stream.write_all(format!("{head}{body}").as_bytes()));
                return;
            }
            Some(Reply::Close) => return,
            None => say(stream, 418, &[], "not in the script"),
        }
    }
}

fn say(stream: &mut TcpStream, status: u16, headers: &[String], body: &str) {
    let mut head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n", body.len());
    for line in headers {
        head.push_str(line);
        head.push_str("\r\n");
    }
    // A client that has given up does not read.
    drop(stream.write_all(format!("{head}\r\n{body}").as_bytes()));
}

fn read_call(reader: &mut BufReader<TcpStream>) -> Option<Call> {
    let mut line = || {
        let mut line = String::new();
        let read = reader.read_line(&mut line).ok()?;
        (read > 0).then(|| line.trim_end().to_owned())
    };
    let target = line()?.trim_end_matches(" HTTP/1.1").to_owned();
    let mut headers = Vec::new();
    loop {
        let line = line()?;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let mut body = vec![0; length.map_or(0, |(_, length)| length.parse().unwrap())];
    reader.read_exact(&mut body).ok()?;
    Some(Call { target, headers, body: serde_json::from_slice(&body).unwrap_or_default() })
}
