//! Pages and segments as they stand in the views, and finding them again in a file that may be
//! damaged.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use xxhash_rust::xxh3::xxh3_64;

use crate::memory::page::{NewPage, Page, Slot, Texts};
use crate::memory::segment::{Segment, SegmentId};
use crate::memory::vector::SumVector;
use crate::storage::rows::PageRow;
use crate::storage::segment_rows::{self, CandidateCell, TermCell};
use crate::storage::sums;
use crate::time::Timestamp;

/// A page in a view; together the fields are the whole page.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct PageRecord {
    id: String,
    slot: u32,
    seq: u64,
    user_input: String,
    agent_response: String,
    timestamp: String,
    timestamp_given: bool,
    meta_data: Map<String, Value>,
    session: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    continues: Option<String>,
    chain_summary: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    segment: Option<u32>,
    checksum: String,
}

impl PageRecord {
    /// Makes the record of a page.
    pub(crate) fn of(row: &PageRow) -> Self {
        let (page, new) = (&row.page, &row.page.new);
        Self {
            id: page.id.to_string(),
            slot: page.slot.0,
            seq: page.seq,
            user_input: new.texts.user_input.clone(),
            agent_response: new.texts.agent_response.clone(),
            timestamp: new.timestamp.to_string(),
            timestamp_given: new.timestamp_given,
            meta_data: new.meta_data.clone(),
            session: new.session.clone(),
            continues: page.continues.map(|id| id.to_string()),
            chain_summary: page.chain_summary.clone(),
            segment: row.segment,
            checksum: format!("{:016x}", sums::checksum(page)),
        }
    }

    /// Turns the record back into a page; none if it is not as we wrote it.
    pub(crate) fn into_row(mut self) -> Option<PageRow> {
        let told = std::mem::take(&mut self.checksum);
        let row = self.unchecked()?;
        (format!("{:016x}", sums::checksum(&row.page)) == told).then_some(row)
    }

    /// Turns the record back whatever its checksum says.
    pub(in crate::storage) fn unchecked(self) -> Option<PageRow> {
        let continues = match self.continues {
            Some(id) => Some(id.parse().ok()?),
            None => None,
        };
        let page = Page {
            slot: Slot(self.slot),
            id: self.id.parse().ok()?,
            seq: self.seq,
            new: NewPage {
                texts: Texts { user_input: self.user_input, agent_response: self.agent_response },
                timestamp: Timestamp::parse(&self.timestamp).ok()?,
                timestamp_given: self.timestamp_given,
                meta_data: self.meta_data,
                session: self.session,
            },
            continues,
            chain_summary: self.chain_summary,
        };
        Some(PageRow { page, segment: self.segment })
    }

    /// Returns the checksum that the record should have.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn sum(self) -> Option<String> {
        Some(format!("{:016x}", sums::checksum(&self.unchecked()?.page)))
    }
}

/// A segment in a view. Its pages stand beside it; its mean vector is derived from them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SegmentRecord {
    segment_id: u32,
    summary: String,
    keywords: Vec<String>,
    page_count: u32,
    unanalysed: u32,
    visits: u32,
    last_visit: i64,
    created: i64,
    /// Terms and candidate sentences as JSON in a string: for the program, not for the reader.
    state: String,
    /// The checksum of all before it; earlier versions wrote none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    checksum: String,
}

impl SegmentRecord {
    /// Makes the record of a segment.
    pub(crate) fn of(segment: &Segment) -> Self {
        let record = Self {
            segment_id: segment.id.0,
            summary: segment.summary.clone(),
            keywords: segment.keywords.clone(),
            page_count: segment.pages,
            unanalysed: segment.unanalysed,
            visits: segment.visits,
            last_visit: segment.last_visit,
            created: segment.created,
            state: serde_json::to_string(&segment_rows::encode(segment)).unwrap_or_default(),
            checksum: String::new(),
        };
        Self { checksum: record.sum(), ..record }
    }

    /// Whether it fits its checksum.
    pub(crate) fn is_sound(&self) -> bool {
        self.checksum == self.sum()
    }

    /// Returns the checksum of all fields but the checksum.
    pub(in crate::storage) fn sum(&self) -> String {
        let bare = Self { checksum: String::new(), ..self.clone() };
        let text = serde_json::to_string(&bare).unwrap_or_default();
        format!("{:016x}", xxh3_64(text.as_bytes()))
    }

    /// Turns the record back into a segment without its mean vector; none if its state is
    /// unreadable.
    pub(crate) fn into_segment(self) -> Option<Segment> {
        let (terms, candidates): (Vec<TermCell>, Vec<CandidateCell>) =
            serde_json::from_str(&self.state).ok()?;
        let (terms, candidates) = segment_rows::decode(terms, candidates);
        Some(Segment {
            id: SegmentId(self.segment_id),
            summary: self.summary,
            keywords: self.keywords,
            terms,
            candidates,
            mean: SumVector::default(),
            pages: self.page_count,
            unanalysed: self.unanalysed,
            visits: self.visits,
            last_visit: self.last_visit,
            created: self.created,
        })
    }
}

/// Parses a view; of a broken one, every object that is whole and an entry of the view.
///
/// What is attached to a page may look like an entry, so that in a broken file laid out as we write
/// it, entries are told by their place: alone on a line, indented by four or eight. Whoever attaches
/// something cannot write there, since strings hold no line breaks.
pub(crate) fn entries(bytes: &[u8]) -> Vec<Value> {
    let is_field = |line: &[u8]| line.starts_with(b"  \"");
    if bytes.split(|&b| b == b'\n').any(is_field) {
        // One byte of the indentation may be damaged; what is attached stands further in.
        let is_entry = |before: &[u8]| (4..10).contains(&before.len()) && !before.contains(&b'"');
        objects(bytes, is_entry)
    } else {
        values(bytes)
    }
}

