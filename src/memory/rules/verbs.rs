//! What somebody does in a clause: the verb after the subject, in what time and mode, denied or
//! over.
//!
//! It knows the verbs of `assets/verbs.txt` and the helping verbs before them. A verb it does not
//! know, and whatever would, could or should happen, is no predicate at all.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::words::Token;
use crate::memory::fact::Attribute;

/// When and how something is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// "I work", "I am".
    Present,
    /// "I worked", "I was".
    Past,
    /// "I was working".
    Was,
    /// "I have worked".
    Perfect,
    /// "I am working".
    Doing,
    /// "I have been working".
    Been,
    /// "I will work", "I'm going to work", "I plan to work".
    Future,
    /// "I used to work".
    Formerly,
    /// "I can work".
    Can,
}

/// A form of a verb.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Base,
    Third,
    Past,
    Participle,
    Gerund,
}

/// What a verb tells on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Use {
    /// What it fills.
    pub(super) attribute: Attribute,
    /// Whether it needs words of time or a long object.
    pub(super) is_vague: bool,
}

/// A row of `assets/verbs.txt`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Verb {
    /// Its base form, by which frames know it.
    pub(super) base: &'static str,
    /// Once done.
    pub(super) done: Option<Use>,
    /// While being done, or planned.
    pub(super) doing: Option<Use>,
    /// As a habit.
    pub(super) habit: Option<Use>,
}

/// What the subject of a clause does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Predicate {
    /// When and how.
    pub(super) mode: Mode,
    /// "not", "never".
    pub(super) is_negated: bool,
    /// "no longer".
    pub(super) is_over: bool,
    /// The verb.
    pub(super) verb: Verb,
    /// The token of the verb.
    pub(super) at: usize,
    /// The token after it.
    pub(super) next: usize,
}

/// Words that may stand before a verb without changing what it says.
pub(super) const ADVERBS: [&str; 58] = [
    "just",
    "really",
    "also",
    "still",
    "always",
    "recently",
    "finally",
    "actually",
    "currently",
    "now",
    "already",
    "usually",
    "often",
    "mostly",
    "mainly",
    "even",
    "absolutely",
    "totally",
    "definitely",
    "both",
    "all",
    "truly",
    "sometimes",
    "normally",
    "generally",
    "typically",
    "simply",
    "especially",
    "particularly",
    "kinda",
    "basically",
    "honestly",
    "officially",
    "eventually",
    "accidentally",
    "regularly",
    "occasionally",
    "personally",
    "originally",
    "lately",
    "so",
    "super",
    "very",
    "myself",
    "ourselves",
    "then",
    "deeply",
    "genuinely",
    "only",
    "seriously",
    "successfully",
    "proudly",
    "happily",
    "sadly",
    "secretly",
    "together",
    "too",
    "pretty",
];

static FORMS: LazyLock<HashMap<&'static str, (Verb, Form)>> = LazyLock::new(|| {
    let mut forms = HashMap::new();
    for (verb, words) in include_str!("../../../assets/verbs.txt").lines().filter_map(row) {
        let kinds = [Form::Base, Form::Third, Form::Past, Form::Participle, Form::Gerund];
        for (word, form) in words.split(' ').zip(kinds) {
            forms.entry(word).or_insert((verb, form));
        }
    }
    forms
});

/// Reads a line of the table: the verb, and its forms.
fn row(line: &'static str) -> Option<(Verb, &'static str)> {
    let (words, uses) = line.split_once(" : ").filter(|_| !line.starts_with('#'))?;
    let mut uses = uses.split(' ').map(|text| {
        let attribute = text.trim_end_matches('!').parse().ok()?;
        Some(Use { attribute, is_vague: text.ends_with('!') })
    });
    let base = words.split(' ').next()?;
    let (done, doing) = (uses.next()?, uses.next()?);
    Some((Verb { base, done, doing, habit: uses.next()? }, words))
}

/// Returns the verb that a word is a form of.
pub(super) fn form(word: &str) -> Option<(Verb, Form)> {
    FORMS.get(word).copied()
}

/// Returns whether a word is a form of `be`.
pub(super) fn is_be(word: &str) -> bool {
    matches!(word, "am" | "is" | "are" | "was" | "were" | "'s")
}

/// Reads what the subject does, from the token after it.
pub(super) fn predicate(tokens: &[Token<'_>], from: usize) -> Option<Predicate> {
    let mut reader = Reader { tokens, at: from, is_negated: false, is_over: false };
    reader.skip();
    let (mode, verb, at) = match reader.word() {
        "am" | "are" | "is" | "'s" => reader.be(Mode::Present)?,
        "was" | "were" => reader.be(Mode::Past)?,
        "have" | "has" => reader.have()?,
        "had" => reader.had()?,
        "do" | "does" | "did" => reader.do_not()?,
        "will" => reader.will()?,
        "going" => reader.going_to(0)?,
        "used" if reader.peek(1) == "to" => {
            reader.at += 2;
            reader.helped(Form::Base, Mode::Formerly)?
        }
        "can" => {
            reader.step();
            reader.helped(Form::Base, Mode::Can)?
        }
        "been" => {
            reader.step();
            reader.helped(Form::Gerund, Mode::Been)?
        }
        _ => reader.plain()?,
    };
    let Reader { is_negated, is_over, .. } = reader;
    Some(Predicate { mode, is_negated, is_over, verb, at, next: at + 1 })
}

/// Goes over the words of a predicate.
struct Reader<'a> {
    tokens: &'a [Token<'a>],
    at: usize,
    is_negated: bool,
    is_over: bool,
}

type Found = Option<(Mode, Verb, usize)>;

