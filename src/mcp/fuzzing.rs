//! What must hold of the line loop, of arguments and of replies, whatever comes in.
//!
//! For tests and fuzz targets only, see `crate::fuzzing`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a broken promise ends the run"
)]

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use rmcp::model::{
    CallToolRequestParams, ClientJsonRpcMessage, ClientRequest, ServerJsonRpcMessage, ServerResult,
};
use rmcp::transport::Transport as _;
use serde_json::{Map, Value};
use tokio::io::{AsyncReadExt as _, AsyncWrite};

use super::args::{
    AddMemory, CreateUser, DEFAULT_MAX_CHARS, GetUserProfile, Retrieve, RetrieveMemory,
};
use super::fit;
use super::forget_args::ForgetMemory;
use super::lines::{Line, Lines};
use super::structured;
use super::tools::ToolName;
use super::transport::LineTransport;
use crate::engine::{Found, Recalled, SegmentBrief};
use crate::memory::page::{NewPage, Page, PageId, Slot, Texts};
use crate::time::Timestamp;

/// The limit that lines are read with beside the real one, which no input reaches.
const SHORT_LINE: usize = 40;

/// Takes what a client writes.
///
/// # Panics
///
/// When a line that asks is not answered once with the client's id, an answer is not one line of
/// JSON with the same text and data, or arguments pass that are over a limit.
pub fn lines(input: &[u8]) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (cut, written) = (input.len() / 3, Written::default());
    let mut read = runtime.block_on(async {
        // Two reads: what is read does not end where lines do.
        let (first, second) = input.split_at(cut);
        let (mut transport, _) = LineTransport::new(first.chain(second), written.clone());
        while let Some(message) = transport.receive().await {
            let ClientJsonRpcMessage::Request(request) = message else { panic!("{message:?}") };
            let result = match request.request {
                ClientRequest::CallToolRequest(call) => echo(call.params),
                _ => ServerResult::empty(()),
            };
            let reply = ServerJsonRpcMessage::response(result, request.id);
            transport.send(reply).await.unwrap();
        }
        transport.close().await.unwrap();
        by_limit(first.chain(second)).await
    });
    let mut asked: Vec<String> = input.split(|&b| b == b'\n').flat_map(ids_asked).collect();
    let replies = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
    assert!(replies.is_empty() || replies.ends_with('\n'));
    let mut answered: Vec<String> = replies.lines().map(id_answered).collect();
    asked.sort();
    answered.sort();
    assert_eq!(answered, asked, "not every question was answered once");
    read.retain(|line| *line != Line::Text(Vec::new()));
    assert_eq!(read, cut_by_hand(input));
}

/// Looks at what a tool is called with, and replies with that.
fn echo(call: CallToolRequestParams) -> ServerResult {
    let args = call.arguments.unwrap_or_default();
    arguments(&call.name, &args);
    ServerResult::CallToolResult(structured::success(serde_json::to_string(&args).unwrap()))
}

