//! Facts: what is known about the user, and what the assistant said it would stand by.
//!
//! A fact never says more than was said: it shows a clause of a page, word for word, and knows the
//! pages it came from. What a rule reads in one page is a [`Statement`]; what is kept of it, after
//! it met what was known before, is a [`Fact`].

use std::fmt;
use std::str::FromStr;

use crate::memory::page::PageId;
use crate::time::Timestamp;

/// The characters of a clause that is shown, at most.
pub const CLAUSE_CHARS: usize = 300;

/// The pages a fact remembers as its sources, at most: the first and the newest.
pub const MAX_SOURCES: usize = 32;

/// The number of a fact: counted from 1 in the order in which facts were first said, never used
/// twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct FactId(pub u32);

/// Whom a fact is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Owner {
    /// The user.
    User,
    /// The assistant: what it recommended, made or promised.
    Assistant,
}

/// What of a person a fact fills: the slot of its frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Attribute {
    /// What the user is called.
    Name,
    /// Which pronouns the user goes by.
    Pronouns,
    /// When the user was born.
    Birthday,
    /// Where the user lives.
    Home,
    /// Where the user comes from.
    Origin,
    /// What the user does for a living.
    Job,
    /// Whom the user works for.
    Employer,
    /// What and where the user studies or studied.
    Study,
    /// Whom the user is with.
    Partner,
    /// Relatives.
    Family,
    /// Friends and other people by name.
    Friend,
    /// Animals the user keeps.
    Pet,
    /// Illnesses, allergies, injuries.
    Health,
    /// What the user does not eat or drink on principle.
    Diet,
    /// What the user likes, loves, prefers.
    Like,
    /// What the user dislikes or hates.
    Dislike,
    /// What the user can do or is learning.
    Skill,
    /// Languages the user speaks.
    Language,
    /// What the user does in free time, regularly.
    Hobby,
    /// Lasting things the user owns.
    Possession,
    /// What the user wants in life: aims and values.
    Goal,
    /// What the user intends to do; has a date or expires.
    Plan,
    /// Where the user went or will go.
    Trip,
    /// What the user bought or was given.
    Purchase,
    /// What happened to the user or was done by the user, once.
    Event,
    /// What the user asked to be remembered and no other attribute fits.
    Note,
    /// What the assistant recommended (of the assistant).
    Advice,
    /// What the assistant made or promised (of the assistant).
    Work,
}

/// How many values an attribute has at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cardinality {
    /// One: a new value closes the old one.
    Single,
    /// Many: only an explicit negation closes one.
    Multi,
    /// Many, each at its time: none is closed.
    Event,
}

impl Attribute {
    /// Every attribute, in the order in which a profile shows them.
    pub const ALL: [Self; 28] = [
        Self::Name,
        Self::Pronouns,
        Self::Birthday,
        Self::Home,
        Self::Origin,
        Self::Language,
        Self::Partner,
        Self::Family,
        Self::Friend,
        Self::Pet,
        Self::Job,
        Self::Employer,
        Self::Study,
        Self::Skill,
        Self::Health,
        Self::Diet,
        Self::Like,
        Self::Dislike,
        Self::Hobby,
        Self::Possession,
        Self::Goal,
        Self::Plan,
        Self::Trip,
        Self::Purchase,
        Self::Event,
        Self::Note,
        Self::Advice,
        Self::Work,
    ];

    /// Returns its name, as it is stored and shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Pronouns => "pronouns",
            Self::Birthday => "birthday",
            Self::Home => "home",
            Self::Origin => "origin",
            Self::Job => "job",
            Self::Employer => "employer",
            Self::Study => "study",
            Self::Partner => "partner",
            Self::Family => "family",
            Self::Friend => "friend",
            Self::Pet => "pet",
            Self::Health => "health",
            Self::Diet => "diet",
            Self::Like => "like",
            Self::Dislike => "dislike",
            Self::Skill => "skill",
            Self::Language => "language",
            Self::Hobby => "hobby",
            Self::Possession => "possession",
            Self::Goal => "goal",
            Self::Plan => "plan",
            Self::Trip => "trip",
            Self::Purchase => "purchase",
            Self::Event => "event",
            Self::Note => "note",
            Self::Advice => "advice",
            Self::Work => "work",
        }
    }

    /// Returns how many values it has at a time.
    pub fn cardinality(self) -> Cardinality {
        match self {
            Self::Name
            | Self::Pronouns
            | Self::Birthday
            | Self::Home
            | Self::Origin
            | Self::Job
            | Self::Employer
            | Self::Partner
            | Self::Diet => Cardinality::Single,
            Self::Study
            | Self::Family
            | Self::Friend
            | Self::Pet
            | Self::Health
            | Self::Like
            | Self::Dislike
            | Self::Skill
            | Self::Language
            | Self::Hobby
            | Self::Possession
            | Self::Goal
            | Self::Note => Cardinality::Multi,
            Self::Plan | Self::Trip | Self::Purchase | Self::Event | Self::Advice | Self::Work => {
                Cardinality::Event
            }
        }
    }

    /// Whether facts of it stay when others need their room: identity and health do.
    pub fn is_protected(self) -> bool {
        matches!(
            self,
            Self::Name
                | Self::Pronouns
                | Self::Birthday
                | Self::Home
                | Self::Origin
                | Self::Health
                | Self::Diet
        )
    }

    /// Whom facts of it are about.
    pub fn owner(self) -> Owner {
        match self {
            Self::Advice | Self::Work => Owner::Assistant,
            _ => Owner::User,
        }
    }
}

