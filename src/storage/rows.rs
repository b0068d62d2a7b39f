//! Pages to rows and back.
//!
//! A row that does not fit its checksum is an error here, never a page.

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use uuid::Uuid;

use super::StoreError;
use super::sums::checksum;
use crate::memory::change::Relinked;
use crate::memory::page::{NewPage, Page, PageId, Slot, Texts};
use crate::time::Timestamp;

/// What is in memory of every page.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct HeadRow {
    pub(crate) slot: Slot,
    pub(crate) id: PageId,
    pub(crate) timestamp: Timestamp,
    pub(crate) session: String,
    pub(crate) segment: Option<u32>,
    pub(crate) text_hash: u64,
}

pub(super) const PAGE_COLUMNS: &str = "p.slot, p.id, p.seq, p.micros, p.offset, p.given, p.session, \
    p.continues, p.segment, p.checksum, t.user_input, t.agent_response, t.meta_data, t.chain_summary";

/// A page with the segment it is filed in.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PageRow {
    pub(crate) page: Page,
    pub(crate) segment: Option<u32>,
}

/// Notes that a page goes on with another one than was thought. A missing page is no error.
pub(crate) fn relink(conn: &Connection, relinked: &Relinked) -> Result<(), StoreError> {
    let Some(mut row) = page(conn, relinked.slot)? else { return Ok(()) };
    row.page.continues = relinked.continues;
    row.page.chain_summary.clone_from(&relinked.chain_summary);
    conn.prepare_cached("UPDATE pages SET continues = ?2, checksum = ?3 WHERE slot = ?1")?
        .execute(params![
            relinked.slot.0,
            relinked.continues.map(|id| *id.0.as_bytes()),
            checksum(&row.page).cast_signed(),
        ])?;
    conn.prepare_cached("UPDATE texts SET chain_summary = ?2 WHERE slot = ?1")?
        .execute(params![relinked.slot.0, relinked.chain_summary])?;
    Ok(())
}

/// Removes a page; a missing one is no error.
pub(crate) fn remove_page(conn: &Connection, slot: Slot) -> Result<usize, StoreError> {
    conn.prepare_cached("DELETE FROM texts WHERE slot = ?1")?.execute([slot.0])?;
    Ok(conn.prepare_cached("DELETE FROM pages WHERE slot = ?1")?.execute([slot.0])?)
}

/// Whether there is a page in this place.
pub(crate) fn has_page(conn: &Connection, slot: Slot) -> rusqlite::Result<bool> {
    conn.prepare_cached("SELECT 1 FROM pages WHERE slot = ?1")?.exists([slot.0])
}

/// Whether the rules for facts have read a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    /// They have; its facts are stored with it.
    Done,
    /// They have not: somebody has to.
    Due,
}

/// Writes a page.
pub(crate) fn insert_page(
    conn: &Connection,
    row: &PageRow,
    reading: Reading,
) -> Result<(), StoreError> {
    let (page, new) = (&row.page, &row.page.new);
    conn.prepare_cached(
        "INSERT INTO pages (slot, id, seq, micros, offset, given, session, continues, segment, \
         text_hash, checksum, read) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    )?
    .execute(params![
        page.slot.0,
        page.id.0.as_bytes(),
        page.seq.cast_signed(),
        new.timestamp.micros(),
        new.timestamp.offset_seconds(),
        new.timestamp_given,
        new.session,
        page.continues.map(|id| *id.0.as_bytes()),
        row.segment,
        new.texts.checksum().cast_signed(),
        checksum(page).cast_signed(),
        reading == Reading::Done,
    ])?;
    conn.prepare_cached(
        "INSERT INTO texts (slot, user_input, agent_response, meta_data, chain_summary) \
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![
        page.slot.0,
        new.texts.user_input,
        new.texts.agent_response,
        meta_text(new),
        page.chain_summary,
    ])?;
    Ok(())
}

/// Reads one page; none when there is no such row.
pub(crate) fn page(conn: &Connection, slot: Slot) -> Result<Option<PageRow>, StoreError> {
    let sql = format!(
        "SELECT {PAGE_COLUMNS} FROM pages p LEFT JOIN texts t ON t.slot = p.slot WHERE p.slot = ?1"
    );
    let mut statement = conn.prepare_cached(&sql)?;
    let row = statement.query_row([slot.0], |r| Ok(page_from(r))).optional()?;
    row.transpose()
}

/// Reads the texts of one page, unchecked; none when there is no such row.
pub(crate) fn texts(conn: &Connection, slot: Slot) -> Result<Option<Texts>, StoreError> {
    let mut statement =
        conn.prepare_cached("SELECT user_input, agent_response FROM texts WHERE slot = ?1")?;
    let texts = |r: &Row<'_>| Ok(Texts { user_input: r.get(0)?, agent_response: r.get(1)? });
    Ok(statement.query_row([slot.0], texts).optional()?)
}

