//! Reading a write-ahead log byte by byte, to tell a torn end from damage.
//!
//! SQLite silently ignores everything after the first frame that does not fit its checksum. After a
//! power cut that is right: such frames were never acknowledged. After a flipped bit or a truncation
//! it drops commits that were. This module tells the two apart and can read on behind the break. It
//! only looks at files that no connection of this process has open.
//!
//! Source: "The SQLite Database File Format", section 4 (WAL), and "WAL-mode File Format",
//! section 2 (the WAL-index).

use std::path::Path;

use super::schema;

const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;

/// The size of the pages of databases that were made before they were smaller: the largest there is.
pub(crate) const LARGEST_PAGE: usize = 4096;
const MAGIC: u32 = 0x377f_0682;
const INDEX_HEADER: usize = 48;
/// How much of a database may be cut off while the log still has pages behind the cut.
const TRUNCATED: usize = 64 << 20;

/// What a write-ahead log tells about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Report {
    /// Frames that SQLite will read.
    pub(crate) valid: usize,
    /// Commits that lie behind the last valid frame and can still be seen.
    pub(crate) stranded_commits: usize,
    /// Frames that the index knows as committed and that SQLite will not read.
    pub(crate) missing_frames: usize,
}

impl Report {
    /// Whether acknowledged commits would be dropped by opening the database as it is.
    pub(crate) fn is_damaged(self) -> bool {
        self.stranded_commits > 0 || self.missing_frames > 0
    }
}

/// Returns how many frames of the log beside the database at `path` were committed, as far as its
/// index tells, and are not there any more.
pub(crate) fn cut_off(path: &Path) -> usize {
    let wal = std::fs::read(super::folder::with_suffix(path, "-wal")).unwrap_or_default();
    let shm = std::fs::read(super::folder::with_suffix(path, "-shm")).unwrap_or_default();
    let log = Log::read(&wal);
    let salts = log.as_ref().and_then(|log| log.seed.map(|_| log.salts));
    let there = log.map_or(0, |log| log.run().count());
    indexed_frames(&shm, salts).unwrap_or(0).saturating_sub(there)
}

type Sums = (u32, u32);

/// A log, its page size and the salts its frames must carry.
#[derive(Debug)]
struct Log<'a> {
    bytes: &'a [u8],
    page_size: usize,
    salts: [u8; 8],
    big_endian: bool,
    /// The sums that the first frame continues; none when the header is not as it was written.
    seed: Option<Sums>,
}

/// Reads the log and index beside the database at `path`, where they exist.
pub(crate) fn inspect(path: &Path) -> Report {
    // The index first: beside a writer the log may then be ahead of it, but never behind.
    let shm = std::fs::read(super::folder::with_suffix(path, "-shm")).unwrap_or_default();
    let wal = std::fs::read(super::folder::with_suffix(path, "-wal")).unwrap_or_default();
    report(&wal, &shm)
}

pub(super) fn report(wal: &[u8], shm: &[u8]) -> Report {
    let Some(log) = Log::read(wal) else {
        let missing_frames = indexed_frames(shm, None).unwrap_or(0);
        return Report { missing_frames, ..Report::default() };
    };
    let salts = log.seed.map(|_| log.salts);
    let committed = committed_frames(shm, salts);
    let mut sums = log.seed;
    let mut report = Report::default();
    let mut broken = sums.is_none();
    for (n, frame) in log.frames().enumerate() {
        broken |= !frame.fits(&log, sums);
        if !broken {
            report.valid += 1;
            sums = Some(frame.sums());
            continue;
        }
        // Behind the break a frame is known by the sums its predecessor carries. What the index does
        // not count was never acknowledged: the rest of a commit that a kill or an error cut short.
        let own = frame.fits(&log, sums);
        let counted = committed.is_none_or(|frames| n < frames || frames < report.valid);
        if own && counted && frame.is_commit() {
            report.stranded_commits += 1;
        }
        sums = Some(frame.sums());
    }
    let indexed = indexed_frames(shm, salts).unwrap_or(0);
    report.missing_frames = indexed.saturating_sub(report.valid);
    report
}

/// Which frames of a log are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Frames {
    /// Those that SQLite reads: up to the first that does not fit its checksum.
    Valid,
    /// All that were committed, also misfits: one bit of a page may be wrong, which the rows'
    /// checksums show.
    Committed,
    /// Those committed that fit.
    Fitting,
}

/// Writes the pages of a log into the bytes of its database, as far as commits can be seen. `shm` is
/// the log's index: what it does not count was never acknowledged and is left out.
pub(crate) fn overlay(database: &mut Vec<u8>, wal: &[u8], shm: &[u8], which: Frames) {
    let Some(log) = Log::read(wal) else { return };
    let committed = committed_frames(shm, log.seed.map(|_| log.salts));
    // Counted once: a log of many commits must not make many times its own size of it.
    let most = database.len() + wal.len();
    let mut sums = log.seed;
    let mut pending = Vec::new();
    for frame in log.run().take(committed.unwrap_or(usize::MAX)) {
        let fits = frame.fits(&log, sums);
        if !fits && which == Frames::Valid {
            break;
        }
        if fits || which == Frames::Committed {
            pending.push(frame);
        }
        sums = Some(frame.sums());
        if frame.is_commit() {
            for frame in pending.drain(..) {
                frame.put(database, log.page_size, most + TRUNCATED);
            }
            // Our databases never shrink: a smaller size is a flipped bit.
            let size = word(frame.0, 4) as usize * log.page_size;
            database.resize(size.min(most).max(database.len()), 0);
        }
    }
}

