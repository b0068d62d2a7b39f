//! A long-term memory for AI assistants: the engine, and the program `memoryos` that serves it over
//! the Model Context Protocol.
//!
//! A *page* is one exchange: what the user said and what was answered. The newest pages are
//! short-term memory; what leaves it is filed into the topic *segments* of mid-term memory, in the
//! same transaction. A recall ranks all pages of the user, without any model call. One process
//! serves one user, whose memory is one folder that nobody else's process reads.
//!
//! # The modules, in reading order
//!
//! | module | what it is |
//! |---|---|
//! | [`user`], [`time`] | who a memory belongs to; points in time, and the only clock |
//! | [`embed`] | texts to vectors, with a model that is part of the program |
//! | [`retrieval`] | the ranking of a user's pages for a query |
//! | [`memory`] | the tiers: what an add does and what a recall finds, as plain computation |
//! | [`storage`] | the user's folder: the only code with SQL and data files |
//! | [`llm`] | the client of a language model: the only code that sends anything over a network |
//! | [`engine`] | one open user: a thread that owns the store and the memory |
//! | [`mcp`] | the protocol: calls to requests of the engine, answers to replies |
//! | [`selftest`] | the promises, tried out from outside: it starts servers and kills them |
//! | [`config`], [`cli`] | the settings, and the command line |
//! | `stdio` | the standard streams, read and written without waiting |
//! | `logging` | the log on stderr, one line an event |
//! | `panics` | a panic while a text is read costs what is read, never the text |
//! | [`doctor`] | the examination of all that a start would use |
//!
//! ARCHITECTURE.md says why it is built so, and what holds when the process dies at any moment.
//!
//! # The engine as a library
//!
//! ```
//! use memoryos::engine::{Capacities, Engine, Options, Recall};
//! use memoryos::memory::page::{NewPage, Texts};
//! use memoryos::time::Timestamp;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let folder = tempfile::tempdir()?;
//! let engine = Engine::open(Options {
//!     data_path: folder.path().to_owned(),
//!     user: "ada".parse()?,
//!     assistant: Some("notebook".parse()?),
//!     capacities: Capacities { short_term: 1, mid_term: 2000, knowledge: 100 },
//!     heat_threshold: 5.0,
//!     similarity_threshold: None,
//!     model: None,
//!     embedding: None,
//! })?;
//! for said in ["My sister Nora lives in Oslo.", "I am learning to bake bread."] {
//!     let texts = Texts { user_input: said.to_owned(), agent_response: "Noted.".to_owned() };
//!     let page = NewPage {
//!         texts,
//!         timestamp: Timestamp::now(),
//!         timestamp_given: false,
//!         meta_data: serde_json::Map::new(),
//!         session: "one conversation".to_owned(),
//!     };
//!     // The answer comes when the page is on stable storage.
//!     engine.add(page).wait()?;
//! }
//! let query = "Where does my sister live?".to_owned();
//! let recalled = engine.recall(Recall { query, max_results: 5, visit: true }).wait()?;
//! let found = recalled.found.first().ok_or("nothing was found")?;
//! assert_eq!(found.page.new.texts.user_input, "My sister Nora lives in Oslo.");
//! let newest = recalled.short_term.first().ok_or("nothing is in short-term memory")?;
//! assert_eq!(newest.new.texts.user_input, "I am learning to bake bread.");
//! engine.close().wait()?;
//! # Ok(())
//! # }
//! ```

pub mod cli;
pub mod config;
pub mod doctor;
pub mod embed;
pub mod engine;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod llm;
mod logging;
pub mod mcp;
pub mod memory;
mod panics;
pub mod retrieval;
pub mod selftest;
mod stdio;
pub mod storage;
pub mod time;
pub mod user;
