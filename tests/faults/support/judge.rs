//! The judge: a fresh engine must give back exactly what the ledger says, or say what is lost.

use std::path::Path;

use memoryos::engine::{Engine, Recall};
use memoryos::memory::page::{Page, Slot};

use super::ledger::{Entry, Ledger, State};
use super::{open, panics};

/// What a fresh engine said.
#[derive(Debug)]
pub(crate) struct Verdict {
    /// Acknowledged pages that are missing, by their numbers; the notices say so.
    pub(crate) lost: Vec<usize>,
    /// The notices, one a line.
    pub(crate) notices: String,
}

/// Opens the memory in `data` and demands what the ledger says; `at` names the case.
pub(crate) fn demand(data: &Path, ledger: &Ledger, at: &str) -> Verdict {
    let engine = open(data);
    let verdict = demand_of(&engine, ledger, at);
    let closed = engine.close().wait();
    assert!(closed.is_ok(), "{at}: {closed:?}");
    assert_eq!(panics(), [""; 0], "{at}");
    verdict
}

/// The same, and nothing may be lost or told.
pub(crate) fn demand_all(data: &Path, ledger: &Ledger, at: &str) {
    let verdict = demand(data, ledger, at);
    assert_eq!(verdict.notices, "", "{at}: nothing was damaged");
    assert_eq!(verdict.lost, [0; 0], "{at}");
}

/// Demands what the ledger says of an open engine.
pub(crate) fn demand_of(engine: &Engine, ledger: &Ledger, at: &str) -> Verdict {
    let info = engine.info().wait().unwrap_or_else(|error| panic!("{at}: {error}"));
    let notices = info.notices.join("\n");
    let (mut lost, mut n_present, mut last) = (Vec::new(), 0, (0, Slot(0)));
    for (n, entry) in ledger.entries.iter().enumerate() {
        let page = find(engine, entry, at);
        match (&page, entry.state) {
            (None, State::Stored) => lost.push(n),
            (Some(_), State::Gone | State::Refused) => {
                panic!("{at}: page {n} is there, and it was {:?}; {notices}", entry.state)
            }
            _ => {}
        }
        let Some(page) = page else { continue };
        n_present += 1;
        assert_eq!(page.new, entry.new, "{at}: page {n}; {notices}");
        if let Some(order) = entry.order.filter(|_| entry.state == State::Stored) {
            assert!(order == last.0 || page.slot > last.1, "{at}: page {n} is out of order");
            last = (order, last.1.max(page.slot));
        }
    }
    assert_eq!(info.stats["total_pages"], n_present, "{at}: pages in all; {notices}");
    let said = is_said(&notices, lost.len());
    assert!(lost.is_empty() || said, "{at}: {lost:?} are lost in silence: {notices}");
    Verdict { lost, notices }
}

/// Finds a page by its id, or where none is known by its text.
fn find(engine: &Engine, entry: &Entry, at: &str) -> Option<Page> {
    if let Some(id) = entry.id {
        let found = engine.page(id).wait().unwrap_or_else(|error| panic!("{at}: {error}"));
        return found.map(|found| found.page);
    }
    let query = entry.new.texts.user_input.clone();
    let recall = Recall { query, max_results: 20, visit: false };
    let recalled = engine.recall(recall).wait().unwrap_or_else(|error| panic!("{at}: {error}"));
    let found = recalled.found.into_iter().map(|found| found.page);
    found.chain(recalled.short_term).find(|page| page.new.texts == entry.new.texts)
}

/// Whether the notices say that so many pages are lost, or may be.
fn is_said(notices: &str, n_lost: usize) -> bool {
    let number = |notice: &str, words: &str| -> Option<usize> {
        let (before, _) = notice.split_once(words)?;
        before.rsplit(' ').next()?.parse().ok()
    };
    notices.lines().any(|notice| {
        number(notice, " pages are lost").is_some_and(|n| n == n_lost)
            || number(notice, " more pages, added last, may be").is_some_and(|n| n >= n_lost)
            || notice.contains("The database itself is unreadable: pages added after change")
    })
}