/// Parses a JSON file; of a broken one, every object that is whole.
pub(crate) fn values(bytes: &[u8]) -> Vec<Value> {
    objects(bytes, |_| true)
}

/// Parses a JSON file; of a broken one, every whole object that is wanted for what stands before it
/// on its line.
fn objects(bytes: &[u8], is_wanted: impl Fn(&[u8]) -> bool) -> Vec<Value> {
    if let Ok(value) = serde_json::from_slice(bytes) {
        return vec![value];
    }
    let mut values = Vec::new();
    let mut at = 0;
    while let Some(rest) = bytes.get(at..) {
        let Some(open) = rest.iter().position(|&b| b == b'{') else { break };
        let before = bytes.get(..at + open).unwrap_or_default();
        if !is_wanted(before.rsplit(|&b| b == b'\n').next().unwrap_or_default()) {
            at += open + 1;
            continue;
        }
        let rest = rest.get(open..).unwrap_or_default();
        let mut stream = serde_json::Deserializer::from_slice(rest).into_iter::<Value>();
        match stream.next() {
            Some(Ok(value)) => {
                values.push(value);
                at += open + stream.byte_offset();
            }
            _ => at += open + 1,
        }
    }
    values
}

/// Calls `take` with a value's objects that may be entries of a view, outer ones first; where it
/// returns true, the inside is not looked at.
///
/// Entries stand in lists. A page that is not known as one, since damage hit the name of a field,
/// has no list but in what is attached to it, which is not looked at either.
pub(crate) fn each_entry(value: &Value, take: &mut impl FnMut(&Map<String, Value>) -> bool) {
    match value {
        Value::Object(object) if take(object) => {}
        Value::Object(object) => {
            object.values().filter(|v| v.is_array()).for_each(|list| each_entry(list, take));
        }
        Value::Array(items) => items.iter().for_each(|inner| each_entry(inner, take)),
        _ => {}
    }
}

/// Calls `take` with every object at any depth, outer ones first; where it returns true, the inside
/// is not looked at.
pub(crate) fn each_object(value: &Value, take: &mut impl FnMut(&Map<String, Value>) -> bool) {
    match value {
        Value::Object(object) if take(object) => {}
        Value::Object(object) => object.values().for_each(|inner| each_object(inner, take)),
        Value::Array(items) => items.iter().for_each(|inner| each_object(inner, take)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_comes_back_from_its_record_and_a_changed_record_is_no_page() {
        let row = crate::storage::rows::tests::sample(2);
        let record = PageRecord::of(&row);
        let text = serde_json::to_string_pretty(&record).unwrap();
        let again: PageRecord = serde_json::from_str(&text).unwrap();
        assert_eq!(again.into_row(), Some(row));
        let changed = PageRecord { user_input: "x".to_owned(), ..record };
        assert_eq!(changed.into_row(), None);
    }

    #[test]
    fn a_segment_comes_back_from_its_record_without_its_mean() {
        let segment = segment_rows::tests::sample(4);
        let record = SegmentRecord::of(&segment);
        let expected = Segment { mean: SumVector::default(), ..segment };
        assert!(record.is_sound());
        assert!(!SegmentRecord { summary: "x".to_owned(), ..record.clone() }.is_sound());
        assert_eq!(record.into_segment(), Some(expected));
    }

    #[test]
    fn whole_objects_are_found_in_a_torn_file() {
        let text = r#"{"pages": [{"id": 1, "x": {"y": "}{"}}, {"id": 2}, {"id": 3, "te"#;
        let found = values(text.as_bytes());
        let ids: Vec<_> = found.iter().map(|v| v["id"].clone()).collect();
        assert_eq!(ids, [1, 2]);
        assert_eq!(values(b"not json"), Vec::<Value>::new());
    }

    #[test]
    fn what_is_attached_to_a_broken_page_is_no_entry() {
        let attached = serde_json::json!({"a": {"entry": 1}, "b": [{"entry": 2}]});
        let page = |n: u32| serde_json::json!({"entry": n, "text": "x", "meta_data": attached});
        let view =
            serde_json::json!({"pages": [page(3), page(4)], "topics": [{"pages": [page(5)]}]});
        let text = serde_json::to_string_pretty(&view).unwrap();
        let whole = |text: &str| {
            let mut found = Vec::new();
            for value in entries(text.as_bytes()) {
                each_entry(&value, &mut |object| {
                    found.extend(object.get("entry").and_then(Value::as_u64));
                    object.contains_key("entry")
                });
            }
            found
        };
        assert_eq!(whole(&text), [3, 4, 5]);
        assert_eq!(whole(&text.replacen("\"x\"", "\"x", 1)), [4, 5]);
        let deep = text.replace("\"entry\": 5,", "\"entry\": 5");
        assert_eq!(whole(&deep), [3, 4]);
        assert_eq!(whole(&text.replacen("\"entry\": 3", "\"entri\": 3", 1)), [4, 5]);
        // Damage of the place itself takes no entry with it.
        assert_eq!(whole(&text.replacen("\n    {", "\n  ! {", 2)), [3, 4, 5]);
    }

    #[test]
    fn objects_are_visited_at_every_depth_until_one_is_taken() {
        let value = serde_json::json!([{"a": {"b": {"take": {"c": {}}}}}, {"d": [{}]}]);
        let mut seen = Vec::new();
        each_object(&value, &mut |object| {
            seen.push(object.keys().next().cloned().unwrap_or_default());
            object.contains_key("take")
        });
        assert_eq!(seen, ["a", "b", "take", "d", ""]);
    }
}
