//! Pages on their way to the engine. What one says is read by whoever sends it, behind the call that
//! sends it: the engine wakes up, catches up and begins meanwhile, and waits for it only then.

use std::cell::{OnceCell, RefCell};
use std::sync::mpsc::{Receiver, Sender, channel};

use crate::memory::decide::Incoming;
use crate::memory::fact::Statement;
use crate::memory::page::{NewPage, Texts};
use crate::memory::rules;
use crate::time::Timestamp;

/// The bytes of a page's texts up to which whoever sends it reads what it says: some hundred
/// microseconds' work. The engine, which may hold a lock, waits no longer.
const READ_BYTES: usize = 4096;

/// A page; what it says may still be on its way.
#[derive(Debug)]
pub(crate) struct Arriving {
    pub(super) new: NewPage,
    said: OnceCell<Vec<Statement>>,
    coming: RefCell<Option<Receiver<Vec<Statement>>>>,
}

/// What the sender of a page has to do: read what it says.
#[derive(Debug)]
pub(super) struct PageRules {
    texts: Texts,
    at: Timestamp,
    to: Sender<Vec<Statement>>,
}

impl Arriving {
    /// Sends a page on its way; a short one with something to read for the sender.
    pub(super) fn new(new: NewPage) -> (Self, Option<PageRules>) {
        let (mut coming, mut rules) = (None, None);
        if new.texts.len_bytes() <= READ_BYTES {
            let (to, from) = channel();
            coming = Some(from);
            rules = Some(PageRules { texts: new.texts.clone(), at: new.timestamp, to });
        }
        (Self { new, said: OnceCell::new(), coming: RefCell::new(coming) }, rules)
    }

    /// Returns the page with what it says; waits for that, or reads it where nobody does.
    pub(super) fn arrived(&self) -> Incoming {
        let statements = self.said.get_or_init(|| {
            let sent = self.coming.take().and_then(|coming| coming.recv().ok());
            sent.unwrap_or_else(|| rules::read(&self.new.texts, self.new.timestamp))
        });
        Incoming { new: self.new.clone(), statements: statements.clone() }
    }
}

impl PageRules {
    /// Reads what the page says, and sends it after it.
    pub(super) fn read(&self) {
        // Nobody waits where the engine has ended.
        drop(self.to.send(rules::read(&self.texts, self.at)));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::*;

    fn page(user_input: &str) -> NewPage {
        let texts = Texts { user_input: user_input.to_owned(), agent_response: String::new() };
        let timestamp = Timestamp::parse("2026-05-01").unwrap();
        let (meta_data, session) = (Map::new(), "s".to_owned());
        NewPage { texts, timestamp, timestamp_given: false, meta_data, session }
    }

    #[test]
    fn what_a_page_says_is_the_same_whoever_reads_it() {
        let expected = Incoming::read(page("I live in Bergen."));
        assert_eq!(expected.statements.len(), 1);
        let (sent, rules) = Arriving::new(page("I live in Bergen."));
        rules.unwrap().read();
        assert_eq!(sent.arrived(), expected);
        assert_eq!(sent.arrived(), expected, "and as often as it is asked");
        let (left_alone, rules) = Arriving::new(page("I live in Bergen."));
        drop(rules);
        assert_eq!(left_alone.arrived(), expected);
    }

    #[test]
    fn long_pages_are_left_to_the_engine() {
        let long = format!("I live in Bergen. {}", "And so on. ".repeat(500));
        let (sent, rules) = Arriving::new(page(&long));
        assert!(rules.is_none());
        assert_eq!(sent.arrived(), Incoming::read(page(&long)));
    }
}
