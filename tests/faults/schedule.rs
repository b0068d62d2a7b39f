//! Several engines at one folder, with the order of their operations on the disk steered: one is
//! held up before its n-th while the others go on.

use std::fs::OpenOptions;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use faults::{Hold, Op, World};
use memoryos::engine::{Added, Engine, EngineError, Reply};

use crate::support::{
    FAILED_COMMIT, Ledger, State, data, demand_all, file, in_parallel, n_points, open, page, until,
};

const ALL: &[Op] =
    &[Op::Open, Op::Write, Op::Truncate, Op::Sync, Op::Delete, Op::Lock, Op::Shm, Op::Read];

/// Whether an answer has come; it is kept for later.
struct Awaited<T> {
    reply: Reply<T>,
    answer: Option<Result<T, EngineError>>,
}

impl<T> Awaited<T> {
    fn new(reply: Reply<T>) -> Self {
        Self { reply, answer: None }
    }

    fn is_there(&mut self) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        if self.answer.is_none()
            && let Poll::Ready(answer) = Pin::new(&mut self.reply).poll(&mut context)
        {
            self.answer = Some(answer);
        }
        self.answer.is_some()
    }

    fn wait(self) -> Result<T, EngineError> {
        match self.answer {
            Some(answer) => answer,
            None => self.reply.wait(),
        }
    }
}

/// Waits until an operation is held, or the call is over without it; whether one is held.
fn is_held<T>(hold: &Hold, call: &mut Awaited<T>) -> bool {
    until("the operation is held or over", || hold.is_held() || call.is_there());
    hold.is_held()
}

fn send(ledger: &mut Ledger, engine: &Engine) -> (usize, Awaited<Added>) {
    let n = ledger.entries.len();
    let new = page(n, 0);
    ledger.send_with_last(new.clone());
    (n, Awaited::new(engine.add(new)))
}

fn add(ledger: &mut Ledger, engine: &Engine) {
    let (n, added) = send(ledger, engine);
    ledger.stored(n, added.wait().unwrap().id);
}

fn total(engine: &Engine) -> u64 {
    engine.info().wait().unwrap().stats["total_pages"].as_u64().unwrap()
}

fn close(engines: [Engine; 2]) {
    for closed in engines.map(|engine| engine.close()) {
        closed.wait().unwrap();
    }
}

/// Whether nobody has the turn to write.
fn is_write_free(data: &Path) -> bool {
    let lock = OpenOptions::new().write(true).open(file(data, ".write")).unwrap();
    lock.try_lock().is_ok()
}

/// The numbers of operations before which something is held: the first 40, then ever fewer.
fn stops(n: usize) -> Vec<u64> {
    (0..n as u64).map(|n| if n < 40 { n } else { n * n / 40 }).collect()
}

#[test]
fn while_a_writer_is_held_anywhere_the_others_read_and_nothing_is_lost() {
    in_parallel(stops(n_points(60)), |after| {
        let (data, mut ledger) = (data(), Ledger::default());
        let world = World::over(data.path()).unwrap();
        let (first, second) = (open(data.path()), open(data.path()));
        for _ in 0..4 {
            add(&mut ledger, &first);
        }
        assert_eq!(total(&second), 4);
        let hold = world.hold("engine", ALL, after);
        let (n, mut added) = send(&mut ledger, &first);
        if is_held(&hold, &mut added) {
            let seen = total(&second);
            assert!(seen == 4 || seen == 5, "{seen} pages, held before operation {after}");
            let free = is_write_free(data.path());
            let (own, mut sent) = send(&mut ledger, &second);
            if free {
                until("the other one writes", || sent.is_there());
            }
            drop(hold);
            // Where the turn was not free in time, it says so.
            match sent.wait() {
                Ok(added) => ledger.stored(own, added.id),
                Err(error) => {
                    assert!(matches!(error, EngineError::Busy(_)) && !free, "{error}");
                    ledger.set(own, State::Refused);
                }
            }
        } else {
            drop(hold);
        }
        ledger.stored(n, added.wait().unwrap().id);
        let n_stored = ledger.all(State::Stored).len() as u64;
        assert_eq!((total(&first), total(&second)), (n_stored, n_stored), "held at {after}");
        close([first, second]);
        demand_all(data.path(), &ledger, &format!("a writer held before operation {after}"));
    });
}

