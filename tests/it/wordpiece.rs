//! The word pieces of the built-in model are those of the `tokenizers` package.
//!
//! The golden file says how it was made.

use memoryos::embed::StaticModel;
use serde::Deserialize;

#[derive(Deserialize)]
struct Golden {
    cases: Vec<(String, Vec<u16>)>,
}

#[test]
fn every_text_gives_the_pieces_of_the_tokenizers_package() {
    let golden: Golden =
        serde_json::from_str(include_str!("../golden/wordpiece.json")).expect("golden file");
    assert!(golden.cases.len() > 150);
    let model = StaticModel::built_in();
    let wrong: Vec<_> = golden
        .cases
        .iter()
        .filter(|(text, pieces)| model.pieces(text) != *pieces)
        .map(|(text, pieces)| (text, pieces, model.pieces(text)))
        .collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}
