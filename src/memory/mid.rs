//! Mid-term memory: every page that left short-term memory, in exactly one segment.
//!
//! This is the state and the only way it changes: [`MidTerm::apply`]. What changes is decided in
//! [`Draft`](crate::memory::draft::Draft), for the own calls; another process's commits and the
//! rows read at start go through the same `apply`. Topics are bounded, pages are not: a segment
//! that is merged away stays as a pointer to the one that received it.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use crate::memory::extract::segment_keys;
use crate::memory::page::Slot;
use crate::memory::segment::{Segment, SegmentId};
use crate::memory::summary::Sentence;
use crate::memory::vector::SumVector;

/// The segments whose sentences are kept in memory, at most (about 20 KiB each).
const WARM_SEGMENTS: usize = 128;

/// How pages are grouped.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MidSettings {
    /// The segments there may be.
    pub capacity: usize,
    /// The least score with which a page joins a segment.
    pub threshold: f32,
    /// What the segment of the previous page of the session has in advance.
    pub bonus: f32,
}

impl Default for MidSettings {
    /// 2,000 segments; threshold and bonus are chosen on `LoCoMo` (`examples/segments.rs`).
    fn default() -> Self {
        Self { capacity: 2000, threshold: 0.25, bonus: 0.2 }
    }
}

/// What one transaction changes in mid-term memory.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MidChange {
    /// The pages filed, and where. The segment may be among those merged away.
    pub filed: Vec<(Slot, SegmentId)>,
    /// The new state of every segment that changed.
    pub segments: Vec<Segment>,
    /// Segments merged away: from, into.
    pub merged: Vec<(SegmentId, SegmentId)>,
    /// Counted visits that are now part of `segments`; not stored.
    pub(crate) flushed: Vec<(SegmentId, Visits)>,
    /// Sentences of changed segments; derived, not stored.
    pub(crate) sentences: Vec<(SegmentId, Vec<Arc<Sentence>>)>,
}

impl MidChange {
    /// Whether there is nothing to store.
    pub fn is_empty(&self) -> bool {
        self.filed.is_empty() && self.segments.is_empty() && self.merged.is_empty()
    }
}

/// Visits of a segment that are counted and not yet stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Visits {
    pub(crate) count: u32,
    pub(crate) last: i64,
}

/// A segment with what is derived from its row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub(crate) segment: Segment,
    /// The keys of its most telling terms.
    pub(crate) keys: Vec<u64>,
}

impl Entry {
    pub(crate) fn of(segment: Segment) -> Self {
        let keys = segment_keys(&segment.terms);
        Self { segment, keys }
    }
}

/// All segments of a user.
#[derive(Debug)]
pub struct MidTerm {
    pub(crate) settings: MidSettings,
    pub(crate) entries: BTreeMap<SegmentId, Entry>,
    pub(crate) total: SumVector,
    pub(crate) visits: BTreeMap<SegmentId, Visits>,
    members: HashMap<Slot, SegmentId>,
    merged: HashMap<SegmentId, SegmentId>,
    sentences: HashMap<SegmentId, Vec<Arc<Sentence>>>,
    /// The segments in `sentences`, the one used longest ago first.
    warm: VecDeque<SegmentId>,
}

impl MidTerm {
    /// Makes a memory without segments. What is stored comes in by [`MidTerm::apply`].
    pub fn new(settings: MidSettings) -> Self {
        Self {
            settings,
            entries: BTreeMap::new(),
            total: SumVector::default(),
            visits: BTreeMap::new(),
            members: HashMap::new(),
            merged: HashMap::new(),
            sentences: HashMap::new(),
            warm: VecDeque::new(),
        }
    }

    /// Returns how pages are grouped.
    pub fn settings(&self) -> MidSettings {
        self.settings
    }

    /// Returns the number of segments.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether no page was filed yet.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Returns the number of pages filed.
    pub fn n_pages(&self) -> usize {
        self.members.len()
    }

    /// Returns the segments, by id: the one founded first comes first.
    pub fn segments(&self) -> impl Iterator<Item = &Segment> {
        self.entries.values().map(|entry| &entry.segment)
    }

