//! Derived data is only derived: whatever happens to it, answers stay the same and it is made anew.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::damage::stored;
use crate::support::{Judge, Setup, flip, names, put, sql, truncate};

/// What is done to the file of derived data.
type Damage<'a> = &'a dyn Fn(&Path);

/// Ranked answers to three questions, and how many pages were tokenised for them.
fn answers(setup: &Setup, judge: &Judge) -> (Vec<Value>, u64) {
    let mut server = setup.start();
    let queries = ["how are the tomatoes?", "sails of the boat", "etude 8"];
    let calls: Vec<_> = queries.iter().map(|q| ("retrieve_memory", json!({"query": q}))).collect();
    let replies = server.tools(&calls).into_iter().map(|r| r.unwrap()["retrieved_pages"].clone());
    let replies: Vec<Value> = replies.collect();
    let info = judge.demand_of(&mut server).info;
    assert_eq!(server.close().0, Some(0));
    (replies, info["memory_stats"]["work"]["pages_tokenised"].as_u64().unwrap())
}

#[test]
fn derived_data_that_is_damaged_or_gone_changes_no_answer_and_is_made_anew() {
    let data = TempDir::new().unwrap();
    let (setup, judge) = stored(&data);
    let folder = setup.file("embeddings");
    let file = folder.join(names(&folder).remove(0));
    let (expected, tokenised) = answers(&setup, &judge);
    assert_eq!((tokenised, expected.iter().all(|pages| pages[0].is_object())), (0, true));
    let foreign = |path: &Path| {
        fs::remove_file(path).unwrap();
        sql(path, "CREATE TABLE source (a); CREATE TABLE analyses (b)");
    };
    let damages: [(&str, Damage<'_>); 9] = [
        ("truncated", &|path| truncate(path, 0.5)),
        ("truncated early", &|path| truncate(path, 0.01)),
        ("flipped at 0", &|path| flip(path, 0.0)),
        ("flipped at 0.4", &|path| flip(path, 0.4)),
        ("flipped at 0.8", &|path| flip(path, 0.8)),
        ("emptied", &|path| put(path, "")),
        ("foreign", &foreign),
        ("deleted", &|path| fs::remove_file(path).unwrap()),
        ("of other texts", &|path| sql(path, "UPDATE analyses SET text_hash = 1 WHERE slot < 9")),
    ];
    for (how, damage) in damages {
        damage(&file);
        assert_eq!(answers(&setup, &judge).0, expected, "{how}");
        // What was read before the damage was met is made anew by the start after this one.
        assert_eq!(answers(&setup, &judge).0, expected, "{how}");
        assert_eq!(answers(&setup, &judge), (expected.clone(), 0), "{how}: not made anew");
    }
    fs::remove_dir_all(&folder).unwrap();
    assert_eq!(answers(&setup, &judge).0, expected);
    assert_eq!(answers(&setup, &judge), (expected, 0));
}
