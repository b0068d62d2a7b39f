//! A page: one exchange between the user and the assistant, the unit that is remembered.
//!
//! Texts and heads are apart: the head of every page is in memory, its texts are read when needed.

use std::fmt;
use std::str::FromStr;

use serde_json::{Map, Value};
use uuid::Uuid;
use xxhash_rust::xxh3::Xxh3;

use crate::time::Timestamp;

/// The place of a page among all pages of a user, counted from 1 in the order of adding and never
/// used twice. Rows, index entries and segment members are keyed by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Slot(pub u32);

/// The name a page has outside: a UUID v7. It is an id and not an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PageId(pub Uuid);

impl PageId {
    /// Makes a fresh id.
    pub fn generate() -> Self {
        Self(Uuid::now_v7())
    }
}

impl fmt::Display for PageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for PageId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        Uuid::parse_str(text).map(Self)
    }
}

/// What was said, as it was said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Texts {
    /// The user's message; may be empty if the answer is not.
    pub user_input: String,
    /// The assistant's answer; may be empty if the message is not.
    pub agent_response: String,
}

impl Texts {
    /// Returns the number of bytes of both texts.
    pub fn len_bytes(&self) -> usize {
        self.user_input.len() + self.agent_response.len()
    }

    /// Returns the checksum of both texts: XXH3-64 of the user's text's length (8 bytes, little
    /// endian), the user's text and the answer.
    pub fn checksum(&self) -> u64 {
        let mut hash = Xxh3::new();
        hash.update(&(self.user_input.len() as u64).to_le_bytes());
        hash.update(self.user_input.as_bytes());
        hash.update(self.agent_response.as_bytes());
        hash.digest()
    }
}

/// A page on its way in: checked, not yet placed.
#[derive(Debug, Clone, PartialEq)]
pub struct NewPage {
    /// What was said.
    pub texts: Texts,
    /// When it was said.
    pub timestamp: Timestamp,
    /// Whether the caller gave the timestamp (otherwise it is the time of adding).
    pub timestamp_given: bool,
    /// What the caller attached; returned as it was.
    pub meta_data: Map<String, Value>,
    /// The conversation it belongs to; neighbours are pages of one session.
    pub session: String,
}

/// A stored page.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// Its place.
    pub slot: Slot,
    /// Its id.
    pub id: PageId,
    /// The sequence number of the change that added it.
    pub seq: u64,
    /// What was given when it was added.
    pub new: NewPage,
    /// The page of the same session it follows, at most 30 minutes earlier.
    pub continues: Option<PageId>,
    /// What the chain of pages up to this one is about.
    pub chain_summary: String,
}
