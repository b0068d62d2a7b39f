//! The engine's side of asking a model: what there is to do, and what becomes of the answers.
//!
//! Nothing here waits for a model. What was used is noted before a call, so that a process which
//! dies in the middle of one has paid for it.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::analyst::{Report, Taken, Work};
use super::options::ModelOptions;
use super::worker::{Stored, Worker};
use crate::llm::{Spent, Used};
use crate::memory::consolidate::{Ask, Job};
use crate::memory::page::Slot;
use crate::memory::segment::{Segment, SegmentId};
use crate::storage::StoreError;
use crate::storage::store::Mode;
use crate::time::Timestamp;

/// The pages that must have been filed for every answer of a model.
const PAGES_PER_ANSWER: u64 = 4;

/// After so many answers that do not fit, a job is left until the next start.
const MOST_REJECTIONS: u32 = 3;

/// The lock of whoever asks the model, among all processes of the user.
const LOCK: &str = ".model";

/// What this process knows of its work for a model.
#[derive(Debug, Default)]
pub(super) struct Consolidating {
    /// `.model`, while this process is at it.
    lock: Option<std::fs::File>,
    /// Pages up to here are left as the rules filed them.
    left_through: Slot,
    /// Segments that are left as they are, with the pages they had.
    left: HashMap<SegmentId, u32>,
    /// Why the last call came to nothing, if it did.
    last_failure: Option<String>,
    /// The first page of the job whose answers did not fit, and how many of them did not.
    rejected: Option<Slot>,
    n_rejected: u32,
}

/// What a model has used, as it is noted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Use {
    pub(super) today: Spent,
    /// All answers ever.
    answers: u64,
}

impl Use {
    fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.split(' ').map(str::parse::<u64>);
        let mut next = || numbers.next()?.ok();
        let today = Spent { day: i64::try_from(next()?).ok()?, calls: next()?, tokens: next()? };
        Some(Self { today, answers: next()? })
    }

    fn text(self) -> String {
        let Spent { day, calls, tokens } = self.today;
        format!("{} {calls} {tokens} {}", day.max(0), self.answers)
    }
}

impl Worker {
    /// Returns what a model is to do next, and notes that it is called.
    pub(super) fn next_job(
        &mut self,
        model: &ModelOptions,
        heat_threshold: f64,
        now: Timestamp,
    ) -> Result<Work, StoreError> {
        self.catch_up()?;
        if *self.store.mode() != Mode::Normal || !self.has_budget(model, now)? {
            self.consolidating.lock = None;
            return Ok(Work::Nothing);
        }
        let Some(mut job) = self.job(heat_threshold, now)? else {
            self.consolidating.lock = None;
            return Ok(Work::Nothing);
        };
        if self.consolidating.lock.is_none() {
            let lock = self.store.folder().lock_file(LOCK)?;
            if lock.try_lock().is_err() {
                return Ok(Work::OthersAreAtIt);
            }
            self.consolidating.lock = Some(lock);
            // Another process may have done it just now.
            return self.next_job(model, heat_threshold, now);
        }
        if !self.store.is_write_free() {
            return Ok(Work::OthersAreAtIt);
        }
        job.last_forget = self.store.last_forget()?;
        let left = model.budget.calls.saturating_sub(self.model_use()?.today.at(now).calls);
        self.spend(Used { calls: 1, tokens: 0 }, 0, now)?;
        Ok(Work::Job(Box::new(job), left))
    }

    /// Stores what a model said, if what it was made of is still as it was.
    pub(super) fn report(&mut self, report: &Report, now: Timestamp) -> Result<Taken, StoreError> {
        let Report { job, outcome, failure, answered, used } = report;
        if !self.store.is_write_free() {
            // Reading goes on meanwhile; the report comes again.
            return Ok(Taken::NotNow);
        }
        let more = Used { calls: used.calls.saturating_sub(1), tokens: used.tokens };
        self.spend(more, u64::from(*answered), now)?;
        self.consolidating.last_failure.clone_from(failure);
        let Some(outcome) = outcome else {
            self.consolidating.lock = None;
            if *answered {
                self.leave_after_rejections(job);
            }
            return Ok(Taken::Noted);
        };
        self.consolidating.n_rejected = 0;
        let stored = self.mutate("model", |memory, store| {
            let is_clean = store.last_forget().is_ok_and(|last| last == job.last_forget);
            let change = memory.decide_outcome(job, outcome, &Stored(store), now);
            change.filter(|_| is_clean).ok_or(())
        })?;
        Ok(if stored.is_ok() { Taken::Stored } else { Taken::Dropped })
    }

