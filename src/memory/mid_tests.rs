//! Filing and merging, through the API of [`Draft`] and [`MidTerm`].

use std::cell::Cell;
use std::collections::{BTreeSet, HashMap};

use super::draft::{Around, Draft, Filing, PageTexts};
use super::extract::Corpus;
use super::mid::{MidChange, MidSettings, MidTerm};
use super::page::{Slot, Texts};
use super::reading::PageReading;
use super::segment::{MAX_CANDIDATES, MAX_TERMS, SegmentId};
use crate::embed::StaticModel;
use crate::retrieval::{Analysis, words_with_stems};
use crate::time::Timestamp;

/// Topics that have nothing to do with each other.
const TOPICS: [[&str; 6]; 4] = [
    [
        "My sourdough bread needs a longer rise in the oven.",
        "Rye flour makes the bread dough heavy and sour.",
        "The bakery sells sourdough bread with a dark crust.",
        "Knead the bread dough until the gluten is strong.",
        "A baker showed me how to score sourdough bread.",
        "The yeast in my bread dough died in the cold kitchen.",
    ],
    [
        "The striker scored twice in the football match on Sunday.",
        "Our football team lost the match after a late penalty.",
        "The goalkeeper of the football team broke his finger.",
        "The referee of the football match ignored the foul.",
        "My football coach wants a faster striker for the league.",
        "We won the football league in the last match.",
    ],
    [
        "The database migration failed because a column was missing.",
        "Our SQL query needs an index on that database column.",
        "The Postgres database server ran out of connections.",
        "I wrote a script that copies the database table.",
        "A transaction in the database locked the whole table.",
        "The new database schema splits the table of orders.",
    ],
    [
        "My daughter practises the violin for the school orchestra.",
        "The orchestra plays a symphony with a violin solo.",
        "A string of the violin broke during the concert.",
        "The violin teacher praised her for the concert.",
        "We heard a string quartet at the concert hall.",
        "The orchestra hired a new violin player for the symphony.",
    ],
];

#[derive(Default)]
struct World {
    pages: Vec<Texts>,
    analyses: Vec<Analysis>,
    readings: Vec<PageReading>,
    holding: HashMap<String, u32>,
    reads: Cell<usize>,
}

impl World {
    fn add(&mut self, user: &str, agent: &str) {
        let texts = Texts { user_input: user.to_owned(), agent_response: agent.to_owned() };
        let timestamp = Timestamp::parse("2026-05-01").unwrap();
        self.analyses.push(Analysis::of(&texts, timestamp, StaticModel::built_in()));
        let words = words_with_stems(&format!("{user}\n{agent}"));
        for term in words.into_iter().map(|(_, term)| term).collect::<BTreeSet<_>>() {
            *self.holding.entry(term).or_default() += 1;
        }
        let slot = Slot(u32::try_from(self.pages.len()).unwrap() + 1);
        self.readings.push(PageReading::of(slot, &texts));
        self.pages.push(texts);
    }

    /// `n` pages that go through the topics in turn.
    fn of_topics(n: usize) -> Self {
        let mut world = Self::default();
        for i in 0..n {
            let topic = TOPICS[i % TOPICS.len()];
            let at = i / TOPICS.len();
            let varied = |k: usize| topic[k % 6].replace('.', &format!(" near place{i}."));
            world.add(&varied(at), &varied(at + 1 + at / 6));
        }
        world
    }

    fn around(&self, now: i64) -> Around<'_> {
        Around { corpus: self, pages: self, now }
    }

    fn filing(&self, i: usize, previous: Option<Slot>) -> Filing<'_> {
        let slot = Slot(u32::try_from(i).unwrap() + 1);
        Filing { slot, reading: &self.readings[i], analysis: &self.analyses[i], previous }
    }

    /// Files all pages, each in a draft of its own.
    fn file_all(&self, settings: MidSettings) -> (MidTerm, Vec<MidChange>) {
        let mut mid = MidTerm::new(settings);
        let mut changes = Vec::new();
        for i in 0..self.pages.len() {
            let now = i64::try_from(i).unwrap();
            let mut draft = Draft::new(&mid);
            draft.file(self.filing(i, None), self.around(now));
            draft.merge_over_capacity(self.around(now));
            let change = draft.finish();
            mid.apply(change.clone());
            changes.push(change);
        }
        (mid, changes)
    }
}

impl Corpus for World {
    fn n_pages(&self) -> u32 {
        u32::try_from(self.pages.len()).unwrap()
    }

