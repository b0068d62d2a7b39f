//! The index as a whole.

use std::collections::HashSet;

use super::analysis::Analysis;
use super::index::{Hit, Index};
use crate::embed::StaticModel;
use crate::memory::page::{Slot, Texts};
use crate::time::Timestamp;

const MINUTE: i64 = 60_000_000;

/// A page to add: slot, session, minute, text.
type Entry<'a> = (u32, &'a str, i64, &'a str);

fn model() -> &'static StaticModel {
    StaticModel::built_in()
}

fn analysis(text: &str) -> Analysis {
    let texts = Texts { user_input: text.to_owned(), agent_response: String::new() };
    Analysis::of(&texts, Timestamp::parse("2026-05-01").unwrap(), model())
}

fn insert(index: &mut Index, (slot, session, minute, text): Entry<'_>) -> bool {
    index.insert(Slot(slot), session, minute * MINUTE, &analysis(text))
}

fn index(entries: &[Entry<'_>]) -> Index {
    let mut index = Index::default();
    for &entry in entries {
        assert!(insert(&mut index, entry));
    }
    index
}

fn search(index: &mut Index, query: &str) -> Vec<Hit> {
    index.search(query, 10, &HashSet::new(), model())
}

fn slots(hits: &[Hit]) -> Vec<u32> {
    hits.iter().map(|hit| hit.slot.0).collect()
}

const TALK: [Entry<'_>; 6] = [
    (1, "a", 0, "I adopted a kitten from the shelter"),
    (2, "a", 5, "She is called Olive"),
    (4, "b", 7, "The quarterly budget is due on Friday"),
    (5, "a", 12, "Olive sleeps on the piano all day"),
    (7, "a", 90, "We drove to the mountains"),
    (9, "a", 95, "The kitten stayed with my sister Olive"),
];
const QUESTIONS: [&str; 4] =
    ["what is the kitten called", "budget", "Where does Olive sleep?", "mountain trip"];

#[test]
fn a_page_is_found_by_its_own_words_and_by_its_neighbours() {
    let hits = search(&mut index(&TALK), "Who is the kitten?");
    assert_eq!(hits.iter().map(|h| h.slot.0).collect::<HashSet<_>>(), [1, 2, 5, 7, 9].into());
    assert_eq!(hits[0].slot, Slot(1));
    assert!(hits.iter().all(|hit| hit.lex > 0.0 && hit.lex < 1.0));
}

#[test]
fn a_question_about_nothing_here_finds_nothing() {
    assert_eq!(search(&mut index(&TALK), "zymurgy"), []);
    assert_eq!(search(&mut index(&TALK), ""), []);
    assert_eq!(search(&mut Index::default(), "kitten"), []);
}

#[test]
fn a_page_without_the_words_is_found_when_it_means_the_same() {
    let hits = search(&mut index(&TALK), "finances");
    assert_eq!((slots(&hits), hits[0].lex), (vec![4], 0.0));
}

#[test]
fn the_newer_of_equals_is_first_and_what_is_shown_already_is_skipped() {
    let mut index = index(&[
        (1, "a", 0, "red bicycle"),
        (2, "b", 0, "red bicycle"),
        (3, "c", 0, "red bicycle"),
    ]);
    assert_eq!(slots(&search(&mut index, "bicycle")), [3, 2, 1]);
    let skip = HashSet::from([Slot(3)]);
    assert_eq!(slots(&index.search("bicycle", 1, &skip, model())), [2]);
    assert_eq!(index.search("bicycle", 0, &skip, model()), []);
}

#[test]
fn pages_added_late_or_in_any_order_of_time_rank_the_same() {
    let mut in_order = index(&TALK);
    for first in 0..TALK.len() {
        // The same pages under other slots, added from `first` on.
        let mut turned = TALK;
        turned.rotate_left(first);
        let mut late = Index::default();
        for (slot, entry) in (1..).zip(turned) {
            assert!(insert(&mut late, (slot, entry.1, entry.2, entry.3)));
        }
        for question in QUESTIONS {
            let scores = |hits: Vec<Hit>| -> Vec<_> {
                hits.iter().map(|h| (h.score * 1e5).round()).collect()
            };
            assert_eq!(
                scores(search(&mut late, question)),
                scores(search(&mut in_order, question)),
                "{question} from {first}"
            );
        }
    }
}

#[test]
fn a_forgotten_page_is_as_if_it_had_never_been() {
    for forgotten in TALK {
        let mut index = index(&TALK);
        assert!(index.remove(Slot(forgotten.0), &analysis(forgotten.3)));
        assert!(!index.remove(Slot(forgotten.0), &analysis(forgotten.3)));
        let kept: Vec<_> = TALK.into_iter().filter(|entry| *entry != forgotten).collect();
        let mut never = self::index(&kept);
        assert_eq!((index.len(), index.contains(Slot(forgotten.0))), (5, false));
        for question in QUESTIONS {
            assert_eq!(search(&mut index, question), search(&mut never, question));
        }
        for (slot, ..) in kept {
            let near = |index: &Index| (index.previous(Slot(slot)), index.next(Slot(slot)));
            assert_eq!(near(&index), near(&never));
        }
        assert_eq!(index.document_frequency("oliv"), never.document_frequency("oliv"));
    }
}

#[test]
fn an_index_that_has_forgotten_everything_is_empty_and_can_be_filled_again() {
    let mut index = index(&TALK);
    for entry in TALK {
        assert!(index.remove(Slot(entry.0), &analysis(entry.3)));
    }
    assert!(index.is_empty());
    assert_eq!((index.document_frequency("kitten"), search(&mut index, "kitten")), (0, vec![]));
    assert!(insert(&mut index, TALK[0]));
    let mut fresh = self::index(&TALK[..1]);
    assert_eq!(search(&mut index, "kitten"), search(&mut fresh, "kitten"));
}

#[test]
fn slots_only_rise_except_over_what_was_taken_back() {
    let mut index = index(&TALK);
    assert!(!insert(&mut index, (9, "a", 100, "again")));
    assert!(!insert(&mut index, (8, "a", 100, "before")));
    assert!(index.remove(Slot(9), &analysis(TALK[5].3)));
    assert!(insert(&mut index, (9, "a", 100, "again")));
    assert_eq!((index.previous(Slot(9)), index.len()), (Some(Slot(7)), 6));
}

#[test]
fn only_the_beginning_of_a_long_query_is_read() {
    let query = format!("{} kitten", "x ".repeat(1_000));
    assert_eq!(search(&mut index(&TALK), &query), []);
    assert!(!search(&mut index(&TALK), &format!("{} kitten", "x ".repeat(990))).is_empty());
}

#[test]
fn pages_that_are_appended_and_settled_are_ranked_as_if_they_had_been_inserted() {
    let mut appended = Index::default();
    appended.reserve(TALK.len());
    for (slot, session, minute, text) in TALK {
        assert!(appended.append(Slot(slot), session, minute * MINUTE, &analysis(text)));
    }
    assert!(!appended.append(Slot(9), "a", 0, &analysis("late")));
    appended.settle();
    let mut inserted = index(&TALK);
    let late = (10, "a", 7, "Olive and the kitten are one");
    for entry in [None, Some(late)] {
        for index in [&mut appended, &mut inserted] {
            assert!(entry.is_none_or(|entry| insert(index, entry)));
        }
        for question in QUESTIONS {
            assert_eq!(search(&mut appended, question), search(&mut inserted, question));
        }
    }
}
