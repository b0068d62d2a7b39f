//! The JSON views: what a person can read, diff and back up, and what can restore the database.
//!
//! A view is never read to answer a call. Together the views hold every page, segment, fact and the
//! profile up to the sequence number they show.

pub(crate) mod document;
pub(crate) mod record;
mod state;
mod write;

use std::collections::BTreeMap;
use std::io::Read as _;

use serde::Deserialize;
use serde_json::{Map, Value};
use uuid::Uuid;

pub(crate) use write::{Occasion, Writer};

use self::document::Verdict;
use self::record::{PageRecord, SegmentRecord};
use super::StoreError;
use super::fact_rows::{self, ProseRecord};
use super::folder::Folder;
use super::rows::PageRow;
use crate::memory::fact::Fact;
use crate::memory::prompts::ModelProfile;
use crate::memory::segment::Segment;

/// The view of the newest pages, and of what was filed since the mid-term view was written.
pub(crate) const SHORT_TERM: &str = "short_term_memory.json";
/// The view of all segments and their pages.
pub(crate) const MID_TERM: &str = "mid_term_memory.json";
/// The view of the profile and the knowledge.
pub(crate) const PROFILE: &str = "user_profile.json";

/// The fields of the profile's view beside its header.
const PROFILE_FIELDS: [&str; 6] = [
    "user_profile",
    "model_profile",
    "user_knowledge",
    "user_history",
    "assistant_knowledge",
    "assistant_history",
];

/// All views.
pub(crate) const NAMES: [&str; 3] = [SHORT_TERM, MID_TERM, PROFILE];

/// The first fields of a view.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Header {
    pub(crate) user_id: String,
    #[serde(default)]
    pub(crate) assistant_id: String,
    pub(crate) epoch: String,
    pub(crate) seq: u64,
}

/// A view as it stands in the folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found {
    /// There is none.
    Missing,
    /// Written by us.
    Intact(Header),
    /// Changed since we wrote it.
    Changed,
    /// Not written by us.
    Foreign,
}

/// Tells what stands under a view's name.
pub(crate) fn find(folder: &Folder, name: &str) -> Result<Found, StoreError> {
    let Some(bytes) = bytes(folder, name)? else { return Ok(Found::Missing) };
    Ok(match document::verdict(&bytes) {
        Verdict::Foreign => Found::Foreign,
        Verdict::Changed => Found::Changed,
        Verdict::Intact => serde_json::from_slice(&bytes).map_or(Found::Changed, Found::Intact),
    })
}

/// Reads only the first fields of a view; none if they are not there.
pub(crate) fn peek(folder: &Folder, name: &str) -> Option<Header> {
    let mut head = Vec::new();
    let file = std::fs::File::open(folder.path(name)).ok()?;
    file.take(4096).read_to_end(&mut head).ok()?;
    let text = String::from_utf8_lossy(&head);
    let fields: Vec<&str> = text.lines().skip(1).take(5).map(|l| l.trim_end_matches(',')).collect();
    serde_json::from_str(&format!("{{{}}}", fields.join(","))).ok()
}

/// Returns the content of the profile's view as it stands in the folder: all but the header.
fn shown_profile(folder: &Folder) -> Option<Map<String, Value>> {
    let mut view: Map<String, Value> =
        serde_json::from_slice(&bytes(folder, PROFILE).ok()??).ok()?;
    view.retain(|name, _| PROFILE_FIELDS.contains(&name.as_str()));
    Some(view)
}

/// What of a view says what a model wrote.
#[derive(Debug, Deserialize)]
struct Prose {
    #[serde(default)]
    model_profile: Option<ProseRecord>,
}

/// What the views of a folder hold.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    /// Pages by their ids.
    pub(crate) pages: BTreeMap<Uuid, PageRow>,
    /// Segments by their ids, without mean vectors.
    pub(crate) segments: BTreeMap<u32, Segment>,
    /// Merged segments, each with the one its pages went to.
    pub(crate) merged: BTreeMap<u32, u32>,
    /// Facts by their numbers.
    pub(crate) facts: BTreeMap<u32, Fact>,
    /// The prose of a model, of an intact view.
    pub(crate) prose: Option<ModelProfile>,
    /// The highest sequence number an intact view shows, per epoch.
    pub(crate) seqs: BTreeMap<String, u64>,
    /// The lowest sequence number that an intact view shows; 0 where one is not intact.
    pub(crate) oldest: u64,
    /// The user and the assistant that the views name.
    pub(crate) owner: Option<(String, String)>,
    /// Views that somebody changed or a fault of the disk hit, by name.
    pub(crate) changed: Vec<&'static str>,
}