    fn document_frequency(&self, term: &str) -> u32 {
        self.holding.get(term).copied().unwrap_or(0)
    }
}

impl PageTexts for World {
    fn texts(&self, slot: Slot) -> Option<Texts> {
        self.reads.set(self.reads.get() + 1);
        self.pages.get(slot.0 as usize - 1).cloned()
    }
}

fn sized(capacity: usize) -> MidSettings {
    MidSettings { capacity, ..MidSettings::default() }
}

/// Every page is in one segment that exists, and the segments' counts say so.
fn check_whole(mid: &MidTerm, n_pages: u32) {
    let mut counts: HashMap<SegmentId, u32> = HashMap::new();
    for slot in (1..=n_pages).map(Slot) {
        let id = mid.segment_of(slot).unwrap_or_else(|| panic!("page {slot:?} is nowhere"));
        *counts.entry(id).or_default() += 1;
    }
    let said: HashMap<SegmentId, u32> = mid.segments().map(|s| (s.id, s.pages)).collect();
    assert_eq!(said, counts);
    for segment in mid.segments() {
        assert_eq!(segment.mean.pages, segment.pages);
        assert!(segment.terms.len() <= MAX_TERMS && segment.candidates.len() <= MAX_CANDIDATES);
        assert!(!segment.summary.is_empty() && segment.summary.chars().count() <= 410);
        assert!(segment.keywords.len() <= 8, "{:?}", segment.keywords);
    }
}

fn state(mid: &MidTerm) -> Vec<super::segment::Segment> {
    mid.segments().cloned().collect()
}

#[test]
fn pages_of_one_topic_share_a_segment_and_its_keywords_name_it() {
    let world = World::of_topics(48);
    let (mid, _) = world.file_all(sized(2000));
    check_whole(&mid, 48);
    for (topic, word) in ["bread", "football", "database", "violin"].iter().enumerate() {
        let slots = (0..12_usize).map(|k| Slot(u32::try_from(topic + 4 * k).unwrap() + 1));
        let mut sizes: HashMap<SegmentId, usize> = HashMap::new();
        for slot in slots {
            *sizes.entry(mid.segment_of(slot).unwrap()).or_default() += 1;
        }
        let (&id, &most) = sizes.iter().max_by_key(|(_, n)| **n).unwrap();
        let segment = mid.get(id).unwrap();
        assert!(most >= 9, "{word}: {sizes:?}");
        assert!(segment.keywords.iter().take(4).any(|k| k == word), "{:?}", segment.keywords);
        assert_eq!(segment.pages as usize, most, "{word} holds pages of other topics");
    }
}

#[test]
fn the_previous_page_decides_what_is_in_doubt() {
    let mut world = World::of_topics(24);
    world.add("It broke again during the long rehearsal on Monday.", "");
    let (mid, _) = world.file_all(sized(2000));
    assert_eq!(mid.segment_of(Slot(25)), Some(SegmentId(25)), "alone it founds a segment");
    let mut again = MidTerm::new(MidSettings { bonus: 1.0, ..MidSettings::default() });
    let mut draft = Draft::new(&again);
    for i in 0..24 {
        draft.file(world.filing(i, None), world.around(0));
    }
    let with = draft.file(world.filing(24, Some(Slot(24))), world.around(0));
    assert_eq!(Some(with), draft.segment_of(Slot(24)));
    let change = draft.finish();
    again.apply(change.clone());
    check_whole(&again, 25);
}

#[test]
fn a_draft_of_many_pages_decides_as_many_drafts_do() {
    let world = World::of_topics(40);
    let (one_by_one, _) = world.file_all(sized(2000));
    let mut at_once = MidTerm::new(sized(2000));
    let mut draft = Draft::new(&at_once);
    for i in 0..40 {
        draft.file(world.filing(i, None), world.around(i64::try_from(i).unwrap()));
    }
    let seen: Vec<_> = (1..=40).map(|slot| draft.segment_of(Slot(slot))).collect();
    let change = draft.finish();
    at_once.apply(change.clone());
    let found: Vec<_> = (1..=40).map(|slot| at_once.segment_of(Slot(slot))).collect();
    assert_eq!(found, seen);
    assert_eq!(state(&at_once), state(&one_by_one));
}

