//! What a host replies when it is asked for vectors, read leniently and believed strictly.
//!
//! Fields nobody knows do not matter. The one rule: either there is one vector for every text, all
//! of one length and every number finite, or there is none.

use serde_json::Value;

use super::error::LlmError;

/// The longest vector that is taken.
const MAX_DIMENSIONS: usize = 8_192;

/// Returns the tokens that the host counted, if it did.
pub(super) fn tokens(reply: &Value) -> Option<u64> {
    let counted = reply.pointer("/usage/total_tokens").and_then(Value::as_u64);
    counted.filter(|tokens| *tokens > 0)
}

/// Reads the vectors of `count` texts, in the order of the texts.
pub(super) fn read(reply: &Value, count: usize) -> Result<Vec<Vec<f32>>, LlmError> {
    let entries = reply.get("data").and_then(Value::as_array);
    let entries = entries.ok_or(LlmError::NotJson("no list of embeddings"))?;
    if entries.len() != count {
        return Err(LlmError::NotJson("not one embedding for every text"));
    }
    let mut vectors: Vec<Option<Vec<f32>>> = vec![None; count];
    for (position, entry) in entries.iter().enumerate() {
        // Some hosts leave the number out and keep the order.
        let index = entry.get("index").and_then(Value::as_u64);
        let at = index.map_or(Some(position), |index| usize::try_from(index).ok());
        match at.and_then(|at| vectors.get_mut(at)) {
            Some(place @ None) => *place = Some(vector(entry)?),
            _ => return Err(LlmError::NotJson("not one embedding for every text")),
        }
    }
    let vectors: Vec<Vec<f32>> = vectors.into_iter().flatten().collect();
    let length = vectors.first().map_or(0, Vec::len);
    if vectors.iter().any(|vector| vector.len() != length) {
        return Err(LlmError::NotJson("embeddings of different lengths"));
    }
    Ok(vectors)
}

#[expect(clippy::cast_possible_truncation, reason = "what is too large becomes infinite")]
fn vector(entry: &Value) -> Result<Vec<f32>, LlmError> {
    let numbers = entry.get("embedding").and_then(Value::as_array);
    let numbers = numbers.ok_or(LlmError::NotJson("no list of numbers"))?;
    if numbers.is_empty() || numbers.len() > MAX_DIMENSIONS {
        return Err(LlmError::NotJson("an embedding that is empty or too long"));
    }
    let number = |number: &Value| number.as_f64().map(|x| x as f32).filter(|x| x.is_finite());
    let numbers: Option<Vec<f32>> = numbers.iter().map(number).collect();
    numbers.ok_or(LlmError::NotJson("an embedding with something that is no number"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn vectors_come_in_the_order_of_the_texts() {
        let reply = json!({"data": [
            {"index": 1, "embedding": [0, 1], "object": "embedding"},
            {"index": 0, "embedding": [0.5, -1e-3]},
        ], "usage": {"total_tokens": 7}, "extra": {}});
        assert_eq!(read(&reply, 2), Ok(vec![vec![0.5, -0.001], vec![0.0, 1.0]]));
        assert_eq!(tokens(&reply), Some(7));
        let bare = json!({"data": [{"embedding": [1]}, {"embedding": [2]}]});
        assert_eq!((read(&bare, 2), tokens(&bare)), (Ok(vec![vec![1.0], vec![2.0]]), None));
    }

    #[test]
    fn what_is_not_one_sound_vector_for_every_text_is_refused() {
        let long = vec![0.5; MAX_DIMENSIONS + 1];
        for data in [
            json!(null),
            json!([]),
            json!([{"embedding": [1]}]),
            json!([{"embedding": [1]}, {"embedding": [1]}, {"embedding": [1]}]),
            json!([{"embedding": [1], "index": 0}, {"embedding": [1], "index": 0}]),
            json!([{"embedding": [1], "index": 0}, {"embedding": [1], "index": 2}]),
            json!([{"embedding": [1]}, {"embedding": [1, 2]}]),
            json!([{"embedding": []}, {"embedding": []}]),
            json!([{"embedding": [1]}, {"embedding": ["NaN"]}]),
            json!([{"embedding": [1]}, {"embedding": [null]}]),
            json!([{"embedding": [1]}, {"embedding": [1e300]}]),
            json!([{"embedding": "AAAA"}, {"embedding": "AAAA"}]),
            json!([{"embedding": long}, {"embedding": long}]),
        ] {
            let read = read(&json!({"data": data}), 2);
            assert!(matches!(read, Err(LlmError::NotJson(_))), "{read:?}");
        }
    }
}
