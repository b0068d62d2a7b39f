//! The client of a language model against a server that does everything wrong.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use memoryos::llm::{Answer, ApiKey, Client, LlmError, ModelEndpoint, Timeouts, Used};
use memoryos::memory::page::PageId;
use memoryos::memory::prompts::hot::HotPage;
use memoryos::memory::prompts::{HotJob, Prompt, Rejected, hot_prompt, read_hot};
use memoryos::memory::segment::SegmentId;
use memoryos::time::Timestamp;
use serde_json::{Value, json};

use crate::support::model::{Call, ModelServer, Reply, completion};

const KEY: &str = "sk-proj-0123456789abcdef";

/// A word that is in the page and nowhere else.
const MARKER: &str = "Quetzalcoatl";

fn job() -> HotJob {
    HotJob {
        segment: SegmentId(1),
        keywords: Vec::new(),
        pages: vec![HotPage {
            id: PageId::generate(),
            user_input: format!("I collect stamps with {MARKER} on them."),
            agent_response: "Lovely!".to_owned(),
            timestamp: Timestamp::parse("2026-05-01").unwrap(),
        }],
        profile: None,
        facts: Vec::new(),
    }
}

fn prompt() -> Prompt {
    hot_prompt(&job())
}

fn patient() -> Timeouts {
    Timeouts { pause: Duration::from_millis(1), ..Timeouts::default() }
}

fn client(base_url: String, key: Option<&str>, timeouts: Timeouts) -> Client {
    let api_key = key.map(|key| ApiKey::new(key).unwrap());
    Client::new(&ModelEndpoint { base_url, api_key, model: "test".to_owned() }, timeouts).unwrap()
}

fn ask(client: &Client) -> Result<Answer, LlmError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(client.ask(&prompt()))
}

/// Asks a server with a script once: the outcome and the calls it took.
fn outcome(replies: impl IntoIterator<Item = Reply>) -> (Result<Answer, LlmError>, Vec<Call>) {
    let server = ModelServer::start(replies);
    let outcome = ask(&client(server.base_url(), Some(KEY), patient()));
    (outcome, server.calls())
}

/// An answer whose tokens the server counted.
fn answer(json: Value) -> Answer {
    Answer { json, tokens: 42 }
}

#[test]
fn a_question_is_one_request_with_the_key_in_its_header_alone() {
    let (found, calls) = outcome([Reply::json(&json!({"a": 1}))]);
    assert_eq!(found, Ok(answer(json!({"a": 1}))));
    let [call] = calls.as_slice() else { panic!("{calls:?}") };
    assert_eq!(call.target, "POST /v1/chat/completions");
    assert_eq!(call.header("authorization"), Some(format!("Bearer {KEY}").as_str()));
    assert_eq!(call.header("content-type"), Some("application/json"));
    let asked = (&call.body["model"], &call.body["max_tokens"], &call.body["stream"]);
    assert_eq!(asked, (&json!("test"), &json!(2500), &json!(false)));
    assert_eq!(call.body["response_format"]["json_schema"]["schema"], prompt().schema);
    assert_eq!(call.text(), format!("{}\n{}", prompt().system, prompt().user));
    assert!(!call.body.to_string().contains(KEY));
}

#[test]
fn a_server_without_a_key_is_sent_none() {
    let server = ModelServer::start([Reply::json(&json!({"a": 1}))]);
    let client = client(server.base_url(), None, patient());
    assert_eq!(ask(&client), Ok(answer(json!({"a": 1}))));
    assert_eq!(server.calls()[0].header("authorization"), None);
    assert_eq!(format!("http://{}/v1", client.host()), server.base_url());
}

#[test]
fn fences_thoughts_and_unknown_fields_are_no_obstacle() {
    let object = json!({"a": {"b": [1, "}"]}});
    for content in [
        format!("```json\n{object}\n```"),
        format!("<think>Let me {{see}}.</think>\n{object}"),
        format!("Here you are: {object}. Anything else?"),
    ] {
        assert_eq!(outcome([Reply::content(&content)]).0, Ok(answer(object.clone())));
    }
    let mut parts = completion("");
    parts["choices"][0]["message"]["content"] = json!([{"type": "text", "text": "{\"a\": 1}"}]);
    parts["usage"] = Value::Null;
    let found = outcome([Reply::status(200, &parts.to_string())]).0.unwrap();
    let chars = prompt().system.chars().count() + prompt().user.chars().count() + 8;
    assert_eq!((found.json, found.tokens), (json!({"a": 1}), chars.div_ceil(4) as u64));
}

