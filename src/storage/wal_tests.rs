//! A log read byte by byte, whole and broken.

use std::path::PathBuf;

use super::*;

const FRAME: usize = FRAME_HEADER + schema::PAGE_SIZE as usize;

/// A database with ten commits in its log, copied while it was open, as a kill leaves it.
fn killed() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("live.db");
    schema::create(&path, true, |_| Ok(())).unwrap();
    let conn = schema::connect(&path, schema::Access::ReadWrite).unwrap();
    for n in 0..10 {
        schema::set_meta(&conn, &format!("key{n}"), &"x".repeat(900)).unwrap();
    }
    let copy = dir.path().join("copy.db");
    for suffix in ["", "-wal", "-shm"] {
        let from = super::super::folder::with_suffix(&path, suffix);
        std::fs::copy(from, super::super::folder::with_suffix(&copy, suffix)).unwrap();
    }
    (dir, copy)
}

fn files(path: &Path) -> (Vec<u8>, Vec<u8>) {
    let read = |s| std::fs::read(super::super::folder::with_suffix(path, s)).unwrap();
    (read("-wal"), read("-shm"))
}

#[test]
fn a_killed_process_leaves_no_damage() {
    let (_dir, path) = killed();
    let report = inspect(&path);
    assert!(report.valid >= 10 && !report.is_damaged(), "{report:?}");
    let (wal, _) = files(&path);
    assert!(!super::report(&wal, &[]).is_damaged());
}

#[test]
fn a_torn_end_that_was_never_committed_is_no_damage() {
    let (_dir, path) = killed();
    let (mut wal, shm) = files(&path);
    wal.extend_from_within(wal.len() - FRAME..);
    let last = wal.len() - 1;
    wal[last] ^= 1;
    assert!(!report(&wal, &shm).is_damaged());
    assert!(!report(&wal[..wal.len() - 100], &shm).is_damaged());
}

#[test]
fn every_flipped_bit_and_every_truncation_of_what_was_committed_is_seen() {
    let (_dir, path) = killed();
    let (wal, shm) = files(&path);
    for at in (0..wal.len()).step_by(97).chain(0..56) {
        let mut flipped = wal.clone();
        flipped[at] ^= 4;
        // Bytes 12 to 16 count checkpoints; the header's sums cover them too.
        assert!(report(&flipped, &shm).is_damaged(), "byte {at}");
    }
    for len in [0, 20, 32, 60, wal.len() / 2, wal.len() - 1] {
        assert!(report(&wal[..len], &shm).is_damaged(), "length {len}");
    }
}

#[test]
fn a_log_of_many_commits_does_not_make_many_times_its_size() {
    let (_dir, path) = killed();
    let (mut wal, _) = files(&path);
    // With a broken header all frames with its salts count; each says it is far away.
    wal[0] ^= 1;
    for (n, frame) in wal[HEADER..].chunks_exact_mut(FRAME_HEADER + 4096).enumerate() {
        let number = u32::try_from((n + 1) * 16_000).unwrap().to_be_bytes();
        frame[..4].copy_from_slice(&number);
        frame[4..8].copy_from_slice(&number);
    }
    let mut database = vec![0; 4096];
    overlay(&mut database, &wal, &[], Frames::Committed);
    assert!(database.len() <= 4096 + wal.len() + TRUNCATED, "{}", database.len());
}

#[test]
fn without_an_index_a_flip_before_the_last_commit_is_seen() {
    let (_dir, path) = killed();
    let (mut wal, _) = files(&path);
    wal[HEADER + FRAME + 500] ^= 1;
    assert!(report(&wal, &[]).stranded_commits >= 8);
}

#[test]
fn every_commit_is_found_behind_a_broken_frame() {
    let (dir, path) = killed();
    let (wal, shm) = files(&path);
    let behind = [2, 20, HEADER + FRAME + 10].map(|at| (at, Frames::Committed));
    for (at, which) in behind.into_iter().chain([(HEADER + FRAME + 500, Frames::Fitting)]) {
        let mut flipped = wal.clone();
        flipped[at] ^= 1;
        assert!(report(&flipped, &shm).is_damaged());
        let mut database = std::fs::read(&path).unwrap();
        overlay(&mut database, &flipped, &shm, which);
        let mended = dir.path().join(format!("mended{at}.db"));
        std::io::Write::write_all(&mut std::fs::File::create(&mended).unwrap(), &database).unwrap();
        let conn = schema::connect(&mended, schema::Access::ReadWrite).unwrap();
        assert!(schema::meta(&conn, "key9").unwrap().is_some(), "byte {at}");
    }
}

/// The log that `values` in one transaction leave behind a killed process's copy, and its index.
fn continued(path: &Path, name: &str, values: usize) -> (Vec<u8>, Vec<u8>) {
    let copy = path.with_file_name(name);
    for suffix in ["", "-wal", "-shm"] {
        let from = super::super::folder::with_suffix(path, suffix);
        std::fs::copy(from, super::super::folder::with_suffix(&copy, suffix)).unwrap();
    }
    let conn = schema::connect(&copy, schema::Access::ReadWrite).unwrap();
    conn.execute_batch("BEGIN").unwrap();
    for n in 0..values {
        schema::set_meta(&conn, &format!("{name}{n}"), &name.repeat(1500)).unwrap();
    }
    conn.execute_batch("COMMIT").unwrap();
    files(&copy)
}

#[test]
fn the_rest_of_a_commit_that_was_cut_short_is_no_damage_and_is_never_taken() {
    let (_dir, path) = killed();
    let (long, _) = continued(&path, "stale", 9);
    let (short, shm) = continued(&path, "acked", 1);
    assert!(long.len() > short.len() + 2 * FRAME);
    let mut both = short.clone();
    both.extend_from_slice(&long[short.len()..]);
    assert!(report(&both, &[]).stranded_commits > 0, "without the index it cannot be told");
    assert!(!report(&both, &shm).is_damaged(), "{:?}", report(&both, &shm));
    let database = std::fs::read(&path).unwrap();
    let (mut expected, mut found) = (database.clone(), database);
    overlay(&mut expected, &short, &shm, Frames::Valid);
    overlay(&mut found, &both, &shm, Frames::Committed);
    assert!(expected == found);
}
