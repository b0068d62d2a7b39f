//! Decides where pages are filed. Nothing here changes anything: the outcome is a [`MidChange`].
//!
//! Several pages filed in one draft see each other. Filing a page costs the same however many
//! pages its segment has: one pass over the segments' sums and keys, and at most
//! [`MAX_CANDIDATES`] old pages read (none when the
//! segment's sentences are still in memory).

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::embed::{DIMENSIONS, StaticModel};
use crate::memory::extract::{self, Corpus, PageTerm, count_terms, jaccard, page_keys};
use crate::memory::mid::{Entry, MidChange, MidTerm, Visits};
use crate::memory::page::{Slot, Texts};
use crate::memory::reading::PageReading;
use crate::memory::segment::{Candidate, MAX_CANDIDATES, Segment, SegmentId, TermCount};
use crate::memory::summary::{Sentence, TRUSTED_SHARE, View, sorted, summary};
use crate::memory::vector::{Centre, SumVector, cos};
use crate::retrieval::Analysis;

/// What keywords count when the vectors of one side cannot be trusted: three of ten shared
/// keywords are then as good as the threshold.
const KEYWORDS_ALONE: f32 = 3.0;

/// What a segment loses with each e-fold of its pages: a topic of a hundred pages needs .14 more
/// than one of a single page. Without it the first segments swallow a fifth of all pages.
const SIZE_COST: f32 = 0.03;

/// The segments merged in one draft, at most: a lowered capacity is worked off over several adds, so
/// that none of them holds the lock long.
const MAX_MERGES: usize = 32;

/// Gives back what was said on a page.
pub trait PageTexts {
    /// Returns the texts of a page; none if there is no such page or it cannot be read.
    fn texts(&self, slot: Slot) -> Option<Texts>;
}

/// A page to be filed.
#[derive(Debug, Clone, Copy)]
pub struct Filing<'a> {
    /// Its place.
    pub slot: Slot,
    /// What is read on it.
    pub reading: &'a PageReading,
    /// What the index knows of it.
    pub analysis: &'a Analysis,
    /// The page of the same session it follows, at most 30 minutes earlier.
    pub previous: Option<Slot>,
}

/// What deciding looks at beside the segments.
#[derive(Clone, Copy)]
pub struct Around<'a> {
    /// The counts over all pages of the user.
    pub corpus: &'a dyn Corpus,
    /// The texts of pages filed before.
    pub pages: &'a dyn PageTexts,
    /// Microseconds since 1970.
    pub now: i64,
}

impl std::fmt::Debug for Around<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Around").field("now", &self.now).finish_non_exhaustive()
    }
}

/// Changes that are decided and not yet carried out.
#[derive(Debug)]
pub struct Draft<'a> {
    pub(super) mid: &'a MidTerm,
    model: &'static StaticModel,
    pub(super) changed: BTreeMap<SegmentId, Entry>,
    pub(super) sentences: BTreeMap<SegmentId, Vec<Arc<Sentence>>>,
    pub(super) filed: Vec<(Slot, SegmentId)>,
    pub(super) placed: HashMap<Slot, SegmentId>,
    pub(super) merged: Vec<(SegmentId, SegmentId)>,
    pub(super) gone: HashMap<SegmentId, SegmentId>,
    flushed: Vec<(SegmentId, Visits)>,
    pub(super) total: SumVector,
}

/// A page as it is compared with segments.
struct Sight {
    vector: Option<[f32; DIMENSIONS]>,
    keys: Vec<u64>,
}

impl<'a> Draft<'a> {
    /// Begins with the state as it is.
    pub fn new(mid: &'a MidTerm) -> Self {
        Self {
            mid,
            model: StaticModel::built_in(),
            changed: BTreeMap::new(),
            sentences: BTreeMap::new(),
            filed: Vec::new(),
            placed: HashMap::new(),
            merged: Vec::new(),
            gone: HashMap::new(),
            flushed: Vec::new(),
            total: mid.total,
        }
    }

