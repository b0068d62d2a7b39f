//! The walls between the layers, checked on the source text.
//!
//! Comments do not count: a layer may speak of another without using it.

use std::fs;
use std::path::{Path, PathBuf};

/// A word, the places where code may use it, and the part of the source in which that is checked.
struct Wall {
    word: &'static str,
    within: &'static str,
    allowed: &'static [&'static str],
}

const WALLS: &[Wall] = &[
    wall("rmcp::", "src/", &["src/mcp/"]),
    wall("rusqlite", "src/", &["src/storage/"]),
    wall("async_openai", "src/", &["src/llm/"]),
    wall("reqwest", "src/", &["src/llm/"]),
    wall("rustls", "src/", &["src/llm/"]),
    // What only the system knows of files and disks.
    wall("rustix", "src/", &["src/stdio.rs", "src/storage/", "src/engine/reader.rs"]),
    wall("crate::doctor", "src/", &["src/doctor/", "src/cli.rs"]),
    // Nothing else sends anything anywhere.
    wall("std::net", "src/", &["src/llm/"]),
    wall("clap::", "src/", &["src/cli.rs"]),
    wall("anyhow::", "src/", &["src/cli.rs", "src/mcp/mod.rs", "src/mcp/tests/"]),
    wall("tracing_subscriber", "src/", &["src/logging.rs", "src/config/value.rs"]),
    // The folder for private copies is the system's to name, and no setting of ours.
    wall("std::env", "src/", &["src/config/", "src/storage/copy.rs"]),
    wall("SystemTime::now", "src/", &["src/time.rs"]),
    wall("Utc::now", "src/", &["src/time.rs"]),
    wall("Local::now", "src/", &["src/time.rs"]),
    wall("stdout()", "src/", &["src/cli.rs", "src/stdio.rs"]),
    wall("crate::mcp", "src/", &["src/mcp/", "src/cli.rs", "src/fuzzing/"]),
    wall(
        "crate::llm",
        "src/",
        &[
            "src/llm/",
            "src/engine/",
            "src/config/",
            "src/doctor/model.rs",
            "src/cli.rs",
            "src/fuzzing/",
        ],
    ),
    wall("crate::cli", "src/", &["src/cli.rs"]),
    wall("crate::selftest", "src/", &["src/selftest/", "src/cli.rs"]),
    // Nothing else starts a program.
    wall("Command::new", "src/", &["src/selftest/process.rs", "src/doctor/client.rs"]),
    wall("crate::config", "src/", &["src/config/", "src/doctor/", "src/cli.rs"]),
    wall("crate::engine", "src/", &["src/engine/", "src/mcp/", "src/config/", "src/cli.rs"]),
    wall(
        "crate::storage",
        "src/",
        // Outside the engine only the place of the data is asked for, and the doctor's examination.
        &[
            "src/storage/",
            "src/engine/",
            "src/mcp/mod.rs",
            "src/mcp/tests/",
            "src/doctor/",
            "src/cli.rs",
            "src/fuzzing/",
        ],
    ),
    wall("Timestamp::now", "src/", &["src/engine/", "src/storage/", "src/mcp/", "src/time.rs"]),
];

/// What plain computation does without.
const NOT_IN_THE_CORE: [&str; 7] =
    ["std::fs", "std::io", "std::thread", "std::process", "tokio", "Instant::now", "tracing::"];

/// Where our code is.
const OUR_CODE: [&str; 5] = ["src", "tests", "examples", "faults", "fuzz/fuzz_targets"];

const CORE: [&str; 3] = ["src/memory/", "src/retrieval/", "src/embed/"];

const fn wall(word: &'static str, within: &'static str, allowed: &'static [&'static str]) -> Wall {
    Wall { word, within, allowed }
}

/// A source file: its path from the package's folder with `/`, and its text.
struct Source {
    path: String,
    text: String,
}

impl Source {
    /// The lines of code that use a word, numbered from 1.
    fn uses(&self, word: &str) -> Vec<String> {
        let lines = self.text.lines().enumerate();
        lines
            .filter(|(_, line)| !line.trim_start().starts_with("//") && line.contains(word))
            .map(|(idx, line)| format!("{}:{}: {}", self.path, idx + 1, line.trim()))
            .collect()
    }
}

fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &str) -> Vec<Source> {
    let mut found = Vec::new();
    collect(&package().join(folder), &mut found);
    assert!(!found.is_empty(), "there is no source in {folder}");
    found
}

fn collect(folder: &Path, found: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(Source { path: shown(&path), text: fs::read_to_string(&path).unwrap() });
        }
    }
}

fn shown(path: &Path) -> String {
    let inside: PathBuf = path.strip_prefix(package()).unwrap().to_owned();
    inside.to_str().unwrap().replace('\\', "/")
}

#[test]
fn no_layer_uses_what_belongs_to_another() {
    let all = sources("src");
    let broken: Vec<String> = WALLS
        .iter()
        .flat_map(|wall| {
            all.iter()
                .filter(|s| s.path.starts_with(wall.within))
                .filter(|s| !wall.allowed.iter().any(|allowed| s.path.starts_with(allowed)))
                .flat_map(|s| s.uses(wall.word))
        })
        .collect();
    assert_eq!(broken, Vec::<String>::new());
}

#[test]
fn the_doctor_opens_no_memory() {
    let asked = ["crate::storage::inspect", "crate::storage::{data_dir, default_user}"];
    let broken: Vec<String> = sources("src/doctor")
        .iter()
        .flat_map(|source| source.uses("crate::storage"))
        .filter(|line| !asked.iter().any(|asked| line.contains(asked)))
        .collect();
    assert_eq!(broken, Vec::<String>::new());
}

#[test]
fn the_core_is_plain_computation() {
    let all = sources("src");
    let broken: Vec<String> = all
        .iter()
        .filter(|s| CORE.iter().any(|core| s.path.starts_with(core)))
        .flat_map(|s| NOT_IN_THE_CORE.iter().flat_map(|word| s.uses(word)))
        .collect();
    assert_eq!(broken, Vec::<String>::new());
}

#[test]
fn the_selftest_knows_the_program_from_outside_only() {
    let broken: Vec<String> =
        sources("src/selftest").iter().flat_map(|s| s.uses("crate::")).collect();
    assert_eq!(broken, Vec::<String>::new());
}

#[test]
fn every_file_is_ascii_and_short_and_says_what_it_is() {
    let all = OUR_CODE.into_iter().flat_map(sources);
    for Source { path, text } in all {
        assert!(text.is_ascii(), "{path} is not ASCII");
        let n_lines = text.lines().count();
        assert!(n_lines <= 400, "{path} has {n_lines} lines, expected at most 400");
        // A module's own tests are a part of it that was given a file.
        let part = path.starts_with("src/") && path.contains("tests");
        assert!(part || text.starts_with("//!"), "{path} does not begin with what it is");
    }
}

#[test]
fn every_file_of_the_tests_is_compiled() {
    let all = sources("tests");
    for source in &all {
        let (folder, name) = source.path.rsplit_once('/').unwrap();
        let stem = name.trim_end_matches(".rs");
        let (parent, module) = match stem {
            "main" => continue,
            "mod" => folder.rsplit_once('/').unwrap(),
            _ => (folder, stem),
        };
        let declared = all
            .iter()
            .filter(|s| [format!("{parent}/main.rs"), format!("{parent}/mod.rs")].contains(&s.path))
            .any(|s| s.text.lines().any(|line| line.ends_with(&format!("mod {module};"))));
        assert!(declared, "{} is declared by no `mod {module};`", source.path);
    }
}

#[test]
fn no_test_is_switched_off_and_nothing_is_put_off() {
    // Put together here, so that this file does not find itself.
    let words = [["#[ign", "ore"].concat(), ["TO", "DO"].concat(), ["FIX", "ME"].concat()];
    for source in OUR_CODE.into_iter().flat_map(sources) {
        for word in &words {
            assert!(!source.text.contains(word.as_str()), "{} has {word}", source.path);
        }
    }
}
