//! A server with a language model: what its answers improve, and that its failures change nothing.

use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use rusqlite::types::Value as Cell;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::said::{about, page};
use crate::support::model::{Call, ModelServer, Reply};
use crate::support::{Judge, Server, Setup, one_takes_less_than};

const KEY: &str = "sk-test-4f9a8b7c6d5e";

fn add(server: &mut Server, pages: std::ops::Range<usize>) {
    let calls: Vec<(&str, Value)> = pages.map(|n| ("add_memory", page(&about(n)))).collect();
    server.tools(&calls).into_iter().for_each(|outcome| drop(outcome.unwrap()));
}

/// Fills a memory without any model.
fn filled(setup: &Setup, n: usize) {
    let mut server = setup.start();
    add(&mut server, 0..n);
    assert_eq!(server.close().0, Some(0));
}

pub(crate) fn with_model(setup: &Setup, model: &ModelServer) -> Setup {
    setup.clone().var("OPENAI_BASE_URL", &model.base_url()).var("OPENAI_API_KEY", KEY)
}

pub(crate) fn figures(server: &mut Server) -> Value {
    server.info()["memory_stats"]["model"].take()
}

/// Waits for figures of the model.
fn until_figures(server: &mut Server, what: &str, done: impl Fn(&Value) -> bool) {
    server.poll(what, |server| done(&figures(server)).then_some(()));
}

/// Waits until a call has failed.
fn until_failed(server: &mut Server) {
    until_figures(server, "a call has failed", |f| !f["last_failure"].is_null());
}

/// Waits until what the model answered has been dealt with, and nothing of it is under way.
fn until_used(server: &mut Server, calls: u64) {
    until_figures(server, "the calls have been made", |f| f["calls_today"].as_u64() >= Some(calls));
}

/// Everything that is remembered, as it stands in the tables; visits are counted by asking.
pub(crate) fn stored(setup: &Setup) -> Vec<String> {
    let db = Connection::open(setup.file("memory.db")).unwrap();
    let mut rows = Vec::new();
    for table in [
        "SELECT slot, id, continues, segment, checksum FROM pages ORDER BY slot",
        "SELECT * FROM texts ORDER BY slot",
        "SELECT id, merged_into, summary, keywords, terms, candidates, pages, unanalysed FROM segments",
        "SELECT * FROM means",
        "SELECT * FROM facts",
        "SELECT * FROM profile",
    ] {
        let mut statement = db.prepare(table).unwrap();
        let n = statement.column_count();
        let row = |row: &rusqlite::Row<'_>| -> rusqlite::Result<String> {
            (0..n).map(|at| row.get::<_, Cell>(at).map(|cell| format!("{cell:?}|"))).collect()
        };
        rows.extend(statement.query_map([], row).unwrap().map(Result::unwrap));
    }
    rows
}

/// The lines of data that a call shows.
fn data(call: &Call) -> Vec<Value> {
    let text = call.text();
    let lines = text.lines().filter(|line| line.starts_with('{'));
    lines.filter_map(|line| serde_json::from_str(line).ok()).collect()
}

fn is_filing(call: &Call) -> bool {
    call.body["response_format"]["json_schema"]["name"] == "filing"
}

/// What a sensible model answers: pages about one thing share a topic.
pub(crate) fn sensible(call: &Call) -> Value {
    let pages: Vec<Value> = data(call).into_iter().filter(|l| l["page"].is_string()).collect();
    let said = |page: &Value| page["user"].as_str().unwrap().split_once(": ").unwrap().1.to_owned();
    let topic = |page: &Value| {
        let words = ["tomatoes", "sails", "piano", "tax", "sourdough"];
        let at = words.iter().position(|word| said(page).contains(word)).unwrap();
        (format!("n{}", at + 1), words[at])
    };
    if is_filing(call) {
        let mut topics: Vec<Value> = Vec::new();
        for page in &pages {
            let (label, word) = topic(page);
            if !topics.iter().any(|known| known["topic"] == label) {
                let summary = format!("The user said that {}", said(page));
                topics.push(json!({"topic": label, "summary": summary, "keywords": [word]}));
            }
        }
        let pages: Vec<Value> = pages
            .iter()
            .map(|page| {
                json!({"page": page["page"], "continues": false, "topic": topic(page).0,
                    "chain_summary": format!("Talk of how {}", said(page))})
            })
            .collect();
        return json!({"topics": topics, "pages": pages});
    }
    let (first, word) = (said(&pages[0]), topic(&pages[0]).1);
    json!({
        "profile": {"needs": "", "expectations": "",
            "interests": format!("Cares a lot about how {first}"), "cites": ["p1"]},
        "facts": [
            {"page": "p1", "attribute": "hobby", "quote": first, "value": word, "negated": false},
            {"page": "p1", "attribute": "job", "quote": "I am an astronaut", "value": "astronaut",
                "negated": false},
        ],
    })
}

