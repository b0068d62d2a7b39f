//! Memory text is data: whatever is in it comes back as it was, and it becomes no line of the
//! protocol, no line of the log and no name of a file.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Server, Setup, names, names_with, put};

/// Texts that would do harm where they are taken for anything but text.
const TEXTS: [&str; 16] = [
    "nul \0 and \u{1}\u{2}\u{8}\u{b}\u{c}\u{e}\u{1f}\u{7f} controls",
    "\u{1b}[2J\u{1b}[31mred\u{1b}]0;title\u{7} and \u{9b}31m",
    "bidi \u{202e}txt.exe\u{202c} \u{2066}x\u{2069} \u{200f}\u{61c}",
    "lines\nof\r\nall\rkinds\u{85}and\u{2028}and\u{2029}\u{b}\u{c}end",
    "\u{feff}marks \u{fffe}\u{ffff}\u{10ffff}\u{e0001} and \u{fffd}",
    "written surrogates \\ud800 \\udc00 and \\u0000",
    "\n{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"ping\"}\n",
    "[{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"tools/call\",\"params\":{\"name\":\"forget_memory\"}}]",
    "{\n  \"format\": \"memoryos/short_term/1\",\n  \"seq\": 99999,\n  \"checksum\": \
     \"xxh3:0123456789abcdef\"\n}\n",
    "}], \"pages_without_segment\": [{\"merged\": 1, \"into\": 2}], \"x\": [{",
    "2026-05-01T09:30:00.000000Z ERROR memoryos: the disk is gone\nmemoryos: panicked",
    "../../../etc/passwd /etc/shadow C:\\Windows\\x NUL con.json .write memory.db-wal",
    "'; DROP TABLE pages; -- %s %n {} {0} ${HOME} $(id) `id` <script>alert(1)</script>",
    "My name is \u{1b}[31mBob\u{1b}[0m\u{202e}. I live in Oslo\u{2028}and I love \u{0}figs.",
    "Remember that \u{1b}]8;;http://x\u{7}my bike is {\"fact_id\":1,\"checksum\":\"x\"}.",
    "e\u{301}\u{301}\u{301} \u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467} \u{fb01}gs \u{130} \u{1e9e}",
];

/// Nested as deep as is allowed, numbers at their ends, and objects that look like ours.
fn meta_data(session: &str) -> Value {
    let mut deep = json!("\u{1b}[31m\u{2028}");
    for _ in 0..28 {
        deep = json!({"d\n\u{202e}": deep});
    }
    json!({
        "session_id": session,
        "": "", "\u{0}\u{1b}": [], "deep": [deep],
        "numbers": [1e308, 5e-324, -0.0, 0.1, u64::MAX, i64::MIN, 1.0, 123_456_789.123_456_79],
        "page": {"id": "x", "user_input": "y", "agent_response": "z", "checksum": "0"},
        "fact": {"fact_id": 1}, "merged": 1, "into": 2, "segment_id": 1, "pages": [{"merged": 1, "into": 2}],
        "checksum": "xxh3:0123456789abcdef", "format": "memoryos/short_term/1", "seq": 99_999,
        "user_id": "../eve", "path": "../../x",
    })
}

/// A page that was added, as it must come back.
struct Added {
    id: String,
    texts: (String, String),
    meta_data: Value,
}

fn add_all(server: &mut Server) -> Vec<Added> {
    let mut added = Vec::new();
    for (n, text) in TEXTS.into_iter().enumerate() {
        let texts = (text.to_owned(), format!("{n} {text}"));
        let meta_data = meta_data(if n % 2 == 0 { text } else { "../s" });
        let page = json!({
            "user_input": texts.0, "agent_response": texts.1, "meta_data": meta_data,
            "timestamp": format!("2026-05-01T09:{:02}:00Z", n),
        });
        let reply = server.tool("add_memory", &page).unwrap();
        added.push(Added { id: reply["memory_id"].as_str().unwrap().to_owned(), texts, meta_data });
    }
    added
}

fn demand(server: &mut Server, added: &[Added], when: &str) {
    for page in added {
        let wanted = json!({"memory_id": page.id, "max_chars": 200_000});
        let reply =
            server.tool("retrieve_memory", &wanted).unwrap_or_else(|e| panic!("{when}: {e}"));
        let found = &reply["retrieved_pages"][0];
        assert_eq!(found["user_input"], page.texts.0, "{when}");
        assert_eq!(found["agent_response"], page.texts.1, "{when}");
        assert_eq!(found["meta_data"], page.meta_data, "{when}");
    }
    let total = server.info()["memory_stats"]["total_pages"].clone();
    assert_eq!(total, added.len(), "{when}");
    // Every other reply that quotes texts is a line too.
    for text in TEXTS {
        server.tool("retrieve_memory", &json!({"query": text})).unwrap();
    }
    for tool in ["get_user_profile", "get_user_info"] {
        server.tool(tool, &json!({"include_assistant_knowledge": true})).unwrap();
    }
}

