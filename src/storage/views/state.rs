//! What the views show, read from the database: in short transactions, so that a writer's log is
//! never held up.

use std::collections::BTreeMap;

use rusqlite::Connection;
use serde_json::{Map, Value};

use super::Header;
use crate::memory;
use crate::memory::fact::{Fact, Owner};
use crate::memory::page::Slot;
use crate::memory::profile::Topic;
use crate::memory::segment::SegmentId;
use crate::storage::StoreError;
use crate::storage::fact_rows::{self, ProseRecord};
use crate::storage::rows;
use crate::storage::segment_rows::{self, SegmentRow};
use crate::storage::{log, schema};
use crate::time::Timestamp;

/// What the short-term view shows.
pub(super) struct Newest {
    pub(super) header: Header,
    pub(super) pages: Vec<Slot>,
    pub(super) filed: Vec<Slot>,
    pub(super) segments: Vec<SegmentId>,
}

fn header(conn: &Connection) -> Result<Header, StoreError> {
    let meta = |key| Ok::<_, StoreError>(schema::meta(conn, key)?.unwrap_or_default());
    Ok(Header {
        user_id: meta("owner")?,
        assistant_id: meta("assistant")?,
        epoch: meta("epoch")?,
        seq: log::last(conn)?,
    })
}

/// Reads, in one short transaction, what the profile's view shows.
pub(super) fn profile(conn: &Connection) -> Result<(Header, Map<String, Value>), StoreError> {
    in_snapshot(conn, |conn| {
        let facts = fact_rows::all(conn)?;
        let prose = fact_rows::prose(conn)?;
        let topics = segment_rows::topics(conn)?;
        let topics = topics.iter().map(|(pages, keywords)| Topic { pages: *pages, keywords });
        let now = Timestamp::now();
        let text = memory::profile::compose(facts.iter(), topics, prose.as_ref(), now);
        let shown = |owner, closed: bool| -> Vec<Value> {
            let of = |fact: &&Fact| fact.attribute.owner() == owner && fact.closed == closed;
            facts.iter().rev().filter(of).map(fact_rows::shown).collect()
        };
        let model = prose.as_ref().map(ProseRecord::of);
        let content = [
            ("user_profile", text.unwrap_or_else(|| "None".to_owned()).into()),
            ("model_profile", serde_json::to_value(model).unwrap_or_default()),
            ("user_knowledge", shown(Owner::User, false).into()),
            ("user_history", shown(Owner::User, true).into()),
            ("assistant_knowledge", shown(Owner::Assistant, false).into()),
            ("assistant_history", shown(Owner::Assistant, true).into()),
        ];
        Ok((
            header(conn)?,
            content.map(|(name, value)| (name.to_owned(), value)).into_iter().collect(),
        ))
    })
}

/// Reads what the short-term view shows beside a mid-term view of `mid_term_seq`. The caller reads
/// one moment's state, and in it the pages and segments that are named.
pub(super) fn newest(conn: &Connection, mid_term_seq: u64) -> Result<Newest, StoreError> {
    let (written, _, _) = log::since(conn, mid_term_seq)?;
    let moved = written.filed.iter().map(|(slot, _)| slot).chain(&written.relinked);
    let mut filed: Vec<Slot> = moved.copied().map(Slot).collect();
    let merged = written.merged.iter().map(|(from, _)| from);
    let mut segments: Vec<SegmentId> =
        written.segments.iter().chain(merged).copied().map(SegmentId).collect();
    filed.sort_unstable();
    filed.dedup();
    segments.sort_unstable();
    segments.dedup();
    let (header, pages) = (header(conn)?, rows::short_term(conn)?);
    Ok(Newest { header, pages, filed, segments })
}

/// Which segments the mid-term view shows.
pub(super) struct MidTermState {
    pub(super) header: Header,
    /// Segments that pages can join.
    pub(super) live: Vec<SegmentId>,
    /// Segments whose pages are in another one now.
    pub(super) merged: BTreeMap<SegmentId, SegmentId>,
    /// Which pages each holds, merges resolved.
    pub(super) members: BTreeMap<SegmentId, Vec<Slot>>,
}

/// Reads, in one short transaction, which segments there are and which pages each holds.
pub(super) fn mid_term(conn: &Connection) -> Result<MidTermState, StoreError> {
    in_snapshot(conn, |conn| {
        let (mut live, mut merged) = (Vec::new(), BTreeMap::new());
        segment_rows::each(conn, |row| {
            match row? {
                SegmentRow::Live(segment) => live.push(segment.id),
                SegmentRow::Merged(from, into) => drop(merged.insert(from, into)),
            }
            Ok(())
        })?;
        let mut members: BTreeMap<SegmentId, Vec<Slot>> = BTreeMap::new();
        rows::each_head(conn, |head| {
            let Some(mut id) = head.segment.map(SegmentId) else { return Ok(()) };
            // As many steps as there are merges: damaged rows may form a circle.
            for _ in 0..merged.len() {
                let Some(into) = merged.get(&id) else { break };
                id = *into;
            }
            members.entry(id).or_default().push(head.slot);
            Ok(())
        })?;
        Ok(MidTermState { header: header(conn)?, live, merged, members })
    })
}

/// Reads one moment's state.
pub(super) fn in_snapshot<T>(
    conn: &Connection,
    read: impl FnOnce(&Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let snapshot = conn.unchecked_transaction()?;
    let result = read(&snapshot);
    snapshot.rollback()?;
    result
}
