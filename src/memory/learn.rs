//! Decides what statements do to what is known. Nothing here changes anything: the outcome is a
//! [`LongChange`].
//!
//! A statement meets only facts with its key. Pages read late (an import, a back-dated page) are
//! taken for what they were when they were said: they never close what was said after them.

use std::collections::{BTreeMap, BTreeSet};

use crate::memory::fact::{
    Act, Attribute, Cardinality, Fact, FactId, MAX_SOURCES, Owner, Reader, Statement,
};
use crate::memory::long::{LongChange, LongTerm};
use crate::memory::page::{PageId, Slot};
use crate::time::Timestamp;

/// The facts with one key that are kept as history.
const HISTORY_PER_KEY: usize = 5;

/// Two events of one description without words of time are one if they were said so near.
const SAME_EVENT_SECONDS: f64 = 7.0 * 86_400.0;

/// The page that statements were read on.
#[derive(Debug, Clone, Copy)]
pub struct SaidOn {
    /// Its place.
    pub slot: Slot,
    /// Its id.
    pub id: PageId,
    /// When it was said.
    pub at: Timestamp,
    /// Whether it may be older than what is known: its time was given, or it is read late.
    pub may_be_late: bool,
    /// Who found the statements in it.
    pub reader: Reader,
}

/// Changes to long-term memory that are decided and not yet carried out.
#[derive(Debug)]
pub struct LongDraft<'a> {
    long: &'a LongTerm,
    changed: BTreeMap<FactId, Fact>,
    gone: BTreeSet<FactId>,
    last_id: FactId,
}

impl<'a> LongDraft<'a> {
    /// Begins with the state as it is.
    pub fn new(long: &'a LongTerm) -> Self {
        Self { long, changed: BTreeMap::new(), gone: BTreeSet::new(), last_id: long.last_id() }
    }

    /// Takes in what a page says.
    pub fn learn(&mut self, statements: Vec<Statement>, on: SaidOn) {
        for statement in statements {
            match statement.act {
                Act::Hold => self.hold(statement, on),
                Act::End => self.end(statement, on),
            }
        }
    }

    /// Makes room where there are more facts than fit, and ends deciding.
    pub fn finish(mut self, now: Timestamp) -> LongChange {
        for owner in [Owner::User, Owner::Assistant] {
            self.evict(owner, now);
        }
        let changed = self.changed.into_values();
        let known = |id: &FactId| self.long.get(*id).is_some();
        LongChange {
            facts: changed.filter(|fact| !self.gone.contains(&fact.id)).collect(),
            gone: self.gone.iter().copied().filter(known).collect(),
            ..LongChange::default()
        }
    }

    fn hold(&mut self, statement: Statement, on: SaidOn) {
        let key = statement.key();
        let known = self.with_key(&key);
        if let Some(same) = known.iter().find(|fact| is_same(fact, &statement, on)) {
            // A page that is read again says nothing new.
            if !same.sources.contains(&on.id) && !same.closed {
                self.confirm(same.clone(), &statement, on);
                return;
            }
            if same.sources.contains(&on.id) {
                return;
            }
        }
        if self.was_pruned(&key, on) {
            return;
        }
        let attribute = statement.attribute;
        let is_single = attribute.cardinality() == Cardinality::Single;
        let current: Vec<Fact> = known.into_iter().filter(|fact| !fact.closed).collect();
        if is_single && current.iter().any(|fact| !may_change(fact, on)) {
            return;
        }
        if statement.negated && is_single && statement.head.is_empty() {
            // "I don't live in Berlin" closes Berlin and says nothing of where the home is.
            self.close_where(&current, on, |fact| is_value(fact, &statement.value));
            return;
        }
        let replaces = |fact: &Fact| {
            is_single || attribute == Attribute::Plan || fact.negated != statement.negated
        };
        let newer = current.iter().filter(|fact| replaces(fact) && is_after(fact, on));
        let closed_by = newer.map(|fact| fact.valid_from).min_by_key(|at| at.micros());
        self.close_where(&current, on, replaces);
        if let Some(other) = opposite(&statement) {
            let opposed = self.with_key(&other);
            self.close_where(&opposed, on, |fact| !fact.negated);
        }
        self.add(statement, on, closed_by);
    }

