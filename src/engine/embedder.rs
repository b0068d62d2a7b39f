//! The thread that asks a model of a server for vectors, and the engine's side of a query's vector.
//!
//! Pages' vectors are fetched in the background, a batch a call. A query's is waited for a moment
//! and remembered; what comes later serves the next time. The one rule: nothing here is ever needed
//! for an answer.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::sleep;

use super::api::Call;
use super::background::{Background, Failures, ask_engine};
use super::embedding::{Fetched, Reading, Unread};
use super::options::ModelOptions;
use crate::llm::{Client, LlmError, Timeouts, Used};
use crate::memory::page::Slot;
use crate::memory::secrets;
use crate::retrieval::{read_part, unit};

/// How long a query's vector is waited for.
const QUERY_PATIENCE: Duration = Duration::from_millis(300);
/// How long no query is sent after one whose vector did not come in time.
const QUERY_PAUSE: Duration = Duration::from_secs(30);
/// How long a query's vector may take to be of use to a later call.
const QUERY_TIMEOUT: Duration = Duration::from_secs(10);
/// The queries whose vectors are remembered.
const REMEMBERED: usize = 128;
/// From a sign of work to looking for it: a burst of adds is looked at once.
const SETTLE: Duration = Duration::from_millis(200);

/// A query and its vector, of length 1; none where it did not come.
type QueryVector = (String, Option<Vec<f32>>);

/// The thread, and the vectors of queries. Dropping it ends the thread.
#[derive(Debug)]
pub(super) struct Embedder {
    thread: Background,
    queries: UnboundedSender<String>,
    answers: Receiver<QueryVector>,
    /// The one used last comes last.
    known: VecDeque<(String, Vec<f32>)>,
    /// Until when no query is sent.
    pause_until: Option<Instant>,
}

impl Embedder {
    /// Starts the thread; `calls` leads to the engine as long as somebody else holds it.
    pub(super) fn start(calls: Weak<Sender<Call>>, model: &ModelOptions) -> Option<Self> {
        let model = model.clone();
        let (queries, asked) = unbounded_channel();
        let (answer, answers) = channel();
        let thread = Background::start("embedder", move |wake| {
            let quick =
                Timeouts { per_try: QUERY_TIMEOUT, in_all: QUERY_TIMEOUT, ..model.timeouts };
            let clients = Client::new(&model.endpoint, model.timeouts)
                .and_then(|pages| Ok((pages, Client::new(&model.endpoint, quick)?)));
            match clients {
                Ok((pages, queries)) => Some(work(calls, (pages, wake), (queries, asked, answer))),
                Err(error) => {
                    tracing::error!("{error}");
                    None
                }
            }
        })?;
        Some(Self { thread, queries, answers, known: VecDeque::new(), pause_until: None })
    }

    /// Tells that there may be pages to fetch vectors of.
    pub(super) fn wake(&self) {
        self.thread.wake();
    }

    /// Returns the vector of a query if it is known or comes in time. `may_ask` says whether the
    /// server may be asked, and is not called where it need not be.
    pub(super) fn vector(
        &mut self,
        query: &str,
        may_ask: impl FnOnce() -> bool,
    ) -> Option<Vec<f32>> {
        let query = read_part(query);
        while let Ok(late) = self.answers.try_recv() {
            self.remember(late);
        }
        if let Some(at) = self.known.iter().position(|(known, _)| known == query) {
            let known = self.known.remove(at)?;
            self.known.push_back(known.clone());
            return Some(known.1);
        }
        let until = Instant::now() + QUERY_PATIENCE;
        let pauses = self.pause_until.is_some_and(|until| Instant::now() < until);
        if pauses || query.trim().is_empty() || secrets::find(query).is_some() || !may_ask() {
            return None;
        }
        self.queries.send(query.to_owned()).ok()?;
        while let Ok(answer) =
            self.answers.recv_timeout(until.saturating_duration_since(Instant::now()))
        {
            let (is_it, vector) = (answer.0 == query, answer.1.clone());
            self.remember(answer);
            if is_it && vector.is_some() {
                return vector;
            }
            if is_it {
                break;
            }
        }
        tracing::debug!("the query's vector did not come; the built-in model ranks");
        self.pause_until = Some(Instant::now() + QUERY_PAUSE);
        None
    }

