//! How conversations are grouped into segments, and how well.
//!
//! ```text
//! cargo run --release --example segments -- FILE             the segments of every conversation
//! cargo run --release --example segments -- FILE --sweep     thresholds and bonuses compared
//! ```
//!
//! FILE holds `{"conversations": [{"pages": [{"user_input", "agent_response", "timestamp"}]}]}`,
//! pages in the order they were said. A session ends where 30 minutes pass without a page. Pair F1
//! compares the pairs of pages in one segment with the pairs in one session: `linked` with the bonus
//! for the segment of the previous page, `alone` without any knowledge of what was said before.

use std::collections::HashMap;
use std::io::Write;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Parser;
use memoryos::embed::StaticModel;
use memoryos::memory::draft::{Around, Draft, Filing, PageTexts};
use memoryos::memory::mid::{MidSettings, MidTerm};
use memoryos::memory::page::{Slot, Texts};
use memoryos::memory::reading::PageReading;
use memoryos::retrieval::{Analysis, Index};
use memoryos::time::Timestamp;
use serde::Deserialize;

/// Pages that are in short-term memory and so counted before they are filed.
const SHORT_TERM: usize = 10;

/// The silence that ends a session, in microseconds.
const SESSION_GAP: i64 = 30 * 60 * 1_000_000;

/// The share of a conversation's pages that its largest segment may have.
const LARGEST: f64 = 0.15;

#[derive(Parser)]
struct Arguments {
    /// The conversations.
    file: PathBuf,
    /// Compares thresholds and bonuses instead of showing segments.
    #[arg(long)]
    sweep: bool,
    /// Groups without vectors, as for a language the model cannot read.
    #[arg(long)]
    keywords_alone: bool,
}

#[derive(Deserialize)]
struct File {
    conversations: Vec<Conversation>,
}

#[derive(Deserialize)]
struct Conversation {
    pages: Vec<PageRecord>,
}

#[derive(Deserialize)]
struct PageRecord {
    user_input: String,
    agent_response: String,
    timestamp: String,
}

/// A page with what is computed once.
struct Read {
    texts: Texts,
    analysis: Analysis,
    micros: i64,
    session: usize,
}

struct Pages<'a> {
    pages: &'a [Read],
}

impl PageTexts for Pages<'_> {
    fn texts(&self, slot: Slot) -> Option<Texts> {
        self.pages.get((slot.0 as usize).checked_sub(1)?).map(|page| page.texts.clone())
    }
}

/// A threshold, a bonus, and how well each conversation was grouped with them.
type Run = (f32, f32, Vec<Quality>);

/// How well one conversation was grouped.
#[derive(Debug, Clone, Copy)]
struct Quality {
    f1: f64,
    largest: f64,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let text = std::fs::read_to_string(&arguments.file)
        .with_context(|| format!("cannot read {}", arguments.file.display()))?;
    let file: File = serde_json::from_str(&text)
        .with_context(|| format!("{} is no file of conversations", arguments.file.display()))?;
    let mut conversations = Vec::new();
    for conversation in &file.conversations {
        let mut pages = read(conversation)?;
        if arguments.keywords_alone {
            for page in &mut pages {
                page.analysis.share = 0.0;
            }
        }
        conversations.push(pages);
    }
    let mut out = std::io::stdout().lock();
    if arguments.sweep { sweep(&conversations, &mut out) } else { show(&conversations, &mut out) }
}

fn read(conversation: &Conversation) -> anyhow::Result<Vec<Read>> {
    let model = StaticModel::built_in();
    let mut pages: Vec<Read> = Vec::new();
    for record in &conversation.pages {
        let texts = Texts {
            user_input: record.user_input.clone(),
            agent_response: record.agent_response.clone(),
        };
        let timestamp = Timestamp::parse(&record.timestamp)?;
        let micros = timestamp.micros();
        let session = match pages.last() {
            Some(last) if micros - last.micros <= SESSION_GAP => last.session,
            Some(last) => last.session + 1,
            None => 0,
        };
        let analysis = Analysis::of(&texts, timestamp, model);
        pages.push(Read { texts, analysis, micros, session });
    }
    Ok(pages)
}

/// Files a conversation page by page, each page a short-term memory later than it was added.
fn group(pages: &[Read], settings: MidSettings, linked: bool) -> MidTerm {
    let mut mid = MidTerm::new(settings);
    let mut index = Index::default();
    let mut added = (1..).map(Slot).zip(pages);
    let mut add = |index: &mut Index| {
        if let Some((slot, page)) = added.next() {
            index.insert(slot, "", page.micros, &page.analysis);
        }
    };
    for _ in 0..SHORT_TERM {
        add(&mut index);
    }
    let source = Pages { pages };
    for (slot, page) in (1..).map(Slot).zip(pages) {
        add(&mut index);
        let previous = index.previous(slot).filter(|_| linked);
        let reading = &PageReading::of(slot, &page.texts);
        let filing = Filing { slot, reading, analysis: &page.analysis, previous };
        let around = Around { corpus: &index, pages: &source, now: page.micros };
        let mut draft = Draft::new(&mid);
        draft.file(filing, around);
        draft.merge_over_capacity(around);
        let change = draft.finish();
        mid.apply(change);
    }
    mid
}

