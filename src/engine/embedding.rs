//! The engine's side of vectors by a model of a server: which pages lack one, and taking them in.
//!
//! Nothing here waits for a server. A text that looks like it holds a secret is not sent: its page
//! is like nothing.

use serde_json::{Value, json};

use super::options::{ModelOptions, Options};
use super::worker::Worker;
use crate::llm::{LlmError, Used, host_of};
use crate::memory::Memory;
use crate::memory::page::{Slot, Texts};
use crate::memory::secrets;
use crate::retrieval::RemoteVector;
use crate::storage::StoreError;
use crate::storage::derived::{Derived, DerivedRow};
use crate::storage::store::{Mode, Store};
use crate::time::Timestamp;

/// How much is sent in one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reading {
    /// Pages.
    pages: usize,
    /// Characters of each side of a page.
    chars: usize,
}

impl Default for Reading {
    fn default() -> Self {
        Self { pages: 32, chars: 2_000 }
    }
}

impl Reading {
    /// Returns what to send after this was too much; none where that is not what is wrong.
    pub(super) fn after(self, error: &LlmError) -> Option<Self> {
        let too_much =
            matches!(error, LlmError::TooLarge | LlmError::Status { status: 400 | 413 | 422, .. });
        match self {
            _ if !too_much => None,
            Self { pages: 2.., .. } => Some(Self { pages: (self.pages / 4).max(1), ..self }),
            Self { chars: 501.., .. } => Some(Self { chars: self.chars / 2, ..self }),
            _ => None,
        }
    }
}

/// A page that a vector is to be made of.
#[derive(Debug)]
pub(crate) struct Unread {
    pub(crate) slot: Slot,
    pub(crate) text_hash: u64,
    /// What is sent.
    pub(crate) text: String,
}

/// What came of a call.
#[derive(Debug)]
pub(crate) struct Fetched {
    /// Pages, with the checksums of their texts, and their vectors.
    pub(crate) vectors: Vec<((Slot, u64), Vec<f32>)>,
    /// Why there are none; fit for a log at any level.
    pub(crate) failure: Option<String>,
    pub(crate) used: Used,
}

/// What this process knows of its work for a model that makes vectors.
#[derive(Debug, Default)]
pub(super) struct Embedding {
    /// Calls for queries that are under way and not yet noted.
    n_asked: u64,
    /// Why the last call for pages came to nothing, if it did.
    last_failure: Option<String>,
}

/// Names the file of vectors, if a model of a server is asked for them.
pub(super) fn vectors_file(store: &Store, options: &Options) -> Option<Derived> {
    let endpoint = &options.embedding.as_ref()?.endpoint;
    let host = host_of(&endpoint.base_url)?;
    Some(Derived::vectors(store.folder(), store.epoch(), (&endpoint.model, &host)))
}

/// Gives a filled memory the vectors that are stored.
pub(super) fn load_vectors(memory: &mut Memory, file: &mut Derived) {
    file.load(|slot, text_hash, bytes| {
        if let Some(vector) = RemoteVector::from_bytes(bytes) {
            memory.know_vector(slot, text_hash, vector);
        }
    });
}

impl Worker {
    /// Returns what a model is to make vectors of next, and notes that it is called.
    pub(super) fn next_texts(
        &mut self,
        model: &ModelOptions,
        reading: Reading,
        now: Timestamp,
    ) -> Result<Vec<Unread>, StoreError> {
        self.catch_up()?;
        let budget = model.budget;
        if *self.store.mode() != Mode::Normal || !budget.allows(self.model_use()?.today, now) {
            return Ok(Vec::new());
        }
        let mut unread = Vec::new();
        loop {
            let lacking: Vec<Slot> = self.memory.lacking_vectors().take(reading.pages).collect();
            for slot in &lacking {
                let Some(texts) = self.store.texts(*slot)? else { continue };
                let text_hash = texts.checksum();
                match sent(&texts, reading.chars) {
                    Some(text) => unread.push(Unread { slot: *slot, text_hash, text }),
                    None => self.keep_vector(*slot, text_hash, RemoteVector::withheld()),
                }
            }
            if !unread.is_empty() {
                self.spend(Used { calls: 1, tokens: 0 }, 0, now)?;
                return Ok(unread);
            }
            let all_withheld = self.memory.lacking_vectors().next() != lacking.first().copied();
            if lacking.is_empty() || !all_withheld {
                return Ok(unread);
            }
        }
    }