    /// Files a page: it joins the segment it is most like, or founds one. A page that is filed
    /// already stays where it is. Returns its segment.
    ///
    /// ```text
    /// score = mean cosine with the segment's pages, seen from the centre of all pages
    ///       + jaccard(page's keywords, segment's keywords)
    ///       + bonus for the segment of the previous page of its session
    ///       - 0.03 ln(segment's pages)
    /// ```
    ///
    /// Where the model cannot read the page or the segment, keywords alone decide.
    ///
    /// Source: "Memory OS of AI Agent", arXiv 2506.06326, equations 2 and 3. Ours are the bonus,
    /// the centre, the cost of size, and the mean of the cosines instead of the cosine with the
    /// mean, which lets a segment about everything grow until it has swallowed all others.
    pub fn file(&mut self, filing: Filing<'_>, around: Around<'_>) -> SegmentId {
        if let Some(known) = self.segment_of(filing.slot) {
            return known;
        }
        let sight = Sight {
            vector: trusted_vector(filing.analysis),
            keys: page_keys(&filing.reading.terms, around.corpus),
        };
        let previous = filing.previous.and_then(|slot| self.segment_of(slot));
        let id = self.nearest(&sight, previous).unwrap_or(SegmentId(filing.slot.0));
        self.join(id, filing, around);
        id
    }

    /// Puts a page into a segment, which is founded if there is none with this id.
    pub(super) fn join(&mut self, id: SegmentId, filing: Filing<'_>, around: Around<'_>) {
        let mut segment = self
            .entry(id)
            .map_or_else(|| Segment::empty(id, around.now), |entry| entry.segment.clone());
        segment.pages = segment.pages.saturating_add(1);
        segment.unanalysed = segment.unanalysed.saturating_add(1);
        if let Some(vector) = trusted_vector(filing.analysis) {
            segment.mean.add(&vector);
            self.total.add(&vector);
        }
        let count =
            |t: &PageTerm| TermCount { term: t.term.clone(), word: t.word.clone(), pages: 1 };
        let counted = filing.reading.terms.iter().map(count);
        count_terms(&mut segment.terms, counted.collect(), segment.pages, around.corpus);
        let known = self.read_sentences(&segment, around.pages);
        self.describe(segment, known, &filing.reading.sentences, around.corpus);
        self.filed.push((filing.slot, id));
        self.placed.insert(filing.slot, id);
    }

    /// Merges the coldest segment into the one nearest to it until no more are left than fit, at
    /// most 32 times.
    pub fn merge_over_capacity(&mut self, around: Around<'_>) {
        let capacity = self.mid.settings.capacity.max(1);
        for _ in 0..self.n_segments().saturating_sub(capacity).min(MAX_MERGES) {
            let Some(cold) = self.coldest(around.now) else { return };
            let Some(into) = self.nearest_to(&cold) else { return };
            self.merge(&cold.segment, into, around);
        }
    }

    /// Makes the visits counted since the last flush part of what is stored.
    pub fn flush_visits(&mut self) {
        for (&id, &visits) in &self.mid.visits {
            let at = self.resolve(id);
            let Some(mut entry) = self.entry(at).cloned() else { continue };
            entry.segment.visits = entry.segment.visits.saturating_add(visits.count);
            entry.segment.last_visit = entry.segment.last_visit.max(visits.last);
            self.changed.insert(at, entry);
            self.flushed.push((id, visits));
        }
    }

    /// Notes that so many new pages of a segment were analysed; its visits count from 0 again.
    pub fn analysed(&mut self, id: SegmentId, pages: u32) {
        let id = self.resolve(id);
        if let Some(mut entry) = self.entry(id).cloned() {
            entry.segment.visits = 0;
            entry.segment.unanalysed = entry.segment.unanalysed.saturating_sub(pages);
            self.changed.insert(id, entry);
        }
    }

