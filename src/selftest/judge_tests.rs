use serde_json::json;

use super::*;

fn page(n: usize) -> Value {
    json!({"user_input": format!("asks {n}"), "agent_response": format!("says {n}")})
}

/// A judge of three pages.
fn judge() -> Judge {
    let mut judge = Judge::default();
    judge.send(3);
    for n in 0..3 {
        let reply = json!({"status": "success", "memory_id": format!("id-{n}")});
        assert!(judge.note(&reply, &page(n)));
    }
    judge
}

/// What a server answers that has all three pages, and says `notices`.
fn answers(notices: &[&str], n_pages: usize) -> BTreeMap<usize, Outcome> {
    let found = |n: usize| {
        let mut page = page(n);
        page["memory_id"] = json!(format!("id-{n}"));
        (n, Ok(json!({"retrieved_pages": [page]})))
    };
    let mut answers: BTreeMap<usize, Outcome> = (0..3).map(found).collect();
    let info = json!({"notices": notices, "memory_stats": {"total_pages": n_pages}});
    answers.insert(3, Ok(info));
    answers
}

fn unknown() -> Outcome {
    Err("memory_id x is not known, expected one from an earlier reply".to_owned())
}

fn counts(verdict: &Verdict) -> (usize, usize, bool) {
    (verdict.lost, verdict.named, verdict.faults.is_empty())
}

#[test]
fn a_server_that_gives_everything_back_is_found_good() {
    let verdict = judge().verdict(&answers(&[], 3), Allowed::Nothing);
    assert_eq!(verdict, Verdict { loaded: true, ..Verdict::default() });
}

#[test]
fn a_missing_page_is_lost() {
    let mut replies = answers(&[], 2);
    replies.insert(1, unknown());
    let verdict = judge().verdict(&replies, Allowed::Nothing);
    assert_eq!(counts(&verdict), (1, 0, false), "{verdict:?}");
    replies.remove(&1);
    let verdict = judge().verdict(&replies, Allowed::Nothing);
    assert_eq!(counts(&verdict), (1, 0, false), "{verdict:?}");
}

#[test]
fn a_page_with_another_text_is_lost() {
    for name in ["user_input", "agent_response", "memory_id"] {
        let mut replies = answers(&[], 3);
        let mut page = page(1);
        page["memory_id"] = json!("id-1");
        page[name] = json!("forged");
        replies.insert(1, Ok(json!({"retrieved_pages": [page]})));
        let verdict = judge().verdict(&replies, Allowed::NamedAfter(0));
        assert_eq!(counts(&verdict), (1, 0, false), "{name}: {verdict:?}");
    }
}

#[test]
fn a_page_may_be_missing_only_where_that_is_allowed_and_if_it_is_named() {
    let said = "1 pages are lost, in the order of adding these: 3.";
    let may_be = "at most 2 more pages, added last, may be lost.";
    let unreadable = "pages added after change 2, the last that the views show, are lost if any";
    let cases = [
        (said, Allowed::NamedAfter(2), (0, 1, true)),
        (may_be, Allowed::NamedAfter(2), (0, 1, true)),
        (unreadable, Allowed::NamedAfter(2), (0, 1, true)),
        ("", Allowed::NamedAfter(2), (1, 0, false)),
        ("the memory was damaged", Allowed::NamedAfter(2), (1, 0, false)),
        (said, Allowed::NamedAfter(3), (1, 0, false)),
        (said, Allowed::Nothing, (1, 0, false)),
    ];
    for (notice, allowed, expected) in cases {
        let mut replies = answers(&[notice], 2);
        replies.insert(2, unknown());
        let verdict = judge().verdict(&replies, allowed);
        assert_eq!(counts(&verdict), expected, "{notice} {allowed:?}: {verdict:?}");
    }
}

#[test]
fn a_recovery_is_told_by_its_notice() {
    for (notice, recovered) in [("it was damaged and has been recovered: 3", true), ("", false)] {
        let verdict = judge().verdict(&answers(&[notice], 3), Allowed::Nothing);
        assert_eq!(verdict.recovered.is_some(), recovered, "{notice}");
    }
}

#[test]
fn more_pages_missing_than_named_are_lost_in_silence() {
    let mut replies = answers(&["1 pages are lost, in the order of adding these: 3."], 1);
    replies.insert(1, unknown());
    replies.insert(2, unknown());
    let verdict = judge().verdict(&replies, Allowed::NamedAfter(0));
    assert_eq!(counts(&verdict), (2, 0, false), "{verdict:?}");
}

#[test]
fn a_folder_that_is_not_served_is_told_apart_from_lost_pages() {
    for said in [Some(Err("cannot open".to_owned())), None] {
        let mut replies = answers(&[], 3);
        replies.remove(&3);
        replies.extend(said.map(|said| (3, said)));
        let verdict = judge().verdict(&replies, Allowed::Nothing);
        assert!(!verdict.loaded && !verdict.faults.is_empty(), "{verdict:?}");
    }
}

#[test]
fn a_server_that_counts_too_many_or_too_few_pages_is_found_out() {
    for (n_pages, good) in [(2, false), (3, true), (4, false)] {
        let verdict = judge().verdict(&answers(&[], n_pages), Allowed::Nothing);
        assert_eq!(verdict.faults.is_empty(), good, "{n_pages}: {verdict:?}");
    }
}

#[test]
fn only_a_success_with_an_id_is_a_promise() {
    let mut judge = judge();
    for reply in [json!({"status": "success"}), json!({"memory_id": "x"}), json!(null)] {
        assert!(!judge.note(&reply, &page(9)), "{reply}");
    }
    assert_eq!(judge.len(), 3);
}
