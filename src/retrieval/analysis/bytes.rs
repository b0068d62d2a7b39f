//! An [`Analysis`] as bytes, and back.
//!
//! ```text
//! version u8, length f32, share f32, scale f32, values 128 x i16     little endian
//! number of terms, then per term: its key * 2 (+ 1 if its weight is 1) u64, weight f32 unless 1
//! number of cased words, then per word: its key u64, count
//! ```
//!
//! Numbers of things and counts are LEB128; keys rise. Reading never trusts a number: what is missing, out of order, out
//! of range or left over makes the whole of it nothing.

use super::{Analysis, PageVector, VERSION};
use crate::embed::DIMENSIONS;
use crate::retrieval::names::CasedWords;
use crate::retrieval::terms::TermKey;

impl Analysis {
    /// Writes the analysis in a compact form.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(288 + 16 * self.terms.len());
        out.push(VERSION.to_le_bytes()[0]);
        for number in [self.length, self.share, self.vector.scale] {
            out.extend(number.to_le_bytes());
        }
        out.extend(self.vector.values.iter().flat_map(|value| value.to_le_bytes()));
        put_number(self.terms.len(), &mut out);
        for (term, weight) in &self.terms {
            let is_one = weight.to_bits() == 1.0_f32.to_bits();
            out.extend((term.number() << 1 | u64::from(is_one)).to_le_bytes());
            if !is_one {
                out.extend(weight.to_le_bytes());
            }
        }
        put_number(self.cased.len(), &mut out);
        for (word, times) in self.cased.iter() {
            out.extend(word.number().to_le_bytes());
            put_number(times as usize, &mut out);
        }
        out
    }

    /// Reads what [`Analysis::to_bytes`] wrote; none if the bytes are anything else.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut input = Input(bytes);
        if u32::from(*input.take(1)?.first()?) != VERSION {
            return None;
        }
        let (length, share, scale) = (input.float()?, input.float()?, input.float()?);
        let values = input.take(2 * DIMENSIONS)?.as_chunks::<2>().0;
        let values = values.as_chunks::<DIMENSIONS>().0.first()?.map(i16::from_le_bytes);
        if share > 1.0 || values.contains(&i16::MIN) {
            return None;
        }
        let terms = input.terms()?;
        let cased = input.cased()?;
        let vector = PageVector { scale, values };
        input.0.is_empty().then_some(Self { terms, length, cased, vector, share })
    }
}

fn put_number(mut number: usize, out: &mut Vec<u8>) {
    loop {
        let low = number.to_le_bytes()[0] & 0x7f;
        number >>= 7;
        if number == 0 {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}

/// What is still to be read.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(head)
    }

    /// A finite number that is not negative.
    fn float(&mut self) -> Option<f32> {
        let number = f32::from_le_bytes(*self.take(4)?.as_chunks::<4>().0.first()?);
        (number.is_finite() && number.is_sign_positive()).then_some(number)
    }

    /// A number of at most 32 bits, in as few bytes as it needs.
    fn number(&mut self) -> Option<u32> {
        let mut number = 0_u64;
        for shift in [0, 7, 14, 21, 28] {
            let byte = *self.take(1)?.first()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return if byte == 0 && shift > 0 { None } else { u32::try_from(number).ok() };
            }
        }
        None
    }

    fn word(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(*self.take(8)?.as_chunks::<8>().0.first()?))
    }

    /// Terms by strictly rising keys.
    fn terms(&mut self) -> Option<Vec<(TermKey, f32)>> {
        let n = self.number()? as usize;
        // The number alone reserves no memory.
        let mut terms: Vec<(TermKey, f32)> = Vec::with_capacity(n.min(self.0.len() / 8));
        for _ in 0..n {
            let (term, weight) = self.term()?;
            if terms.last().is_some_and(|(last, _)| term <= *last) {
                return None;
            }
            terms.push((term, weight));
        }
        Some(terms)
    }

    fn term(&mut self) -> Option<(TermKey, f32)> {
        let word = self.word()?;
        let term = TermKey::from_number(word >> 1)?;
        if word & 1 == 1 {
            return Some((term, 1.0));
        }
        let weight = self.float()?;
        (weight > 0.0 && weight.to_bits() != 1.0_f32.to_bits()).then_some((term, weight))
    }

    fn cased(&mut self) -> Option<CasedWords> {
        let n = self.number()? as usize;
        let mut words = Vec::with_capacity(n.min(self.0.len() / 9));
        for _ in 0..n {
            words.push((TermKey::from_number(self.word()?)?, self.number()?));
        }
        CasedWords::from_words(words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embed::StaticModel;
    use crate::memory::page::Texts;
    use crate::time::Timestamp;

    fn sample() -> Analysis {
        let texts = Texts {
            user_input: "Mel's cat is called \u{7c73}\u{7c92}, the cat of Mel".to_owned(),
            agent_response: "What a lovely name! ".repeat(60),
        };
        let time = Timestamp::parse("2023-05-08").unwrap();
        Analysis::of(&texts, time, StaticModel::built_in())
    }

    #[test]
    fn what_was_written_is_read_back() {
        let analysis = sample();
        assert_eq!(Analysis::from_bytes(&analysis.to_bytes()), Some(analysis));
    }

    #[test]
    fn every_truncation_and_every_addition_is_refused() {
        let bytes = sample().to_bytes();
        for len in 0..bytes.len() {
            assert_eq!(Analysis::from_bytes(&bytes[..len]), None, "{len} bytes");
        }
        assert_eq!(Analysis::from_bytes(&[&bytes[..], &[0]].concat()), None);
    }

    #[test]
    fn every_flipped_bit_is_refused_or_read_as_what_would_be_written() {
        let bytes = sample().to_bytes();
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            if let Some(read) = Analysis::from_bytes(&flipped) {
                assert_eq!(read.to_bytes(), flipped, "bit {bit}");
            }
        }
    }

    #[test]
    fn noise_is_refused() {
        let mut state = 1_u64;
        for len in 0..2_000 {
            let mut noise: Vec<u8> = std::iter::repeat_with(|| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                state.to_be_bytes()[0]
            })
            .take(len)
            .collect();
            if let Some(first) = noise.first_mut() {
                *first = 2;
            }
            if let Some(read) = Analysis::from_bytes(&noise) {
                assert_eq!(read.to_bytes(), noise);
            }
        }
    }
}