/// Forgets the database and everything that is derived from it: only the views are left.
fn leave_views_only(setup: &Setup) {
    for name in names_with(&setup.folder(), "memory.db") {
        fs::remove_file(setup.file(&name)).unwrap();
    }
    fs::remove_dir_all(setup.file("embeddings")).unwrap();
}

#[test]
fn hostile_text_comes_back_whole_and_names_no_file() {
    let data = TempDir::new().unwrap();
    let setup = Setup::new(data.path(), "ada");
    let mut server = setup.start();
    let added = add_all(&mut server);
    demand(&mut server, &added, "right away");
    server.views_are_written(&setup);
    server.kill();
    let mut server = setup.start();
    demand(&mut server, &added, "after a kill");
    server.close();
    let own: BTreeSet<String> = names(&setup.folder()).into_iter().collect();
    let usual = [
        ".lock",
        ".model",
        ".views",
        ".write",
        "embeddings",
        "memory.db",
        "memory.db-shm",
        "memory.db-wal",
        "mid_term_memory.json",
        "short_term_memory.json",
        "user_profile.json",
    ];
    let unusual: Vec<&String> = own.iter().filter(|n| !usual.contains(&n.as_str())).collect();
    assert!(unusual.is_empty(), "{unusual:?}");
    assert_eq!(names(data.path()), [".gitignore", "ada"]);
    for name in ["mid_term_memory.json", "short_term_memory.json", "user_profile.json"] {
        let view: Value = serde_json::from_slice(&fs::read(setup.file(name)).unwrap()).unwrap();
        assert_eq!(view["user_id"], "ada", "{name}");
    }
    leave_views_only(&setup);
    let mut server = setup.start();
    demand(&mut server, &added, "from the views alone");
    server.close();
    let mut server = setup.start();
    demand(&mut server, &added, "after a recovery");
    assert_eq!(server.close().0, Some(0));
}

/// Runs the program and returns what it wrote.
fn run(args: &[OsString], vars: &[(&str, OsString)], lines: &[String]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_memoryos"));
    command.env_clear().current_dir(std::env::temp_dir()).args(args);
    command.envs(vars.iter().map(|(name, value)| (name, value)));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = format!("{}\n", lines.join("\n"));
    let writer = std::thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

fn hides(c: char) -> bool {
    let is_mark = ('\u{200e}'..='\u{200f}').contains(&c)
        || ('\u{2028}'..='\u{202e}').contains(&c)
        || ('\u{2066}'..='\u{2069}').contains(&c)
        || matches!(c, '\u{61c}' | '\u{feff}');
    c.is_control() || is_mark
}

/// Demands that stderr shows all that it says, and that every line of it was begun by the program.
fn is_plain_log(output: &Output, what: &str) {
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    for line in said.lines() {
        assert!(!line.contains(hides), "{what}: {line:?}");
        let is_event = line.get(..24).is_some_and(|start| {
            start.starts_with("20") && start.contains('T') && start.contains(':')
        });
        assert!(is_event || line.starts_with("memoryos: "), "{what}: {line:?}");
    }
}

/// A session that adds and asks for all texts, also where they do not belong.
fn session() -> Vec<String> {
    let request = |id: Value, method: &str, params: Value| {
        json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}).to_string()
    };
    let tool = |id: Value, name: &str, arguments: Value| {
        request(id, "tools/call", json!({"name": name, "arguments": arguments}))
    };
    let client = json!({"protocolVersion": "2025-11-25", "capabilities": {},
        "clientInfo": {"name": "\u{1b}[31m\u{2028}", "version": "1"}});
    let mut lines = vec![request(json!(1), "initialize", client)];
    for (n, text) in TEXTS.into_iter().enumerate() {
        let page = json!({"user_input": text, "agent_response": n.to_string(), "meta_data": meta_data(text)});
        lines.push(tool(json!(format!("{n} {text}")), "add_memory", page));
        lines.push(tool(json!(text), "retrieve_memory", json!({"query": text})));
        lines.push(tool(json!(n), "create_user", json!({"user_id": text, "assistant_id": text})));
        lines.push(tool(json!(n), "retrieve_memory", json!({"memory_id": text})));
        lines.push(tool(json!(n), "add_memory", json!({"user_input": text, "timestamp": text})));
        lines.push(tool(json!(n), text, json!({text: text})));
        lines.push(request(json!(n), text, json!({text: text})));
        lines.push(json!({"jsonrpc": text, "id": text, "method": text}).to_string());
    }
    let ping = r#"{"jsonrpc":"2.0","id":7,"method":"ping","params":{"x":PUT}}"#;
    lines.extend(["\"\\ud800\"", "1e400", "\u{1b}", "\"\u{0}\""].map(|x| ping.replace("PUT", x)));
    lines.push(tool(json!(8), "get_user_profile", json!({})));
    lines.push(tool(json!(9), "get_user_info", json!({})));
    lines
}

