//! The engine's thread: opens the memory, answers calls one after another, closes it.
//!
//! It survives what a call may do: a panic or an unknown outcome makes it read everything anew.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use super::adding::{MOST_BYTES, MOST_PAGES};
use super::analyst::{Analyst, Work};
use super::api::{Added, Answer, Call, Created, Engine, EngineError, Forget, Forgotten};
use super::arriving::Arriving;
use super::embedder::Embedder;
use super::failure::Kind::{self, Read, Write};
use super::failure::{Failure, panicked};
use super::forgetting::Wish;
use super::info;
use super::options::{OpenError, Options};
use super::reader::PageReader;
use super::worker::Worker;
use crate::memory::page::PageId;
use crate::storage::StoreError;
use crate::storage::erase::Told;
use crate::storage::open::{self, Request};
use crate::time::Timestamp;
use crate::user::{AssistantId, UserId};

impl Engine {
    /// Opens a user's memory, creating it if there is none. Returns at once: the memory is read in
    /// a thread of its own, and calls wait for it.
    ///
    /// # Errors
    ///
    /// [`OpenError`] when that thread cannot be started. What is wrong with the folder is the
    /// answer to every call.
    pub fn open(options: Options) -> Result<Self, OpenError> {
        let (calls, inbox) = channel();
        let calls = Arc::new(calls);
        let stop = Arc::new(AtomicBool::new(false));
        let mut thread = Thread {
            options,
            stop: Arc::clone(&stop),
            worker: None,
            was_open: false,
            opened: Instant::now(),
            damage: None,
            calls: Arc::downgrade(&calls),
            analyst: None,
            embedder: None,
            reader: PageReader::default(),
        };
        std::thread::Builder::new()
            .name("engine".to_owned())
            .spawn(move || thread.run(&inbox))
            .map_err(OpenError::Thread)?;
        Ok(Self { calls, stop })
    }
}

/// After so long a memory that could not be written may be opened anew for whoever wants to write.
const READ_ONLY_FOR: Duration = Duration::from_secs(2);

struct Thread {
    options: Options,
    stop: Arc<AtomicBool>,
    worker: Option<Worker>,
    /// Whether the memory was open before: then it is never created anew.
    was_open: bool,
    /// When it was opened last.
    opened: Instant,
    /// What a call found damaged, for the next opening.
    damage: Option<String>,
    /// The way to this thread, for the one that asks a model.
    calls: Weak<Sender<Call>>,
    analyst: Option<Analyst>,
    embedder: Option<Embedder>,
    reader: PageReader,
}

impl Thread {
    fn run(&mut self, inbox: &Receiver<Call>) {
        self.reader = PageReader::start();
        if let Err(failure) = self.survive(|_| Ok(())) {
            tracing::error!("{failure}");
        }
        let model = self.options.model.as_ref();
        self.analyst = model.and_then(|model| Analyst::start(Weak::clone(&self.calls), model));
        let embedding = self.options.embedding.as_ref();
        self.embedder = embedding.and_then(|m| Embedder::start(Weak::clone(&self.calls), m));
        let mut next = None;
        while let Some(call) = next.take().or_else(|| inbox.recv().ok()) {
            match call {
                Call::Close(answer) => {
                    let closed = self.close();
                    drop(answer.send(closed));
                    return;
                }
                Call::Add(page, to) => next = self.add(page, to, inbox),
                call => self.answer(call),
            }
        }
        if let Err(error) = self.close() {
            tracing::warn!(%error, "the memory was not closed cleanly");
        }
    }

    /// Stores a page, together with those that wait behind it; returns the call that was met behind
    /// them.
    fn add(&mut self, page: Arriving, to: Answer<Added>, inbox: &Receiver<Call>) -> Option<Call> {
        let mut n_bytes = page.new.texts.len_bytes();
        let (mut pages, mut answers, mut other) = (vec![page], vec![to], None);
        while pages.len() < MOST_PAGES && n_bytes < MOST_BYTES {
            match inbox.try_recv() {
                Ok(Call::Add(page, to)) => {
                    n_bytes += page.new.texts.len_bytes();
                    pages.push(page);
                    answers.push(to);
                }
                met => {
                    other = met.ok();
                    break;
                }
            }
        }
        let answers = RefCell::new(answers);
        let tell = |added: Vec<Added>| {
            for (to, added) in answers.take().into_iter().zip(added) {
                drop(to.send(Ok(added)));
            }
        };
        self.look_again();
        let reader = std::mem::take(&mut self.reader);
        let outcome = self.survive(|w| w.add(&pages, &reader, Timestamp::now(), tell));
        self.reader = reader;
        if let Err(failure) = outcome {
            let error = failure.told(Write);
            for to in answers.take() {
                drop(to.send(Err(error.clone())));
            }
        }
        self.analyst.as_ref().inspect(|analyst| analyst.wake());
        self.embedder.as_ref().inspect(|embedder| embedder.wake());
        other
    }

