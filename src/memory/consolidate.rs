//! What is left for a model to do, and what its answers do to the memory.
//!
//! Pending work is derived from the state: pages that were filed by rule alone, and hot segments
//! with pages that were not analysed. An answer names what it was made of, and is dropped if any of
//! that is gone or changed meanwhile. Nothing here asks a model, and nothing is changed: outcomes
//! are [`Change`]s.

use std::collections::HashMap;

use super::Memory;
use super::change::{Change, Relinked};
use super::draft::{Around, Draft, Filing, PageTexts};
use super::fact::{Act, Reader, Statement};
use super::learn::{LongDraft, SaidOn};
use super::long::{LongChange, ProfileChange};
use super::page::{Page, PageId, Slot};
use super::prompts::batch::{BATCH_PAGES, BATCH_TOPICS, BatchPage, KnownTopic};
use super::prompts::hot::{HOT_FACTS, HOT_PAGES, HotPage, KnownFact};
use super::prompts::{BatchJob, BatchOutcome, HotJob, HotOutcome, PointedFact};
use super::reading::PageReading;
use super::segment::{Segment, SegmentId};
use crate::embed::StaticModel;
use crate::retrieval::Analysis;
use crate::time::Timestamp;

/// Filed pages that must wait before a model is asked about them: it is asked once for so many.
pub const PAGES_PER_BATCH: usize = 10;

/// A piece of work for a model, with what it was made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// What is asked.
    pub ask: Ask,
    /// The pages it rests on: those it shows, and those that what else it shows was made of.
    pub pages: Vec<(Slot, PageId)>,
    /// The page before those of a batch, whose chain summary is shown.
    before: Option<Slot>,
    /// The segments it shows, as they were.
    segments: Vec<Seen>,
    /// The last change that had forgotten something when it was made: what a model says after another
    /// one may hold what was forgotten.
    pub last_forget: u64,
}

/// What is asked of a model.
#[derive(Debug, Clone, PartialEq)]
pub enum Ask {
    /// Which topics these pages belong to.
    File(BatchJob),
    /// Who the user is, by the pages of a hot segment.
    Consolidate(HotJob),
}

/// What a model answered, as far as it could be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// To [`Ask::File`].
    Filed(BatchOutcome),
    /// To [`Ask::Consolidate`].
    Consolidated(HotOutcome),
}

/// A segment as a job showed it. Visits may change meanwhile.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    id: SegmentId,
    pages: u32,
    unanalysed: u32,
    summary: String,
    keywords: Vec<String>,
}

impl Seen {
    fn of(segment: &Segment) -> Self {
        Self {
            id: segment.id,
            pages: segment.pages,
            unanalysed: segment.unanalysed,
            summary: segment.summary.clone(),
            keywords: segment.keywords.clone(),
        }
    }
}

/// Gives back stored pages.
pub trait Pages: PageTexts {
    /// Returns a page; none if there is no such page or it cannot be read.
    fn page(&self, slot: Slot) -> Option<Page>;
}

impl Memory {
    /// Returns the pages that were filed after `through`, the oldest first, at most `limit`.
    pub fn filed_after(&self, through: Slot, limit: usize) -> Vec<Slot> {
        let after = Slot(through.0.saturating_add(1));
        let filed = self.heads.range(after..).map(|(slot, _)| *slot);
        filed.filter(|slot| !self.short_term.contains_key(slot)).take(limit).collect()
    }

