//! What was sent and what was answered: the naive model that a memory is compared with.

use memoryos::memory::page::{NewPage, PageId, Texts};
use memoryos::time::Timestamp;
use serde_json::json;

/// What is known of a page that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// No answer yet, or an answer that does not know: it may be there.
    MayBe,
    /// Answered with success: it is there.
    Stored,
    /// Answered with "nothing was stored": it is not there.
    Refused,
    /// It was to be forgotten, and no answer came or one that does not know.
    MayBeGone,
    /// Forgotten: it is not there.
    Gone,
}

/// A page that was sent.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) new: NewPage,
    pub(crate) id: Option<PageId>,
    pub(crate) state: State,
    /// When it was sent, as far as that decides its place; pages sent at once have no order.
    pub(crate) order: Option<usize>,
}

/// All pages that were sent.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ledger {
    pub(crate) entries: Vec<Entry>,
    round: usize,
}

impl Ledger {
    /// Notes that a page is sent; returns its number.
    pub(crate) fn send(&mut self, new: NewPage) -> usize {
        self.round += 1;
        self.send_with_last(new)
    }

    /// The same for one that is sent together with the one before.
    pub(crate) fn send_with_last(&mut self, new: NewPage) -> usize {
        let order = Some(self.round);
        self.entries.push(Entry { new, id: None, state: State::MayBe, order });
        self.entries.len() - 1
    }

    /// Notes that a page was acknowledged.
    pub(crate) fn stored(&mut self, n: usize, id: PageId) {
        let entry = &mut self.entries[n];
        assert!(entry.id.is_none_or(|known| known == id), "page {n} has two ids");
        (entry.id, entry.state) = (Some(id), State::Stored);
    }

    /// Notes another answer.
    pub(crate) fn set(&mut self, n: usize, state: State) {
        self.entries[n].state = state;
    }

    /// Returns the numbers of the pages in this state.
    pub(crate) fn all(&self, state: State) -> Vec<usize> {
        (0..self.entries.len()).filter(|n| self.entries[*n].state == state).collect()
    }

    /// Whether it is known of every page whether it is there.
    pub(crate) fn is_certain(&self) -> bool {
        !self.entries.iter().any(|e| matches!(e.state, State::MayBe | State::MayBeGone))
    }
}

/// Makes page `n`: no two are alike, topics come by turns, and some say something of the user. Its
/// time is `minutes` after the first of May, wherever the clock is.
pub(crate) fn page(n: usize, minutes: i64) -> NewPage {
    const SAID: [&str; 8] = [
        "the tomatoes in the garden want water every evening",
        "I live in Kiel and work as a carpenter",
        "the sails of the boat were mended by Greta",
        "piano lessons with Mr Okafor are on Thursdays now",
        "My favourite colour is teal and I like strong tea",
        "the tax office asked for the receipts of the workshop",
        "sourdough bread rises better near the oven",
        "I have a dog named Bruno and two cats",
    ];
    let start = Timestamp::parse("2026-05-01T12:00:00Z").unwrap();
    let micros = start.micros() + minutes * 60_000_000;
    let meta_data = json!({"n": n, "deep": [{"x": 0.1}]}).as_object().unwrap().clone();
    NewPage {
        texts: Texts {
            user_input: format!("Page {n}: {}.", SAID[n % SAID.len()]),
            agent_response: format!("Noted as number {n}. \u{1b}[31m"),
        },
        timestamp: Timestamp::from_parts(micros, 7200).unwrap(),
        timestamp_given: true,
        meta_data,
        session: format!("session {}", n / 5),
    }
}