    fn remember(&mut self, (query, vector): QueryVector) {
        let Some(vector) = vector else { return };
        if self.known.len() >= REMEMBERED {
            self.known.pop_front();
        }
        self.known.push_back((query, vector));
    }
}

async fn work(
    calls: Weak<Sender<Call>>,
    (client, wake): (Client, Arc<Notify>),
    (queries, asked, answer): (Client, UnboundedReceiver<String>, Sender<QueryVector>),
) {
    let desk = Desk {
        calls: Weak::clone(&calls),
        client,
        wake,
        failures: Failures::default(),
        reading: Reading::default(),
    };
    tokio::join!(desk.work(), answer_queries(calls, queries, asked, answer));
}

/// Asks for the vectors of queries, one after another.
async fn answer_queries(
    calls: Weak<Sender<Call>>,
    client: Client,
    mut asked: UnboundedReceiver<String>,
    answer: Sender<QueryVector>,
) {
    while let Some(query) = asked.recv().await {
        let before = client.used();
        let vector = match client.embed(std::slice::from_ref(&query)).await {
            Ok(vectors) => vectors.first().and_then(|vector| unit(vector)),
            Err(error) => {
                tracing::debug!("a query got no vector: {error}");
                None
            }
        };
        if answer.send((query, vector)).is_err() {
            return;
        }
        let used = since(before, client.used());
        match ask_engine(&calls, |to| Call::Asked(used, to)).await {
            Some(Ok(())) => {}
            Some(Err(error)) => tracing::info!(%error, "a call of the model was not counted"),
            None => return,
        }
    }
}

fn since(before: Used, after: Used) -> Used {
    Used {
        calls: after.calls.saturating_sub(before.calls),
        tokens: after.tokens.saturating_sub(before.tokens),
    }
}

/// What pages' vectors are fetched with.
struct Desk {
    calls: Weak<Sender<Call>>,
    client: Client,
    wake: Arc<Notify>,
    failures: Failures,
    reading: Reading,
}

impl Desk {
    async fn work(mut self) {
        while let Some(pause) = self.round().await {
            sleep(pause).await;
        }
    }

    /// Fetches what is lacking; returns for how long to pause then, none where the engine is gone.
    async fn round(&mut self) -> Option<Duration> {
        loop {
            let reading = self.reading;
            let texts = match ask_engine(&self.calls, |to| Call::NextTexts(reading, to)).await? {
                Ok(texts) if texts.is_empty() => {
                    self.wake.notified().await;
                    return Some(SETTLE);
                }
                Ok(texts) => texts,
                Err(error) => {
                    tracing::info!(%error, "there are no pages to make vectors of now");
                    return Some(self.failures.pause_after(None));
                }
            };
            let (fetched, error) = self.fetch(texts).await;
            let taken = ask_engine(&self.calls, |to| Call::Fetched(fetched, to)).await?;
            if let Some(error) = error {
                if let Some(less) = self.reading.after(&error) {
                    self.reading = less;
                    continue;
                }
                tracing::warn!("{error}; pages get no vectors for now");
                return Some(self.failures.pause_after(Some(&error)));
            }
            match taken {
                Ok(true) => self.failures.reset(),
                Ok(false) => return Some(self.failures.pause_after(None)),
                Err(error) => {
                    tracing::warn!(%error, "vectors were not taken");
                    return Some(self.failures.pause_after(None));
                }
            }
        }
    }

    async fn fetch(&self, unread: Vec<Unread>) -> (Fetched, Option<LlmError>) {
        let (pages, texts): (Vec<(Slot, u64)>, Vec<String>) =
            unread.into_iter().map(|page| ((page.slot, page.text_hash), page.text)).unzip();
        let before = self.client.used();
        let outcome = self.client.embed(&texts).await;
        let used = since(before, self.client.used());
        match outcome {
            Ok(vectors) => {
                let vectors = pages.into_iter().zip(vectors).collect();
                (Fetched { vectors, failure: None, used }, None)
            }
            Err(error) => {
                let failure = Some(error.to_string());
                (Fetched { vectors: Vec::new(), failure, used }, Some(error))
            }
        }
    }
}