#[test]
fn a_model_groups_pages_names_topics_and_writes_a_profile_that_rests_on_them() {
    let dir = TempDir::new().unwrap();
    let setup = Setup::new(dir.path(), "ada").var("MEMORYOS_HEAT_THRESHOLD", "2");
    let mut judge = Judge::default();
    let model = ModelServer::scripted(|call| Some(Reply::json(&sensible(call))));
    let setup = with_model(&setup, &model);
    let mut server = setup.start();
    let mut ids = Vec::new();
    for n in 0..33 {
        let reply = server.tool("add_memory", &page(&about(n))).unwrap();
        judge.note(&reply, &about(n), "Noted.");
        ids.push(reply["memory_id"].clone());
    }
    server.until("the model has done its work", || model.calls().len() >= 3);
    let profile = server.poll("the profile has the model's prose", |server| {
        let profile = server.tool("get_user_profile", &json!({})).unwrap();
        let text = profile["user_profile"].as_str().unwrap();
        text.contains("Interests: Cares a lot about how").then_some(profile)
    });
    let facts = profile["user_knowledge"].as_array().unwrap();
    assert!(facts.iter().any(|fact| fact["attribute"] == "hobby"), "{profile}");
    assert!(!profile.to_string().contains("astronaut"), "nobody said so: {profile}");
    let sails = json!({"memory_id": ids[1]});
    server.poll("the model has filed the page", |server| {
        let found = server.tool("retrieve_memory", &sails).unwrap();
        let page = &found["retrieved_pages"][0];
        let is_filed = page["segment"]["keywords"] == json!(["sails"]);
        (is_filed && page["meta_info"].as_str().unwrap().starts_with("Talk of how")).then_some(())
    });
    let n_calls = model.calls().len();
    assert!(n_calls * 4 <= 33, "{n_calls} calls for 33 pages");
    server.close();
    judge.demand_all(&setup.clone().var("MEMORYOS_LLM", "off"));
    model.check();
}

