//! The thread that asks a language model, beside the engine and never in its way.
//!
//! It asks the engine what there is to do, asks the model, and hands the engine what came back; it
//! holds nothing of the memory and decides nothing about it. One process of a user does this at a
//! time. The one rule: it can be ended at any moment, and a call that fails delays the work.

use std::sync::mpsc::Sender;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::sleep;

use super::api::{Call, EngineError};
use super::background::{Background, Failures, ask_engine};
use super::options::ModelOptions;
use crate::llm::{Client, LlmError, Used};
use crate::memory::consolidate::{Ask, Job, Outcome};
use crate::memory::prompts::{self, Prompt, Rejected};

/// How often a report is handed in while other processes write.
const MOST_HAND_INS: u32 = 50;
/// From a sign of work to looking for it: a burst of adds is looked at once.
const SETTLE: Duration = Duration::from_millis(200);
/// Until the next look where another process of the user is at it.
const OTHERS: Duration = Duration::from_secs(5);
/// Until the next call after one whose result was dropped, because the memory had changed.
const DROPPED: Duration = Duration::from_secs(5);

/// What there is to do.
#[derive(Debug)]
pub(crate) enum Work {
    /// This, with at most so many requests.
    Job(Box<Job>, u64),
    /// Nothing now.
    Nothing,
    /// Another process of the user does it.
    OthersAreAtIt,
}

/// What came of a job.
#[derive(Debug, Clone)]
pub(crate) struct Report {
    pub(crate) job: Job,
    /// What the model answered, as far as it fits; none where it did not answer or it does not fit.
    pub(crate) outcome: Option<Outcome>,
    /// Why there is no outcome; fit for a log at any level.
    pub(crate) failure: Option<String>,
    /// Whether the model answered at all.
    pub(crate) answered: bool,
    /// What was used.
    pub(crate) used: Used,
}

/// What the engine did with a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    /// It is stored.
    Stored,
    /// It was dropped: something that it was made of changed meanwhile.
    Dropped,
    /// There was nothing to store.
    Noted,
    /// Another process is writing: it may come again.
    NotNow,
}

/// The thread. Dropping it ends it, whatever it is doing.
#[derive(Debug)]
pub(crate) struct Analyst(Background);

impl Analyst {
    /// Starts the thread; `calls` leads to the engine as long as somebody else holds it.
    pub(crate) fn start(calls: Weak<Sender<Call>>, model: &ModelOptions) -> Option<Self> {
        let model = model.clone();
        let thread = Background::start("analyst", move |wake| {
            match Client::new(&model.endpoint, model.timeouts) {
                Ok(client) => {
                    Some(Desk { calls, client, wake, failures: Failures::default() }.work())
                }
                Err(error) => {
                    tracing::error!("{error}");
                    None
                }
            }
        });
        thread.map(Self)
    }

    /// Tells that there may be something to do.
    pub(crate) fn wake(&self) {
        self.0.wake();
    }
}

/// What the thread works with.
struct Desk {
    calls: Weak<Sender<Call>>,
    client: Client,
    wake: Arc<Notify>,
    failures: Failures,
}

/// Why a round ended.
enum End {
    /// There is nothing to do until somebody wakes the thread.
    Idle,
    /// It goes on after a pause.
    Pause(Duration),
    /// The engine is gone.
    Closed,
}

impl Desk {
    async fn work(mut self) {
        loop {
            let pause = match self.round().await {
                End::Closed => return,
                End::Idle => {
                    self.wake.notified().await;
                    SETTLE
                }
                End::Pause(pause) => pause,
            };
            // What wakes it during a pause is looked at after it.
            sleep(pause).await;
        }
    }

    /// Does what there is to do.
    async fn round(&mut self) -> End {
        loop {
            let (job, most) = match ask_engine(&self.calls, Call::NextJob).await {
                Some(Ok(Work::Job(job, most))) => (*job, most),
                Some(Ok(Work::Nothing)) => return End::Idle,
                Some(Ok(Work::OthersAreAtIt)) => return End::Pause(OTHERS),
                Some(Err(error)) => {
                    tracing::info!(%error, "there is no work for the language model now");
                    return End::Pause(self.failures.pause_after(None));
                }
                None => return End::Closed,
            };
            let (report, pause) = self.ask_model(job, most).await;
            let taken = self.hand_in(report).await;
            let pause = match (taken, pause) {
                (None, _) => return End::Closed,
                (Some(Ok(Taken::Stored)), None) => continue,
                (Some(Ok(Taken::Dropped)), None) => DROPPED,
                (_, Some(pause)) => pause,
                (Some(Ok(Taken::Noted | Taken::NotNow)), None) => self.failures.pause_after(None),
                (Some(Err(error)), None) => {
                    tracing::warn!(%error, "what the language model said was not stored");
                    self.failures.pause_after(None)
                }
            };
            return End::Pause(pause);
        }
    }

    /// Hands a report to the engine, again if another process is writing.
    async fn hand_in(&self, report: Report) -> Option<Result<Taken, EngineError>> {
        let mut taken = None;
        for _ in 0..MOST_HAND_INS {
            let report = Box::new(report.clone());
            taken = ask_engine(&self.calls, |answer| Call::Report(report, answer)).await;
            if !matches!(taken, Some(Ok(Taken::NotNow))) {
                break;
            }
            sleep(SETTLE).await;
        }
        taken
    }

    /// Asks the model, with at most so many requests; also returns for how long not to ask again, after a failure.
    async fn ask_model(&mut self, job: Job, most: u64) -> (Report, Option<Duration>) {
        let before = self.client.used();
        let answer = self.client.ask_within(&prompt(&job.ask), most).await;
        let after = self.client.used();
        let used = Used {
            calls: after.calls.saturating_sub(before.calls),
            tokens: after.tokens.saturating_sub(before.tokens),
        };
        let is_unfit = |error: &LlmError| matches!(error, LlmError::Empty | LlmError::NotJson(_));
        let answered = answer.as_ref().map_or_else(is_unfit, |_| true);
        let (outcome, failure, pause) = match answer {
            Ok(answer) => match outcome(&job.ask, &answer.json) {
                Ok(outcome) => {
                    self.failures.reset();
                    (Some(outcome), None, None)
                }
                Err(rejected) => {
                    (None, Some(rejected.to_string()), Some(self.failures.pause_after(None)))
                }
            },
            Err(error) => {
                (None, Some(error.to_string()), Some(self.failures.pause_after(Some(&error))))
            }
        };
        if let Some(failure) = &failure {
            tracing::warn!("{failure}; what the rules made stays");
        }
        (Report { job, outcome, failure, answered, used }, pause)
    }
}

fn prompt(ask: &Ask) -> Prompt {
    match ask {
        Ask::File(job) => prompts::batch_prompt(job),
        Ask::Consolidate(job) => prompts::hot_prompt(job),
    }
}

fn outcome(ask: &Ask, answer: &serde_json::Value) -> Result<Outcome, Rejected> {
    match ask {
        Ask::File(job) => prompts::read_batch(answer, job).map(Outcome::Filed),
        Ask::Consolidate(job) => prompts::read_hot(answer, job).map(Outcome::Consolidated),
    }
}
