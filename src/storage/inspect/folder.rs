//! A user's folder from outside: who may read it, what is in it, what was left there.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use super::finding::{Finding, Grade, listed, quoted, shown, size};
use super::locks;
use super::names::{Entry, Kind, entries, kind};
use crate::storage::derived;
use crate::storage::folder::Folder;
use crate::storage::foreign;
use crate::time::Timestamp;

/// What lies under a private name so long was left by a process that is gone.
const LEFT: Duration = Duration::from_mins(1);

/// Says whether the folder stands where it should; false where there is nothing to look into.
pub(super) fn place(root: &Path, found: &mut Vec<Finding>) -> bool {
    const ID: &str = "folder.place";
    let path = shown(root);
    let (finding, goes_on) = match fs::symlink_metadata(root) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            (Finding::ok(ID, format!("{path} will be created at the first start")), false)
        }
        Err(error) => (
            Finding::problem(
                ID,
                format!("{path} cannot be looked at: {error}"),
                "give this account the right to enter the data directory",
            ),
            false,
        ),
        Ok(meta) if meta.is_symlink() => (
            Finding::problem(
                ID,
                format!("{path} is a symbolic link, which no start follows"),
                "put the folder itself there, or set MEMORYOS_DATA_PATH to where it is",
            ),
            false,
        ),
        Ok(meta) if !meta.is_dir() => (
            Finding::problem(
                ID,
                format!("{path} is no folder"),
                "move it away: the user's folder belongs there",
            ),
            false,
        ),
        Ok(_) => (Finding::ok(ID, path), true),
    };
    found.push(finding);
    goes_on
}

/// Looks at the folder and at everything in it, no file opened but JSON of other programs.
pub(super) fn findings(root: &Path, found: &mut Vec<Finding>) {
    let listing = || {
        let mut all = entries(root)?;
        let inner = match entries(&root.join(derived::FOLDER)) {
            Err(e)
                if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) =>
            {
                Vec::new()
            }
            other => other?,
        };
        let below =
            |entry: Entry| Entry { name: format!("{}/{}", derived::FOLDER, entry.name), ..entry };
        let own = all.len();
        all.extend(inner.into_iter().map(below));
        Ok::<_, io::Error>((all, own))
    };
    let (all, own) = match listing() {
        Ok(listed) => listed,
        Err(error) => {
            found.push(Finding::problem(
                "folder.list",
                format!("{} cannot be listed: {error}", shown(root)),
                "give the account that runs memoryos the right to enter and read it",
            ));
            return;
        }
    };
    let own = all.get(..own).unwrap_or_default();
    let links = links(root, &all);
    let is_safe = links.grade == Grade::Ok;
    found.push(links);
    found.extend(access(root, &all));
    found.push(unknown(own));
    found.extend(set_aside(own));
    if is_safe {
        found.push(waiting(root, own));
    }
    found.push(left(root, own));
    found.push(unfinished(root, own));
}

fn links(root: &Path, all: &[Entry]) -> Finding {
    const ID: &str = "folder.links";
    let links: Vec<String> =
        all.iter().filter(|e| e.meta.is_symlink()).map(|e| e.name.clone()).collect();
    if links.is_empty() {
        return Finding::ok(ID, "no symbolic links");
    }
    Finding::problem(
        ID,
        format!("symbolic links in {}: {}", shown(root), listed(&links)),
        "remove them: no start follows a link out of the folder",
    )
}

/// Who owns the folder and what is in it, and who else may read it.
#[cfg(unix)]
fn access(root: &Path, all: &[Entry]) -> Vec<Finding> {
    use std::os::unix::fs::MetadataExt as _;
    let (account_id, modes_id) = ("folder.account", "folder.modes");
    let Ok(meta) = fs::symlink_metadata(root) else { return Vec::new() };
    let me = rustix::process::geteuid().as_raw();
    let path = shown(root);
    let others: Vec<String> = all
        .iter()
        .filter(|e| e.meta.uid() != me)
        .map(|e| format!("{} (account {})", e.name, e.meta.uid()))
        .collect();
    let account = if meta.uid() != me || !others.is_empty() {
        let what = if meta.uid() == me {
            format!("in {path} are files of other accounts: {}", listed(&others))
        } else {
            format!("{path} belongs to account {}, this is account {me}", meta.uid())
        };
        let action = format!("run memoryos as that account, or: chown -R {me} {}", quoted(root));
        Finding::warning(account_id, what, action)
    } else {
        Finding::ok(account_id, "everything in it belongs to this account")
    };
    let is_open = |mode: u32| mode & 0o077 != 0;
    let open: Vec<String> = all
        .iter()
        .filter(|e| is_open(e.meta.mode()) && !e.meta.is_symlink())
        .map(|e| format!("{} ({:03o})", e.name, e.meta.mode() & 0o777))
        .collect();
    let mut findings = vec![account];
    if is_open(meta.mode()) {
        findings.push(Finding::problem(
            modes_id,
            format!("other accounts may enter {path}: its mode is {:03o}", meta.mode() & 0o777),
            format!("chmod 700 {} (the next start does it too)", quoted(root)),
        ));
    }
    if !open.is_empty() {
        findings.push(Finding::warning(
            modes_id,
            format!("modes that let other accounts read: {}", listed(&open)),
            format!("chmod -R go-rwx {}", quoted(root)),
        ));
    }
    if findings.len() == 1 {
        findings.push(Finding::ok(modes_id, "only this account may read it"));
    }
    findings
}

