//! The checksum of a page row: of everything in it that never changes.

use rusqlite::{Connection, Row};
use uuid::Uuid;
use xxhash_rust::xxh3::Xxh3;

use super::StoreError;
use super::rows::{PAGE_COLUMNS, damaged_page, meta_text, timestamp};
use crate::memory::page::{Page, Slot};
use crate::time::Timestamp;

/// Reads every page row from the first on against its checksum; calls `each` with the segment it is
/// filed in. Costs no memory.
pub(crate) fn check_each(
    conn: &Connection,
    mut each: impl FnMut(Option<u32>),
) -> Result<(), StoreError> {
    let sql = format!(
        "SELECT {PAGE_COLUMNS} FROM pages p LEFT JOIN texts t ON t.slot = p.slot ORDER BY p.slot"
    );
    let mut statement = conn.prepare(&sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let slot = Slot(row.get(0)?);
        if !is_as_written(row, slot).unwrap_or(false) {
            return Err(damaged_page(slot));
        }
        each(row.get(8)?);
    }
    Ok(())
}

fn is_as_written(row: &Row<'_>, slot: Slot) -> Result<bool, StoreError> {
    let text = |at| row.get_ref(at).map(|value| value.as_str().ok());
    let (Some(session), Some(user_input), Some(agent_response), Some(meta), Some(chain)) =
        (text(6)?, text(10)?, text(11)?, text(12)?, text(13)?)
    else {
        return Ok(false);
    };
    let parts = Parts {
        slot,
        id: Uuid::from_bytes(row.get(1)?),
        seq: row.get::<_, i64>(2)?.cast_unsigned(),
        timestamp: timestamp(row.get(3)?, row.get(4)?)?,
        is_given: row.get(5)?,
        continues: row.get::<_, Option<[u8; 16]>>(7)?.map(Uuid::from_bytes),
        texts: [session, user_input, agent_response, meta, chain],
    };
    Ok(parts.checksum() == row.get::<_, i64>(9)?.cast_unsigned())
}

/// Returns the checksum of everything in a page that never changes.
pub(crate) fn checksum(page: &Page) -> u64 {
    let new = &page.new;
    let parts = Parts {
        slot: page.slot,
        id: page.id.0,
        seq: page.seq,
        timestamp: new.timestamp,
        is_given: new.timestamp_given,
        continues: page.continues.map(|id| id.0),
        texts: [
            &new.session,
            &new.texts.user_input,
            &new.texts.agent_response,
            &meta_text(new),
            &page.chain_summary,
        ],
    };
    parts.checksum()
}

/// What the checksum of a page is of.
struct Parts<'a> {
    slot: Slot,
    id: Uuid,
    seq: u64,
    timestamp: Timestamp,
    is_given: bool,
    continues: Option<Uuid>,
    /// Session, user's text, answer, meta data, chain summary.
    texts: [&'a str; 5],
}

impl Parts<'_> {
    /// XXH3-64 of the fields in the order of the columns, texts with their lengths before them.
    fn checksum(&self) -> u64 {
        let mut hash = Xxh3::new();
        hash.update(&self.slot.0.to_le_bytes());
        hash.update(self.id.as_bytes());
        hash.update(&self.seq.to_le_bytes());
        hash.update(&self.timestamp.micros().to_le_bytes());
        hash.update(&self.timestamp.offset_seconds().to_le_bytes());
        hash.update(&[u8::from(self.is_given)]);
        hash.update(self.continues.unwrap_or(Uuid::nil()).as_bytes());
        for text in self.texts {
            hash.update(&(text.len() as u64).to_le_bytes());
            hash.update(text.as_bytes());
        }
        hash.digest()
    }
}