/// Reads the slots in short-term memory, oldest first.
pub(crate) fn short_term(conn: &Connection) -> Result<Vec<Slot>, StoreError> {
    let mut statement =
        conn.prepare_cached("SELECT slot FROM pages WHERE segment IS NULL ORDER BY slot")?;
    let slots = statement.query_map([], |r| r.get(0).map(Slot))?;
    Ok(slots.collect::<Result<_, _>>()?)
}

/// Calls `each` with every head, in the order of the slots.
pub(crate) fn each_head(
    conn: &Connection,
    mut each: impl FnMut(HeadRow) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let sql =
        "SELECT slot, id, micros, offset, session, segment, text_hash FROM pages ORDER BY slot";
    let mut statement = conn.prepare(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        each(head_from(row)?)?;
    }
    Ok(())
}

/// Calls `each` with every page row from `first` on, readable or not, in the order of the slots.
pub(crate) fn each_page(
    conn: &Connection,
    first: Slot,
    mut each: impl FnMut(Result<PageRow, StoreError>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let sql = format!(
        "SELECT {PAGE_COLUMNS} FROM pages p LEFT JOIN texts t ON t.slot = p.slot \
         WHERE p.slot >= ?1 ORDER BY p.slot"
    );
    let mut statement = conn.prepare(&sql)?;
    let mut rows = statement.query([first.0])?;
    while let Some(row) = rows.next()? {
        each(page_from(row))?;
    }
    Ok(())
}

/// Reads what the user was told about the state of the memory, oldest first.
pub(crate) fn notices(conn: &Connection) -> Result<Vec<String>, StoreError> {
    let mut statement = conn.prepare_cached("SELECT text FROM notices ORDER BY id")?;
    let texts = statement.query_map([], |r| r.get(0))?;
    Ok(texts.collect::<Result<_, _>>()?)
}

/// Tells the user something about the state of the memory.
pub(crate) fn add_notice(conn: &Connection, text: &str) -> Result<(), StoreError> {
    conn.prepare_cached("INSERT INTO notices (text) VALUES (?1)")?.execute([text])?;
    Ok(())
}

/// Returns the slot of the last page ever stored; 0 before the first. Slots are not used twice.
pub(crate) fn last_slot(conn: &Connection) -> Result<Slot, StoreError> {
    let sql = "SELECT COALESCE(MAX(seq), 0) FROM sqlite_sequence WHERE name = 'pages'";
    Ok(conn.prepare_cached(sql)?.query_row([], |r| r.get(0).map(Slot))?)
}

/// Makes the next page's slot come after `slot`, whatever pages there are.
pub(crate) fn continue_after(conn: &Connection, slot: u32) -> Result<(), StoreError> {
    let changed =
        conn.execute("UPDATE sqlite_sequence SET seq = MAX(seq, ?1) WHERE name = 'pages'", [slot])?;
    if changed == 0 {
        conn.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('pages', ?1)", [slot])?;
    }
    Ok(())
}

/// Reads pages that no rule for facts has read, the oldest first, at most `limit`.
pub(crate) fn unread(conn: &Connection, limit: usize) -> Result<Vec<Slot>, StoreError> {
    let mut statement =
        conn.prepare_cached("SELECT slot FROM pages WHERE read = 0 ORDER BY slot LIMIT ?1")?;
    let slots = statement.query_map([limit.cast_signed()], |r| r.get(0).map(Slot))?;
    Ok(slots.collect::<Result<_, _>>()?)
}

/// Notes that the rules for facts have read a page.
pub(crate) fn set_read(conn: &Connection, slot: Slot) -> Result<(), StoreError> {
    conn.prepare_cached("UPDATE pages SET read = 1 WHERE slot = ?1")?.execute([slot.0])?;
    Ok(())
}

pub(super) fn meta_text(new: &NewPage) -> String {
    if new.meta_data.is_empty() {
        return String::new();
    }
    serde_json::to_string(&new.meta_data).unwrap_or_default()
}

fn head_from(row: &Row<'_>) -> Result<HeadRow, StoreError> {
    Ok(HeadRow {
        slot: Slot(row.get(0)?),
        id: PageId(Uuid::from_bytes(row.get(1)?)),
        timestamp: timestamp(row.get(2)?, row.get(3)?)?,
        session: row.get(4)?,
        segment: row.get(5)?,
        text_hash: row.get::<_, i64>(6)?.cast_unsigned(),
    })
}

fn page_from(row: &Row<'_>) -> Result<PageRow, StoreError> {
    let slot = Slot(row.get(0)?);
    let meta: String = row.get(12)?;
    let unreadable = |_| damaged_page(slot);
    let page = Page {
        slot,
        id: PageId(Uuid::from_bytes(row.get(1)?)),
        seq: row.get::<_, i64>(2)?.cast_unsigned(),
        new: NewPage {
            texts: Texts { user_input: row.get(10)?, agent_response: row.get(11)? },
            timestamp: timestamp(row.get(3)?, row.get(4)?)?,
            timestamp_given: row.get(5)?,
            meta_data: if meta.is_empty() {
                serde_json::Map::new()
            } else {
                serde_json::from_str(&meta).map_err(unreadable)?
            },
            session: row.get(6)?,
        },
        continues: row.get::<_, Option<[u8; 16]>>(7)?.map(|b| PageId(Uuid::from_bytes(b))),
        chain_summary: row.get(13)?,
    };
    if checksum(&page) != row.get::<_, i64>(9)?.cast_unsigned() {
        return Err(damaged_page(slot));
    }
    Ok(PageRow { page, segment: row.get(8)? })
}

pub(super) fn damaged_page(slot: Slot) -> StoreError {
    StoreError::damaged(
        std::path::Path::new("memory.db"),
        format!("page {} is not as it was written", slot.0),
    )
}

pub(super) fn timestamp(micros: i64, offset: i32) -> Result<Timestamp, StoreError> {
    let error =
        || StoreError::damaged(std::path::Path::new("memory.db"), "a timestamp is out of range");
    Timestamp::from_parts(micros, offset).ok_or_else(error)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::schema;
    use super::*;

    /// A page whose texts hold what tends to break: NUL, quotes, other scripts, control characters.
    pub(crate) fn sample(slot: u32) -> PageRow {
        let mut meta_data = serde_json::Map::new();
        meta_data.insert("b".to_owned(), serde_json::json!({"x": [1, 2.5, null]}));
        meta_data.insert("a".to_owned(), serde_json::json!("\u{202e}\u{0}"));
        PageRow {
            page: Page {
                slot: Slot(slot),
                id: PageId::generate(),
                seq: u64::from(slot) + 7,
                new: NewPage {
                    texts: Texts {
                        user_input: format!("\u{0}user's \u{732b} \"{slot}\"\n"),
                        agent_response: "\u{1b}[31m answer".to_owned(),
                    },
                    timestamp: Timestamp::parse("2026-05-01T09:30:00.5+02:00").unwrap(),
                    timestamp_given: true,
                    meta_data,
                    session: "s".to_owned(),
                },
                continues: Some(PageId::generate()),
                chain_summary: "chain".to_owned(),
            },
            segment: (slot > 1).then_some(1),
        }
    }

    fn database() -> (tempfile::TempDir, Connection) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("m.db");
        schema::create(&path, true, |_| Ok(())).unwrap();
        let conn = schema::connect(&path, schema::Access::ReadWrite).unwrap();
        (dir, conn)
    }

    #[test]
    fn a_page_comes_back_as_it_was_written() {
        let (_dir, conn) = database();
        let rows = [sample(1), sample(2)];
        for row in &rows {
            insert_page(&conn, row, Reading::Due).unwrap();
        }
        assert_eq!(page(&conn, Slot(1)).unwrap().as_ref(), Some(&rows[0]));
        assert_eq!(page(&conn, Slot(3)).unwrap(), None);
        assert_eq!(texts(&conn, Slot(2)).unwrap().as_ref(), Some(&rows[1].page.new.texts));
        assert_eq!(short_term(&conn).unwrap(), [Slot(1)]);
        let mut seen = Vec::new();
        each_page(&conn, Slot(2), |row| {
            seen.push(row?);
            Ok(())
        })
        .unwrap();
        assert_eq!(seen, rows[1..]);
        let mut heads = Vec::new();
        each_head(&conn, |head| {
            heads.push(head);
            Ok(())
        })
        .unwrap();
        assert_eq!((heads[1].slot, heads[1].segment), (Slot(2), Some(1)));
    }

    #[test]
    fn a_row_that_was_changed_is_no_page() {
        let changes = [
            "UPDATE texts SET user_input = user_input || ' '",
            "UPDATE texts SET agent_response = 'x'",
            "UPDATE texts SET meta_data = '{'",
            "UPDATE texts SET chain_summary = ''",
            "UPDATE pages SET micros = micros + 1",
            "UPDATE pages SET session = 't'",
            "UPDATE pages SET continues = NULL",
            "UPDATE pages SET given = 0",
            "DELETE FROM texts",
        ];
        for change in changes {
            let (_dir, conn) = database();
            insert_page(&conn, &sample(1), Reading::Done).unwrap();
            conn.execute_batch(change).unwrap();
            assert!(page(&conn, Slot(1)).is_err(), "{change}");
        }
    }
}
