//! What was answered with success is there after the program was killed, whatever it was doing.

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::said::{about, page};
use crate::support::{Setup, outcome};

const KILLS: usize = 200;

/// Adds that are sent in one go before each kill.
const SENT: usize = 12;

/// A small generator of repeatable numbers (xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % n as u64).unwrap()
    }
}

/// A page that was answered with success.
struct Acknowledged {
    id: String,
    text: String,
}

fn acknowledged(reply: &Value, text: String) -> Acknowledged {
    let id = outcome(reply).unwrap()["memory_id"].as_str().unwrap().to_owned();
    Acknowledged { id, text }
}

#[test]
fn no_acknowledged_page_is_lost_by_two_hundred_kills() {
    let dir = TempDir::new().unwrap();
    let setup = Setup::new(dir.path(), "ada");
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let mut pages: Vec<Acknowledged> = Vec::new();
    // Pages that are there for sure, and those that may be.
    let (mut stored, mut sent) = (0, 0);
    for kill in 0..KILLS {
        let mut server = setup.spawn();
        let hello = json!({"protocolVersion": "2025-11-25", "capabilities": {},
            "clientInfo": {"name": "t", "version": "1"}});
        server.ask("initialize", &hello);
        let texts: Vec<String> = (0..SENT).map(|n| about(kill * SENT + n)).collect();
        for text in &texts {
            server.ask_tool("add_memory", &page(text));
        }
        // None: it is killed while it opens the folder or is about to answer.
        let n_answers = dice.below(SENT);
        if n_answers > 0 {
            server.line().unwrap();
        }
        for (n, text) in texts.iter().take(n_answers).enumerate() {
            let reply = server.line().unwrap();
            let total = outcome(&reply).unwrap()["details"]["total_pages"].as_u64().unwrap();
            if n == 0 {
                assert!((stored..=stored + sent).contains(&(total - 1)), "after kill {kill}");
                stored = total - 1;
            }
            stored += 1;
            assert_eq!(total, stored);
            pages.push(acknowledged(&reply, text.clone()));
        }
        // Where nothing was answered, what the last run left in flight is still in doubt.
        sent = (SENT - n_answers) as u64 + if n_answers == 0 { sent } else { 0 };
        server.kill();
    }
    demand(&setup, &pages, stored, sent);
}

/// Demands every acknowledged page, and none but those that were sent.
fn demand(setup: &Setup, pages: &[Acknowledged], stored: u64, sent: u64) {
    let mut server = setup.start();
    let info = server.info();
    let total = info["memory_stats"]["total_pages"].as_u64().unwrap();
    assert!((stored..=stored + sent).contains(&total), "{stored} {sent} {total}");
    assert_eq!(info["notices"], json!([]), "a kill is no damage");
    let calls: Vec<(&str, Value)> =
        pages.iter().map(|p| ("retrieve_memory", json!({"memory_id": p.id}))).collect();
    for (page, outcome) in pages.iter().zip(server.tools(&calls)) {
        assert_eq!(outcome.unwrap()["retrieved_pages"][0]["user_input"], page.text);
    }
    assert_eq!(server.close().0, Some(0));
}

#[test]
fn with_one_add_in_flight_a_kill_keeps_all_acknowledged_pages_and_at_most_that_one() {
    let dir = TempDir::new().unwrap();
    let setup = Setup::new(dir.path(), "ada");
    let mut dice = Dice(42);
    let mut stored = 0;
    for kill in 0..20 {
        let mut server = setup.start();
        let n_answers = 1 + dice.below(8);
        for n in 0..n_answers {
            let reply = server.tool("add_memory", &page(&about(kill * 10 + n))).unwrap();
            let total = reply["details"]["total_pages"].as_u64().unwrap();
            let in_flight = u64::from(n == 0 && kill > 0);
            assert!((stored + 1..=stored + 1 + in_flight).contains(&total), "{stored} {total}");
            stored = total;
        }
        server.ask_tool("add_memory", &page(&about(kill * 10 + 9)));
        server.kill();
    }
}

#[test]
fn a_page_is_there_for_another_process_before_its_success_is_read() {
    let dir = TempDir::new().unwrap();
    let setup = Setup::new(dir.path(), "ada");
    let (mut a, mut b) = (setup.start(), setup.start());
    for n in 0..50 {
        let id = a.tool("add_memory", &page(&about(n))).unwrap()["memory_id"].take();
        let found = b.tool("retrieve_memory", &json!({"memory_id": id})).unwrap();
        assert_eq!(found["retrieved_pages"][0]["user_input"], about(n));
    }
}
