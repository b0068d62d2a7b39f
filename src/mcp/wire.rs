//! The replies of the tools, as they are sent.
//!
//! Field names are a promise to clients: fields may be added, none is renamed or dropped. The doc
//! comments become the output schemas.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::engine::{Found, SegmentBrief};
use crate::memory::fact::Fact;
use crate::memory::page::Page;

/// The only status there is: failures are results with `isError`.
pub(super) const SUCCESS: &str = "success";

/// Shown as the profile until there is one.
pub(super) const NO_PROFILE: &str = "None";

/// A stored memory.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct AddReply {
    /// Always "success".
    pub(super) status: &'static str,
    /// What happened, in a sentence.
    pub(super) message: String,
    /// When the memory was said.
    pub(super) timestamp: String,
    /// The memory's id.
    pub(super) memory_id: String,
    /// What became of it.
    pub(super) details: AddDetails,
}

/// What became of a memory that was added.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct AddDetails {
    /// Whether the same exchange was stored already; nothing was added then.
    pub(super) duplicate: bool,
    /// Memories now in short-term memory.
    pub(super) short_term_count: usize,
    /// Memories that moved from short-term to mid-term memory.
    pub(super) filed: usize,
    /// Topics now in mid-term memory.
    pub(super) segments: usize,
    /// Memories now stored in all.
    pub(super) total_pages: usize,
    /// Whether a timestamp was given.
    pub(super) has_timestamp: bool,
    /// Whether `meta_data` was given.
    pub(super) has_meta_data: bool,
    /// Something the user should know about what was stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) warning: Option<String>,
}

/// What memory holds.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(super) struct RetrieveReply {
    /// Always "success".
    pub(super) status: &'static str,
    /// The query, shortened if it is long; absent when one memory was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) query: Option<String>,
    /// When the reply was made.
    pub(super) timestamp: String,
    /// Who the user is; "None" until something is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) user_profile: Option<String>,
    /// The newest memories, oldest first.
    pub(super) short_term_memory: Vec<PageView>,
    /// Memories in short-term memory, also those that did not fit into the reply.
    pub(super) short_term_count: usize,
    /// The memories that fit the query, best first.
    pub(super) retrieved_pages: Vec<PageView>,
    /// What is known about the user that fits the query, best first.
    pub(super) retrieved_user_knowledge: Vec<KnowledgeView>,
    /// What the assistant has learned itself that fits the query, best first.
    pub(super) retrieved_assistant_knowledge: Vec<KnowledgeView>,
    /// Memories found, also those that did not fit into the reply.
    pub(super) total_pages_found: usize,
    /// Entries about the user found, also those that did not fit into the reply.
    pub(super) total_user_knowledge_found: usize,
    /// Entries of the assistant found, also those that did not fit into the reply.
    pub(super) total_assistant_knowledge_found: usize,
    /// Whether anything was left out or cut for lack of room.
    pub(super) truncated: bool,
    /// With `memory_id`: the length of both texts together, in characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) total_chars: Option<usize>,
    /// With `memory_id`: the `offset` of the next part; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next_offset: Option<usize>,
    /// What the user should be told about the state of the memory.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) notices: Vec<String>,
}

/// One memory: an exchange between the user and the assistant.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(super) struct PageView {
    /// The memory's id; `retrieve_memory` with it reads the memory whole.
    pub(super) memory_id: String,
    /// What the user said.
    pub(super) user_input: String,
    /// What the assistant answered.
    pub(super) agent_response: String,
    /// When it was said.
    pub(super) timestamp: String,
    /// What the conversation up to it was about.
    pub(super) meta_info: String,
    /// What was stored with it.
    pub(super) meta_data: Map<String, Value>,
    /// How well it fits the query; absent in short-term memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) score: Option<f64>,
    /// The topic it belongs to; absent in short-term memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) segment: Option<SegmentView>,
    /// True when a part of it is left out; read it whole with `memory_id`.
    #[serde(skip_serializing_if = "is_false")]
    pub(super) cut: bool,
}

/// A topic.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(super) struct SegmentView {
    /// The topic's number.
    pub(super) id: u32,
    /// What it is about.
    pub(super) keywords: Vec<String>,
}

/// A piece of knowledge.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(super) struct KnowledgeView {
    /// What was said, word for word.
    pub(super) knowledge: String,
    /// When it was said first.
    pub(super) timestamp: String,
    /// What it tells: `name`, `home`, `family`, `like`, `plan` and so on.
    pub(super) attribute: &'static str,
    /// What it says, without the words around it.
    pub(super) value: String,
    /// True where it is denied.
    #[serde(skip_serializing_if = "is_false")]
    pub(super) negated: bool,
    /// From when it holds or when it happened, where that was said in words of time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) valid_from: Option<String>,
    /// When it ends or ended, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) valid_to: Option<String>,
    /// The memories it comes from; `retrieve_memory` with one of them reads it whole.
    pub(super) memory_ids: Vec<String>,
}