    fn job(&self, heat_threshold: f64, now: Timestamp) -> Result<Option<Job>, StoreError> {
        let through = self.store.filed_by_model()?.max(self.consolidating.left_through);
        let pages = Stored(&self.store);
        let left = &self.consolidating.left;
        let may = |segment: &Segment| left.get(&segment.id) != Some(&segment.pages);
        let filing = self.memory.filing_job(through, &pages);
        Ok(filing.or_else(|| self.memory.hot_job(heat_threshold, now, &pages, may)))
    }

    fn has_budget(&self, model: &ModelOptions, now: Timestamp) -> Result<bool, StoreError> {
        let used = self.model_use()?;
        let filed = self.memory.segments().n_pages() as u64;
        let is_earned = (used.answers + 1) * PAGES_PER_ANSWER <= filed;
        Ok(is_earned && model.budget.allows(used.today, now))
    }

    pub(super) fn model_use(&self) -> Result<Use, StoreError> {
        let text = self.store.model_use()?;
        Ok(text.as_deref().and_then(Use::parse).unwrap_or_default())
    }

    /// Notes what was used.
    pub(super) fn spend(
        &mut self,
        used: Used,
        answers: u64,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.aside(|worker| {
            let known = worker.model_use()?;
            let today = known.today.plus(used.calls, used.tokens, now);
            let answers = known.answers.saturating_add(answers);
            worker.store.set_model_use(&Use { today, answers }.text())
        })
    }

    /// Leaves a job alone whose answers again and again do not fit.
    fn leave_after_rejections(&mut self, job: &Job) {
        let first = job.pages.first().map(|(slot, _)| *slot);
        if self.consolidating.rejected != first {
            (self.consolidating.rejected, self.consolidating.n_rejected) = (first, 0);
        }
        self.consolidating.n_rejected += 1;
        if self.consolidating.n_rejected < MOST_REJECTIONS {
            return;
        }
        self.consolidating.n_rejected = 0;
        match &job.ask {
            Ask::File(_) => {
                let last = job.pages.last().map(|(slot, _)| *slot);
                self.consolidating.left_through = last.unwrap_or_default();
            }
            Ask::Consolidate(ask) => {
                if let Some(segment) = self.memory.segments().get(ask.segment) {
                    self.consolidating.left.insert(segment.id, segment.pages);
                }
            }
        }
    }

    /// Returns figures about the work for a model.
    pub(super) fn model_figures(
        &self,
        model: &ModelOptions,
        heat_threshold: f64,
        now: Timestamp,
    ) -> Result<Map<String, Value>, StoreError> {
        let today = self.model_use()?.today.at(now);
        let through = self.store.filed_by_model()?;
        let figures = json!({
            "calls_today": today.calls,
            "calls_a_day": model.budget.calls,
            "tokens_today": today.tokens,
            "tokens_a_day": model.budget.tokens,
            "pages_waiting": self.memory.filed_after(through, usize::MAX).len(),
            "segments_waiting": self.memory.n_hot(heat_threshold, now),
            "last_failure": self.consolidating.last_failure,
        });
        Ok(figures.as_object().cloned().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_used_comes_back_as_it_was_noted() {
        let known = Use { today: Spent { day: 20_000, calls: 3, tokens: 900 }, answers: 7 };
        assert_eq!(Use::parse(&known.text()), Some(known));
        for wrong in ["", "1 2 3", "1 2 3 x", "-1 2 3 4"] {
            assert_eq!(Use::parse(wrong), None, "{wrong}");
        }
    }
}
