//! Which pages are neighbours.
//!
//! Neighbours are consecutive pages of one session, by time and then by place, at most 30 minutes
//! apart. A page added or taken away in between changes links and nothing else.

use std::collections::BTreeSet;

use xxhash_rust::xxh3::xxh3_64;

/// The longest pause inside a conversation, in microseconds.
const MAX_GAP_MICROS: u64 = 30 * 60 * 1_000_000;

/// A link that leads nowhere.
const NOWHERE: u32 = u32::MAX;

/// The pages in the order of their conversations. A page is a position, counted from 0.
#[derive(Debug, Default)]
pub(super) struct Links {
    /// Session (as a hash), time, position.
    order: BTreeSet<(u64, i64, u32)>,
    /// Session and time by position.
    keys: Vec<(u64, i64)>,
    /// Previous and next page by position.
    near: Vec<(u32, u32)>,
}

impl Links {
    /// Adds a page at the next free position.
    pub(super) fn push(&mut self, session: &str, micros: i64) {
        let session = xxh3_64(session.as_bytes());
        let Ok(at) = u32::try_from(self.keys.len()) else { return };
        self.keys.push((session, micros));
        self.near.push((NOWHERE, NOWHERE));
        let before = self.order.range(..(session, micros, at)).next_back().copied();
        let after = self.order.range((session, micros, at)..).next().copied();
        self.order.insert((session, micros, at));
        let this = Some((session, micros, at));
        self.connect(before, this);
        self.connect(this, after);
    }

    /// Adds a page at the next free position, which has no neighbours before [`Links::settle`].
    pub(super) fn append(&mut self, session: &str, micros: i64) {
        self.keys.push((xxh3_64(session.as_bytes()), micros));
        self.near.push((NOWHERE, NOWHERE));
    }

    /// Links the pages that were added by [`Links::append`] to an empty order.
    pub(super) fn settle(&mut self) {
        let pages = (0_u32..).zip(&self.keys);
        let mut order: Vec<_> =
            pages.map(|(at, &(session, micros))| (session, micros, at)).collect();
        order.sort_unstable();
        for pair in order.windows(2) {
            self.connect(pair.first().copied(), pair.last().copied());
        }
        self.order = order.into_iter().collect();
    }

    /// Takes a page away; its position stays, without neighbours.
    pub(super) fn remove(&mut self, at: u32) {
        let Some(&(session, micros)) = self.keys.get(at as usize) else { return };
        let this = (session, micros, at);
        self.order.remove(&this);
        let before = self.order.range(..this).next_back().copied();
        let after = self.order.range(this..).next().copied();
        self.connect(before, None);
        self.connect(None, after);
        self.connect(before, after);
        if let Some(near) = self.near.get_mut(at as usize) {
            *near = (NOWHERE, NOWHERE);
        }
    }

    /// Gives the last position up; its page has been removed.
    pub(super) fn pop(&mut self) {
        self.keys.pop();
        self.near.pop();
    }

    /// Returns the page that a page of this session and time would follow if it were added last.
    pub(super) fn before(&self, session: &str, micros: i64) -> Option<u32> {
        let session = xxh3_64(session.as_bytes());
        let before = self.order.range(..=(session, micros, u32::MAX)).next_back()?;
        let near = before.0 == session && before.1.abs_diff(micros) <= MAX_GAP_MICROS;
        near.then_some(before.2)
    }

    pub(super) fn previous(&self, at: u32) -> Option<u32> {
        self.near.get(at as usize).map(|near| near.0).filter(|&at| at != NOWHERE)
    }

    pub(super) fn next(&self, at: u32) -> Option<u32> {
        self.near.get(at as usize).map(|near| near.1).filter(|&at| at != NOWHERE)
    }

    /// Returns the neighbours up to two links away: two before, one before, one after, two after.
    pub(super) fn around(&self, at: u32) -> [Option<u32>; 4] {
        let (previous, next) = (self.previous(at), self.next(at));
        let before = previous.and_then(|at| self.previous(at));
        let after = next.and_then(|at| self.next(at));
        [before, previous, next, after]
    }

    /// Makes two pages that follow each other neighbours if they are near enough; a page without
    /// the other loses its link on that side.
    fn connect(&mut self, earlier: Option<(u64, i64, u32)>, later: Option<(u64, i64, u32)>) {
        let near = match (earlier, later) {
            (Some(a), Some(b)) => a.0 == b.0 && a.1.abs_diff(b.1) <= MAX_GAP_MICROS,
            _ => false,
        };
        let link = |page: Option<(u64, i64, u32)>| page.filter(|_| near).map_or(NOWHERE, |p| p.2);
        if let Some(near) = earlier.and_then(|page| self.near.get_mut(page.2 as usize)) {
            near.1 = link(later);
        }
        if let Some(near) = later.and_then(|page| self.near.get_mut(page.2 as usize)) {
            near.0 = link(earlier);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000_000;

    fn links(pages: &[(&str, i64)]) -> Links {
        let mut links = Links::default();
        for &(session, minute) in pages {
            links.push(session, minute * MINUTE);
        }
        links
    }

    #[test]
    fn neighbours_are_of_one_session_and_at_most_thirty_minutes_apart() {
        let links = links(&[("a", 0), ("b", 1), ("a", 30), ("a", 61), ("b", 2)]);
        assert_eq!((links.previous(2), links.next(0)), (Some(0), Some(2)));
        assert_eq!((links.next(2), links.previous(3)), (None, None));
        assert_eq!((links.next(1), links.previous(4)), (Some(4), Some(1)));
    }

    #[test]
    fn a_page_to_come_knows_what_it_would_follow() {
        let mut links = links(&[("a", 0), ("b", 1), ("a", 30)]);
        for (session, minute, follows) in [
            ("a", 30, Some(2)),
            ("a", 29, Some(0)),
            ("a", 61, None),
            ("b", 0, None),
            ("c", 1, None),
        ] {
            assert_eq!(links.before(session, minute * MINUTE), follows, "{session} {minute}");
        }
        links.push("a", 40 * MINUTE);
        assert_eq!(links.previous(3), Some(2));
    }

    #[test]
    fn a_page_of_an_earlier_time_comes_between_and_can_join_what_was_apart() {
        let links = links(&[("a", 0), ("a", 10), ("a", 5), ("a", 60), ("a", 35)]);
        let chain = [0, 2, 1, 4, 3];
        for pair in chain.windows(2) {
            assert_eq!(links.next(pair[0]), Some(pair[1]));
            assert_eq!(links.previous(pair[1]), Some(pair[0]));
        }
        assert_eq!(links.around(1), [Some(0), Some(2), Some(4), Some(3)]);
    }

    #[test]
    fn what_is_left_after_a_removal_is_as_if_the_page_had_never_been() {
        let mut links = links(&[("a", 0), ("a", 20), ("a", 40), ("a", 50)]);
        links.remove(1);
        assert_eq!((links.next(0), links.previous(2)), (None, None));
        assert_eq!(links.around(1), [None; 4]);
        links.remove(2);
        assert_eq!((links.next(0), links.previous(3)), (None, None));
        let mut near = links_of_three();
        near.remove(1);
        assert_eq!((near.next(0), near.previous(2)), (Some(2), Some(0)));
    }

    fn links_of_three() -> Links {
        links(&[("a", 0), ("a", 10), ("a", 20)])
    }
}
