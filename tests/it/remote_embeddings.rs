//! Vectors by a model of a server: what they find, that nothing waits for them, that none is mixed.

use std::fs;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::said::page;
use crate::support::model::{Call, ModelServer, Reply};
use crate::support::{Server, Setup, names_with, one_takes_less_than};

const TEXTS: [&str; 6] = [
    "the sails of the boat were mended by Greta in Kiel",
    "the tomatoes in the garden want water every evening",
    "the tax office asked for the receipts of the workshop",
    "piano lessons with Mr Okafor are on Thursdays now",
    "sourdough bread rises better near the oven",
    "the neighbour's dog barks at the postman",
];

/// A word that only the server knows to be about the boat.
const SYNONYM: &str = "zorblax";
const SECRET: &str = "sk-proj-4f9a8b7c6d5e4f3a2b1c0d9e8f7a6b5c";

/// What a broken server replies to so many texts.
type Wrong = fn(usize) -> Reply;

/// A model for which any two texts are rather alike, as for many.
fn vector(text: &str) -> Vec<f64> {
    let words = ["sails", "tomatoes", "tax", "piano", "sourdough", "dog"];
    let about = |n: usize| text.contains(words[n]) || (n == 0 && text.contains(SYNONYM));
    let about = (0..words.len()).map(|n| if about(n) { 1.0 } else { 0.0 });
    about.chain([1.0]).collect()
}

/// What a sound server replies; no other model is asked for anything again after a refusal.
fn sound(call: &Call) -> Reply {
    if call.target != "POST /v1/embeddings" {
        return Reply::status(401, "no");
    }
    Reply::vectors(&call.inputs().iter().map(|text| vector(text)).collect::<Vec<_>>())
}

/// A memory of six pages, three of them in short-term memory; made without any server. Its pages
/// are of sessions of their own, so that none borrows from another.
fn filled(dir: &TempDir) -> Setup {
    let setup = Setup::new(dir.path(), "ada");
    let mut server = setup.start();
    for (n, text) in TEXTS.into_iter().enumerate() {
        let mut page = page(text);
        page["meta_data"] = json!({"session_id": n.to_string()});
        server.tool("add_memory", &page).unwrap();
    }
    server.close();
    setup
}

fn with(setup: &Setup, server: &ModelServer, model: &str) -> Setup {
    let setup = setup.clone().var("OPENAI_BASE_URL", &server.base_url());
    setup.var("MEMORYOS_EMBEDDING_MODEL", model)
}

fn figures(server: &mut Server) -> Value {
    server.info()["memory_stats"]["embedding"].take()
}

fn until(server: &mut Server, what: &str, done: impl Fn(&Value) -> bool) -> Value {
    server.poll(what, |server| {
        let figures = figures(server);
        done(&figures).then_some(figures)
    })
}

fn until_ready(server: &mut Server) {
    until(server, "all have vectors", |f| f["ready"] == true && f["pages_waiting"] == 0);
}

/// The texts of the pages found for a query, best first.
fn found(server: &mut Server, query: &str) -> Vec<String> {
    let reply = server.tool("retrieve_memory", &json!({"query": query})).unwrap();
    let pages = reply["retrieved_pages"].as_array().unwrap().iter();
    pages.map(|page| page["user_input"].as_str().unwrap().to_owned()).collect()
}

/// Asks for the synonym until the boat is found by it. On a busy machine the vector of a query may
/// come late: then it serves the next time, and the next query is sent only after a while.
fn until_synonym_is_found(server: &mut Server) {
    server.poll("the boat is found", |server| (found(server, SYNONYM) == [TEXTS[0]]).then_some(()));
}

/// All texts of which vectors were wanted.
fn sent(model: &ModelServer) -> Vec<String> {
    model.calls().iter().flat_map(Call::inputs).collect()
}

