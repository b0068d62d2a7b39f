//! The JSON views: they restore what the database has lost, and a person's changes to them are kept.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::damage::stored;
use crate::support::{
    Judge, Server, Setup, copy_tree, exchange, flip, names_with, put, rename, truncate,
};

const VIEWS: [&str; 3] = ["short_term_memory.json", "mid_term_memory.json", "user_profile.json"];

/// What is done to a view.
type Change<'a> = &'a dyn Fn(&Path);

fn json_of(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// Forgets the database and everything that is derived from it: only the views are left.
fn leave_views_only(setup: &Setup) {
    for name in names_with(&setup.folder(), "memory.db") {
        fs::remove_file(setup.file(&name)).unwrap();
    }
    fs::remove_dir_all(setup.file("embeddings")).unwrap();
}

/// What is the same whenever it is asked: every page whole, with its segment.
fn all_pages(server: &mut Server, ids: &[String]) -> Vec<Value> {
    let page = |id: &String| ("retrieve_memory", json!({"memory_id": id}));
    let replies = server.tools(&ids.iter().map(page).collect::<Vec<_>>());
    replies.into_iter().map(|reply| reply.unwrap()["retrieved_pages"][0].clone()).collect()
}

/// What the mid-term view says, without the fields that name the database it was written from.
fn segments(setup: &Setup) -> Value {
    json_of(&setup.file("mid_term_memory.json"))["segments"].clone()
}

#[test]
fn views_that_are_ahead_of_the_database_give_its_pages_back() {
    let data = TempDir::new().unwrap();
    let (setup, mut judge) = stored(&data);
    let old = fs::read(setup.file("memory.db")).unwrap();
    let mut server = setup.start();
    judge.add(&mut server, 13);
    server.close();
    put(&setup.file("memory.db"), &old);
    let verdict = judge.demand_all(&setup);
    assert!(verdict.notices.contains("shows change"), "{}", verdict.notices);
    assert_eq!(judge.demand_all(&setup).notices, verdict.notices);
}

#[test]
fn the_views_alone_restore_a_whole_user() {
    let data = TempDir::new().unwrap();
    let setup = Setup::new(data.path(), "ada");
    let mut server = setup.start();
    let mut ids = Vec::new();
    for n in 0..25 {
        let (user_input, agent_response) = exchange(n);
        let page = json!({
            "user_input": user_input, "agent_response": agent_response,
            "timestamp": format!("2026-05-{:02}T09:30:00+05:30", n + 1),
            "meta_data": {"session_id": format!("s{}", n % 2), "deep": [{"n": n}]},
        });
        let reply = server.tool("add_memory", &page).unwrap();
        ids.push(reply["memory_id"].as_str().unwrap().to_owned());
    }
    server.tool("retrieve_memory", &json!({"query": "the boat and its sails"})).unwrap();
    server.close();
    let twin = TempDir::new().unwrap();
    copy_tree(&setup.folder(), &twin.path().join("ada"));
    let mut before = Setup::new(twin.path(), "ada").start();
    let view_before = segments(&setup);
    leave_views_only(&setup);
    let mut after = setup.start();
    assert_eq!(all_pages(&mut after, &ids), all_pages(&mut before, &ids));
    let next = json!({
        "user_input": "And the sails again?", "agent_response": "They are mended.",
        "timestamp": "2026-05-26T09:30:00+05:30", "meta_data": {"session_id": "s0"},
    });
    for server in [&mut before, &mut after] {
        let reply = server.tool("add_memory", &next).unwrap();
        assert_eq!(reply["details"]["total_pages"], 26);
        ids.push(reply["memory_id"].as_str().unwrap().to_owned());
    }
    let told = |server: &mut Server, id: &String| {
        let page = all_pages(server, std::slice::from_ref(id)).remove(0);
        (page["meta_info"].clone(), page["timestamp"].clone())
    };
    let (expected, restored) = (told(&mut before, &ids[25]), told(&mut after, &ids[26]));
    assert_eq!(restored, expected, "the conversation goes on");
    assert_ne!(restored.0, "", "it continues the session");
    let stats = |server: &mut Server| {
        let stats = &server.info()["memory_stats"];
        ["total_pages", "mid_term_pages", "mid_term_segments"].map(|n| stats[n].clone())
    };
    assert_eq!(stats(&mut after), stats(&mut before));
    after.close();
    before.close();
    assert!(view_before.as_array().unwrap().len() > 1, "{view_before}");
    let topics = |value: &Value| -> Vec<(Value, Value)> {
        let segments = value.as_array().unwrap().iter();
        segments.map(|s| (s["segment_id"].clone(), s["created"].clone())).collect()
    };
    assert_eq!(topics(&segments(&setup)), topics(&view_before));
    assert_eq!(segments(&setup), segments(&Setup::new(twin.path(), "ada")), "nothing is left out");
}

#[test]
fn a_view_that_was_damaged_or_edited_is_kept_told_and_written_anew() {
    let edit = |path: &Path| {
        let text = fs::read_to_string(path).unwrap();
        put(path, text.replace("\"user_id\": \"ada\"", "\"user_id\": \"Ada\""));
    };
    let changes: [(&str, Change<'_>); 5] = [
        ("truncated", &|path| truncate(path, 0.6)),
        ("cut at its end", &|path| truncate(path, 0.995)),
        ("flipped", &|path| flip(path, 0.5)),
        ("flipped at its end", &|path| flip(path, 0.99)),
        ("edited", &edit),
    ];
    for name in VIEWS {
        let data = TempDir::new().unwrap();
        let (setup, judge) = stored(&data);
        let mut kept = Vec::new();
        for (how, change) in &changes {
            change(&setup.file(name));
            let changed = fs::read(setup.file(name)).unwrap();
            judge.demand_all(&setup);
            kept.push(changed);
            let there = names_with(&setup.folder(), &format!("{name}.edited-"));
            let mut found: Vec<Vec<u8>> =
                there.iter().map(|n| fs::read(setup.file(n)).unwrap()).collect();
            found.sort();
            kept.sort();
            assert!(found == kept, "{name} {how}: {there:?}");
            let view = json_of(&setup.file(name));
            assert_eq!(view["user_id"], "ada", "{name} {how}");
            let notices = judge.demand_all(&setup).notices;
            for name in there {
                assert!(notices.contains(&format!("{name} is a view")), "{notices}");
            }
        }
        leave_views_only(&setup);
        judge.demand_all(&setup);
    }
}

#[test]
fn a_view_that_lost_its_mark_still_restores_its_pages() {
    let data = TempDir::new().unwrap();
    let (setup, judge) = stored(&data);
    let path = setup.file(VIEWS[0]);
    let text = fs::read_to_string(&path).unwrap();
    put(&path, text.replacen("memoryos/", "memoryOs/", 1));
    leave_views_only(&setup);
    judge.demand_all(&setup);
}

#[test]
fn a_view_that_is_changed_under_a_running_server_is_kept() {
    let data = TempDir::new().unwrap();
    let (setup, mut judge) = stored(&data);
    let mut server = setup.start();
    judge.add(&mut server, 1);
    server.views_are_written(&setup);
    for name in VIEWS {
        truncate(&setup.file(name), 0.8);
    }
    judge.add(&mut server, 5);
    server.views_are_written(&setup);
    server.close();
    for name in VIEWS {
        assert_eq!(names_with(&setup.folder(), &format!("{name}.edited-")).len(), 1, "{name}");
    }
    judge.demand_all(&setup);
    leave_views_only(&setup);
    judge.demand_all(&setup);
}

#[test]
fn an_empty_view_is_written_anew() {
    for name in VIEWS {
        let data = TempDir::new().unwrap();
        let (setup, judge) = stored(&data);
        put(&setup.file(name), "");
        let verdict = judge.demand_all(&setup);
        assert!(verdict.notices.contains(name), "{name} is told of: {}", verdict.notices);
        assert_eq!(json_of(&setup.file(name))["user_id"], "ada");
        leave_views_only(&setup);
        judge.demand_all(&setup);
    }
}

#[test]
fn a_deleted_view_is_written_anew() {
    let data = TempDir::new().unwrap();
    let (setup, judge) = stored(&data);
    for name in VIEWS {
        fs::remove_file(setup.file(name)).unwrap();
    }
    assert_eq!(judge.demand_all(&setup).notices, "");
    leave_views_only(&setup);
    judge.demand_all(&setup);
}

#[test]
fn a_view_of_another_memory_is_never_overwritten() {
    let (data, elsewhere) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let (setup, judge) = stored(&data);
    let (other, mut others) = stored(&elsewhere);
    let mut server = other.start();
    others.add(&mut server, 1);
    server.close();
    for name in VIEWS {
        let bytes = fs::read(other.file(name)).unwrap();
        put(&setup.file(name), &bytes);
        judge.demand_all(&setup);
        let kept = names_with(&setup.folder(), &format!("{name}.other-"));
        assert_eq!(kept.len(), 1, "{name}");
        assert_eq!(fs::read(setup.file(&kept[0])).unwrap(), bytes, "{name}");
        assert!(judge.demand_all(&setup).notices.contains(&kept[0]));
    }
    let back = TempDir::new().unwrap();
    let setup_back = Setup::new(back.path(), "ada");
    fs::create_dir(setup_back.folder()).unwrap();
    for name in VIEWS {
        let kept = names_with(&setup.folder(), &format!("{name}.other-")).remove(0);
        rename(&setup.file(&kept), &setup_back.file(name));
    }
    others.demand_all(&setup_back);
}

#[test]
fn views_that_are_as_old_as_the_last_half_second_hold_all_pages() {
    let data = TempDir::new().unwrap();
    let setup = Setup::new(data.path(), "ada");
    let mut judge = Judge::default();
    let mut server = setup.start();
    for n in [1, 2, 5, 11, 1, 7] {
        judge.add(&mut server, n);
        server.views_are_written(&setup);
        let copy = TempDir::new().unwrap();
        let restored = Setup::new(copy.path(), "ada");
        fs::create_dir(restored.folder()).unwrap();
        for name in VIEWS {
            fs::copy(setup.file(name), restored.file(name)).unwrap();
        }
        judge.demand_all(&restored);
    }
}
