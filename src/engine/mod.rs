//! One open user: the thread that owns the store and the index, and the handle that asks it.

mod api;

pub use api::{
    Added, Created, Engine, EngineError, Found, Info, Knowledge, Profile, Recall, Recalled, Reply,
    SegmentBrief,
};
