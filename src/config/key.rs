//! The names of the settings: one list that the command line, the environment and the config file
//! are checked against.

/// One setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// Whose memory is served.
    UserId,
    /// The assistant's name.
    AssistantId,
    /// The data directory.
    DataPath,
    /// The key for a language model.
    ApiKey,
    /// Where a language model is reached.
    BaseUrl,
    /// Whether a language model may be called.
    Llm,
    /// Which language model.
    LlmModel,
    /// How many calls of a language model a day.
    LlmDailyCalls,
    /// How many tokens of a language model a day.
    LlmDailyTokens,
    /// Which embedding model.
    EmbeddingModel,
    /// Pages in short-term memory.
    ShortTermCapacity,
    /// Segments in mid-term memory.
    MidTermCapacity,
    /// Entries of knowledge.
    KnowledgeCapacity,
    /// The default of `max_results`.
    RetrievalCapacity,
    /// The heat at which a segment is consolidated.
    HeatThreshold,
    /// What a page must score to join a segment.
    SimilarityThreshold,
    /// The log's filter.
    Log,
}

impl Key {
    /// Every setting.
    pub const ALL: [Self; 17] = [
        Self::UserId,
        Self::AssistantId,
        Self::DataPath,
        Self::ApiKey,
        Self::BaseUrl,
        Self::Llm,
        Self::LlmModel,
        Self::LlmDailyCalls,
        Self::LlmDailyTokens,
        Self::EmbeddingModel,
        Self::ShortTermCapacity,
        Self::MidTermCapacity,
        Self::KnowledgeCapacity,
        Self::RetrievalCapacity,
        Self::HeatThreshold,
        Self::SimilarityThreshold,
        Self::Log,
    ];

    /// Returns its names: in the config file, in the environment, on the command line.
    fn names(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::UserId => ("user_id", "MEMORYOS_USER_ID", "--user-id"),
            Self::AssistantId => ("assistant_id", "MEMORYOS_ASSISTANT_ID", "--assistant-id"),
            Self::DataPath => ("data_storage_path", "MEMORYOS_DATA_PATH", "--data-path"),
            Self::ApiKey => ("openai_api_key", "OPENAI_API_KEY", "OPENAI_API_KEY"),
            Self::BaseUrl => ("openai_base_url", "OPENAI_BASE_URL", "--openai-base-url"),
            Self::Llm => ("llm", "MEMORYOS_LLM", "--llm"),
            Self::LlmModel => ("llm_model", "MEMORYOS_LLM_MODEL", "--llm-model"),
            Self::LlmDailyCalls => {
                ("llm_daily_calls", "MEMORYOS_LLM_DAILY_CALLS", "--llm-daily-calls")
            }
            Self::LlmDailyTokens => {
                ("llm_daily_tokens", "MEMORYOS_LLM_DAILY_TOKENS", "--llm-daily-tokens")
            }
            Self::EmbeddingModel => {
                ("embedding_model", "MEMORYOS_EMBEDDING_MODEL", "--embedding-model")
            }
            Self::ShortTermCapacity => {
                ("short_term_capacity", "MEMORYOS_SHORT_TERM_CAPACITY", "--short-term-capacity")
            }
            Self::MidTermCapacity => {
                ("mid_term_capacity", "MEMORYOS_MID_TERM_CAPACITY", "--mid-term-capacity")
            }
            Self::KnowledgeCapacity => (
                "long_term_knowledge_capacity",
                "MEMORYOS_KNOWLEDGE_CAPACITY",
                "--knowledge-capacity",
            ),
            Self::RetrievalCapacity => {
                ("retrieval_queue_capacity", "MEMORYOS_RETRIEVAL_CAPACITY", "--retrieval-capacity")
            }
            Self::HeatThreshold => {
                ("mid_term_heat_threshold", "MEMORYOS_HEAT_THRESHOLD", "--heat-threshold")
            }
            Self::SimilarityThreshold => (
                "mid_term_similarity_threshold",
                "MEMORYOS_SIMILARITY_THRESHOLD",
                "--similarity-threshold",
            ),
            Self::Log => ("log", "MEMORYOS_LOG", "--log"),
        }
    }

    /// Returns its name in the config file.
    pub fn name(self) -> &'static str {
        self.names().0
    }

    /// Returns its environment variable.
    pub fn variable(self) -> &'static str {
        self.names().1
    }

    /// Returns its flag. The API key has none: command lines are visible to other processes.
    pub fn flag(self) -> &'static str {
        self.names().2
    }
}

/// Returns the name among `known` that takes the fewest edits to turn `name` into.
pub fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> &'a str {
    known.min_by_key(|k| edits(name, k)).unwrap_or_default()
}

/// Returns a warning for each `MEMORYOS_*` variable among `names` that means nothing.
pub fn unknown_variables(names: &[String]) -> Vec<String> {
    let known = || Key::ALL.iter().map(|k| k.variable());
    let unknown = |name: &&String| name.starts_with("MEMORYOS_") && !known().any(|k| k == *name);
    let warn = |name: &String| {
        format!("{name} is not a setting, did you mean {}?", nearest(name, known()))
    };
    names.iter().filter(unknown).map(warn).collect()
}

/// Counts the insertions, deletions and replacements between two names (Levenshtein).
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(80).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().take(80).enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        let mut next = vec![left];
        for (y, above) in b.iter().zip(row.iter().skip(1)) {
            left = (diagonal + usize::from(x != *y)).min(above + 1).min(left + 1);
            diagonal = *above;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}
