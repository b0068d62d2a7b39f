//! The engine through its API, as a program that embeds it would use it.

use memoryos::engine::{Capacities, Engine, EngineError, Options, Recall};
use memoryos::memory::page::{NewPage, PageId, Texts};
use memoryos::time::Timestamp;
use serde_json::Map;
use tempfile::TempDir;

use crate::said::about;

fn open(dir: &TempDir) -> Engine {
    Engine::open(Options {
        data_path: dir.path().to_owned(),
        user: "ada".parse().unwrap(),
        assistant: Some("library".parse().unwrap()),
        capacities: Capacities { short_term: 3, mid_term: 50, knowledge: 100 },
        heat_threshold: 5.0,
        similarity_threshold: None,
        model: None,
        embedding: None,
    })
    .unwrap()
}

fn new(text: &str) -> NewPage {
    NewPage {
        texts: Texts { user_input: text.to_owned(), agent_response: "Noted.".to_owned() },
        timestamp: Timestamp::parse("2026-05-01T12:00:00Z").unwrap(),
        timestamp_given: true,
        meta_data: Map::new(),
        session: "test".to_owned(),
    }
}

fn recall(query: &str) -> Recall {
    Recall { query: query.to_owned(), max_results: 5, visit: false }
}

#[test]
fn a_program_remembers_recalls_and_finds_it_all_again_after_closing() {
    let dir = TempDir::new().unwrap();
    let engine = open(&dir);
    let added: Vec<_> = (0..10).map(|n| engine.add(new(&about(n))).wait().unwrap()).collect();
    assert_eq!(
        added.iter().map(|a| a.total_pages).collect::<Vec<_>>(),
        (1..=10).collect::<Vec<_>>()
    );
    assert!(engine.add(new(&about(0))).wait().unwrap().duplicate);
    let found = engine.recall(recall("Who mended the sails?")).wait().unwrap();
    assert!(found.found[0].page.new.texts.user_input.contains("sails"));
    assert_eq!(found.short_term.len(), 3);
    // Nothing was said about the user: topics are all there is to show.
    assert!(found.profile.is_some_and(|profile| profile.starts_with("Topics: ")));
    engine.close().wait().unwrap();

    let engine = open(&dir);
    let page = engine.page(added[1].id).wait().unwrap().unwrap().page;
    assert_eq!((page.id, &page.new), (added[1].id, &new(&about(1))));
    assert_eq!(engine.page(PageId::generate()).wait().unwrap(), None);
    assert_eq!(engine.info().wait().unwrap().stats["total_pages"], 10);
    let profile = engine.profile().wait().unwrap();
    assert_eq!(profile.user_knowledge, Vec::new());
    engine.close().wait().unwrap();
}

#[test]
fn requests_take_effect_in_the_order_of_the_calls_whenever_they_are_awaited() {
    let dir = TempDir::new().unwrap();
    let engine = open(&dir);
    let first = engine.add(new("first"));
    let seen = engine.recall(recall("anything"));
    let second = engine.add(new("second"));
    assert_eq!(second.wait().unwrap().total_pages, 2);
    assert_eq!(seen.wait().unwrap().short_term.len(), 1);
    assert_eq!(first.wait().unwrap().total_pages, 1);
}

#[test]
fn what_is_asked_after_closing_is_told_that_the_engine_stops() {
    let dir = TempDir::new().unwrap();
    let engine = open(&dir);
    let asked_before = engine.add(new("before"));
    let closed = engine.close();
    let asked_after = engine.add(new("after"));
    assert_eq!(asked_before.wait().unwrap().total_pages, 1);
    closed.wait().unwrap();
    assert_eq!(asked_after.wait(), Err(EngineError::Stopping));
    assert_eq!(open(&dir).info().wait().unwrap().stats["total_pages"], 1);
}

#[test]
fn an_engine_that_is_dropped_has_kept_what_it_acknowledged() {
    let dir = TempDir::new().unwrap();
    let engine = open(&dir);
    engine.add(new("one")).wait().unwrap();
    drop(engine);
    assert_eq!(open(&dir).info().wait().unwrap().stats["total_pages"], 1);
}

#[test]
fn a_reply_is_a_future_as_well() {
    let dir = TempDir::new().unwrap();
    let engine = open(&dir);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let total = runtime.block_on(async { engine.add(new("one")).await.unwrap().total_pages });
    assert_eq!(total, 1);
    engine.close().wait().unwrap();
}

#[test]
fn a_folder_that_cannot_be_opened_is_the_answer_to_every_call() {
    let dir = TempDir::new().unwrap();
    drop(std::fs::File::create(dir.path().join("ada")).unwrap());
    let engine = open(&dir);
    for _ in 0..2 {
        let error = engine.add(new("one")).wait().unwrap_err();
        assert!(matches!(error, EngineError::Unavailable(_)), "{error}");
        assert!(error.to_string().contains("is a file, expected a folder"), "{error}");
    }
    engine.close().wait().unwrap();
}
