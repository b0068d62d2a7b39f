//! The built-in model: one row of 128 numbers per word piece, summed.
//!
//! Distilled from sentence-transformers/all-MiniLM-L6-v2. It knows no order of words and no
//! language but English. The rows stay as they lie in the program; only the table of pieces is
//! built, once, at the first use (about a millisecond).

use std::sync::LazyLock;

use unicode_general_category::{GeneralCategory as G, get_general_category};

use super::wordpiece::{UNKNOWN, Vocabulary};

/// The numbers in a vector.
pub const DIMENSIONS: usize = 128;

/// At most this many pieces of a text are read.
pub const MAX_PIECES: usize = 512;

static MATRIX: &[u8] = include_bytes!("../../assets/static-128/matrix.i8");
static SCALES: &[u8] = include_bytes!("../../assets/static-128/scales.f16");
static PIECES: &str = include_str!("../../assets/static-128/vocab.txt");
static BUILT_IN: LazyLock<StaticModel> =
    LazyLock::new(|| StaticModel { vocabulary: Vocabulary::new(PIECES) });

/// A model that is a table: a row per piece.
#[derive(Debug)]
pub struct StaticModel {
    vocabulary: Vocabulary,
}

/// What the model makes of a text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Embedding {
    /// Of length 1, or all 0 when no piece of the text is known.
    pub vector: [f32; DIMENSIONS],
    /// The share of the text's pieces, punctuation aside, that are known and hold a Latin letter
    /// or a digit: how far the vector can be trusted, 0 to 1.
    pub share: f32,
    /// The pieces that `share` is a share of.
    pub words: u32,
}

impl StaticModel {
    /// Returns the model in the program; the first call builds its table of pieces.
    pub fn built_in() -> &'static Self {
        &BUILT_IN
    }

    /// Returns the first [`MAX_PIECES`] `WordPiece` numbers of a text, without special tokens.
    pub fn pieces(&self, text: &str) -> Vec<u16> {
        self.vocabulary.pieces(text, MAX_PIECES)
    }

    /// Returns the direction of the sum of the rows of the text's pieces.
    pub fn embed(&self, text: &str) -> Embedding {
        let pieces = self.pieces(text);
        let mut vector = [0.0; DIMENSIONS];
        let (mut words, mut latin) = (0, 0);
        for &piece in &pieces {
            add_row(piece, &mut vector);
            match self.kind(piece) {
                Kind::Latin => (words, latin) = (words + 1, latin + 1),
                Kind::Other => words += 1,
                Kind::Mark => {}
            }
        }
        normalise(&mut vector);
        let share = if words == 0 { 0.0 } else { latin as f32 / words as f32 };
        Embedding { vector, share, words }
    }

    /// Returns bytes that differ for another model.
    pub(crate) fn fingerprint() -> &'static [u8] {
        // Every row has a scale of its own: another model has other scales.
        SCALES
    }

    fn kind(&self, piece: u16) -> Kind {
        if piece == UNKNOWN {
            return Kind::Other;
        }
        let mut kind = Kind::Mark;
        for c in self.vocabulary.piece(piece).chars() {
            if is_latin_or_digit(c) {
                return Kind::Latin;
            }
            if c.is_alphanumeric() {
                kind = Kind::Other;
            }
        }
        kind
    }
}

/// What a piece counts as in [`Embedding::share`].
enum Kind {
    /// It holds a Latin letter or a decimal digit.
    Latin,
    /// It is unknown or holds letters of another script only.
    Other,
    /// It holds no letter and no number, and does not count.
    Mark,
}