/// Reads all that the views hold; of a damaged view, every object that is whole.
pub(crate) fn contents(folder: &Folder) -> Result<Contents, StoreError> {
    let mut files = Vec::new();
    for name in NAMES {
        files.extend(bytes(folder, name)?.map(|bytes| (name, bytes)));
    }
    Ok(contents_of(files))
}

/// Reads all that files under views' names hold.
pub(super) fn contents_of(named: Vec<(&'static str, Vec<u8>)>) -> Contents {
    let mut contents = Contents::default();
    let mut files = Vec::new();
    for (name, bytes) in named {
        let verdict = document::verdict(&bytes);
        let header: Option<Header> = match verdict {
            Verdict::Intact => serde_json::from_slice(&bytes).ok(),
            // A view may have lost its mark: pages of ours are known by their checksums.
            Verdict::Changed | Verdict::Foreign => None,
        };
        match &header {
            Some(header) => {
                contents.note(header);
                let prose = serde_json::from_slice::<Prose>(&bytes).ok();
                contents.prose = contents.prose.or_else(|| prose?.model_profile?.into_profile());
            }
            None if verdict == Verdict::Foreign => {}
            None => contents.changed.push(name),
        }
        files.push((header.map_or(0, |h| h.seq), verdict, bytes));
    }
    contents.oldest = files.iter().map(|(seq, ..)| *seq).min().unwrap_or(0);
    // What was written later says where a page is now.
    files.sort_by_key(|(seq, ..)| *seq);
    for (_, verdict, bytes) in files {
        for value in record::entries(&bytes) {
            record::each_entry(&value, &mut |object| contents.take(object, verdict));
        }
    }
    contents
}

impl Contents {
    fn note(&mut self, header: &Header) {
        let seq = self.seqs.entry(header.epoch.clone()).or_default();
        *seq = header.seq.max(*seq);
        self.owner = Some((header.user_id.clone(), header.assistant_id.clone()));
    }

    /// Takes what an object says. In a view that is not intact only what fits a checksum of its own
    /// is believed.
    fn take(&mut self, object: &Map<String, Value>, verdict: Verdict) -> bool {
        let is_intact = verdict == Verdict::Intact;
        if object.contains_key("user_input") && object.contains_key("checksum") {
            let value = Value::Object(object.clone());
            let row =
                serde_json::from_value::<PageRecord>(value).ok().and_then(PageRecord::into_row);
            if let Some(row) = row {
                self.pages.insert(row.page.id.0, row);
            }
            return true;
        }
        if object.contains_key("fact_id") {
            let fact = fact_rows::from_shown(object);
            self.facts.extend(fact.map(|fact| (fact.id.0, fact)));
            return true;
        }
        if object.contains_key("segment_id") {
            let own: Map<_, _> = object
                .iter()
                .filter(|(k, _)| *k != "pages")
                .map(|(k, v)| (k.clone(), v.clone()))
                .collect();
            let record = serde_json::from_value::<SegmentRecord>(own.into()).ok();
            let record = record.filter(|record| is_intact || record.is_sound());
            if let Some(segment) = record.and_then(SegmentRecord::into_segment) {
                self.segments.insert(segment.id.0, segment);
            }
        }
        let number = |key| object.get(key).and_then(Value::as_u64);
        if let (true, Some(from), Some(into)) = (is_intact, number("merged"), number("into")) {
            let ids = u32::try_from(from).ok().zip(u32::try_from(into).ok());
            self.merged.extend(ids);
        }
        false
    }
}

/// Moves a view that is not ours to overwrite out of the way; returns its new name.
pub(crate) fn set_aside(folder: &Folder, name: &str, mark: &str) -> Result<String, StoreError> {
    let stamp = crate::time::Timestamp::now().file_stamp();
    let aside = folder.free_name(&format!("{name}.{mark}-{stamp}"));
    folder.rename(name, &aside)?;
    Ok(aside)
}

fn bytes(folder: &Folder, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
    let path = folder.path(name);
    match std::fs::read(&path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(StoreError::io("read", &path, e)),
    }
}
