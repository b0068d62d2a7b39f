//! Each way a disk can fail, one at a time: what the answer says is true, reading goes on, and what
//! comes after is as if nothing had happened.

use std::time::Duration;

use faults::{Fault, Lasts, Op, Rule, World};
use memoryos::engine::{Engine, EngineError, Recall};

use crate::support::{
    FAILED_COMMIT, Ledger, State, data, demand, demand_all, in_parallel, open, page,
};

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// What an add must be answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Success,
    NothingStored,
    NotKnown,
}

/// What fails, how, how long, and what an add is answered with.
type Case = (&'static [Op], &'static str, Fault, Lasts, Answer);

const CASES: [Case; 9] = [
    (&[Op::Write], "-wal", Fault::Full, Lasts::Onward, Answer::NothingStored),
    (&[Op::Write], "-wal", Fault::Io, Lasts::Onward, Answer::NotKnown),
    (&[Op::Write], "-wal", Fault::ReadOnly, Lasts::Onward, Answer::NotKnown),
    // The frames are written, and whether they are durable is not known.
    (&[Op::Sync], "-wal", Fault::Io, Lasts::Times(1), Answer::NotKnown),
    (&[Op::Sync], "-wal", Fault::Io, Lasts::Onward, Answer::NotKnown),
    (&[Op::Shm], "", Fault::Busy, Lasts::Times(2), Answer::Success),
    (&[Op::Shm], "", Fault::Io, Lasts::Onward, Answer::NothingStored),
    // A checkpoint that fails is made up for; nobody waits for it.
    (&[Op::Write, Op::Sync], "memory.db", Fault::Full, Lasts::Onward, Answer::Success),
    (&[Op::Write], "static-128.db", Fault::Io, Lasts::Onward, Answer::Success),
];

/// Returns whose operations fail: a failure that happens once is meant for the add, not for the
/// checkpoint beside it.
fn thread_of(lasts: Lasts) -> Option<&'static str> {
    (lasts == Lasts::Times(1)).then_some("engine")
}

fn add(engine: &Engine, ledger: &mut Ledger) -> Answer {
    let n = ledger.entries.len();
    let new = page(n, 0);
    ledger.send(new.clone());
    match engine.add(new).wait() {
        Ok(added) => {
            ledger.stored(n, added.id);
            Answer::Success
        }
        Err(EngineError::Unknown(_)) => Answer::NotKnown,
        Err(error) => {
            assert!(error.to_string().starts_with("nothing was stored"), "{error}");
            ledger.set(n, State::Refused);
            Answer::NothingStored
        }
    }
}

