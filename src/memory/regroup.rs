//! Moving pages between segments, as a model groups them, and making segments anew.
//!
//! The costs of moving are those of filing: nothing is read but the page itself and the candidates of the two
//! segments. What a segment remembers of a page that left it is counted down, not made anew.

use crate::embed::StaticModel;
use crate::memory::draft::{Around, Draft, Filing, trusted_vector};
use crate::memory::mid::Entry;
use crate::memory::page::Slot;
use crate::memory::reading::PageReading;
use crate::memory::segment::{Segment, SegmentId};
use crate::memory::vector::SumVector;
use crate::retrieval::Analysis;
use crate::time::Timestamp;

impl Draft<'_> {
    /// Takes a filed page out of its segment and puts it into another one, which is founded if there
    /// is none with this id. A segment that is left without pages is merged into the other one.
    pub(super) fn regroup(&mut self, filing: Filing<'_>, to: SegmentId, around: Around<'_>) {
        let to = self.resolve(to);
        let Some(from) = self.segment_of(filing.slot).filter(|from| *from != to) else { return };
        let Some(mut segment) = self.entry(from).map(|entry| entry.segment.clone()) else { return };
        segment.pages = segment.pages.saturating_sub(1);
        segment.unanalysed = segment.unanalysed.min(segment.pages);
        if let Some(vector) = trusted_vector(filing.analysis) {
            let mut page = SumVector::default();
            page.add(&vector);
            segment.mean.subtract(&page);
            self.total.subtract(&page);
        }
        for known in &mut segment.terms {
            if filing.reading.terms.iter().any(|term| term.term == known.term) {
                known.pages = known.pages.saturating_sub(1);
            }
        }
        segment.terms.retain(|term| term.pages > 0);
        segment.candidates.retain(|candidate| candidate.slot != filing.slot);
        if segment.pages == 0 {
            self.changed.remove(&from);
            self.sentences.remove(&from);
            self.merged.push((from, to));
            self.gone.insert(from, to);
        } else {
            let known = self.read_sentences(&segment, around.pages);
            self.describe(segment, known, &[], around.corpus);
        }
        self.join(to, filing, around);
    }

    /// Makes a segment anew of the pages it keeps; what was counted of visits stays. Costs as much as
    /// filing them all.
    pub(super) fn rebuild(&mut self, id: SegmentId, kept: &[Slot], around: Around<'_>) {
        let Some(old) = self.entry(id).map(|entry| entry.segment.clone()) else { return };
        let Some(any_time) = Timestamp::from_parts(0, 0) else { return };
        self.total.subtract(&old.mean);
        let Segment { visits, last_visit, created, .. } = old;
        let empty = Segment { visits, last_visit, ..Segment::empty(id, created) };
        self.changed.insert(id, Entry::of(empty));
        for slot in kept {
            let Some(texts) = around.pages.texts(*slot) else { continue };
            // Only the vector is asked of it, and that knows no date.
            let analysis = Analysis::of(&texts, any_time, StaticModel::built_in());
            let (slot, reading) = (*slot, &PageReading::of(*slot, &texts));
            let filing = Filing { slot, reading, analysis: &analysis, previous: None };
            self.join(id, filing, around);
        }
        if let Some(entry) = self.changed.get_mut(&id) {
            entry.segment.unanalysed = old.unanalysed.min(entry.segment.pages);
        }
    }

    /// Describes a segment by rule again, whatever a model wrote.
    pub(super) fn redescribe(&mut self, id: SegmentId, around: Around<'_>) {
        let Some(segment) = self.entry(id).map(|entry| entry.segment.clone()) else { return };
        let known = self.read_sentences(&segment, around.pages);
        self.describe(segment, known, &[], around.corpus);
    }

    /// Gives a segment the summary and the keywords that a model wrote. They stand until the next
    /// page joins; then the rules describe it again.
    pub(super) fn name(&mut self, id: SegmentId, summary: &str, keywords: &[String]) {
        let Some(mut entry) = self.entry(id).cloned() else { return };
        summary.clone_into(&mut entry.segment.summary);
        keywords.clone_into(&mut entry.segment.keywords);
        self.changed.insert(id, entry);
    }
}
