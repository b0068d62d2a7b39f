//! What of a preview of forgetting goes into a reply of limited size.

use super::fit::{Room, json_chars, prefix};
use super::wire::{ForgetReply, ForgottenView, SUCCESS};
use crate::engine::Forgotten;
use crate::memory::page::Page;

/// The characters of JSON of a reply, at most.
const MAX_CHARS: usize = 24_000;

/// The characters of a memory's text that are shown.
const EXCERPT_CHARS: usize = 300;

/// Makes the reply to a preview, or to what was done.
pub(super) fn forgotten(done: bool, message: String, what: Forgotten, now: String) -> ForgetReply {
    let mut reply = ForgetReply {
        status: SUCCESS,
        message,
        timestamp: now,
        forgotten: done,
        memories: Vec::new(),
        memories_count: what.pages.len(),
        knowledge: Vec::new(),
        knowledge_count: what.facts.len(),
        set_aside_files: Vec::new(),
        truncated: false,
    };
    let mut room = Room(MAX_CHARS.saturating_sub(json_chars(&reply) + 1));
    let mut files = room.split(MAX_CHARS / 10);
    let mut facts = room.split(MAX_CHARS / 4);
    let (n_pages, n_facts, n_files) = (what.pages.len(), what.facts.len(), what.set_aside.len());
    let views = what.pages.iter().map(view);
    reply.memories = views.filter(|view| room.take(json_chars(view))).collect();
    let clauses = what.facts.into_iter().map(|fact| fact.clause);
    reply.knowledge = clauses.filter(|clause| facts.take(json_chars(clause))).collect();
    reply.set_aside_files =
        what.set_aside.into_iter().filter(|name| files.take(json_chars(name))).collect();
    let shown = (reply.memories.len(), reply.knowledge.len(), reply.set_aside_files.len());
    reply.truncated = shown != (n_pages, n_facts, n_files);
    reply
}

fn view(page: &Page) -> ForgottenView {
    let excerpt = |text: &str| {
        let shown = prefix(text, EXCERPT_CHARS);
        if shown.len() < text.len() { format!("{shown}...") } else { shown.to_owned() }
    };
    ForgottenView {
        memory_id: page.id.to_string(),
        timestamp: page.new.timestamp.to_string(),
        user_input: excerpt(&page.new.texts.user_input),
        agent_response: excerpt(&page.new.texts.agent_response),
    }
}
