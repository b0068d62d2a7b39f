//! Copies of a folder, as `cp -r` makes them while a server is adding.

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::damage::stored;
use crate::support::{Judge, Setup, copy_tree, exchange, names_with, outcome, sql};

#[test]
fn a_copy_of_a_live_folder_has_every_page_acknowledged_before_it() {
    for round in 0..6 {
        let (data, backup) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        let setup = Setup::new(data.path(), "ada");
        let copy = Setup::new(backup.path(), "ada");
        let mut judge = Judge::default();
        let mut server = setup.start();
        judge.add(&mut server, 10 + round);
        server.views_are_written(&setup);
        judge.add(&mut server, 7);
        let texts: Vec<(String, String)> = (100..160).map(exchange).collect();
        let ask = |(user, agent): &(String, String)| {
            let page = json!({"user_input": user, "agent_response": agent});
            server.ask_tool("add_memory", &page)
        };
        let ids: Vec<u64> = texts.iter().map(ask).collect();
        copy_tree(&setup.folder(), &copy.folder());
        let mut copied = copy.start();
        let lost = judge.count_lost(&mut copied);
        assert_eq!(lost, 0, "round {round}: {}", copied.notices());
        copied.close();
        let mut all = judge.clone();
        for _ in &ids {
            let reply = server.line().unwrap();
            let at = ids.iter().position(|id| reply["id"] == *id).unwrap();
            all.note(&outcome(&reply).unwrap(), &texts[at].0, &texts[at].1);
        }
        server.close();
        all.demand_all(&setup);
    }
}

#[test]
fn pages_that_a_copy_lacks_come_back_from_its_views() {
    let (data, backup) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let (setup, judge) = stored(&data);
    let copy = Setup::new(backup.path(), "ada");
    copy_tree(&setup.folder(), &copy.folder());
    // As if the copy had been made of an older database: everything fits, only rows are missing.
    sql(
        &copy.file("memory.db"),
        "DELETE FROM texts WHERE slot > 20; DELETE FROM pages WHERE slot > 20;
         UPDATE sqlite_sequence SET seq = 20 WHERE name = 'pages';",
    );
    let verdict = judge.demand_all(&copy);
    assert!(verdict.notices.contains("a copy that lacks pages"), "{}", verdict.notices);
    assert_eq!(judge.demand_all(&copy).notices, verdict.notices);
    assert_eq!(judge.demand_all(&setup).notices, "", "the original is as it was");
}

#[test]
fn a_good_copy_is_served_as_it_is_and_goes_its_own_way() {
    let (data, backup) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let (setup, judge) = stored(&data);
    let copy = Setup::new(backup.path(), "ada");
    copy_tree(&setup.folder(), &copy.folder());
    let mut more = judge.clone();
    more.add(&mut copy.start(), 4);
    assert_eq!(more.demand_all(&copy).notices, "");
    assert_eq!(names_with(&copy.folder(), "memory.db"), ["memory.db"]);
    let notices: Value = judge.demand_all(&setup).info["notices"].clone();
    assert_eq!(notices, json!([]));
}
