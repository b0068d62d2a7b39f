//! `memoryos doctor`: what it says of settings, places, processes and the model, and that it changes
//! nothing.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::SystemTime;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::damage::stored;
use crate::said::{about, page};
use crate::support::model::{ModelServer, Reply};
use crate::support::{Setup, names, outcome, put, sql};

/// What the doctor said, and how it ended.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) json: Value,
}

impl Said {
    /// Returns the checks that are a warning or a problem.
    pub(crate) fn wrong(&self) -> Vec<&Value> {
        let checks = self.json["checks"].as_array().unwrap().iter();
        checks.filter(|c| c["status"] == "warning" || c["status"] == "problem").collect()
    }

    /// Demands a finding of this check and status whose text and action have these words.
    pub(crate) fn demand(&self, (id, status): (&str, &str), words: &[&str]) {
        let checks = self.json["checks"].as_array().unwrap().iter();
        let is_it = |check: &&Value| {
            let text = format!("{} {}", check["message"], check["action"]);
            check["id"] == id && check["status"] == status && words.iter().all(|w| text.contains(w))
        };
        let found = checks.filter(is_it).count();
        assert_eq!(found, 1, "{id} {status} {words:?}: {:#}", self.json);
    }
}

/// A doctor in a folder of its own, without any setting.
pub(crate) fn doctor(folder: &Path, args: &[&str], vars: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_memoryos"));
    command.env_clear().current_dir(folder).stdin(Stdio::null());
    command.arg("doctor").args(args).envs(vars.iter().copied()).output().unwrap()
}

/// Runs the doctor with `--json`.
pub(crate) fn said(folder: &Path, args: &[&str], vars: &[(&str, &str)]) -> Said {
    let args: Vec<&str> = args.iter().copied().chain(["--json"]).collect();
    read(doctor(folder, &args, vars))
}

/// Runs a copy of the program as another account.
#[cfg(unix)]
pub(crate) fn doctor_as(uid: u32, program: &Path, folder: &Path, vars: &[(&str, &str)]) -> Said {
    use std::os::unix::process::CommandExt as _;
    let mut command = Command::new(program);
    command.env_clear().current_dir(folder).stdin(Stdio::null()).uid(uid).gid(uid);
    read(command.args(["doctor", "--json"]).envs(vars.iter().copied()).output().unwrap())
}

fn read(output: Output) -> Said {
    let text = String::from_utf8(output.stdout).unwrap();
    let json = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"));
    let said = Said { code: output.status.code(), json };
    let has_problem = said.json["status"] == "problem";
    assert_eq!(said.code, Some(i32::from(has_problem)), "{:#}", said.json);
    said
}

/// Examines a user.
pub(crate) fn said_of(setup: &Setup) -> Said {
    let data = setup.data.to_str().unwrap();
    said(&setup.data, &[], &[("MEMORYOS_DATA_PATH", data), ("MEMORYOS_USER_ID", &setup.user)])
}

/// Everything that stays in a folder and below: names, bytes, and when each was written.
pub(crate) fn picture(folder: &Path) -> BTreeMap<PathBuf, (Vec<u8>, Option<SystemTime>)> {
    let mut files = BTreeMap::new();
    for name in names(folder) {
        let path = folder.join(&name);
        let Ok(meta) = fs::symlink_metadata(&path) else { continue };
        if meta.is_dir() {
            files.extend(picture(&path));
        }
        let bytes = if meta.is_file() { fs::read(&path).unwrap_or_default() } else { Vec::new() };
        files.insert(path, (bytes, meta.modified().ok()));
    }
    files
}

