//! The lists of words of `assets/rule_words.txt`.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

/// A list of words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum List {
    /// Relatives.
    Family,
    /// Those of them one is married to or together with.
    Partner,
    /// Other people one may speak of by name.
    Friend,
    /// Animals people keep.
    Pet,
    /// Illnesses, as nouns.
    Health,
    /// Illnesses and states of the body, as adjectives.
    Ill,
    /// What one is who does not eat something.
    Diet,
    /// Things people own for years.
    Possession,
    /// Occupations.
    Jobs,
    /// What follows a verb in a turn of phrase: "take care".
    Idle,
    /// Kinds of places one lives in.
    Places,
    /// Activities that are talk and no pastime.
    Passing,
    /// Verbs of aims that are no deeds.
    Aims,
    /// What begins a phrase that points at something in sight.
    Pointing,
    /// What one learns in.
    Courses,
    /// What one works on for an hour.
    Work,
    /// What one does every day.
    Daily,
    /// What one has at a certain time.
    Appointments,
    /// Who studies.
    Students,
    /// Instruments.
    Instruments,
    /// Languages.
    Languages,
    /// Nationalities.
    Origins,
    /// Words that are no value on their own.
    Empty,
    /// Words that speak of the one spoken to.
    Your,
    /// What one likes in passing.
    Vague,
    /// What one wants in passing.
    NeverGoal,
}

static LISTS: LazyLock<HashMap<&'static str, HashSet<&'static str>>> = LazyLock::new(|| {
    let lines = include_str!("../../../assets/rule_words.txt").lines();
    let lists = lines.filter(|line| !line.starts_with('#')).filter_map(|l| l.split_once(": "));
    lists.map(|(name, words)| (name, words.split(' ').collect())).collect()
});

impl List {
    fn name(self) -> &'static str {
        match self {
            Self::Family => "family",
            Self::Partner => "partner",
            Self::Friend => "friend",
            Self::Pet => "pet",
            Self::Health => "health",
            Self::Ill => "ill",
            Self::Diet => "diet",
            Self::Possession => "possession",
            Self::Jobs => "jobs",
            Self::Appointments => "appointments",
            Self::Idle => "idle",
            Self::Places => "places",
            Self::Passing => "passing",
            Self::Aims => "aims",
            Self::Pointing => "pointing",
            Self::Courses => "courses",
            Self::Work => "work",
            Self::Daily => "daily",
            Self::Students => "students",
            Self::Instruments => "instruments",
            Self::Languages => "languages",
            Self::Origins => "origins",
            Self::Empty => "empty",
            Self::Your => "your",
            Self::Vague => "vague",
            Self::NeverGoal => "never_goal",
        }
    }

    /// Whether a word in lower case is in the list.
    pub(super) fn has(self, word: &str) -> bool {
        LISTS.get(self.name()).is_some_and(|words| words.contains(word))
    }
}
