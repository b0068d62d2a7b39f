//! The client: one question, one answer, and when to ask again.
//!
//! It stores nothing and decides nothing about a memory. The one rule: whatever a host does, a call
//! ends in time, after a bounded number of requests, in an answer or an error.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_openai::error::OpenAIError;
use async_openai::middleware::HttpRequestFactory;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout};
use tracing::debug;
use uuid::Uuid;

use super::dialect::Dialect;
use super::embeddings;
use super::endpoint::{ModelEndpoint, host_of};
use super::error::LlmError;
use super::extract::json_in;
use super::transport::{Access, Failure, http_client, send};
use crate::memory::prompts::Prompt;

/// How often a call is repeated after an error that may pass.
const RETRIES: u32 = 2;

/// How long a call may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// One request.
    pub per_try: Duration,
    /// All requests of a call and the pauses between them.
    pub in_all: Duration,
    /// The first pause; each further one is twice as long. Up to half of it is added by chance.
    pub pause: Duration,
}

impl Default for Timeouts {
    /// A minute for a request, two for a call, a second for the first pause.
    fn default() -> Self {
        Self {
            per_try: Duration::from_mins(1),
            in_all: Duration::from_mins(2),
            pause: Duration::from_secs(1),
        }
    }
}

impl Timeouts {
    /// Returns how long to wait for an endpoint: five minutes for a model on this machine, which may
    /// have no more than a processor to think with and is not asked twice because it is slow.
    pub fn of(endpoint: &ModelEndpoint) -> Self {
        let five = Duration::from_mins(5);
        let local = Self { per_try: five, in_all: five, ..Self::default() };
        if endpoint.is_loopback() { local } else { Self::default() }
    }
}

/// What a model answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// A JSON object; whether it has the shape that was asked for is not checked.
    pub json: Value,
    /// The tokens of question and answer, as the host counted them; else a quarter of the
    /// characters.
    pub tokens: u64,
}

/// What a client has used since it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Used {
    /// Requests that were sent, each try counted.
    pub calls: u64,
    /// Tokens, also of answers that could not be used.
    pub tokens: u64,
}

/// A client of one model.
///
/// Futures of it need a tokio runtime with I/O and time. Dropping one ends its request.
#[derive(Debug)]
pub struct Client {
    openai: async_openai::Client<Access>,
    host: String,
    model: String,
    timeouts: Timeouts,
    /// What the host understood last.
    dialect: Mutex<Dialect>,
    calls: AtomicU64,
    tokens: AtomicU64,
}

impl Client {
    /// Makes a client; sends nothing.
    ///
    /// # Errors
    ///
    /// [`LlmError::Setup`] when the base URL is no http or https URL, the key cannot be sent in a
    /// header, or the system has no certificates to check an https host by.
    pub fn new(endpoint: &ModelEndpoint, timeouts: Timeouts) -> Result<Self, LlmError> {
        let host = host_of(&endpoint.base_url).ok_or(LlmError::Setup("the base URL is no URL"))?;
        let http = http_client(endpoint)?;
        let secrets: Arc<[String]> = endpoint.secrets().into();
        let service = {
            let http = http.clone();
            tower::service_fn(move |request: HttpRequestFactory| {
                send(http.clone(), Arc::clone(&secrets), request)
            })
        };
        let openai =
            async_openai::Client::build(http, Access::new(endpoint)?).with_http_service(service);
        Ok(Self {
            openai,
            host,
            model: endpoint.model.clone(),
            timeouts,
            dialect: Mutex::default(),
            calls: AtomicU64::new(0),
            tokens: AtomicU64::new(0),
        })
    }

    /// Returns the host that receives what is asked, with the port where it is not the usual one.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns the model's name.
    pub fn model(&self) -> &str {
        &self.model
    }

    /// Returns what was used so far, failures included.
    pub fn used(&self) -> Used {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Used { calls: read(&self.calls), tokens: read(&self.tokens) }
    }

    /// Asks the model.
    ///
    /// An error that may pass is tried again twice, after a pause; a host that asks for a longer
    /// pause than there is time gets none. A host that does not know how to be given a schema is
    /// asked again at once, without, and the client remembers.
    ///
    /// # Errors
    ///
    /// Any [`LlmError`] but a refused set-up; the last one where there were more.
    pub async fn ask(&self, prompt: &Prompt) -> Result<Answer, LlmError> {
        self.ask_within(prompt, u64::MAX).await
    }

