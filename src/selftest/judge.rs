//! The judge: every page that was answered with success, and what a fresh server gives back of them.
//!
//! Plain computation over replies. A page counts as there only with its id and both its texts; one
//! that is missing is either named as lost by the server or silently lost, and the second is the
//! worst that can happen.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::process::Outcome;

/// A page that was answered with success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Acknowledged {
    /// The id it was given.
    pub(super) id: String,
    /// What the user said.
    pub(super) user_input: String,
    /// What was answered.
    pub(super) agent_response: String,
}

/// All pages of a folder that were answered with success, in the order of the answers.
#[derive(Debug, Clone, Default)]
pub(super) struct Judge {
    pages: Vec<Acknowledged>,
    /// Pages that were sent, whatever became of them.
    n_sent: usize,
}

/// What may be missing without being a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Allowed {
    /// Nothing.
    Nothing,
    /// Pages after the first so many, if the server says that they are lost.
    NamedAfter(usize),
}

/// What a fresh server gave back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Verdict {
    /// Pages lost in silence, or lost where nothing may be.
    pub(super) lost: usize,
    /// Pages lost and named, where that may be.
    pub(super) named: usize,
    /// What is wrong, in words; nothing if all is well.
    pub(super) faults: Vec<String>,
    /// Whether the folder was served at all.
    pub(super) loaded: bool,
    /// What the server says of having recovered the folder; none where it did not.
    pub(super) recovered: Option<String>,
}

impl Judge {
    /// Notes that `n` pages are about to be sent.
    pub(super) fn send(&mut self, n: usize) {
        self.n_sent += n;
    }

    /// Takes down a page by the reply to its add. False where that is no success with an id.
    pub(super) fn note(&mut self, reply: &Value, page: &Value) -> bool {
        let text = |value: &Value, name: &str| value.get(name)?.as_str().map(str::to_owned);
        let acknowledged = || {
            Some(Acknowledged {
                id: text(reply, "memory_id")?,
                user_input: text(page, "user_input")?,
                agent_response: text(page, "agent_response")?,
            })
        };
        match acknowledged() {
            Some(page) if text(reply, "status").as_deref() == Some("success") => {
                self.pages.push(page);
                true
            }
            _ => false,
        }
    }

    /// Takes over how many pages were sent from a list that went on meanwhile.
    pub(super) fn sent_as(&mut self, later: &Self) {
        self.n_sent = later.n_sent;
    }

    /// Returns how many pages were answered with success.
    pub(super) fn len(&self) -> usize {
        self.pages.len()
    }

    /// Returns a page by its place in the order of the answers.
    pub(super) fn page(&self, idx: usize) -> Option<&Acknowledged> {
        self.pages.get(idx)
    }

    /// Returns the calls that ask a server for everything; the last one asks for its figures.
    pub(super) fn questions(&self) -> Vec<(&'static str, Value)> {
        let mut calls: Vec<_> = self.pages.iter().map(Acknowledged::question).collect();
        calls.push(("get_user_info", json!({})));
        calls
    }

    /// Judges the answers to [`Judge::questions`], by the number of the question.
    pub(super) fn verdict(&self, answers: &BTreeMap<usize, Outcome>, allowed: Allowed) -> Verdict {
        let mut verdict = Verdict::default();
        let info = match answers.get(&self.pages.len()) {
            Some(Ok(info)) => info,
            other => {
                let said = other.map_or("no answer", |o| o.as_ref().err().map_or("", |e| e));
                verdict.faults.push(format!("the folder was not served: {said}"));
                return verdict;
            }
        };
        verdict.loaded = true;
        let mut missing = Vec::new();
        for (idx, page) in self.pages.iter().enumerate() {
            match answers.get(&idx).map(|outcome| page.is_in(outcome)) {
                Some(Ok(true)) => {}
                Some(Ok(false)) => missing.push(idx),
                Some(Err(fault)) => {
                    verdict.lost += 1;
                    verdict.faults.push(fault);
                }
                None => {
                    verdict.lost += 1;
                    verdict.faults.push(format!("no answer about page {}", page.id));
                }
            }
        }
        self.weigh(&missing, info, allowed, &mut verdict);
        verdict
    }

    /// Decides about pages that the server does not know.
    fn weigh(&self, missing: &[usize], info: &Value, allowed: Allowed, verdict: &mut Verdict) {
        let notices = notices(info);
        let is_recovery = |notice: &&&str| notice.contains("has been recovered");
        verdict.recovered = notices.iter().find(is_recovery).map(ToString::to_string);
        let first_allowed = match allowed {
            Allowed::Nothing => usize::MAX,
            Allowed::NamedAfter(n) => n,
        };
        let silent = missing.len() > said_to_be_lost(&notices);
        for idx in missing {
            if silent || *idx < first_allowed {
                verdict.lost += 1;
            } else {
                verdict.named += 1;
            }
        }
        if verdict.lost > 0 {
            let (lost, all, how) =
                (verdict.lost, self.pages.len(), if silent { ", in silence" } else { "" });
            let told = notices.join(" | ");
            verdict.faults.push(format!("{lost} of {all} pages lost{how}; notices: {told}"));
        }
        let total = info.pointer("/memory_stats/total_pages").and_then(Value::as_u64);
        let at_least = self.pages.len().saturating_sub(missing.len());
        let fits = |n: u64| (at_least as u64..=self.n_sent as u64).contains(&n);
        if !total.is_some_and(fits) {
            let sent = self.n_sent;
            verdict.faults.push(format!("{total:?} pages in all, of {at_least} to {sent}"));
        }
    }
}

impl Acknowledged {
    /// Returns the call that asks for the page.
    pub(super) fn question(&self) -> (&'static str, Value) {
        ("retrieve_memory", json!({"memory_id": self.id, "max_chars": 200_000}))
    }

    /// Whether the page is in the answer to [`Acknowledged::question`].
    ///
    /// # Errors
    ///
    /// When it came back changed, or the call failed otherwise than by not knowing it.
    pub(super) fn is_in(&self, outcome: &Outcome) -> Result<bool, String> {
        let reply = match outcome {
            Err(said) if said.contains("is not known") => return Ok(false),
            Err(said) => return Err(format!("page {} was refused: {said}", self.id)),
            Ok(reply) => reply,
        };
        let field = |name: &str| {
            reply.pointer("/retrieved_pages/0")?.get(name)?.as_str().map(str::to_owned)
        };
        let same = field("memory_id").as_deref() == Some(&self.id)
            && field("user_input").as_deref() == Some(&self.user_input)
            && field("agent_response").as_deref() == Some(&self.agent_response);
        if same { Ok(true) } else { Err(format!("page {} came back changed", self.id)) }
    }
}

fn notices(info: &Value) -> Vec<&str> {
    let notices = info.get("notices").and_then(Value::as_array);
    notices.into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Returns how many pages the notices say are lost, or may be.
fn said_to_be_lost(notices: &[&str]) -> usize {
    let counted = notices.iter().flat_map(|notice| {
        [" pages are lost", " more pages, added last, may be"].map(|words| number(notice, words))
    });
    // Where nothing of the database can be read, nobody knows how many there were.
    let unknown = notices.iter().any(|n| n.contains("the last that the views show, are lost"));
    if unknown { usize::MAX } else { counted.flatten().max().unwrap_or(0) }
}

/// Reads the number that stands before `words` in a notice.
fn number(notice: &str, words: &str) -> Option<usize> {
    let (before, _) = notice.split_once(words)?;
    before.rsplit(' ').next()?.parse().ok()
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
