//! What can be asked of an open user, and the handle that asks.
//!
//! A request is queued before the method returns, so requests take effect in the order of the
//! calls; the answer is awaited (or waited for) afterwards. Nothing is computed here but, behind the
//! call, what a page says.

use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::task::{Context, Poll};

use serde_json::{Map, Value};
use thiserror::Error;
use tokio::sync::oneshot;

use super::analyst::{Report, Taken, Work};
use super::arriving::{Arriving, PageRules};
use super::embedding::{Fetched, Reading, Unread};
use crate::llm::Used;
use crate::memory::fact::Fact;
use crate::memory::page::{NewPage, Page, PageId};
use crate::time::Timestamp;
use crate::user::{AssistantId, UserId};

/// What failed, in words for the caller; the detail is in the log.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The user's memory could not be opened; every call tries again.
    #[error("the memory cannot be opened: {0}")]
    Unavailable(String),
    /// Another process holds the write lock.
    #[error("nothing was stored: {0}")]
    Busy(String),
    /// The memory is served read-only; says why and what to do.
    #[error("nothing was stored: {0}")]
    ReadOnly(String),
    /// The disk refused; nothing of the request was stored.
    #[error("nothing was stored: {0}")]
    NotStored(String),
    /// The disk failed while committing: the request may have been stored, sending it again is safe.
    #[error("it is not known whether this was stored: {0}; sending it again is safe")]
    Unknown(String),
    /// Reading failed.
    #[error("the memory cannot be read: {0}")]
    Read(String),
    /// The program is stopping; the request was not carried out.
    #[error("the server is stopping; this request was not carried out, send it again")]
    Stopping,
    /// It is forgotten for answers, and something of it is still on disk.
    #[error(
        "forgotten for answers, not yet erased from disk: {0}; it is erased as soon as that is over, \
         nothing more is to be done"
    )]
    NotErased(String),
    /// The request itself cannot be carried out.
    #[error("{0}")]
    Refused(String),
}

/// The outcome of an add.
#[derive(Debug, Clone, PartialEq)]
pub struct Added {
    /// The page's id: the new one, or the stored one's when the exchange was there already.
    pub id: PageId,
    /// Whether the same exchange had been stored already (nothing was written).
    pub duplicate: bool,
    /// The page's timestamp.
    pub timestamp: Timestamp,
    /// Pages now in short-term memory.
    pub short_term_pages: usize,
    /// Pages this add moved from short-term to mid-term memory.
    pub filed: usize,
    /// Mid-term segments now.
    pub segments: usize,
    /// Pages now stored in all.
    pub total_pages: usize,
}

/// What to look for.
#[derive(Debug, Clone, PartialEq)]
pub struct Recall {
    /// The question, in the user's words.
    pub query: String,
    /// At most this many ranked pages.
    pub max_results: usize,
    /// Whether the segments of the three best pages count a visit.
    pub visit: bool,
}

/// A page found by the ranking.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The page, whole.
    pub page: Page,
    /// `lex + 0.4 share cos`, see `retrieval`; by a model of a server `lex + 0.4 cos'`.
    pub score: f64,
    /// Its mid-term segment; none while it is in short-term memory.
    pub segment: Option<SegmentBrief>,
}

/// A segment, as shown beside a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentBrief {
    /// The segment's id: the slot of its first page.
    pub id: u32,
    /// Its keywords, best first.
    pub keywords: Vec<String>,
}

/// The outcome of a recall.
#[derive(Debug, Clone, PartialEq)]
pub struct Recalled {
    /// The profile as text; none until there is one.
    pub profile: Option<String>,
    /// Short-term memory, oldest first.
    pub short_term: Vec<Page>,
    /// Ranked pages that are not in `short_term`, best first.
    pub found: Vec<Found>,
    /// Knowledge about the user, best first.
    pub user_knowledge: Vec<Fact>,
    /// Knowledge of the assistant, best first.
    pub assistant_knowledge: Vec<Fact>,
    /// What the user should be told about the state of the memory (damage, read-only), if anything.
    pub notices: Vec<String>,
}

/// Which pages to forget.
#[derive(Debug, Clone, PartialEq)]
pub enum Forget {
    /// The best ones for a query.
    Query {
        /// The question, in the user's words.
        query: String,
        /// At most this many pages.
        limit: usize,
    },
    /// These.
    Pages(Vec<PageId>),
}

/// What goes, or would go, when pages are forgotten.
#[derive(Debug, Clone, PartialEq)]
pub struct Forgotten {
    /// The pages; for a query the best first.
    pub pages: Vec<Page>,
    /// The facts that rest on them alone.
    pub facts: Vec<Fact>,
    /// Files of the folder that hold copies of an earlier state, and are deleted with them.
    pub set_aside: Vec<String>,
}

/// The profile and all knowledge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// The assistant's name: the one configured, else the one recorded for the user.
    pub assistant: String,
    /// The profile as text; none until there is one.
    pub profile: Option<String>,
    /// Knowledge about the user, newest first.
    pub user_knowledge: Vec<Fact>,
    /// Knowledge of the assistant, newest first.
    pub assistant_knowledge: Vec<Fact>,
}