    fn answer(&mut self, call: Call) {
        match call {
            Call::Recall(recall, to) => {
                let vector = self.query_vector(&recall.query);
                let vector = vector.as_deref();
                self.reply(to, Read, |w| w.recall(&recall, vector, Timestamp::now()));
                // It may have met pages of other processes.
                self.embedder.as_ref().inspect(|embedder| embedder.wake());
            }
            Call::Page(id, to) => self.reply(to, Read, |w| w.page(id)),
            Call::PreviewForget(forget, to) => self.preview_forget(&forget, to),
            Call::Forget(pages, to) => self.forget(&pages, to),
            Call::Profile(to) => self.reply(to, Read, |w| w.profile(Timestamp::now())),
            Call::Info(to) => {
                let options = self.options.clone();
                self.reply(to, Read, move |w| info::info(w, &options));
            }
            Call::NextJob(to) => {
                let Options { model, heat_threshold, .. } = self.options.clone();
                self.reply(to, Write, move |w| match &model {
                    Some(model) => w.next_job(model, heat_threshold, Timestamp::now()),
                    None => Ok(Work::Nothing),
                });
            }
            Call::Report(report, to) => {
                self.reply(to, Write, |w| w.report(&report, Timestamp::now()));
            }
            Call::NextTexts(reading, to) => {
                let embedding = self.options.embedding.clone();
                self.reply(to, Write, move |w| match &embedding {
                    Some(model) => w.next_texts(model, reading, Timestamp::now()),
                    None => Ok(Vec::new()),
                });
            }
            Call::Fetched(fetched, to) => {
                self.reply(to, Write, |w| w.fetched(&fetched, Timestamp::now()));
            }
            Call::Asked(used, to) => self.reply(to, Write, |w| w.asked(used, Timestamp::now())),
            Call::CreateUser(user, assistant, to) => {
                let created = catch_unwind(AssertUnwindSafe(|| self.create(user, assistant)));
                drop(to.send(created.unwrap_or_else(|_| Err(panicked(Write)))));
            }
            // These two were looked at before.
            Call::Add(_, to) => drop(to.send(Err(EngineError::Stopping))),
            Call::Close(to) => drop(to.send(Ok(()))),
        }
    }

    /// Returns the vector of a query by a model of a server, where the ranking can be by it and it
    /// is known or comes soon.
    fn query_vector(&mut self, query: &str) -> Option<Vec<f32>> {
        let (worker, embedder) = (self.worker.as_mut()?, self.embedder.as_mut()?);
        let model = self.options.embedding.as_ref()?;
        let found = catch_unwind(AssertUnwindSafe(|| {
            worker.can_rank_remotely().then(|| {
                embedder.vector(query, || worker.may_ask_for_query(model, Timestamp::now()))
            })
        }));
        // Where that panics, so will the call itself, and that is dealt with.
        found.ok().flatten().flatten()
    }

    fn preview_forget(&mut self, forget: &Forget, to: Answer<Forgotten>) {
        let wish = self.survive(|w| w.preview_forget(forget)).map_err(|f| f.told(Read));
        drop(to.send(wish.and_then(|wish| match wish {
            Wish::Granted(forgotten) => Ok(forgotten),
            refused => Err(refused.told()),
        })));
    }

    /// Forgets, and leaves the answer to whoever erases.
    fn forget(&mut self, pages: &[PageId], to: Answer<Forgotten>) {
        self.look_again();
        match self.survive(|w| w.forget(pages, Timestamp::now())) {
            Ok(Wish::Granted(forgotten)) => {
                let told: Told = Box::new(move |erased| {
                    drop(to.send(erased.map(|()| forgotten).map_err(EngineError::NotErased)));
                });
                match &self.worker {
                    Some(worker) => worker.erase(told),
                    None => told(Err("the memory is being opened anew".to_owned())),
                }
            }
            Ok(refused) => drop(to.send(Err(refused.told()))),
            Err(failure) => drop(to.send(Err(failure.told(Write)))),
        }
    }