    /// Makes a job of the pages filed after `through`; none until there are enough.
    pub fn filing_job(&self, through: Slot, pages: &dyn Pages) -> Option<Job> {
        let slots = self.filed_after(through, BATCH_PAGES);
        if slots.len() < PAGES_PER_BATCH {
            return None;
        }
        let read: Vec<Page> = slots.iter().filter_map(|slot| pages.page(*slot)).collect();
        if read.is_empty() {
            return None;
        }
        let before = read.first().and_then(|page| page.continues);
        let before = before.and_then(|id| pages.page(self.slot_of(id)?));
        let before_slot = before.as_ref().map(|page| page.slot);
        let mut shown: Vec<&Segment> = Vec::new();
        for segment in read.iter().rev().filter_map(|page| self.segment_of(page.slot)) {
            if shown.len() < BATCH_TOPICS && !shown.iter().any(|known| known.id == segment.id) {
                shown.push(segment);
            }
        }
        let page = |page: &Page| {
            Some(BatchPage {
                id: page.id,
                user_input: page.new.texts.user_input.clone(),
                agent_response: page.new.texts.agent_response.clone(),
                timestamp: page.new.timestamp,
                segment: self.segment_of(page.slot)?.id,
            })
        };
        let topic = |s: &&Segment| KnownTopic {
            id: s.id,
            summary: s.summary.clone(),
            keywords: s.keywords.clone(),
        };
        let job = BatchJob {
            pages: read.iter().filter_map(page).collect(),
            topics: shown.iter().map(topic).collect(),
            before: before.map(|page| page.chain_summary),
        };
        Some(Job {
            ask: Ask::File(job),
            pages: read.iter().map(|page| (page.slot, page.id)).collect(),
            before: before_slot,
            segments: shown.into_iter().map(Seen::of).collect(),
            last_forget: 0,
        })
    }

    /// Makes a job of the hottest segment at the threshold that has pages which were not analysed
    /// and that `may` be analysed; none if there is none.
    pub fn hot_job(
        &self,
        threshold: f64,
        now: Timestamp,
        pages: &dyn Pages,
        may: impl Fn(&Segment) -> bool,
    ) -> Option<Job> {
        let hottest = self.mid_term.hottest(now.micros());
        let is_due = |(s, heat): &(&Segment, f64)| *heat >= threshold && s.unanalysed > 0;
        let (segment, _) = hottest.into_iter().filter(is_due).find(|(s, _)| may(s))?;
        // Those that joined last were not analysed; the oldest of them come first.
        let new = usize::try_from(segment.unanalysed).unwrap_or(usize::MAX);
        let mut slots = self.mid_term.members(segment.id);
        slots.drain(..slots.len().saturating_sub(new));
        slots.truncate(HOT_PAGES);
        let read: Vec<Page> = slots.iter().filter_map(|slot| pages.page(*slot)).collect();
        let page = |page: &Page| HotPage {
            id: page.id,
            user_input: page.new.texts.user_input.clone(),
            agent_response: page.new.texts.agent_response.clone(),
            timestamp: page.new.timestamp,
        };
        let known = self.long_term.facts().rev().filter(|fact| !fact.closed).take(HOT_FACTS);
        let job = HotJob {
            segment: segment.id,
            keywords: segment.keywords.clone(),
            pages: read.iter().map(page).collect(),
            profile: self.long_term.profile().cloned(),
            facts: known
                .map(|fact| KnownFact {
                    attribute: fact.attribute,
                    clause: fact.clause.clone(),
                    sources: fact.sources.clone(),
                })
                .collect(),
        };
        // Pages that are lost are no reason to drop the answer.
        let seen = job.seen().filter_map(|id| Some((self.slot_of(id)?, id))).collect();
        Some(Job {
            ask: Ask::Consolidate(job),
            pages: seen,
            before: None,
            segments: vec![Seen::of(segment)],
            last_forget: 0,
        })
    }

    /// Returns how many segments are hot and have pages that were not analysed.
    pub fn n_hot(&self, threshold: f64, now: Timestamp) -> usize {
        let hottest = self.mid_term.hottest(now.micros());
        hottest.into_iter().filter(|(s, heat)| *heat >= threshold && s.unanalysed > 0).count()
    }

    /// Decides what a model's answer does; none if something that it was made of is gone or changed
    /// meanwhile.
    pub fn decide_outcome(
        &self,
        job: &Job,
        outcome: &Outcome,
        pages: &dyn Pages,
        now: Timestamp,
    ) -> Option<Change> {
        let is_there = |(slot, id): &(Slot, PageId)| self.slot_of(*id) == Some(*slot);
        let is_same = |seen: &Seen| {
            self.mid_term.get(seen.id).is_some_and(|segment| Seen::of(segment) == *seen)
        };
        if !job.pages.iter().all(is_there) || !job.segments.iter().all(is_same) {
            return None;
        }
        match (&job.ask, outcome) {
            (Ask::File(ask), Outcome::Filed(filed)) => {
                let before = job.before.map(|slot| pages.page(slot).map(|page| page.chain_summary));
                if before.is_some_and(|before| before != ask.before) {
                    return None;
                }
                let placed = |page: &BatchPage| {
                    let segment = self.slot_of(page.id).and_then(|slot| self.segment_of(slot));
                    segment.is_some_and(|segment| segment.id == page.segment)
                };
                let through = job.pages.last().map(|(slot, _)| *slot);
                let decide =
                    || Change { filed_by_model: through, ..self.decide_filed(filed, pages, now) };
                ask.pages.iter().all(placed).then(decide)
            }
            (Ask::Consolidate(ask), Outcome::Consolidated(said)) => {
                Some(self.decide_consolidated(ask, said, now))
            }
            (Ask::File(_), Outcome::Consolidated(_)) | (Ask::Consolidate(_), Outcome::Filed(_)) => {
                None
            }
        }
    }

