//! The ranking agrees with the reference ranking, page for page and score for score.
//!
//! The large rankings are compared where their data is at hand; it may not be shipped. The golden
//! ranking and the multilingual questions are ours and always run.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use memoryos::embed::StaticModel;
use memoryos::memory::page::{Slot, Texts};
use memoryos::retrieval::{Analysis, Hit, Index};
use memoryos::time::Timestamp;
use serde::Deserialize;

/// Scores differ by rounding only.
const TOLERANCE: f64 = 0.002;

#[derive(Deserialize)]
struct Dataset {
    conversations: Vec<Conversation>,
}

#[derive(Deserialize)]
struct Conversation {
    id: String,
    pages: Vec<PageRecord>,
    questions: Vec<Question>,
}

#[derive(Deserialize)]
struct PageRecord {
    id: String,
    user_input: String,
    agent_response: String,
    timestamp: String,
    #[serde(default)]
    session: String,
}

#[derive(Deserialize)]
struct Question {
    question: String,
    evidence: Vec<Vec<String>>,
}

/// The reference's answer to one question: page, lex, cos, score of the best twenty.
#[derive(Deserialize)]
struct Answer {
    conversation: String,
    question: String,
    ranking: Vec<(String, f64, f64, f64)>,
}

#[derive(Deserialize)]
struct Golden {
    data: Dataset,
    rankings: Vec<Answer>,
}

fn index_of(conversation: &Conversation) -> Index {
    let mut index = Index::default();
    for (slot, page) in (1..).zip(&conversation.pages) {
        let texts = Texts {
            user_input: page.user_input.clone(),
            agent_response: page.agent_response.clone(),
        };
        let time = Timestamp::parse(&page.timestamp).expect("timestamp");
        let analysis = Analysis::of(&texts, time, StaticModel::built_in());
        assert!(index.insert(Slot(slot), &page.session, time.micros(), &analysis));
    }
    index
}

fn search(index: &mut Index, query: &str) -> Vec<Hit> {
    index.search(query, 20, &HashSet::new(), StaticModel::built_in())
}

fn page_id(conversation: &Conversation, hit: Hit) -> &str {
    &conversation.pages[hit.slot.0 as usize - 1].id
}

/// What differs from the reference in the answer to one question.
enum Difference {
    /// The ten best pages are others; with the scores at the border.
    Pages(String),
    /// A score is off.
    Score(String),
}

/// Compares the reference's pages that qualify with ours.
fn compare(conversation: &Conversation, index: &mut Index, wanted: &Answer) -> Vec<Difference> {
    let hits = search(index, &wanted.question);
    let found: HashMap<&str, Hit> =
        hits.iter().map(|&hit| (page_id(conversation, hit), hit)).collect();
    let qualifying: Vec<_> =
        wanted.ranking.iter().filter(|page| page.1 > 0.0 || page.3 >= 0.18).collect();
    let ten: BTreeSet<&str> = qualifying.iter().take(10).map(|page| page.0.as_str()).collect();
    let ours: BTreeSet<&str> =
        hits.iter().take(10).map(|&hit| page_id(conversation, hit)).collect();
    let mut differences = Vec::new();
    if ten != ours {
        differences.push(Difference::Pages(format!("{}: {ten:?} {ours:?}", wanted.question)));
    }
    for (page, lex, cos, score) in qualifying {
        let Some(hit) = found.get(page.as_str()) else { continue };
        let off = [hit.lex - lex, hit.cos - cos, hit.score - score];
        // The cosine is weighed by at most 0.4 before it counts.
        if off[0].abs() > TOLERANCE || off[1].abs() * 0.4 > TOLERANCE || off[2].abs() > TOLERANCE {
            let text = format!("{}: {page} is off by {off:?}", wanted.question);
            differences.push(Difference::Score(text));
        }
    }
    differences
}

/// Compares all rankings; at most one in a hundred may have other pages, no score may be off.
fn check(data: &Dataset, rankings: &[Answer]) {
    let mut indexes: HashMap<&str, (&Conversation, Index)> =
        data.conversations.iter().map(|c| (c.id.as_str(), (c, index_of(c)))).collect();
    let (mut pages, mut scores) = (Vec::new(), Vec::new());
    for wanted in rankings {
        let (conversation, index) =
            indexes.get_mut(wanted.conversation.as_str()).expect("a conversation of the data");
        for difference in compare(conversation, index, wanted) {
            match difference {
                Difference::Pages(text) => pages.push(text),
                Difference::Score(text) => scores.push(text),
            }
        }
    }
    println!("{} questions, {} with other pages: {pages:#?}", rankings.len(), pages.len());
    assert!(scores.is_empty(), "{} scores: {:#?}", scores.len(), &scores[..scores.len().min(9)]);
    assert!(pages.len() * 100 <= rankings.len(), "{} rankings: {pages:#?}", pages.len());
}

fn shared(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data").join(name)
}

#[test]
fn the_development_half_of_locomo_is_ranked_as_by_the_reference() {
    let paths = ["locomo-dev.json", "retrieval/locomo-dev-rankings.jsonl"].map(shared);
    let [Ok(data), Ok(rankings)] = paths.map(fs::read_to_string) else {
        println!("skipped: the data of LoCoMo is not at hand");
        return;
    };
    let data: Dataset = serde_json::from_str(&data).expect("dataset");
    let rankings: Vec<Answer> =
        rankings.lines().map(|line| serde_json::from_str(line).expect("ranking")).collect();
    check(&data, &rankings);
}

#[test]
fn every_question_in_six_languages_finds_its_page_first() {
    let data: Dataset =
        serde_json::from_str(include_str!("../fixtures/multilingual.json")).expect("dataset");
    for conversation in &data.conversations {
        let mut index = index_of(conversation);
        for question in &conversation.questions {
            let hits = search(&mut index, &question.question);
            let first = hits.first().map(|&hit| page_id(conversation, hit));
            let wanted = question.evidence[0].first().map(String::as_str);
            assert_eq!(first, wanted, "{}", question.question);
        }
    }
}

#[test]
fn the_golden_pages_are_ranked_as_by_the_reference() {
    let golden: Golden =
        serde_json::from_str(include_str!("../golden/ranking.json")).expect("golden file");
    check(&golden.data, &golden.rankings);
}
