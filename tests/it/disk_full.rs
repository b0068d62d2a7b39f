//! A disk without room: what was acknowledged stays, what was not is refused.

#![cfg(target_os = "linux")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::doctor::said_of;
use crate::support::{Judge, PATIENCE, Server, Setup, is_root, put};

/// A small disk; unmounted when it is dropped.
pub(crate) struct SmallDisk {
    at: PathBuf,
    _folder: TempDir,
}

impl SmallDisk {
    /// Mounts 3 MB; none where that cannot be done.
    fn mount() -> Option<Self> {
        Self::of(3)
    }

    /// Mounts so many megabytes; none where that cannot be done.
    pub(crate) fn of(megabytes: u32) -> Option<Self> {
        let folder = TempDir::new().unwrap();
        let at = folder.path().join("disk");
        fs::create_dir(&at).unwrap();
        let size = format!("size={megabytes}m");
        let mount = ["-t", "tmpfs", "-o", &size, "memoryos-test"];
        let mounted = is_root()
            && Command::new("mount")
                .args(mount)
                .arg(&at)
                .output()
                .is_ok_and(|o| o.status.success());
        if !mounted {
            println!("skipped: a small disk cannot be mounted here");
            return None;
        }
        Some(Self { at, _folder: folder })
    }

    /// Returns where it is mounted.
    pub(crate) fn path(&self) -> &Path {
        &self.at
    }

    /// Takes all space.
    pub(crate) fn fill(&self) {
        take_all_space(&self.at);
    }

    /// Gives back what [`SmallDisk::fill`] took.
    pub(crate) fn make_room(&self) {
        fs::remove_file(self.at.join("ballast")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("--lazy").arg(&self.at).status());
    }
}

/// Adds pages of 20 kB until one is refused; returns what was said then.
fn fill(server: &mut Server, judge: &mut Judge) -> String {
    for n in 0..400 {
        let user_input = format!("Page {n} of {}: {}", judge.len(), "long words ".repeat(2000));
        let page = json!({"user_input": user_input, "agent_response": "noted"});
        match server.tool("add_memory", &page) {
            Ok(reply) => judge.note(&reply, &user_input, "noted"),
            Err(said) => return said,
        }
    }
    panic!("the disk never filled up");
}

fn take_all_space(at: &Path) {
    use std::io::Write as _;
    let mut ballast = fs::File::create(at.join("ballast")).unwrap();
    while ballast.write_all(&[7; 4096]).is_ok() {}
    while ballast.write_all(&[7; 1]).is_ok() {}
}

#[test]
fn on_a_full_disk_nothing_is_lost_and_adding_goes_on_when_there_is_room_again() {
    let Some(disk) = SmallDisk::of(8) else { return };
    let setup = Setup::new(&disk.at, "ada");
    let mut judge = Judge::default();
    let mut server = setup.start();
    judge.add(&mut server, 5);
    // Enough for the views and the log beside the adds that come then.
    put(&disk.at.join("reserve"), vec![1; 6 << 20]);
    let said = fill(&mut server, &mut judge);
    assert!(said.contains("nothing was stored"), "{said}");
    assert!(said.contains("full"), "it says why: {said}");
    judge.demand_of(&mut server);
    let found = server.tool("retrieve_memory", &json!({"query": "boat"})).unwrap();
    assert!(found["retrieved_pages"][0].is_object());
    fs::remove_file(disk.at.join("reserve")).unwrap();
    judge.add(&mut server, 5);
    assert_eq!(server.close().0, Some(0));
    judge.demand_all(&setup);
}

#[test]
fn a_server_that_is_started_or_killed_on_a_full_disk_reads_every_page() {
    let Some(disk) = SmallDisk::mount() else { return };
    let setup = Setup::new(&disk.at, "ada");
    let mut judge = Judge::default();
    let mut server = setup.start();
    judge.add(&mut server, 20);
    take_all_space(&disk.at);
    fill(&mut server, &mut judge);
    server.kill();
    let mut again = setup.start();
    judge.demand_of(&mut again);
    let refused = fill(&mut again, &mut judge);
    assert!(refused.contains("nothing was stored"), "{refused}");
    assert_eq!(again.close().0, Some(0));
    fs::remove_file(disk.at.join("ballast")).unwrap();
    let mut server = setup.start();
    judge.add(&mut server, 5);
    server.close();
    assert_eq!(judge.demand_all(&setup).info["notices"], Value::Array(Vec::new()));
}

#[test]
fn a_server_that_was_started_on_a_full_disk_stores_again_once_there_is_room() {
    let Some(disk) = SmallDisk::mount() else { return };
    let setup = Setup::new(&disk.at, "ada");
    let mut judge = Judge::default();
    let mut server = setup.start();
    judge.add(&mut server, 20);
    server.kill();
    take_all_space(&disk.at);
    let mut server = setup.start();
    judge.demand_of(&mut server);
    let page = json!({"user_input": "There is room again", "agent_response": "noted"});
    let said = server.tool("add_memory", &page).unwrap_err();
    assert!(said.contains("nothing was stored") && said.contains("read-only"), "{said}");
    fs::remove_file(disk.at.join("ballast")).unwrap();
    let start = Instant::now();
    let stored = loop {
        match server.tool("add_memory", &page) {
            Ok(stored) => break stored,
            Err(said) => assert!(start.elapsed() < PATIENCE, "{said}"),
        }
    };
    judge.note(&stored, "There is room again", "noted");
    judge.add(&mut server, 5);
    assert_eq!(server.close().0, Some(0));
    judge.demand_all(&setup);
}

#[test]
fn the_doctor_warns_of_a_disk_with_little_room() {
    let Some(disk) = SmallDisk::mount() else { return };
    let said = said_of(&Setup::new(&disk.at, "ada"));
    said.demand(("data.space", "warning"), &["only", "MiB free", "free some space"]);
}
