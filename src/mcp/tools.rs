//! The tools: their names and descriptions, and what each does.
//!
//! A call is checked, asked of the engine and turned into a reply. The engine is asked before the
//! first await: calls take effect in the order in which they arrive.

use std::borrow::Cow;

use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use schemars::JsonSchema;
use serde::Serialize;

use super::args::{
    AddMemory, CreateUser, DEFAULT_MAX_CHARS, GetUserInfo, GetUserProfile, Retrieve, RetrieveMemory,
};
use super::envelope::UNWRITABLE;
use super::fit_profile::{self, Wanted};
use super::forget_args::{ForgetMemory, Forgetting};
use super::wire::{
    AddDetails, AddReply, CreateReply, ForgetReply, InfoReply, ProfileReply, RetrieveReply, SUCCESS,
};
use super::{Served, fit, fit_forgotten, schema};
use crate::engine::{Info, Recall};
use crate::memory::page::Texts;
use crate::memory::secrets;
use crate::time::Timestamp;

/// One of the tools.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ToolName {
    AddMemory,
    RetrieveMemory,
    GetUserProfile,
    CreateUser,
    GetUserInfo,
    ForgetMemory,
}

impl ToolName {
    /// Every tool, in the order they are listed.
    pub(super) const ALL: [Self; 6] = [
        Self::AddMemory,
        Self::RetrieveMemory,
        Self::GetUserProfile,
        Self::CreateUser,
        Self::GetUserInfo,
        Self::ForgetMemory,
    ];

    /// Returns the tool with a name, as clients write it.
    pub(super) fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tool| tool.name() == name)
    }

    fn name(self) -> &'static str {
        match self {
            Self::AddMemory => "add_memory",
            Self::RetrieveMemory => "retrieve_memory",
            Self::GetUserProfile => "get_user_profile",
            Self::CreateUser => "create_user",
            Self::GetUserInfo => "get_user_info",
            Self::ForgetMemory => "forget_memory",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::AddMemory => "Remember an exchange",
            Self::RetrieveMemory => "Recall memories",
            Self::GetUserProfile => "Show the user's profile",
            Self::CreateUser => "Create a user",
            Self::GetUserInfo => "Show the state of the memory",
            Self::ForgetMemory => "Forget memories",
        }
    }

    fn description(self) -> &'static str {
        match self {
            Self::AddMemory => {
                "Stores one exchange (what the user said and what was answered) in the user's \
                 long-term memory. Use when the user says \"remember that ...\", \"from now on \
                 ...\", \"actually, it is ...\", \"my ... is ...\", \"we decided ...\", or states a \
                 lasting fact, preference, decision or correction. Returns the memory's id once it \
                 is safely on disk; the same exchange sent twice is stored once."
            }
            Self::RetrieveMemory => {
                "Searches the user's long-term memory. Use when the user says \"do you remember \
                 ...\", \"what did I say about ...\", \"like last time\", \"my sister\", \"our \
                 project\", and before answering anything that may depend on earlier \
                 conversations. Returns the newest memories, the memories that fit the query (best \
                 first), what is known about the user, and the user's profile; with `memory_id` \
                 instead of `query`, that one memory whole."
            }
            Self::GetUserProfile => {
                "Shows who the user is, as far as is known. Use when the user says \"what do you \
                 know about me?\", \"who am I?\", \"what are my preferences?\", or when an answer \
                 should suit the person. Returns the profile and the list of known facts with \
                 their dates."
            }
            Self::CreateUser => {
                "Creates a separate, empty memory for another user. Use when the user says \
                 \"create a user for ...\" or \"set up a memory for ...\". Returns the user's id \
                 and folder; this server goes on serving its own user, and a user who exists \
                 already is left as is (`created` is false)."
            }
            Self::GetUserInfo => {
                "Shows whose memory this is and how it is doing. Use when the user says \"which \
                 user is this?\", \"where are my memories stored?\", \"how many memories are \
                 there?\" or \"does anything leave my machine?\". Returns ids, the folder, \
                 figures, notices about problems, and which model is called."
            }
            Self::ForgetMemory => {
                "Forgets memories for good, with all that is known from them alone. Use when the \
                 user says \"forget ...\", \"delete what I said about ...\" or \"you should not \
                 have remembered that\". First call it with `query` and show the user what it \
                 returns; only after the user has agreed, call it with the `memory_ids` and \
                 `confirm: true`. Returns what would go or went; nothing can be brought back."
            }
        }
    }

    fn annotations(self) -> ToolAnnotations {
        let read_only = match self {
            Self::AddMemory | Self::CreateUser | Self::ForgetMemory => false,
            Self::RetrieveMemory | Self::GetUserProfile | Self::GetUserInfo => true,
        };
        // Another add or create with the same arguments changes nothing, except that an exchange
        // repeated later is a memory of its own, and a user without an id is a new one each time.
        ToolAnnotations::with_title(self.title())
            .read_only(read_only)
            .destructive(self == Self::ForgetMemory)
            .idempotent(read_only)
            .open_world(false)
    }

    /// Returns the tool as it is listed.
    pub(super) fn describe(self) -> Tool {
        fn schemas<A: JsonSchema, R: JsonSchema>()
        -> (std::sync::Arc<JsonObject>, std::sync::Arc<JsonObject>) {
            (schema::of_arguments::<A>(), schema::of_reply::<R>())
        }
        let (input, output) = match self {
            Self::AddMemory => schemas::<AddMemory, AddReply>(),
            Self::RetrieveMemory => schemas::<RetrieveMemory, RetrieveReply>(),
            Self::GetUserProfile => schemas::<GetUserProfile, ProfileReply>(),
            Self::CreateUser => schemas::<CreateUser, CreateReply>(),
            Self::GetUserInfo => schemas::<GetUserInfo, InfoReply>(),
            Self::ForgetMemory => schemas::<ForgetMemory, ForgetReply>(),
        };
        let mut tool = Tool::new(self.name(), Cow::Borrowed(self.description()), input);
        tool.title = Some(self.title().to_owned());
        tool.output_schema = Some(output);
        tool.annotations = Some(self.annotations());
        tool
    }

    /// Carries out a call; returns the reply as JSON.
    ///
    /// # Errors
    ///
    /// A sentence for the model when the arguments are wrong or the engine fails.
    pub(super) async fn call(self, served: &Served, args: JsonObject) -> Result<String, String> {
        match self {
            Self::AddMemory => add_memory(served, &args).await.and_then(to_json),
            Self::RetrieveMemory => retrieve_memory(served, &args).await.and_then(to_json),
            Self::GetUserProfile => get_user_profile(served, &args).await.and_then(to_json),
            Self::CreateUser => create_user(served, &args).await.and_then(to_json),
            Self::GetUserInfo => get_user_info(served).await.and_then(to_json),
            Self::ForgetMemory => forget_memory(served, &args).await.and_then(to_json),
        }
    }
}