/// Figures about an open memory.
#[derive(Debug, Clone, PartialEq)]
pub struct Info {
    /// The assistant's name: the one configured, else the one recorded for the user.
    pub assistant: String,
    /// Numbers by name, ready to show (pages, segments, capacities, sequence number, bytes on disk).
    pub stats: Map<String, Value>,
    /// What the user should be told, newest last.
    pub notices: Vec<String>,
}

/// The outcome of creating a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created {
    /// The user.
    pub user: UserId,
    /// The assistant that was given; recorded only when the user was created.
    pub assistant: AssistantId,
    /// The data path as configured, joined with the id.
    pub data_path: PathBuf,
    /// False when the user existed already.
    pub created: bool,
}

/// A request on its way to the engine's thread, with the place for its answer.
#[derive(Debug)]
pub(crate) enum Call {
    Add(Arriving, Answer<Added>),
    Recall(Recall, Answer<Recalled>),
    Page(PageId, Answer<Option<Found>>),
    /// What would be forgotten with what this asks for?
    PreviewForget(Forget, Answer<Forgotten>),
    Forget(Vec<PageId>, Answer<Forgotten>),
    Profile(Answer<Profile>),
    Info(Answer<Info>),
    /// What is there to do for a model?
    NextJob(Answer<Work>),
    /// What came of it.
    Report(Box<Report>, Answer<Taken>),
    /// Which texts are to be made vectors of?
    NextTexts(Reading, Answer<Vec<Unread>>),
    /// What came of it: whether the vectors were taken.
    Fetched(Fetched, Answer<bool>),
    /// What queries' vectors have used.
    Asked(Used, Answer<()>),
    CreateUser(UserId, AssistantId, Answer<Created>),
    /// Carry out what is queued before it, write the views, close, end.
    Close(Answer<()>),
}

/// The place for an answer.
pub(crate) type Answer<T> = oneshot::Sender<Result<T, EngineError>>;

/// An answer that is on its way.
#[derive(Debug)]
pub struct Reply<T>(oneshot::Receiver<Result<T, EngineError>>);

impl<T> Reply<T> {
    /// Blocks until the answer is there; for callers outside an async runtime.
    ///
    /// # Errors
    ///
    /// What the request failed with.
    pub fn wait(self) -> Result<T, EngineError> {
        self.0.blocking_recv().unwrap_or(Err(EngineError::Stopping))
    }
}

impl<T> Future for Reply<T> {
    type Output = Result<T, EngineError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx).map(|r| r.unwrap_or(Err(EngineError::Stopping)))
    }
}

/// One open user. Clones ask the same engine.
#[derive(Debug, Clone)]
pub struct Engine {
    pub(crate) calls: Arc<Sender<Call>>,
    pub(crate) stop: Arc<AtomicBool>,
}

impl Engine {
    /// Stores a page; the answer comes after it is on stable storage.
    ///
    /// What a page of usual length says is read here, while the engine wakes up and prepares.
    pub fn add(&self, page: NewPage) -> Reply<Added> {
        let (page, reading) = Arriving::new(page);
        let reply = self.ask(|answer| Call::Add(page, answer));
        reading.inspect(PageRules::read);
        reply
    }

    /// Finds what the memory holds for a query.
    pub fn recall(&self, recall: Recall) -> Reply<Recalled> {
        self.ask(|answer| Call::Recall(recall, answer))
    }

    /// Reads one page whole; none if there is no such page.
    pub fn page(&self, id: PageId) -> Reply<Option<Found>> {
        self.ask(|answer| Call::Page(id, answer))
    }

    /// Finds what would go if pages were forgotten; changes nothing.
    pub fn preview_forget(&self, forget: Forget) -> Reply<Forgotten> {
        self.ask(|answer| Call::PreviewForget(forget, answer))
    }

    /// Forgets pages and all that rests on them alone; the answer comes when they are erased from
    /// disk, or with [`EngineError::NotErased`] after some seconds if others keep that up.
    pub fn forget(&self, pages: Vec<PageId>) -> Reply<Forgotten> {
        self.ask(|answer| Call::Forget(pages, answer))
    }

    /// Reads the profile and the knowledge.
    pub fn profile(&self) -> Reply<Profile> {
        self.ask(Call::Profile)
    }

    /// Reads figures about the memory.
    pub fn info(&self) -> Reply<Info> {
        self.ask(Call::Info)
    }

    /// Creates another user's folder; an existing user is no error and is not read.
    pub fn create_user(&self, user: UserId, assistant: AssistantId) -> Reply<Created> {
        self.ask(|answer| Call::CreateUser(user, assistant, answer))
    }

    /// Carries out what was asked before, brings the views up to date and closes the files.
    pub fn close(&self) -> Reply<()> {
        self.ask(Call::Close)
    }

    /// Lets the request in progress finish and fails all others, also one that waits for a lock.
    /// [`Engine::close`] still closes the files.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::SeqCst);
    }

    fn ask<T>(&self, call: impl FnOnce(Answer<T>) -> Call) -> Reply<T> {
        let (answer, reply) = oneshot::channel();
        // A failed send drops the answer's sender, which the reply reports as stopping.
        drop(self.calls.send(call(answer)));
        Reply(reply)
    }
}
