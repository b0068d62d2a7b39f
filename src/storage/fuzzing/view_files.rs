//! Views as they may be found: damaged, edited, made up.

use rusqlite::Connection;
use serde_json::{Map, Value};
use xxhash_rust::xxh3::xxh3_64;

use super::super::rows::PageRow;
use super::super::segment_rows::{self, SegmentRow};
use super::super::views::document::{Document, Verdict, verdict};
use super::super::views::record::{PageRecord, SegmentRecord, values};
use super::super::views::{Contents, MID_TERM, SHORT_TERM, contents_of};
use super::super::{fact_rows, sums};

/// The first line of an input whose checksums are to be made right before it is read.
const SEAL: &[u8] = b"#seal\n";

/// Takes a file under a view's name; with the first line `#seal`, all checksums in it are made right.
///
/// # Panics
///
/// When a page or a fact is believed whose checksum is not in the file, a header or prose of a file
/// that is not intact, or when what is believed cannot be stored.
pub fn views(bytes: &[u8]) {
    let file = bytes.strip_prefix(SEAL).map_or_else(|| bytes.to_vec(), sealed);
    let is_intact = verdict(&file) == Verdict::Intact;
    assert_eq!(is_intact, is_sealed(&file), "an intact view ends with the checksum of all before");
    let contents = contents_of(vec![(SHORT_TERM, file.clone())]);
    believed(&contents, &file, is_intact);
    if bytes == file {
        ours(&contents, &file, is_intact);
    }
    super::with_database(|conn| kept(conn, &contents));
    // What a second, older file holds adds to it and takes nothing away.
    let both = contents_of(vec![(SHORT_TERM, file.clone()), (MID_TERM, b"{}".to_vec())]);
    assert_eq!(both.pages, contents.pages);
    entries_only(&contents, bytes);
    // A torn file is read as far as it is whole, and never as more.
    let torn = file[..file.len() / 2].to_vec();
    let less = contents_of(vec![(SHORT_TERM, torn.clone())]);
    believed(&less, &torn, false);
}

fn believed(contents: &Contents, file: &[u8], is_intact: bool) {
    let text = String::from_utf8_lossy(file);
    for (id, row) in &contents.pages {
        assert_eq!(row.page.id.0, *id);
        let sum = format!("\"{:016x}\"", sums::checksum(&row.page));
        assert!(text.contains(&sum), "a page was made up: {row:?}");
    }
    if !is_intact {
        assert_eq!((&contents.owner, &contents.prose), (&None, &None));
        assert!(contents.seqs.is_empty() && contents.oldest == 0);
        assert!(contents.merged.is_empty(), "a merge has no checksum of its own");
    }
    if contents.owner.is_none() && !text.is_empty() {
        let is_foreign = verdict(file) == Verdict::Foreign;
        assert_eq!(contents.changed.is_empty(), is_foreign, "damage is told");
    }
}

/// A fact, and a segment of a file that is not intact, whose checksum nobody made right stands there
/// as this program writes it.
fn ours(contents: &Contents, file: &[u8], is_intact: bool) {
    let text = String::from_utf8_lossy(file);
    for fact in contents.facts.values() {
        let sum = fact_rows::shown(fact)["checksum"].to_string();
        assert!(text.contains(&sum), "a fact was made up: {fact:?}");
    }
    for segment in contents.segments.values().filter(|_| !is_intact) {
        let sum = format!("\"{}\"", SegmentRecord::of(segment).sum());
        assert!(text.contains(&sum), "a segment was made up: {segment:?}");
    }
}

/// Of a view that is broken in one place, no page is believed that was not an entry of it.
fn entries_only(contents: &Contents, bytes: &[u8]) {
    let pages: Vec<&PageRow> = contents.pages.values().collect();
    for is_deep in [false, true] {
        let mut file = written(&pages, is_deep);
        let at = usize::try_from(xxh3_64(bytes) % file.len() as u64).unwrap();
        assert_eq!(contents_of(vec![(SHORT_TERM, file.clone())]).pages, contents.pages);
        file[at] = b'!';
        let found = contents_of(vec![(SHORT_TERM, file)]).pages;
        let missing = pages.iter().filter(|row| !found.contains_key(&row.page.id.0)).count();
        assert!(missing <= 1, "{missing} pages went with one byte");
        for (id, row) in found {
            // Which segment it is in is told apart from the page.
            let own = contents.pages.get(&id).map(|own| &own.page);
            assert_eq!(own, Some(&row.page), "a page was made up");
        }
    }
}

