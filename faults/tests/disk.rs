//! The disk does what it says: it counts, fails, stops, holds and loses.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::Path;
use std::sync::mpsc::channel;
use std::time::Duration;

use faults::{Fault, Lasts, Op, Rule, World};
use rusqlite::{Connection, ErrorCode, OpenFlags};
use tempfile::TempDir;

/// A database with a log in a world, and one row.
fn database(synchronous: &str) -> (TempDir, World, Connection) {
    let dir = TempDir::new().unwrap();
    let world = World::over(dir.path()).unwrap();
    let conn = Connection::open(dir.path().join("a.db")).unwrap();
    let pragmas = "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0";
    let table = "CREATE TABLE t (a); INSERT INTO t VALUES (1)";
    conn.execute_batch(&format!("{pragmas}; PRAGMA synchronous = {synchronous}; {table}")).unwrap();
    (dir, world, conn)
}

fn rows(conn: &Connection) -> i64 {
    conn.query_row("SELECT COUNT(*) FROM t", [], |row| row.get(0)).unwrap()
}

fn rows_at(path: &Path) -> Option<i64> {
    let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE).ok()?;
    conn.query_row("SELECT COUNT(*) FROM t", [], |row| row.get(0)).ok()
}

/// What a kill and power cuts with some seeds leave at the next operation: the numbers of rows.
fn left(world: &World, conn: &Connection) -> (Option<i64>, Vec<Option<i64>>) {
    let (sender, receiver) = channel();
    world.watch(move |moment| {
        let cuts: Vec<_> = (0..20).map(|seed| moment.power_lost(seed)).collect();
        drop(sender.send((moment.killed(), cuts)));
    });
    rows(conn);
    world.unwatch();
    let (killed, cuts) = receiver.recv().unwrap();
    let count = |left: &faults::Snapshot| {
        let dir = TempDir::new().unwrap();
        left.restore(dir.path()).unwrap();
        rows_at(&dir.path().join("a.db"))
    };
    (count(&killed), cuts.iter().map(count).collect())
}

#[test]
fn a_power_cut_takes_what_was_not_synced_and_a_kill_takes_nothing() {
    let (_dir, world, conn) = database("FULL");
    assert_eq!(left(&world, &conn), (Some(1), vec![Some(1); 20]));
    let (_dir, world, conn) = database("NORMAL");
    let (killed, cuts) = left(&world, &conn);
    assert_eq!(killed, Some(1));
    assert!(cuts.iter().any(|rows| *rows != Some(1)), "{cuts:?}");
}

#[test]
fn a_rule_makes_the_operations_fail_that_it_names() {
    let cases = [
        (Op::Write, Fault::Full, ErrorCode::DiskFull),
        (Op::Write, Fault::ReadOnly, ErrorCode::ReadOnly),
        (Op::Write, Fault::Io, ErrorCode::SystemIoFailure),
        (Op::Sync, Fault::Io, ErrorCode::SystemIoFailure),
    ];
    for (op, fault, expected) in cases {
        let (_dir, world, conn) = database("FULL");
        let ops: &[Op] = if op == Op::Write { &[Op::Write] } else { &[Op::Sync] };
        world.fail(Rule { ops, file: "", thread: None, after: 0, fault, lasts: Lasts::Onward });
        let error = conn.execute_batch("INSERT INTO t VALUES (2)").unwrap_err();
        assert_eq!(error.sqlite_error_code(), Some(expected), "{op:?} {fault:?}");
        assert!(world.n_failed() > 0);
        world.heal();
        conn.execute_batch("INSERT INTO t VALUES (3)").unwrap();
        assert_eq!(rows(&conn), 2);
    }
}

#[test]
fn after_a_stop_nothing_reaches_the_disk() {
    let (dir, world, conn) = database("FULL");
    world.stop_after(3);
    assert!(conn.execute_batch("INSERT INTO t VALUES (2)").is_err());
    drop(conn);
    world.heal();
    assert_eq!(rows_at(&dir.path().join("a.db")), Some(1));
}

#[test]
fn a_hold_keeps_one_thread_and_no_other() {
    let (dir, world, conn) = database("FULL");
    let path = dir.path().join("a.db");
    let hold = world.hold("writer", &[Op::Sync], 0);
    let writer = std::thread::Builder::new()
        .name("writer".to_owned())
        .spawn(move || conn.execute_batch("INSERT INTO t VALUES (2)").is_ok())
        .unwrap();
    assert!(hold.wait(Duration::from_mins(1)));
    assert_eq!(rows_at(&path), Some(1));
    drop(hold);
    assert!(writer.join().unwrap());
    assert_eq!(rows_at(&path), Some(2));
}

#[test]
fn files_of_no_world_are_left_alone() {
    let (_dir, world, _conn) = database("FULL");
    let elsewhere = TempDir::new().unwrap();
    let before = world.n_ops();
    world.stop_after(0);
    let conn = Connection::open(elsewhere.path().join("b.db")).unwrap();
    conn.execute_batch("CREATE TABLE t (a)").unwrap();
    assert_eq!((rows(&conn), world.n_ops()), (0, before));
}

#[test]
#[cfg(target_os = "linux")]
fn what_is_done_to_files_beside_sqlite_is_counted_and_stopped() {
    use std::fs::{self, File};

    let dir = TempDir::new().unwrap();
    let world = World::over(dir.path()).unwrap();
    let (a, b, c) = (dir.path().join("a"), dir.path().join("b"), dir.path().join("c"));
    let act = || -> std::io::Result<()> {
        File::create(&a)?.sync_all()?;
        fs::hard_link(&a, &b)?;
        #[expect(clippy::disallowed_methods, reason = "it is what is tested")]
        fs::rename(&b, &c)?;
        fs::remove_file(&c)
    };
    act().unwrap();
    assert_eq!(world.n_ops(), 4);
    for after in 0..4 {
        world.stop_after(after);
        assert!(act().is_err(), "stopped after {after}");
        world.heal();
        for left in [&b, &c] {
            drop(fs::remove_file(left));
        }
    }
    act().unwrap();
}

/// Closing deletes a log's index under SQLite's own lock; others ask for that lock in an operation.
#[test]
fn connections_that_are_opened_and_closed_side_by_side_do_not_wait_for_each_other() {
    const ROUNDS: usize = 300;
    let dir = TempDir::new().unwrap();
    let _world = World::over(dir.path()).unwrap();
    let (done, over) = channel();
    for name in ["a.db", "b.db"] {
        let (path, done) = (dir.path().join(name), done.clone());
        std::thread::spawn(move || {
            for _ in 0..ROUNDS {
                let conn = Connection::open(&path).unwrap();
                let create = "PRAGMA journal_mode = WAL; CREATE TABLE IF NOT EXISTS t (a)";
                conn.execute_batch(create).unwrap();
            }
            done.send(()).unwrap();
        });
    }
    drop(done);
    for _ in 0..2 {
        assert_eq!(over.recv_timeout(Duration::from_mins(1)), Ok(()));
    }
}
