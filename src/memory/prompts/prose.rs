//! What a model wrote in its own words: whether it may be kept.
//!
//! Prose cannot be checked against a source word for word, as a pointed fact is. It is kept only if
//! it is short plain text that is no error, no refusal, no order and no secret, and if its words
//! come from what the model was given. The one rule: when in doubt it is refused, since what the
//! rules made is always there.
//!
//! Grounding: of the stems of its telling words (stop words and the words every such text has do not
//! count) at least a quarter must be stems of what was given; of a section of a profile at least two
//! of them, or all where there are fewer. Paraphrase passes, an invention or another user's profile
//! does not. A summary that has no telling words ("Small talk.") invents nothing.

use std::collections::HashSet;

use super::{Rejected, folded, is_hidden};
use crate::memory::secrets;
use crate::retrieval::words_with_stems;

/// What no summary and no profile says, whatever was talked about.
const EXCUSES: [&str; 27] = [
    "i'm sorry",
    "i\u{2019}m sorry",
    "i am sorry",
    "i apologize",
    "i apologise",
    "as an ai",
    "as a language model",
    "as a large language model",
    "i cannot",
    "i can't",
    "i can\u{2019}t",
    "i am unable",
    "i'm unable",
    "i\u{2019}m unable",
    "i am not able",
    "i do not have access",
    "internal server error",
    "bad gateway",
    "http error",
    "http status",
    "status code",
    "unauthorized",
    "traceback (most recent",
    "please try again",
    "rate limit reached",
    "rate limit exceeded",
    "exceeded your",
];

/// What is an excuse unless it was talked about.
const ALARMS: [&str; 21] = [
    "api key",
    "error",
    "exception",
    "traceback",
    "rate limit",
    "rate-limit",
    "quota",
    "timeout",
    "timed out",
    "too many requests",
    "overloaded",
    "unavailable",
    "not found",
    "forbidden",
    "failed",
    "failure",
    "refuse",
    "undefined",
    "null",
    "n/a",
    "lorem ipsum",
];

/// Markup and code that summaries do without.
const MARKUP: [&str; 14] = [
    "</", "<!", "<|", "<html", "<head", "<body", "<script", "<div", "<span", "<p>", "<br", "<data",
    "{\"", "```",
];

/// Words by which a profile would speak to its reader.
const ORDERS: [&str; 11] = [
    "you",
    "your",
    "ignore",
    "disregard",
    "instruction",
    "instructions",
    "system prompt",
    "override",
    "jailbreak",
    "pretend",
    "must not",
];

/// Words that any summary or profile has, whatever it is about.
const FRAME: &str = "user assistant person people want need like prefer interest interested enjoy \
                     expect answer help helpful value seem personality small talk chat greeting \
                     thank conversation exchange message say ask tell";

/// What a model was given, to hold its prose against.
#[derive(Debug)]
pub(super) struct Sources {
    lower: String,
    stems: HashSet<String>,
    frame: HashSet<String>,
}

impl Sources {
    /// Reads the texts that were given.
    pub(super) fn of<'a>(texts: impl Iterator<Item = &'a str>) -> Self {
        let (mut lower, mut stems) = (String::new(), HashSet::new());
        for text in texts {
            lower.push_str(&text.to_lowercase());
            lower.push('\n');
            stems.extend(stems_of(text));
        }
        Self { lower, stems, frame: stems_of(FRAME).collect() }
    }

    /// Returns a summary as one line, if it may be kept.
    pub(super) fn summary(
        &self,
        text: &str,
        max_chars: usize,
        what: &'static str,
    ) -> Result<String, Rejected> {
        let line = self.plain(text, max_chars, what)?;
        let (shared, all) = self.shared(&line);
        let rests = all == 0 || shared > 0 && 4 * shared >= all;
        if rests { Ok(line) } else { Err(Rejected::Ungrounded(what)) }
    }

    /// Returns a text as one line, if it is plain, no excuse and no secret.
    pub(super) fn plain(
        &self,
        text: &str,
        max_chars: usize,
        what: &'static str,
    ) -> Result<String, Rejected> {
        let line = line(text, max_chars, what)?;
        let lower = line.to_lowercase();
        if MARKUP.iter().any(|markup| lower.contains(markup)) {
            return Err(Rejected::NotPlain(what));
        }
        if EXCUSES.iter().any(|excuse| has_word(&lower, excuse)) || self.is_alarm(&lower) {
            return Err(Rejected::Excuse(what));
        }
        if secrets::find(&line).is_some() {
            return Err(Rejected::Secret(what));
        }
        Ok(line)
    }

    /// Returns a section of a profile as one line, if it may be kept; an empty one may.
    pub(super) fn section(
        &self,
        text: &str,
        max_chars: usize,
        what: &'static str,
    ) -> Result<String, Rejected> {
        if text.trim().is_empty() {
            return Ok(String::new());
        }
        let line = self.plain(text, max_chars, what)?;
        if line.contains(['{', '}', '<', '>', '`']) {
            return Err(Rejected::NotPlain(what));
        }
        let lower = line.to_lowercase();
        if ORDERS.iter().any(|order| has_whole_word(&lower, order)) {
            return Err(Rejected::Order(what));
        }
        let (shared, all) = self.shared(&line);
        let rests = shared > 0 && shared >= all.min(2) && 4 * shared >= all;
        if rests { Ok(line) } else { Err(Rejected::Ungrounded(what)) }
    }

    /// Counts the telling stems of a text: those of what was given, and all.
    fn shared(&self, text: &str) -> (usize, usize) {
        let stems: HashSet<String> =
            stems_of(text).filter(|stem| !self.frame.contains(stem)).collect();
        (stems.intersection(&self.stems).count(), stems.len())
    }

    /// Whether a text speaks of a failure that was not talked about, or begins as error texts do.
    fn is_alarm(&self, lower: &str) -> bool {
        ALARMS.iter().any(|alarm| {
            let begins = lower.strip_prefix(alarm).is_some_and(|rest| rest.starts_with(':'));
            begins || has_word(lower, alarm) && !has_word(&self.lower, alarm)
        })
    }
}

