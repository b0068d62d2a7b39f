//! A write-ahead log and its index, made up or laid out frame by frame.

use super::super::wal::{self, Frames};

/// The pages of logs that are laid out here.
const PAGE: usize = 512;
const FRAME: usize = 24 + PAGE;

/// How far a log may grow a database beyond its own bytes: pages that a truncation took.
const SLACK: usize = 64 << 20;

/// Takes an index and a log: two bytes say how long the index is.
pub(super) fn raw(bytes: &[u8]) {
    let Some((len, rest)) = bytes.split_first_chunk::<2>() else { return };
    let (shm, log) = rest.split_at(usize::from(u16::from_le_bytes(*len)).min(rest.len()));
    look(log, shm);
}

fn look(log: &[u8], shm: &[u8]) {
    let report = wal::report(log, shm);
    assert!(report.valid <= log.len() / FRAME, "{report:?}");
    for which in [Frames::Valid, Frames::Committed, Frames::Fitting] {
        let mut database = vec![7; 3 * PAGE];
        wal::overlay(&mut database, log, shm, which);
        let len = database.len();
        assert!(len <= 3 * PAGE + log.len() + SLACK, "{which:?} made {len} bytes");
    }
}

/// Takes six bytes a frame (page, database size after it, what fills it, and how the frame is
/// broken) and lays out the log. What SQLite would read of it must be what is taken as valid.
pub(super) fn laid_out(bytes: &[u8]) {
    let mut log = header();
    let mut sums = sums_of(&log[..24], (0, 0));
    let (mut expected, mut pending) = (vec![7; 3 * PAGE], Vec::new());
    let mut n_valid = 0;
    let mut is_broken = false;
    for frame in bytes.chunks_exact(4).take(40) {
        let (number, size) = (u32::from(frame[0] % 16), u32::from(frame[1] % 16));
        let page = vec![frame[2]; PAGE];
        let mut head = [number.to_be_bytes(), size.to_be_bytes()].concat();
        sums = sums_of(&page, sums_of(&head, sums));
        head.extend(SALTS);
        head.extend([sums.0.to_be_bytes(), sums.1.to_be_bytes()].concat());
        let at = log.len();
        log.extend(head);
        log.extend(&page);
        if frame[3] > 200 {
            log[at + usize::from(frame[3] - 200) * 9] ^= 1;
            is_broken = true;
        }
        if is_broken {
            continue;
        }
        n_valid += 1;
        pending.push((number, page));
        if size > 0 {
            for (number, page) in pending.drain(..) {
                put(&mut expected, number as usize, &page);
            }
            let len = expected.len().max(size as usize * PAGE);
            expected.resize(len, 0);
        }
    }
    let report = wal::report(&log, &[]);
    assert_eq!(report.valid, n_valid);
    let mut database = vec![7; 3 * PAGE];
    wal::overlay(&mut database, &log, &[], Frames::Valid);
    // A size that no frame backs is not believed beyond what the log could hold.
    let len = database.len().min(expected.len());
    assert!(database[..len] == expected[..len], "not what the valid frames say");
    assert!(expected[len..].iter().all(|&b| b == 0) && database.len() == len);
    look(&log, bytes);
}

const SALTS: [u8; 8] = *b"saltsalt";

fn header() -> Vec<u8> {
    let words: [u32; 4] = [0x377f_0683, 3_007_000, 512, 0];
    let mut header: Vec<u8> = words.into_iter().flat_map(u32::to_be_bytes).collect();
    header.extend(SALTS);
    let (a, b) = sums_of(&header, (0, 0));
    header.extend([a.to_be_bytes(), b.to_be_bytes()].concat());
    header
}

/// SQLite's checksum over pairs of big-endian words.
fn sums_of(bytes: &[u8], (mut a, mut b): (u32, u32)) -> (u32, u32) {
    for pair in bytes.chunks_exact(8) {
        let word = |at: usize| u32::from_be_bytes(pair[at..at + 4].try_into().unwrap());
        a = a.wrapping_add(word(0)).wrapping_add(b);
        b = b.wrapping_add(word(4)).wrapping_add(a);
    }
    (a, b)
}

fn put(database: &mut Vec<u8>, number: usize, page: &[u8]) {
    let Some(at) = number.checked_sub(1).map(|n| n * PAGE) else { return };
    database.resize(database.len().max(at + PAGE), 0);
    database[at..at + PAGE].copy_from_slice(page);
}