/// The slots that a file of derived data has rows of.
fn slots(setup: &Setup, name: &str) -> Vec<u32> {
    let db = Connection::open(setup.file("embeddings").join(name)).unwrap();
    let mut rows = db.prepare("SELECT slot FROM analyses ORDER BY slot").unwrap();
    rows.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

fn vector_files(setup: &Setup) -> Vec<String> {
    names_with(&setup.file("embeddings"), "remote-")
}

#[test]
fn a_query_in_other_words_finds_its_page_and_vectors_of_two_models_stay_apart() {
    let dir = TempDir::new().unwrap();
    let setup = filled(&dir);
    let model = ModelServer::scripted(|call| Some(sound(call)));
    let one = with(&setup, &model, "one");
    let mut server = one.start();
    until_ready(&mut server);
    for _ in 0..2 {
        until_synonym_is_found(&mut server);
    }
    let said = server.close().1;
    let sentence = "texts of memories and of queries are sent there for embedding with one";
    assert!(said.lines().next().unwrap().contains(sentence), "{said}");
    let mut texts: Vec<String> = TEXTS.iter().map(|text| format!("{text}\nNoted.")).collect();
    texts.push(SYNONYM.to_owned());
    assert_eq!(sent(&model), texts, "each is sent once, and in one call");

    // What is stored is used by the next process.
    let mut server = one.start();
    assert_eq!(
        figures(&mut server),
        json!({"model": "one", "pages_waiting": 0, "ready": true,
        "last_failure": null})
    );
    until_synonym_is_found(&mut server);
    server.close();
    assert_eq!(sent(&model).len(), 8);

    // Another model has nothing of the first.
    let silent = ModelServer::scripted(|_| Some(Reply::status(401, "no")));
    let mut server = with(&setup, &silent, "one").start();
    assert_eq!(figures(&mut server)["pages_waiting"], 6, "another host is another model");
    server.close();
    let mut server = with(&setup, &model, "two").start();
    until_ready(&mut server);
    until_synonym_is_found(&mut server);
    server.close();
    assert_eq!(sent(&model).len(), 15);
    let files = vector_files(&setup);
    assert_eq!(files.iter().map(|name| slots(&setup, name).len()).collect::<Vec<_>>(), [6, 6]);

    // Without the setting nothing is sent, and the built-in model is there at once.
    let no_setting = setup.clone().var("OPENAI_BASE_URL", &model.base_url());
    for setup in [&no_setting, &one.clone().var("MEMORYOS_LLM", "off")] {
        let mut server = setup.start();
        assert!(figures(&mut server).is_null());
        assert_eq!(found(&mut server, SYNONYM), [""; 0]);
        assert_eq!(found(&mut server, "who mended the sails?")[0], TEXTS[0]);
        server.close();
    }
    assert_eq!(sent(&model).len(), 15);
}

#[test]
fn a_query_whose_vector_does_not_come_is_waited_for_once_and_ranked_without() {
    let dir = TempDir::new().unwrap();
    let setup = filled(&dir);
    let expected = found(&mut setup.start(), "who mended the sails?");
    let model = ModelServer::scripted(|call| {
        let is_page = call.inputs().first().is_none_or(|text| text.ends_with("Noted."));
        Some(if is_page { sound(call) } else { Reply::Hang })
    });
    let mut server = with(&setup, &model, "one").start();
    until_ready(&mut server);
    let start = Instant::now();
    assert_eq!(found(&mut server, "who mended the sails?"), expected);
    let waited = start.elapsed();
    assert!(waited >= Duration::from_millis(250) && waited < Duration::from_secs(9), "{waited:?}");
    let start = Instant::now();
    for n in 0..100 {
        assert_eq!(found(&mut server, &format!("{SYNONYM} {}", n % 10)), [""; 0]);
    }
    assert!(start.elapsed() < Duration::from_secs(25), "the next ones are not waited for");
    assert!(!sent(&model).iter().any(|text| text.contains(SYNONYM)), "nor sent so soon after");
    server.close();
    one_takes_less_than(Duration::from_secs(3), || {
        let mut server = with(&setup, &model, "one").start();
        until_ready(&mut server);
        assert_eq!(found(&mut server, "who mended the sails?"), expected);
        // The query is still on its way.
        let start = Instant::now();
        assert_eq!(server.close().0, Some(0));
        start.elapsed()
    });
}

#[test]
fn wrong_vectors_change_no_answer_and_are_not_stored() {
    let dir = TempDir::new().unwrap();
    let setup = filled(&dir);
    let expected = found(&mut setup.start(), "who mended the sails?");
    let wrong: [(&str, Wrong); 6] = [
        ("one too few", |n| Reply::vectors(&vec![vec![1.0, 0.5]; n - 1])),
        ("too large a number", |n| Reply::vectors(&vec![vec![1e300, 0.5]; n])),
        ("two lengths", |n| {
            Reply::vectors(&(0..n).map(|n| vec![1.0; n % 2 + 1]).collect::<Vec<_>>())
        }),
        ("NaN", |_| Reply::status(200, r#"{"data": [{"index": 0, "embedding": [NaN]}]}"#)),
        ("HTML", |_| Reply::status(200, "<html>502</html>")),
        ("a failure", |_| Reply::status(500, "oops")),
    ];
    for (how, reply) in wrong {
        let model = ModelServer::scripted(move |call| match call.inputs().len() {
            0 => Some(sound(call)),
            n => Some(reply(n)),
        });
        let mut server = with(&setup, &model, "one").start();
        let figures = until(&mut server, how, |figures| figures["last_failure"].is_string());
        assert_eq!((&figures["ready"], &figures["pages_waiting"]), (&json!(false), &json!(6)));
        assert_eq!(found(&mut server, "who mended the sails?"), expected, "{how}");
        assert_eq!(found(&mut server, SYNONYM), [""; 0], "{how}");
        server.close();
        assert_eq!(vector_files(&setup), [""; 0], "{how}");
        assert!(!sent(&model).iter().any(|text| text.contains(SYNONYM)), "{how}");
    }
}

#[test]
fn vectors_of_another_length_are_never_mixed_with_those_that_are_there() {
    let dir = TempDir::new().unwrap();
    let setup = filled(&dir);
    let model = ModelServer::scripted(|call| match call.inputs().first() {
        Some(text) if text.contains("barge") || text.contains("boat?") => {
            Some(Reply::vectors(&vec![vec![1.0; 3]; call.inputs().len()]))
        }
        _ => Some(sound(call)),
    });
    let mut server = with(&setup, &model, "one").start();
    until_ready(&mut server);
    assert_eq!(found(&mut server, "a boat?"), [TEXTS[0]]);
    until_synonym_is_found(&mut server);
    for n in 0..4 {
        server.tool("add_memory", &page(&format!("barge {n}"))).unwrap();
    }
    let length = json!("the embedding model's vectors have another length than before");
    let figures = until(&mut server, "they are refused", |f| f["last_failure"] == length);
    assert_eq!((&figures["ready"], &figures["pages_waiting"]), (&json!(false), &json!(4)));
    assert_eq!(found(&mut server, SYNONYM), [""; 0], "one page lacks its vector");
    server.close();
    assert_eq!(slots(&setup, &vector_files(&setup)[0]).len(), 6);
}

#[test]
fn a_forgotten_page_leaves_no_row_in_any_file_and_costs_no_other_its_vector() {
    let dir = TempDir::new().unwrap();
    let setup = filled(&dir);
    let model = ModelServer::scripted(|call| Some(sound(call)));
    for name in ["one", "two"] {
        let mut server = with(&setup, &model, name).start();
        until_ready(&mut server);
        server.close();
    }
    assert_eq!((vector_files(&setup).len(), sent(&model).len()), (2, 12));
    let mut server = with(&setup, &model, "two").start();
    let reply = server.tool("retrieve_memory", &json!({"query": "tomatoes"})).unwrap();
    let id = &reply["retrieved_pages"][0]["memory_id"];
    let forget = json!({"memory_ids": [id], "confirm": true});
    server.tool("forget_memory", &forget).unwrap();
    until_synonym_is_found(&mut server);
    assert_eq!(figures(&mut server)["pages_waiting"], 0);
    let files = vector_files(&setup);
    assert_eq!(files.len(), 1, "a model that is not in use keeps nothing: {files:?}");
    assert_eq!(slots(&setup, &files[0]), [1, 3, 4, 5, 6]);
    server.close();
    assert_eq!(sent(&model).len(), 14, "two queries and no page again");
    let file = setup.file("embeddings").join(&files[0]);
    fs::remove_file(&file).unwrap();
    let mut server = with(&setup, &model, "two").start();
    until_ready(&mut server);
    server.close();
    assert_eq!(slots(&setup, &files[0]), [1, 3, 4, 5, 6], "what is deleted is made anew");
}

#[test]
fn what_looks_like_a_secret_is_not_sent() {
    let dir = TempDir::new().unwrap();
    let setup = filled(&dir);
    let mut server = setup.start();
    let secret = format!("The key of the marina is {SECRET}");
    for text in [secret.as_str(), "red", "green", "blue"] {
        server.tool("add_memory", &page(text)).unwrap();
    }
    server.close();
    let model = ModelServer::scripted(|call| Some(sound(call)));
    let mut server = with(&setup, &model, "one").start();
    until_ready(&mut server);
    until_synonym_is_found(&mut server);
    assert!(found(&mut server, &format!("marina {SECRET}")).contains(&secret));
    server.close();
    let mut server = with(&setup, &model, "one").start();
    assert_eq!(figures(&mut server)["pages_waiting"], 0);
    server.close();
    let sent = sent(&model);
    assert_eq!(sent.len(), 10, "{sent:?}");
    assert!(!sent.iter().any(|text| text.contains("sk-proj")), "{sent:?}");
}
