//! What of a recall goes into a reply of limited size.
//!
//! The limit counts the characters of the JSON document, escapes included, and is never passed.
//! Profile, knowledge and short-term memory have shares; what they leave goes to the ranked pages.

use serde::Serialize;

use super::wire::{KnowledgeView, NO_PROFILE, PageView, RetrieveReply, SUCCESS};
use crate::embed::StaticModel;
use crate::engine::{Found, Recalled};
use crate::memory::fact::Fact;
use crate::memory::page::Page;
use crate::retrieval::best_window;

/// A text up to this many characters is shown whole or not at all, if there is any other way.
const WINDOW_CHARS: usize = 1_500;
/// `meta_data` up to this many characters of JSON is always shown with its page.
const SMALL_META: usize = 1_000;
/// The most characters of JSON of the query that are repeated.
const QUERY_CHARS: usize = 200;

/// Room in a reply, in characters of JSON.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room(pub(super) usize);

impl Room {
    /// Takes what a list item costs, its comma included, if there is that much.
    pub(super) fn take(&mut self, cost: usize) -> bool {
        let fits = cost < self.0;
        if fits {
            self.0 -= cost + 1;
        }
        fits
    }

    /// Splits off at most `share`.
    pub(super) fn split(&mut self, share: usize) -> Self {
        let share = share.min(self.0);
        self.0 -= share;
        Self(share)
    }
}

/// Makes the reply to a search, of at most `max_chars` characters.
pub(super) fn recall(
    query: &str,
    recalled: Recalled,
    timestamp: String,
    max_chars: usize,
) -> RetrieveReply {
    let mut reply = empty(timestamp);
    reply.query = Some(String::new());
    reply.user_profile = Some(String::new());
    reply.short_term_count = recalled.short_term.len();
    reply.total_pages_found = recalled.found.len();
    reply.total_user_knowledge_found = recalled.user_knowledge.len();
    reply.total_assistant_knowledge_found = recalled.assistant_knowledge.len();

    let mut room = Room(max_chars.saturating_sub(json_chars(&reply) + NOTICES_FIELD));
    let shown_query = prefix(query, QUERY_CHARS.min(room.0));
    room.0 -= text_chars(shown_query);
    reply.query = Some(shown_query.to_owned());

    let mut share = room.split(max_chars / 10);
    let profile = recalled.profile.as_deref().unwrap_or(NO_PROFILE);
    let shown_profile = prefix(profile, share.0);
    share.0 -= text_chars(shown_profile);
    reply.truncated |= shown_profile.len() < profile.len();
    reply.user_profile = Some(shown_profile.to_owned());
    room.0 += share.0;

    let mut share = room.split(max_chars / 10);
    let n_notices = recalled.notices.len();
    reply.notices = recalled.notices.into_iter().filter(|n| share.take(json_chars(n))).collect();
    reply.truncated |= reply.notices.len() < n_notices;
    room.0 += share.0;

    let mut share = room.split(max_chars * 15 / 100);
    let mut assistants = share.split(share.0 / 3);
    reply.retrieved_user_knowledge =
        knowledge(recalled.user_knowledge, &mut share, &mut reply.truncated);
    assistants.0 += share.0;
    reply.retrieved_assistant_knowledge =
        knowledge(recalled.assistant_knowledge, &mut assistants, &mut reply.truncated);
    room.0 += assistants.0;

    let mut share = room.split(max_chars / 4);
    let newest_first: Vec<Page> = recalled.short_term.into_iter().rev().collect();
    let shown = pages(newest_first, query, &mut share, &mut reply.truncated);
    reply.short_term_memory = shown.into_iter().rev().collect();
    room.0 += share.0;

    reply.retrieved_pages = pages(recalled.found, query, &mut room, &mut reply.truncated);
    debug_assert!(json_chars(&reply) <= max_chars, "{max_chars} characters are not enough");
    reply
}

