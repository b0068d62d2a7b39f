//! A process that dies, or a power cut, before any operation on the disk.
//!
//! The work is done once. Before each operation the files are taken as a crash there would leave
//! them, together with what had been answered by then; afterwards each of these folders is opened.

use std::path::Path;
use std::sync::{Arc, Mutex};

use faults::{Moment, Op, Random, Snapshot, World};
use memoryos::engine::{Engine, Recall};

use crate::support::{
    Ledger, State, data, demand, file, in_parallel, n_points, open, page, seed, until,
};

/// What a crash left, and what was known then.
#[derive(Debug)]
struct Point {
    name: String,
    left: Snapshot,
    ledger: Ledger,
    /// Whether the folder had been damaged on purpose before.
    damaged: bool,
    /// Whether a file of another program was there.
    imports: bool,
    power_cut: bool,
}

impl Point {
    /// Whether the notices are right after this crash: it is no damage. Only where a power cut took
    /// the index of the log and a part of a commit that nobody was told of, that cannot be told from
    /// a flipped bit in one that was.
    fn may_tell(&self, notices: &str) -> bool {
        // Such a page may then be named as lost, although nobody was told that it was stored.
        let torn = self.power_cut && notices.contains("commits behind the break");
        let told = notices.lines().filter(|line| !(self.imports && line.contains("took in")));
        self.damaged || torn || told.count() == 0
    }
}

/// What the work and whoever looks at it share.
#[derive(Debug, Default)]
struct Diary {
    ledger: Ledger,
    damaged: bool,
    imports: bool,
    phase: &'static str,
    points: Vec<Point>,
}

type Shared = Arc<Mutex<Diary>>;

fn add(engine: &Engine, diary: &Shared, n: usize) {
    for _ in 0..n {
        let number = diary.lock().unwrap().ledger.entries.len();
        let new = page(number, i64::try_from(number % 7).unwrap() * 3);
        diary.lock().unwrap().ledger.send(new.clone());
        let added = engine.add(new).wait().unwrap();
        diary.lock().unwrap().ledger.stored(number, added.id);
    }
}

fn forget(engine: &Engine, diary: &Shared, n: usize) {
    let id = diary.lock().unwrap().ledger.entries[n].id.unwrap();
    diary.lock().unwrap().ledger.set(n, State::MayBeGone);
    engine.forget(vec![id]).wait().unwrap();
    diary.lock().unwrap().ledger.set(n, State::Gone);
}

fn shown(data: &Path, what: &str) -> bool {
    let view = std::fs::read_to_string(file(data, "short_term_memory.json")).unwrap_or_default();
    view.contains(what)
}

/// Everything a memory does: it is created, grows, shows itself, forgets, is opened again, is
/// damaged and recovers.
fn work(data: &Path, world: &World, diary: &Shared) {
    let begin = |phase| diary.lock().unwrap().phase = phase;
    begin("creating");
    let engine = open(data);
    begin("adding");
    add(&engine, diary, 9);
    until("the views are written", || shown(data, "Page 8:"));
    begin("creating another user");
    engine.create_user("bob".parse().unwrap(), "helper".parse().unwrap()).wait().unwrap();
    begin("adding more");
    let recall = Recall { query: "the sails of the boat".to_owned(), max_results: 5, visit: true };
    engine.recall(recall).wait().unwrap();
    add(&engine, diary, 4);
    begin("forgetting");
    forget(&engine, diary, 2);
    add(&engine, diary, 2);
    begin("closing");
    engine.close().wait().unwrap();
    begin("opening again");
    let engine = open(data);
    add(&engine, diary, 3);
    begin("being killed");
    world.stop_after(0);
    engine.close().wait().unwrap();
    world.heal();
    begin("opening after a kill");
    let engine = open(data);
    add(&engine, diary, 1);
    engine.close().wait().unwrap();
    begin("taking in a file of another program");
    take_in(data, diary);
    begin("recovering");
    let mut bytes = std::fs::read(file(data, "memory.db")).unwrap();
    let middle = bytes.len() / 2;
    bytes.truncate(middle);
    diary.lock().unwrap().damaged = true;
    Snapshot::default().with("ada/memory.db", bytes).restore(data).unwrap();
    let engine = open(data);
    add(&engine, diary, 3);
    engine.close().wait().unwrap();
}

