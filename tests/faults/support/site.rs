//! A folder that can be damaged again and again: each case begins with the same files, and the
//! database is the same file of the system, so that it does not pass for a copy.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use faults::{Op, Snapshot, World};
use memoryos::engine::Engine;
use tempfile::TempDir;

use super::ledger::{Ledger, State, page};
use super::{data, file, open, until};

/// How the last process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// It closed everything.
    Clean,
    /// It was killed: the last five pages are in the log and in no view.
    Killed,
}

pub(crate) struct Site {
    data: TempDir,
    /// The database under a second name, so that it is never gone.
    kept: PathBuf,
    pub(crate) whole: Snapshot,
    pub(crate) ledger: Ledger,
}

impl Site {
    /// Makes a user with 15 pages, one of them forgotten.
    pub(crate) fn new(end: End) -> Self {
        let data = data();
        let world = World::over(data.path()).unwrap();
        let mut ledger = Ledger::default();
        let engine = open(data.path());
        add(&engine, &mut ledger, 9);
        engine.forget(vec![ledger.entries[4].id.unwrap()]).wait().unwrap();
        ledger.set(4, State::Gone);
        // Closed in between: whatever forgetting does is in the database, and not in the log.
        engine.close().wait().unwrap();
        let engine = open(data.path());
        add(&engine, &mut ledger, 1);
        if end == End::Clean {
            add(&engine, &mut ledger, 5);
            engine.close().wait().unwrap();
        } else {
            let view = file(data.path(), "short_term_memory.json");
            let is_shown = || fs::read_to_string(&view).unwrap_or_default().contains("Page 9:");
            until("the views are written", is_shown);
            // Neither views nor checkpoints from now on.
            let hold = world.hold("keeper", &[Op::Lock, Op::Shm, Op::Sync, Op::Write], 0);
            add(&engine, &mut ledger, 5);
            let whole = Snapshot::of(&data.path().join("ada"), &Snapshot::default());
            drop(hold);
            let kept = keep(data.path());
            engine.close().wait().unwrap();
            return Self { data, kept, whole, ledger };
        }
        let whole = Snapshot::of(&data.path().join("ada"), &Snapshot::default());
        let kept = keep(data.path());
        Self { data, kept, whole, ledger }
    }

    /// Puts all files back, but with another content of `name`.
    pub(crate) fn set(&self, name: &str, content: &[u8]) -> &Path {
        self.put(&self.whole.clone().with(name, content))
    }

    /// Puts back only the views, `name` with another content.
    pub(crate) fn set_views_only(&self, name: &str, content: &[u8]) -> &Path {
        let mut files = self.whole.clone();
        files.retain(|file| file.extension().is_some_and(|e| e == "json"));
        self.put(&files.with(name, content))
    }

    fn put(&self, files: &Snapshot) -> &Path {
        let folder = self.data.path().join("ada");
        fs::remove_dir_all(&folder).unwrap();
        fs::create_dir(&folder).unwrap();
        if let Some(database) = files.get("memory.db") {
            fs::hard_link(&self.kept, folder.join("memory.db")).unwrap();
            let mut file = fs::OpenOptions::new().write(true).truncate(true).open(&self.kept);
            file.as_mut().unwrap().write_all(database).unwrap();
        }
        files.restore(&folder).unwrap();
        self.data.path()
    }

    /// Returns the names in the folder that begin like this.
    pub(crate) fn names(&self, prefix: &str) -> Vec<String> {
        let entries = fs::read_dir(self.data.path().join("ada")).unwrap();
        let names = entries.map(|e| e.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.filter(|name| name.starts_with(prefix)).collect();
        names.sort();
        names
    }

    /// Whether a file of the folder whose name begins like this has this content.
    pub(crate) fn is_kept(&self, prefix: &str, content: &[u8]) -> bool {
        let path = |name: &String| file(self.data.path(), name);
        self.names(prefix).iter().any(|name| fs::read(path(name)).unwrap() == content)
    }
}

fn add(engine: &Engine, ledger: &mut Ledger, n_pages: usize) {
    for _ in 0..n_pages {
        let n = ledger.entries.len();
        let new = page(n, i64::try_from(n).unwrap() * 5);
        let id = engine.add(new.clone()).wait().unwrap().id;
        ledger.send(new);
        ledger.stored(n, id);
    }
}

fn keep(data: &Path) -> PathBuf {
    let kept = data.join("kept");
    fs::hard_link(file(data, "memory.db"), &kept).unwrap();
    kept
}
