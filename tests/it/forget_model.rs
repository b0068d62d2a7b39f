//! Forgetting what a language model has read: the words it carried elsewhere, and those it says too
//! late.

use std::sync::mpsc::channel;

use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::forget::{WORD, add, forget, holding};
use crate::model::{figures, sensible, stored, with_model};
use crate::said::{about, page};
use crate::support::model::{Call, ModelServer, Reply};
use crate::support::{PATIENCE, Server, Setup};

/// Adds pages about sails; returns their ids.
fn add_sails(server: &mut Server, pages: std::ops::Range<usize>) -> Vec<String> {
    pages.map(|n| add(server, &page(&about(5 * n + 1)))).collect()
}

/// What the only page with the word says: nothing of the user, or a fact.
const SECRETS: [&str; 2] = [
    "Page 0: the tomatoes of the garden want quizzicalities every evening",
    "Page 0: the tomatoes grow. I love quizzicalities.",
];

/// What a model answers that puts the word it was shown wherever it writes.
fn gossip(call: &Call) -> Value {
    let mut answer = sensible(call);
    if !call.text().contains(WORD) {
        return answer;
    }
    let carry = |text: &mut Value| *text = json!(format!("{} {WORD}", text.as_str().unwrap()));
    let mut list = |name: &str, each: &dyn Fn(&mut Value)| {
        answer.get_mut(name).and_then(Value::as_array_mut).into_iter().flatten().for_each(each);
    };
    list("topics", &|topic| {
        carry(&mut topic["summary"]);
        topic["keywords"].as_array_mut().unwrap().push(json!(WORD));
    });
    list("pages", &|page| carry(&mut page["chain_summary"]));
    if let Some(profile) = answer.get_mut("profile") {
        carry(&mut profile["interests"]);
    }
    answer
}

fn profile(server: &mut Server) -> String {
    let profile = server.tool("get_user_profile", &json!({})).unwrap();
    profile["user_profile"].as_str().unwrap().to_owned()
}

fn count(setup: &Setup, rows: &str) -> i64 {
    let db = Connection::open(setup.file("memory.db")).unwrap();
    db.query_row(&format!("SELECT COUNT(*) FROM {rows}"), [], |row| row.get(0)).unwrap()
}

/// A memory of which a model files ten pages at once and then describes one topic, sails: it is shown
/// the secret page only with the first question. The places of these pages are far apart.
fn filled(setup: &Setup, said: &str) -> (String, Vec<String>) {
    let mut server = setup.start();
    let mut sails = add_sails(&mut server, 0..3);
    let others: Vec<String> = (0..70).map(|n| add(&mut server, &page(&about(5 * n + 2)))).collect();
    let secret = add(&mut server, &page(said));
    sails.extend(add_sails(&mut server, 3..9));
    (0..3).for_each(|n| drop(add(&mut server, &page(&about(5 * n + 4)))));
    forget(&mut server, &others).unwrap();
    assert_eq!(server.close().0, Some(0));
    (secret, sails)
}

/// Waits for the prose of a model.
fn described(setup: &Setup, model: &ModelServer) -> Server {
    let mut server = with_model(setup, model).start();
    server.poll("the profile has the model's prose", |server| {
        profile(server).contains("Interests: Cares a lot about how").then_some(())
    });
    server
}

#[test]
fn words_that_a_model_carried_elsewhere_go_with_the_page_that_said_them() {
    let dir = TempDir::new().unwrap();
    let setup = Setup::new(dir.path(), "ada").var("MEMORYOS_HEAT_THRESHOLD", "8");
    let (secret, _) = filled(&setup, SECRETS[0]);
    let model = ModelServer::scripted(|call| Some(Reply::json(&gossip(call))));
    let mut server = described(&setup, &model);
    assert!(profile(&mut server).contains(WORD));
    let said = |column: &str| format!("{column} LIKE '%{WORD}%'");
    assert_eq!(count(&setup, &format!("texts WHERE {}", said("chain_summary"))), 13);
    assert!(count(&setup, &format!("segments WHERE {}", said("summary"))) > 1);
    forget(&mut server, &[secret]).unwrap();
    assert!(!profile(&mut server).contains(WORD));
    assert_eq!(holding(&setup.folder()), [""; 0], "while it is served");
    server.close();
    assert_eq!(holding(&setup.folder()), [""; 0], "after it");
    assert_eq!(setup.start().notices(), "");
}

