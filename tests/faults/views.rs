//! In which order the views get their names, and when these are durable: a loss of power must not
//! leave a page in no view.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use faults::{Op, World};
use memoryos::engine::Engine;

use crate::support::{PATIENCE, data, file, in_parallel, open, page, until};

const ANY: &[Op] = &[Op::Open, Op::Write, Op::Sync, Op::Lock, Op::Shm, Op::Read];

const VIEWS: [&str; 3] = ["short_term_memory.json", "mid_term_memory.json", "user_profile.json"];

/// What was done to files beside SQLite's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Event {
    /// The mid-term view was synced aside or given its name.
    MidTerm,
    /// The short-term view was.
    ShortTerm,
    /// The folder was synced.
    Folder,
}

use Event::{Folder, MidTerm, ShortTerm};

type Events = Arc<Mutex<Vec<Event>>>;

fn watched(data: &Path) -> (World, Events) {
    let world = World::over(data).unwrap();
    let events = Events::default();
    let seen = Arc::clone(&events);
    world.watch(move |moment| {
        let name = moment.file.file_name().unwrap_or_default().to_string_lossy();
        let of_view = |view| name.starts_with(&format!(".{view}_memory.json."));
        let event = match moment.op {
            Op::File if name == "ada" => Folder,
            Op::File if of_view("mid_term") => MidTerm,
            Op::File if of_view("short_term") => ShortTerm,
            _ => return,
        };
        seen.lock().unwrap().push(event);
    });
    (world, events)
}

fn add(engine: &Engine, pages: std::ops::Range<usize>) {
    for n in pages {
        engine.add(page(n, i64::try_from(n).unwrap())).wait().unwrap();
    }
}

/// Waits until the short-term view shows a page.
fn shown(data: &Path, n: usize) {
    let view = || fs::read_to_string(file(data, "short_term_memory.json")).unwrap_or_default();
    until("the views are written", || view().contains(&format!("Page {n}:")));
}

/// Whether a mid-term view's name was durable before a short-term view was written that leaves out
/// what it shows.
fn is_ordered(events: &[Event]) -> bool {
    events.windows(2).all(|pair| pair != [MidTerm, ShortTerm])
}

#[test]
fn names_of_views_are_durable_once_nobody_writes_and_in_their_order() {
    let data = data();
    let (_world, events) = watched(data.path());
    let engine = open(data.path());
    add(&engine, 0..6);
    shown(data.path(), 5);
    until("the name is durable", || events.lock().unwrap().last() == Some(&Folder));
    let before = events.lock().unwrap().len();
    engine.close().wait().unwrap();
    let events = events.lock().unwrap().clone();
    assert!(events[before..].contains(&MidTerm), "the end rewrites it: {events:?}");
    assert!(is_ordered(&events), "{events:?}");
    assert_eq!(events.last(), Some(&Folder), "{events:?}");
}

#[test]
fn a_mid_term_view_of_another_process_is_made_durable_before_it_is_relied_upon() {
    let data = data();
    let (_world, events) = watched(data.path());
    let first = open(data.path());
    add(&first, 0..6);
    first.close().wait().unwrap();
    events.lock().unwrap().clear();
    let second = open(data.path());
    add(&second, 6..7);
    shown(data.path(), 6);
    let events = events.lock().unwrap().clone();
    assert_eq!(events.first(), Some(&Folder), "{events:?}");
    assert!(events.contains(&ShortTerm));
}

/// Puts one folder in the place of another one, which is moved away.
#[expect(clippy::disallowed_methods, reason = "what a user does with folders")]
fn replace(folder: &Path, other: &Path) {
    fs::rename(folder, folder.with_file_name("away")).unwrap();
    fs::rename(other, folder).unwrap();
}

#[test]
fn views_are_not_written_into_a_folder_that_took_the_place_of_theirs() {
    // A copy from before, and the folder of another memory.
    let cases = (0..60).flat_map(|after| [(after, true), (after, false)]);
    in_parallel(cases.collect(), |(after, is_copy)| {
        let (data, elsewhere) = (data(), data());
        let world = World::over(data.path()).unwrap();
        let (folder, other) = (data.path().join("ada"), data.path().join("other"));
        let fill = |data: &Path, pages| {
            let engine = open(data);
            add(&engine, pages);
            engine.close().wait().unwrap();
        };
        fill(data.path(), 0..6);
        fill(elsewhere.path(), 0..5);
        let origin = if is_copy { &folder } else { &elsewhere.path().join("ada") };
        fs::create_dir(&other).unwrap();
        for name in VIEWS.into_iter().chain(["memory.db"]) {
            fs::copy(origin.join(name), other.join(name)).unwrap();
        }
        fill(data.path(), 6..7);
        // The housekeeping has all three to write.
        for view in VIEWS {
            fs::remove_file(folder.join(view)).unwrap();
        }
        let hold = world.hold("keeper", ANY, after);
        let engine = open(data.path());
        let are_written = || folder.join(VIEWS[0]).exists();
        until("the housekeeping is held or done", || hold.is_held() || are_written());
        if hold.is_held() {
            replace(&folder, &other);
        }
        let views = || VIEWS.map(|view| fs::read_to_string(folder.join(view)).ok());
        let before = views();
        drop(hold);
        engine.close().wait().unwrap();
        assert_eq!(views(), before, "a copy: {is_copy}, held before operation {after}");
    });
}

#[test]
fn what_was_set_aside_stays_in_a_folder_that_took_the_place_of_one_where_something_is_forgotten() {
    in_parallel((0..12).collect(), |after| {
        let data = data();
        let world = World::over(data.path()).unwrap();
        let (folder, other) = (data.path().join("ada"), data.path().join("other"));
        let engine = open(data.path());
        add(&engine, 0..3);
        let id = engine.add(page(3, 3)).wait().unwrap().id;
        shown(data.path(), 3);
        fs::create_dir(&other).unwrap();
        let kept = ["memory.db", "memory.db.damaged-20260101T000000Z", ".new-0123.db"];
        for name in kept {
            fs::copy(folder.join("memory.db"), other.join(name)).unwrap();
        }
        let hold = world.hold("keeper", ANY, after);
        let forgotten = engine.forget(vec![id]);
        assert!(hold.wait(PATIENCE), "the housekeeping is not held before operation {after}");
        replace(&folder, &other);
        drop(hold);
        drop(forgotten.wait());
        drop(engine.close().wait());
        let gone: Vec<_> = kept.iter().filter(|name| !folder.join(name).exists()).collect();
        assert_eq!(gone, [&""; 0], "held before operation {after}");
    });
}