#[test]
fn of_a_healthy_memory_everything_is_ok_and_nothing_is_touched() {
    let data = TempDir::new().unwrap();
    let (setup, _) = stored(&data);
    let before = picture(&setup.data);
    let said = said_of(&setup);
    assert_eq!(said.json["status"], "ok", "{:#}", said.json);
    for check in said.json["checks"].as_array().unwrap() {
        assert_eq!(check["status"], "ok", "{check}");
    }
    let data = setup.data.to_str().unwrap();
    let vars = [("MEMORYOS_DATA_PATH", data), ("MEMORYOS_USER_ID", "ada")];
    let output = doctor(&setup.data, &[], &vars);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("Settings\n  ok    MEMORYOS_USER_ID = ada"), "{text}");
    assert!(text.ends_with("\nAll is well.\n"), "{text}");
    assert!(picture(&setup.data) == before, "something was touched");
}

#[test]
fn the_json_has_one_shape() {
    let data = TempDir::new().unwrap();
    let (setup, _) = stored(&data);
    put(&setup.file("notes.txt"), "mine");
    let said = said_of(&setup);
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&said.json), ["status", "version", "checks"]);
    assert_eq!(said.json["version"], env!("CARGO_PKG_VERSION"));
    let checks = said.json["checks"].as_array().unwrap();
    let ids: Vec<&str> = checks.iter().map(|check| check["id"].as_str().unwrap()).collect();
    let expected = [
        "settings.given",
        "settings.values",
        "settings.user",
        "data.folder",
        "data.place",
        "data.space",
        "data.git",
        "data.default_user",
        "data.left",
        "folder.place",
        "folder.links",
        "folder.account",
        "folder.modes",
        "folder.names",
        "folder.set_aside",
        "folder.waiting",
        "folder.left",
        "folder.unfinished",
        "locks.open",
        "locks.write",
        "files.wal",
        "files.database",
        "files.mark",
        "files.format",
        "files.owner",
        "files.structure",
        "files.pages",
        "files.gaps",
        "files.segments",
        "files.facts",
        "files.log",
        "files.erasing",
        "files.origin",
        "files.views",
        "files.derived",
        "model.answer",
    ];
    assert_eq!(ids, expected);
    said.demand(("folder.names", "warning"), &["notes.txt"]);
    for check in checks {
        let mut expected = vec!["id", "status", "message"];
        expected.extend((check["status"] != "ok").then_some("action"));
        assert_eq!(keys(check), expected);
    }
}

#[test]
fn beside_a_writing_server_nothing_looks_damaged_and_no_add_fails() {
    let data = TempDir::new().unwrap();
    let (setup, mut judge) = stored(&data);
    let mut server = setup.start();
    server.info();
    let texts: Vec<String> = (100..300).map(about).collect();
    let ids: Vec<u64> =
        texts.iter().map(|text| server.ask_tool("add_memory", &page(text))).collect();
    for _ in 0..4 {
        let said = said_of(&setup);
        assert_eq!(said.wrong(), Vec::<&Value>::new());
        let pid = server.pid().to_string();
        said.demand(("locks.open", "ok"), &[&pid]);
    }
    for (id, text) in ids.iter().zip(&texts) {
        let reply = server.line().unwrap();
        assert_eq!(reply["id"], *id);
        judge.note(&outcome(&reply).unwrap(), text, "Noted.");
    }
    server.views_are_written(&setup);
    let said = demand_nothing_touched(&setup);
    assert_eq!(said.json["status"], "ok", "{:#}", said.json);
    server.close();
    judge.demand_all(&setup);
}

/// Examines a user who is served. The server keeps house by itself, so a look must be found during
/// which it does nothing.
fn demand_nothing_touched(setup: &Setup) -> Said {
    for _ in 0..50 {
        let before = picture(&setup.data);
        let said = said_of(setup);
        if picture(&setup.data) == before {
            return said;
        }
    }
    panic!("something is touched each time");
}

#[test]
fn damage_under_a_running_server_is_told_and_nothing_is_touched() {
    let data = TempDir::new().unwrap();
    let (setup, _) = stored(&data);
    let mut server = setup.start();
    server.tool("add_memory", &page(&about(1))).unwrap();
    server.views_are_written(&setup);
    sql(&setup.file("memory.db"), "UPDATE texts SET user_input = 'forged' WHERE slot = 5");
    let said = demand_nothing_touched(&setup);
    said.demand(("files.pages", "problem"), &["1 of 26 memories", "page 5"]);
    assert_eq!(said.wrong().len(), 1, "{:#}", said.json);
    server.info();
}