#[test]
fn the_prose_of_a_model_goes_with_a_page_that_it_cites() {
    let dir = TempDir::new().unwrap();
    let setup = Setup::new(dir.path(), "ada").var("MEMORYOS_HEAT_THRESHOLD", "8");
    let (secret, sails) = filled(&setup, SECRETS[0]);
    let model = ModelServer::scripted(|call| Some(Reply::json(&sensible(call))));
    let mut server = described(&setup, &model);
    forget(&mut server, &sails[7..8]).unwrap();
    let shown = profile(&mut server);
    assert!(!shown.contains("Interests"), "{shown}");
    assert_eq!(count(&setup, "profile"), 0);
    // Rules had carried words along a chain that the model has cut since.
    let carried = format!("texts WHERE slot > 75 AND chain_summary LIKE '%{WORD}%'");
    assert_eq!(count(&setup, &carried), 3);
    forget(&mut server, &[secret]).unwrap();
    server.close();
    assert_eq!(holding(&setup.folder()), [""; 0]);
}

/// Forgets a page while a model answers question number `n`, to which it says what it was shown.
fn check_forgotten_meanwhile(setup: &Setup, n: usize, id: String) {
    let ((go, wait), (came, arrived)) = (channel::<()>(), channel::<String>());
    let mut n_calls = 0;
    let model = ModelServer::scripted(move |call| {
        n_calls += 1;
        if n_calls != n {
            return Some(Reply::json(&sensible(call)));
        }
        came.send(call.text()).ok()?;
        wait.recv().ok()?;
        Some(Reply::json(&gossip(call)))
    });
    let mut server = with_model(setup, &model).start();
    let asked = arrived.recv_timeout(PATIENCE).unwrap();
    assert!(asked.contains(WORD), "it is not shown: {asked}");
    forget(&mut server, &[id]).unwrap();
    assert_eq!(holding(&setup.folder()), [""; 0], "before the answer");
    let (before, used) = (stored(setup), figures(&mut server)["tokens_today"].take());
    go.send(()).unwrap();
    server.poll("the answer has come", |server| {
        (figures(server)["tokens_today"] != used).then_some(())
    });
    assert!(figures(&mut server)["last_failure"].is_null(), "the answer fits");
    assert!(stored(setup) == before, "the answer was stored");
    server.close();
    assert_eq!(holding(&setup.folder()), [""; 0], "after the answer");
}

#[test]
fn an_answer_about_a_page_that_is_forgotten_meanwhile_is_dropped() {
    let dir = TempDir::new().unwrap();
    let setup = Setup::new(dir.path(), "ada");
    let (secret, _) = filled(&setup, SECRETS[1]);
    check_forgotten_meanwhile(&setup, 1, secret);
}

#[test]
fn an_answer_about_pages_that_continued_a_forgotten_one_is_dropped() {
    let dir = TempDir::new().unwrap();
    let setup = Setup::new(dir.path(), "ada");
    let mut server = setup.start();
    // The last page of a full batch: of the next one it is what came before.
    (0..19).for_each(|n| drop(add(&mut server, &page(&about(5 * n + 4)))));
    let secret = add(&mut server, &page(SECRETS[0]));
    add_sails(&mut server, 100..113);
    server.close();
    check_forgotten_meanwhile(&setup, 2, secret);
}

#[test]
fn a_profile_that_was_made_beside_a_fact_of_a_forgotten_page_is_dropped() {
    let dir = TempDir::new().unwrap();
    let setup = Setup::new(dir.path(), "ada").var("MEMORYOS_HEAT_THRESHOLD", "8");
    let (secret, _) = filled(&setup, SECRETS[1]);
    check_forgotten_meanwhile(&setup, 2, secret);
}
