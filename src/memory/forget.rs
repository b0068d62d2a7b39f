//! What forgetting pages takes with it. Nothing is changed here: the outcome is a [`Change`].
//!
//! The rule: nothing that is kept may hold what only a forgotten page said. Segments are made anew
//! of the pages they keep, chain summaries along the chains, facts by reading what is left of their
//! sources. What a model wrote may have carried words further: it is searched for words that no
//! other page has, and the rules take its place.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::Memory;
use super::chain::chain_summary;
use super::change::{Change, Relinked};
use super::draft::{Around, Draft};
use super::fact::{Fact, Statement};
use super::long::{LongChange, ProfileChange};
use super::page::{Page, PageId, Slot};
use super::prompts::ModelProfile;
use super::prompts::batch::BATCH_PAGES;
use super::rules;
use super::segment::SegmentId;
use crate::memory::consolidate::Pages;
use crate::memory::extract::Corpus as _;
use crate::retrieval::words_with_stems;
use crate::time::Timestamp;

/// How many pages back from a forgotten one a model may have carried its words: those filed together.
const BATCH_REACH: usize = BATCH_PAGES;

/// What forgetting some pages comes to.
#[derive(Debug, Clone, PartialEq)]
pub struct Forgetting {
    /// The pages, by their places.
    pub pages: Vec<Page>,
    /// The facts that go with them: none of their sources is left.
    pub facts: Vec<Fact>,
}

impl Memory {
    /// Returns what goes with these pages; those that are not known are left out.
    pub fn forgetting(&self, slots: &BTreeSet<Slot>, pages: &dyn Pages) -> Forgetting {
        let pages: Vec<Page> = slots.iter().filter_map(|slot| pages.page(*slot)).collect();
        let ids: HashSet<PageId> = pages.iter().map(|page| page.id).collect();
        let from = self.long_term.from_pages(&ids);
        let gone = from.filter(|fact| fact.sources.iter().all(|id| ids.contains(id)));
        Forgetting { facts: gone.cloned().collect(), pages }
    }

    /// Decides what forgetting these pages does. `filed_by_model` says how far a model has filed
    /// pages; 0 where none has.
    pub fn decide_forget(
        &self,
        slots: &BTreeSet<Slot>,
        filed_by_model: Slot,
        pages: &dyn Pages,
        now: Timestamp,
    ) -> Change {
        let gone = Gone::of(self, slots, pages);
        let mut change = Change { forgotten: slots.iter().copied().collect(), ..Change::default() };
        self.forget_in_segments(&gone, pages, now, &mut change);
        change.relinked = self.forget_in_chains(&gone, filed_by_model, pages);
        change.long = self.forget_in_facts(&gone, pages);
        change
    }

    fn forget_in_segments(
        &self,
        gone: &Gone,
        pages: &dyn Pages,
        now: Timestamp,
        change: &mut Change,
    ) {
        let around = Around { corpus: self, pages, now: now.micros() };
        let mut draft = Draft::new(&self.mid_term);
        draft.flush_visits();
        let hit: BTreeSet<SegmentId> =
            gone.slots.iter().filter_map(|slot| self.mid_term.segment_of(*slot)).collect();
        for id in &hit {
            let mut left = self.mid_term.members(*id);
            left.retain(|slot| !gone.slots.contains(slot));
            if left.is_empty() {
                change.emptied.push(*id);
            } else {
                draft.rebuild(*id, &left, around);
            }
        }
        for segment in self.mid_term.segments().filter(|s| !hit.contains(&s.id)) {
            if gone.is_in(&segment.summary) || gone.is_in(&segment.keywords.join(" ")) {
                draft.redescribe(segment.id, around);
            }
        }
        change.mid = draft.finish();
        change.mid.filed.clear();
        change.mid.segments.retain(|segment| !change.emptied.contains(&segment.id));
    }

    /// Makes the chain summaries anew that hold, or may hold, what a forgotten page said.
    fn forget_in_chains(
        &self,
        gone: &Gone,
        filed_by_model: Slot,
        pages: &dyn Pages,
    ) -> Vec<Relinked> {
        let followers = gone.slots.iter().filter_map(|slot| self.index.next(*slot));
        let is_on = |slot: &Slot| {
            let page = pages.page(*slot).filter(|_| !gone.slots.contains(slot));
            page.and_then(|page| page.continues).is_some_and(|id| gone.ids.contains(&id))
        };
        let mut begin: BTreeSet<Slot> = followers.filter(is_on).collect();
        begin.extend(self.carried(gone, filed_by_model, pages));
        let mut made: BTreeMap<Slot, Relinked> = BTreeMap::new();
        for slot in begin {
            let mut at = pages.page(slot);
            while let Some(page) = at {
                let relinked = self.relinked(&page, gone, &made, pages);
                let same = relinked.continues == page.continues
                    && relinked.chain_summary == page.chain_summary;
                made.insert(page.slot, relinked);
                let next = self.index.next(page.slot).filter(|_| !same);
                at = next.and_then(|slot| pages.page(slot));
                at = at.filter(|next| next.continues == Some(page.id));
            }
        }
        made.into_values().collect()
    }