#[test]
fn what_is_wrong_with_the_settings_is_a_finding() {
    type Case<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)], (&'a str, &'a str), &'a [&'a str]);
    let cases: [Case<'_>; 9] = [
        (&["--user-id", "a/b"], &[], ("settings.values", "problem"), &["'/'", "correct it"]),
        (
            &[],
            &[("MEMORYOS_LOG", "loud")],
            ("settings.values", "problem"),
            &["MEMORYOS_LOG is \\\"loud\\\"", "correct it"],
        ),
        (
            &["--config", "none.json"],
            &[],
            ("settings.values", "problem"),
            &["cannot read the config file none.json"],
        ),
        (&["--config", "odd.json"], &[], ("settings.values", "problem"), &["usr_id", "user_id"]),
        (
            &[],
            &[("MEMORYOS_USERID", "ada")],
            ("settings.variables", "warning"),
            &["did you mean MEMORYOS_USER_ID?", "rename or remove"],
        ),
        (
            &[],
            &[("OPENAI_API_KEY", "sk-hidden"), ("MEMORYOS_LLM", "off")],
            ("settings.model", "warning"),
            &["OPENAI_API_KEY is set", "remove MEMORYOS_LLM"],
        ),
        (&[], &[("MEMORYOS_LLM", "on")], ("settings.warnings", "warning"), &["neither", "README"]),
        (
            &["--config", "good.json", "--user-id", "ada"],
            &[("MEMORYOS_LOG", "info")],
            ("settings.given", "ok"),
            &["--user-id = ada", "MEMORYOS_LOG = info", "llm in good.json = off"],
        ),
        (&[], &[], ("settings.user", "ok"), &["makes up an id"]),
    ];
    let folder = TempDir::new().unwrap();
    put(&folder.path().join("odd.json"), r#"{"usr_id": "ada"}"#);
    put(&folder.path().join("good.json"), r#"{"llm": "off", "openai_api_key": "sk-hidden"}"#);
    for (args, vars, finding, words) in cases {
        let said = said(folder.path(), args, vars);
        said.demand(finding, words);
        assert!(!said.json.to_string().contains("sk-hidden"), "{:#}", said.json);
    }
    assert_eq!(names(folder.path()), ["good.json", "odd.json"], "nothing is made");
    let wrong = doctor(folder.path(), &["--nonsense"], &[]);
    assert_eq!((wrong.status.code(), wrong.stdout.len()), (Some(2), 0));
}

#[test]
fn what_is_wrong_with_the_data_directory_is_a_finding() {
    type Case<'a> = (&'a str, fn(&Path), (&'a str, &'a str), &'a [&'a str]);
    let cases: [Case<'_>; 9] = [
        ("new", |_| (), ("data.folder", "ok"), &["will be made"]),
        ("file", |at| put(at, ""), ("data.folder", "problem"), &["is not a folder", "set MEMORY"]),
        (
            "Dropbox/data",
            |at| fs::create_dir_all(at).unwrap(),
            ("data.place", "warning"),
            &["synced folder", "to a local disk"],
        ),
        (
            "in_git",
            |at| fs::create_dir_all(at.join(".git")).unwrap(),
            ("data.git", "warning"),
            &["may be committed", ".gitignore"],
        ),
        (
            "bad_id",
            |at| {
                fs::create_dir(at).unwrap();
                put(&at.join("default_user"), "../x");
            },
            ("data.default_user", "problem"),
            &["does not hold a user id", "set MEMORYOS_USER_ID"],
        ),
        (
            "left",
            |at| {
                fs::create_dir(at).unwrap();
                put(&at.join(".default_user.Xy1"), "");
            },
            ("data.left", "warning"),
            &[".default_user.Xy1", "delete it"],
        ),
        (
            "remembered",
            |at| {
                fs::create_dir(at).unwrap();
                put(&at.join("default_user"), "user_1234abcd\n");
            },
            ("settings.user", "ok"),
            &["user_1234abcd", "remembered"],
        ),
        (
            "a\u{1b}[31m\nb",
            |at| fs::create_dir(at).unwrap(),
            ("data.folder", "ok"),
            &["a\\\\u{1b}[31m\\\\nb"],
        ),
        ("not_made", |at| fs::create_dir(at).unwrap(), ("data.folder", "ok"), &["can be written"]),
    ];
    for (name, fill, finding, words) in cases {
        let folder = TempDir::new().unwrap();
        let at = folder.path().join(name);
        fill(&at);
        let before = picture(folder.path());
        let said = said(folder.path(), &["--data-path", at.to_str().unwrap()], &[]);
        said.demand(finding, words);
        assert!(picture(folder.path()) == before, "{name}: something was touched");
    }
}

