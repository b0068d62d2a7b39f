//! Random steps on several open handles of one user, each answer compared with the ledger at once.

use faults::{Rule, World};
use memoryos::engine::{Added, Engine, EngineError, Recall};
use memoryos::memory::page::Page;
use memoryos::time::Timestamp;
use proptest::prelude::*;
use tempfile::TempDir;

use super::ledger::{Ledger, State, page};
use super::{data, demand, demand_all, open, panics};

/// One step. Numbers choose among what there is.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// Adds a page whose time is so many minutes after the first of May: the clock may step back.
    Add {
        on: usize,
        minutes: i64,
    },
    /// Adds a page without a time of its own.
    AddNow {
        on: usize,
    },
    /// Sends a page again.
    Again {
        on: usize,
        which: usize,
    },
    /// Adds a page on every handle at once.
    Together {
        minutes: i64,
    },
    Recall {
        on: usize,
        which: usize,
    },
    Page {
        on: usize,
        which: usize,
    },
    Forget {
        on: usize,
        which: usize,
    },
    Look {
        on: usize,
    },
    /// Closes a handle and opens it again.
    Reopen {
        on: usize,
    },
    /// Makes the disk fail.
    Fail(Rule),
    /// Lets nothing reach the disk any more, drops every handle, and begins anew.
    Die {
        after: u64,
    },
    Heal,
}

/// Returns steps of every kind that no failing disk is needed for.
pub(crate) fn sound_step() -> impl Strategy<Value = Step> {
    let (on, which, minutes) = (0..4_usize, any::<prop::sample::Index>(), -600..600_i64);
    let which = which.prop_map(|index| index.index(1 << 20));
    prop_oneof![
        8 => (on.clone(), minutes.clone()).prop_map(|(on, minutes)| Step::Add { on, minutes }),
        1 => on.clone().prop_map(|on| Step::AddNow { on }),
        2 => (on.clone(), which.clone()).prop_map(|(on, which)| Step::Again { on, which }),
        2 => minutes.prop_map(|minutes| Step::Together { minutes }),
        2 => (on.clone(), which.clone()).prop_map(|(on, which)| Step::Recall { on, which }),
        2 => (on.clone(), which.clone()).prop_map(|(on, which)| Step::Page { on, which }),
        1 => (on.clone(), which).prop_map(|(on, which)| Step::Forget { on, which }),
        2 => on.clone().prop_map(|on| Step::Look { on }),
        2 => on.prop_map(|on| Step::Reopen { on }),
    ]
}

/// Open handles of one user, and what they have answered.
pub(crate) struct Driver {
    data: TempDir,
    world: World,
    engines: Vec<Engine>,
    ledger: Ledger,
    /// Whether the disk was made to fail: then calls may be refused.
    may_fail: bool,
    /// Whether it fails now.
    fails: bool,
}

impl Driver {
    pub(crate) fn new(n_handles: usize, may_fail: bool) -> Self {
        let data = data();
        let world = World::over(data.path()).unwrap();
        let engines = (0..n_handles).map(|_| open(data.path())).collect();
        Self { data, world, engines, ledger: Ledger::default(), may_fail, fails: false }
    }

    /// Carries out all steps, then demands of a fresh engine what the ledger says.
    pub(crate) fn run(mut self, steps: &[Step]) {
        for step in steps {
            self.step(step);
            assert_eq!(panics(), [""; 0], "{step:?}");
        }
        self.step(&Step::Heal);
        // What nobody knows of is sent again: that is safe, and then it is known.
        for n in self.ledger.all(State::MayBe) {
            self.send_again(0, n);
        }
        for engine in self.engines.drain(..) {
            engine.close().wait().unwrap();
        }
        demand_all(self.data.path(), &self.ledger, "after all steps");
    }