fn to_json<T: Serialize>(reply: T) -> Result<String, String> {
    serde_json::to_string(&reply).map_err(|error| {
        tracing::error!(%error, "a reply cannot be written as JSON");
        UNWRITABLE.to_owned()
    })
}

async fn add_memory(served: &Served, args: &JsonObject) -> Result<AddReply, String> {
    let page = AddMemory::parse(args)?.check(Timestamp::now(), &served.run)?;
    let Texts { user_input, agent_response } = page.texts.clone();
    let (has_timestamp, has_meta_data) = (page.timestamp_given, !page.meta_data.is_empty());
    let adding = served.engine.add(page);
    // While it is stored.
    let secret = [user_input, agent_response].iter().find_map(|text| secrets::find(text));
    let added = adding.await.map_err(|e| e.to_string())?;
    let warning = secret.map(|secret| {
        format!(
            "this memory looks like it holds {}; it was stored as asked, but secrets are safer \
             elsewhere",
            secret.name()
        )
    });
    let done = if added.duplicate {
        "this exchange was stored already, nothing was added"
    } else {
        "memory stored"
    };
    Ok(AddReply {
        status: SUCCESS,
        message: warning.as_ref().map_or(done.to_owned(), |w| format!("{done}; {w}")),
        timestamp: added.timestamp.to_string(),
        memory_id: added.id.to_string(),
        details: AddDetails {
            duplicate: added.duplicate,
            short_term_count: added.short_term_pages,
            filed: added.filed,
            segments: added.segments,
            total_pages: added.total_pages,
            has_timestamp,
            has_meta_data,
            warning,
        },
    })
}