#[test]
fn over_capacity_segments_are_merged_and_no_page_is_lost() {
    let world = World::of_topics(48);
    for capacity in [1, 2, 3] {
        let (mid, changes) = world.file_all(sized(capacity));
        assert!(mid.len() <= capacity);
        check_whole(&mid, 48);
        for change in &changes {
            let rows = change.segments.len() + change.filed.len() + change.merged.len();
            assert!(rows <= 5, "one page rewrites {rows} rows");
        }
    }
}

#[test]
fn another_process_and_a_restart_come_to_the_same_state() {
    let world = World::of_topics(48);
    let (mid, changes) = world.file_all(sized(3));
    let mut follower = MidTerm::new(sized(3));
    let mut filed = Vec::new();
    let mut merged = Vec::new();
    for change in &changes {
        // What another process reads from the rows has no sentences with it.
        let MidChange { filed: f, segments, merged: m, .. } = change.clone();
        filed.extend(f.clone());
        merged.extend(m.clone());
        follower.apply(MidChange { filed: f, segments, merged: m, ..MidChange::default() });
    }
    assert_eq!(state(&follower), state(&mid));
    let mut restarted = MidTerm::new(sized(3));
    let segments = state(&mid);
    restarted.apply(MidChange { filed, segments, merged, ..MidChange::default() });
    assert_eq!(state(&restarted), state(&mid));
    check_whole(&restarted, 48);
    for slot in (1..=48).map(Slot) {
        assert_eq!(follower.segment_of(slot), mid.segment_of(slot));
        assert_eq!(restarted.segment_of(slot), mid.segment_of(slot));
    }
}

#[test]
fn a_warm_segment_costs_no_reads_and_a_cold_one_at_most_32() {
    let mut world = World::of_topics(400);
    let all_in_one = MidSettings { threshold: -10.0, ..MidSettings::default() };
    let (mid, changes) = world.file_all(all_in_one);
    assert_eq!((mid.len(), world.reads.get()), (1, 0), "warm filings read no old page");
    world.add(TOPICS[0][0], TOPICS[1][0]);
    let mut cold = MidTerm::new(all_in_one);
    for change in changes {
        let MidChange { filed, segments, merged, .. } = change;
        cold.apply(MidChange { filed, segments, merged, ..MidChange::default() });
    }
    let filed = |mid: &MidTerm| {
        let mut draft = Draft::new(mid);
        draft.file(world.filing(400, None), world.around(1));
        draft.finish().segments
    };
    let (from_warm, from_cold) = (filed(&mid), filed(&cold));
    assert!((1..=MAX_CANDIDATES).contains(&world.reads.get()), "{}", world.reads.get());
    assert_eq!(from_cold, from_warm, "what was in memory decides nothing");
}

#[test]
fn merging_two_cold_segments_reads_at_most_32_pages() {
    let world = World::of_topics(160);
    let (mid, changes) = world.file_all(sized(2000));
    let mut cold = MidTerm::new(sized(mid.len() - 1));
    for change in changes {
        let MidChange { filed, segments, merged, .. } = change;
        cold.apply(MidChange { filed, segments, merged, ..MidChange::default() });
    }
    // The coldest must be a large one, so all others are visited.
    let sizes: Vec<_> = cold.segments().map(|s| (s.pages, s.id)).collect();
    let (_, largest) = sizes.iter().max().unwrap();
    for &(_, id) in sizes.iter().filter(|(_, id)| id != largest) {
        cold.visit(&[id; 200], 0);
    }
    let mut draft = Draft::new(&cold);
    draft.flush_visits();
    draft.merge_over_capacity(world.around(99));
    let merged = draft.finish().merged;
    assert_eq!(merged.iter().map(|(from, _)| from).collect::<Vec<_>>(), [largest]);
    assert!((20..=MAX_CANDIDATES).contains(&world.reads.get()), "{} reads", world.reads.get());
}

#[test]
fn a_page_is_filed_once() {
    let world = World::of_topics(4);
    let (mut mid, _) = world.file_all(sized(2000));
    let before = state(&mid);
    let mut draft = Draft::new(&mid);
    let id = draft.file(world.filing(0, None), world.around(9));
    assert_eq!(Some(id), mid.segment_of(Slot(1)));
    let change = draft.finish();
    assert!(change.is_empty());
    mid.apply(change.clone());
    assert_eq!(state(&mid), before);
}