#[test]
fn what_is_no_answer_is_an_error_after_one_request() {
    let status = |status, body: &str| {
        let code = if body.contains("invalid_api_key") { "invalid_api_key" } else { "" };
        LlmError::Status { status, code: code.to_owned(), detail: body.to_owned() }
    };
    let refused = r#"{"error":{"message":"no","code":"invalid_api_key"}}"#;
    let cases = [
        (Reply::status(401, refused), status(401, refused)),
        (Reply::status(403, "no"), status(403, "no")),
        (Reply::status(404, "<html> no"), status(404, "<html> no")),
        (Reply::status(400, ""), status(400, "")),
        (Reply::status(200, "<!doctype html><p>Hi"), LlmError::NotJson("HTML")),
        (Reply::status(200, "Hi"), LlmError::NotJson("no JSON")),
        (Reply::status(200, "{\"choices\": ["), LlmError::NotJson("no JSON")),
        (Reply::status(200, ""), LlmError::Empty),
        (Reply::status(200, " \n"), LlmError::Empty),
        (Reply::status(200, "{\"choices\": []}"), LlmError::Empty),
        (Reply::status(200, "{\"ok\": true}"), LlmError::NotJson("no chat completion")),
        (Reply::status(200, "[1]"), LlmError::NotJson("no chat completion")),
        (Reply::content(""), LlmError::Empty),
        (Reply::content("I'm sorry."), LlmError::NotJson("without a whole JSON object")),
        (Reply::content("[{}]"), LlmError::NotJson("without a whole JSON object")),
        (Reply::content("{\"a\": [1, "), LlmError::NotJson("without a whole JSON object")),
        (Reply::status(200, &" ".repeat(3 << 20)), LlmError::TooLarge),
    ];
    for (reply, error) in cases {
        let (found, calls) = outcome([reply]);
        assert_eq!((found, calls.len()), (Err(error), 1));
    }
}

#[test]
fn what_may_pass_is_tried_three_times_and_no_more() {
    let down = |status| Reply::status(status, "down");
    for status in [429, 500, 502, 503, 504] {
        let (found, calls) = outcome([down(status), down(status), down(status)]);
        assert!(
            matches!(found, Err(LlmError::Status { status: s, .. }) if s == status),
            "{found:?}"
        );
        assert_eq!(calls.len(), 3);
    }
    let (found, calls) = outcome([down(503), Reply::Close, Reply::json(&json!({"a": 1}))]);
    assert_eq!((found, calls.len()), (Ok(answer(json!({"a": 1}))), 3));
    let (found, _) = outcome([Reply::Close, Reply::Close, Reply::Close]);
    assert_eq!(found, Err(LlmError::Broken));
    let (found, _) = outcome(vec![Reply::CloseAmid("{\"choices\"".to_owned()); 3]);
    assert_eq!(found, Err(LlmError::Broken));
    let quota = r#"{"error": {"code": "insufficient_quota"}}"#;
    assert_eq!(outcome([Reply::status(429, quota)]).1.len(), 1);
}

#[test]
fn a_longer_pause_than_there_is_time_is_not_waited_for() {
    let start = Instant::now();
    let (found, calls) = outcome([Reply::status(429, "").header("retry-after: 3600")]);
    assert!(matches!(found, Err(LlmError::Status { status: 429, .. })), "{found:?}");
    assert_eq!(calls.len(), 1);
    let soon = Reply::status(429, "").header("retry-after: 0");
    assert_eq!(outcome([soon, Reply::json(&json!({"a": 1}))]).0, Ok(answer(json!({"a": 1}))));
    assert!(start.elapsed() < Duration::from_mins(1), "{:?}", start.elapsed());
}

