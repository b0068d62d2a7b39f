//! The client of a language model: the only code that sends anything over a network.
//!
//! Any server that speaks OpenAI's chat completions will do: OpenAI, Ollama, vLLM, llama.cpp,
//! `DeepSeek`. A [`Prompt`](crate::memory::prompts::Prompt) goes out, a JSON object comes back;
//! what it says is judged by `memory::prompts`. It knows nothing of stores and settings. The one
//! rule: neither the key nor the text of a memory gets into a log, an error or a file.

mod budget;
mod client;
mod dialect;
mod embeddings;
mod endpoint;
mod error;
mod extract;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod key;
mod transport;

pub use budget::{Budget, Spent};
pub use client::{Answer, Client, Timeouts, Used};
pub use endpoint::{ModelEndpoint, host_of, is_loopback};
pub use error::LlmError;
pub use extract::json_in;
pub use key::ApiKey;