    fn engine(&self, on: usize) -> &Engine {
        &self.engines[on % self.engines.len()]
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Add { on, minutes } => {
                let new = page(self.ledger.entries.len(), minutes);
                self.add(on, new);
            }
            Step::AddNow { on } => {
                let mut new = page(self.ledger.entries.len(), 0);
                (new.timestamp, new.timestamp_given) = (Timestamp::now(), false);
                self.add(on, new);
            }
            Step::Again { on, which } => {
                let may = |s: &State| !matches!(s, State::Gone | State::MayBeGone);
                if let Some(n) = self.choose(which, may) {
                    self.send_again(on, n);
                }
            }
            Step::Together { minutes } => self.add_together(minutes),
            Step::Recall { on, which } => self.recall(on, which),
            Step::Page { on, which } => self.page(on, which),
            Step::Forget { on, which } => self.forget(on, which),
            Step::Look { on } => self.look(on),
            Step::Reopen { on } => {
                let at = on % self.engines.len();
                let closed = self.engines[at].close().wait();
                assert!(self.may_fail || closed.is_ok(), "{closed:?}");
                self.engines[at] = open(self.data.path());
            }
            Step::Fail(rule) => {
                self.world.fail(rule);
                self.fails = true;
            }
            Step::Die { after } => self.die(after),
            Step::Heal => {
                self.world.heal();
                self.fails = false;
            }
        }
    }

    /// Chooses a page in one of these states.
    fn choose(&self, which: usize, is_meant: impl Fn(&State) -> bool) -> Option<usize> {
        let all = 0..self.ledger.entries.len();
        let meant: Vec<usize> = all.filter(|n| is_meant(&self.ledger.entries[*n].state)).collect();
        (!meant.is_empty()).then(|| meant[which % meant.len()])
    }

    fn add(&mut self, on: usize, new: memoryos::memory::page::NewPage) {
        let n = self.ledger.send(new.clone());
        let outcome = self.engine(on).add(new).wait();
        let duplicate = self.note(n, outcome);
        assert_ne!(duplicate, Some(true), "page {n} was never sent before");
    }

    fn send_again(&mut self, on: usize, n: usize) {
        let before = self.ledger.entries[n].state;
        let outcome = self.engine(on).add(self.ledger.entries[n].new.clone()).wait();
        let is_refused = outcome.is_err();
        if before != State::Stored {
            // It comes where it was first stored, or only now.
            self.ledger.entries[n].order = None;
        }
        let duplicate = self.note(n, outcome);
        match before {
            State::Stored | State::MayBe if is_refused => self.ledger.set(n, before),
            State::Stored => assert_eq!(duplicate, Some(true), "page {n} was there"),
            State::Refused => assert_ne!(duplicate, Some(true), "page {n} was not there"),
            _ => {}
        }
    }

    fn add_together(&mut self, minutes: i64) {
        let mut sent = Vec::new();
        for engine in &self.engines {
            let new = page(self.ledger.entries.len(), minutes);
            let n = if sent.is_empty() {
                self.ledger.send(new.clone())
            } else {
                self.ledger.send_with_last(new.clone())
            };
            sent.push((n, engine.add(new)));
        }
        for (n, reply) in sent {
            self.note(n, reply.wait());
        }
    }

    /// Notes an answer; whether the page is said to have been there.
    fn note(&mut self, n: usize, outcome: Result<Added, EngineError>) -> Option<bool> {
        match outcome {
            Ok(added) => {
                self.ledger.stored(n, added.id);
                return Some(added.duplicate);
            }
            Err(error) if !self.may_fail => panic!("page {n}: {error}"),
            Err(EngineError::Unknown(_)) => self.ledger.set(n, State::MayBe),
            Err(
                EngineError::NotStored(_)
                | EngineError::Busy(_)
                | EngineError::ReadOnly(_)
                | EngineError::Unavailable(_),
            ) => self.ledger.set(n, State::Refused),
            Err(error) => panic!("page {n}: {error}"),
        }
        None
    }

    /// Whether an answer may be an error; it must not where the disk works.
    fn read<T>(&self, answer: Result<T, EngineError>) -> Option<T> {
        match answer {
            Ok(answer) => Some(answer),
            Err(error) if self.fails => {
                let panicked = error.to_string().contains("the server failed");
                assert!(!panicked, "{error}");
                None
            }
            Err(error) => panic!("{error}"),
        }
    }

    fn recall(&self, on: usize, which: usize) {
        let Some(n) = self.choose(which, |_| true) else { return };
        let query = self.ledger.entries[n].new.texts.user_input.clone();
        let recall = Recall { query, max_results: 5, visit: which.is_multiple_of(2) };
        let Some(recalled) = self.read(self.engine(on).recall(recall).wait()) else { return };
        let found = recalled.found.iter().map(|found| &found.page);
        for page in found.chain(&recalled.short_term) {
            self.check(page);
        }
    }

    /// Demands that a page was sent and is what was sent, and that it was not forgotten.
    fn check(&self, page: &Page) {
        let mut sent = self.ledger.entries.iter().filter(|e| e.new.texts == page.new.texts);
        let entry = sent.next().unwrap_or_else(|| panic!("nobody sent {page:?}"));
        assert_eq!(page.new, entry.new);
        assert!(entry.state != State::Gone, "{page:?} is forgotten");
        assert!(entry.state != State::Refused, "{page:?} was not stored");
        assert!(entry.id.is_none_or(|id| id == page.id), "{page:?} has another id");
    }

    fn page(&self, on: usize, which: usize) {
        let known = |s: &State| matches!(s, State::Stored | State::Gone);
        let Some(n) = self.choose(which, known) else { return };
        let Some(id) = self.ledger.entries[n].id else { return };
        let Some(found) = self.read(self.engine(on).page(id).wait()) else { return };
        let is_stored = self.ledger.entries[n].state == State::Stored;
        assert_eq!(found.is_some(), is_stored, "page {n}");
        if let Some(found) = found {
            self.check(&found.page);
        }
    }

    fn forget(&mut self, on: usize, which: usize) {
        let Some(n) = self.choose(which, |s| *s == State::Stored) else { return };
        let id = self.ledger.entries[n].id.unwrap();
        match self.engine(on).forget(vec![id]).wait() {
            Ok(_) => self.ledger.set(n, State::Gone),
            // Where others are at the files for too long, it is erased later.
            Err(EngineError::NotErased(_)) if self.may_fail || self.engines.len() > 1 => {
                self.ledger.set(n, State::Gone);
            }
            Err(error) if !self.may_fail => panic!("{error}"),
            Err(EngineError::Unknown(_)) => self.ledger.set(n, State::MayBeGone),
            Err(
                EngineError::NotStored(_)
                | EngineError::Busy(_)
                | EngineError::ReadOnly(_)
                | EngineError::Unavailable(_)
                | EngineError::Refused(_),
            ) => {}
            Err(error) => panic!("{error}"),
        }
    }

    fn look(&self, on: usize) {
        let profile = self.read(self.engine(on).profile().wait());
        assert!(profile.is_some() || self.fails);
        let Some(info) = self.read(self.engine(on).info().wait()) else { return };
        if self.ledger.is_certain() {
            let n_stored = self.ledger.all(State::Stored).len();
            assert_eq!(info.stats["total_pages"], n_stored, "{:?}", info.notices);
        }
    }

    fn die(&mut self, after: u64) {
        let n_handles = self.engines.len();
        self.world.stop_after(after);
        self.step(&Step::Together { minutes: 0 });
        self.world.stop_after(0);
        // All at once: each tries for a while to write its views.
        let closing: Vec<_> = self.engines.drain(..).map(|engine| engine.close()).collect();
        for closed in closing {
            drop(closed.wait());
        }
        self.step(&Step::Heal);
        let verdict = demand(self.data.path(), &self.ledger, "after it died");
        assert_eq!((verdict.notices.as_str(), verdict.lost.len()), ("", 0), "after it died");
        self.engines = (0..n_handles).map(|_| open(self.data.path())).collect();
    }
}