#[cfg(not(unix))]
fn access(_root: &Path, _all: &[Entry]) -> Vec<Finding> {
    vec![Finding::skipped("folder.modes", "this system keeps no modes; the profile's rights apply")]
}

fn of_kind(own: &[Entry], wanted: Kind) -> impl Iterator<Item = &Entry> {
    own.iter().filter(move |entry| kind(&entry.name) == wanted)
}

fn unknown(own: &[Entry]) -> Finding {
    const ID: &str = "folder.names";
    let unknown: Vec<String> = of_kind(own, Kind::Unknown).map(|e| e.name.clone()).collect();
    if unknown.is_empty() {
        return Finding::ok(ID, "no file that memoryos did not make");
    }
    Finding::warning(
        ID,
        format!("memoryos does not know these files: {}", listed(&unknown)),
        "nothing, if you put them there; memoryos leaves them alone, also when it forgets",
    )
}

fn set_aside(own: &[Entry]) -> Vec<Finding> {
    const ID: &str = "folder.set_aside";
    let mut found: Vec<Finding> = own
        .iter()
        .filter_map(|entry| match kind(&entry.name) {
            Kind::SetAside(what) => Some(Finding::warning(
                ID,
                format!("{} ({}): {what}", entry.name, size(entry.meta.len())),
                "look at what get_user_info says about it; delete it when you no longer need it",
            )),
            _ => None,
        })
        .collect();
    if found.is_empty() {
        found.push(Finding::ok(ID, "no set-aside files"));
    }
    found
}

fn waiting(root: &Path, own: &[Entry]) -> Finding {
    const ID: &str = "folder.waiting";
    let names = match foreign::waiting(&Folder::at(root)) {
        Ok(names) => names,
        Err(error) => {
            let action = "give the account that runs memoryos the right to read it";
            return Finding::problem(ID, error.to_string(), action);
        }
    };
    if !names.is_empty() {
        return Finding::warning(
            ID,
            format!("JSON files of another program wait to be taken in: {}", listed(&names)),
            "close the clients of this user and start one: the next start takes them in",
        );
    }
    let other: Vec<String> = of_kind(own, Kind::Json).map(|e| e.name.clone()).collect();
    if other.is_empty() {
        return Finding::ok(ID, "no files of other programs wait to be taken in");
    }
    Finding::ok(ID, format!("JSON files without exchanges are left alone: {}", listed(&other)))
}

/// What killed processes left under private names. Beside a running one only what is old counts.
fn left(root: &Path, own: &[Entry]) -> Finding {
    const ID: &str = "folder.left";
    let is_open = locks::is_open(root);
    let now = Timestamp::now().micros();
    let is_old = |entry: &&Entry| !is_open || is_older(entry, now, LEFT);
    let left: Vec<String> = of_kind(own, Kind::Private)
        .filter(is_old)
        .map(|e| format!("{} ({})", e.name, size(e.meta.len())))
        .collect();
    if left.is_empty() {
        return Finding::ok(ID, "nothing was left by killed processes");
    }
    Finding::warning(
        ID,
        format!("left by processes that were killed: {}", listed(&left)),
        "close the clients of this user and start one: the next start removes them",
    )
}

fn is_older(entry: &Entry, now_micros: i64, than: Duration) -> bool {
    let modified = entry.meta.modified().ok();
    let since = modified.and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
    let now = Duration::from_micros(u64::try_from(now_micros).unwrap_or(0));
    since.is_some_and(|at| now.saturating_sub(at) > than)
}

fn unfinished(root: &Path, own: &[Entry]) -> Finding {
    const ID: &str = "folder.unfinished";
    let marks: Vec<String> = of_kind(own, Kind::Mark).map(|e| e.name.clone()).collect();
    if marks.is_empty() {
        return Finding::ok(ID, "no start or recovery was interrupted");
    }
    if locks::is_looked_over(root) {
        return Finding::ok(ID, "a process is just looking the folder over");
    }
    Finding::warning(
        ID,
        format!("a start or a recovery was interrupted; it left {}", listed(&marks)),
        "close the clients of this user and start one: it goes on where the other was interrupted",
    )
}
