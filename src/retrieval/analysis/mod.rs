//! All that the index needs to know of one page, computed once, and its form on disk.
//!
//! An analysis is derived from a page's texts and date alone, so it can be thrown away and made
//! again. Bytes that are not exactly what [`Analysis::to_bytes`] writes are refused: the caller
//! then computes the analysis anew.

use xxhash_rust::xxh3::Xxh3;

use super::names::CasedWords;
use super::terms::{TermKey, Terms};
use crate::embed::{DIMENSIONS, Embedding, StaticModel, normalise};
use crate::memory::page::Texts;
use crate::panics;
use crate::time::Timestamp;

mod bytes;

/// Terms of an answer that count fully; a longer answer's terms share their weight.
const ANSWER_TERMS: f32 = 100.0;

/// The largest rounded number.
pub(super) const STEPS: f32 = 32_767.0;

/// Changes whenever the same texts give another analysis or the same analysis other bytes.
const VERSION: u32 = 2;

/// What the index holds of a page.
#[derive(Debug, Clone, PartialEq)]
pub struct Analysis {
    /// The page's terms with their weighted counts, single characters of unspaced scripts
    /// included; by rising key, each once.
    pub terms: Vec<(TermKey, f32)>,
    /// The weighted number of terms, single characters excluded.
    pub length: f32,
    /// Words as written that tell people's names from other words.
    pub cased: CasedWords,
    /// The direction of both sides' vectors.
    pub vector: PageVector,
    /// How far the vector can be trusted, over both sides together, 0 to 1.
    pub share: f32,
}

/// A unit vector, rounded to 16 bits: a number is `scale` times a value of -32767 to 32767.
///
/// With 8 bits one question in forty had another tenth page than without rounding.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PageVector {
    /// What a value is multiplied by; 0 for a page without known words.
    pub scale: f32,
    /// The rounded numbers.
    pub values: [i16; DIMENSIONS],
}

/// Names the tokeniser and the model: analyses with another fingerprint must be made again.
pub fn fingerprint() -> u64 {
    let mut hash = Xxh3::new();
    hash.update(&VERSION.to_le_bytes());
    hash.update(include_bytes!("../../../assets/stop_words.txt"));
    hash.update(include_bytes!("../../../assets/irregular.tsv"));
    hash.update(StaticModel::fingerprint());
    hash.digest()
}

impl Analysis {
    /// Reads a page: both sides and its date in words.
    pub fn of(texts: &Texts, timestamp: Timestamp, model: &StaticModel) -> Self {
        let empty = || Self::read(&Texts::default(), timestamp, model);
        panics::read_or("terms", || Self::read(texts, timestamp, model), empty)
    }

    fn read(texts: &Texts, timestamp: Timestamp, model: &StaticModel) -> Self {
        let (user, answer) = (&texts.user_input, &texts.agent_response);
        let user_terms = Terms::of(&format!("{user}\n{}", timestamp.date_words()));
        let answer_terms = Terms::of(answer);
        let weight = (ANSWER_TERMS / answer_terms.words.len().max(1) as f32).min(1.0);
        let length = user_terms.words.len() as f32 + weight * answer_terms.words.len() as f32;
        let (user_vector, answer_vector) = (model.embed(user), model.embed(answer));
        Self {
            terms: count([(user_terms, 1.0), (answer_terms, weight)]),
            length,
            cased: CasedWords::of([user, answer]),
            vector: PageVector::between(&user_vector.vector, &answer_vector.vector),
            share: joint_share(&user_vector, &answer_vector),
        }
    }
}

impl PageVector {
    /// Returns the direction of the sum of two vectors.
    fn between(a: &[f32; DIMENSIONS], b: &[f32; DIMENSIONS]) -> Self {
        let mut sum = *a;
        for (sum, x) in sum.iter_mut().zip(b) {
            *sum += x;
        }
        normalise(&mut sum);
        Self::rounded(&sum)
    }