/// Returns the size of the pages of a log whose header does not say it: ours now, unless the second
/// frame begins where it does with that of older databases.
fn page_size_of(bytes: &[u8]) -> usize {
    let salts = |frame: usize| bytes.get(frame + 8..frame + 16);
    let follows = |size: usize| {
        let second = salts(HEADER + FRAME_HEADER + size);
        second.is_some() && second == salts(HEADER)
    };
    let ours = schema::PAGE_SIZE as usize;
    if follows(LARGEST_PAGE) && !follows(ours) { LARGEST_PAGE } else { ours }
}

impl<'a> Log<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let header = bytes.get(..HEADER)?;
        bytes.get(HEADER..HEADER + FRAME_HEADER)?;
        let magic = word(header, 0);
        let sums = word_sums(header.get(..24)?, magic & 1 == 1, (0, 0));
        let page_size = word(header, 8) as usize;
        let sane = magic & !1 == MAGIC && page_size.is_power_of_two() && page_size >= 512;
        let seed = (sane && sums == (word(header, 24), word(header, 28))).then_some(sums);
        // With a broken header the frames speak for themselves.
        let (page_size, salts, big_endian) = match seed {
            Some(_) => (page_size, header.get(16..24)?, magic & 1 == 1),
            None => (page_size_of(bytes), bytes.get(HEADER + 8..HEADER + 16)?, false),
        };
        Some(Self { bytes, page_size, salts: salts.try_into().ok()?, big_endian, seed })
    }

    fn frames(&self) -> impl Iterator<Item = Frame<'a>> {
        let frames = self.bytes.get(HEADER..).unwrap_or_default();
        frames.chunks_exact(FRAME_HEADER + self.page_size).map(Frame)
    }

    /// The frames up to the last one that carries this log's salts.
    fn run(&self) -> impl Iterator<Item = Frame<'a>> {
        let last = self.frames().enumerate().filter(|(_, f)| f.salts() == self.salts).last();
        self.frames().take(last.map_or(0, |(at, _)| at + 1))
    }
}

/// One frame: its header and one page.
#[derive(Debug, Clone, Copy)]
struct Frame<'a>(&'a [u8]);

impl Frame<'_> {
    fn salts(&self) -> &[u8] {
        self.0.get(8..16).unwrap_or_default()
    }

    fn is_commit(&self) -> bool {
        word(self.0, 4) != 0
    }

    fn sums(&self) -> Sums {
        (word(self.0, 16), word(self.0, 20))
    }

    /// Puts the frame's page in its place, if the database has no more than `most` bytes then.
    fn put(&self, database: &mut Vec<u8>, page_size: usize, most: usize) {
        let Some(page) = self.0.get(FRAME_HEADER..) else { return };
        let Some(at) = (word(self.0, 0) as usize).checked_sub(1).map(|n| n * page_size) else {
            return;
        };
        if at + page_size > most {
            return;
        }
        database.resize(database.len().max(at + page_size), 0);
        if let Some(place) = database.get_mut(at..at + page_size) {
            place.copy_from_slice(page);
        }
    }

    fn fits(&self, log: &Log<'_>, before: Option<Sums>) -> bool {
        let (Some(seed), Some(head), Some(page)) =
            (before, self.0.get(..8), self.0.get(FRAME_HEADER..))
        else {
            return false;
        };
        let sums = word_sums(head, log.big_endian, seed);
        self.salts() == log.salts && word_sums(page, log.big_endian, sums) == self.sums()
    }
}

/// Frames that the index says are committed and not yet all in the database.
fn indexed_frames(shm: &[u8], salts: Option<[u8; 8]>) -> Option<usize> {
    let frames = committed_frames(shm, salts)?;
    let backfilled = u32::from_ne_bytes(shm.get(96..100)?.try_into().ok()?) as usize;
    Some(if frames > backfilled { frames } else { 0 })
}

/// Frames that the index says are committed; none when the index is unreadable (as after a power
/// cut) or speaks of another run of the log. A commit is acknowledged after it is counted here.
fn committed_frames(shm: &[u8], salts: Option<[u8; 8]>) -> Option<usize> {
    let (first, second) = (shm.get(..INDEX_HEADER)?, shm.get(INDEX_HEADER..2 * INDEX_HEADER)?);
    let big = cfg!(target_endian = "big");
    let native = |at: usize| {
        let bytes = first.get(at..at + 4)?.try_into().ok()?;
        Some(if big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    };
    let sums = word_sums(first.get(..40)?, big, (0, 0));
    if first != second || sums != (native(40)?, native(44)?) || *first.get(12)? == 0 {
        return None;
    }
    if salts.is_some_and(|s| Some(s.as_slice()) != first.get(32..40)) {
        return None;
    }
    native(16).map(|frames| frames as usize)
}

fn word(bytes: &[u8], at: usize) -> u32 {
    let bytes = bytes.get(at..at + 4).and_then(|b| b.try_into().ok());
    bytes.map_or(0, u32::from_be_bytes)
}

/// The log's checksum over pairs of words, continued from `sums`.
fn word_sums(bytes: &[u8], big_endian: bool, (mut a, mut b): Sums) -> Sums {
    let read = |w: &[u8]| {
        let w = w.try_into().unwrap_or_default();
        if big_endian { u32::from_be_bytes(w) } else { u32::from_le_bytes(w) }
    };
    for pair in bytes.chunks_exact(8) {
        let (x, y) = pair.split_at(4);
        a = a.wrapping_add(read(x)).wrapping_add(b);
        b = b.wrapping_add(read(y)).wrapping_add(a);
    }
    (a, b)
}

#[cfg(test)]
#[path = "wal_tests.rs"]
mod tests;
