//! What is done to files: copied as `cp -r` does, damaged, moved.

use std::fs::{self, File};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use super::dice::Dice;
use super::process::Place;

/// Copies a folder as `cp -r` does, while it may change; a file that goes meanwhile is left out.
pub(super) fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let from = entry?.path();
        let Some(name) = from.file_name() else { continue };
        let to = to.join(name);
        let copied = if from.is_dir() { copy_tree(&from, &to) } else { copy_file(&from, &to) };
        match copied {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            other => other?,
        }
    }
    Ok(())
}

fn copy_file(from: &Path, to: &Path) -> io::Result<()> {
    fs::copy(from, to).map(|_| ())
}

/// Removes a folder; a missing one is no error.
pub(super) fn remove_tree(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Gives a folder another name.
#[expect(clippy::disallowed_methods, reason = "folders are moved as a person would")]
pub(super) fn move_folder(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)
}

/// What was done to a file, for the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Damage {
    /// The byte at this place was changed by these bits.
    Byte(u64, u8),
    /// The file was cut to this length.
    Cut(u64),
}

/// Damages a file that is not empty: changes a byte anywhere or cuts it anywhere.
pub(super) fn damage(path: &Path, dice: &mut Dice) -> io::Result<Damage> {
    let len = fs::metadata(path)?.len();
    let damage = if dice.percent(30) {
        Damage::Cut(dice.below(len))
    } else {
        // The first bytes matter most: headers, and the beginning of the log.
        let within = if dice.percent(20) { len.min(4096) } else { len };
        let bits = u8::try_from(dice.between(1, 255)).unwrap_or(1);
        Damage::Byte(dice.below(within), bits)
    };
    let mut file = File::options().read(true).write(true).open(path)?;
    match damage {
        Damage::Cut(len) => file.set_len(len)?,
        Damage::Byte(at, bits) => {
            let mut byte = [0];
            file.seek(SeekFrom::Start(at))?;
            io::Read::read_exact(&mut file, &mut byte)?;
            file.seek(SeekFrom::Start(at))?;
            file.write_all(&byte.map(|b| b ^ bits))?;
        }
    }
    Ok(damage)
}

/// Whether a file in the user's folder has these bytes.
pub(super) fn holds(place: &Place, bytes: &[u8]) -> io::Result<bool> {
    for entry in fs::read_dir(place.folder())? {
        let path = entry?.path();
        let len = bytes.len() as u64;
        if fs::metadata(&path).is_ok_and(|file| file.is_file() && file.len() == len)
            && fs::read(&path)? == bytes
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Makes a temporary folder in the first of `places` that allows it, or in the nearest folder above
/// it that exists. It is known by its absolute path.
pub(super) fn scratch(places: &[PathBuf]) -> io::Result<tempfile::TempDir> {
    let mut refused = io::Error::from(io::ErrorKind::NotFound);
    for place in places {
        let place = std::path::absolute(place)?;
        let existing = place.ancestors().find(|p| p.exists()).unwrap_or(&place);
        match tempfile::Builder::new().prefix(".memoryos-selftest-").tempdir_in(existing) {
            Ok(scratch) => return Ok(scratch),
            Err(error) => refused = error,
        }
    }
    Err(refused)
}
