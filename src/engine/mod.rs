//! One open user: the thread that owns the store and the index, and the handle that asks it.

mod api;
#[cfg(test)]
pub(crate) mod fake;
mod info;
mod load;
mod options;
mod thread;
mod worker;

pub use api::{
    Added, Created, Engine, EngineError, Found, Info, Profile, Recall, Recalled, Reply,
    SegmentBrief,
};
pub use options::{Capacities, OpenError, Options};
