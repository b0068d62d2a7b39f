//! What a call costs, piece by piece: `cargo bench`, or `cargo bench -- rank` for one of them.
//!
//! Texts are made up of a fixed list of words by a fixed seed, with a word of its own in each page.
//! SHORT pages have 500 bytes, LONG ones 3,000. Times are of this machine's disk where something is
//! stored; compare figures of one run only.

#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    missing_docs,
    reason = "a benchmark ends where something fails, and divan's macros document nothing"
)]

use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt::Write as _;

use divan::{Bencher, black_box};
use memoryos::embed::StaticModel;
use memoryos::engine::{Capacities, Engine, Options, Recall};
use memoryos::memory::page::{NewPage, Slot, Texts};
use memoryos::retrieval::{Analysis, Index};
use memoryos::storage::backup;
use memoryos::time::Timestamp;
use serde_json::Map;
use tempfile::TempDir;

/// The bytes of both sides of a page together.
const SHORT: usize = 500;
const LONG: usize = 3_000;

const WORDS: &str = "garden tomato greenhouse harvest recipe bread oven neighbour holiday mountain \
    train ticket museum painting violin concert teacher school exam project database server \
    migration deadline meeting budget invoice doctor appointment knee running marathon shoes weather \
    storm harbour boat sail island cousin wedding letter birthday present bicycle repair kitchen \
    window painter contract lawyer garage battery camera film novel chapter library language \
    grammar coffee breakfast market cheese vineyard summer autumn blanket puppy shelter training";

fn main() {
    divan::main();
}

/// A generator of numbers: the upper bits of a linear congruence.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(self.0 >> 33).unwrap() % n
    }
}

/// Makes the side of a page that is added as number `n`.
fn side(n: usize, bytes: usize, dice: &mut Dice) -> String {
    let words: Vec<&str> = WORDS.split_whitespace().collect();
    let mut text = format!("About matter{n}:");
    while text.len() < bytes {
        for _ in 0..4 + dice.below(8) {
            write!(text, " {}", words[dice.below(words.len())]).unwrap();
        }
        text.push('.');
    }
    text.truncate(bytes);
    text
}

fn texts(n: usize, bytes: usize) -> Texts {
    let mut dice = Dice(n as u64);
    Texts {
        user_input: side(n, bytes / 2, &mut dice),
        agent_response: side(n, bytes / 2, &mut dice),
    }
}

fn page(n: usize, bytes: usize) -> NewPage {
    NewPage {
        texts: texts(n, bytes),
        timestamp: Timestamp::now(),
        timestamp_given: false,
        meta_data: Map::new(),
        session: format!("session {}", n / 20),
    }
}

fn open(dir: &TempDir) -> Engine {
    Engine::open(Options {
        data_path: dir.path().to_owned(),
        user: "ada".parse().unwrap(),
        assistant: Some("bench".parse().unwrap()),
        capacities: Capacities { short_term: 10, mid_term: 2000, knowledge: 100 },
        heat_threshold: 5.0,
        similarity_threshold: None,
        model: None,
        embedding: None,
    })
    .unwrap()
}

fn add_many(engine: &Engine, pages: std::ops::Range<usize>, bytes: usize) {
    let answers: Vec<_> = pages.map(|n| engine.add(page(n, bytes))).collect();
    for answer in answers {
        answer.wait().unwrap();
    }
}

/// A folder with so many pages, and an engine that has it open.
fn filled(n_pages: usize, bytes: usize) -> (TempDir, Engine) {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(&dir);
    add_many(&engine, 0..n_pages, bytes);
    (dir, engine)
}

fn recall(engine: &Engine) {
    let query = "Which ticket did my cousin buy for the museum on the island?".to_owned();
    let recall = Recall { query, max_results: 10, visit: false };
    black_box(engine.recall(recall).wait().unwrap());
}

#[divan::bench(args = [SHORT, LONG])]
fn embed(bencher: Bencher<'_, '_>, bytes: usize) {
    let text = side(1, bytes, &mut Dice(1));
    bencher.bench(|| StaticModel::built_in().embed(black_box(&text)));
}