#[test]
fn visits_are_heat_at_once_and_stored_when_flushed() {
    let world = World::of_topics(8);
    let (mut mid, _) = world.file_all(sized(2000));
    let id = mid.segment_of(Slot(2)).unwrap();
    let pages = f64::from(mid.get(id).unwrap().unanalysed);
    mid.visit(&[id, id, SegmentId(999)], 50);
    let (hottest, heat) = mid.hottest(50)[0];
    assert_eq!((hottest.id, hottest.visits), (id, 0));
    assert!((heat - (pages + 3.0)).abs() < 1e-9, "{heat}");

    let mut draft = Draft::new(&mid);
    draft.flush_visits();
    let change = draft.finish();
    mid.visit(&[id], 60);
    mid.apply(change.clone());
    let stored = mid.get(id).unwrap();
    assert_eq!((stored.visits, stored.last_visit), (2, 50));
    assert!(mid.has_unflushed_visits(), "the visit counted meanwhile is kept");

    let mut draft = Draft::new(&mid);
    draft.flush_visits();
    draft.analysed(id, u32::MAX);
    let change = draft.finish();
    mid.apply(change.clone());
    let stored = mid.get(id).unwrap();
    assert_eq!((stored.visits, stored.unanalysed, stored.last_visit), (0, 0, 60));
    assert!(!mid.has_unflushed_visits());
}

#[test]
fn a_visit_to_a_segment_that_is_merged_away_goes_to_its_receiver() {
    let world = World::of_topics(8);
    let (mut mid, _) = world.file_all(sized(2000));
    let cold = mid.segments().next().unwrap().id;
    mid.settings.capacity = 1;
    let mut draft = Draft::new(&mid);
    draft.merge_over_capacity(world.around(0));
    let change = draft.finish();
    mid.visit(&[cold], 70);
    mid.apply(change.clone());
    let mut draft = Draft::new(&mid);
    draft.flush_visits();
    let change = draft.finish();
    mid.apply(change.clone());
    assert_eq!(mid.get(cold).unwrap().visits, 1);
    check_whole(&mid, 8);
}

#[test]
fn a_language_the_model_cannot_read_is_grouped_by_keywords() {
    let mut world = World::default();
    let bread = "\u{445}\u{43b}\u{435}\u{431} \u{43d}\u{430} \u{437}\u{430}\u{43a}\u{432}\u{430}\u{441}\u{43a}\u{435}";
    let ball = "\u{444}\u{443}\u{442}\u{431}\u{43e}\u{43b} \u{43c}\u{430}\u{442}\u{447} \u{433}\u{43e}\u{43b}";
    for text in [bread, ball, bread, ball] {
        world.add(text, "");
    }
    let (mid, _) = world.file_all(sized(2000));
    let found: Vec<_> = (1..=4).map(|slot| mid.segment_of(Slot(slot)).unwrap().0).collect();
    assert_eq!(found, [1, 2, 1, 2]);
    assert!(mid.segments().all(|s| s.mean.pages == 0 && !s.summary.is_empty()));
}

#[test]
fn any_texts_can_be_filed() {
    let mut world = World::default();
    let odd =
        ["", " ", "?", "\u{0}", "\u{1f600}", "```\ncode\n```", "a", "\u{6f22}\u{5b57}", "1 2 3"];
    for text in odd {
        world.add(text, "");
        world.add("", text);
        world.add(text, &text.repeat(20_000 / text.len().max(1)));
    }
    let n = u32::try_from(world.pages.len()).unwrap();
    let (mid, _) = world.file_all(sized(5));
    assert!((1..=n).all(|slot| mid.segment_of(Slot(slot)).is_some()));
    assert_eq!(mid.segments().map(|s| s.pages).sum::<u32>(), n);
    assert!(mid.segments().all(|s| s.summary.chars().count() <= 410));
}

#[test]
fn a_page_is_found_through_any_number_of_merges_and_one_in_a_circle_of_them_somewhere() {
    let mut mid = MidTerm::new(sized(5));
    let into = |from: u32, to: u32| (SegmentId(from), SegmentId(to));
    let filed = vec![into(1, 1), into(100, 100)].into_iter().map(|(id, _)| (Slot(id.0), id));
    let circle = [into(100, 101), into(101, 100)];
    let merged = (1..50).map(|i| into(i, i + 1)).chain(circle).collect();
    mid.apply(MidChange { merged, filed: filed.collect(), ..MidChange::default() });
    assert_eq!(mid.segment_of(Slot(1)), Some(SegmentId(50)));
    assert!(mid.segment_of(Slot(100)).is_some());
}