#[test]
fn a_host_that_hangs_costs_the_time_of_a_call_and_no_more() {
    let server = ModelServer::start([Reply::Hang, Reply::Hang, Reply::Hang]);
    let short = Timeouts {
        per_try: Duration::from_millis(50),
        in_all: Duration::from_secs(30),
        pause: Duration::from_millis(1),
    };
    let hanging = client(server.base_url(), None, short);
    assert_eq!(ask(&hanging), Err(LlmError::Timeout));
    let used = hanging.used();
    assert_eq!(used.calls, 3);
    assert!(used.tokens > 0, "{used:?}");
    let server = ModelServer::start([Reply::Hang]);
    let all = Timeouts { in_all: Duration::from_millis(50), ..patient() };
    let hanging = client(server.base_url(), None, all);
    assert_eq!(ask(&hanging), Err(LlmError::Timeout));
    assert!(hanging.used().tokens > 0, "{:?}", hanging.used());
}

#[test]
fn a_host_that_is_not_there_is_an_error_without_its_address() {
    // Nobody listens there, and no other test is given this port.
    let client = client(format!("http://me:{KEY}@127.0.0.1:1/v1/hidden"), Some(KEY), patient());
    let error = ask(&client).unwrap_err();
    assert!(matches!(error, LlmError::Connect(_)), "{error:?}");
    assert!(error.to_string().starts_with("the language model's host cannot be reached: "));
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains(KEY) && !shown.contains("hidden"), "{shown}");
}

#[test]
fn a_server_that_knows_no_schema_is_asked_plainly_and_that_is_remembered() {
    let refused = |word: &str| format!("{{\"error\": \"{word} is not supported\"}}");
    let server = ModelServer::start([
        Reply::status(400, &refused("response_format.json_schema")),
        Reply::status(500, &refused("grammar")),
        Reply::json(&json!({"a": 1})),
        Reply::json(&json!({"a": 2})),
        // Refused once more, for no reason that could be left out: final.
        Reply::status(400, &refused("response_format")),
    ]);
    let client = client(server.base_url(), None, patient());
    assert_eq!(ask(&client), Ok(answer(json!({"a": 1}))));
    assert_eq!(ask(&client), Ok(answer(json!({"a": 2}))));
    assert!(matches!(ask(&client), Err(LlmError::Status { status: 400, .. })));
    let calls = server.calls();
    let formats: Vec<&Value> = calls.iter().map(|c| &c.body["response_format"]["type"]).collect();
    let none = &Value::Null;
    assert_eq!(formats, [&json!("json_schema"), &json!("json_object"), none, none, none]);
    assert!(calls[2].text().contains(&prompt().schema.to_string()));
    assert_eq!(client.used(), Used { calls: 5, tokens: 84 });
}

#[test]
fn no_redirect_takes_a_memory_to_another_host() {
    let other = ModelServer::start([]);
    for status in [301, 302, 307, 308] {
        let location = format!("location: {}/chat/completions", other.base_url());
        let (found, calls) = outcome([Reply::status(status, "").header(&location)]);
        assert!(
            matches!(found, Err(LlmError::Status { status: s, .. }) if s == status),
            "{found:?}"
        );
        assert_eq!(calls.len(), 1);
    }
    assert_eq!(other.calls().len(), 0);
}

#[test]
fn an_answer_of_a_megabyte_is_read_and_its_length_refused() {
    let long = "marathon ".repeat(120_000);
    let profile = json!({"needs": long, "expectations": "", "interests": "", "cites": ["p1"]});
    let (found, _) = outcome([Reply::json(&json!({"profile": profile, "facts": []}))]);
    let refused = read_hot(&found.unwrap().json, &job());
    assert_eq!(refused, Err(Rejected::Length("section on needs")));
}

