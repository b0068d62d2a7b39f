//! All that reads the text of a page, or a query.

use super::sections;
use crate::embed::{MAX_PIECES, StaticModel};
use crate::memory;
use crate::memory::chain::{CHAIN_CHARS, chain_summary};
use crate::memory::page::Texts;
use crate::memory::secrets;
use crate::memory::sentence::sentences;
use crate::retrieval::{Analysis, best_window, query_terms, words_with_stems};
use crate::time::Timestamp;

/// Takes a query, the user's side, the assistant's and the chain before it.
///
/// # Panics
///
/// When a place is not in the text, a part is longer than it may be, or the same text is read
/// differently twice.
pub fn texts(bytes: &[u8]) {
    let [query, user_input, agent_response, before] = sections(bytes);
    let texts = Texts { user_input, agent_response };
    for text in [&query, &texts.user_input, &texts.agent_response] {
        vectors(text);
        words(text);
        places(text);
        assert_eq!(secrets::find(text), secrets::find(text));
        windows(text, &query);
    }
    analysis(&texts);
    let chain = chain_summary(Some(&before), &texts);
    assert!(chain.chars().count() <= CHAIN_CHARS, "{chain:?}");
    memory::fuzzing::summary(&texts, &query);
    crate::mcp::fuzzing::fits(&query, &texts);
}

fn vectors(text: &str) {
    let model = StaticModel::built_in();
    assert!(model.pieces(text).len() <= MAX_PIECES);
    let found = model.embed(text);
    assert!(found.vector.iter().all(|x| x.is_finite()));
    assert!((0.0..=1.0).contains(&found.share));
    assert_eq!(model.embed(text), found);
}

fn words(text: &str) {
    for (word, stem) in words_with_stems(text) {
        assert!(!word.is_empty() && !stem.is_empty(), "{word:?} {stem:?}");
        assert!(!word.contains(char::is_whitespace), "{word:?}");
    }
    let terms = query_terms(text);
    assert_eq!(query_terms(text), terms);
}

fn places(text: &str) {
    let mut end = 0;
    for range in sentences(text) {
        assert!(end <= range.start && range.start < range.end, "{range:?} after {end}");
        end = range.end;
        let sentence = text.get(range).expect("sentences end between characters");
        assert_eq!(sentence.trim(), sentence);
    }
}

fn windows(text: &str, query: &str) {
    let n_chars = text.chars().count();
    for max in [0, 1, 9, n_chars / 3, n_chars] {
        let range = best_window(text, query, max, StaticModel::built_in());
        let window = text.get(range).expect("windows end between characters");
        assert!(window.chars().count() <= max, "{max}: {window:?}");
        assert!(max < n_chars || window == text);
    }
}

/// An analysis comes back from its bytes, and bytes that lack something are none.
fn analysis(texts: &Texts) {
    let at = Timestamp::from_parts(1_780_000_000_000_000, 0).unwrap();
    let analysis = Analysis::of(texts, at, StaticModel::built_in());
    let bytes = analysis.to_bytes();
    assert_eq!(Analysis::from_bytes(&bytes).as_ref(), Some(&analysis));
    assert_eq!(Analysis::from_bytes(&bytes[..bytes.len() - 1]), None);
}