#[test]
fn a_user_who_does_not_exist_is_no_problem_and_is_not_made() {
    let data = TempDir::new().unwrap();
    let (setup, _) = stored(&data);
    let before = picture(&setup.data);
    let said = said_of(&Setup::new(&setup.data, "bob"));
    said.demand(("folder.place", "ok"), &["will be created at the first start"]);
    assert_eq!(said.json["status"], "ok");
    assert!(picture(&setup.data) == before);
}

#[test]
fn the_model_is_asked_once_and_what_it_says_is_told_without_the_key() {
    let cases = [
        (Reply::json(&json!({"ok": true})), ("model.answer", "ok"), "answers"),
        (Reply::status(401, "sk-hidden Quetzal"), ("model.answer", "problem"), "OPENAI_API_KEY"),
        (Reply::status(404, "{}"), ("model.answer", "problem"), "MEMORYOS_LLM_MODEL"),
        (Reply::content("no JSON"), ("model.answer", "warning"), "another model"),
    ];
    let folder = TempDir::new().unwrap();
    let ask = |base_url: &str| {
        let vars = [("OPENAI_BASE_URL", base_url), ("OPENAI_API_KEY", "sk-hidden")];
        let said = said(folder.path(), &[], &vars);
        let text = said.json.to_string();
        assert!(!text.contains("sk-hidden") && !text.contains("Quetzal"), "{text}");
        said
    };
    for (reply, finding, words) in cases {
        let server = ModelServer::start([reply]);
        let said = ask(&server.base_url());
        said.demand(finding, &["gpt-4o-mini at 127.0.0.1:", words]);
        assert_eq!(server.calls().len(), 1);
    }
    ask("http://127.0.0.1:1/v1")
        .demand(("model.answer", "problem"), &["cannot be reached", "start the model's"]);
    let none = said(folder.path(), &[], &[]);
    none.demand(("model.answer", "ok"), &["nothing leaves this machine"]);
}

#[test]
fn no_user_reaches_another_and_the_real_folders_are_only_looked_at() {
    let data = TempDir::new().unwrap();
    let (setup, _) = stored(&data);
    let before = picture(&setup.data);
    let at = setup.data.to_str().unwrap();
    let vars = [("MEMORYOS_DATA_PATH", at), ("MEMORYOS_USER_ID", "ada")];
    let isolated = said(&setup.data, &["--isolation"], &vars);
    isolated.demand(("isolation.users", "ok"), &["attempts", "none succeeded"]);
    isolated.demand(("isolation.folders", "ok"), &["1 users"]);
    assert!(picture(&setup.data) == before, "something was touched");
    // A folder under another's name, and one that is open to others.
    let taken = setup.data.join("bob");
    crate::support::copy_tree(&setup.folder(), &taken);
    let isolated = said(&setup.data, &["--isolation"], &vars);
    isolated.demand(("isolation.folders", "problem"), &["bob belongs to user", "ada", "owner"]);
    #[cfg(unix)]
    isolated.demand(("isolation.folders", "problem"), &["other accounts", "bob", "chmod 700"]);
}
