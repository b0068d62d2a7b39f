//! Figures about an open memory, and what its user should be told.

use serde_json::{Map, Value, json};

use super::api::Info;
use super::options::Options;
use super::worker::Worker;
use crate::memory::fact::Owner;
use crate::storage::store::Mode;
use crate::storage::{StoreError, network};
use crate::time::Timestamp;

/// Reads the figures.
pub(crate) fn info(worker: &mut Worker, options: &Options) -> Result<Info, StoreError> {
    worker.catch_up()?;
    let (memory, store) = (&worker.memory, &worker.store);
    let (mid, counts) = (memory.segments(), memory.counts());
    let capacities = options.capacities;
    let costs = store.costs();
    let long = memory.long_term();
    let stats = json!({
        "total_pages": counts.pages,
        "short_term_pages": counts.short_term,
        "short_term_capacity": capacities.short_term,
        "mid_term_pages": mid.n_pages(),
        "mid_term_segments": counts.segments,
        "mid_term_capacity": capacities.mid_term,
        "user_knowledge_entries": long.n_current(Owner::User),
        "assistant_knowledge_entries": long.n_current(Owner::Assistant),
        "former_knowledge_entries": long.n_closed(),
        "knowledge_capacity": capacities.knowledge,
        "sequence_number": store.seen(),
        "read_only": matches!(store.mode(), Mode::ReadOnly(_)),
        "disk_bytes": disk_bytes(store.folder().root()),
        "work": {
            "pages_tokenised": worker.n_tokenised,
            "rows_read": costs.rows_read,
            "rows_written": costs.rows_written,
            "segments_written": costs.segments_written,
        },
    });
    let mut stats = match stats {
        Value::Object(stats) => stats,
        _ => Map::new(),
    };
    if let Some(model) = &options.model {
        let figures = worker.model_figures(model, options.heat_threshold, Timestamp::now())?;
        stats.insert("model".to_owned(), figures.into());
    }
    if let Some(model) = &options.embedding {
        stats.insert("embedding".to_owned(), worker.embedding_figures(model));
    }
    Ok(Info { assistant: worker.assistant()?, stats, notices: notices(worker)? })
}

fn notices(worker: &Worker) -> Result<Vec<String>, StoreError> {
    let store = &worker.store;
    let mut notices = store.notices()?;
    for name in store.folder().names()? {
        if name.contains(".edited-") || name.contains(".other-") {
            notices.push(format!(
                "{name} is a view that was changed by hand or belongs to another memory; views are \
                 written and not read: use add_memory to change the memory"
            ));
        }
    }
    if let Some(hazard) = network::hazard(store.folder().root()) {
        notices.push(format!("{hazard}: keep the data directory on a local disk"));
    }
    if let Mode::ReadOnly(reason) = store.mode() {
        notices.push(reason.clone());
    }
    Ok(notices)
}

fn disk_bytes(folder: &std::path::Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(meta) if meta.is_dir() => disk_bytes(&entry.path()),
            Ok(meta) => meta.len(),
            Err(_) => 0,
        })
        .sum()
}