    /// Takes vectors in; false where they are not like those that are there.
    pub(super) fn fetched(
        &mut self,
        fetched: &Fetched,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let length = fetched.vectors.first().map(|(_, vector)| vector.len());
        let known = self.memory.vector_dimensions();
        let fits = length.is_none() || known.is_none() || known == length;
        self.embedding.last_failure.clone_from(&fetched.failure);
        if fits {
            for ((slot, text_hash), vector) in &fetched.vectors {
                self.keep_vector(*slot, *text_hash, RemoteVector::rounded(vector));
            }
        } else {
            let failure = "the embedding model's vectors have another length than before";
            tracing::warn!("{failure}");
            self.embedding.last_failure = Some(failure.to_owned());
        }
        let Used { calls, tokens } = fetched.used;
        self.spend(Used { calls: calls.saturating_sub(1), tokens }, 0, now)?;
        Ok(fits && fetched.failure.is_none())
    }

    fn keep_vector(&mut self, slot: Slot, text_hash: u64, vector: RemoteVector) {
        let bytes = vector.to_bytes();
        // A page that was forgotten meanwhile gets none.
        if self.memory.set_vector(slot, vector)
            && let Some(keeper) = self.keeper()
        {
            keeper.keep_vector(DerivedRow { slot, text_hash, bytes });
        }
    }

    /// Whether a call can be ranked by the model of a server, as far as pages are concerned.
    pub(super) fn can_rank_remotely(&mut self) -> bool {
        self.catch_up().is_ok() && self.memory.has_vectors()
    }

    /// Whether the model may be asked for a query's vector; then it is taken as asked.
    ///
    /// It is noted on disk only afterwards: a read must not wait for whoever writes.
    pub(super) fn may_ask_for_query(&mut self, model: &ModelOptions, now: Timestamp) -> bool {
        let Ok(known) = self.model_use() else { return false };
        let today = known.today.plus(self.embedding.n_asked, 0, now);
        if *self.store.mode() != Mode::Normal || !model.budget.allows(today, now) {
            return false;
        }
        self.embedding.n_asked += 1;
        true
    }

    /// Notes what a query's vector has used.
    pub(super) fn asked(&mut self, used: Used, now: Timestamp) -> Result<(), StoreError> {
        self.spend(used, 0, now)?;
        self.embedding.n_asked = self.embedding.n_asked.saturating_sub(1);
        Ok(())
    }

    /// Returns figures about the vectors.
    pub(super) fn embedding_figures(&self, model: &ModelOptions) -> Value {
        json!({
            "model": model.endpoint.model,
            "pages_waiting": self.memory.lacking_vectors().count(),
            "ready": self.memory.has_vectors(),
            "last_failure": self.embedding.last_failure,
        })
    }
}

/// Returns what is sent of a page; none where nothing is.
fn sent(texts: &Texts, max_chars: usize) -> Option<String> {
    let whole = format!("{}\n{}", texts.user_input, texts.agent_response);
    if whole.trim().is_empty() || secrets::find(&whole).is_some() {
        return None;
    }
    let cut = |text: &str| text.chars().take(max_chars).collect::<String>();
    Some(format!("{}\n{}", cut(&texts.user_input), cut(&texts.agent_response)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_cut_on_both_sides_and_one_with_a_secret_is_not_sent() {
        let texts = |user: &str, answer: &str| Texts {
            user_input: user.to_owned(),
            agent_response: answer.to_owned(),
        };
        let long = "\u{fc}".repeat(3_000);
        let text = sent(&texts(&long, &long), 2_000).unwrap();
        assert_eq!(text, format!("{0}\n{0}", "\u{fc}".repeat(2_000)));
        assert_eq!(sent(&texts("", "yes"), 9).as_deref(), Some("\nyes"));
        assert_eq!(sent(&texts(" ", ""), 9), None);
        let secret = "my key is sk-proj-4f9a8b7c6d5e4f3a2b1c0d9e8f7a6b5c";
        assert_eq!(sent(&texts("hello", secret), 3), None);
    }

    #[test]
    fn less_is_sent_after_too_much_until_it_can_be_no_less() {
        let refused = LlmError::TooLarge;
        let mut reading = Reading::default();
        let mut n = 0;
        while let Some(less) = reading.after(&refused) {
            assert!(less.pages < reading.pages || less.chars < reading.chars);
            (reading, n) = (less, n + 1);
        }
        assert_eq!((reading, n), (Reading { pages: 1, chars: 500 }, 5));
        assert_eq!(Reading::default().after(&LlmError::Timeout), None);
    }
}