async fn retrieve_memory(served: &Served, args: &JsonObject) -> Result<RetrieveReply, String> {
    let now = Timestamp::now().to_string();
    match RetrieveMemory::parse(args)?.check()? {
        Retrieve::Query { query, max_results, max_chars } => {
            let max_results = max_results.unwrap_or(served.retrieval_capacity);
            let recall = Recall { query: query.clone(), max_results, visit: true };
            let recalled = served.engine.recall(recall).await.map_err(|e| e.to_string())?;
            Ok(fit::recall(&query, recalled, now, max_chars))
        }
        Retrieve::Page { id, offset, max_chars } => {
            let found = served.engine.page(id).await.map_err(|e| e.to_string())?;
            let found = found.ok_or_else(|| {
                format!("memory_id {id} is not known, expected one from an earlier reply")
            })?;
            fit::page(found, offset, now, max_chars)
        }
    }
}

async fn get_user_profile(served: &Served, args: &JsonObject) -> Result<ProfileReply, String> {
    let args = GetUserProfile::parse(args)?;
    let profile = served.engine.profile().await.map_err(|e| e.to_string())?;
    let wanted = Wanted {
        user: args.include_knowledge.unwrap_or(true),
        assistant: args.include_assistant_knowledge.unwrap_or(false),
    };
    let reply = ProfileReply {
        status: SUCCESS,
        timestamp: Timestamp::now().to_string(),
        user_id: served.user.to_string(),
        assistant_id: profile.assistant.clone(),
        user_profile: String::new(),
        user_knowledge: None,
        user_knowledge_count: None,
        assistant_knowledge: None,
        assistant_knowledge_count: None,
        truncated: false,
    };
    let max_chars = args.max_chars.unwrap_or(DEFAULT_MAX_CHARS);
    Ok(fit_profile::profile(reply, profile, wanted, max_chars))
}

async fn create_user(served: &Served, args: &JsonObject) -> Result<CreateReply, String> {
    let (user, assistant) = CreateUser::parse(args)?.check()?;
    let shown = served.data_dir.shown(&user);
    let created = served.engine.create_user(user, assistant).await.map_err(|e| e.to_string())?;
    let message = if created.created {
        "User created successfully"
    } else {
        "User exists already; nothing was changed"
    };
    Ok(CreateReply {
        status: SUCCESS,
        message: message.to_owned(),
        user_id: created.user.to_string(),
        assistant_id: created.assistant.to_string(),
        data_path: shown.display().to_string(),
        timestamp: Timestamp::now().to_string(),
        created: created.created,
    })
}

async fn forget_memory(served: &Served, args: &JsonObject) -> Result<ForgetReply, String> {
    let forgetting = ForgetMemory::parse(args)?.check()?;
    let (done, asked) = match forgetting {
        Forgetting::Preview(what) => (false, served.engine.preview_forget(what)),
        Forgetting::Confirmed(ids) => (true, served.engine.forget(ids)),
    };
    let what = asked.await.map_err(|e| e.to_string())?;
    let message = match (done, what.pages.len()) {
        (true, n) => format!("{n} memories are forgotten and erased from disk"),
        (false, 0) => "no memory fits".to_owned(),
        (false, n) => format!(
            "nothing is forgotten yet; these {n} memories would go: ask the user, then call \
             forget_memory with memory_ids and confirm: true"
        ),
    };
    Ok(fit_forgotten::forgotten(done, message, what, Timestamp::now().to_string()))
}

async fn get_user_info(served: &Served) -> Result<InfoReply, String> {
    let info = served.engine.info().await.map_err(|e| e.to_string())?;
    Ok(user_info(served, info))
}

/// Makes the reply of `get_user_info`.
pub(super) fn user_info(served: &Served, info: Info) -> InfoReply {
    InfoReply {
        status: SUCCESS,
        user_id: served.user.to_string(),
        assistant_id: info.assistant,
        data_path: served.data_dir.shown(&served.user).display().to_string(),
        memory_stats: info.stats,
        notices: info.notices,
        model: served.model.clone(),
        version: env!("CARGO_PKG_VERSION"),
        timestamp: Timestamp::now().to_string(),
    }
}
