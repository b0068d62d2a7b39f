//! One open user: the thread that owns the store and the index, and the handle that asks it.

mod adding;
mod analyst;
mod api;
mod arriving;
mod background;
mod backlog;
mod consolidating;
mod embedder;
mod embedding;
mod failure;
#[cfg(test)]
pub(crate) mod fake;
mod forgetting;
mod info;
mod load;
mod options;
mod reader;
mod thread;
mod worker;

pub use api::{
    Added, Created, Engine, EngineError, Forget, Forgotten, Found, Info, Profile, Recall, Recalled,
    Reply, SegmentBrief,
};
pub use options::{Capacities, ModelOptions, OpenError, Options};