    /// Returns the segments and their heat at `now` (microseconds since 1970), counted visits
    /// included, hottest first; of equal ones the older first.
    pub fn hottest(&self, now: i64) -> Vec<(&Segment, f64)> {
        let mut found: Vec<(&Segment, f64)> =
            self.segments().map(|s| (s, self.heat(s, now))).collect();
        found.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.id.cmp(&b.0.id)));
        found
    }

    /// Returns a segment; for one that was merged away, the one that received it.
    pub fn get(&self, id: SegmentId) -> Option<&Segment> {
        self.entries.get(&self.resolve(id)).map(|entry| &entry.segment)
    }

    /// Returns the pages of a segment, by their places.
    pub fn members(&self, id: SegmentId) -> Vec<Slot> {
        let id = self.resolve(id);
        let filed = self.members.iter().filter(|(_, segment)| self.resolve(**segment) == id);
        let mut slots: Vec<Slot> = filed.map(|(slot, _)| *slot).collect();
        slots.sort_unstable();
        slots
    }

    /// Whether there is or was a segment with this id.
    pub fn was_used(&self, id: SegmentId) -> bool {
        self.entries.contains_key(&id) || self.merged.contains_key(&id)
    }

    /// Returns the segment a page is in; none for a page that was not filed.
    pub fn segment_of(&self, slot: Slot) -> Option<SegmentId> {
        self.members.get(&slot).map(|&id| self.resolve(id))
    }

    /// Counts a visit to each of these segments.
    ///
    /// Nothing is stored: the counts are part of the next [`Draft`](crate::memory::draft::Draft)
    /// that flushes them, and may be lost.
    pub fn visit(&mut self, ids: &[SegmentId], now: i64) {
        for &id in ids {
            let id = self.resolve(id);
            if self.entries.contains_key(&id) {
                let visits = self.visits.entry(id).or_insert(Visits { count: 0, last: now });
                visits.count = visits.count.saturating_add(1);
                visits.last = visits.last.max(now);
            }
        }
    }

    /// Whether visits were counted that are not stored.
    pub fn has_unflushed_visits(&self) -> bool {
        !self.visits.is_empty()
    }

    /// Carries out what was decided: here, by another process, or at an earlier start.
    pub fn apply(&mut self, change: MidChange) {
        self.members.extend(change.filed);
        for segment in change.segments {
            self.put(segment);
        }
        for (from, into) in change.merged {
            self.remove(from, into);
        }
        for (id, flushed) in change.flushed {
            self.forget_visits(self.resolve(id), flushed);
        }
        for (id, sentences) in change.sentences {
            self.keep(id, sentences);
        }
    }

    fn put(&mut self, segment: Segment) {
        self.total.merge(&segment.mean);
        if let Some(old) = self.entries.insert(segment.id, Entry::of(segment)) {
            self.total.subtract(&old.segment.mean);
        }
    }

    fn remove(&mut self, from: SegmentId, into: SegmentId) {
        if from == into {
            return;
        }
        self.merged.insert(from, into);
        self.sentences.remove(&from);
        self.warm.retain(|&id| id != from);
        if let Some(old) = self.entries.remove(&from) {
            self.total.subtract(&old.segment.mean);
        }
        if let Some(moved) = self.visits.remove(&from) {
            let visits = self.visits.entry(into).or_default();
            visits.count = visits.count.saturating_add(moved.count);
            visits.last = visits.last.max(moved.last);
        }
    }

    fn forget_visits(&mut self, id: SegmentId, flushed: Visits) {
        if let Some(visits) = self.visits.get_mut(&id) {
            visits.count = visits.count.saturating_sub(flushed.count);
            if visits.count == 0 {
                self.visits.remove(&id);
            }
        }
    }

    /// Keeps the sentences of a segment and lets go those of the one used longest ago.
    fn keep(&mut self, id: SegmentId, sentences: Vec<Arc<Sentence>>) {
        if !self.entries.contains_key(&id) {
            return;
        }
        self.warm.retain(|&known| known != id);
        self.warm.push_back(id);
        self.sentences.insert(id, sentences);
        while self.warm.len() > WARM_SEGMENTS {
            if let Some(cold) = self.warm.pop_front() {
                self.sentences.remove(&cold);
            }
        }
    }

    /// Returns the sentences of a segment that are in memory.
    pub(crate) fn warm_sentences(&self, id: SegmentId) -> &[Arc<Sentence>] {
        self.sentences.get(&id).map_or(&[], Vec::as_slice)
    }

    /// Follows merges. Damaged rows may form a circle: then the walk ends somewhere in it.
    pub(crate) fn resolve(&self, id: SegmentId) -> SegmentId {
        let mut at = id;
        for _ in 0..=self.merged.len() {
            match self.merged.get(&at) {
                Some(&next) => at = next,
                None => break,
            }
        }
        at
    }

    fn heat(&self, segment: &Segment, now: i64) -> f64 {
        let counted = self.visits.get(&segment.id).copied();
        let mut warmth = segment.warmth();
        if let Some(Visits { count, last }) = counted {
            warmth.visits = warmth.visits.saturating_add(count);
            warmth.last_visit = warmth.last_visit.max(last);
        }
        crate::memory::heat::heat(warmth, now)
    }
}
