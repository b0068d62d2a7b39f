//! One request over the wire: what is sent to the model's host, and how much is read of what it
//! replies.
//!
//! `async-openai` logs the text of a reply it cannot read, at the level of errors. Therefore it only
//! ever gets replies that are JSON with a status of success; everything else ends here. The one
//! rule: memory text goes to the configured host and nowhere else, so no redirect is followed.

use std::time::Duration;

use async_openai::config::Config;
use async_openai::error::OpenAIError;
use async_openai::middleware::HttpRequestFactory;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Response, redirect};
use secrecy::SecretString;
use serde_json::Value;

use super::endpoint::ModelEndpoint;
use super::error::LlmError;

/// The bytes of a reply that are read.
const MAX_REPLY_BYTES: usize = 2 * 1024 * 1024;

/// The bytes that are read of a reply that is no success.
const MAX_ERROR_BYTES: usize = 16 * 1024;

/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A try that failed, and what only the next try needs to know.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) error: LlmError,
    /// How long the host asked to be left alone.
    pub(super) retry_after: Option<Duration>,
    /// What the host said. It may quote a memory or the key; it is read and never shown.
    pub(super) said: String,
}

impl Failure {
    pub(super) fn new(error: LlmError) -> Self {
        Self { error, retry_after: None, said: String::new() }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for Failure {}

impl From<Failure> for OpenAIError {
    fn from(failure: Failure) -> Self {
        Self::Boxed(Box::new(failure))
    }
}

/// The address and the headers of every request.
pub(super) struct Access {
    base_url: String,
    authorization: Option<HeaderValue>,
    /// Asked for by the realtime API, which is not used.
    no_key: SecretString,
}

impl std::fmt::Debug for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Access")
    }
}

impl Access {
    pub(super) fn new(endpoint: &ModelEndpoint) -> Result<Self, LlmError> {
        let header = |key: &super::ApiKey| {
            let mut value = HeaderValue::from_str(&format!("Bearer {}", key.expose()))
                .map_err(|_| LlmError::Setup("the key cannot be sent"))?;
            value.set_sensitive(true);
            Ok(value)
        };
        Ok(Self {
            base_url: endpoint.base_url.trim_end_matches('/').to_owned(),
            authorization: endpoint.api_key.as_ref().map(header).transpose()?,
            no_key: SecretString::from(""),
        })
    }
}

impl Config for Access {
    fn headers(&self) -> HeaderMap {
        self.authorization.iter().map(|value| (AUTHORIZATION, value.clone())).collect()
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base_url)
    }

    fn query(&self) -> Vec<(&str, &str)> {
        Vec::new()
    }

    fn api_base(&self) -> &str {
        &self.base_url
    }

    fn api_key(&self) -> &SecretString {
        &self.no_key
    }
}

/// Makes the client that carries the requests to an endpoint.
pub(super) fn http_client(endpoint: &ModelEndpoint) -> Result<reqwest::Client, LlmError> {
    // Fails only where a provider has been installed before, and that one is as good.
    drop(rustls::crypto::ring::default_provider().install_default());
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("memoryos/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT_TIMEOUT)
        .redirect(redirect::Policy::none());
    if endpoint.is_loopback() {
        builder = builder.no_proxy();
    }
    if !endpoint.is_encrypted() {
        // The system's certificates are not needed, and a container may have none.
        builder = builder.tls_certs_only([]);
    }
    builder.build().map_err(|_| LlmError::Setup("the system's certificates cannot be read"))
}

/// Sends one request and reads the reply, if it is JSON and a success.
pub(super) async fn send(
    http: reqwest::Client,
    secrets: std::sync::Arc<[String]>,
    request: HttpRequestFactory,
) -> Result<Response, Failure> {
    let request = request.build().await.map_err(|_| setup("the base URL is not usable"))?;
    let mut response = http.execute(request).await.map_err(|e| Failure::new(of(&e, &secrets)))?;
    let status = response.status();
    if !status.is_success() {
        let retry_after = retry_after(response.headers());
        let bytes = read(&mut response, MAX_ERROR_BYTES).await.unwrap_or_else(|cut| cut.read);
        let said = String::from_utf8_lossy(&bytes).into_owned();
        let hidden: Vec<&str> = secrets.iter().map(String::as_str).collect();
        let error = LlmError::of_status(status.as_u16(), &said, &hidden);
        return Err(Failure { error, retry_after, said });
    }
    let bytes = match read(&mut response, MAX_REPLY_BYTES).await {
        Ok(bytes) => bytes,
        Err(Cut { why, .. }) => return Err(Failure::new(why)),
    };
    is_json(&bytes).map_err(Failure::new)?;
    Ok(http::Response::new(bytes).into())
}

fn setup(why: &'static str) -> Failure {
    Failure::new(LlmError::Setup(why))
}

/// A body that was not read to its end.
struct Cut {
    read: Vec<u8>,
    why: LlmError,
}

/// Reads a body of at most `max` bytes.
async fn read(response: &mut Response, max: usize) -> Result<Vec<u8>, Cut> {
    let mut read = Vec::new();
    loop {
        match response.chunk().await {
            Ok(None) => return Ok(read),
            Ok(Some(chunk)) if read.len() + chunk.len() <= max => read.extend_from_slice(&chunk),
            Ok(Some(chunk)) => {
                read.extend(chunk.iter().take(max.saturating_sub(read.len())));
                return Err(Cut { read, why: LlmError::TooLarge });
            }
            Err(_) => return Err(Cut { read, why: LlmError::Broken }),
        }
    }
}

fn is_json(bytes: &[u8]) -> Result<(), LlmError> {
    let text = bytes.trim_ascii();
    if text.is_empty() {
        return Err(LlmError::Empty);
    }
    match serde_json::from_slice::<Value>(text) {
        Ok(_) => Ok(()),
        Err(_) if text.starts_with(b"<") => Err(LlmError::NotJson("HTML")),
        Err(_) => Err(LlmError::NotJson("no JSON")),
    }
}

/// Says why a request got no reply, without the URL that it went to.
fn of(error: &reqwest::Error, secrets: &[String]) -> LlmError {
    if error.is_timeout() {
        return LlmError::Timeout;
    }
    if !error.is_connect() {
        return LlmError::Broken;
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    let hidden: Vec<&str> = secrets.iter().map(String::as_str).collect();
    let mut why = super::key::redacted(&cause.to_string(), &hidden);
    why.truncate(why.floor_char_boundary(200));
    LlmError::Connect(why)
}

/// Reads how many seconds a host asked to be left alone; a date is not understood.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}
