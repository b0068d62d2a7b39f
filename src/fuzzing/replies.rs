//! What a model's server replies, on its way into the memory.

use std::collections::HashSet;

use serde_json::Value;

use super::sections;
use crate::llm::json_in;
use crate::memory::chain::CHAIN_CHARS;
use crate::memory::fact::{Attribute, CLAUSE_CHARS, Owner};
use crate::memory::page::PageId;
use crate::memory::prompts::batch::{BatchPage, KnownTopic};
use crate::memory::prompts::hot::{HotPage, KnownFact, SECTION_CHARS};
use crate::memory::prompts::{
    BatchJob, BatchOutcome, HotJob, HotOutcome, ModelProfile, PROMPT_CHARS, Prompt, batch_prompt,
    hot_prompt, read_batch, read_hot,
};
use crate::memory::secrets;
use crate::memory::segment::SegmentId;
use crate::time::Timestamp;

const SUMMARY_CHARS: usize = 400;

/// Takes a reply, and the user's and the assistant's side of the page that it is about.
///
/// # Panics
///
/// When something is kept that does not rest on the page, is no plain text or is too long, or when a
/// prompt can be left by a text in it.
pub fn replies(bytes: &[u8]) {
    let [reply, user, assistant] = sections(bytes);
    let (batch, hot) = (batch_job(&user, &assistant), hot_job(&user, &assistant));
    for prompt in [batch_prompt(&batch), hot_prompt(&hot)] {
        is_fenced(&prompt);
    }
    let Some(json) = json_in(&reply) else { return };
    assert!(json.as_object().is_some_and(|object| !object.is_empty()), "{json}");
    if let Ok(filed) = read_batch(&json, &batch) {
        is_filing(&filed, &batch);
        assert_eq!(read_batch(&json, &batch), Ok(filed));
    }
    if let Ok(said) = read_hot(&json, &hot) {
        is_consolidation(&said, &hot);
        assert_eq!(read_hot(&json, &hot), Ok(said));
    }
    crate::llm::fuzzing::vectors(&json);
}

fn id(n: u128) -> PageId {
    PageId(uuid::Uuid::from_u128(n))
}

fn at() -> Timestamp {
    Timestamp::from_parts(1_777_627_800_000_000, 7_200).unwrap()
}

fn batch_job(user: &str, assistant: &str) -> BatchJob {
    let page = |n, user: &str, assistant: &str| BatchPage {
        id: id(n),
        user_input: user.to_owned(),
        agent_response: assistant.to_owned(),
        timestamp: at(),
        segment: SegmentId(1),
    };
    let keywords = vec!["boots".to_owned(), "granite".to_owned()];
    BatchJob {
        pages: vec![
            page(1, user, assistant),
            page(2, "Which boots survive wet granite?", "Leather boots with good soles."),
        ],
        topics: vec![KnownTopic {
            id: SegmentId(1),
            summary: "Boots for a hike over granite.".to_owned(),
            keywords,
        }],
        before: Some(user.chars().take(CHAIN_CHARS).collect()),
    }
}

fn hot_job(user: &str, assistant: &str) -> HotJob {
    HotJob {
        segment: SegmentId(1),
        keywords: vec!["boots".to_owned()],
        pages: vec![HotPage {
            id: id(1),
            user_input: user.to_owned(),
            agent_response: assistant.to_owned(),
            timestamp: at(),
        }],
        profile: Some(ModelProfile {
            needs: "Needs boots for wet granite.".to_owned(),
            cites: vec![id(8)],
            ..ModelProfile::default()
        }),
        facts: vec![KnownFact {
            attribute: Attribute::Job,
            clause: "I work as a mountain guide".to_owned(),
            sources: vec![id(9)],
        }],
    }
}

/// Between its two marks a prompt has lines of JSON and nothing that could be a mark.
fn is_fenced(prompt: &Prompt) {
    let n_chars = prompt.system.chars().count() + prompt.user.chars().count();
    assert!(n_chars <= PROMPT_CHARS, "{n_chars} characters");
    let inside = prompt.user.strip_prefix("<data>\n").expect("data comes first");
    let (inside, _) = inside.split_once("</data>\n").expect("data ends");
    assert_eq!(prompt.user.matches("data>").count(), 2);
    assert!(!inside.contains(['<', '>', '`', '\u{1b}', '\u{202e}', '\u{2028}', '\u{0}']));
    for line in inside.lines() {
        assert!(serde_json::from_str::<Value>(line).is_ok_and(|v| v.is_object()), "{line}");
    }
}

fn is_filing(filed: &BatchOutcome, job: &BatchJob) {
    let ids = |pages: Vec<PageId>| pages;
    let asked = ids(job.pages.iter().map(|page| page.id).collect());
    assert_eq!(ids(filed.pages.iter().map(|page| page.id).collect()), asked);
    for (place, topic) in filed.topics.iter().enumerate() {
        assert!(filed.pages.iter().any(|page| page.topic == place), "a topic without a page");
        assert!(topic.known.is_none_or(|id| job.topics.iter().any(|t| t.id == id)));
        is_plain(&topic.summary, SUMMARY_CHARS);
        assert!((1..=8).contains(&topic.keywords.len()));
        topic.keywords.iter().for_each(|keyword| is_plain(keyword, 40));
        let different: HashSet<&String> = topic.keywords.iter().collect();
        assert_eq!(different.len(), topic.keywords.len());
    }
    for page in &filed.pages {
        assert!(page.topic < filed.topics.len());
        is_plain(&page.chain_summary, CHAIN_CHARS);
    }
}

fn is_consolidation(said: &HotOutcome, job: &HotJob) {
    if let Some(profile) = &said.profile {
        let parts = [&profile.needs, &profile.expectations, &profile.interests];
        assert!(parts.iter().any(|part| !part.is_empty()));
        for part in parts.into_iter().filter(|part| !part.is_empty()) {
            is_plain(part, SECTION_CHARS);
        }
        // All that was shown may be in it.
        let cited: HashSet<PageId> = profile.cites.iter().copied().collect();
        assert_eq!(cited.len(), profile.cites.len());
        assert_eq!(cited, [id(1), id(8), id(9)].into());
    }
    for fact in &said.facts {
        let page = &job.pages[0];
        let side = match fact.attribute.owner() {
            Owner::User => &page.user_input,
            Owner::Assistant => &page.agent_response,
        };
        assert_eq!(fact.page, page.id);
        assert_ne!(fact.attribute, Attribute::Note);
        let line = side.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(line.contains(&fact.clause), "{:?} does not stand on the page", fact.clause);
        assert!(fact.clause.contains(&fact.value), "{fact:?}");
        assert!(!fact.value.trim().is_empty() && fact.clause.chars().count() <= CLAUSE_CHARS);
        assert!(secrets::find(&fact.clause).is_none(), "{fact:?}");
    }
}

/// Prose is one line that shows all it is and holds no secret.
fn is_plain(text: &str, max_chars: usize) {
    let n_chars = text.chars().count();
    assert!((1..=max_chars).contains(&n_chars), "{n_chars} characters: {text:?}");
    let hides = |c: char| c.is_control() || ('\u{2028}'..='\u{202e}').contains(&c);
    assert!(!text.contains(hides), "{text:?}");
    assert!(!text.contains("</") && !text.contains("```"), "{text:?}");
    assert!(secrets::find(text).is_none(), "{text:?}");
}
