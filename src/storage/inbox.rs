//! Notes to a thread that gets up by itself: it is woken only where that would be too late.
//!
//! Waking a thread for every note costs the sender more than the note: the thread takes its
//! processor, if only to see that nothing is due.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The notes that wait for one thread.
pub(crate) struct Inbox<T> {
    waiting: Mutex<Waiting<T>>,
    bell: Condvar,
    /// How long a note may wait.
    patience: Duration,
}

struct Waiting<T> {
    notes: Vec<T>,
    is_closed: bool,
    sleep: Sleep,
}

/// What the thread does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sleep {
    /// It is up, or was told to get up: it looks at the notes before it sleeps.
    Awake,
    /// It sleeps until then, or until it is woken.
    Until(Option<Instant>),
}

impl<T> std::fmt::Debug for Inbox<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inbox").finish_non_exhaustive()
    }
}

impl<T> Inbox<T> {
    /// Makes an empty one, whose notes may wait so long.
    pub(crate) fn new(patience: Duration) -> Self {
        let waiting = Waiting { notes: Vec::new(), is_closed: false, sleep: Sleep::Awake };
        Self { waiting: Mutex::new(waiting), bell: Condvar::new(), patience }
    }

    /// Leaves a note; the thread is woken where it would sleep on beyond the patience.
    pub(crate) fn leave(&self, note: T) {
        let latest = Instant::now() + self.patience;
        self.put(note, |sleep| match sleep {
            Sleep::Awake => false,
            Sleep::Until(at) => at.is_none_or(|at| at > latest),
        });
    }

    /// Leaves a note that is looked at now.
    pub(crate) fn leave_now(&self, note: T) {
        self.put(note, |sleep| sleep != Sleep::Awake);
    }

    /// Ends it: the thread gets the notes that are there, and no more are taken.
    pub(crate) fn close(&self) {
        let mut waiting = self.lock();
        waiting.is_closed = true;
        waiting.sleep = Sleep::Awake;
        drop(waiting);
        self.bell.notify_one();
    }

    /// Ends it from the thread's side, however that ends: notes are dropped, so that whoever waits for
    /// something in one is told.
    pub(crate) fn ends_with(&self) -> impl Drop {
        struct End<'a, T>(&'a Inbox<T>);
        impl<T> Drop for End<'_, T> {
            fn drop(&mut self) {
                self.0.close();
                let notes = std::mem::take(&mut self.0.lock().notes);
                drop(notes);
            }
        }
        End(self)
    }

    /// Waits until `at` or until it is woken; returns the notes, and whether there will be no more.
    pub(crate) fn wait(&self, at: Option<Instant>) -> (Vec<T>, bool) {
        let mut waiting = self.lock();
        if !waiting.is_closed && waiting.notes.is_empty() {
            waiting.sleep = Sleep::Until(at);
        }
        while waiting.sleep != Sleep::Awake {
            let left = at.map(|at| at.saturating_duration_since(Instant::now()));
            waiting = match left {
                Some(Duration::ZERO) => break,
                Some(left) => match self.bell.wait_timeout(waiting, left) {
                    Ok((waiting, _)) => waiting,
                    Err(poisoned) => poisoned.into_inner().0,
                },
                None => self.bell.wait(waiting).unwrap_or_else(PoisonError::into_inner),
            };
        }
        waiting.sleep = Sleep::Awake;
        (std::mem::take(&mut waiting.notes), waiting.is_closed)
    }

    fn put(&self, note: T, is_due: impl Fn(Sleep) -> bool) {
        let mut waiting = self.lock();
        if waiting.is_closed {
            return;
        }
        waiting.notes.push(note);
        let wakes = is_due(waiting.sleep);
        if wakes {
            waiting.sleep = Sleep::Awake;
        }
        drop(waiting);
        if wakes {
            self.bell.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting<T>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    /// Has a thread wait until `at`, and calls `then` once it sleeps; returns what it woke with.
    fn woken(at: Option<Instant>, then: impl FnOnce(&Inbox<u8>)) -> (Vec<u8>, bool) {
        let inbox = Arc::new(Inbox::new(HOUR));
        let thread = std::thread::spawn({
            let inbox = Arc::clone(&inbox);
            move || inbox.wait(at)
        });
        while inbox.lock().sleep == Sleep::Awake {
            std::thread::yield_now();
        }
        then(&inbox);
        thread.join().unwrap()
    }

    #[test]
    fn a_note_wakes_who_would_sleep_on() {
        assert_eq!(woken(None, |inbox| inbox.leave(1)), (vec![1], false));
        let far = Instant::now() + 2 * HOUR;
        assert_eq!(woken(Some(far), |inbox| inbox.leave(2)), (vec![2], false));
    }

    #[test]
    fn a_note_waits_for_who_gets_up_soon() {
        let soon = Instant::now() + HOUR / 2;
        let both = |inbox: &Inbox<u8>| {
            inbox.leave(1);
            assert_eq!(inbox.lock().sleep, Sleep::Until(Some(soon)));
            inbox.leave_now(2);
        };
        assert_eq!(woken(Some(soon), both), (vec![1, 2], false));
    }

    #[test]
    fn what_was_left_meanwhile_is_looked_at_before_sleeping() {
        let inbox = Inbox::new(HOUR);
        inbox.leave(1);
        inbox.leave_now(2);
        assert_eq!(inbox.wait(None), (vec![1, 2], false));
        assert_eq!(inbox.wait(Some(Instant::now())), (vec![], false), "its time has come");
    }

    #[test]
    fn whoever_waits_is_told_the_end_with_the_last_notes() {
        assert_eq!(woken(None, Inbox::close), (vec![], true));
        let inbox = Inbox::new(HOUR);
        inbox.leave(1);
        inbox.close();
        assert_eq!(inbox.wait(None), (vec![1], true));
    }

    #[test]
    fn whoever_left_a_note_is_told_where_the_thread_ends_without_it() {
        let inbox = Inbox::new(HOUR);
        let (first, second) = (Arc::new(1), Arc::new(2));
        inbox.leave(Arc::clone(&first));
        drop(inbox.ends_with());
        inbox.leave_now(Arc::clone(&second));
        assert_eq!((Arc::strong_count(&first), Arc::strong_count(&second)), (1, 1));
    }
}
