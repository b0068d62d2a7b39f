use serde_json::{Map, json};

use super::*;
use crate::engine::SegmentBrief;
use crate::engine::fake;
use crate::memory::page::{NewPage, Texts};
use crate::time::Timestamp;

/// A small generator of repeatable numbers (xorshift).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % n
    }

    fn text(&mut self, max: usize) -> String {
        let alphabets = [
            "abc de. fgh? ij\n",
            "\u{0}\u{1}\u{1f}\"\\\n\t",
            "\u{1f600}\u{e9}\u{4e2d}\u{6587} \u{202e}",
        ];
        let alphabet: Vec<char> = alphabets[self.roll(3)].chars().collect();
        let len = self.roll(max + 1);
        (0..len).map(|_| alphabet[self.roll(alphabet.len())]).collect()
    }

    fn page(&mut self, max: usize) -> Page {
        let mut meta_data = Map::new();
        if self.roll(3) == 0 {
            meta_data.insert(self.text(40), json!(self.text(max.min(3000))));
        }
        let texts = Texts { user_input: self.text(max), agent_response: self.text(max) };
        let mut page = fake::page(1, new_page(texts));
        page.new.meta_data = meta_data;
        page.chain_summary = self.text(300);
        page
    }
}

fn time() -> Timestamp {
    Timestamp::parse("2026-05-01T09:30:00Z").unwrap()
}

fn new_page(texts: Texts) -> NewPage {
    let (timestamp, session) = (time(), "s".to_owned());
    NewPage { texts, timestamp, timestamp_given: false, meta_data: Map::new(), session }
}

fn plain(text: &str) -> Page {
    fake::page(1, new_page(Texts { user_input: text.to_owned(), agent_response: "yes".to_owned() }))
}

fn recalled(short_term: Vec<Page>, found: Vec<Page>) -> Recalled {
    Recalled {
        profile: None,
        short_term,
        found: found.into_iter().map(fake::found_page).collect(),
        user_knowledge: Vec::new(),
        assistant_knowledge: Vec::new(),
        notices: Vec::new(),
    }
}

#[test]
fn no_reply_is_ever_longer_than_asked() {
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    for round in 0..25 {
        let max_text = [20, 400, 3_000, 6_000][round % 4];
        let max_chars = [2_000, 2_500, 5_000, 24_000, 200_000][dice.roll(5)];
        let list = |dice: &mut Dice, n| (0..n).map(|_| dice.page(max_text)).collect::<Vec<_>>();
        let n_found = dice.roll(12);
        let mut all = recalled(list(&mut dice, 4), list(&mut dice, n_found));
        for found in &mut all.found {
            found.segment = Some(SegmentBrief { id: 7, keywords: vec![dice.text(30); 8] });
        }
        let entry = |dice: &mut Dice| fake::fact(&dice.text(400));
        all.user_knowledge = (0..20).map(|_| entry(&mut dice)).collect();
        all.assistant_knowledge = (0..20).map(|_| entry(&mut dice)).collect();
        all.profile = Some(dice.text(5_000));
        all.notices = vec![dice.text(600), dice.text(100)];
        let query = dice.text(2_000);
        let reply = recall(&query, all.clone(), time().to_string(), max_chars);
        let len = json_chars(&reply);
        assert!(len <= max_chars, "{len} of {max_chars} in round {round}");
        let complete = reply.retrieved_pages.len() == n_found && reply.short_term_memory.len() == 4;
        assert!(reply.truncated || complete);

        let mut whole = fake::found_page(dice.page(max_text));
        whole.segment = Some(SegmentBrief { id: 7, keywords: vec![dice.text(30); 8] });
        assert_eq!(read_in_parts(&whole, max_chars), texts(&whole), "round {round}");
    }
}

fn texts(found: &Found) -> (String, String) {
    let texts = &found.page.new.texts;
    (texts.user_input.clone(), texts.agent_response.clone())
}

/// Follows `next_offset` from the first part to the last.
fn read_in_parts(found: &Found, max_chars: usize) -> (String, String) {
    let (mut user, mut answer) = (String::new(), String::new());
    let mut offset = Some(0);
    while let Some(from) = offset {
        let reply = page(found.clone(), from, time().to_string(), max_chars).unwrap();
        assert!(json_chars(&reply) <= max_chars);
        let shown = &reply.retrieved_pages[0];
        user.push_str(&shown.user_input);
        answer.push_str(&shown.agent_response);
        assert!(reply.next_offset.is_none_or(|next| next > from));
        let lacks = lacks_something(shown, found);
        assert_eq!(reply.truncated, reply.next_offset.is_some() || lacks);
        assert!(shown.cut || !lacks);
        offset = reply.next_offset;
    }
    (user, answer)
}

