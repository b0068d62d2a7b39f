//! The Model Context Protocol over one open user.
//!
//! This is the only module that knows the protocol: it turns calls into requests to the engine and
//! answers into replies. It keeps no state of the memory; it decides only what a reply shows.

mod args;
mod envelope;
mod fit;
mod fit_forgotten;
mod fit_profile;
mod forget_args;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod lines;
mod schema;
mod server;
mod structured;
mod tools;
mod transport;
mod turns;
mod wire;

use std::time::Duration;

use rmcp::service::{ServerInitializeError, serve_server};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use uuid::Uuid;

use crate::engine::{Engine, Info};
use crate::storage::data_dir::DataDir;
use crate::user::UserId;

use server::MemoryServer;
use transport::LineTransport;

/// How long open calls may take to be answered after a signal to stop.
const STOP_ANSWERS: Duration = Duration::from_millis(500);
/// How long the engine may take to close after a signal to stop.
const STOP_CLOSE: Duration = Duration::from_millis(300);

/// Who is served, from where, and how.
#[derive(Debug, Clone)]
pub struct Served {
    engine: Engine,
    user: UserId,
    data_dir: DataDir,
    retrieval_capacity: usize,
    model: String,
    run: String,
}

/// What a server shows of its settings.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The user.
    pub user: UserId,
    /// The data directory.
    pub data_dir: DataDir,
    /// The default of `max_results`.
    pub retrieval_capacity: usize,
    /// Which model is called and what leaves the machine.
    pub model: String,
}

impl Served {
    /// Serves an open engine; its memories without a session of their own share one.
    pub fn new(engine: Engine, shown: Shown) -> Self {
        let Shown { user, data_dir, retrieval_capacity, model } = shown;
        let run = format!("run-{}", Uuid::new_v4());
        Self { engine, user, data_dir, retrieval_capacity, model, run }
    }

    /// Returns the reply of `get_user_info` as JSON.
    pub fn user_info(&self, info: Info) -> serde_json::Value {
        serde_json::to_value(tools::user_info(self, info)).unwrap_or_default()
    }
}

/// Serves one client until its input ends or `stop` completes, then closes the engine.
///
/// At the end of the input every request already sent is carried out and answered first. After
/// `stop` the call in progress finishes, the others fail, and this returns within a second. A
/// client that goes away is no error.
///
/// # Errors
///
/// When the protocol cannot be served.
pub async fn serve<R, W>(
    served: Served,
    input: R,
    output: W,
    stop: impl Future<Output = ()>,
) -> anyhow::Result<()>
where
    R: AsyncRead + Unpin + Send + 'static,
    W: AsyncWrite + Unpin + Send + 'static,
{
    let engine = served.engine.clone();
    let (transport, stopper) = LineTransport::new(input, output);
    let serving = async {
        let end = run(MemoryServer::new(served), transport).await;
        // A failure to close is in the engine's log; the pages are safe.
        drop(engine.close().await);
        end
    };
    tokio::pin!(serving);
    tokio::select! {
        end = &mut serving => return end,
        () = stop => {}
    }
    tracing::info!("asked to stop");
    engine.stop();
    stopper.stop();
    match timeout(STOP_ANSWERS + STOP_CLOSE, serving).await {
        Ok(end) => end,
        Err(_elapsed) => {
            tracing::warn!("stopped before every call was answered");
            Ok(())
        }
    }
}

async fn run<R>(server: MemoryServer, transport: LineTransport<R>) -> anyhow::Result<()>
where
    R: AsyncRead + Unpin + Send + 'static,
{
    match serve_server(server, transport).await {
        Ok(running) => {
            running.waiting().await?;
            Ok(())
        }
        // The input ended before the client introduced itself.
        Err(ServerInitializeError::ConnectionClosed(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests;
