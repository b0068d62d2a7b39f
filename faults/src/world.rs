//! A folder whose SQLite files are counted, made to fail, held up and looked at.
//!
//! Everything about one world happens one after another: an operation and what is noted of it are
//! one step, so that whoever looks between two operations sees what a crash there would leave.

use std::cell::Cell;
use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use crate::image::Images;
use crate::random::Random;
use crate::rule::{Fault, Lasts, Op, Rule, ends_with};
use crate::snapshot::Snapshot;

/// A folder below which SQLite's files are under control, until it is dropped.
#[derive(Debug, Clone)]
pub struct World(Arc<Guarded>);

/// Unregisters the world with its last handle.
#[derive(Debug)]
struct Guarded(Arc<Shared>);

impl Drop for Guarded {
    fn drop(&mut self) {
        let mut worlds = WORLDS.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(worlds) = worlds.as_mut() {
            worlds.remove(&self.0.root);
        }
    }
}

static WORLDS: RwLock<Option<HashMap<PathBuf, Arc<Shared>>>> = RwLock::new(None);

/// Returns the world that a file is in.
pub(crate) fn world_of(file: &Path) -> Option<Arc<Shared>> {
    let worlds = WORLDS.read().unwrap_or_else(PoisonError::into_inner);
    file.ancestors().find_map(|above| worlds.as_ref()?.get(above).map(Arc::clone))
}

thread_local! {
    /// Whether this thread is in an operation of SQLite's: what that does to files is a part of it.
    static IS_INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Does a part of an operation of SQLite's.
fn inside(act: impl FnOnce() -> i32) -> i32 {
    IS_INSIDE.set(true);
    let code = act();
    IS_INSIDE.set(false);
    code
}

/// Counts and shows what others than SQLite are about to do to a file; false where it must not be
/// done, since nothing works any more.
pub(crate) fn touch(file: &Path) -> bool {
    let world = if IS_INSIDE.get() { None } else { world_of(file) };
    world.is_none_or(|world| world.pass(Op::File, file, || 0) == 0 && !world.is_stopped())
}

#[derive(Debug)]
pub(crate) struct Shared {
    root: PathBuf,
    state: Mutex<State>,
    moved: Condvar,
}

#[derive(Debug, Default)]
struct State {
    n_ops: u64,
    n_failed: u64,
    /// From this operation on nothing works.
    stop_at: Option<u64>,
    rules: Vec<(Rule, u64)>,
    held: Option<Holding>,
    images: Images,
    observer: Option<Observer>,
    last: Snapshot,
}

struct Observer(Box<dyn FnMut(&mut Moment<'_>) + Send>);

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observer")
    }
}

/// An operation that is held up.
#[derive(Debug)]
struct Holding {
    thread: String,
    ops: &'static [Op],
    left: u64,
    is_held: bool,
}

/// The state of a world's files before an operation.
#[derive(Debug)]
pub struct Moment<'a> {
    /// The operation's number, counted from 1.
    pub n: u64,
    /// What is about to be done.
    pub op: Op,
    /// To which file.
    pub file: &'a Path,
    root: &'a Path,
    images: &'a Images,
    last: &'a mut Snapshot,
}

impl Moment<'_> {
    /// Returns what a process that is killed now leaves.
    pub fn killed(&mut self) -> Snapshot {
        let now = Snapshot::of(self.root, self.last);
        *self.last = now.clone();
        now
    }

    /// Returns what a power cut leaves now: of what was written since the last sync of a file any
    /// part, as `seed` says, and no shared index of a log.
    pub fn power_lost(&mut self, seed: u64) -> Snapshot {
        let mut random = Random::new(seed);
        let mut left = self.killed();
        left.retain(|name| !ends_with(name, "-shm"));
        let files: Vec<_> =
            left.files().map(|(name, bytes)| (name.to_owned(), bytes.to_owned())).collect();
        for (name, content) in files {
            let path = self.root.join(&name);
            if let Some(torn) = self.images.after_power_loss(&path, &content, &mut random) {
                left.put(&name.to_string_lossy(), torn);
            }
        }
        left
    }
}

impl World {
    /// Takes control of what SQLite does below `root`, which exists.
    ///
    /// # Errors
    ///
    /// When `root` cannot be found.
    pub fn over(root: &Path) -> std::io::Result<Self> {
        crate::install();
        let root = root.canonicalize()?;
        let state = Mutex::new(State::default());
        let shared = Arc::new(Shared { root: root.clone(), state, moved: Condvar::new() });
        let mut worlds = WORLDS.write().unwrap_or_else(PoisonError::into_inner);
        worlds.get_or_insert_default().insert(root, Arc::clone(&shared));
        Ok(Self(Arc::new(Guarded(shared))))
    }

    /// Returns how many operations there were; reads do not count.
    pub fn n_ops(&self) -> u64 {
        self.state().n_ops
    }

