//! A thread beside the engine that waits for a server, and how long it pauses after failures.
//!
//! It can be ended at any moment, whatever it is waiting for, and asks the engine like everybody
//! else.

use std::sync::mpsc::Sender;
use std::sync::{Arc, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use uuid::Uuid;

use super::api::{Answer, Call, EngineError};
use crate::llm::LlmError;

/// Until the next call after a failure; doubled by each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(30);
/// The longest pause, and the pause after a refusal: a key does not become valid by asking again.
const LONGEST_PAUSE: Duration = Duration::from_hours(1);

/// The thread. Dropping it ends it, whatever it is doing.
#[derive(Debug)]
pub(super) struct Background {
    name: &'static str,
    wake: Arc<Notify>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Background {
    /// Starts the thread. `work` is called in it with what wakes it; none where there is nothing to
    /// work with.
    pub(super) fn start<F: Future<Output = ()>>(
        name: &'static str,
        work: impl FnOnce(Arc<Notify>) -> Option<F> + Send + 'static,
    ) -> Option<Self> {
        let wake = Arc::new(Notify::new());
        let (stop, stopped) = oneshot::channel();
        let woken = Arc::clone(&wake);
        let spawned = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            if let Some(work) = work(woken) {
                run(name, work, stopped);
            }
        });
        match spawned {
            Ok(thread) => Some(Self { name, wake, stop: Some(stop), thread: Some(thread) }),
            Err(error) => {
                tracing::error!(%error, name, "a thread did not start");
                None
            }
        }
    }

    /// Tells that there may be something to do.
    pub(super) fn wake(&self) {
        self.wake.notify_one();
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        drop(self.stop.take());
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!(name = self.name, "a thread panicked");
        }
    }
}

fn run(name: &str, work: impl Future<Output = ()>, stopped: oneshot::Receiver<()>) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, name, "the model cannot be asked");
            return;
        }
    };
    runtime.block_on(async {
        tokio::select! {
            // Completes when its sender is dropped.
            _ = stopped => {}
            () = work => {}
        }
    });
    // A look-up of a host's name may still be under way in a thread of its own.
    runtime.shutdown_background();
}

/// Failures since the last success.
#[derive(Debug, Default)]
pub(super) struct Failures(u32);

impl Failures {
    /// Counts a success.
    pub(super) fn reset(&mut self) {
        self.0 = 0;
    }

    /// Counts a failure; returns for how long not to ask again.
    pub(super) fn pause_after(&mut self, error: Option<&LlmError>) -> Duration {
        let pause = FIRST_PAUSE.saturating_mul(1 << self.0.min(10));
        self.0 = self.0.saturating_add(1);
        if error.is_some_and(LlmError::is_refused) {
            return LONGEST_PAUSE;
        }
        // Up to half as much again by chance, so that many users' processes do not ask together.
        let [chance, ..] = Uuid::new_v4().into_bytes();
        pause.min(LONGEST_PAUSE).mul_f64(1.0 + f64::from(chance) / 512.0)
    }
}

/// Asks the engine; none where it is gone.
pub(super) async fn ask_engine<T>(
    calls: &Weak<Sender<Call>>,
    call: impl FnOnce(Answer<T>) -> Call,
) -> Option<Result<T, EngineError>> {
    let (answer, reply) = oneshot::channel();
    calls.upgrade()?.send(call(answer)).ok()?;
    reply.await.ok()
}