/// Writes a view of pages, as the newest or as those of a topic.
fn written(pages: &[&PageRow], is_deep: bool) -> Vec<u8> {
    let shown = |row: &&PageRow| serde_json::to_value(PageRecord::of(row)).unwrap();
    let shown: Vec<Value> = pages.iter().map(shown).collect();
    let entries = if is_deep {
        vec![serde_json::json!({"segment_id": 1, "summary": "s", "pages": shown})]
    } else {
        shown
    };
    let mut file = Vec::new();
    let mut view = Document::begin(&mut file, "memoryos/test/1").unwrap();
    view.field("user_id", &"ada").unwrap();
    view.field("epoch", &"e").unwrap();
    view.field("seq", &1).unwrap();
    view.array(
        "entries",
        |error| error,
        |items| entries.iter().try_for_each(|entry| items.push(entry)),
    )
    .unwrap();
    view.end().unwrap();
    file
}

/// Whatever a recovery would store of it can be stored and comes back.
fn kept(conn: &Connection, contents: &Contents) {
    for row in contents.pages.values() {
        super::row_comes_back(conn, row);
        super::comes_back(row);
    }
    for segment in contents.segments.values() {
        segment_rows::put(conn, segment).unwrap();
        let stored = segment_rows::get(conn, segment.id).unwrap();
        assert_eq!(stored, Some(SegmentRow::Live(Box::new(segment.clone()))));
    }
    for fact in contents.facts.values() {
        fact_rows::put(conn, fact).unwrap();
        assert_eq!(fact_rows::get(conn, fact.id).unwrap().as_ref(), Some(fact));
    }
    if let Some(prose) = &contents.prose {
        fact_rows::put_prose(conn, prose).unwrap();
        assert_eq!(fact_rows::prose(conn).unwrap().as_ref(), Some(prose));
    }
}

/// The rule of the last line, told another way than the program does.
fn is_sealed(file: &[u8]) -> bool {
    let Some(head) = file.len().checked_sub(b"\"checksum\": \"xxh3:0123456789abcdef\"\n}\n".len())
    else {
        return false;
    };
    let (before, last) = file.split_at(head);
    let marked = String::from_utf8_lossy(&file[..file.len().min(200)]).into_owned();
    let sum = format!("\"checksum\": \"xxh3:{:016x}\"\n}}\n", xxh3_64(before));
    last == sum.as_bytes() && marked.contains("\"format\": \"memoryos/")
}

/// Makes the checksums of pages, of facts and of the file right.
fn sealed(file: &[u8]) -> Vec<u8> {
    let mut parsed = values(file);
    let [value] = parsed.as_mut_slice() else { return file.to_vec() };
    seal_each(value);
    let Value::Object(view) = value else { return file.to_vec() };
    view.remove("checksum");
    let mut text = serde_json::to_string_pretty(view).unwrap();
    text.truncate(text.trim_end_matches(['}', '\n']).len());
    text.push_str(",\n  ");
    let sum = xxh3_64(text.as_bytes());
    format!("{text}\"checksum\": \"xxh3:{sum:016x}\"\n}}\n").into_bytes()
}

fn seal_each(value: &mut Value) {
    match value {
        // What is inside first: a page's checksum covers what is attached to it.
        Value::Object(object) => {
            object.values_mut().for_each(seal_each);
            seal(object);
        }
        Value::Array(items) => items.iter_mut().for_each(seal_each),
        _ => {}
    }
}

fn seal(object: &mut Map<String, Value>) {
    let sum = if object.contains_key("user_input") {
        let record = serde_json::from_value::<PageRecord>(object.clone().into());
        record.ok().and_then(PageRecord::sum)
    } else if object.contains_key("fact_id") {
        fact_rows::sum_of(object)
    } else if object.contains_key("segment_id") {
        let own: Map<String, Value> =
            object.clone().into_iter().filter(|(name, _)| name != "pages").collect();
        serde_json::from_value::<SegmentRecord>(own.into()).ok().map(|record| record.sum())
    } else {
        None
    };
    object.extend(sum.map(|sum| ("checksum".to_owned(), sum.into())));
}
