//! All files below a folder at one moment, to be put somewhere else.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Files and folders by their paths from the root; a folder has no content.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snapshot(BTreeMap<PathBuf, Option<Arc<[u8]>>>);

impl Snapshot {
    /// Reads what stands below `root` now. What goes meanwhile is left out; content that `before`
    /// has too is not stored twice.
    pub fn of(root: &Path, before: &Self) -> Self {
        let mut snapshot = Self::default();
        snapshot.read(root, Path::new(""), before);
        snapshot
    }

    fn read(&mut self, root: &Path, inside: &Path, before: &Self) {
        let Ok(entries) = fs::read_dir(root.join(inside)) else { return };
        for entry in entries.flatten() {
            let name = inside.join(entry.file_name());
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                self.0.insert(name.clone(), None);
                self.read(root, &name, before);
            } else if let Ok(bytes) = fs::read(entry.path()) {
                let known = before.0.get(&name).cloned().flatten();
                let content = match known.filter(|known| **known == *bytes) {
                    Some(known) => known,
                    None => bytes.into(),
                };
                self.0.insert(name, Some(content));
            }
        }
    }

    /// Returns the files, each with its content.
    pub fn files(&self) -> impl Iterator<Item = (&Path, &[u8])> {
        self.0.iter().filter_map(|(name, content)| Some((name.as_path(), content.as_deref()?)))
    }

    /// Returns a file's content.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.0.get(Path::new(name))?.as_deref()
    }

    /// Gives a file another content, or adds it.
    pub fn put(&mut self, name: &str, content: impl Into<Arc<[u8]>>) {
        self.0.insert(name.into(), Some(content.into()));
    }

    /// The same with a file of this content.
    #[must_use]
    pub fn with(mut self, name: &str, content: impl Into<Arc<[u8]>>) -> Self {
        self.put(name, content);
        self
    }

    /// Leaves only the files and folders that `keep` wants.
    pub fn retain(&mut self, mut keep: impl FnMut(&Path) -> bool) {
        self.0.retain(|name, _| keep(name));
    }

    /// Writes everything below `root`.
    ///
    /// # Errors
    ///
    /// When a file cannot be written.
    pub fn restore(&self, root: &Path) -> io::Result<()> {
        fs::create_dir_all(root)?;
        for (name, content) in &self.0 {
            match content {
                None => fs::create_dir_all(root.join(name))?,
                Some(content) => fs::File::create(root.join(name))?.write_all(content)?,
            }
        }
        Ok(())
    }
}