    fn decide_filed(&self, filed: &BatchOutcome, pages: &dyn PageTexts, now: Timestamp) -> Change {
        let around = Around { corpus: self, pages, now: now.micros() };
        let mut draft = Draft::new(&self.mid_term);
        draft.flush_visits();
        let homes = self.homes(filed);
        let mut relinked = Vec::new();
        for page in &filed.pages {
            let Some(slot) = self.slot_of(page.id) else { continue };
            let (Some(texts), Some((_, at))) = (pages.texts(slot), self.id_of(slot)) else {
                continue;
            };
            if let Some(to) = homes.get(&page.topic) {
                let analysis = Analysis::of(&texts, at, StaticModel::built_in());
                let reading = &PageReading::of(slot, &texts);
                let filing = Filing { slot, reading, analysis: &analysis, previous: None };
                draft.regroup(filing, *to, around);
            }
            let before = self.index.previous(slot).filter(|_| page.continues);
            relinked.push(Relinked {
                slot,
                continues: before.and_then(|slot| self.id_of(slot)).map(|(id, _)| id),
                chain_summary: page.chain_summary.clone(),
            });
        }
        for (place, id) in &homes {
            if let Some(topic) = filed.topics.get(*place) {
                draft.name(*id, &topic.summary, &topic.keywords);
            }
        }
        draft.merge_over_capacity(around);
        Change { mid: draft.finish(), relinked, ..Change::default() }
    }

    /// Returns the segment of every topic, by its place. A new one is named after its first page
    /// that gave no other one its name; where all did, the first one's segment is taken.
    fn homes(&self, filed: &BatchOutcome) -> HashMap<usize, SegmentId> {
        let mut homes = HashMap::new();
        for (place, topic) in filed.topics.iter().enumerate() {
            let pages = filed.pages.iter().filter(|page| page.topic == place);
            let slots: Vec<Slot> = pages.filter_map(|page| self.slot_of(page.id)).collect();
            let mut free = slots.iter().map(|slot| SegmentId(slot.0));
            let free = free.find(|id| !self.mid_term.was_used(*id));
            let first = slots.first().and_then(|slot| self.mid_term.segment_of(*slot));
            homes.extend(topic.known.or(free).or(first).map(|id| (place, id)));
        }
        homes
    }

    fn decide_consolidated(&self, ask: &HotJob, said: &HotOutcome, now: Timestamp) -> Change {
        let mut long = LongDraft::new(&self.long_term);
        for fact in &said.facts {
            let Some(slot) = self.slot_of(fact.page) else { continue };
            let Some((id, at)) = self.id_of(slot) else { continue };
            let on = SaidOn { slot, id, at, may_be_late: true, reader: Reader::Model };
            long.learn(vec![statement(fact)], on);
        }
        let mut draft = Draft::new(&self.mid_term);
        draft.flush_visits();
        draft.analysed(ask.segment, u32::try_from(ask.pages.len()).unwrap_or(u32::MAX));
        let profile = said.profile.clone().map(|p| ProfileChange::Put(Box::new(p)));
        let long = LongChange { profile, ..long.finish(now) };
        Change { mid: draft.finish(), long, ..Change::default() }
    }
}

/// Returns what a fact that a model pointed at says.
fn statement(fact: &PointedFact) -> Statement {
    Statement {
        attribute: fact.attribute,
        head: fact.head.clone(),
        value: fact.value.clone(),
        negated: fact.negated,
        act: Act::Hold,
        clause: fact.clause.clone(),
        when: None,
        valid_from: None,
        valid_to: None,
        explicit: false,
    }
}
