//! The engine as a library: a program of your own that remembers, without any protocol.
//!
//! ```text
//! cargo run --release --example embed_engine               in a folder that is removed afterwards
//! cargo run --release --example embed_engine -- FOLDER     in a folder that stays: run it twice
//! ```

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use memoryos::engine::{Capacities, Engine, Options, Recall};
use memoryos::memory::page::{NewPage, Texts};
use memoryos::time::Timestamp;
use serde_json::Map;

const EXCHANGES: [(&str, &str); 4] = [
    ("My sister Mara has moved to Lisbon.", "How lovely. Does she like it there?"),
    ("I am allergic to peanuts, by the way.", "Noted: nothing with peanuts."),
    ("The kitchen renovation starts in May.", "Good luck with the builders."),
    ("We ordered oak for the counter.", "Oak will last."),
];

const QUESTIONS: [&str; 2] = ["Where does my sister live?", "What am I allergic to?"];

fn main() -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    let temporary = tempfile::tempdir().context("cannot make a temporary folder")?;
    let given = std::env::args_os().nth(1).map(PathBuf::from);
    let data_path = given.unwrap_or_else(|| temporary.path().to_owned());

    let engine = Engine::open(Options {
        data_path: std::path::absolute(&data_path)?,
        user: "ada".parse()?,
        assistant: Some("embedded".parse()?),
        // Two pages in short-term memory, so that older ones are found by ranking.
        capacities: Capacities { short_term: 2, mid_term: 2000, knowledge: 100 },
        heat_threshold: 5.0,
        similarity_threshold: None,
        model: None,
        embedding: None,
    })?;

    for (user_input, agent_response) in EXCHANGES {
        let added = engine.add(page(user_input, agent_response)).wait()?;
        let state = if added.duplicate { "known already" } else { "stored" };
        writeln!(out, "{state}: {user_input}")?;
    }
    for question in QUESTIONS {
        writeln!(out, "\n{question}")?;
        let query = question.to_owned();
        let recalled = engine.recall(Recall { query, max_results: 1, visit: true }).wait()?;
        for found in &recalled.found {
            writeln!(out, "  {:.2}  {}", found.score, found.page.new.texts.user_input)?;
        }
        for page in &recalled.short_term {
            writeln!(out, "  new   {}", page.new.texts.user_input)?;
        }
    }
    let info = engine.info().wait()?;
    let total = info.stats.get("total_pages").cloned().unwrap_or_default();
    writeln!(out, "\n{total} pages in {}", data_path.join("ada").display())?;
    engine.close().wait().context("cannot close the memory")
}

fn page(user_input: &str, agent_response: &str) -> NewPage {
    NewPage {
        texts: Texts {
            user_input: user_input.to_owned(),
            agent_response: agent_response.to_owned(),
        },
        timestamp: Timestamp::now(),
        // The engine then takes the same exchange within ten minutes for a repetition.
        timestamp_given: false,
        meta_data: Map::new(),
        session: "example".to_owned(),
    }
}