    /// Returns how many operations were made to fail.
    pub fn n_failed(&self) -> u64 {
        self.state().n_failed
    }

    /// Makes operations fail from now on.
    pub fn fail(&self, rule: Rule) {
        self.state().rules.push((rule, 0));
    }

    /// Lets `after` more operations pass; then nothing works, as if the process had died: nothing
    /// reaches the disk any more.
    pub fn stop_after(&self, after: u64) {
        let mut state = self.state();
        state.stop_at = Some(state.n_ops + after + 1);
    }

    /// Lets everything work again.
    pub fn heal(&self) {
        let mut state = self.state();
        state.rules.clear();
        state.stop_at = None;
    }

    /// Has every moment before a counted operation looked at. While that is done, nothing else moves.
    pub fn watch(&self, observer: impl FnMut(&mut Moment<'_>) + Send + 'static) {
        self.state().observer = Some(Observer(Box::new(observer)));
    }

    /// Looks no more.
    pub fn unwatch(&self) {
        self.state().observer = None;
    }

    /// Holds up the operation, one of `ops`, that a thread of this name does after `after` others,
    /// until the hold is dropped.
    pub fn hold(&self, thread: &str, ops: &'static [Op], after: u64) -> Hold {
        let holding = Holding { thread: thread.to_owned(), ops, left: after, is_held: false };
        self.state().held = Some(holding);
        Hold(self.clone())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.0.state()
    }
}

/// A hold on an operation. Dropping it lets the operation go on.
#[derive(Debug)]
pub struct Hold(World);

impl Hold {
    /// Waits until a thread is held, at most so long; whether one is.
    pub fn wait(&self, at_most: Duration) -> bool {
        let shared = &self.0.0.0;
        let is_free = |state: &mut State| !state.held.as_ref().is_some_and(|held| held.is_held);
        let waited = shared.moved.wait_timeout_while(shared.state(), at_most, is_free);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        !is_free(&mut state)
    }

    /// Whether a thread is held now.
    pub fn is_held(&self) -> bool {
        self.wait(Duration::ZERO)
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.0.state().held = None;
        self.0.0.0.moved.notify_all();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Carries out an operation: `act` does it, or, given the code of a failure, what is left of it.
    pub(crate) fn operate(
        &self,
        op: Op,
        file: &Path,
        act: impl FnOnce(&mut Images, Option<i32>) -> i32,
    ) -> i32 {
        let mut state = self.hold(self.state(), op);
        if op != Op::Read {
            state.n_ops += 1;
            self.show(&mut state, op, file);
        }
        let failure = state.failure(op, file);
        state.n_failed += u64::from(failure.is_some());
        inside(|| act(&mut state.images, failure))
    }

    /// Carries out what cannot fail and is never held up: others would wait for it.
    pub(crate) fn pass(&self, op: Op, file: &Path, act: impl FnOnce() -> i32) -> i32 {
        let mut state = self.state();
        state.n_ops += 1;
        self.show(&mut state, op, file);
        inside(act)
    }

    /// Whether nothing works any more.
    pub(crate) fn is_stopped(&self) -> bool {
        let state = self.state();
        state.stop_at.is_some_and(|at| at <= state.n_ops)
    }

    fn hold<'a>(&self, mut state: MutexGuard<'a, State>, op: Op) -> MutexGuard<'a, State> {
        let me = std::thread::current();
        let Some(holding) = &mut state.held else { return state };
        let meant = holding.ops.contains(&op) && me.name() == Some(&holding.thread);
        if !meant || holding.is_held {
            return state;
        }
        if holding.left > 0 {
            holding.left -= 1;
            return state;
        }
        holding.is_held = true;
        self.moved.notify_all();
        self.moved
            .wait_while(state, |state| state.held.is_some())
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn show(&self, state: &mut State, op: Op, file: &Path) {
        let Some(mut observer) = state.observer.take() else { return };
        let State { n_ops, images, last, .. } = &mut *state;
        let mut moment = Moment { n: *n_ops, op, file, root: &self.root, images, last };
        (observer.0)(&mut moment);
        state.observer = Some(observer);
    }
}

impl State {
    fn failure(&mut self, op: Op, file: &Path) -> Option<i32> {
        if self.stop_at.is_some_and(|at| at <= self.n_ops) {
            return Some(Fault::Io.code(op));
        }
        for (rule, met) in &mut self.rules {
            if !rule.is_about(op, file) {
                continue;
            }
            *met += 1;
            let since = met.checked_sub(rule.after + 1);
            let fails = match rule.lasts {
                Lasts::Times(times) => since.is_some_and(|n| n < times),
                Lasts::Onward => since.is_some(),
            };
            if fails {
                return Some(rule.fault.code(op));
            }
        }
        None
    }
}