/// What is known about the user.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ProfileReply {
    /// Always "success".
    pub(super) status: &'static str,
    /// When the reply was made.
    pub(super) timestamp: String,
    /// The user's id.
    pub(super) user_id: String,
    /// The assistant's name.
    pub(super) assistant_id: String,
    /// Who the user is; "None" until something is known.
    pub(super) user_profile: String,
    /// What is known about the user, newest first; absent if it was not asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) user_knowledge: Option<Vec<KnowledgeView>>,
    /// Entries about the user, also those that did not fit into the reply.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) user_knowledge_count: Option<usize>,
    /// What the assistant has learned itself, newest first; absent if it was not asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) assistant_knowledge: Option<Vec<KnowledgeView>>,
    /// Entries of the assistant, also those that did not fit into the reply.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) assistant_knowledge_count: Option<usize>,
    /// Whether anything was left out or cut for lack of room.
    pub(super) truncated: bool,
}

/// What was forgotten, or would be.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(super) struct ForgetReply {
    /// Always "success".
    pub(super) status: &'static str,
    /// What happened, in a sentence.
    pub(super) message: String,
    /// When the reply was made.
    pub(super) timestamp: String,
    /// Whether it was forgotten; false where this only shows what would go.
    pub(super) forgotten: bool,
    /// The memories.
    pub(super) memories: Vec<ForgottenView>,
    /// The memories, also those that did not fit into the reply.
    pub(super) memories_count: usize,
    /// What was known from these memories alone, word for word.
    pub(super) knowledge: Vec<String>,
    /// Entries of knowledge that go, also those that did not fit into the reply.
    pub(super) knowledge_count: usize,
    /// Files with copies of an earlier state, kept by a recovery, a migration or an edit, that are
    /// deleted with them.
    pub(super) set_aside_files: Vec<String>,
    /// Whether anything was left out or cut for lack of room.
    pub(super) truncated: bool,
}

/// A memory that goes.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(super) struct ForgottenView {
    /// The memory's id.
    pub(super) memory_id: String,
    /// When it was said.
    pub(super) timestamp: String,
    /// How what the user said begins.
    pub(super) user_input: String,
    /// How what the assistant answered begins.
    pub(super) agent_response: String,
}

/// A user that exists now.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct CreateReply {
    /// Always "success".
    pub(super) status: &'static str,
    /// What happened, in a sentence.
    pub(super) message: String,
    /// The user's id.
    pub(super) user_id: String,
    /// The assistant's name.
    pub(super) assistant_id: String,
    /// Where the user's memories are kept.
    pub(super) data_path: String,
    /// When the reply was made.
    pub(super) timestamp: String,
    /// False if the user existed already.
    pub(super) created: bool,
}

/// Who is served, and how the memory is.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct InfoReply {
    /// Always "success".
    pub(super) status: &'static str,
    /// The user's id.
    pub(super) user_id: String,
    /// The assistant's name.
    pub(super) assistant_id: String,
    /// Where the user's memories are kept.
    pub(super) data_path: String,
    /// Figures about the memory, by name.
    pub(super) memory_stats: Map<String, Value>,
    /// What the user should be told about the state of the memory, newest last.
    pub(super) notices: Vec<String>,
    /// Which language model is called, and what leaves this machine.
    pub(super) model: String,
    /// The version of this server.
    pub(super) version: &'static str,
    /// When the reply was made.
    pub(super) timestamp: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

impl From<Page> for PageView {
    fn from(page: Page) -> Self {
        let Page { id, new, chain_summary, .. } = page;
        Self {
            memory_id: id.to_string(),
            user_input: new.texts.user_input,
            agent_response: new.texts.agent_response,
            timestamp: new.timestamp.to_string(),
            meta_info: chain_summary,
            meta_data: new.meta_data,
            score: None,
            segment: None,
            cut: false,
        }
    }
}

impl From<Found> for PageView {
    fn from(found: Found) -> Self {
        Self {
            score: Some((found.score * 10_000.0).round() / 10_000.0),
            segment: found.segment.map(SegmentView::from),
            ..Self::from(found.page)
        }
    }
}

impl From<SegmentBrief> for SegmentView {
    fn from(segment: SegmentBrief) -> Self {
        Self { id: segment.id, keywords: segment.keywords }
    }
}

impl From<Fact> for KnowledgeView {
    fn from(fact: Fact) -> Self {
        let valid_from = fact.dated_from().map(|from| from.to_string());
        Self {
            knowledge: fact.clause,
            timestamp: fact.said_at.to_string(),
            attribute: fact.attribute.name(),
            value: fact.value,
            negated: fact.negated,
            valid_from,
            valid_to: fact.valid_to.map(|to| to.to_string()),
            memory_ids: fact.sources.iter().map(ToString::to_string).collect(),
        }
    }
}
