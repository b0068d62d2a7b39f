//! The engine with a language model behind any OpenAI-compatible server, end to end.
//!
//! `cargo run --release --example with_model -- BASE_URL MODEL [SECONDS]` stores a talk of 40 pages,
//! lets the model work on it for a while (two minutes if nothing is said), and shows what it made of
//! it. Then it demands that every page is there as it was told, whatever the model has said. Where
//! the server wants a key, set `OPENAI_API_KEY`.

use std::io::Write;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use memoryos::engine::{Capacities, Engine, ModelOptions, Options};
use memoryos::llm::{ApiKey, Budget, ModelEndpoint, Timeouts};
use memoryos::memory::page::{NewPage, PageId, Texts};
use memoryos::time::Timestamp;
use serde_json::Value;

/// What is told, by turns.
const TALK: [(&str, &str); 8] = [
    ("I grow tomatoes in a small greenhouse.", "Pinch the side shoots, and water them at dawn."),
    ("The greenhouse gets too hot at noon.", "A shade cloth takes off a few degrees."),
    ("I sail a dinghy in the harbour on Sundays.", "A small jib is easier in a stiff breeze."),
    ("We capsized at the race last Sunday.", "Practise righting the boat in calm water."),
    ("My daughter Mia is learning the piano.", "Short daily practice works best."),
    ("Mia plays an etude by Chopin now.", "Let her begin slowly, with a metronome."),
    ("I bake sourdough bread every weekend.", "Keep the starter warm, near the oven."),
    ("My loaves come out too flat.", "Let the dough rest longer before you shape it."),
];

fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let (Some(base_url), Some(model)) = (args.next(), args.next()) else {
        anyhow::bail!("usage: with_model BASE_URL MODEL [SECONDS]");
    };
    let patience = Duration::from_secs(args.next().map_or(Ok(120), |s| s.parse())?);
    let api_key = std::env::var_os("OPENAI_API_KEY").and_then(|key| ApiKey::new(key.to_str()?));
    let endpoint = ModelEndpoint { base_url, api_key, model };
    let folder = tempfile::tempdir()?;
    let engine = Engine::open(Options {
        data_path: folder.path().to_owned(),
        user: "ada".parse()?,
        assistant: None,
        capacities: Capacities { short_term: 4, mid_term: 2000, knowledge: 100 },
        heat_threshold: 4.0,
        similarity_threshold: None,
        embedding: None,
        model: Some(ModelOptions {
            timeouts: Timeouts::of(&endpoint),
            endpoint,
            budget: Budget::default(),
        }),
    })?;
    let told = tell(&engine)?;
    let end = Instant::now() + patience;
    while Instant::now() < end && !is_done(&figures(&engine)?) {
        std::thread::sleep(Duration::from_secs(1));
    }
    let mut out = std::io::stdout().lock();
    show(&engine, &mut out)?;
    for (id, texts) in &told {
        let page = engine.page(*id).wait()?.context("a page is gone")?;
        anyhow::ensure!(page.page.new.texts == *texts, "a page is not as it was told");
    }
    writeln!(out, "\nall {} pages are there as they were told", told.len())?;
    engine.close().wait()?;
    Ok(())
}

/// Stores the talk five times over, each time a little otherwise.
fn tell(engine: &Engine) -> anyhow::Result<Vec<(PageId, Texts)>> {
    let mut told = Vec::new();
    for round in 1..=5 {
        for (said, answered) in TALK {
            let texts = Texts {
                user_input: format!("{said} That was in week {round}."),
                agent_response: answered.to_owned(),
            };
            let page = NewPage {
                texts: texts.clone(),
                timestamp: Timestamp::now(),
                timestamp_given: false,
                meta_data: serde_json::Map::new(),
                session: format!("week {round}"),
            };
            told.push((engine.add(page).wait()?.id, texts));
        }
    }
    Ok(told)
}

fn figures(engine: &Engine) -> anyhow::Result<Value> {
    Ok(engine.info().wait()?.stats.get("model").cloned().unwrap_or_default())
}

/// Whether the model has no page and no topic left to look at.
fn is_done(figures: &Value) -> bool {
    let waiting = |name| figures.get(name).and_then(Value::as_u64).unwrap_or(0);
    waiting("pages_waiting") < 10 && waiting("segments_waiting") == 0
}

fn show(engine: &Engine, out: &mut impl Write) -> anyhow::Result<()> {
    let profile = engine.profile().wait()?;
    writeln!(out, "{}\n", profile.profile.as_deref().unwrap_or("None"))?;
    for fact in profile.user_knowledge {
        writeln!(out, "{:?} {}: {}", fact.reader, fact.attribute, fact.clause)?;
    }
    writeln!(out, "\n{:#}", figures(engine)?)?;
    Ok(())
}