/// Makes the reply that shows one page from the character `offset` on.
///
/// # Errors
///
/// A sentence for the model when `offset` is beyond the end.
pub(super) fn page(
    found: Found,
    offset: usize,
    timestamp: String,
    max_chars: usize,
) -> Result<RetrieveReply, String> {
    let mut view = PageView { score: None, ..PageView::from(found) };
    let user = std::mem::take(&mut view.user_input);
    let answer = std::mem::take(&mut view.agent_response);
    let user_chars = user.chars().count();
    let total = user_chars + answer.chars().count();
    if offset > 0 && offset >= total {
        return Err(format!(
            "offset is {offset}, but the memory has {total} characters, expected less"
        ));
    }
    let mut reply = empty(timestamp);
    reply.total_pages_found = 1;
    reply.total_chars = Some(total);
    reply.next_offset = Some(total);
    view.cut = true;
    let left_out = make_room(&mut view, &reply, offset, max_chars);
    reply.retrieved_pages = vec![view.clone()];

    let mut room = max_chars.saturating_sub(json_chars(&reply));
    let user_part = prefix(skip_chars(&user, offset), room);
    room -= text_chars(user_part);
    let user_done = offset + user_part.chars().count();
    let rest = skip_chars(&answer, user_done.saturating_sub(user_chars));
    let answer_part = if user_done < user_chars { "" } else { prefix(rest, room) };
    let next = user_done + answer_part.chars().count();

    user_part.clone_into(&mut view.user_input);
    answer_part.clone_into(&mut view.agent_response);
    view.cut = offset > 0 || next < total || left_out;
    reply.truncated = next < total || left_out;
    reply.next_offset = (next < total).then_some(next);
    reply.retrieved_pages = vec![view];
    Ok(reply)
}

/// Leaves out what would crowd out a page's texts; returns whether there was anything.
///
/// Long `meta_data` comes with the first part only, and not at all where it leaves no room.
fn make_room(view: &mut PageView, reply: &RetrieveReply, offset: usize, max_chars: usize) -> bool {
    let too_long = |view: &PageView| {
        let reply = RetrieveReply { retrieved_pages: vec![view.clone()], ..reply.clone() };
        json_chars(&reply) + 500 > max_chars
    };
    let mut left_out = false;
    if json_chars(&view.meta_data) > SMALL_META && (offset > 0 || too_long(view)) {
        view.meta_data.clear();
        left_out = true;
    }
    if too_long(view) {
        left_out |= !view.meta_data.is_empty() || !view.meta_info.is_empty();
        left_out |= view.segment.is_some();
        view.meta_data.clear();
        view.meta_info.clear();
        view.segment = None;
    }
    left_out
}

/// What the field `notices` costs beside its items.
const NOTICES_FIELD: usize = ",\"notices\":[]".len();

fn empty(timestamp: String) -> RetrieveReply {
    RetrieveReply {
        status: SUCCESS,
        query: None,
        timestamp,
        user_profile: None,
        short_term_memory: Vec::new(),
        short_term_count: 0,
        retrieved_pages: Vec::new(),
        retrieved_user_knowledge: Vec::new(),
        retrieved_assistant_knowledge: Vec::new(),
        total_pages_found: 0,
        total_user_knowledge_found: 0,
        total_assistant_knowledge_found: 0,
        truncated: false,
        total_chars: None,
        next_offset: None,
        notices: Vec::new(),
    }
}

/// Shows as many facts as there is room for, in their order.
pub(super) fn knowledge(entries: Vec<Fact>, room: &mut Room, cut: &mut bool) -> Vec<KnowledgeView> {
    let n_entries = entries.len();
    let views = entries.into_iter().map(KnowledgeView::from);
    let shown: Vec<KnowledgeView> = views.filter(|v| room.take(json_chars(v))).collect();
    *cut |= shown.len() < n_entries;
    shown
}

