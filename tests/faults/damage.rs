//! Any byte of any file changed, or any file cut short, while no process holds the folder.
//!
//! Every page comes back or is named as lost, nothing is invented, the damaged original is kept,
//! and it is told once.

use crate::support::site::{End, Site};
use crate::support::{demand, in_parallel, n_points, open, seed};
use faults::Random;

const VIEWS: [&str; 3] = ["short_term_memory.json", "mid_term_memory.json", "user_profile.json"];

/// What is done to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Harm {
    /// These bits of this byte are flipped.
    Flip(usize, u8),
    /// The file ends here.
    Cut(usize),
}

impl Harm {
    fn of(self, whole: &[u8]) -> Vec<u8> {
        let mut bytes = whole.to_owned();
        match self {
            Self::Flip(at, bits) => bytes[at] ^= bits,
            Self::Cut(len) => bytes.truncate(len),
        }
        bytes
    }
}

/// Chooses `n` harms to a file and its shortest beginnings: in bytes of the `interesting` kinds by turns, and by chance.
fn harms(whole: &[u8], interesting: &[Vec<usize>], n: usize, random: &mut Random) -> Vec<Harm> {
    let below = |random: &mut Random, n: usize| usize::try_from(random.below(n as u64)).unwrap();
    let mut harm = |nth: usize| {
        let bits = 1 << random.below(8);
        match nth % 6 {
            0 => Harm::Cut(below(random, whole.len())),
            1 => Harm::Cut(below(random, whole.len() / 512) * 512),
            2 => Harm::Flip(below(random, whole.len()), bits),
            _ if interesting.is_empty() => Harm::Flip(below(random, whole.len()), bits),
            _ => {
                let kind = &interesting[below(random, interesting.len())];
                Harm::Flip(kind[below(random, kind.len())], bits)
            }
        }
    };
    // What is left of the first bytes is a case of its own to SQLite.
    (0..3).map(Harm::Cut).chain((0..n).map(&mut harm)).collect()
}

/// Returns where `what` stands in a file, and `more` bytes behind.
fn places(whole: &[u8], what: &str, more: usize) -> Vec<usize> {
    let at = whole.windows(what.len()).enumerate().filter(|(_, w)| *w == what.as_bytes());
    at.flat_map(|(at, _)| at..(at + what.len() + more).min(whole.len())).collect()
}

/// Returns the first 16 bytes of each page of a database.
fn page_heads(whole: &[u8]) -> Vec<usize> {
    heads(whole, 0, u16::from_be_bytes([whole[16], whole[17]]).into(), 16)
}

/// Returns the first 24 bytes of each frame of a log.
fn frame_heads(whole: &[u8]) -> Vec<usize> {
    let page = u32::from_be_bytes([whole[8], whole[9], whole[10], whole[11]]);
    heads(whole, 32, usize::try_from(page).unwrap() + 24, 24)
}

/// Returns the first `n` bytes of each part of a file that is so long.
fn heads(whole: &[u8], first: usize, page: usize, n: usize) -> Vec<usize> {
    (first..whole.len()).step_by(page).flat_map(|at| at..(at + n).min(whole.len())).collect()
}

/// Tries harms to a file, in as many threads as there are processors; `check` demands what holds
/// after one.
fn try_all(
    end: End,
    name: &str,
    n: usize,
    interesting: impl Fn(&[u8]) -> Vec<Vec<usize>> + Sync,
    check: impl Fn(&Site, &[u8], &str) + Sync,
) {
    let n_threads = std::thread::available_parallelism().map_or(1, usize::from);
    in_parallel((0..n_threads).collect(), |thread| {
        let site = Site::new(end);
        let whole = site.whole.get(name).unwrap();
        let mut random = Random::new(seed() + thread as u64);
        for harm in harms(whole, &interesting(whole), n.div_ceil(n_threads), &mut random) {
            let damaged = harm.of(whole);
            if damaged != whole {
                check(&site, &damaged, &format!("{name} ({} bytes) {harm:?}", whole.len()));
            }
        }
    });
}

/// Opens a damaged folder, twice; at most `n_lost` pages are lost. Returns what was told.
fn check_twice(site: &Site, name: &str, damaged: &[u8], n_lost: usize, at: &str) -> String {
    let data = site.set(name, damaged);
    let verdict = demand(data, &site.ledger, at);
    let notices = verdict.notices;
    assert!(verdict.lost.len() <= n_lost, "{at}: {:?} are lost: {notices}", verdict.lost);
    assert_eq!(demand(data, &site.ledger, at).notices, notices, "{at}: it is told once");
    notices
}