impl fmt::Display for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Attribute {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|a| a.name() == name).ok_or(())
    }
}

/// What a statement does to what is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// It holds: "I live in Oslo".
    Hold,
    /// It held and does not any more: "I no longer work at Acme", "I used to smoke".
    End,
}

/// What one clause says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// What it fills.
    pub attribute: Attribute,
    /// What tells it from others of the attribute, normalised (lower case, no articles, words
    /// stemmed): `sister/anna`, `guitar`. Empty where the attribute has a single value.
    pub head: String,
    /// The value, as it was said, without articles; at most 12 words.
    pub value: String,
    /// Whether it is denied: "I don't eat meat".
    pub negated: bool,
    /// What it does to what is known.
    pub act: Act,
    /// The clause, word for word as on the page; at most [`CLAUSE_CHARS`] characters.
    pub clause: String,
    /// The words of time in it, as they were said: `next Friday`.
    pub when: Option<String>,
    /// From when it holds, resolved against the page's time; none for the page's time itself.
    pub valid_from: Option<Timestamp>,
    /// Until when it holds (exclusive); none where it does not end by itself.
    pub valid_to: Option<Timestamp>,
    /// Whether the user asked to remember it.
    pub explicit: bool,
}

impl Statement {
    /// Returns what it is identified by: the attribute, and the head if there is one.
    pub fn key(&self) -> String {
        if self.head.is_empty() {
            self.attribute.name().to_owned()
        } else {
            format!("{}/{}", self.attribute, self.head)
        }
    }
}

/// Who found a fact in a page. Either way it is a clause of the page, word for word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reader {
    /// The rules.
    #[default]
    Rule,
    /// A model that pointed at it; only the rules' own facts come back by reading pages again.
    Model,
}

/// Something known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// Its number.
    pub id: FactId,
    /// What it fills.
    pub attribute: Attribute,
    /// What it is identified by, see [`Statement::key`].
    pub key: String,
    /// The value, as it was said.
    pub value: String,
    /// Whether it is denied.
    pub negated: bool,
    /// The clause it was said in, word for word; this is what is shown.
    pub clause: String,
    /// The page that `clause` stands on; one of `sources`.
    pub said_on: PageId,
    /// The pages it came from, the first first; at most [`MAX_SOURCES`].
    pub sources: Vec<PageId>,
    /// When it was said first.
    pub said_at: Timestamp,
    /// The words of time in it, as they were said.
    pub when: Option<String>,
    /// From when it holds.
    pub valid_from: Timestamp,
    /// Until when it holds (exclusive): a plan's end, or when it was closed; none while it holds.
    pub valid_to: Option<Timestamp>,
    /// Whether it was closed: a newer value took its place, or it was denied. Then it is history.
    pub closed: bool,
    /// Whether the user asked to remember it.
    pub explicit: bool,
    /// Who found it in the page.
    pub reader: Reader,
}

impl Fact {
    /// Returns from when it holds, if its words of time say so: "as a child" names no day.
    pub fn dated_from(&self) -> Option<Timestamp> {
        let is_told = self.when.is_some() && self.valid_from.micros() != self.said_at.micros();
        is_told.then_some(self.valid_from)
    }

    /// Whether it stays when others need its room: identity, health, and what the user asked to be
    /// remembered.
    pub fn is_protected(&self) -> bool {
        self.explicit || self.attribute.is_protected()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_attribute_has_a_name_of_its_own_that_leads_back() {
        for attribute in Attribute::ALL {
            assert_eq!(attribute.name().parse(), Ok(attribute));
        }
        assert_eq!("mood".parse::<Attribute>(), Err(()));
    }
}