    /// Returns the segment of a page, as decided here or before.
    pub fn segment_of(&self, slot: Slot) -> Option<SegmentId> {
        let filed = self.placed.get(&slot).copied().or_else(|| self.mid.segment_of(slot));
        filed.map(|id| self.resolve(id))
    }

    /// Returns a segment as it would be; for one merged away, the one that received it.
    pub fn get(&self, id: SegmentId) -> Option<&Segment> {
        self.entry(self.resolve(id)).map(|entry| &entry.segment)
    }

    /// Returns how many segments there would be.
    pub fn n_segments(&self) -> usize {
        self.entries().count()
    }

    /// Ends deciding.
    pub fn finish(self) -> MidChange {
        MidChange {
            filed: self.filed,
            segments: self.changed.into_values().map(|entry| entry.segment).collect(),
            merged: self.merged,
            flushed: self.flushed,
            sentences: self.sentences.into_iter().collect(),
        }
    }

    pub(super) fn resolve(&self, id: SegmentId) -> SegmentId {
        let mut at = self.mid.resolve(id);
        while let Some(&next) = self.gone.get(&at) {
            at = next;
        }
        at
    }

    pub(super) fn entry(&self, id: SegmentId) -> Option<&Entry> {
        if self.gone.contains_key(&id) {
            return None;
        }
        self.changed.get(&id).or_else(|| self.mid.entries.get(&id))
    }

    /// Returns all segments as they would be, by no particular order.
    fn entries(&self) -> impl Iterator<Item = &Entry> {
        let old = self
            .mid
            .entries
            .iter()
            .filter(|(id, _)| !self.changed.contains_key(id))
            .filter(|(id, _)| self.gone.is_empty() || !self.gone.contains_key(id));
        old.map(|(_, entry)| entry).chain(self.changed.values())
    }

    /// Returns the segment a page joins; none if it founds one.
    fn nearest(&self, sight: &Sight, previous: Option<SegmentId>) -> Option<SegmentId> {
        let settings = self.mid.settings;
        let page = sight.vector.map(|vector| Centre::of(&self.total).page(&vector));
        let score = |entry: &Entry| {
            let keywords = jaccard(&sight.keys, &entry.keys);
            let likeness = match &page {
                Some(page) if trusted(&entry.segment) => {
                    page.likeness(&entry.segment.mean) + keywords
                }
                _ => KEYWORDS_ALONE * keywords,
            };
            let bonus = if previous == Some(entry.segment.id) { settings.bonus } else { 0.0 };
            likeness + bonus - SIZE_COST * (entry.segment.pages as f32).ln()
        };
        let best = best(self.entries().map(|entry| (score(entry), entry.segment.id)));
        best.filter(|(score, _)| *score >= settings.threshold).map(|(_, id)| id)
    }