impl Reader<'_> {
    fn peek(&self, idx: usize) -> &str {
        self.tokens.get(self.at + idx).map_or("", |t| t.word)
    }

    fn word(&self) -> &str {
        self.peek(0)
    }

    /// Goes on by a word, and over adverbs and negations.
    fn step(&mut self) {
        self.at += 1;
        self.skip();
    }

    fn skip(&mut self) {
        loop {
            match (self.word(), self.peek(1)) {
                ("no", "longer") => {
                    self.is_over = true;
                    self.at += 2;
                }
                ("not" | "never", _) => {
                    self.is_negated = true;
                    self.at += 1;
                }
                (word, _) if ADVERBS.contains(&word) => self.at += 1,
                _ => return,
            }
        }
    }

    /// The verb after a helping verb, in the form that goes with it.
    fn helped(&mut self, wanted: Form, mode: Mode) -> Found {
        let word = self.tokens.get(self.at)?.word;
        if wanted == Form::Base && word == "be" {
            let after = self.peek(1);
            return match form(after) {
                Some((verb, Form::Gerund)) => Some((mode, verb, self.at + 1)),
                _ => Some((mode, form("be")?.0, self.at)),
            };
        }
        let (verb, found) = form(word)?;
        let fits = found == wanted
            || wanted == Form::Participle && found == Form::Past
            // "read", "put", "become": the same word.
            || found == Form::Base && wanted == Form::Participle && is_unchanging(word);
        fits.then_some((mode, verb, self.at))
    }

    fn be(&mut self, mode: Mode) -> Found {
        let at = self.at;
        self.step();
        if mode == Mode::Present && self.word() == "going" && self.peek(1) == "to" {
            // "Going to a fair" is a way, "going to keep" a verb nobody listed.
            let next = self.tokens.get(self.at + 2);
            let is_way = next.is_some_and(|t| t.is_capital || is_counted(t.word))
                || matches!(self.peek(2), "the" | "our" | "this" | "another");
            match self.going_to(0) {
                Some(found) => return Some(found),
                None if !is_way => return None,
                None => {}
            }
        }
        if let Some(found) = self.helped(Form::Gerund, Mode::Doing) {
            let (_, verb, at) = found;
            return Some((if mode == Mode::Present { Mode::Doing } else { Mode::Was }, verb, at));
        }
        Some((mode, form("be")?.0, self.at.max(at + 1) - 1))
    }

    fn going_to(&mut self, from: usize) -> Found {
        let after = self.peek(from + 2);
        let (verb, found) = form(after)?;
        let at = self.at + from + 2;
        (self.peek(from + 1) == "to" && found == Form::Base).then_some((Mode::Future, verb, at))
    }

    fn have(&mut self) -> Found {
        let at = self.at;
        self.step();
        match self.word() {
            "to" => None,
            "been" => {
                self.step();
                self.helped(Form::Gerund, Mode::Been)
                    .or_else(|| Some((Mode::Perfect, form("be")?.0, self.at - 1)))
            }
            "got" if matches!(self.peek(1), "to") => None,
            "got" if is_counted(self.peek(1)) => Some((Mode::Present, form("have")?.0, self.at)),
            _ => self
                .helped(Form::Participle, Mode::Perfect)
                .or_else(|| Some((Mode::Present, form("have")?.0, self.at.max(at + 1) - 1))),
        }
    }

    fn had(&mut self) -> Found {
        self.step();
        match self.word() {
            "to" => {
                self.step();
                self.helped(Form::Base, Mode::Past)
            }
            "been" | "better" => None,
            _ => self
                .helped(Form::Participle, Mode::Past)
                .or_else(|| Some((Mode::Past, form("have")?.0, self.at - 1))),
        }
    }

    fn do_not(&mut self) -> Found {
        let mode = if self.word() == "did" { Mode::Past } else { Mode::Present };
        let at = self.at;
        self.step();
        let itself = form("do").map(|(verb, _)| (mode, verb, at)).filter(|_| !self.is_negated);
        self.helped(Form::Base, mode).or(itself)
    }

    fn will(&mut self) -> Found {
        self.step();
        self.helped(Form::Base, Mode::Future)
    }

    /// Whether the word before says that something is done: "I recently read ...".
    fn is_just_done(&self) -> bool {
        let before = self.at.checked_sub(1).and_then(|at| self.tokens.get(at));
        before.is_some_and(|t| matches!(t.word, "recently" | "just" | "finally" | "already"))
    }

    fn plain(&mut self) -> Found {
        let (verb, found) = form(self.tokens.get(self.at)?.word)?;
        match found {
            Form::Base if matches!(verb.base, "quit" | "hurt") => Some((Mode::Past, verb, self.at)),
            Form::Base if verb.base == "set" && self.peek(1) == "up" => {
                Some((Mode::Past, verb, self.at))
            }
            Form::Base if is_unchanging(verb.base) && self.is_just_done() => {
                Some((Mode::Past, verb, self.at))
            }
            Form::Base | Form::Third => Some((Mode::Present, verb, self.at)),
            Form::Past => Some((Mode::Past, verb, self.at)),
            Form::Participle | Form::Gerund => None,
        }
    }
}

/// Whether the past of a verb looks like its base.
pub(super) fn is_unchanging(word: &str) -> bool {
    matches!(
        word,
        "read" | "quit" | "hit" | "hurt" | "become" | "run" | "beat" | "come" | "set" | "put"
    )
}

/// Whether a word begins a thing that is counted: "a", "two", "my".
pub(super) fn is_counted(word: &str) -> bool {
    matches!(
        word,
        "a" | "an" | "one" | "two" | "three" | "four" | "five" | "six" | "some" | "my" | "no"
    )
}