fn is_recovered(notices: &str) -> bool {
    notices.contains("the memory was damaged")
}

#[test]
fn a_database_with_any_byte_changed_or_cut_short_gives_every_page() {
    let interesting = |whole: &[u8]| {
        let identity = ["ada", "library", "owner", "epoch", "identity", "gaps"];
        let identity = identity.map(|what| places(whole, what, 8)).concat();
        let texts = places(whole, "Page ", 40);
        vec![(0..100).collect(), page_heads(whole), identity, texts]
    };
    try_all(End::Clean, "memory.db", n_points(250), interesting, |site, damaged, at| {
        let notices = check_twice(site, "memory.db", damaged, 0, at);
        if is_recovered(&notices) {
            assert!(site.is_kept("memory.db.damaged-", damaged), "{at}: the original is kept");
        }
    });
}

#[test]
fn a_log_with_any_byte_changed_or_cut_short_loses_nothing_in_silence() {
    let interesting = |whole: &[u8]| {
        let texts = places(whole, "Page ", 40);
        vec![(0..32).collect(), frame_heads(whole), texts]
    };
    let name = "memory.db-wal";
    try_all(End::Killed, name, n_points(150), interesting, |site, damaged, at| {
        // What is in the views cannot be lost.
        let notices = check_twice(site, name, damaged, 5, at);
        assert!(is_recovered(&notices), "{at}: {notices}");
        assert!(site.is_kept("memory.db.damaged-", damaged), "{at}: the original is kept");
    });
}

#[test]
fn a_view_with_any_byte_changed_or_cut_short_is_kept_and_changes_nothing() {
    for name in VIEWS {
        let interesting =
            |whole: &[u8]| vec![(0..200).collect(), (whole.len() - 40..whole.len()).collect()];
        try_all(End::Clean, name, n_points(90) / 3, interesting, |site, damaged, at| {
            let data = site.set(name, damaged);
            // It is moved away when it is to be written anew; then it is told.
            demand(data, &site.ledger, at);
            let notices = demand(data, &site.ledger, at).notices;
            assert!(notices.contains(name) && !is_recovered(&notices), "{at}: {notices}");
            assert!(site.is_kept(&format!("{name}."), damaged), "{at}: the original is kept");
        });
    }
}

#[test]
fn views_alone_restore_a_user_and_a_damaged_one_all_that_it_still_says() {
    let site = Site::new(End::Clean);
    let profile = || {
        let engine = open(site.set("memory.db", site.whole.get("memory.db").unwrap()));
        let profile = engine.profile().wait().unwrap();
        engine.close().wait().unwrap();
        profile
    };
    let expected = profile();
    assert!(expected.user_knowledge.len() > 2, "{expected:?}");
    let whole = site.whole.get(VIEWS[0]).unwrap();
    let data = site.set_views_only(VIEWS[0], whole);
    assert_eq!(demand(data, &site.ledger, "only views").lost, [0; 0]);
    let engine = open(data);
    assert_eq!(engine.profile().wait().unwrap(), expected);
    engine.close().wait().unwrap();
    for name in VIEWS {
        try_all(
            End::Clean,
            name,
            n_points(60) / 3,
            |_| Vec::new(),
            |site, damaged, at| {
                let data = site.set_views_only(name, damaged);
                let n_lost = demand(data, &site.ledger, at).lost.len();
                let is_cut = damaged.len() < site.whole.get(name).unwrap().len();
                assert!(n_lost <= 1 || is_cut, "{at}: {n_lost} pages are lost to one byte");
                assert_eq!(demand(data, &site.ledger, at).lost.len(), n_lost, "{at}");
            },
        );
    }
}

#[test]
fn derived_data_with_any_byte_changed_or_cut_short_changes_nothing() {
    let name = "embeddings/static-128.db";
    let interesting = |whole: &[u8]| vec![(0..100).collect(), page_heads(whole)];
    try_all(End::Clean, name, n_points(50), interesting, |site, damaged, at| {
        assert_eq!(check_twice(site, name, damaged, 0, at), "", "{at}");
    });
}
