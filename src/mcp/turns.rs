//! Requests that are not answered yet, and when their replies may be sent.
//!
//! Calls take effect in the order in which they were sent, but each is a task of its own: one that
//! finds its outcome there at once can overtake those that are only being woken. A reply that keeps
//! its turn waits here for the earlier ones that do.

use std::collections::BTreeMap;

use serde_json::Value;
use tokio::sync::OwnedSemaphorePermit;

/// When the reply to a request may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// After the replies to all earlier requests that keep their turn.
    Kept,
    /// As soon as it is there.
    Free,
}

/// A reply on its way out, with the permit of its request.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) bytes: Vec<u8>,
    pub(super) permit: OwnedSemaphorePermit,
}

/// A request that is not answered yet.
#[derive(Debug)]
struct Open {
    id: Value,
    permit: OwnedSemaphorePermit,
    turn: Turn,
    /// What waits for its turn.
    reply: Option<Vec<u8>>,
}

/// The requests that are not answered yet, each with a number of its own.
#[derive(Debug, Default)]
pub(super) struct OpenRequests {
    last_number: i64,
    by_number: BTreeMap<i64, Open>,
}

impl OpenRequests {
    /// Takes a request in, with the client's id; returns its number, which is greater than those
    /// before.
    pub(super) fn admit(&mut self, id: Value, permit: OwnedSemaphorePermit, turn: Turn) -> i64 {
        self.last_number += 1;
        self.by_number.insert(self.last_number, Open { id, permit, turn, reply: None });
        self.last_number
    }

    /// Returns the client's id of a request; none where its reply was sent.
    pub(super) fn id(&self, number: i64) -> Option<&Value> {
        self.by_number.get(&number).map(|open| &open.id)
    }

    /// Takes the reply to a request; returns those that may be sent now, in their order.
    pub(super) fn answer(&mut self, number: i64, reply: Vec<u8>) -> Vec<Outgoing> {
        let Some(open) = self.by_number.get_mut(&number) else { return Vec::new() };
        open.reply = Some(reply);
        if open.turn == Turn::Free {
            return self.take(number).into_iter().collect();
        }
        std::iter::from_fn(|| {
            let (first, _) = self.by_number.iter().find(|(_, open)| open.turn == Turn::Kept)?;
            self.take(*first)
        })
        .collect()
    }

    /// Takes a request out whose reply is there.
    fn take(&mut self, number: i64) -> Option<Outgoing> {
        let bytes = self.by_number.get_mut(&number)?.reply.take()?;
        let permit = self.by_number.remove(&number)?.permit;
        Some(Outgoing { bytes, permit })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;
    use tokio::sync::Semaphore;

    use super::*;

    /// Open requests with these turns, numbered from 1, and the permits that are left.
    fn open(turns: &[Turn]) -> (OpenRequests, Arc<Semaphore>) {
        let permits = Arc::new(Semaphore::new(turns.len()));
        let mut requests = OpenRequests::default();
        for (number, turn) in (1..).zip(turns) {
            let permit = Arc::clone(&permits).try_acquire_owned().unwrap();
            assert_eq!(requests.admit(json!(number), permit, *turn), number);
        }
        (requests, permits)
    }

    fn sent(requests: &mut OpenRequests, number: i64) -> Vec<u8> {
        let reply = vec![u8::try_from(number).unwrap()];
        requests.answer(number, reply).into_iter().flat_map(|out| out.bytes).collect()
    }

    #[test]
    fn replies_that_keep_their_turn_wait_for_those_before_them() {
        let (mut requests, permits) = open(&[Turn::Kept; 4]);
        assert!(sent(&mut requests, 3).is_empty());
        assert!(sent(&mut requests, 2).is_empty());
        assert_eq!((requests.id(2), permits.available_permits()), (Some(&json!(2)), 0));
        assert_eq!(sent(&mut requests, 1), [1, 2, 3]);
        assert_eq!((requests.id(2), permits.available_permits()), (None, 3));
        assert_eq!(sent(&mut requests, 4), [4]);
    }

    #[test]
    fn a_reply_without_a_turn_neither_waits_nor_is_waited_for() {
        let (mut requests, _) = open(&[Turn::Kept, Turn::Free, Turn::Kept, Turn::Free]);
        assert_eq!(sent(&mut requests, 4), [4]);
        assert!(sent(&mut requests, 3).is_empty());
        assert_eq!(sent(&mut requests, 1), [1, 3]);
        assert_eq!(sent(&mut requests, 2), [2]);
    }

    #[test]
    fn a_request_is_answered_once() {
        let (mut requests, _) = open(&[Turn::Kept]);
        assert_eq!(sent(&mut requests, 1), [1]);
        assert!(sent(&mut requests, 1).is_empty());
        assert!(sent(&mut requests, 2).is_empty());
    }
}
