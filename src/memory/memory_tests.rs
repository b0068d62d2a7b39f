//! What one call changes in [`Memory`], and how much of it.

use serde_json::Map;

use super::decide::{Decision, Incoming};
use super::draft::PageTexts;
use super::page::{NewPage, Texts};
use super::*;

/// Segments that share nothing, of one page each.
fn stored(n_segments: u32) -> MidChange {
    let segments: Vec<Segment> = (1..=n_segments)
        .map(|i| Segment { pages: 1, ..Segment::empty(SegmentId(i), i64::from(i)) })
        .collect();
    let filed = segments.iter().map(|s| (Slot(s.id.0), s.id)).collect();
    MidChange { filed, segments, ..MidChange::default() }
}

fn now() -> Timestamp {
    Timestamp::parse("2026-05-01").unwrap()
}

fn hit(slot: u32) -> Hit {
    Hit { slot: Slot(slot), lex: 1.0, cos: 0.0, score: 1.0 }
}

fn memory(mid_term: MidSettings) -> Memory {
    Memory::new(MemorySettings { short_term: 10, mid_term, knowledge: 100 })
}

struct NoPages;

impl PageTexts for NoPages {
    fn texts(&self, _slot: Slot) -> Option<Texts> {
        None
    }
}

/// Decides about a page that is added at `at`.
fn decide(memory: &Memory, text: &str, at: Timestamp) -> Change {
    let texts = Texts { user_input: text.to_owned(), agent_response: String::new() };
    let (meta_data, session) = (Map::new(), "s".to_owned());
    let new = NewPage { texts, timestamp: at, timestamp_given: false, meta_data, session };
    match memory.decide_add(Incoming::read(new), &NoPages, at) {
        Decision::Add(change) => *change,
        Decision::Duplicate(slot) => panic!("{slot:?}"),
    }
}

fn apply(memory: &mut Memory, change: Change) {
    let analysis = Analysis::of(&change.pages[0].new.texts, now(), StaticModel::built_in());
    memory.apply(change, [(analysis, None)]);
}

/// Adds a page; returns how many segments it merged.
fn add(memory: &mut Memory, text: &str) -> usize {
    let change = decide(memory, text, now());
    let n_merged = change.mid.merged.len();
    apply(memory, change);
    n_merged
}

#[test]
fn what_is_decided_ahead_is_what_would_be_decided() {
    let mut memory = Memory::new(MemorySettings {
        short_term: 2,
        mid_term: MidSettings { capacity: 2, threshold: 0.8, ..MidSettings::default() },
        knowledge: 100,
    });
    let topics = ["rye bread in the oven", "a canoe on the lake", "tax forms", "my sister's cello"];
    let (mut n_ahead, mut n_merged) = (0, 0);
    for i in 0..60_u32 {
        let at = Timestamp::from_parts(now().micros() + i64::from(i) * 1_000_000, 0).unwrap();
        let text =
            format!("I thought about {} on day {i}", topics[i as usize * i as usize % 7 % 4]);
        memory.look_ahead(&NoPages, now());
        n_ahead += usize::from(memory.ahead.is_some());
        // A visit changes what is stored of a segment, not where pages are filed.
        memory.visit(&[hit(1 + i / 3)], at);
        let early = decide(&memory, &text, at).mid;
        let ahead = memory.ahead.take();
        let change = decide(&memory, &text, at);
        assert!(early == change.mid, "page {i}");
        memory.ahead = ahead;
        n_merged += change.mid.merged.len();
        apply(&mut memory, change);
        assert!(memory.ahead.is_none(), "what changes the memory ends what was decided ahead");
    }
    memory.look_ahead(&NoPages, now());
    memory.apply(Change::default(), []);
    assert!(memory.ahead.is_none(), "so does what changes segments alone");
    assert_eq!(n_ahead, 58, "all but those that found room");
    assert!(n_merged > 1 && memory.segments().len() == 2, "{n_merged} merged");
}

#[test]
fn a_lowered_capacity_is_worked_off_over_several_adds() {
    let mut memory = memory(MidSettings { capacity: 20, ..MidSettings::default() });
    memory.know_mid_term(stored(100));
    memory.continue_after(Slot(100));
    let merged = ["a", "b", "c", "d"].map(|text| add(&mut memory, text));
    assert_eq!(merged, [32, 32, 16, 0]);
    assert_eq!((memory.segments().len(), memory.segments().n_pages()), (20, 100));
}

#[test]
fn a_recall_counts_one_visit_of_a_segment_however_many_of_its_pages_it_finds() {
    let mut memory = memory(MidSettings::default());
    let mut stored = stored(2);
    stored.filed.push((Slot(3), SegmentId(1)));
    memory.know_mid_term(stored);
    memory.visit(&[hit(1), hit(2), hit(3)], now());
    let change = memory.decide_visits().unwrap();
    let visits: Vec<u32> = change.mid.segments.iter().map(|s| s.visits).collect();
    assert_eq!(visits, [1, 1]);
}