    fn coldest(&self, now: i64) -> Option<Entry> {
        let heats = self.entries().map(|entry| (entry.segment.heat(now), entry));
        let coldest =
            heats.min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.segment.id.cmp(&b.1.segment.id)));
        coldest.map(|(_, entry)| entry.clone())
    }

    /// Returns the segment nearest to another one.
    fn nearest_to(&self, other: &Entry) -> Option<SegmentId> {
        let centre = Centre::of(&self.total);
        let mean = centre.centred(&other.segment.mean.mean());
        let score = |entry: &Entry| {
            let keywords = jaccard(&other.keys, &entry.keys);
            if trusted(&other.segment) && trusted(&entry.segment) {
                cos(&mean, &centre.centred(&entry.segment.mean.mean())) + keywords
            } else {
                KEYWORDS_ALONE * keywords
            }
        };
        let others = self.entries().filter(|entry| entry.segment.id != other.segment.id);
        best(others.map(|entry| (score(entry), entry.segment.id))).map(|(_, id)| id)
    }

    fn merge(&mut self, from: &Segment, into: SegmentId, around: Around<'_>) {
        let Some(mut segment) = self.entry(into).map(|entry| entry.segment.clone()) else { return };
        segment.mean.merge(&from.mean);
        segment.pages = segment.pages.saturating_add(from.pages);
        segment.unanalysed = segment.unanalysed.saturating_add(from.unanalysed);
        segment.visits = segment.visits.saturating_add(from.visits);
        segment.last_visit = segment.last_visit.max(from.last_visit);
        segment.created = segment.created.min(from.created);
        // The best half of either, so that no more pages are read than for one.
        segment.candidates.truncate(MAX_CANDIDATES / 2);
        let mut known = self.read_sentences(&segment, around.pages);
        let mut other = from.clone();
        other.candidates.truncate(MAX_CANDIDATES / 2);
        known.extend(self.read_sentences(&other, around.pages));
        count_terms(&mut segment.terms, other.terms, segment.pages, around.corpus);
        self.changed.remove(&from.id);
        self.sentences.remove(&from.id);
        self.merged.push((from.id, into));
        self.gone.insert(from.id, into);
        self.describe(segment, known, &[], around.corpus);
    }

    /// Chooses the summary and the keywords of a segment, and notes it as changed.
    pub(super) fn describe(
        &mut self,
        segment: Segment,
        known: Vec<Arc<Sentence>>,
        joined: &[Arc<Sentence>],
        corpus: &dyn Corpus,
    ) {
        let mut entry = Entry::of(segment);
        let centre = Centre::of(&self.total);
        let view = View::new(&centre, &entry.segment, &entry.keys);
        let mut known: Vec<_> = known.into_iter().map(|sentence| view.score(sentence)).collect();
        known.extend(view.best_of_page(joined));
        let known = sorted(known);
        let segment = &mut entry.segment;
        segment.summary = summary(&known);
        segment.keywords = extract::keywords(&segment.terms, segment.pages, corpus);
        segment.candidates = known.iter().map(|known| known.sentence.candidate).collect();
        let id = segment.id;
        self.sentences.insert(id, known.into_iter().map(|known| known.sentence).collect());
        self.changed.insert(id, entry);
    }

    /// Returns the sentences of a segment's candidates; those not in memory are read from their
    /// pages, each page once.
    pub(super) fn read_sentences(
        &self,
        segment: &Segment,
        pages: &dyn PageTexts,
    ) -> Vec<Arc<Sentence>> {
        let warm = self.sentences.get(&segment.id).map(Vec::as_slice);
        let warm = warm.unwrap_or_else(|| self.mid.warm_sentences(segment.id));
        let mut texts: HashMap<Slot, Option<Texts>> = HashMap::new();
        let read = |candidate: &Candidate| {
            if let Some(known) = warm.iter().find(|known| known.candidate == *candidate) {
                return Some(Arc::clone(known));
            }
            let page = texts.entry(candidate.slot).or_insert_with_key(|&slot| pages.texts(slot));
            Sentence::read(*candidate, page.as_ref()?, self.model).map(Arc::new)
        };
        segment.candidates.iter().filter_map(read).collect()
    }
}

/// Returns a page's vector as a segment's mean counts it; none if the model cannot read the page.
pub(crate) fn trusted_vector(analysis: &Analysis) -> Option<[f32; DIMENSIONS]> {
    (analysis.share > TRUSTED_SHARE).then(|| analysis.vector.to_f32())
}

/// Whether the model can read most pages of a segment.
fn trusted(segment: &Segment) -> bool {
    segment.mean.pages as f32 > TRUSTED_SHARE * segment.pages as f32
}

/// Returns the best of scored segments; of equal ones the newer.
fn best(scored: impl Iterator<Item = (f32, SegmentId)>) -> Option<(f32, SegmentId)> {
    scored.max_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)))
}
