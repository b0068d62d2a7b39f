//! What of each file is on stable storage, and what was written since.
//!
//! Files are known by device and inode, since the program renames and links them.

use std::collections::HashMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use crate::random::Random;

/// A disk writes so much at once, or not at all.
const SECTOR: usize = 512;

/// Which file it is.
pub(crate) type Inode = (u64, u64);

/// The files of a world that SQLite has written.
#[derive(Debug, Default)]
pub(crate) struct Images(HashMap<Inode, Image>);

#[derive(Debug, Default)]
struct Image {
    synced: Vec<u8>,
    since: Vec<Change>,
}

#[derive(Debug)]
enum Change {
    Write { at: usize, bytes: Vec<u8> },
    Truncate(usize),
}

impl Images {
    /// Notes a file that was opened: what it holds is durable unless it was written through here.
    pub(crate) fn opened(&mut self, path: &Path) -> Option<Inode> {
        let inode = inode(path)?;
        let content = std::fs::read(path).ok()?;
        if self.0.get(&inode).is_none_or(|image| image.now() != content) {
            self.0.insert(inode, Image { synced: content, since: Vec::new() });
        }
        Some(inode)
    }

    pub(crate) fn wrote(&mut self, inode: Inode, at: usize, bytes: &[u8]) {
        self.change(inode, Change::Write { at, bytes: bytes.to_owned() });
    }

    pub(crate) fn truncated(&mut self, inode: Inode, len: usize) {
        self.change(inode, Change::Truncate(len));
    }

    pub(crate) fn synced(&mut self, inode: Inode) {
        if let Some(image) = self.0.get_mut(&inode) {
            for change in std::mem::take(&mut image.since) {
                change.apply(&mut image.synced);
            }
        }
    }

    pub(crate) fn deleted(&mut self, inode: Inode) {
        self.0.remove(&inode);
    }

    /// Returns what a power cut leaves of the file at `path`, which holds `content` now. Each change
    /// since the last sync survives or not, whole or in sectors, as `random` says.
    pub(crate) fn after_power_loss(
        &self,
        path: &Path,
        content: &[u8],
        random: &mut Random,
    ) -> Option<Vec<u8>> {
        let image = self.0.get(&inode(path)?)?;
        // Written by other means meanwhile: then nothing is known of it.
        if image.since.is_empty() || image.now() != content {
            return None;
        }
        let mut left = image.synced.clone();
        // A third of the cuts takes all, a third leaves all but the last change.
        let mood = random.below(3);
        let last = image.since.len() - 1;
        for (n, change) in image.since.iter().enumerate() {
            match (mood, change) {
                (0, _) => {}
                (1, change) if n < last => change.apply(&mut left),
                (_, Change::Write { at, bytes }) if random.coin() => {
                    write_torn(&mut left, *at, bytes, random);
                }
                (2, change) if random.coin() => change.apply(&mut left),
                _ => {}
            }
        }
        Some(left)
    }

    fn change(&mut self, inode: Inode, change: Change) {
        self.0.entry(inode).or_default().since.push(change);
    }
}

impl Image {
    fn now(&self) -> Vec<u8> {
        let mut bytes = self.synced.clone();
        self.since.iter().for_each(|change| change.apply(&mut bytes));
        bytes
    }
}

impl Change {
    fn apply(&self, to: &mut Vec<u8>) {
        match self {
            Self::Write { at, bytes } => write(to, *at, bytes),
            Self::Truncate(len) => to.resize(*len, 0),
        }
    }
}

fn write(to: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    let end = at + bytes.len();
    to.resize(to.len().max(end), 0);
    if let Some(place) = to.get_mut(at..end) {
        place.copy_from_slice(bytes);
    }
}

fn write_torn(to: &mut Vec<u8>, at: usize, bytes: &[u8], random: &mut Random) {
    let (mut at, mut rest) = (at, bytes);
    while !rest.is_empty() {
        let (sector, others) = rest.split_at(rest.len().min(SECTOR - at % SECTOR));
        if random.coin() {
            write(to, at, sector);
        }
        at += sector.len();
        rest = others;
    }
}

/// Returns which file stands at `path`.
pub(crate) fn inode(path: &Path) -> Option<Inode> {
    std::fs::symlink_metadata(path).ok().map(|meta| (meta.dev(), meta.ino()))
}