    /// Closes what is said to have ended; what was not known is history at once.
    fn end(&mut self, statement: Statement, on: SaidOn) {
        let known = self.with_key(&statement.key());
        if known.iter().any(|fact| fact.closed && fact.sources.contains(&on.id)) {
            return;
        }
        let any =
            statement.attribute.cardinality() != Cardinality::Single || statement.value.is_empty();
        let ends = |fact: &Fact| !fact.closed && (any || is_value(fact, &statement.value));
        let n_ended = self.close_where(&known, on, ends);
        if n_ended == 0 && !statement.value.is_empty() {
            self.add(statement, on, Some(on.at));
        }
    }

    fn confirm(&mut self, mut fact: Fact, statement: &Statement, on: SaidOn) {
        fact.explicit |= statement.explicit;
        if on.reader == Reader::Rule {
            fact.reader = Reader::Rule;
        }
        if is_after(&fact, on) {
            // An older page says it too: it holds from then on.
            fact.sources.insert(0, on.id);
            fact = Fact {
                value: statement.value.clone(),
                clause: statement.clause.clone(),
                said_on: on.id,
                said_at: on.at,
                when: statement.when.clone(),
                valid_from: statement.valid_from.unwrap_or(on.at),
                valid_to: statement.valid_to,
                ..fact
            };
        } else {
            fact.sources.push(on.id);
        }
        if fact.sources.len() > MAX_SOURCES {
            // The first shows where it was said; of the others the newest stay.
            let oldest = fact.sources.iter().position(|id| *id != fact.said_on).unwrap_or(1);
            fact.sources.remove(oldest);
        }
        self.changed.insert(fact.id, fact);
    }

    fn add(&mut self, statement: Statement, on: SaidOn, closed_at: Option<Timestamp>) {
        let key = statement.key();
        self.last_id = FactId(self.last_id.0.saturating_add(1));
        let fact = Fact {
            id: self.last_id,
            attribute: statement.attribute,
            key: key.clone(),
            value: statement.value,
            negated: statement.negated,
            clause: statement.clause,
            said_on: on.id,
            sources: vec![on.id],
            said_at: on.at,
            when: statement.when,
            valid_from: statement.valid_from.unwrap_or(on.at),
            valid_to: closed_at.or(statement.valid_to),
            closed: closed_at.is_some(),
            explicit: statement.explicit,
            reader: on.reader,
        };
        self.changed.insert(fact.id, fact);
        if closed_at.is_some() {
            self.prune(&key);
        }
    }

    /// Closes those of `facts` that hold, were said before `on` and fulfil `closes`; returns how
    /// many.
    fn close_where(&mut self, facts: &[Fact], on: SaidOn, closes: impl Fn(&Fact) -> bool) -> usize {
        let mut n_closed = 0;
        for fact in facts.iter().filter(|fact| !fact.closed && closes(fact)) {
            if is_after(fact, on) || !may_change(fact, on) {
                continue;
            }
            let closed = Fact { closed: true, valid_to: Some(on.at), ..fact.clone() };
            let key = closed.key.clone();
            self.changed.insert(closed.id, closed);
            self.prune(&key);
            n_closed += 1;
        }
        n_closed
    }

    /// Keeps the newest of a key's history.
    fn prune(&mut self, key: &str) {
        let mut history: Vec<Fact> = self.with_key(key).into_iter().filter(|f| f.closed).collect();
        history.sort_by_key(|fact| (fact.valid_to.map(Timestamp::micros), fact.id));
        let over = history.len().saturating_sub(HISTORY_PER_KEY);
        self.gone.extend(history.iter().take(over).map(|fact| fact.id));
    }

    /// Whether what a page says under a key may have been read before and pruned since.
    fn was_pruned(&self, key: &str, on: SaidOn) -> bool {
        let before = || self.long.with_key(key);
        before().any(|fact| fact.sources.contains(&on.id))
            && before().filter(|fact| fact.closed).count() >= HISTORY_PER_KEY
    }

