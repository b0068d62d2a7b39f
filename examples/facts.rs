//! What the rules read as facts, to be judged by a reader.
//!
//! ```text
//! cargo run --release --example facts                          facts of the lines on stdin
//! cargo run --release --example facts -- FILE                  facts of the pages of conversations
//! cargo run --release --example facts -- FILE --sample 100     so many of them, drawn by --seed
//! ```
//!
//! FILE holds `{"conversations": [{"pages": [{"id", "user_input", "timestamp"}]}]}`.
//! Where a conversation also has `"questions": [{"category", "evidence": [["id"]]}]`, the coverage is
//! printed: for how many questions at least one page of evidence gives a fact, by category; and the
//! ceiling, those with such a page in which the user says "I", "my" or "we" at all.

use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::Context as _;
use clap::Parser;
use memoryos::memory::fact::{Act, Statement};
use memoryos::memory::rules::statements;
use memoryos::time::Timestamp;
use serde::Deserialize;

#[derive(Parser)]
struct Arguments {
    /// The conversations; without it, lines are read from stdin.
    file: Option<PathBuf>,
    /// Prints so many facts instead of all.
    #[arg(long)]
    sample: Option<usize>,
    /// Draws other facts.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Reads lines as said then; now if not given.
    #[arg(long)]
    at: Option<String>,
}

#[derive(Deserialize)]
struct File {
    conversations: Vec<Conversation>,
}

#[derive(Deserialize)]
struct Conversation {
    pages: Vec<PageRecord>,
    #[serde(default)]
    questions: Vec<Question>,
}

#[derive(Deserialize)]
struct PageRecord {
    id: String,
    user_input: String,
    timestamp: String,
}

#[derive(Deserialize)]
struct Question {
    category: u32,
    evidence: Vec<Vec<String>>,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let mut out = std::io::stdout().lock();
    let Some(path) = &arguments.file else { return of_lines(&mut out, &arguments) };
    let text =
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let file: File = serde_json::from_str(&text)?;

    let mut found = Vec::new();
    let mut coverage: BTreeMap<u32, [usize; 3]> = BTreeMap::new();
    let (start, mut n_pages) = (Instant::now(), 0_u32);
    for conversation in &file.conversations {
        let mut facts: HashMap<&str, bool> = HashMap::new();
        for page in &conversation.pages {
            let at = Timestamp::parse(&page.timestamp)?;
            let said = statements(&page.user_input, at);
            facts.insert(&page.id, !said.is_empty());
            found.extend(said.into_iter().map(|s| (s, at)));
            n_pages += 1;
        }
        let says_i = conversation.pages.iter().map(|p| (p.id.as_str(), says_i(&p.user_input)));
        let says_i: HashMap<&str, bool> = says_i.collect();
        for question in &conversation.questions {
            let [n, covered, possible] = coverage.entry(question.category).or_default();
            let any = |of: &HashMap<&str, bool>| {
                question.evidence.iter().flatten().any(|id| of.get(id.as_str()) == Some(&true))
            };
            *n += 1;
            *covered += usize::from(any(&facts));
            *possible += usize::from(any(&says_i));
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    let n_found = found.len();
    for (statement, at) in drawn(found, arguments.sample, arguments.seed) {
        show(&mut out, &statement, at)?;
    }
    let each = seconds * 1e6 / f64::from(n_pages);
    writeln!(out, "{n_found} facts in {n_pages} pages, {each:.1} us a page")?;
    for (category, [n, covered, possible]) in coverage {
        let share = |k: usize| 100.0 * k as f64 / n as f64;
        let (covered, possible) = (share(covered), share(possible));
        writeln!(out, "category {category}: {n} questions, {covered:.1} % of {possible:.1} %")?;
    }
    Ok(())
}

fn of_lines(out: &mut impl Write, arguments: &Arguments) -> anyhow::Result<()> {
    let at = arguments.at.as_deref().map_or(Ok(Timestamp::now()), Timestamp::parse)?;
    for line in std::io::stdin().lines() {
        for statement in statements(&line?, at) {
            show(out, &statement, at)?;
        }
    }
    Ok(())
}

fn says_i(text: &str) -> bool {
    let mut words = text.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase);
    words.any(|w| matches!(w.as_str(), "i" | "my" | "we" | "our" | "im" | "me"))
}

/// Draws a number of them by a small generator, and keeps their order.
fn drawn<T>(mut all: Vec<T>, n: Option<usize>, seed: u64) -> Vec<T> {
    let mut state = seed;
    while n.is_some_and(|n| all.len() > n) {
        state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
        let at = usize::try_from(state >> 33).unwrap_or_default() % all.len();
        all.remove(at);
    }
    all
}

fn show(out: &mut impl Write, s: &Statement, at: Timestamp) -> anyhow::Result<()> {
    let mark = |yes: bool, text: &'static str| if yes { text } else { "" };
    let marks = [mark(s.negated, " not"), mark(s.act == Act::End, " end"), mark(s.explicit, " !")];
    writeln!(out, "{}{} = {} | {}", s.key(), marks.concat(), s.value, s.clause)?;
    let day = |t: Timestamp| t.to_string().chars().take(10).collect::<String>();
    if let Some(when) = &s.when {
        let [from, to] = [s.valid_from, s.valid_to].map(|t| t.map(day).unwrap_or_default());
        writeln!(out, "    {when:?} said {}: {from} to {to}", day(at))?;
    }
    Ok(())
}
