//! The committed inputs and some thousand changes of them, through every function.

use std::fs;
use std::path::{Path, PathBuf};

/// Changed inputs per target.
const CHANGES: usize = 2_000;

/// The longest input that is changed: longer ones only cost time.
const LONGEST: usize = 4_096;

/// What stands in inputs of all kinds, and what tends to break.
const PIECES: [&str; 40] = [
    "\0",
    "\n",
    "\r",
    "\"",
    "\\",
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\n%%\n",
    "\u{1b}[31m",
    "\u{85}",
    "\u{2028}",
    "\u{202e}",
    "\u{feff}",
    "\u{301}",
    "\u{fb01}",
    "\u{130}",
    "\u{1e9e}",
    "\u{732b}",
    "\u{1f468}\u{200d}\u{1f469}",
    "\\ud800",
    "\\u0000",
    "null",
    "-1",
    "1e308",
    "18446744073709551616",
    "9223372036854775807",
    "0.1e-400",
    "{}",
    "[]",
    "\"id\":1",
    "\"method\":\"tools/call\"",
    "I live in ",
    "my sister ",
    " next Friday",
    "#seal\n",
    "9999-12-31T23:59:59.999999+14:00",
];

/// A small generator of repeatable numbers (xorshift).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % n.max(1)
    }

    fn range(&mut self, len: usize) -> std::ops::Range<usize> {
        let start = self.roll(len + 1);
        start..start + self.roll((len - start).min(64) + 1)
    }

    /// Changes an input in one to four places.
    fn change(&mut self, input: &[u8], other: &[u8]) -> Vec<u8> {
        let mut bytes = input.to_vec();
        for _ in 0..=self.roll(4) {
            let at = self.roll(bytes.len() + 1);
            match self.roll(6) {
                0 if !bytes.is_empty() => {
                    let at = self.roll(bytes.len());
                    bytes[at] ^= 1 << self.roll(8);
                }
                1 => drop(bytes.drain(self.range(bytes.len()))),
                2 => bytes.truncate(at),
                3 => {
                    let part = other[self.range(other.len())].to_vec();
                    bytes.splice(at..at, part);
                }
                4 => {
                    let again = bytes[self.range(bytes.len())].repeat(1 + self.roll(8));
                    bytes.splice(at..at, again);
                }
                _ => {
                    let piece = PIECES[self.roll(PIECES.len())].bytes();
                    bytes.splice(at..at, piece);
                }
            }
        }
        bytes
    }
}

fn corpus(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

/// Says which input it was when a function panics.
struct Tell<'a>(&'a str, &'a [u8]);

impl Drop for Tell<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the input of {} was: {}", self.0, self.1.escape_ascii());
        }
    }
}

fn replay(target: &str, run: fn(&[u8])) {
    let inputs = corpus(target);
    assert!(inputs.len() > 3, "{target} has too few inputs");
    for (path, bytes) in &inputs {
        let _tell = Tell(&path.to_string_lossy(), bytes);
        run(bytes);
    }
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    for _ in 0..CHANGES {
        let (from, other) = (dice.roll(inputs.len()), dice.roll(inputs.len()));
        let from = &inputs[from].1[..inputs[from].1.len().min(LONGEST)];
        let changed = dice.change(from, &inputs[other].1);
        let _tell = Tell(target, &changed);
        run(&changed);
    }
}

#[test]
fn every_line_that_asks_is_answered_once_on_one_line() {
    replay("lines", super::lines);
}

#[test]
fn nothing_of_a_model_s_reply_is_kept_that_does_not_rest_on_a_page() {
    replay("replies", super::replies);
}

#[test]
fn every_text_is_read_within_its_bounds() {
    replay("texts", super::texts);
}

#[test]
fn every_fact_is_a_clause_of_its_page() {
    replay("rules", super::rules);
}

#[test]
fn pages_of_another_program_come_back_as_they_were_taken_in() {
    replay("foreign", super::foreign);
}

#[test]
fn nothing_in_a_view_is_believed_without_its_checksum() {
    replay("views", super::views);
}

#[test]
fn a_changed_row_is_damage_and_never_a_page() {
    replay("rows", super::rows);
}
