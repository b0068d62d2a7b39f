//! What tests say to a server, and the locks they hold against it.

use std::fs::{File, OpenOptions};

use serde_json::{Value, json};

use crate::support::{Server, Setup};

/// Returns the arguments of an `add_memory` with this text of the user's.
pub(crate) fn page(text: &str) -> Value {
    json!({"user_input": text, "agent_response": "Noted."})
}

/// Returns the text of page `n`: no two are alike, and the topics come by turns.
pub(crate) fn about(n: usize) -> String {
    const TOPICS: [&str; 5] = [
        "the tomatoes in the garden want water every evening",
        "the sails of the boat were mended by Greta in Kiel",
        "piano lessons with Mr Okafor are on Thursdays now",
        "the tax office asked for the receipts of the workshop",
        "sourdough bread rises better near the oven",
    ];
    format!("Page {n}: {}", TOPICS[n % TOPICS.len()])
}

/// Holds the write lock as another process would, until it is unlocked or dropped. The server has
/// opened its folder by then.
pub(crate) fn hold_write(server: &mut Server, setup: &Setup) -> File {
    server.info();
    let file = OpenOptions::new().write(true).open(setup.file(".write")).unwrap();
    file.lock().unwrap();
    file
}