#[test]
fn hostile_text_makes_no_line_of_the_protocol_and_none_of_the_log() {
    for log in ["off", "error", "warn", "info", "debug", "trace", "trace,rmcp=trace"] {
        let data = TempDir::new().unwrap();
        let vars = [
            ("MEMORYOS_DATA_PATH", data.path().into()),
            ("MEMORYOS_USER_ID", "ada".into()),
            ("MEMORYOS_SHORT_TERM_CAPACITY", "3".into()),
            ("MEMORYOS_LOG", log.into()),
        ];
        let lines = session();
        let output = run(&[], &vars, &lines);
        is_plain_log(&output, log);
        let said = String::from_utf8(output.stdout).unwrap();
        let replies: Vec<Value> = said
            .split_terminator('\n')
            .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line:?}")))
            .collect();
        assert_eq!(replies.len(), lines.len(), "{log}: each line is answered once");
        for text in TEXTS {
            let answers = replies.iter().filter(|reply| reply["id"] == text).count();
            assert_eq!(answers, 2, "{log}: {text:?}");
        }
        assert_eq!(output.status.code(), Some(0), "{log}");
    }
}

#[cfg(unix)]
#[test]
fn hostile_settings_and_paths_make_no_line_of_the_log() {
    let dir = TempDir::new().unwrap();
    let odd = "a\n2026-01-01T00:00:00Z ERROR b\u{1b}[31m\u{85}\u{2028}\u{202e}c";
    let path = dir.path().join(odd);
    fs::create_dir(&path).unwrap();
    put(&dir.path().join("file"), "{");
    let flag = |flag: &str, value: &str| -> Vec<OsString> { vec![flag.into(), value.into()] };
    let in_path = |name: &str| path.join(name).into_os_string();
    let cases: [(&str, Vec<OsString>); 12] = [
        ("a path that works", vec!["--data-path".into(), in_path("data")]),
        (
            "a path under a file",
            vec!["--data-path".into(), dir.path().join("file").join(odd).into()],
        ),
        ("a missing config file", vec!["--config".into(), in_path("none")]),
        ("an unknown flag", vec![format!("--{odd}").into()]),
        ("an unknown command", vec![odd.into()]),
        ("a user id", flag("--user-id", odd)),
        ("an assistant id", flag("--assistant-id", odd)),
        ("a number", flag("--short-term-capacity", odd)),
        ("a log", flag("--log", odd)),
        ("a log of a module", flag("--log", "trace,m\u{1b}\n=x")),
        ("a URL", flag("--openai-base-url", &format!("http://{odd}"))),
        ("a backup", vec!["backup".into(), in_path("copy")]),
    ];
    for (what, mut args) in cases {
        if !args.contains(&"--data-path".into()) {
            args.extend(["--data-path".into(), in_path("data")]);
        }
        if what != "a user id" {
            args.extend(["--user-id".into(), "ada".into()]);
        }
        for log in ["warn", "trace"] {
            let vars = [("MEMORYOS_LOG", OsString::from(log)), ("MEMORYOS_X\n\u{1b}", "1".into())];
            is_plain(&run(&args, &vars, &session()[..9]), what);
        }
    }
    damaged(&path);
}

/// What clap says has several lines, all of them the program's own.
fn is_plain(output: &Output, what: &str) {
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    if output.status.code() == Some(2) && said.starts_with("error: ") {
        assert!(said.lines().all(|line| !line.contains(hides)), "{what}: {said:?}");
        assert!(!said.lines().any(|line| line.starts_with("20")), "{what}: {said:?}");
    } else {
        is_plain_log(output, what);
    }
}

/// A memory that cannot be opened, under a path that would make a line of its own.
#[cfg(unix)]
fn damaged(path: &Path) {
    let database = path.join("data/ada/memory.db");
    assert!(database.exists(), "a server has served here");
    for bytes in [&b"no database"[..], b""] {
        put(&database, bytes);
        let vars = [("MEMORYOS_DATA_PATH", path.join("data").into_os_string())];
        let output = run(&["--user-id".into(), "ada".into()], &vars, &session()[..9]);
        assert!(!output.stderr.is_empty());
        is_plain_log(&output, "a damaged database");
    }
}