    /// Does what [`Client::ask`] does, with at most `most` requests (one at least).
    ///
    /// # Errors
    ///
    /// As [`Client::ask`]; the last error where there are no more requests.
    pub async fn ask_within(&self, prompt: &Prompt, most: u64) -> Result<Answer, LlmError> {
        let all = timeout(self.timeouts.in_all, self.tries(prompt, most));
        all.await.unwrap_or_else(|_| {
            self.count_lost(prompt);
            Err(LlmError::Timeout)
        })
    }

    /// Counts a request that was given up: the host may have worked on it all the time.
    fn count_lost(&self, prompt: &Prompt) {
        self.tokens.fetch_add(estimate(&[&prompt.system, &prompt.user]), Ordering::Relaxed);
    }

    async fn tries(&self, prompt: &Prompt, most: u64) -> Result<Answer, LlmError> {
        let end = Instant::now() + self.timeouts.in_all;
        let mut dialect = *self.dialect.lock().unwrap_or_else(PoisonError::into_inner);
        let mut retries = 0;
        for n in 1_u64.. {
            let failure = match self.one_try(dialect, prompt).await {
                Ok(reply) => {
                    *self.dialect.lock().unwrap_or_else(PoisonError::into_inner) = dialect;
                    return self.read(&reply, prompt);
                }
                Err(failure) => failure,
            };
            debug!("the call of the language model failed: {}", failure.error);
            if n >= most {
                return Err(failure.error);
            }
            if let LlmError::Status { status, .. } = failure.error
                && let Some(plainer) = dialect.after(status, &failure.said)
            {
                dialect = plainer;
                continue;
            }
            let Some(pause) = self.pause_before_retry(&failure, retries, end) else {
                return Err(failure.error);
            };
            retries += 1;
            sleep(pause).await;
        }
        Err(LlmError::Timeout)
    }

    async fn one_try(&self, dialect: Dialect, prompt: &Prompt) -> Result<Value, Failure> {
        let chat = self.openai.chat();
        let call = chat.create_byot(dialect.body(&self.model, prompt));
        let outcome = self.request(call).await;
        if outcome.as_ref().is_err_and(|failure| failure.error == LlmError::Timeout) {
            self.count_lost(prompt);
        }
        outcome
    }

    /// Sends one request and counts it.
    async fn request(
        &self,
        call: impl Future<Output = Result<Value, OpenAIError>>,
    ) -> Result<Value, Failure> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        match timeout(self.timeouts.per_try, call).await {
            Ok(Ok(reply)) => Ok(reply),
            Ok(Err(OpenAIError::Boxed(error))) => Err(match error.downcast::<Failure>() {
                Ok(failure) => *failure,
                Err(_) => Failure::new(LlmError::Broken),
            }),
            Ok(Err(_)) => Err(Failure::new(LlmError::Broken)),
            Err(_) => Err(Failure::new(LlmError::Timeout)),
        }
    }

    /// Asks the model for the vectors of texts, in their order: all of one length, every number
    /// finite. Whoever calls keeps secrets out of the texts.
    ///
    /// An error that may pass is tried again as in [`Client::ask`].
    ///
    /// # Errors
    ///
    /// Any [`LlmError`] but a refused set-up; the last one where there were more.
    pub async fn embed(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, LlmError> {
        let all = timeout(self.timeouts.in_all, self.embed_tries(texts)).await;
        let reply = all.unwrap_or(Err(LlmError::Timeout));
        let counted = reply.as_ref().ok().and_then(embeddings::tokens);
        let sent = || estimate(&texts.iter().map(String::as_str).collect::<Vec<_>>());
        self.tokens.fetch_add(counted.unwrap_or_else(sent), Ordering::Relaxed);
        embeddings::read(&reply?, texts.len())
    }

    async fn embed_tries(&self, texts: &[String]) -> Result<Value, LlmError> {
        let end = Instant::now() + self.timeouts.in_all;
        let mut retries = 0;
        loop {
            let embeddings = self.openai.embeddings();
            let body = json!({"model": self.model, "input": texts});
            let failure = match self.request(embeddings.create_byot(body)).await {
                Ok(reply) => return Ok(reply),
                Err(failure) => failure,
            };
            debug!("the call of the embedding model failed: {}", failure.error);
            let Some(pause) = self.pause_before_retry(&failure, retries, end) else {
                return Err(failure.error);
            };
            retries += 1;
            sleep(pause).await;
        }
    }

    /// Returns how long to wait before the next try; none where there is to be none: after the last
    /// one, after an error that does not pass, or where there is no time left.
    fn pause_before_retry(
        &self,
        failure: &Failure,
        retries: u32,
        end: Instant,
    ) -> Option<Duration> {
        let pause = pause(self.timeouts.pause, retries, failure.retry_after);
        let in_time = end.saturating_duration_since(Instant::now()) > pause;
        (retries < RETRIES && failure.error.is_transient() && in_time).then_some(pause)
    }

    /// Finds the answer in a reply.
    fn read(&self, reply: &Value, prompt: &Prompt) -> Result<Answer, LlmError> {
        let content = content(reply);
        let counted = reply.pointer("/usage/total_tokens").and_then(Value::as_u64);
        let estimated = || {
            let written = content.as_deref().unwrap_or_default();
            estimate(&[&prompt.system, &prompt.user, written])
        };
        let tokens = counted.filter(|tokens| *tokens > 0).unwrap_or_else(estimated);
        self.tokens.fetch_add(tokens, Ordering::Relaxed);
        let content = match content {
            Some(content) if !content.trim().is_empty() => content,
            Some(_) => return Err(LlmError::Empty),
            None if reply.get("choices").is_some() => return Err(LlmError::Empty),
            None => return Err(LlmError::NotJson("no chat completion")),
        };
        let json = json_in(&content).ok_or(LlmError::NotJson("without a whole JSON object"))?;
        Ok(Answer { json, tokens })
    }
}