#[test]
fn while_a_reader_is_held_anywhere_the_others_write_and_it_sees_all_afterwards() {
    in_parallel(stops(n_points(30)), |after| {
        let (data, mut ledger) = (data(), Ledger::default());
        let world = World::over(data.path()).unwrap();
        let (first, second) = (open(data.path()), open(data.path()));
        add(&mut ledger, &first);
        assert_eq!(total(&second), 1);
        add(&mut ledger, &first);
        let hold = world.hold("engine", ALL, after);
        let mut info = Awaited::new(second.info());
        if is_held(&hold, &mut info) {
            for _ in 0..5 {
                // A reader that stands still between two locks may be waited for in vain.
                let (n, added) = send(&mut ledger, &first);
                if let Ok(added) = added.wait() {
                    ledger.stored(n, added.id);
                }
            }
        }
        drop(hold);
        for n in ledger.all(State::MayBe) {
            let id = first.add(ledger.entries[n].new.clone()).wait().unwrap().id;
            ledger.stored(n, id);
        }
        let seen = info.wait().unwrap().stats["total_pages"].as_u64().unwrap();
        let n_sent = ledger.entries.len() as u64;
        assert!((2..=n_sent).contains(&seen), "{seen} pages, held before operation {after}");
        assert_eq!(total(&second), n_sent, "held before operation {after}");
        close([first, second]);
        demand_all(data.path(), &ledger, &format!("a reader held before operation {after}"));
    });
}

#[test]
fn while_one_that_opens_is_held_anywhere_another_opens_too_and_both_see_all() {
    in_parallel(stops(n_points(40)), |after| {
        let (data, mut ledger) = (data(), Ledger::default());
        let world = World::over(data.path()).unwrap();
        // Every other time there is no memory yet.
        if after % 2 == 0 {
            let engine = open(data.path());
            (0..5).for_each(|_| add(&mut ledger, &engine));
            engine.close().wait().unwrap();
        }
        let n_before = ledger.entries.len() as u64;
        let hold = world.hold("engine", ALL, after * 3);
        let first = open(data.path());
        let mut opened = Awaited::new(first.info());
        let held = is_held(&hold, &mut opened);
        let second = open(data.path());
        let second_opened = Awaited::new(second.info());
        drop(hold);
        for opened in [opened, second_opened] {
            let seen = opened.wait().unwrap().stats["total_pages"].as_u64();
            assert_eq!(seen, Some(n_before), "held ({held}) before operation {after}");
        }
        add(&mut ledger, &first);
        add(&mut ledger, &second);
        assert_eq!((total(&first), total(&second)), (n_before + 2, n_before + 2));
        close([first, second]);
        demand_all(data.path(), &ledger, &format!("an opening held before operation {after}"));
    });
}

#[test]
fn a_folder_that_is_removed_while_it_is_opened_again_does_not_come_back_empty() {
    in_parallel(stops(n_points(30)), |after| {
        let (data, mut ledger) = (data(), Ledger::default());
        let world = World::over(data.path()).unwrap();
        let engine = open(data.path());
        (0..4).for_each(|_| add(&mut ledger, &engine));
        // After an outcome that is not known everything is opened again.
        world.fail(FAILED_COMMIT);
        let (_, added) = send(&mut ledger, &engine);
        assert!(matches!(added.wait(), Err(EngineError::Unknown(_))));
        let hold = world.hold("engine", ALL, after);
        let mut info = Awaited::new(engine.info());
        let held = is_held(&hold, &mut info);
        if held {
            std::fs::remove_dir_all(data.path().join("ada")).unwrap();
        }
        drop(hold);
        drop(info.wait());
        let again = engine.info().wait();
        drop(engine.close().wait());
        assert_eq!(file(data.path(), "memory.db").exists(), !held, "held at {after}");
        assert_eq!(again.is_err(), held, "held at {after}: {again:?}");
    });
}