#[divan::bench(args = [SHORT, LONG])]
fn analyse(bencher: Bencher<'_, '_>, bytes: usize) {
    let (texts, now) = (texts(1, bytes), Timestamp::now());
    bencher.bench(|| Analysis::of(black_box(&texts), now, StaticModel::built_in()));
}

#[divan::bench(args = [1_000, 10_000, 100_000], consts = [SHORT, LONG], sample_count = 30)]
fn rank<const BYTES: usize>(bencher: Bencher<'_, '_>, n_pages: usize) {
    let (model, now) = (StaticModel::built_in(), Timestamp::now());
    let mut index = Index::default();
    for n in 0..n_pages {
        let analysis = Analysis::of(&texts(n, BYTES), now, model);
        let slot = Slot(u32::try_from(n).unwrap() + 1);
        index.append(slot, &format!("session {}", n / 20), now.micros(), &analysis);
    }
    index.settle();
    let query = "Which ticket did my cousin buy for the museum on the island?";
    bencher.bench_local(|| index.search(black_box(query), 10, &HashSet::new(), model));
}

#[divan::bench(args = [SHORT, LONG], sample_count = 300)]
fn add(bencher: Bencher<'_, '_>, bytes: usize) {
    let (_dir, engine) = filled(1_000, bytes);
    let next = RefCell::new(1_000..);
    bencher
        .with_inputs(|| page(next.borrow_mut().next().unwrap(), bytes))
        .bench_local_values(|page| engine.add(page).wait().unwrap());
}

/// Sixty-four adds that wait together.
#[divan::bench(args = [SHORT, LONG], sample_count = 30)]
fn add_together(bencher: Bencher<'_, '_>, bytes: usize) {
    let (_dir, engine) = filled(1_000, bytes);
    let next = RefCell::new((1_000..).step_by(64));
    bencher
        .with_inputs(|| next.borrow_mut().next().unwrap())
        .bench_local_values(|first| add_many(&engine, first..first + 64, bytes));
}

/// A recall among 3,000 pages.
#[divan::bench(args = [SHORT, LONG], sample_count = 100)]
fn recall_3000(bencher: Bencher<'_, '_>, bytes: usize) {
    let (_dir, engine) = filled(3_000, bytes);
    bencher.bench_local(|| recall(&engine));
}

/// A recall that first takes in a hundred pages of another process.
#[divan::bench(args = [SHORT, LONG], sample_count = 20)]
fn catch_up(bencher: Bencher<'_, '_>, bytes: usize) {
    let (dir, other) = filled(1_000, bytes);
    let engine = open(&dir);
    recall(&engine);
    let next = RefCell::new((1_000..).step_by(100));
    bencher
        .with_inputs(|| {
            let first = next.borrow_mut().next().unwrap();
            add_many(&other, first..first + 100, bytes);
        })
        .bench_local_values(|()| recall(&engine));
}

/// A copy of the database, and all three views of it.
#[divan::bench(args = [SHORT, LONG], sample_count = 10)]
fn backup_3000(bencher: Bencher<'_, '_>, bytes: usize) {
    let (dir, engine) = filled(3_000, bytes);
    let user = "ada".parse().unwrap();
    bencher.with_inputs(|| tempfile::tempdir().unwrap()).bench_local_refs(|target| {
        backup::backup(&dir.path().join("ada"), &user, &target.path().join("copy")).unwrap()
    });
    engine.close().wait().unwrap();
}

/// From opening a folder to the first recall.
#[divan::bench(args = [1_000, 10_000], consts = [SHORT, LONG], sample_count = 20)]
fn open_cold<const BYTES: usize>(bencher: Bencher<'_, '_>, n_pages: usize) {
    let (dir, engine) = filled(n_pages, BYTES);
    let last = RefCell::new(engine);
    bencher.with_inputs(|| last.borrow().close().wait().unwrap()).bench_local_values(|()| {
        let engine = open(&dir);
        recall(&engine);
        last.replace(engine);
    });
}