/// Whether anything beside the texts is missing.
fn lacks_something(shown: &PageView, found: &Found) -> bool {
    shown.meta_data != found.page.new.meta_data
        || shown.meta_info != found.page.chain_summary
        || shown.segment.is_some() != found.segment.is_some()
}

#[test]
fn a_single_memory_says_so_when_its_meta_data_is_left_out() {
    let mut whole = plain("short");
    whole.new.meta_data.insert("note".to_owned(), json!("n".repeat(3_000)));
    let whole = fake::found_page(whole);
    let reply = page(whole.clone(), 0, String::new(), 2_000).unwrap();
    let shown = &reply.retrieved_pages[0];
    assert_eq!((shown.user_input.as_str(), shown.meta_data.len()), ("short", 0));
    assert_eq!((shown.cut, reply.truncated, reply.next_offset), (true, true, None));

    let reply = page(whole, 0, String::new(), 24_000).unwrap();
    assert_eq!(reply.retrieved_pages[0].meta_data.len(), 1);
    assert_eq!((reply.retrieved_pages[0].cut, reply.truncated), (false, false));
}

#[test]
fn short_pages_are_shown_whole_and_in_order() {
    let found: Vec<Page> = (0..10).map(|i| plain(&format!("page {i}"))).collect();
    let reply = recall("q", recalled(vec![plain("a"), plain("b")], found), String::new(), 24_000);
    let shown: Vec<&str> = reply.retrieved_pages.iter().map(|p| p.user_input.as_str()).collect();
    let expected: Vec<String> = (0..10).map(|i| format!("page {i}")).collect();
    assert_eq!(shown, expected);
    assert_eq!(reply.short_term_memory[0].user_input, "a");
    assert!(!reply.truncated && reply.retrieved_pages.iter().all(|p| !p.cut));
}

#[test]
fn a_long_text_does_not_crowd_out_the_other_pages() {
    let long = format!("{} The zebra is here. {}", "x. ".repeat(7_000), "y. ".repeat(7_000));
    let found = vec![plain(&long), plain("second"), plain(&"z".repeat(3_000))];
    let reply = recall("where is the zebra", recalled(Vec::new(), found), String::new(), 10_000);
    assert_eq!(reply.retrieved_pages.len(), 3);
    let first = &reply.retrieved_pages[0];
    assert!(first.cut && first.user_input.contains("zebra"));
    assert!(first.user_input.chars().count() <= WINDOW_CHARS);
    assert!(!reply.retrieved_pages[2].cut, "what room is left shows a cut page whole");
    assert!(reply.truncated);
}

#[test]
fn unused_shares_go_to_the_ranked_pages() {
    let reply =
        recall("q", recalled(vec![], vec![plain(&"w".repeat(21_000))]), String::new(), 24_000);
    assert!(!reply.truncated && !reply.retrieved_pages[0].cut);
}

#[test]
fn the_newest_pages_of_short_term_memory_are_kept() {
    let pages = (0..10).map(|i| plain(&format!("{i} {}", "s".repeat(1_000)))).collect();
    let reply = recall("q", recalled(pages, Vec::new()), String::new(), 12_000);
    let shown: Vec<char> =
        reply.short_term_memory.iter().filter_map(|p| p.user_input.chars().next()).collect();
    assert_eq!(shown, ['8', '9']);
    assert_eq!((reply.short_term_count, reply.truncated), (10, true));
}

#[test]
fn an_offset_beyond_the_end_is_refused() {
    let found = fake::found_page(plain("abc"));
    let error = page(found.clone(), 6, String::new(), 2_000).unwrap_err();
    assert_eq!(error, "offset is 6, but the memory has 6 characters, expected less");
    let part = page(found, 4, String::new(), 2_000).unwrap();
    assert_eq!(part.retrieved_pages[0].agent_response, "es");
}

#[test]
fn characters_are_counted_as_they_stand_in_the_json() {
    let texts = ["", "plain", "\"quoted\"\n", "\u{e9}\u{4e2d}\u{1f600}\u{301}", "\u{1}"];
    for text in texts {
        assert_eq!(json_chars(&text), serde_json::to_string(text).unwrap().chars().count());
    }
    assert_eq!(json_chars(&texts), serde_json::to_string(&texts).unwrap().chars().count());
}
