//! An engine for tests: keeps pages in memory, in the order asked, and can be held back.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use serde_json::{Map, json};

use super::api::{
    Added, Call, Created, Engine, EngineError, Found, Info, Profile, Recall, Recalled,
};
use crate::memory::fact::{Attribute, Fact, FactId, Reader};
use crate::memory::page::{NewPage, Page, PageId, Slot};
use crate::time::Timestamp;

/// The engine and what a test needs to see and steer of it.
pub(crate) struct Fake {
    pub(crate) engine: Engine,
    pub(crate) pages: Arc<Mutex<Vec<Page>>>,
    pub(crate) closed: Arc<AtomicBool>,
    held: Arc<(Mutex<bool>, Condvar)>,
}

impl Fake {
    pub(crate) fn start() -> Self {
        let (calls, inbox) = channel();
        let stop = Arc::new(AtomicBool::new(false));
        let pages = Arc::new(Mutex::new(Vec::new()));
        let closed = Arc::new(AtomicBool::new(false));
        let held = Arc::new((Mutex::new(false), Condvar::new()));
        let worker = Worker {
            stop: Arc::clone(&stop),
            pages: Arc::clone(&pages),
            closed: Arc::clone(&closed),
            held: Arc::clone(&held),
        };
        std::thread::spawn(move || worker.run(&inbox));
        Self { engine: Engine { calls: Arc::new(calls), stop }, pages, closed, held }
    }

    /// Makes every call wait until [`Fake::release`].
    pub(crate) fn hold(&self) {
        *self.held.0.lock().unwrap() = true;
    }

    pub(crate) fn release(&self) {
        *self.held.0.lock().unwrap() = false;
        self.held.1.notify_all();
    }

    pub(crate) fn inputs(&self) -> Vec<String> {
        let pages = self.pages.lock().unwrap();
        pages.iter().map(|p| p.new.texts.user_input.clone()).collect()
    }
}

struct Worker {
    stop: Arc<AtomicBool>,
    pages: Arc<Mutex<Vec<Page>>>,
    closed: Arc<AtomicBool>,
    held: Arc<(Mutex<bool>, Condvar)>,
}

impl Worker {
    fn run(&self, inbox: &Receiver<Call>) {
        for call in inbox {
            self.wait();
            let stopping = self.stop.load(Ordering::SeqCst);
            let check = || if stopping { Err(EngineError::Stopping) } else { Ok(()) };
            match call {
                Call::Add(page, answer) => drop(answer.send(check().map(|()| self.add(page.new)))),
                Call::Recall(r, answer) => drop(answer.send(check().map(|()| self.recall(&r)))),
                Call::Page(id, answer) => drop(answer.send(check().map(|()| self.page(id)))),
                Call::Profile(answer) => drop(answer.send(check().map(|()| no_profile()))),
                Call::Info(answer) => drop(answer.send(check().map(|()| self.info()))),
                Call::CreateUser(user, assistant, answer) => {
                    let data_path = format!("./memoryos_data/{user}").into();
                    let created = Created { user, assistant, data_path, created: true };
                    drop(answer.send(check().map(|()| created)));
                }
                // Nobody asks a model here, and nothing is forgotten.
                Call::NextJob(_)
                | Call::Report(..)
                | Call::NextTexts(..)
                | Call::Fetched(..)
                | Call::Asked(..)
                | Call::PreviewForget(..)
                | Call::Forget(..) => {}
                Call::Close(answer) => {
                    self.closed.store(true, Ordering::SeqCst);
                    drop(answer.send(Ok(())));
                    return;
                }
            }
        }
    }

    fn wait(&self) {
        let mut held = self.held.0.lock().unwrap();
        while *held && !self.stop.load(Ordering::SeqCst) {
            held = self.held.1.wait_timeout(held, Duration::from_millis(5)).unwrap().0;
        }
    }

    fn add(&self, new: NewPage) -> Added {
        let mut pages = self.pages.lock().unwrap();
        let seq = pages.len() as u64 + 1;
        let page = page(u32::try_from(seq).unwrap(), new);
        let (id, timestamp) = (page.id, page.new.timestamp);
        pages.push(page);
        Added {
            id,
            duplicate: false,
            timestamp,
            short_term_pages: pages.len().min(3),
            filed: usize::from(pages.len() > 3),
            segments: 1,
            total_pages: pages.len(),
        }
    }

    fn recall(&self, recall: &Recall) -> Recalled {
        let pages = self.pages.lock().unwrap();
        let (filed, short) = pages.split_at(pages.len().saturating_sub(3));
        let found = filed.iter().rev().take(recall.max_results);
        Recalled {
            profile: None,
            short_term: short.to_vec(),
            found: found.map(|p| found_page(p.clone())).collect(),
            user_knowledge: Vec::new(),
            assistant_knowledge: Vec::new(),
            notices: Vec::new(),
        }
    }

    fn page(&self, id: PageId) -> Option<Found> {
        let pages = self.pages.lock().unwrap();
        pages.iter().find(|p| p.id == id).map(|p| found_page(p.clone()))
    }

    fn info(&self) -> Info {
        let mut stats = Map::new();
        stats.insert("pages".to_owned(), json!(self.pages.lock().unwrap().len()));
        Info {
            assistant: "mcp_assistant".to_owned(),
            stats,
            notices: vec!["all is well".to_owned()],
        }
    }
}

fn no_profile() -> Profile {
    Profile {
        assistant: "mcp_assistant".to_owned(),
        profile: None,
        user_knowledge: Vec::new(),
        assistant_knowledge: Vec::new(),
    }
}

/// A stored page, as an engine would make it.
pub(crate) fn page(slot: u32, new: NewPage) -> Page {
    Page {
        slot: Slot(slot),
        id: PageId::generate(),
        seq: u64::from(slot),
        new,
        continues: None,
        chain_summary: format!("chain of {slot}"),
    }
}

/// A fact, as rules would read it.
pub(crate) fn fact(clause: &str) -> Fact {
    let (page, at) = (PageId::generate(), Timestamp::parse("2026-05-01").unwrap());
    Fact {
        id: FactId(1),
        attribute: Attribute::Like,
        key: "like/tea".to_owned(),
        value: "tea".to_owned(),
        negated: false,
        clause: clause.to_owned(),
        said_on: page,
        sources: vec![page],
        said_at: at,
        when: Some("as a child".to_owned()),
        valid_from: at,
        valid_to: None,
        closed: false,
        explicit: false,
        reader: Reader::Rule,
    }
}

/// A page, as a ranking would find it.
pub(crate) fn found_page(page: Page) -> Found {
    Found { page, score: 0.123_456, segment: None }
}