#[test]
fn no_failure_of_a_model_changes_what_is_stored() {
    let dir = TempDir::new().unwrap();
    let prose = "Certainly! Here is what I think about your pages, dear friend.";
    let unknown = json!({
        "topics": [{"topic": "n1", "summary": "The tomatoes want water", "keywords": ["tomatoes"]}],
        "pages": [{"page": "p99", "continues": true, "chain_summary": "Talk", "topic": "n1"}],
    });
    let failures = [
        Reply::status(401, r#"{"error": {"message": "Incorrect API key provided: sk-test-4f9a"}}"#),
        Reply::status(403, "no"),
        Reply::status(200, "<html><body>502 Bad Gateway</body></html>"),
        Reply::status(200, ""),
        Reply::content(""),
        Reply::content(prose),
        Reply::content("```json\n{\"themes\": [1]}\n```"),
        Reply::json(&json!({"topics": "none", "pages": {}})),
        Reply::json(&json!([1, 2])),
        Reply::json(&unknown),
        Reply::content(&format!("{{\"topics\": [], \"pages\": [\"{}\"]}}", "x".repeat(1 << 20))),
        Reply::json(&json!({"profile": {"needs": "Error 429: rate limit reached", "expectations":
            "", "interests": "", "cites": ["p1"]}, "facts": []})),
    ];
    for (n, failure) in failures.into_iter().enumerate() {
        let setup = Setup::new(&dir.path().join(n.to_string()), "ada");
        filled(&setup, 20);
        let before = stored(&setup);
        let shown = format!("{failure:?}").chars().take(80).collect::<String>();
        let model = ModelServer::start([failure]);
        let mut server = with_model(&setup, &model).start();
        model.wait_for_calls(1);
        until_failed(&mut server);
        assert_eq!(figures(&mut server)["calls_today"], 1);
        let query = json!({"query": "Who mended the sails?", "max_results": 100});
        let found = server.tool("retrieve_memory", &query).unwrap();
        assert_eq!(found["short_term_count"], 3, "{shown}");
        let (code, said) = server.close();
        assert_eq!((code, said.contains(KEY)), (Some(0), false), "{said}");
        assert_eq!(stored(&setup), before, "{shown}");
        model.check();
    }
}

#[test]
fn an_overloaded_model_is_asked_again_only_a_few_times_and_changes_nothing() {
    let dir = TempDir::new().unwrap();
    let models: Vec<(Setup, Vec<String>, ModelServer)> = [429, 500]
        .into_iter()
        .map(|status| {
            let setup = Setup::new(&dir.path().join(status.to_string()), "ada");
            filled(&setup, 20);
            let before = stored(&setup);
            let replies = (0..3).map(|_| Reply::status(status, "{\"error\": \"busy\"}"));
            (setup, before, ModelServer::start(replies))
        })
        .collect();
    let mut servers: Vec<Server> =
        models.iter().map(|(setup, _, model)| with_model(setup, model).start()).collect();
    for ((setup, before, model), mut server) in models.iter().zip(servers.drain(..)) {
        model.wait_for_calls(3);
        until_used(&mut server, 3);
        assert!(figures(&mut server)["last_failure"].is_string());
        server.close();
        assert_eq!(&stored(setup), before);
        model.check();
    }
}

#[test]
fn a_model_that_hangs_holds_up_neither_calls_nor_the_end() {
    one_takes_less_than(Duration::from_secs(1), || {
        let dir = TempDir::new().unwrap();
        let setup = Setup::new(dir.path(), "ada");
        filled(&setup, 20);
        let before = stored(&setup);
        let model = ModelServer::start([Reply::Hang]);
        let mut server = with_model(&setup, &model).start();
        model.wait_for_calls(1);
        assert!(server.request("ping", &json!({}))["result"].is_object());
        assert_eq!(figures(&mut server)["calls_today"], 1);
        let start = Instant::now();
        assert_eq!(server.close().0, Some(0));
        let taken = start.elapsed();
        assert_eq!(stored(&setup), before);
        taken
    });
}

#[test]
fn a_process_that_is_killed_in_the_middle_of_a_call_has_changed_nothing_and_paid_for_it() {
    let dir = TempDir::new().unwrap();
    let setup = Setup::new(dir.path(), "ada");
    filled(&setup, 20);
    let before = stored(&setup);
    let model = ModelServer::start([Reply::Hang]);
    let server = with_model(&setup, &model).start();
    model.wait_for_calls(1);
    server.kill();
    let mut server = with_model(&setup, &model).var("MEMORYOS_LLM_DAILY_CALLS", "1").start();
    let figures = figures(&mut server);
    assert_eq!((&figures["calls_today"], &figures["calls_a_day"]), (&json!(1), &json!(1)));
    server.close();
    assert_eq!(stored(&setup), before);
    model.check();
}

#[test]
fn an_answer_about_what_has_changed_meanwhile_is_dropped() {
    let dir = TempDir::new().unwrap();
    let setup = Setup::new(dir.path(), "ada");
    filled(&setup, 18);
    let ((go, wait), (came, arrived)) = (channel::<()>(), channel::<()>());
    let model = ModelServer::scripted(move |call| {
        came.send(()).ok()?;
        wait.recv().ok()?;
        Some(Reply::json(&sensible(call)))
    });
    let mut server = with_model(&setup, &model).start();
    arrived.recv_timeout(crate::support::PATIENCE).unwrap();
    // Another process files more pages while the model thinks.
    let mut other = setup.start();
    add(&mut other, 18..24);
    other.close();
    let before = stored(&setup);
    go.send(()).unwrap();
    server.until("the answer has come", || {
        let db = Connection::open(setup.file("memory.db")).unwrap();
        let used: Option<String> = db
            .query_row("SELECT value FROM meta WHERE key = 'model_use'", [], |row| row.get(0))
            .ok();
        used.is_some_and(|used| used.split(' ').nth(2) != Some("0"))
    });
    server.info();
    server.close();
    assert_eq!(stored(&setup), before);
}

#[test]
fn neither_a_day_nor_the_pages_pay_for_more_calls_than_they_may() {
    let dir = TempDir::new().unwrap();
    // Two batches and one call a day; five topics to describe and pages for two answers.
    for (pages, daily, calls) in [(43, "1", 1), (13, "100", 2)] {
        let setup = Setup::new(&dir.path().join(daily), "ada").var("MEMORYOS_HEAT_THRESHOLD", "1");
        filled(&setup, pages);
        let model = ModelServer::scripted(|call| Some(Reply::json(&sensible(call))));
        let setup = with_model(&setup, &model).var("MEMORYOS_LLM_DAILY_CALLS", daily);
        let mut server = setup.start();
        until_figures(&mut server, "all calls are paid", |f| f["tokens_today"] == 42 * calls);
        // It looks for more at once.
        for _ in 0..200 {
            assert_eq!(figures(&mut server)["calls_today"], calls);
        }
        let waiting = figures(&mut server);
        let n_waiting = ["pages_waiting", "segments_waiting"].map(|name| waiting[name].as_u64());
        assert_ne!(n_waiting, [Some(0); 2]);
        server.close();
        assert_eq!(model.calls().len(), calls);
    }
}

#[test]
fn of_all_processes_of_a_user_one_asks() {
    let dir = TempDir::new().unwrap();
    let setup = Setup::new(dir.path(), "ada");
    filled(&setup, 20);
    let model = ModelServer::scripted(|_| Some(Reply::Hang));
    let mut servers: Vec<Server> = (0..3).map(|_| with_model(&setup, &model).start()).collect();
    model.wait_for_calls(1);
    // What is added wakes those that would ask.
    for (n, server) in servers.iter_mut().enumerate() {
        add(server, 20 + n..21 + n);
        server.info();
    }
    assert_eq!(model.calls().len(), 1);
    // Once the one that asks has ended, another one may.
    for server in servers {
        assert_eq!(server.close().0, Some(0));
    }
}

#[test]
fn the_key_is_in_no_file_no_log_and_no_reply() {
    let dir = TempDir::new().unwrap();
    let setup = Setup::new(dir.path(), "ada").var("MEMORYOS_LOG", "trace");
    let model = ModelServer::start([Reply::status(401, &format!("bad key {KEY}"))]);
    let mut server = with_model(&setup, &model).start();
    add(&mut server, 0..16);
    let calls = model.wait_for_calls(1);
    assert_eq!(calls[0].header("authorization"), Some(format!("Bearer {KEY}").as_str()));
    until_failed(&mut server);
    let replies = format!("{}{}", server.info(), server.notices());
    let (_, said) = server.close();
    let first = said.lines().next().unwrap_or_default().to_owned();
    assert!(first.contains("127.0.0.1") && first.contains("are sent"), "{first}");
    assert!(!said.contains(KEY) && !replies.contains(KEY));
    for name in crate::support::names(&setup.folder()) {
        let bytes = std::fs::read(setup.file(&name)).unwrap_or_default();
        assert!(!bytes.windows(KEY.len()).any(|part| part == KEY.as_bytes()), "{name}");
    }
}

#[test]
fn an_error_text_never_takes_the_place_of_a_profile() {
    let dir = TempDir::new().unwrap();
    let setup = Setup::new(dir.path(), "ada").var("MEMORYOS_HEAT_THRESHOLD", "2");
    let model = ModelServer::scripted(|call| Some(Reply::json(&sensible(call))));
    let mut server = with_model(&setup, &model).start();
    add(&mut server, 0..33);
    let interests = |server: &mut Server| {
        let profile = server.tool("get_user_profile", &json!({})).unwrap();
        let text = profile["user_profile"].as_str().unwrap().to_owned();
        text.lines().find(|line| line.starts_with("Interests: ")).map(str::to_owned)
    };
    server.poll("there is prose", interests);
    server.close();
    let model = ModelServer::scripted(|call| {
        let error = json!({"profile": {"needs": "", "expectations": "", "cites": ["p1"],
            "interests": "Error 429: rate limit reached, tomatoes water sails"}, "facts": []});
        Some(Reply::json(&if is_filing(call) { sensible(call) } else { error }))
    });
    let mut server = with_model(&setup, &model).start();
    let before = interests(&mut server);
    assert!(before.is_some());
    add(&mut server, 33..70);
    server.poll("the model has failed", |server| {
        let was_asked = model.calls().iter().any(|call| !is_filing(call));
        (was_asked && !figures(server)["last_failure"].is_null()).then_some(())
    });
    assert_eq!(interests(&mut server), before);
}