/// Pages of another program's file: from the moment that it is there they must not be lost.
fn take_in(data: &Path, diary: &Shared) {
    let mut pages = Vec::new();
    for n in 900..903 {
        let mut new = page(n, i64::try_from(n).unwrap());
        (new.session, new.meta_data) = ("import".to_owned(), serde_json::Map::new());
        pages.push(serde_json::json!({
            "user_input": new.texts.user_input, "agent_response": new.texts.agent_response,
            "timestamp": new.timestamp.to_string(),
        }));
        let ledger = &mut diary.lock().unwrap().ledger;
        let entry = ledger.send(new);
        ledger.set(entry, State::Stored);
        ledger.entries[entry].order = None;
    }
    let text = serde_json::to_string(&pages).unwrap();
    Snapshot::default().with("ada/old.json", text.into_bytes()).restore(data).unwrap();
    diary.lock().unwrap().imports = true;
    let engine = open(data);
    add(&engine, diary, 1);
    engine.close().wait().unwrap();
}

/// A memory of the first format is brought to the present one.
fn change_format(data: &Path, _world: &World, diary: &Shared) {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/v1");
    let first_format = Snapshot::of(&fixture, &Snapshot::default());
    // What is in it, as a copy says that is opened elsewhere.
    let copy = self::data();
    first_format.restore(&copy.path().join("ada")).unwrap();
    let engine = open(copy.path());
    let views = ["short_term_memory.json", "mid_term_memory.json"];
    let texts = views.map(|name| String::from_utf8(first_format.get(name).unwrap().to_vec()));
    for text in texts.map(Result::unwrap) {
        for id in text.split("\"id\": \"").skip(1).filter_map(|rest| rest.split('"').next()) {
            let page = engine.page(id.parse().unwrap()).wait().unwrap().unwrap().page;
            let mut diary = diary.lock().unwrap();
            let n = diary.ledger.send(page.new);
            diary.ledger.stored(n, page.id);
            diary.ledger.entries[n].order = None;
        }
    }
    assert_eq!(diary.lock().unwrap().ledger.entries.len(), 8);
    engine.close().wait().unwrap();
    diary.lock().unwrap().phase = "changing the format";
    first_format.restore(&data.join("ada")).unwrap();
    let engine = open(data);
    add(&engine, diary, 1);
    engine.close().wait().unwrap();
}

/// Whether a moment is looked at: every one at which the disk changes, some of the others.
fn is_taken(moment: &Moment<'_>, random: &mut Random) -> bool {
    match moment.op {
        Op::Sync | Op::Truncate | Op::Delete | Op::File => true,
        Op::Write => random.below(3) == 0,
        Op::Open | Op::Read | Op::Lock | Op::Shm => random.below(12) == 0,
    }
}

/// Does some work and returns the points at which a crash is tried, about `wanted`.
fn points(power_cut: bool, wanted: usize, work: fn(&Path, &World, &Shared)) -> Vec<Point> {
    let data = data();
    let diary = Shared::default();
    let world = World::over(data.path()).unwrap();
    let mut random = Random::new(seed());
    let seen = Arc::clone(&diary);
    world.watch(move |moment| {
        if !is_taken(moment, &mut random) {
            return;
        }
        let mut diary = seen.lock().unwrap();
        let (damaged, imports) = (diary.damaged, diary.imports);
        let ledger = diary.ledger.clone();
        let left = if power_cut { moment.power_lost(random.draw()) } else { moment.killed() };
        let name = format!(
            "{} (seed {}), before operation {}, {:?} of {}",
            diary.phase,
            seed(),
            moment.n,
            moment.op,
            moment.file.display()
        );
        diary.points.push(Point { name, left, ledger, damaged, imports, power_cut });
    });
    work(data.path(), &world, &diary);
    world.unwatch();
    let points = std::mem::take(&mut diary.lock().unwrap().points);
    let step = (points.len() / wanted.max(1)).max(1);
    points.into_iter().step_by(step).collect()
}

fn check(points: Vec<Point>) {
    in_parallel(points, |point| {
        let data = data();
        point.left.restore(data.path()).unwrap();
        let at = format!("a crash while {}", point.name);
        let verdict = demand(data.path(), &point.ledger, &at);
        assert_eq!(verdict.lost, [0; 0], "{at}: {}", verdict.notices);
        let notices = &verdict.notices;
        assert!(point.may_tell(notices), "{at}: a crash is no damage: {notices}");
    });
}

#[test]
fn a_process_that_dies_before_any_operation_leaves_everything_that_was_acknowledged() {
    check(points(false, n_points(200), work));
}

#[test]
fn a_power_cut_before_any_operation_leaves_everything_that_was_acknowledged() {
    check(points(true, n_points(200), work));
}

#[test]
fn a_crash_while_the_format_is_changed_leaves_every_page() {
    check(points(false, n_points(40), change_format));
    check(points(true, n_points(40), change_format));
}