    /// Returns the pages in whose chain summaries a model has put what only a forgotten page says.
    fn carried(&self, gone: &Gone, filed_by_model: Slot, pages: &dyn Pages) -> Vec<Slot> {
        let Some(first) = gone.slots.first().filter(|_| filed_by_model > Slot(0)) else {
            return Vec::new();
        };
        // Counted in pages, not in places: those of forgotten pages stay empty.
        let back = self.heads.range(..*first).rev().take(BATCH_REACH);
        // Without an end: rules carried words along chains that a model has cut since.
        let on = self.heads.range(*first..);
        let reached = back.chain(on).map(|(slot, _)| *slot);
        let carries =
            |slot: &Slot| pages.page(*slot).is_some_and(|page| gone.is_in(&page.chain_summary));
        reached.filter(|slot| !gone.slots.contains(slot)).filter(carries).collect()
    }

    /// Returns how a page goes on, by rule; the page before it may have been made anew already.
    fn relinked(
        &self,
        page: &Page,
        gone: &Gone,
        made: &BTreeMap<Slot, Relinked>,
        pages: &dyn Pages,
    ) -> Relinked {
        let continues = page.continues.filter(|id| !gone.ids.contains(id));
        let before = continues.and_then(|id| self.slot_of(id)).and_then(|slot| {
            let anew = made.get(&slot).map(|relinked| relinked.chain_summary.clone());
            anew.or_else(|| Some(pages.page(slot)?.chain_summary))
        });
        let before = before.filter(|summary| !gone.is_in(summary));
        let chain_summary = chain_summary(before.as_deref(), &page.new.texts);
        Relinked { slot: page.slot, continues, chain_summary }
    }

    fn forget_in_facts(&self, gone: &Gone, pages: &dyn Pages) -> LongChange {
        let mut long = LongChange::default();
        for fact in self.long_term.from_pages(&gone.ids) {
            let mut kept = fact.clone();
            kept.sources.retain(|id| !gone.ids.contains(id));
            let kept = if gone.ids.contains(&fact.said_on) {
                self.said_again(kept, pages)
            } else {
                Some(kept)
            };
            match kept.filter(|fact| !fact.sources.is_empty()) {
                Some(kept) => long.facts.push(kept),
                None => long.gone.push(fact.id),
            }
        }
        let rests_on_it = |profile: &ModelProfile| {
            let sections = [&profile.needs, &profile.expectations, &profile.interests];
            profile.cites.iter().any(|id| gone.ids.contains(id))
                || sections.into_iter().any(|section| gone.is_in(section))
        };
        long.profile =
            self.long_term.profile().is_some_and(rests_on_it).then_some(ProfileChange::Drop);
        long
    }

    /// Reads a fact again in the first of its sources that still says it; none if none does.
    fn said_again(&self, mut fact: Fact, pages: &dyn Pages) -> Option<Fact> {
        while let Some(id) = fact.sources.first().copied() {
            let page = self.slot_of(id).and_then(|slot| pages.page(slot));
            let said = page.and_then(|page| {
                let at = page.new.timestamp;
                let all = rules::read(&page.new.texts, at);
                let same = |s: &Statement| s.key() == fact.key && s.negated == fact.negated;
                all.into_iter().find(same).map(|statement| (statement, at))
            });
            let Some((said, at)) = said else {
                fact.sources.remove(0);
                continue;
            };
            return Some(Fact {
                value: said.value,
                clause: said.clause,
                said_on: id,
                said_at: at,
                when: said.when,
                valid_from: said.valid_from.unwrap_or(at),
                valid_to: if fact.closed { fact.valid_to } else { said.valid_to },
                ..fact
            });
        }
        None
    }
}

/// The pages that are forgotten, and what only they say.
struct Gone {
    slots: BTreeSet<Slot>,
    ids: HashSet<PageId>,
    /// Terms that no other page has.
    terms: HashSet<String>,
}

impl Gone {
    fn of(memory: &Memory, slots: &BTreeSet<Slot>, pages: &dyn Pages) -> Self {
        let mut counts: BTreeMap<String, u32> = BTreeMap::new();
        let mut ids = HashSet::new();
        for page in slots.iter().filter_map(|slot| pages.page(*slot)) {
            ids.insert(page.id);
            let texts = [&page.new.texts.user_input, &page.new.texts.agent_response];
            let terms: BTreeSet<String> = texts
                .into_iter()
                .flat_map(|text| words_with_stems(text))
                .map(|(_, term)| term)
                .collect();
            for term in terms {
                *counts.entry(term).or_default() += 1;
            }
        }
        let only = |(term, n): &(String, u32)| memory.document_frequency(term) <= *n;
        let terms = counts.into_iter().filter(only).map(|(term, _)| term).collect();
        Self { slots: slots.clone(), ids, terms }
    }

    /// Whether a text has a word that only forgotten pages have.
    fn is_in(&self, text: &str) -> bool {
        words_with_stems(text).iter().any(|(_, term)| self.terms.contains(term))
    }
}
