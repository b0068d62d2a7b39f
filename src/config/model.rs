//! Settings about language models: whether one is called, where, and how much.
//!
//! The one rule: without a key and a base URL nothing is called, and whoever configured one is told
//! what leaves the machine and for where.

use std::fmt;

use super::{ConfigError, Given, Key, Origin, Sources};
use crate::engine::ModelOptions;
use crate::llm::{ApiKey, Budget, ModelEndpoint, Timeouts, host_of, is_loopback};

/// Where a model is reached if only a key is given.
const DEFAULT_BASE_URL: &str = "https://api.openai.com/v1";

/// Settings about language models.
#[derive(Clone)]
pub struct ModelSettings {
    /// The key, if one was given.
    pub api_key: Option<ApiKey>,
    /// The base URL, if one was given.
    pub base_url: Option<String>,
    /// Whether a model is called: a key or a base URL is set and `llm` is not off.
    pub wanted: bool,
    /// The model's name.
    pub name: String,
    /// The model that is asked for vectors; none for the built-in one.
    pub embedding: Option<String>,
    /// What may be used on a day.
    pub budget: Budget,
}

impl fmt::Debug for ModelSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModelSettings")
            .field("wanted", &self.wanted)
            .field("host", &self.host())
            .field("name", &self.name)
            .field("embedding", &self.embedding)
            .field("budget", &self.budget)
            .finish_non_exhaustive()
    }
}

impl ModelSettings {
    /// Returns the model that is called; none if none is.
    pub fn endpoint(&self) -> Option<ModelEndpoint> {
        self.wanted.then(|| ModelEndpoint {
            base_url: self.base_url().to_owned(),
            api_key: self.api_key.clone(),
            model: self.name.clone(),
        })
    }

    /// Returns what the engine needs to call the model; none if none is called.
    pub fn options(&self) -> Option<ModelOptions> {
        self.endpoint().map(|endpoint| self.options_of(endpoint))
    }

    /// Returns what the engine needs to ask for vectors; none where the built-in model makes them.
    pub fn embedding_options(&self) -> Option<ModelOptions> {
        let model = self.embedding.clone()?;
        self.endpoint().map(|endpoint| self.options_of(ModelEndpoint { model, ..endpoint }))
    }

    fn options_of(&self, endpoint: ModelEndpoint) -> ModelOptions {
        ModelOptions { timeouts: Timeouts::of(&endpoint), endpoint, budget: self.budget }
    }

    /// Returns the host that a model is called at, with the port where it is not the usual one.
    pub fn host(&self) -> String {
        // A base URL without a host is refused when it is read.
        host_of(self.base_url()).unwrap_or_default()
    }

    /// Says which model is called and what leaves the machine, for `get_user_info` and stderr.
    pub fn describe(&self) -> String {
        if !self.wanted {
            return "none; nothing leaves this machine".to_owned();
        }
        let (name, host) = (&self.name, self.host());
        let sent = format!(
            "{name} at {host}; texts of stored memories, topic summaries and the profile are sent \
             there"
        );
        match &self.embedding {
            Some(model) => format!(
                "{sent}; texts of memories and of queries are sent there for embedding with {model}"
            ),
            None => sent,
        }
    }

    fn base_url(&self) -> &str {
        self.base_url.as_deref().unwrap_or(DEFAULT_BASE_URL)
    }

    /// Whether texts and the key can be read on their way to another machine.
    fn is_in_the_open(&self) -> bool {
        let url = self.base_url();
        self.wanted && url.starts_with("http://") && !is_loopback(url)
    }
}

/// Decides the settings about language models.
pub(super) fn resolve(
    sources: &Sources<'_>,
    warnings: &mut Vec<String>,
) -> Result<ModelSettings, ConfigError> {
    let empty_is_none = |given: Option<Given>| given.filter(|g| !g.is_empty());
    let api_key = empty_is_none(sources.get(Key::ApiKey));
    if api_key.as_ref().is_some_and(|g| matches!(g.origin(), Origin::File(..))) {
        warnings.push(
            "the config file holds openai_api_key in plain text; OPENAI_API_KEY in the \
             environment is safer"
                .to_owned(),
        );
    }
    let api_key = api_key.map(|g| g.api_key()).transpose()?;
    let base_url = empty_is_none(sources.get(Key::BaseUrl)).map(|g| g.base_url()).transpose()?;
    let given = api_key.is_some() || base_url.is_some();
    let llm = sources.get(Key::Llm).map(|g| g.switch()).transpose()?;
    if llm == Some(true) && !given {
        warnings.push(
            "no language model is called: MEMORYOS_LLM is on, but neither OPENAI_API_KEY nor \
             OPENAI_BASE_URL is set"
                .to_owned(),
        );
    }
    let wanted = given && llm != Some(false);
    let embedding = sources.get(Key::EmbeddingModel).map(|g| g.string()).transpose()?;
    let embedding = embedding.filter(|model| model != "built-in");
    if embedding.is_some() && !wanted {
        warnings.push(
            "the embedding model is the built-in one: the one configured is a model of a server, \
             and no language model is called"
                .to_owned(),
        );
    }
    let name = sources.get(Key::LlmModel).map(|g| g.string()).transpose()?;
    let model = ModelSettings {
        wanted,
        api_key,
        base_url,
        name: name.unwrap_or_else(|| "gpt-4o-mini".to_owned()),
        embedding: embedding.filter(|_| wanted),
        budget: budget(sources)?,
    };
    if model.is_in_the_open() {
        let host = model.host();
        warnings.push(format!(
            "the base URL of the language model is not https: what is sent to {host} can be read \
             on the way"
        ));
    }
    Ok(model)
}

fn budget(sources: &Sources<'_>) -> Result<Budget, ConfigError> {
    let count = |key, default, min, max| match sources.get(key) {
        Some(given) => given.count_from(min, max).map(|n| n as u64),
        None => Ok(default),
    };
    let default = Budget::default();
    Ok(Budget {
        calls: count(Key::LlmDailyCalls, default.calls, 1, 100_000)?,
        tokens: count(Key::LlmDailyTokens, default.tokens, 1_000, 100_000_000)?,
    })
}