/// Bytes that were written.
#[derive(Debug, Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl AsyncWrite for Written {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, b: &[u8]) -> Poll<io::Result<usize>> {
        self.0.lock().unwrap().extend_from_slice(b);
        Poll::Ready(Ok(b.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Returns the ids that JSON-RPC wants in the answers to a line, by its rules alone.
fn ids_asked(line: &[u8]) -> Vec<String> {
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line).trim_ascii();
    if line.is_empty() {
        return Vec::new();
    }
    match std::str::from_utf8(line).ok().and_then(|text| serde_json::from_str(text).ok()) {
        Some(Value::Array(batch)) if !batch.is_empty() => {
            batch.iter().filter_map(id_asked).collect()
        }
        Some(message) => id_asked(&message).into_iter().collect(),
        None => vec!["null".to_owned()],
    }
}

fn id_asked(message: &Value) -> Option<String> {
    let id = message.get("id");
    let shown = match id {
        Some(id @ (Value::String(_) | Value::Number(_))) => id.to_string(),
        _ => "null".to_owned(),
    };
    let is_ours = message.get("jsonrpc").is_some_and(|version| version == "2.0");
    let is_answer = message.get("result").is_some() || message.get("error").is_some();
    let needs_none = match message.get("method") {
        Some(method) => method.is_string() && id.is_none(),
        None => is_answer,
    };
    (!(is_ours && needs_none)).then_some(shown)
}

fn id_answered(line: &str) -> String {
    let reply: Map<String, Value> = serde_json::from_str(line).expect("a reply is JSON");
    assert_eq!(reply.get("jsonrpc").and_then(Value::as_str), Some("2.0"), "{line}");
    assert!(reply.contains_key("result") != reply.contains_key("error"), "{line}");
    let result = reply.get("result");
    if let Some(text) = result.and_then(|result| result.pointer("/content/0/text")) {
        let data: Value = serde_json::from_str(text.as_str().unwrap()).expect("a text is JSON");
        assert_eq!(result.and_then(|result| result.get("structuredContent")), Some(&data));
    }
    reply.get("id").expect("a reply has an id").to_string()
}

async fn by_limit(input: impl tokio::io::AsyncRead + Unpin) -> Vec<Line> {
    let mut lines = Lines::new(input, SHORT_LINE);
    let mut read = Vec::new();
    loop {
        while let Some(line) = lines.buffered() {
            read.push(line);
        }
        if !lines.fill().await.unwrap() {
            return read;
        }
    }
}

fn cut_by_hand(input: &[u8]) -> Vec<Line> {
    let lines = input.split(|&b| b == b'\n').filter(|line| !line.is_empty());
    let line = |line: &[u8]| match line.len() {
        0..=SHORT_LINE => Line::Text(line.to_vec()),
        _ => Line::TooLong,
    };
    lines.map(line).collect()
}

/// Reads the arguments of a call, whatever tool it is for.
fn arguments(name: &str, args: &Map<String, Value>) {
    let now = Timestamp::from_parts(1_780_000_000_000_000, 0).unwrap();
    let outcomes = [
        AddMemory::parse(args).and_then(|add| add.check(now, "run")).map(|new| stored(&new, now)),
        RetrieveMemory::parse(args).and_then(RetrieveMemory::check).map(|wanted| match wanted {
            Retrieve::Query { query, max_results, max_chars } => {
                assert!(query.chars().count() <= 2_000 && !query.trim().is_empty());
                assert!(max_results.is_none_or(|n| (1..=100).contains(&n)));
                assert!((2_000..=200_000).contains(&max_chars));
            }
            Retrieve::Page { max_chars, .. } => assert!((2_000..=200_000).contains(&max_chars)),
        }),
        GetUserProfile::parse(args).map(drop),
        CreateUser::parse(args).and_then(CreateUser::check).map(|(user, assistant)| {
            let user = user.to_string();
            let is_safe = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
            assert!((1..=50).contains(&user.len()) && user.chars().all(is_safe), "{user:?}");
            assert!(!user.starts_with(['_', '-']));
            assert!(!assistant.to_string().contains(char::is_control));
        }),
        ForgetMemory::parse(args).and_then(ForgetMemory::check).map(drop),
    ];
    for said in outcomes.into_iter().filter_map(Result::err) {
        assert!(!said.is_empty() && said.len() < 1_000, "{said}");
        assert!(!said.contains(|c: char| c < ' '), "{said:?}");
    }
    assert!(ToolName::find(name).is_none_or(|_| name.is_ascii()));
}

/// A page that passes is within every limit.
fn stored(new: &NewPage, now: Timestamp) {
    let Texts { user_input, agent_response } = &new.texts;
    assert!(user_input.len() <= 64 << 10 && agent_response.len() <= 64 << 10);
    assert!(!user_input.trim().is_empty() || !agent_response.trim().is_empty());
    assert!(serde_json::to_string(&new.meta_data).unwrap().len() <= 16 << 10);
    assert!(new.timestamp.seconds_since(now) <= 86_400.0);
    assert!(!new.session.trim().is_empty());
}

/// Makes replies of a page and demands that they are no longer than asked for, and that a page read
/// part by part is whole.
pub(crate) fn fits(query: &str, texts: &Texts) {
    let max_chars = 2_000 + (texts.user_input.len() * 7 + query.len()) % 4_000;
    let mut page = page(texts);
    page.new.meta_data.insert(query.to_owned(), texts.agent_response.clone().into());
    let found = |page: &Page| Found {
        page: page.clone(),
        score: 0.5,
        segment: Some(SegmentBrief { id: 1, keywords: vec![query.chars().take(40).collect()] }),
    };
    let recalled = Recalled {
        profile: Some(texts.user_input.clone()),
        short_term: vec![page.clone(), page.clone()],
        found: vec![found(&page), found(&page)],
        user_knowledge: Vec::new(),
        assistant_knowledge: Vec::new(),
        notices: vec![query.to_owned(), "a notice".to_owned()],
    };
    let query: String = query.chars().take(2_000).collect();
    let reply = fit::recall(&query, recalled, "2026-05-01T09:30:00Z".to_owned(), max_chars);
    assert!(fit::json_chars(&reply) <= max_chars);
    let mut offset = 0;
    let mut read = String::new();
    loop {
        let now = "2026-05-01T09:30:00Z".to_owned();
        let reply = fit::page(found(&page), offset, now, max_chars).unwrap();
        assert!(fit::json_chars(&reply) <= max_chars);
        let shown = reply.retrieved_pages.first().expect("the page");
        read.push_str(&shown.user_input);
        read.push_str(&shown.agent_response);
        let Some(next) = reply.next_offset else { break };
        assert!(next > offset, "it goes on");
        offset = next;
    }
    assert_eq!(read, [texts.user_input.as_str(), &texts.agent_response].concat());
    assert!(max_chars < DEFAULT_MAX_CHARS);
}

fn page(texts: &Texts) -> Page {
    Page {
        slot: Slot(1),
        id: PageId(uuid::Uuid::from_u128(7)),
        seq: 1,
        new: NewPage {
            texts: texts.clone(),
            timestamp: Timestamp::from_parts(1_780_000_000_000_000, 0).unwrap(),
            timestamp_given: false,
            meta_data: Map::new(),
            session: "s".to_owned(),
        },
        continues: None,
        chain_summary: texts.user_input.chars().take(200).collect(),
    }
}
