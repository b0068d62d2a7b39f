//! The language model, if one is set: one small question that holds nothing of a memory.

use std::time::Duration;

use serde_json::json;

use crate::config::ModelSettings;
use crate::llm::{Client, LlmError, ModelEndpoint, Timeouts};
use crate::memory::prompts::Prompt;
use crate::storage::inspect::Finding;

/// How long the model may take.
const PATIENCE: Duration = Duration::from_secs(10);

const ANSWER: &str = "model.answer";
const EMBEDDING: &str = "model.embedding";

/// Asks the model, and the embedding model, if they are called at all.
pub(super) fn examine(settings: &ModelSettings) -> Vec<Finding> {
    let Some(endpoint) = settings.endpoint() else {
        return vec![Finding::ok(
            ANSWER,
            "no language model is called: nothing leaves this machine",
        )];
    };
    let mut found = vec![asked(ANSWER, &endpoint, |client| Box::pin(ask(client)))];
    if let Some(model) = settings.embedding.clone() {
        let endpoint = ModelEndpoint { model, ..endpoint };
        found.push(asked(EMBEDDING, &endpoint, |client| Box::pin(embed(client))));
    }
    found
}

type Asking<'a> = std::pin::Pin<Box<dyn Future<Output = Result<(), LlmError>> + 'a>>;

fn asked(
    id: &'static str,
    endpoint: &ModelEndpoint,
    ask: impl for<'a> Fn(&'a Client) -> Asking<'a>,
) -> Finding {
    let timeouts = Timeouts { per_try: PATIENCE, in_all: PATIENCE, ..Timeouts::default() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let client = Client::new(endpoint, timeouts);
    let (Ok(runtime), Ok(client)) = (runtime, &client) else {
        let error = client.err().map_or_else(|| "no thread for it".to_owned(), |e| e.to_string());
        return Finding::problem(id, error, "correct OPENAI_BASE_URL and OPENAI_API_KEY");
    };
    let (model, host) = (client.model(), client.host());
    match runtime.block_on(ask(client)) {
        Ok(()) => Finding::ok(id, format!("{model} at {host} answers")),
        Err(error) => failed(id, model, host, &error),
    }
}

/// Says what a failed call means; what the host said is not repeated, it may be anything.
fn failed(id: &'static str, model: &str, host: &str, error: &LlmError) -> Finding {
    let message = format!("{model} at {host}: {error}");
    match error {
        LlmError::Status { status: 401 | 403, .. } => {
            Finding::problem(id, message, "check OPENAI_API_KEY: the host does not accept it")
        }
        LlmError::Status { status: 404, .. } => Finding::problem(
            id,
            message,
            "check the model's name (MEMORYOS_LLM_MODEL, MEMORYOS_EMBEDDING_MODEL) and \
             OPENAI_BASE_URL, which mostly ends with /v1",
        ),
        LlmError::Status { .. } => Finding::problem(
            id,
            message,
            "try again later; if it stays, ask whoever runs the host (quota, limits)",
        ),
        LlmError::Setup(_) => Finding::problem(id, message, "correct OPENAI_BASE_URL"),
        LlmError::Connect(_) | LlmError::Broken => Finding::problem(
            id,
            message,
            "start the model's server, or check OPENAI_BASE_URL, the network and HTTPS_PROXY; \
             memories are stored and found without it",
        ),
        LlmError::Timeout => Finding::warning(
            id,
            message,
            "a model that is just being loaded needs longer than ten seconds: try again",
        ),
        LlmError::TooLarge | LlmError::Empty | LlmError::NotJson(_) => Finding::warning(
            id,
            message,
            "it is reached, but its answers may be of no use: try another model",
        ),
    }
}

async fn ask(client: &Client) -> Result<(), LlmError> {
    let prompt = Prompt {
        system: "Reply with one JSON object and nothing else.".to_owned(),
        user: "Reply with {\"ok\": true}.".to_owned(),
        schema_name: "check",
        schema: json!({
            "type": "object",
            "properties": {"ok": {"type": "boolean"}},
            "required": ["ok"],
            "additionalProperties": false,
        }),
        max_answer_tokens: 50,
    };
    client.ask_within(&prompt, 4).await.map(|_| ())
}

async fn embed(client: &Client) -> Result<(), LlmError> {
    client.embed(&["memoryos".to_owned()]).await.map(|_| ())
}
