//! The judge: its own list of every page that was answered with success.
//!
//! Whatever was done to the files, a fresh process must give exactly that list back through the
//! tools, or say how many pages are lost.

use serde_json::{Value, json};

use super::{Server, Setup};

/// A page that was answered with success.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Acknowledged {
    id: String,
    user_input: String,
    agent_response: String,
}

/// All pages that were answered with success, in the order of the answers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Judge {
    pages: Vec<Acknowledged>,
}

/// What a fresh process said.
#[derive(Debug)]
pub(crate) struct Verdict {
    /// Pages that are missing; the program said so.
    pub(crate) lost: usize,
    /// The notices of `get_user_info`, one a line.
    pub(crate) notices: String,
    /// The reply of `get_user_info`.
    pub(crate) info: Value,
}

impl Judge {
    /// Returns how many pages were answered with success.
    pub(crate) fn len(&self) -> usize {
        self.pages.len()
    }

    /// Adds `n` pages that differ, piped in one go, and demands that each succeeds.
    pub(crate) fn add(&mut self, server: &mut Server, n: usize) {
        let first = self.pages.len();
        let texts: Vec<(String, String)> = (first..first + n).map(exchange).collect();
        let calls: Vec<(&str, Value)> =
            texts.iter().map(|(u, a)| ("add_memory", arguments(u, a))).collect();
        for ((user_input, agent_response), outcome) in texts.iter().zip(server.tools(&calls)) {
            let reply = outcome.unwrap();
            assert_eq!(reply["details"]["duplicate"], false, "{reply}");
            self.note(&reply, user_input, agent_response);
        }
    }

    /// Strikes out pages that their owner has forgotten; returns their ids.
    pub(crate) fn forget(&mut self, which: impl Fn(usize) -> bool) -> Vec<String> {
        let mut ids = Vec::new();
        let mut n = 0;
        self.pages.retain(|page| {
            let goes = which(n);
            n += 1;
            if goes {
                ids.push(page.id.clone());
            }
            !goes
        });
        ids
    }

    /// Takes down a page that was answered with success.
    pub(crate) fn note(&mut self, reply: &Value, user_input: &str, agent_response: &str) {
        self.pages.push(Acknowledged {
            id: reply["memory_id"].as_str().unwrap().to_owned(),
            user_input: user_input.to_owned(),
            agent_response: agent_response.to_owned(),
        });
    }

    /// Starts a fresh process and demands every page or the number of those that are lost.
    pub(crate) fn demand(&self, setup: &Setup) -> Verdict {
        let mut server = setup.start();
        let verdict = self.demand_of(&mut server);
        let (code, said) = server.close();
        assert_eq!(code, Some(0), "{said}");
        verdict
    }

    /// Starts a fresh process and demands every page.
    pub(crate) fn demand_all(&self, setup: &Setup) -> Verdict {
        let verdict = self.demand(setup);
        assert_eq!(verdict.lost, 0, "{}", verdict.notices);
        verdict
    }

    /// Demands every page, or the number of those that are lost, of a running process.
    pub(crate) fn demand_of(&self, server: &mut Server) -> Verdict {
        let lost = self.count_lost(server);
        let info = server.info();
        let notices = server.notices();
        let total = info["memory_stats"]["total_pages"].as_u64().unwrap();
        assert_eq!(total, (self.pages.len() - lost) as u64, "pages in all; {notices}");
        let named = notices.lines().filter_map(|n| number(n, " pages are lost")).max().unwrap_or(0);
        let may_be = notices.lines().filter_map(|n| number(n, " more pages, added last, may be"));
        let may_be = may_be.max().unwrap_or(0);
        assert!(lost == named || lost <= may_be, "{lost} lost, {named} named: {notices}");
        Verdict { lost, notices, info }
    }

    /// Reads every page from a running process, which may know others too; returns how many are
    /// missing.
    pub(crate) fn count_lost(&self, server: &mut Server) -> usize {
        let page = |p: &Acknowledged| {
            ("retrieve_memory", json!({"memory_id": p.id, "max_chars": 200_000}))
        };
        let calls: Vec<(&str, Value)> = self.pages.iter().map(page).collect();
        let mut lost = 0;
        for (page, outcome) in self.pages.iter().zip(server.tools(&calls)) {
            match outcome {
                Ok(reply) => {
                    let found = &reply["retrieved_pages"][0];
                    assert_eq!(found["memory_id"], page.id);
                    assert_eq!(found["user_input"], page.user_input);
                    assert_eq!(found["agent_response"], page.agent_response);
                }
                Err(said) => {
                    assert!(said.contains("is not known"), "{said}");
                    lost += 1;
                }
            }
        }
        lost
    }
}

/// Makes the texts of the page that is added as number `n`: three topics by turns.
pub(crate) fn exchange(n: usize) -> (String, String) {
    let (user_input, agent_response) = match n % 3 {
        0 => {
            ("How do I prune tomatoes in greenhouse bed", "Pinch their shoots, water at dawn, bed")
        }
        1 => {
            ("Which sail suits the harbour race of the boat", "Hoist a small jib for sailing race")
        }
        _ => ("My piano teacher chose a Chopin etude", "Practise slowly with a metronome, etude"),
    };
    (format!("{user_input} {n}?"), format!("{agent_response} {n}."))
}

fn arguments(user_input: &str, agent_response: &str) -> Value {
    json!({"user_input": user_input, "agent_response": agent_response})
}

/// Reads the number that stands before `words` in a notice.
fn number(notice: &str, words: &str) -> Option<usize> {
    let (before, _) = notice.split_once(words)?;
    before.rsplit(' ').next()?.parse().ok()
}
