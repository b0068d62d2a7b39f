//! JSON-RPC over a pair of byte streams, one message a line.
//!
//! Every request that is read is answered exactly once, whatever ids the client uses: inside, each
//! has a number of its own, and the client's id is put back into the reply. A permit travels with
//! each open request until its reply is flushed; when all are taken reading pauses, and the end of
//! the input is reported only when all are back, so that nothing asked is left unanswered.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use rmcp::RoleServer;
use rmcp::model::{
    ClientJsonRpcMessage, ClientRequest, ErrorData, RequestId, ServerJsonRpcMessage, ServerResult,
};
use rmcp::transport::Transport;
use serde::Serialize;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinHandle;

use super::envelope::{self, Fault, Incoming};
use super::lines::{Line, Lines, MAX_LINE_BYTES};
use super::structured;
use super::tools::ToolName;
use super::turns::{OpenRequests, Outgoing, Turn};

/// The most requests that are open at a time.
const MAX_OPEN: u32 = 64;

/// The server's end of the connection.
pub(super) struct LineTransport<R> {
    lines: Lines<R>,
    /// Messages that were read and not looked at: the rest of a batch.
    queue: VecDeque<Value>,
    permits: Arc<Semaphore>,
    open: OpenRequests,
    replies: Option<mpsc::UnboundedSender<Outgoing>>,
    writer: Option<JoinHandle<()>>,
    stopped: watch::Receiver<bool>,
}

/// Ends the reading of a transport.
#[derive(Debug, Clone)]
pub(super) struct Stopper(Arc<watch::Sender<bool>>);

impl Stopper {
    /// Makes the transport read nothing more; what was read is still answered.
    pub(super) fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl<R: AsyncRead + Unpin + Send> LineTransport<R> {
    /// Connects to a pair of streams; must be called inside a runtime.
    pub(super) fn new<W>(input: R, output: W) -> (Self, Stopper)
    where
        W: AsyncWrite + Unpin + Send + 'static,
    {
        let (stop, stopped) = watch::channel(false);
        let stopper = Stopper(Arc::new(stop));
        let (replies, inbox) = mpsc::unbounded_channel();
        let transport = Self {
            lines: Lines::new(input, MAX_LINE_BYTES),
            queue: VecDeque::new(),
            permits: Arc::new(Semaphore::new(MAX_OPEN as usize)),
            open: OpenRequests::default(),
            replies: Some(replies),
            writer: Some(tokio::spawn(write(output, inbox, stopper.clone()))),
            stopped,
        };
        (transport, stopper)
    }

    /// Returns the next message that is there or can be read; none at the end of the input.
    async fn next(&mut self) -> Option<Result<Value, Fault>> {
        loop {
            if let Some(message) = self.queue.pop_front() {
                return Some(Ok(message));
            }
            match self.lines.buffered() {
                Some(Line::TooLong) => return Some(Err(Fault::line_too_long(MAX_LINE_BYTES))),
                Some(Line::Text(line)) => match envelope::split(&line) {
                    Ok(messages) => self.queue.extend(messages),
                    Err(fault) => return Some(Err(fault)),
                },
                None => {
                    let more = tokio::select! {
                        biased;
                        // An error means that nobody can stop this transport any more.
                        Ok(_) = self.stopped.wait_for(|stopped| *stopped) => return None,
                        more = self.lines.fill() => more,
                    };
                    match more {
                        Ok(true) => {}
                        Ok(false) => return None,
                        Err(error) => {
                            tracing::warn!(%error, "cannot read the input");
                            return None;
                        }
                    }
                }
            }
        }
    }

    /// Sends replies on their way out.
    fn send_out(&self, outgoing: impl IntoIterator<Item = Outgoing>) {
        if let Some(replies) = &self.replies {
            for mut reply in outgoing {
                reply.bytes.push(b'\n');
                // The writer is gone only when the client is.
                drop(replies.send(reply));
            }
        }
    }

    fn reply(&mut self, message: ServerJsonRpcMessage) {
        let (number, outcome) = match message {
            ServerJsonRpcMessage::Response(r) => (Some(r.id), Ok(r.result)),
            ServerJsonRpcMessage::Error(e) => (e.id, Err(e.error)),
            // This server sends neither requests nor notifications.
            ServerJsonRpcMessage::Request(_) | ServerJsonRpcMessage::Notification(_) => return,
        };
        let Some(RequestId::Number(number)) = number else { return };
        let Some(id) = self.open.id(number) else { return };
        let (result, error) = match &outcome {
            Ok(result) => (Some(result), None),
            Err(error) => (None, Some(error)),
        };
        let bytes = match serde_json::to_vec(&Reply { jsonrpc: "2.0", id, error, result }) {
            Ok(mut bytes) => {
                if let Some(data) = result.and_then(structured::data) {
                    structured::add(data, &mut bytes);
                }
                bytes
            }
            Err(error) => {
                tracing::error!(%error, "a reply cannot be written as JSON");
                Fault::unwritable(id.clone()).to_bytes()
            }
        };
        let outgoing = self.open.answer(number, bytes);
        self.send_out(outgoing);
    }
}

/// Tells when the reply to a request may be sent: those to calls come in the order of the calls, but
/// for one that may wait long for other processes after it has taken effect.
fn turn(request: &ClientRequest) -> Turn {
    match request {
        ClientRequest::CallToolRequest(call)
            if ToolName::find(&call.params.name) != Some(ToolName::ForgetMemory) =>
        {
            Turn::Kept
        }
        _ => Turn::Free,
    }
}

/// A reply as it is written.
#[derive(Serialize)]
struct Reply<'a> {
    jsonrpc: &'static str,
    id: &'a Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a ErrorData>,
    /// Last: its data goes before the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<&'a ServerResult>,
}