#[test]
fn an_answer_is_used_only_if_it_rests_on_the_pages() {
    let say = |needs: &str, page: &str| {
        let profile = json!({"needs": needs, "expectations": "", "interests": "", "cites": [page]});
        let fact = json!({"page": page, "attribute": "hobby", "quote": "I collect stamps",
            "value": "stamps", "negated": false});
        let reply = Reply::json(&json!({"profile": profile, "facts": [fact]}));
        read_hot(&outcome([reply]).0.unwrap().json, &job())
    };
    let good = say("Collects stamps.", "p1").unwrap();
    assert_eq!((good.profile.unwrap().needs.as_str(), good.facts.len()), ("Collects stamps.", 1));
    let needs = "section on needs";
    assert_eq!(say("Error: stamps overloaded", "p1"), Err(Rejected::Excuse(needs)));
    assert_eq!(say("Collects stamps.", "p7"), Err(Rejected::Unknown("page")));
    let other = outcome([Reply::json(&json!({"answer": "fine"}))]).0.unwrap();
    assert_eq!(read_hot(&other.json, &job()), Err(Rejected::Shape));
}

/// What is logged at any level.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn neither_key_nor_memory_is_in_an_error_or_in_the_log_of_any_level() {
    let echo = |call: &Call| format!("{:?} {} you said {}", call.headers, KEY, call.text());
    let mut n = 0;
    let server = ModelServer::scripted(move |call| {
        n += 1;
        let echoed = echo(call);
        Some(match n {
            1 => Reply::status(401, &echoed),
            2..5 => Reply::status(500, &echoed),
            5 => {
                Reply::status(422, &json!({"error": {"message": echoed, "code": KEY}}).to_string())
            }
            6 => Reply::status(200, &echoed),
            7 => Reply::content(&format!("{KEY} {MARKER}")),
            8..11 => Reply::CloseAmid(echoed),
            _ => Reply::json(&json!({"a": 1})),
        })
    });
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let client = client(server.base_url(), Some(KEY), patient());
    let errors: Vec<LlmError> = tracing::subscriber::with_default(subscriber, || {
        let errors = (0..6).map(|_| ask(&client).unwrap_err()).collect();
        assert!(ask(&client).is_ok());
        errors
    });
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("the call of the language model failed"), "{log}");
    let words: Vec<String> = errors.iter().map(ToString::to_string).collect();
    let all = format!("{log} {words:?} {client:?}");
    assert!(!all.contains(MARKER), "{all}");
    let details = format!("{all} {errors:?}");
    assert!(!details.contains("sk-proj") && !details.contains("89abcdef"), "{details}");
    assert_eq!(server.calls().len(), 11);
}

#[test]
fn vectors_are_one_request_and_come_in_the_order_of_the_texts() {
    let embed = |replies: Vec<Reply>| {
        let server = ModelServer::start(replies);
        let client = client(server.base_url(), Some(KEY), patient());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let texts = ["one".to_owned(), MARKER.to_owned()];
        let outcome = runtime.block_on(client.embed(&texts));
        (outcome, client.used(), server.calls())
    };
    let sound = Reply::vectors(&[vec![1.0, 0.5], vec![0.0, -2.0]]);
    let (found, used, calls) = embed(vec![Reply::status(503, ""), sound]);
    assert_eq!(found, Ok(vec![vec![1.0, 0.5], vec![0.0, -2.0]]));
    assert_eq!(used, Used { calls: 2, tokens: 5 });
    assert_eq!(calls[1].target, "POST /v1/embeddings");
    assert_eq!(calls[1].header("authorization"), Some(format!("Bearer {KEY}").as_str()));
    assert_eq!(calls[1].body, json!({"model": "test", "input": ["one", MARKER]}));
    for (reply, error) in [
        (Reply::status(200, "<html></html>"), LlmError::NotJson("HTML")),
        (Reply::status(200, r#"{"data": [NaN]}"#), LlmError::NotJson("no JSON")),
        (Reply::content("hello"), LlmError::NotJson("no list of embeddings")),
        (Reply::vectors(&[vec![1.0]]), LlmError::NotJson("not one embedding for every text")),
        (Reply::status(200, &"[0.25],".repeat(400_000)), LlmError::TooLarge),
    ] {
        let (found, used, _) = embed(vec![reply]);
        assert_eq!((found, used.calls), (Err(error), 1));
    }
    let echo = format!("you said {MARKER} with {KEY}");
    let (found, ..) = embed(vec![Reply::status(401, &echo)]);
    let error = found.unwrap_err();
    assert!(error.is_refused() && !error.to_string().contains(MARKER), "{error}");
}