fn quality(pages: &[Read], mid: &MidTerm) -> Quality {
    let mut together: HashMap<(usize, u32), u64> = HashMap::new();
    let mut sessions: HashMap<usize, u64> = HashMap::new();
    let mut segments: HashMap<u32, u64> = HashMap::new();
    for (slot, page) in (1..).map(Slot).zip(pages) {
        let segment = mid.segment_of(slot).map_or(0, |id| id.0);
        *together.entry((page.session, segment)).or_default() += 1;
        *sessions.entry(page.session).or_default() += 1;
        *segments.entry(segment).or_default() += 1;
    }
    let pairs = |counts: &mut dyn Iterator<Item = &u64>| -> f64 {
        counts.map(|&n| n * (n - 1) / 2).sum::<u64>() as f64
    };
    let both = pairs(&mut together.values());
    let either = pairs(&mut sessions.values()) + pairs(&mut segments.values());
    let largest = segments.values().copied().max().unwrap_or(0) as f64 / pages.len().max(1) as f64;
    Quality { f1: 2.0 * both / either.max(1.0), largest }
}

fn qualities(conversations: &[Vec<Read>], settings: MidSettings, linked: bool) -> Vec<Quality> {
    conversations.iter().map(|pages| quality(pages, &group(pages, settings, linked))).collect()
}

fn mean_f1(qualities: &[Quality]) -> f64 {
    qualities.iter().map(|q| q.f1).sum::<f64>() / qualities.len().max(1) as f64
}

fn largest(qualities: &[Quality]) -> f64 {
    qualities.iter().map(|q| q.largest).fold(0.0, f64::max)
}

fn sweep(conversations: &[Vec<Read>], out: &mut dyn Write) -> anyhow::Result<()> {
    let mut linked_runs: Vec<Run> = Vec::new();
    for threshold in [0.15, 0.20, 0.25, 0.275, 0.30, 0.325, 0.35, 0.40, 0.45] {
        for bonus in [0.1, 0.15, 0.2, 0.25, 0.3] {
            let settings = MidSettings { threshold, bonus, ..MidSettings::default() };
            let linked = qualities(conversations, settings, true);
            let each: Vec<String> = linked.iter().map(|q| format!("{:.3}", q.f1)).collect();
            writeln!(
                out,
                "threshold {threshold:.3} bonus {bonus:.2} linked {:.3} [{}] largest {:.3}",
                mean_f1(&linked),
                each.join(" "),
                largest(&linked),
            )?;
            linked_runs.push((threshold, bonus, linked));
        }
        let settings = MidSettings { threshold, ..MidSettings::default() };
        let alone = qualities(conversations, settings, false);
        let f1 = mean_f1(&alone);
        writeln!(out, "threshold {threshold:.3} alone {f1:.3} largest {:.3}", largest(&alone))?;
    }
    let bonus = MidSettings::default().bonus.to_bits();
    let runs: Vec<_> = linked_runs.iter().filter(|run| run.1.to_bits() == bonus).collect();
    for held_out in 0..conversations.len() {
        let others = |run: &Run| -> f64 {
            let kept = run.2.iter().enumerate().filter(|(i, _)| *i != held_out);
            let kept: Vec<Quality> = kept.map(|(_, q)| *q).collect();
            if largest(&kept) < LARGEST { mean_f1(&kept) } else { 0.0 }
        };
        let here = |run: &Run| run.2.get(held_out).map_or(0.0, |q| q.f1);
        let chosen = runs.iter().max_by(|a, b| others(a).total_cmp(&others(b)));
        let best = runs.iter().max_by(|a, b| here(a).total_cmp(&here(b)));
        if let (Some(chosen), Some(best)) = (chosen, best) {
            writeln!(
                out,
                "held out {held_out}: threshold {:.3} is best for the others and gives {:.3}; {:.3} \
                 is best for it and gives {:.3}",
                chosen.0,
                here(chosen),
                best.0,
                here(best)
            )?;
        }
    }
    Ok(())
}

fn show(conversations: &[Vec<Read>], out: &mut dyn Write) -> anyhow::Result<()> {
    let settings = MidSettings::default();
    let mut all: (Vec<Quality>, Vec<Quality>) = Default::default();
    for (number, pages) in conversations.iter().enumerate() {
        let mid = group(pages, settings, true);
        let linked = quality(pages, &mid);
        let alone = quality(pages, &group(pages, settings, false));
        writeln!(
            out,
            "conversation {number}: {} pages, {} segments, F1 linked {:.3} alone {:.3}, largest \
             {:.3} alone {:.3}",
            pages.len(),
            mid.len(),
            linked.f1,
            alone.f1,
            linked.largest,
            alone.largest
        )?;
        for segment in mid.segments() {
            writeln!(
                out,
                "  [{}] {} pages | {} | {}",
                segment.id.0,
                segment.pages,
                segment.keywords.join(", "),
                segment.summary
            )?;
        }
        all.0.push(linked);
        all.1.push(alone);
    }
    writeln!(out, "mean F1 linked {:.3} alone {:.3}", mean_f1(&all.0), mean_f1(&all.1))?;
    Ok(())
}
