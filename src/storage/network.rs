//! Telling file systems where a write-ahead log is not safe: network mounts and synced folders.
//!
//! A WAL needs memory shared between the processes of one machine, and a file that no sync program
//! replaces. Where that is not so the database keeps a rollback journal, and the user is warned.

use std::path::Path;

/// Folders that sync programs keep, by a component of their path (lower case).
const SYNCED: [&str; 6] =
    ["dropbox", "onedrive", "google drive", "googledrive", "com~apple~clouddocs", "nextcloud"];

/// File systems that live on another machine, as Linux names them.
#[cfg(target_os = "linux")]
const REMOTE: [&str; 11] = [
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "9p",
    "afs",
    "ceph",
    "fuse.sshfs",
    "fuse.rclone",
    "fuse.glusterfs",
];

/// Says why a write-ahead log is not safe below `path`, if it is not.
pub(crate) fn hazard(path: &Path) -> Option<String> {
    let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let synced = path.components().find_map(|part| {
        let part = part.as_os_str().to_string_lossy().to_lowercase();
        SYNCED.iter().any(|s| part.starts_with(s)).then_some(part)
    });
    if let Some(name) = synced {
        return Some(format!("{} is in a synced folder ({name})", path.display()));
    }
    let kind = mount_type(&path)?;
    Some(format!("{} is on a network file system ({kind})", path.display()))
}

/// Whether the database below `path` must do without a write-ahead log.
pub(crate) fn is_unsafe_for_wal(path: &Path) -> bool {
    hazard(path).is_some()
}

#[cfg(target_os = "linux")]
fn mount_type(path: &Path) -> Option<String> {
    remote_type(&std::fs::read_to_string("/proc/self/mounts").ok()?, path)
}

#[cfg(not(target_os = "linux"))]
fn mount_type(_path: &Path) -> Option<String> {
    None
}

/// Finds the file system of `path` in a list of mounts (device, mount point, type, ...); none if it
/// is a local one.
#[cfg(target_os = "linux")]
fn remote_type(mounts: &str, path: &Path) -> Option<String> {
    let mut best: Option<(usize, &str)> = None;
    for line in mounts.lines() {
        let mut fields = line.split_whitespace().skip(1);
        let (Some(point), Some(kind)) = (fields.next(), fields.next()) else { continue };
        let point = point.replace("\\040", " ");
        if path.starts_with(&point) && best.is_none_or(|(len, _)| point.len() >= len) {
            best = Some((point.len(), kind));
        }
    }
    best.map(|(_, kind)| kind).filter(|kind| REMOTE.contains(kind)).map(str::to_owned)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_mount_decides() {
        let mounts = "/dev/sda / ext4 rw 0 0\nhost:/x /mnt/my\\040share nfs4 rw 0 0\n\
                      tmpfs /mnt/my\\040share/local tmpfs rw 0 0\n";
        let cases = [
            ("/home/ada", None),
            ("/mnt/my share/data", Some("nfs4")),
            ("/mnt/my share/local/data", None),
            ("/mnt/my shared", None),
        ];
        for (path, expected) in cases {
            assert_eq!(remote_type(mounts, Path::new(path)).as_deref(), expected, "{path}");
        }
    }

    #[test]
    fn synced_folders_are_known_by_name() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(hazard(dir.path()), None);
        let synced = dir.path().join("Dropbox (Work)");
        std::fs::create_dir(&synced).unwrap();
        assert!(hazard(&synced).unwrap().contains("dropbox (work)"));
    }
}
