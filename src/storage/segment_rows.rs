//! Segments to rows and back. A merged segment leaves a row that only says where its pages went.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::StoreError;
use crate::embed::DIMENSIONS;
use crate::memory::page::Slot;
use crate::memory::segment::{Candidate, Segment, SegmentId, Side, TermCount};
use crate::memory::vector::SumVector;

/// What the row of a segment says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum SegmentRow {
    /// A segment that pages can join.
    Live(Box<Segment>),
    /// A segment whose pages are in another one now.
    Merged(SegmentId, SegmentId),
}

const COLUMNS: &str = "s.id, s.merged_into, s.summary, s.keywords, s.terms, s.candidates, s.pages, \
    s.unanalysed, s.visits, s.last_visit, s.created, m.pages, m.sum";
const SOURCE: &str = "segments s LEFT JOIN means m ON m.segment = s.id";

/// Writes the whole present state of a segment.
pub(crate) fn put(conn: &Connection, segment: &Segment) -> Result<(), StoreError> {
    let (terms, candidates) = encode(segment);
    conn.prepare_cached(
        "INSERT OR REPLACE INTO segments (id, merged_into, summary, keywords, terms, candidates, \
         pages, unanalysed, visits, last_visit, created) \
         VALUES (?1, NULL, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?
    .execute(params![
        segment.id.0,
        segment.summary,
        json(&segment.keywords),
        json(&terms),
        json(&candidates),
        segment.pages,
        segment.unanalysed,
        segment.visits,
        segment.last_visit,
        segment.created,
    ])?;
    let sum: Vec<u8> = segment.mean.sum.iter().flat_map(|x| x.to_le_bytes()).collect();
    conn.prepare_cached("INSERT OR REPLACE INTO means (segment, pages, sum) VALUES (?1, ?2, ?3)")?
        .execute(params![segment.id.0, segment.mean.pages, sum])?;
    Ok(())
}

/// Notes that the pages of `from` are in `into` now.
pub(crate) fn put_merged(
    conn: &Connection,
    from: SegmentId,
    into: SegmentId,
) -> Result<(), StoreError> {
    conn.prepare_cached(
        "INSERT OR REPLACE INTO segments (id, merged_into, summary, keywords, terms, candidates, \
         pages, unanalysed, visits, last_visit, created) \
         VALUES (?1, ?2, '', '[]', '[]', '[]', 0, 0, 0, 0, 0)",
    )?
    .execute([from.0, into.0])?;
    conn.prepare_cached("DELETE FROM means WHERE segment = ?1")?.execute([from.0])?;
    Ok(())
}

/// Removes a segment that has no pages any more.
pub(crate) fn remove(conn: &Connection, id: SegmentId) -> Result<(), StoreError> {
    conn.prepare_cached("DELETE FROM segments WHERE id = ?1")?.execute([id.0])?;
    conn.prepare_cached("DELETE FROM means WHERE segment = ?1")?.execute([id.0])?;
    Ok(())
}

/// Reads one segment; none when there is no such row.
pub(crate) fn get(conn: &Connection, id: SegmentId) -> Result<Option<SegmentRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM {SOURCE} WHERE s.id = ?1");
    let mut statement = conn.prepare_cached(&sql)?;
    let row = statement.query_row([id.0], |r| Ok(from_row(r))).optional()?;
    row.transpose()
}

/// Calls `each` with every segment row, readable or not, in the order of the ids.
pub(crate) fn each(
    conn: &Connection,
    mut each: impl FnMut(Result<SegmentRow, StoreError>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut statement = conn.prepare(&format!("SELECT {COLUMNS} FROM {SOURCE} ORDER BY s.id"))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        each(from_row(row))?;
    }
    Ok(())
}

/// Reads how many pages each segment has, and its keywords.
pub(crate) fn topics(conn: &Connection) -> Result<Vec<(u32, Vec<String>)>, StoreError> {
    let sql = "SELECT id, pages, keywords FROM segments WHERE merged_into IS NULL";
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query([])?;
    let mut topics = Vec::new();
    while let Some(row) = rows.next()? {
        let id = SegmentId(row.get(0)?);
        topics.push((row.get(1)?, parse(id, &row.get::<_, String>(2)?)?));
    }
    Ok(topics)
}

/// A term as stored: stem, word, pages.
pub(crate) type TermCell = (String, String, u32);
/// A candidate as stored: slot, 0 for the user's side and 1 for the assistant's, first byte, end.
pub(crate) type CandidateCell = (u32, u8, u32, u32);