/// Queues four pages and the first of them once more while the engine is held up, so that they are
/// stored together; returns what all of them were answered with.
fn add_together(world: &World, engine: &Engine, ledger: &mut Ledger, rule: Rule) -> Answer {
    let hold = world.hold("engine", &[Op::Shm], 0);
    let info = engine.info();
    assert!(hold.wait(PATIENCE), "the engine is not held");
    let first = ledger.entries.len();
    let mut sent = Vec::new();
    for n in (first..first + 4).chain([first]) {
        let new = page(n, 0);
        if n == ledger.entries.len() {
            ledger.send(new.clone());
        }
        sent.push((n, engine.add(new)));
    }
    world.fail(rule);
    drop(hold);
    info.wait().unwrap();
    let mut answers = Vec::new();
    for (at, (n, reply)) in sent.into_iter().enumerate() {
        answers.push(match reply.wait() {
            Ok(added) => {
                assert_eq!(added.duplicate, at == 4, "{n}");
                ledger.stored(n, added.id);
                Answer::Success
            }
            Err(EngineError::Unknown(_)) => Answer::NotKnown,
            Err(_) => {
                ledger.set(n, State::Refused);
                Answer::NothingStored
            }
        });
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    answers[0]
}

/// Demands that reading gives every page that was acknowledged.
fn read_all(engine: &Engine, ledger: &Ledger, at: &str) {
    for n in ledger.all(State::Stored) {
        let id = ledger.entries[n].id.unwrap();
        let found = engine.page(id).wait().unwrap_or_else(|error| panic!("{at}: {error}"));
        assert_eq!(found.unwrap().page.new, ledger.entries[n].new, "{at}");
    }
    let recall = Recall { query: "the sails".to_owned(), max_results: 5, visit: true };
    assert!(engine.recall(recall).wait().is_ok(), "{at}");
    assert!(engine.profile().wait().is_ok(), "{at}");
}

/// Adds one more page, sends what may be there once more, and closes.
fn goes_on(engine: &Engine, ledger: &mut Ledger, at: &str) {
    assert_eq!(add(engine, ledger), Answer::Success, "{at}");
    for n in ledger.all(State::MayBe) {
        let again = engine.add(ledger.entries[n].new.clone()).wait().unwrap();
        ledger.stored(n, again.id);
        ledger.entries[n].order = None;
    }
    engine.close().wait().unwrap();
}

#[test]
fn every_kind_of_failure_is_answered_with_the_truth_and_reading_goes_on() {
    in_parallel(CASES.to_vec(), |case| {
        let (ops, file, fault, lasts, expected) = case;
        let at = format!("{case:?}");
        let (data, mut ledger) = (data(), Ledger::default());
        let world = World::over(data.path()).unwrap();
        let engine = open(data.path());
        for _ in 0..5 {
            assert_eq!(add(&engine, &mut ledger), Answer::Success);
        }
        world.fail(Rule { ops, file, thread: thread_of(lasts), after: 0, fault, lasts });
        assert_eq!(add(&engine, &mut ledger), expected, "{at}");
        if !ops.contains(&Op::Shm) && expected != Answer::NotKnown {
            read_all(&engine, &ledger, &at);
        }
        world.heal();
        read_all(&engine, &ledger, &at);
        goes_on(&engine, &mut ledger, &at);
        demand_all(data.path(), &ledger, &at);
    });
}

#[test]
fn adds_that_wait_together_are_all_stored_or_none_of_them() {
    in_parallel(CASES.to_vec(), |(ops, file, fault, lasts, expected)| {
        if ops.contains(&Op::Shm) {
            return;
        }
        let at = format!("{ops:?} of {file:?}: {fault:?}");
        let (data, mut ledger) = (data(), Ledger::default());
        let world = World::over(data.path()).unwrap();
        let engine = open(data.path());
        for _ in 0..5 {
            add(&engine, &mut ledger);
        }
        let rule = Rule { ops, file, thread: thread_of(lasts), after: 0, fault, lasts };
        assert_eq!(add_together(&world, &engine, &mut ledger, rule), expected, "{at}");
        world.heal();
        // Nothing that was refused is found, nor its place used.
        read_all(&engine, &ledger, &at);
        let total = engine.info().wait().unwrap().stats["total_pages"].as_u64().unwrap();
        if expected == Answer::NotKnown {
            assert!(total == 5 || total == 9, "{at}: {total}");
        } else {
            assert_eq!(total, ledger.all(State::Stored).len() as u64, "{at}");
        }
        goes_on(&engine, &mut ledger, &at);
        demand_all(data.path(), &ledger, &at);
    });
}

#[test]
fn a_commit_that_nobody_knows_of_is_there_or_not_when_the_process_dies_after_it() {
    let stops: Vec<u64> = (0..12).collect();
    in_parallel(stops, |after| {
        let at = format!("stopped {after} operations after the sync that failed");
        let (data, mut ledger) = (data(), Ledger::default());
        let world = World::over(data.path()).unwrap();
        let engine = open(data.path());
        for _ in 0..4 {
            add(&engine, &mut ledger);
        }
        world.fail(FAILED_COMMIT);
        assert_eq!(add(&engine, &mut ledger), Answer::NotKnown, "{at}");
        world.stop_after(after);
        // Whatever it still manages to do, it must not undo what was acknowledged.
        drop(engine.info().wait());
        drop(engine.close().wait());
        world.heal();
        let verdict = demand(data.path(), &ledger, &at);
        assert_eq!((verdict.lost, verdict.notices.as_str()), (vec![], ""), "{at}");
    });
}

#[test]
fn a_disk_that_takes_nothing_serves_what_is_there() {
    for (fault, file) in [(Fault::Full, ""), (Fault::ReadOnly, ""), (Fault::Full, "-wal")] {
        let (data, mut ledger) = (data(), Ledger::default());
        let world = World::over(data.path()).unwrap();
        let engine = open(data.path());
        for _ in 0..5 {
            add(&engine, &mut ledger);
        }
        engine.close().wait().unwrap();
        let ops: &[Op] = &[Op::Write, Op::Truncate, Op::Sync, Op::Delete];
        world.fail(Rule { ops, file, thread: None, after: 0, fault, lasts: Lasts::Onward });
        let engine = open(data.path());
        let at = format!("{fault:?} of {file:?}");
        read_all(&engine, &ledger, &at);
        assert_ne!(add(&engine, &mut ledger), Answer::Success, "{at}");
        engine.close().wait().unwrap();
        world.heal();
        for n in ledger.all(State::MayBe) {
            ledger.entries[n].order = None;
        }
        demand_all(data.path(), &ledger, &at);
    }
}