    /// Rounds a vector of finite numbers; the largest becomes 32767.
    pub fn rounded(vector: &[f32; DIMENSIONS]) -> Self {
        let largest = vector.iter().fold(0.0_f32, |largest, x| largest.max(x.abs()));
        let mut values = [0; DIMENSIONS];
        if largest == 0.0 {
            return Self { scale: 0.0, values };
        }
        for (value, x) in values.iter_mut().zip(vector) {
            *value = to_i16(x / largest * STEPS);
        }
        Self { scale: largest / STEPS, values }
    }

    /// Returns the numbers themselves.
    pub fn to_f32(&self) -> [f32; DIMENSIONS] {
        self.values.map(|value| f32::from(value) * self.scale)
    }
}

#[expect(clippy::cast_possible_truncation, reason = "rounded and within -32767 to 32767")]
pub(super) fn to_i16(x: f32) -> i16 {
    x.round().clamp(-STEPS, STEPS) as i16
}

/// Adds up the weights of equal terms.
fn count(sides: [(Terms, f32); 2]) -> Vec<(TermKey, f32)> {
    let mut all: Vec<(TermKey, f32)> = Vec::new();
    for (terms, weight) in sides {
        let keys = terms.words.into_iter().chain(terms.characters);
        all.extend(keys.map(|key| (key, weight)));
    }
    // Stable: the weights of equal terms are added up in the order of the text.
    all.sort_by_key(|(key, _)| *key);
    all.dedup_by(|next, kept| {
        let same = next.0 == kept.0;
        if same {
            kept.1 += next.1;
        }
        same
    });
    all
}

fn joint_share(a: &Embedding, b: &Embedding) -> f32 {
    let words = (a.words + b.words) as f32;
    if words == 0.0 {
        return 0.0;
    }
    ((a.share * a.words as f32 + b.share * b.words as f32) / words).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn analysis(user: &str, answer: &str) -> Analysis {
        let texts = Texts { user_input: user.to_owned(), agent_response: answer.to_owned() };
        let time = Timestamp::parse("2023-05-08T13:56:00Z").unwrap();
        Analysis::of(&texts, time, StaticModel::built_in())
    }

    #[test]
    fn both_sides_and_the_date_are_counted() {
        let found = analysis("My cat likes cats.", "A cat!");
        let expected = [("2023", 1.0), ("8", 1.0), ("cat", 3.0), ("like", 1.0), ("may", 1.0)];
        let mut expected = expected.map(|(term, count)| (TermKey::of(term), count));
        expected.sort_by_key(|(key, _)| *key);
        assert_eq!(found.terms, expected);
        assert!((found.length - 7.0).abs() < 1e-6, "{}", found.length);
    }

    #[test]
    fn a_long_answer_weighs_no_more_than_a_hundred_terms() {
        let found = analysis("", &"cat ".repeat(400));
        assert!((found.length - 103.0).abs() < 1e-3, "{}", found.length);
        let cat = found.terms.iter().find(|(term, _)| *term == TermKey::of("cat")).unwrap();
        assert!((cat.1 - 100.0).abs() < 1e-3, "{}", cat.1);
    }

    #[test]
    fn a_vector_is_of_length_one_and_an_empty_side_counts_nothing() {
        let length = |a: &Analysis| a.vector.to_f32().iter().map(|x| x * x).sum::<f32>().sqrt();
        let (one, both) =
            (analysis("a red bicycle", ""), analysis("a red bicycle", "a red bicycle"));
        assert!((length(&one) - 1.0).abs() < 0.01);
        assert_eq!(one.vector, both.vector);
        let none = analysis("\u{1f600}", "");
        assert_eq!((none.vector.scale, none.share), (0.0, 0.0));
    }

    #[test]
    fn the_share_is_over_both_sides() {
        let russian = "\u{434}\u{43e}\u{43c} ".repeat(3);
        assert!((analysis("one two three four five six", "").share - 1.0).abs() < 1e-6);
        assert!(analysis("", &russian).share.abs() < 1e-6);
        let both = analysis("one two three", &russian).share;
        assert!(0.1 < both && both < 0.9, "{both}");
    }
}