    /// Lets facts give way, what was said first coming first, where there are more than fit: those a
    /// model pointed at, plans that are over, those that are not protected, the others. History has
    /// as much room again.
    fn evict(&mut self, owner: Owner, now: Timestamp) {
        if self.changed.values().all(|fact| fact.attribute.owner() != owner) {
            return;
        }
        let of_owner = |fact: &&Fact| fact.attribute.owner() == owner;
        let (closed, held): (Vec<&Fact>, Vec<&Fact>) =
            self.all().filter(of_owner).partition(|fact| fact.closed);
        let is_over = |fact: &Fact| {
            fact.attribute == Attribute::Plan
                && fact.valid_to.is_some_and(|to| to.micros() <= now.micros())
        };
        let mut going = Vec::new();
        for facts in [held, closed] {
            let over = facts.len().saturating_sub(self.long.capacity);
            let rank = |fact: &&Fact| {
                let by_rule = fact.reader == Reader::Rule;
                let is_protected = by_rule && fact.is_protected();
                (is_protected, by_rule, !is_over(fact), fact.said_at.micros(), fact.id)
            };
            let mut oldest: Vec<_> = facts.iter().map(rank).collect();
            if over > 0 {
                oldest.sort_unstable();
            }
            going.extend(oldest.into_iter().take(over).map(|(_, _, _, _, id)| id));
        }
        self.gone.extend(going);
    }

    /// Returns all facts as they would be.
    fn all(&self) -> impl Iterator<Item = &Fact> {
        let old = self.long.facts().filter(|fact| !self.changed.contains_key(&fact.id));
        old.chain(self.changed.values()).filter(|fact| !self.gone.contains(&fact.id))
    }

    /// Returns the facts with a key as they would be, history included, by their numbers.
    fn with_key(&self, key: &str) -> Vec<Fact> {
        let old = self.long.with_key(key).filter(|fact| !self.changed.contains_key(&fact.id));
        let new = self.changed.values().filter(|fact| fact.key == key);
        let mut found: Vec<Fact> =
            old.chain(new).filter(|fact| !self.gone.contains(&fact.id)).cloned().collect();
        found.sort_by_key(|fact| fact.id);
        found
    }
}

/// Whether a fact was said after a page that may be older than it.
fn is_after(fact: &Fact, on: SaidOn) -> bool {
    on.may_be_late && on.at.micros() < fact.said_at.micros()
}

/// Whether what was found on a page may close a fact: a model points at words and may be mistaken
/// about what they say, so it never takes the place of what the rules read.
fn may_change(fact: &Fact, on: SaidOn) -> bool {
    on.reader == Reader::Rule || fact.reader == Reader::Model
}

/// Whether a statement says what a fact says. Events are the same only about the same time.
fn is_same(fact: &Fact, statement: &Statement, on: SaidOn) -> bool {
    if !is_value(fact, &statement.value) || fact.negated != statement.negated {
        return false;
    }
    if fact.sources.contains(&on.id) {
        return true;
    }
    if statement.attribute.cardinality() != Cardinality::Event {
        return !fact.closed;
    }
    match (&fact.when, &statement.when) {
        (None, None) => {
            let apart = on.at.seconds_since(fact.said_at) + fact.said_at.seconds_since(on.at);
            apart <= SAME_EVENT_SECONDS
        }
        (Some(_), Some(_)) => {
            let from = statement.valid_from.unwrap_or(on.at).micros();
            let to = statement.valid_to.map_or(from.saturating_add(1), Timestamp::micros);
            let fact_from = fact.valid_from.micros();
            let fact_to = fact.valid_to.map_or(fact_from.saturating_add(1), Timestamp::micros);
            from < fact_to && fact_from < to
        }
        (None, Some(_)) | (Some(_), None) => false,
    }
}

fn is_value(fact: &Fact, value: &str) -> bool {
    normalised(&fact.value) == normalised(value)
}

/// Returns a value in lower case, with single spaces and without punctuation at its ends.
fn normalised(value: &str) -> String {
    let words =
        value.split_whitespace().map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()));
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ").to_lowercase()
}

/// Returns the keys of facts that cannot hold beside a statement: who hates something does not
/// like it.
fn opposite(statement: &Statement) -> Option<String> {
    let other = match statement.attribute {
        Attribute::Like => Attribute::Dislike,
        Attribute::Dislike => Attribute::Like,
        _ => return None,
    };
    (!statement.negated).then(|| format!("{other}/{}", statement.head))
}

#[cfg(test)]
#[path = "learn_tests.rs"]
mod tests;