/// Returns the terms and candidates of a segment in their stored form.
pub(crate) fn encode(segment: &Segment) -> (Vec<TermCell>, Vec<CandidateCell>) {
    let term = |t: &TermCount| (t.term.clone(), t.word.clone(), t.pages);
    let candidate = |c: &Candidate| (c.slot.0, u8::from(c.side == Side::Assistant), c.start, c.end);
    (segment.terms.iter().map(term).collect(), segment.candidates.iter().map(candidate).collect())
}

/// Turns stored terms and candidates back.
pub(crate) fn decode(
    terms: Vec<TermCell>,
    candidates: Vec<CandidateCell>,
) -> (Vec<TermCount>, Vec<Candidate>) {
    let term = |(term, word, pages)| TermCount { term, word, pages };
    let side = |n| if n == 0 { Side::User } else { Side::Assistant };
    let candidate =
        |(slot, n, start, end)| Candidate { slot: Slot(slot), side: side(n), start, end };
    (terms.into_iter().map(term).collect(), candidates.into_iter().map(candidate).collect())
}

fn from_row(row: &Row<'_>) -> Result<SegmentRow, StoreError> {
    let id = SegmentId(row.get(0)?);
    if let Some(into) = row.get::<_, Option<u32>>(1)? {
        return Ok(SegmentRow::Merged(id, SegmentId(into)));
    }
    let text = |at| row.get::<_, String>(at);
    let (terms, candidates) = decode(parse(id, &text(4)?)?, parse(id, &text(5)?)?);
    Ok(SegmentRow::Live(Box::new(Segment {
        id,
        summary: row.get(2)?,
        keywords: parse(id, &text(3)?)?,
        terms,
        candidates,
        mean: SumVector { sum: vector(id, &row.get::<_, Vec<u8>>(12)?)?, pages: row.get(11)? },
        pages: row.get(6)?,
        unanalysed: row.get(7)?,
        visits: row.get(8)?,
        last_visit: row.get(9)?,
        created: row.get(10)?,
    })))
}

fn vector(id: SegmentId, bytes: &[u8]) -> Result<[f32; DIMENSIONS], StoreError> {
    let (numbers, rest) = bytes.as_chunks::<4>();
    let numbers: Vec<f32> = numbers.iter().map(|b| f32::from_le_bytes(*b)).collect();
    let whole = rest.is_empty() && numbers.iter().all(|x| x.is_finite());
    let vector = numbers.try_into().ok().filter(|_| whole);
    vector.ok_or_else(|| damaged(id))
}

fn json<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

fn parse<T: serde::de::DeserializeOwned>(id: SegmentId, text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|_| damaged(id))
}

fn damaged(id: SegmentId) -> StoreError {
    let path = std::path::Path::new("memory.db");
    StoreError::damaged(path, format!("segment {} is not as it was written", id.0))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::schema;
    use super::*;

    /// A segment with something in every field.
    pub(crate) fn sample(id: u32) -> Segment {
        let mut sum = [0.0; DIMENSIONS];
        sum[3] = 0.25;
        Segment {
            id: SegmentId(id),
            summary: "They talk about cats.".to_owned(),
            keywords: vec!["cats".to_owned(), "\u{732b}".to_owned()],
            terms: vec![TermCount { term: "cat".to_owned(), word: "cats".to_owned(), pages: 2 }],
            candidates: vec![Candidate { slot: Slot(4), side: Side::Assistant, start: 3, end: 20 }],
            mean: SumVector { sum, pages: 2 },
            pages: 3,
            unanalysed: 2,
            visits: 1,
            last_visit: -5,
            created: 9,
        }
    }

    #[test]
    fn a_segment_comes_back_as_it_was_written() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("m.db");
        schema::create(&path, true, |_| Ok(())).unwrap();
        let conn = schema::connect(&path, schema::Access::ReadWrite).unwrap();
        put(&conn, &sample(1)).unwrap();
        put(&conn, &sample(2)).unwrap();
        put_merged(&conn, SegmentId(2), SegmentId(1)).unwrap();
        let live = SegmentRow::Live(Box::new(sample(1)));
        assert_eq!(get(&conn, SegmentId(1)).unwrap().as_ref(), Some(&live));
        assert_eq!(get(&conn, SegmentId(3)).unwrap(), None);
        let mut rows = Vec::new();
        each(&conn, |row| {
            rows.push(row?);
            Ok(())
        })
        .unwrap();
        assert_eq!(rows, [live, SegmentRow::Merged(SegmentId(2), SegmentId(1))]);
        conn.execute_batch("UPDATE means SET sum = x'00'").unwrap();
        assert!(get(&conn, SegmentId(1)).is_err());
    }
}