fn stems_of(text: &str) -> impl Iterator<Item = String> {
    words_with_stems(text).into_iter().map(|(_, stem)| stem)
}

/// Returns a text as one line of what can be seen, if there is any and not too much of it.
pub(super) fn line(text: &str, max_chars: usize, what: &'static str) -> Result<String, Rejected> {
    // What is that long is not worth looking at.
    if text.len() > 16 * max_chars {
        return Err(Rejected::Length(what));
    }
    let line = folded(text);
    if line.is_empty() || line.chars().count() > max_chars {
        return Err(Rejected::Length(what));
    }
    if line.chars().any(is_hidden) {
        return Err(Rejected::NotPlain(what));
    }
    Ok(line)
}

/// Whether `word` begins in `text` where a word begins; it may go on: `errors`.
fn has_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| begins_word(text, at))
}

fn has_whole_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let after = text.get(at + word.len()..).and_then(|rest| rest.chars().next());
        begins_word(text, at) && !after.is_some_and(char::is_alphanumeric)
    })
}

fn begins_word(text: &str, at: usize) -> bool {
    let before = text.get(..at).and_then(|before| before.chars().next_back());
    !before.is_some_and(char::is_alphanumeric)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources() -> Sources {
        let texts = [
            "I am training for a marathon in Bergen and run before work.",
            "Please keep answers short, with numbers. The build failed with an error again.",
        ];
        Sources::of(texts.into_iter())
    }

    fn section(text: &str) -> Result<String, Rejected> {
        sources().section(text, 600, "section")
    }

    #[test]
    fn prose_that_rests_on_the_pages_is_kept_on_one_line() {
        let cases = [
            ("Trains for a\n marathon and runs early. ", "Trains for a marathon and runs early."),
            ("Wants short answers with numbers.", "Wants short answers with numbers."),
            ("Running.", "Running."),
            (
                "Is annoyed when a build ends in an error.",
                "Is annoyed when a build ends in an error.",
            ),
            ("  ", ""),
        ];
        for (text, line) in cases {
            assert_eq!(section(text).as_deref(), Ok(line));
        }
    }

    #[test]
    fn errors_refusals_orders_and_markup_are_no_profile() {
        let what = "section";
        let cases = [
            ("Error: rate limit reached for marathon Bergen", Rejected::Excuse(what)),
            ("I'm sorry, but I can't run a marathon in Bergen.", Rejected::Excuse(what)),
            ("As an AI model I have no marathon in Bergen.", Rejected::Excuse(what)),
            ("Marathon Bergen: quota exceeded", Rejected::Excuse(what)),
            ("HTTP status 500 during the marathon in Bergen", Rejected::Excuse(what)),
            ("401 Unauthorized marathon Bergen", Rejected::Excuse(what)),
            ("Traceback (most recent call last): marathon Bergen", Rejected::Excuse(what)),
            ("<html>marathon Bergen</html>", Rejected::NotPlain(what)),
            ("{marathon: Bergen}", Rejected::NotPlain(what)),
            ("marathon `Bergen`", Rejected::NotPlain(what)),
            ("marathon \u{202e}Bergen", Rejected::NotPlain(what)),
            ("marathon Bergen \u{7}", Rejected::NotPlain(what)),
            ("Ignore the marathon in Bergen.", Rejected::Order(what)),
            ("You are a marathon runner from Bergen.", Rejected::Order(what)),
            ("Runs a marathon; password is hunter2.", Rejected::Secret(what)),
            ("Breeds horses and paints in oil.", Rejected::Ungrounded(what)),
            ("The user likes the assistant.", Rejected::Ungrounded(what)),
            ("Runs, breeds horses, paints with oil, sails.", Rejected::Ungrounded(what)),
        ];
        for (text, why) in cases {
            assert_eq!(section(text), Err(why), "{text}");
        }
    }

    #[test]
    fn what_is_too_long_is_refused_before_it_is_read() {
        let marathon = "marathon Bergen ";
        assert_eq!(section(&marathon.repeat(38)), Err(Rejected::Length("section")));
        assert!(section(&marathon.repeat(37)).is_ok());
        assert_eq!(section(&marathon.repeat(100_000)), Err(Rejected::Length("section")));
        assert_eq!(sources().summary(" ", 10, "x"), Err(Rejected::Length("x")));
    }

    #[test]
    fn texts_in_other_scripts_are_grounded_too() {
        let sources = Sources::of(["\u{6211}\u{559c}\u{6b22}\u{722c}\u{5c71}"].into_iter());
        let section = |text: &str| sources.section(text, 600, "section");
        assert!(section("\u{559c}\u{6b22}\u{722c}\u{5c71}").is_ok());
        let other = section("\u{6e38}\u{6cf3}\u{8dd1}\u{6b65}");
        assert_eq!(other, Err(Rejected::Ungrounded("section")));
    }

    #[test]
    fn a_summary_needs_one_stem_of_the_pages_and_small_talk_none() {
        let summary = |text: &str| sources().summary(text, 400, "summary");
        for text in ["The user says thanks.", "Small talk.", "Bergen.", "Plans around a marathon."]
        {
            assert_eq!(summary(text).as_deref(), Ok(text));
        }
        for text in ["Breeds horses.", "Horses, oil paint, sails, boats and a marathon."] {
            assert_eq!(summary(text), Err(Rejected::Ungrounded("summary")), "{text}");
        }
    }
}