impl<R: AsyncRead + Unpin + Send> Transport<RoleServer> for LineTransport<R> {
    type Error = io::Error;

    fn send(
        &mut self,
        item: ServerJsonRpcMessage,
    ) -> impl Future<Output = Result<(), io::Error>> + Send + 'static {
        self.reply(item);
        std::future::ready(Ok(()))
    }

    async fn receive(&mut self) -> Option<ClientJsonRpcMessage> {
        loop {
            let permit = Arc::clone(&self.permits).acquire_owned().await.ok()?;
            let Some(message) = self.next().await else {
                drop(permit);
                // The input has ended: wait until everything asked is answered.
                let all = self.permits.acquire_many(MAX_OPEN).await;
                drop(all);
                return None;
            };
            match message.map_or_else(Incoming::Fault, envelope::read) {
                Incoming::Request { id, request } => {
                    let number = self.open.admit(id, permit, turn(&request));
                    let number = RequestId::Number(number);
                    return Some(ClientJsonRpcMessage::request(*request, number));
                }
                Incoming::Fault(fault) => {
                    self.send_out([Outgoing { bytes: fault.to_bytes(), permit }]);
                }
                Incoming::Ignored => drop(permit),
            }
        }
    }

    async fn close(&mut self) -> Result<(), io::Error> {
        self.replies = None;
        if let Some(writer) = self.writer.take() {
            drop(writer.await);
        }
        Ok(())
    }
}

/// Writes replies, those that are ready together with one flush, until the transport is closed or
/// the client stops reading.
async fn write<W: AsyncWrite + Unpin>(
    mut output: W,
    mut replies: mpsc::UnboundedReceiver<Outgoing>,
    stopper: Stopper,
) {
    let (mut bytes, mut permits) = (Vec::new(), Vec::new());
    while let Some(first) = replies.recv().await {
        let mut next = Some(first);
        while let Some(reply) = next {
            bytes.extend_from_slice(&reply.bytes);
            permits.push(reply.permit);
            next = replies.try_recv().ok();
        }
        let written = match output.write_all(&bytes).await {
            Ok(()) => output.flush().await,
            Err(error) => Err(error),
        };
        if let Err(error) = written {
            tracing::info!(%error, "the client no longer reads");
            stopper.stop();
            return;
        }
        bytes.clear();
        permits.clear();
    }
}
