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

/// Adds a page; returns how many segments it merged.
fn add(memory: &mut Memory, text: &str) -> usize {
    let texts = Texts { user_input: text.to_owned(), agent_response: String::new() };
    let (meta_data, session) = (Map::new(), "s".to_owned());
    let new = NewPage { texts, timestamp: now(), timestamp_given: false, meta_data, session };
    match memory.decide_add(Incoming::read(new), &NoPages, now()) {
        Decision::Add(change) => {
            let n_merged = change.mid.merged.len();
            let analysis = Analysis::of(&change.pages[0].new.texts, now(), StaticModel::built_in());
            memory.apply(*change, [(analysis, None)]);
            n_merged
        }
        Decision::Duplicate(slot) => panic!("{slot:?}"),
    }
}

#[test]
fn a_lowered_capacity_is_worked_off_over_several_adds() {
    let mut memory = memory(MidSettings { capacity: 20, ..MidSettings::default() });
    memory.know_mid_term(&stored(100));
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
    memory.know_mid_term(&stored);
    memory.visit(&[hit(1), hit(2), hit(3)], now());
    let change = memory.decide_visits().unwrap();
    let visits: Vec<u32> = change.mid.segments.iter().map(|s| s.visits).collect();
    assert_eq!(visits, [1, 1]);
}