/// Whether a character of the vocabulary is a letter of the Latin script or a decimal digit.
fn is_latin_or_digit(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric();
    }
    // Latin letters are spread over many blocks; these hold all that the vocabulary has.
    let latin = matches!(u32::from(c),
        0xaa | 0xba | 0xc0..=0xd6 | 0xd8..=0xf6 | 0xf8..=0x2b8 | 0x2e0..=0x2e4 | 0x1d00..=0x1d25
        | 0x1d2c..=0x1d5c | 0x1d62..=0x1d65 | 0x1d6b..=0x1d77 | 0x1d79..=0x1dbe
        | 0x1e00..=0x1eff | 0x2071 | 0x207f | 0x2090..=0x209c | 0x2c60..=0x2c7f | 0xfb00..=0xfb06);
    latin || get_general_category(c) == G::DecimalNumber
}

/// Adds a piece's row to `sum`.
fn add_row(piece: u16, sum: &mut [f32; DIMENSIONS]) {
    let place = usize::from(piece);
    let row = MATRIX.as_chunks::<DIMENSIONS>().0.get(place);
    let scale = SCALES.as_chunks::<2>().0.get(place);
    let (Some(row), Some(&scale)) = (row, scale) else { return };
    let scale = half_to_single(u16::from_le_bytes(scale));
    for (sum, &value) in sum.iter_mut().zip(row) {
        *sum += f32::from(value.cast_signed()) * scale;
    }
}

/// Decodes an IEEE 754 half-precision number that is finite and not negative.
fn half_to_single(half: u16) -> f32 {
    let exponent = u32::from(half >> 10) & 0x1f;
    let fraction = f32::from(half & 0x3ff);
    if exponent == 0 {
        return fraction * 2.0_f32.powi(-24);
    }
    f32::from_bits((exponent + 112) << 23) * (1.0 + fraction / 1024.0)
}

/// Scales a vector to length 1; one of length 0 stays.
pub(crate) fn normalise(vector: &mut [f32; DIMENSIONS]) {
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    if length > 0.0 {
        for x in vector {
            *x /= length;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn embed(text: &str) -> Embedding {
        StaticModel::built_in().embed(text)
    }

    fn cosine(a: &str, b: &str) -> f32 {
        embed(a).vector.iter().zip(&embed(b).vector).map(|(a, b)| a * b).sum()
    }

    #[test]
    fn half_precision_numbers_are_decoded() {
        let cases =
            [(0x3c00, 1.0), (0x3555, 0.333_251_95), (0x0001, 5.960_464_5e-8), (0x7bff, 65_504.0)];
        for (half, single) in cases {
            assert_eq!(half_to_single(half).to_bits(), f32::to_bits(single), "{half:x}");
        }
    }

    #[test]
    fn a_vector_is_of_length_one_or_zero() {
        let length = |text: &str| embed(text).vector.iter().map(|x| x * x).sum::<f32>().sqrt();
        assert!((length("A small red bicycle, parked outside.") - 1.0).abs() < 1e-5);
        for nothing in ["", "  ", "\u{1f600}\u{1f600}"] {
            assert!(length(nothing).abs() < f32::EPSILON, "{nothing:?}");
        }
    }

    #[test]
    fn what_means_the_same_is_nearer() {
        let (near, far) = (cosine("my dog", "a puppy"), cosine("my dog", "the tax office"));
        assert!(near > far + 0.2, "{near} {far}");
    }

    #[test]
    fn the_share_counts_known_latin_pieces_and_not_marks() {
        for (text, share, words) in [
            ("a red car!!!", 1.0, 3),
            ("car \u{434}", 0.5, 2),
            ("car \u{1f600}", 0.5, 2),
            ("\u{434} \u{732b}", 0.0, 2),
            ("...", 0.0, 0),
        ] {
            let found = embed(text);
            assert!((found.share - share).abs() < 1e-6, "{text}: {}", found.share);
            assert_eq!(found.words, words, "{text}");
        }
    }

    #[test]
    fn only_the_first_pieces_count() {
        let long = format!("{} zebra", "cat ".repeat(MAX_PIECES));
        assert_eq!(embed(&long), embed(&"cat ".repeat(MAX_PIECES)));
    }
}