    /// Answers with what `work` does.
    fn reply<T>(
        &mut self,
        to: Answer<T>,
        kind: Kind,
        work: impl Fn(&mut Worker) -> Result<T, StoreError>,
    ) {
        drop(to.send(self.survive(work).map_err(|failure| failure.told(kind))));
    }

    /// Does something with the open memory; what turned out damaged or replaced is opened anew and
    /// tried once more, and a panic is an error.
    fn survive<T>(
        &mut self,
        work: impl Fn(&mut Worker) -> Result<T, StoreError>,
    ) -> Result<T, Failure> {
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let first = self.attempt(&work);
            match first {
                Err(error) if error.is_damage() => {
                    tracing::warn!(%error, "the memory is opened anew");
                    self.worker = None;
                    self.damage = Some(error.to_string());
                    self.attempt(&work)
                }
                other => other,
            }
        }));
        outcome.unwrap_or_else(|_| {
            self.worker = None;
            Err(Failure::Panicked)
        })
    }

    fn attempt<T>(
        &mut self,
        work: impl Fn(&mut Worker) -> Result<T, StoreError>,
    ) -> Result<T, Failure> {
        if self.stop.load(Ordering::SeqCst) {
            return Err(Failure::Store(StoreError::Stopping));
        }
        self.open().map_err(Failure::Open)?;
        let Some(worker) = &mut self.worker else { return Err(Failure::Panicked) };
        let outcome = work(worker);
        if let Err(StoreError::Commit(_) | StoreError::Replaced(_)) = &outcome {
            // What is in memory may not be what is on disk.
            self.worker = None;
        }
        outcome.map_err(Failure::Store)
    }

    /// Has a memory that could not be written opened anew: there may be room, or the right to, now.
    fn look_again(&mut self) {
        let may = |worker: &Worker| worker.may_be_written_again();
        if self.opened.elapsed() >= READ_ONLY_FOR && self.worker.as_ref().is_some_and(may) {
            self.worker = None;
        }
    }

    fn open(&mut self) -> Result<(), StoreError> {
        if self.worker.is_some() {
            return Ok(());
        }
        let root = self.options.data_path.join(self.options.user.as_str());
        let assistant = self.options.assistant.clone().unwrap_or_default();
        let request = |damage| Request {
            root: &root,
            user: &self.options.user,
            assistant: &assistant,
            stop: &self.stop,
            may_create: !self.was_open,
            damage,
        };
        let damage = self.damage.take();
        let worker = match Worker::open(&request(damage.as_deref()), &self.options, &self.stop) {
            // Others may have it open: then it is served from what can be salvaged.
            Err(error) if error.is_damage() => {
                let found = error.to_string();
                Worker::open(&request(Some(&found)), &self.options, &self.stop)?
            }
            other => other?,
        };
        self.worker = Some(worker);
        (self.was_open, self.opened) = (true, Instant::now());
        Ok(())
    }

    fn create(&self, user: UserId, assistant: AssistantId) -> Result<Created, EngineError> {
        if self.stop.load(Ordering::SeqCst) {
            return Err(EngineError::Stopping);
        }
        let root = self.options.data_path.join(user.as_str());
        let request = Request {
            root: &root,
            user: &user,
            assistant: &assistant,
            stop: &self.stop,
            may_create: true,
            damage: None,
        };
        let created = open::create_user(&request).map_err(|e| {
            EngineError::Refused(format!(
                "user {user:?} was not created: {e}",
                user = user.as_str()
            ))
        })?;
        Ok(Created { user, assistant, data_path: root, created })
    }

    fn close(&mut self) -> Result<(), EngineError> {
        // First, so that nobody asks for more while the files are closed.
        (self.analyst, self.embedder) = (None, None);
        let Some(mut worker) = self.worker.take() else { return Ok(()) };
        let finished = catch_unwind(AssertUnwindSafe(|| worker.finish()));
        match finished {
            // Counted visits may be lost: not worth an error.
            Ok(Ok(()) | Err(_)) => Ok(()),
            Err(_) => Err(panicked(Write)),
        }
    }
}
