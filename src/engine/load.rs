//! Filling the memory of a user from its rows: no text is read where derived data is there.

use std::collections::BTreeMap;

use super::options::{Capacities, Options};
use crate::embed::StaticModel;
use crate::memory::change::AddedPage;
use crate::memory::draft::trusted_vector;
use crate::memory::mid::{MidChange, MidSettings};
use crate::memory::page::Slot;
use crate::memory::segment::SegmentId;
use crate::memory::vector::SumVector;
use crate::memory::{Known, Memory, MemorySettings};
use crate::retrieval::Analysis;
use crate::storage::StoreError;
use crate::storage::derived::{Derived, DerivedRow};
use crate::storage::rows::HeadRow;
use crate::storage::segment_rows::SegmentRow;
use crate::storage::store::{Store, Stored};

/// A filled memory.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) memory: Memory,
    /// Derived data that had to be made.
    pub(crate) fresh: Vec<DerivedRow>,
}

/// Reads everything that is kept in memory.
pub(crate) fn load(
    store: &mut Store,
    derived: &mut Derived,
    options: &Options,
) -> Result<Loaded, StoreError> {
    let Stored { heads, segments, long, last_fact } = store.load()?;
    let mut mid = mid_term(segments);
    let mut filling = Filling {
        means: Means::lacking(&mid),
        store,
        memory: Memory::new(settings(options)),
        filed: Vec::new(),
        fresh: Vec::new(),
        error: None,
    };
    filling.memory.reserve(heads.len());
    let mut heads = heads.into_iter().peekable();
    derived.load(|slot, text_hash, bytes| {
        let Some(analysis) = Analysis::from_bytes(bytes) else { return };
        while let Some(head) = heads.next_if(|head| head.slot < slot) {
            filling.take_anew(&head);
        }
        if let Some(head) = heads.next_if(|head| head.slot == slot) {
            if head.text_hash == text_hash {
                filling.take(&head, analysis);
            } else {
                filling.take_anew(&head);
            }
        }
    });
    for head in heads {
        filling.take_anew(&head);
    }
    let Filling { mut memory, filed, means, fresh, error, .. } = filling;
    if let Some(error) = error {
        return Err(error);
    }
    memory.settle();
    memory.continue_after(store.last_slot()?);
    mid.filed = filed;
    means.complete(&mut mid);
    memory.know_mid_term(mid);
    memory.know_long_term(long, last_fact);
    Ok(Loaded { memory, fresh })
}

struct Filling<'a> {
    store: &'a Store,
    memory: Memory,
    filed: Vec<(Slot, SegmentId)>,
    means: Means,
    fresh: Vec<DerivedRow>,
    error: Option<StoreError>,
}

impl Filling<'_> {
    fn take_anew(&mut self, head: &HeadRow) {
        match self.analysis(head) {
            Ok(Some(analysis)) => {
                let row = DerivedRow {
                    slot: head.slot,
                    text_hash: head.text_hash,
                    bytes: analysis.to_bytes(),
                };
                self.fresh.push(row);
                self.take(head, analysis);
            }
            // Forgotten since the heads were read; the next call learns of it.
            Ok(None) => {}
            Err(error) => self.error = self.error.take().or(Some(error)),
        }
    }

    fn analysis(&self, head: &HeadRow) -> Result<Option<Analysis>, StoreError> {
        let texts = self.store.texts(head.slot)?;
        let model = StaticModel::built_in();
        Ok(texts.map(|texts| Analysis::of(&texts, head.timestamp, model)))
    }

    fn take(&mut self, head: &HeadRow, analysis: Analysis) {
        self.memory.know(&Known {
            slot: head.slot,
            id: head.id,
            timestamp: head.timestamp,
            session: &head.session,
            text_hash: head.text_hash,
            analysis: &analysis,
        });
        match head.segment {
            Some(segment) => {
                self.means.count(SegmentId(segment), &analysis);
                self.filed.push((head.slot, SegmentId(segment)));
            }
            None => match self.store.page(head.slot) {
                Ok(page) => {
                    if let Some(page) = page {
                        self.memory.hold(AddedPage { page, analysis, reading: None });
                    }
                }
                Err(error) => self.error = self.error.take().or(Some(error)),
            },
        }
    }
}

/// The mean vectors of segments that came back from the views, which do not hold them.
struct Means {
    sums: BTreeMap<SegmentId, SumVector>,
    merged: BTreeMap<SegmentId, SegmentId>,
}

impl Means {
    fn lacking(mid: &MidChange) -> Self {
        let lacking = mid.segments.iter().filter(|s| s.mean.pages == 0);
        Self {
            sums: lacking.map(|s| (s.id, SumVector::default())).collect(),
            merged: mid.merged.iter().copied().collect(),
        }
    }

    fn count(&mut self, mut segment: SegmentId, analysis: &Analysis) {
        for _ in 0..=self.merged.len() {
            let Some(into) = self.merged.get(&segment) else { break };
            segment = *into;
        }
        if let Some(sum) = self.sums.get_mut(&segment)
            && let Some(vector) = trusted_vector(analysis)
        {
            sum.add(&vector);
        }
    }

    fn complete(self, mid: &mut MidChange) {
        for segment in &mut mid.segments {
            segment.mean = self.sums.get(&segment.id).copied().unwrap_or(segment.mean);
        }
    }
}

fn mid_term(rows: Vec<SegmentRow>) -> MidChange {
    let mut change = MidChange::default();
    for row in rows {
        match row {
            SegmentRow::Live(segment) => change.segments.push(*segment),
            SegmentRow::Merged(from, into) => change.merged.push((from, into)),
        }
    }
    change
}

#[expect(clippy::cast_possible_truncation, reason = "a threshold between 0 and 2")]
fn settings(options: &Options) -> MemorySettings {
    let calibrated = MidSettings::default();
    let mid_term = MidSettings {
        capacity: options.capacities.mid_term,
        threshold: options.similarity_threshold.map_or(calibrated.threshold, |t| t as f32),
        ..calibrated
    };
    let Capacities { short_term, knowledge, .. } = options.capacities;
    MemorySettings { short_term, mid_term, knowledge }
}