/// Returns what the model wrote: a text, or the texts of its parts.
fn content(reply: &Value) -> Option<String> {
    match reply.pointer("/choices/0/message/content")? {
        Value::String(text) => Some(text.clone()),
        Value::Array(parts) => {
            let texts = parts.iter().filter_map(|part| part.get("text").and_then(Value::as_str));
            Some(texts.collect())
        }
        _ => None,
    }
}

/// Estimates the tokens of texts.
fn estimate(texts: &[&str]) -> u64 {
    texts.iter().map(|text| text.chars().count() as u64).sum::<u64>().div_ceil(4)
}

/// Returns how long to wait before a retry: twice as long each time, up to half as much again by
/// chance, so that clients which failed together do not come back together.
fn pause(first: Duration, retries: u32, asked: Option<Duration>) -> Duration {
    let pause = first.saturating_mul(2_u32.saturating_pow(retries));
    let [chance, ..] = Uuid::new_v4().into_bytes();
    let pause = pause.saturating_add(pause.mul_f64(f64::from(chance) / 512.0));
    asked.map_or(pause, |asked| asked.max(pause))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_doubles_and_is_never_shorter_than_asked() {
        let second = Duration::from_secs(1);
        for _ in 0..50 {
            let waits = [0, 1].map(|retries| pause(second, retries, None).as_secs_f64());
            assert!((1.0..1.5).contains(&waits[0]) && (2.0..3.0).contains(&waits[1]), "{waits:?}");
        }
        assert_eq!(pause(second, 0, Some(10 * second)), 10 * second);
        assert!(pause(Duration::MAX, 5, None) >= Duration::from_hours(1));
    }

    #[test]
    fn the_content_of_every_dialect_is_found() {
        let of = |message: Value| content(&json!({"choices": [{"message": message}]}));
        assert_eq!(of(json!({"content": "x"})).as_deref(), Some("x"));
        let parts = json!([{"type": "text", "text": "x"}, {"type": "image"}, {"text": "y"}]);
        assert_eq!(of(json!({"content": parts})).as_deref(), Some("xy"));
        assert_eq!(of(json!({"content": null, "refusal": "no"})), None);
        assert_eq!(content(&json!({"choices": []})), None);
    }

    #[test]
    fn a_client_shows_neither_key_nor_url() {
        let endpoint = ModelEndpoint {
            base_url: "http://me:pass1234@127.0.0.1:1/v1/hidden".to_owned(),
            api_key: super::super::ApiKey::new("sk-very-secret"),
            model: "m".to_owned(),
        };
        let client = Client::new(&endpoint, Timeouts::default()).unwrap();
        let shown = format!("{client:?}");
        for secret in ["sk-very-secret", "pass1234", "hidden"] {
            assert!(!shown.contains(secret), "{shown}");
        }
        assert_eq!((client.host(), client.model()), ("127.0.0.1:1", "m"));
        assert_eq!(Timeouts::of(&endpoint).per_try, Duration::from_mins(5));
        let far = ModelEndpoint { base_url: "https://far.example".to_owned(), ..endpoint.clone() };
        assert_eq!(Timeouts::of(&far), Timeouts::default());
        let wrong = ModelEndpoint { base_url: "nowhere".to_owned(), ..endpoint };
        let error = Client::new(&wrong, Timeouts::default()).err();
        assert_eq!(error, Some(LlmError::Setup("the base URL is no URL")));
    }
}