/// Shows as many pages as there is room for: first each with its long texts cut, then, in the same
/// order, the cut ones whole where that still fits.
fn pages<P: Into<PageView>>(
    pages: Vec<P>,
    query: &str,
    room: &mut Room,
    truncated: &mut bool,
) -> Vec<PageView> {
    let mut shown: Vec<(PageView, Option<PageView>)> = Vec::new();
    for page in pages {
        let whole: PageView = page.into();
        // Finding a window costs a pass over the text: not where it would not fit anyway.
        if !shown.is_empty() && window_chars(&whole) > room.0 {
            *truncated = true;
            continue;
        }
        let (short, whole) = match shortened(&whole, query, WINDOW_CHARS) {
            Some(short) => (short, Some(whole)),
            None => (whole, None),
        };
        if room.take(json_chars(&short)) {
            shown.push((short, whole));
        } else if let Some(squeezed) =
            shown.is_empty().then(|| squeeze(&short, query, room)).flatten()
        {
            shown.push((squeezed, None));
        } else {
            *truncated = true;
        }
    }
    for (view, whole) in &mut shown {
        let Some(whole) = whole.take() else { continue };
        let more = json_chars(&whole).saturating_sub(json_chars(view));
        if more < room.0 {
            room.0 -= more;
            *view = whole;
        }
    }
    *truncated |= shown.iter().any(|(view, _)| view.cut);
    shown.into_iter().map(|(view, _)| view).collect()
}

/// Returns how many characters of a page's texts are shown when the long ones are cut.
fn window_chars(page: &PageView) -> usize {
    let texts = [&page.user_input, &page.agent_response];
    texts.into_iter().map(|text| text.chars().count().min(WINDOW_CHARS)).sum()
}

/// Cuts texts over `max` characters to the window that answers the query best, and leaves long
/// `meta_data` out; none where there is nothing to cut.
fn shortened(whole: &PageView, query: &str, max: usize) -> Option<PageView> {
    let is_long = |text: &String| text.len() > max && text.chars().count() > max;
    let long_meta = json_chars(&whole.meta_data) > SMALL_META;
    if !long_meta && !is_long(&whole.user_input) && !is_long(&whole.agent_response) {
        return None;
    }
    let mut view = PageView { cut: true, ..whole.clone() };
    for text in [&mut view.user_input, &mut view.agent_response] {
        if is_long(text) {
            let window = best_window(text, query, max, StaticModel::built_in());
            *text = text.get(window).unwrap_or_default().to_owned();
        }
    }
    if long_meta {
        view.meta_data.clear();
    }
    Some(view)
}

/// Cuts a page ever more until it fits, so that at least one is shown.
fn squeeze(short: &PageView, query: &str, room: &mut Room) -> Option<PageView> {
    let lengths = [1_200, 900, 700, 500, 350, 250, 150, 80, 30];
    lengths.into_iter().find_map(|max| {
        let mut view = shortened(short, query, max).unwrap_or_else(|| short.clone());
        if max < 200 {
            view.meta_data.clear();
            view.meta_info.clear();
            view.segment = None;
        }
        view.cut = true;
        room.take(json_chars(&view)).then_some(view)
    })
}

fn skip_bytes(text: &str, n: usize) -> &str {
    text.get(n..).unwrap_or_default()
}

fn skip_chars(text: &str, n: usize) -> &str {
    text.char_indices().nth(n).map_or("", |(i, _)| skip_bytes(text, i))
}

/// Returns the longest beginning of a text that takes at most `room` characters in JSON.
pub(super) fn prefix(text: &str, room: usize) -> &str {
    let mut used = 0;
    for (i, c) in text.char_indices() {
        used += char_chars(c);
        if used > room {
            return text.get(..i).unwrap_or_default();
        }
    }
    text
}

/// Counts the characters a text takes inside a JSON string.
pub(super) fn text_chars(text: &str) -> usize {
    text.chars().map(char_chars).sum()
}

fn char_chars(c: char) -> usize {
    match c {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        '\0'..='\u{1f}' => 6,
        _ => 1,
    }
}

/// Counts the characters of UTF-8 that is written to it: the bytes that begin one.
struct Chars(usize);

impl std::io::Write for Chars {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.iter().filter(|byte| byte.cast_signed() >= -0x40).count();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Counts the characters of a value's JSON.
pub(super) fn json_chars<T: Serialize>(value: &T) -> usize {
    let mut chars = Chars(0);
    serde_json::to_writer(&mut chars, value).map_or(usize::MAX / 4, |()| chars.0)
}

#[cfg(test)]
#[path = "fit_tests.rs"]
mod tests;
