//! What an add costs beside the least it could cost: one row committed to stable storage.
//!
//! ```text
//! cargo run --release --example bare_commit                              the engine as a library
//! cargo run --release --example bare_commit -- target/release/memoryos   and over a pipe
//! ```
//!
//! Commits and adds come by turns, so that both meet the same moods of the disk. The bare commit
//! inserts one row of 500 bytes with a write-ahead log and synchronous=FULL. The figures are the
//! median of five rounds, each the median of its pairs.

use std::io::{BufRead as _, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use memoryos::engine::{Capacities, Engine, Options};
use memoryos::memory::page::{NewPage, Texts};
use memoryos::time::Timestamp;
use rusqlite::Connection;
use serde_json::{Map, Value, json};

const ROUNDS: usize = 5;
const PAIRS: usize = 200;
const BYTES: usize = 500;

/// Something that stores a text.
trait Store {
    fn store(&mut self, text: &str) -> anyhow::Result<()>;
}

struct Bare(Connection);

impl Bare {
    fn open(path: &Path) -> anyhow::Result<Self> {
        let conn = Connection::open(path)?;
        conn.pragma_update(None, "journal_mode", "WAL")?;
        conn.pragma_update(None, "synchronous", "FULL")?;
        conn.execute_batch("CREATE TABLE rows (id INTEGER PRIMARY KEY, text TEXT NOT NULL)")?;
        Ok(Self(conn))
    }
}

impl Store for Bare {
    fn store(&mut self, text: &str) -> anyhow::Result<()> {
        self.0.prepare_cached("INSERT INTO rows (text) VALUES (?1)")?.execute([text])?;
        Ok(())
    }
}

struct Embedded(Engine);

impl Embedded {
    fn open(folder: &Path) -> anyhow::Result<Self> {
        Ok(Self(Engine::open(Options {
            data_path: folder.to_owned(),
            user: "ada".parse()?,
            assistant: Some("bare_commit".parse()?),
            capacities: Capacities { short_term: 10, mid_term: 2000, knowledge: 100 },
            heat_threshold: 5.0,
            similarity_threshold: None,
            model: None,
            embedding: None,
        })?))
    }
}

impl Store for Embedded {
    fn store(&mut self, text: &str) -> anyhow::Result<()> {
        let page = NewPage {
            texts: Texts { user_input: text.to_owned(), agent_response: String::new() },
            timestamp: Timestamp::now(),
            timestamp_given: false,
            meta_data: Map::new(),
            session: "bare_commit".to_owned(),
        };
        self.0.add(page).wait()?;
        Ok(())
    }
}

struct Piped {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Piped {
    fn start(program: &str, folder: &Path) -> anyhow::Result<Self> {
        let mut child = Command::new(program)
            .args(["--user-id", "bob", "--data-path"])
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {program}"))?;
        let input = child.stdin.take().context("the server has no stdin")?;
        let output = BufReader::new(child.stdout.take().context("the server has no stdout")?);
        let mut piped = Self { child, input, output };
        let client = json!({"name": "bare_commit", "version": "1"});
        piped.request(
            "initialize",
            &json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client}),
        )?;
        Ok(piped)
    }

    fn request(&mut self, method: &str, params: &Value) -> anyhow::Result<()> {
        let request = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        writeln!(self.input, "{request}")?;
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        if !line.contains("\"result\"") || line.contains("\"isError\":true") {
            bail!("{method}: {line}");
        }
        Ok(())
    }
}

impl Store for Piped {
    fn store(&mut self, text: &str) -> anyhow::Result<()> {
        let page = json!({"user_input": text, "agent_response": ""});
        self.request("tools/call", &json!({"name": "add_memory", "arguments": page}))
    }
}

fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut out = std::io::stdout().lock();
    let mut bare = Bare::open(&folder.path().join("bare.db"))?;
    let mut embedded = Embedded::open(folder.path())?;
    compare(&mut out, "engine", &mut bare, &mut embedded)?;
    embedded.0.close().wait()?;
    if let Some(program) = std::env::args().nth(1) {
        let mut piped = Piped::start(&program, folder.path())?;
        compare(&mut out, "pipe", &mut bare, &mut piped)?;
        drop(piped.input);
        piped.child.wait()?;
    }
    Ok(())
}

/// Measures both by turns and prints the medians.
fn compare(
    out: &mut dyn Write,
    name: &str,
    bare: &mut dyn Store,
    other: &mut dyn Store,
) -> anyhow::Result<()> {
    let (mut bare_rounds, mut other_rounds) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let (mut bare_times, mut other_times) = (Vec::new(), Vec::new());
        for pair in 0..PAIRS {
            let text = text(round * PAIRS + pair);
            bare_times.push(timed(bare, &text)?);
            other_times.push(timed(other, &text)?);
        }
        bare_rounds.push(median(bare_times));
        other_rounds.push(median(other_times));
    }
    let (bare, other) = (millis(median(bare_rounds)), millis(median(other_rounds)));
    let (ratio, more) = (other / bare, other - bare);
    writeln!(
        out,
        "{name}: bare commit p50 {bare:.3} ms, add p50 {other:.3} ms, ratio {ratio:.2}, \
         difference {more:.3} ms"
    )?;
    Ok(())
}

fn timed(store: &mut dyn Store, text: &str) -> anyhow::Result<Duration> {
    let start = Instant::now();
    store.store(text)?;
    Ok(start.elapsed())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// Makes a text of 500 bytes; no two are alike.
fn text(n: usize) -> String {
    const WORDS: [&str; 12] = [
        "garden", "harbour", "violin", "receipt", "kitchen", "Lisbon", "sister", "marathon",
        "builder", "oak", "Tuesday", "project",
    ];
    let mut text = format!("Number {n}:");
    let mut word = n;
    while text.len() < BYTES {
        word = (word * 31 + 7) % 1009;
        text.push(' ');
        text.push_str(WORDS.get(word % WORDS.len()).copied().unwrap_or_default());
    }
    text.truncate(BYTES);
    text
}
