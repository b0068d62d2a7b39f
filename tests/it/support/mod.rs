//! The real binary as a child process, and what tests do to its files.
//!
//! Every wait is bounded: a server that hangs fails its test, it does not stop the suite. A server
//! that a test leaves behind is killed when it is dropped.

// Each test file needs its own part of this.
#![allow(dead_code, reason = "not every helper is used by every kind of test")]

mod judge;
pub(crate) mod model;

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

pub(crate) use judge::{Judge, Verdict, exchange};

/// How long anything may take on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// Between two looks at whether something has come about.
const BETWEEN_LOOKS: Duration = Duration::from_millis(2);

/// How a server is started.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    pub(crate) data: PathBuf,
    pub(crate) user: String,
    program: PathBuf,
    vars: Vec<(String, String)>,
    uid: Option<u32>,
}

impl Setup {
    /// Serves `user` from the data directory `data`; three pages stay in short-term memory.
    pub(crate) fn new(data: &Path, user: &str) -> Self {
        Self {
            data: data.to_owned(),
            user: user.to_owned(),
            program: env!("CARGO_BIN_EXE_memoryos").into(),
            vars: vec![("MEMORYOS_SHORT_TERM_CAPACITY".to_owned(), "3".to_owned())],
            uid: None,
        }
    }

    /// Sets an environment variable; the caller's own are not passed on.
    pub(crate) fn var(mut self, name: &str, value: &str) -> Self {
        self.vars.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Runs a copy of the program as another account.
    pub(crate) fn run_as(mut self, uid: u32, program: &Path) -> Self {
        self.uid = Some(uid);
        program.clone_into(&mut self.program);
        self
    }

    /// Returns the user's folder.
    pub(crate) fn folder(&self) -> PathBuf {
        self.data.join(&self.user)
    }

    /// Returns the path of a file in the user's folder.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    /// Starts a server and sends nothing.
    pub(crate) fn spawn(&self) -> Server {
        let mut command = Command::new(&self.program);
        command.env_clear().current_dir(std::env::temp_dir());
        command.env("MEMORYOS_DATA_PATH", &self.data).env("MEMORYOS_USER_ID", &self.user);
        command.envs(self.vars.iter().map(|(k, v)| (k, v)));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        #[cfg(unix)]
        if let Some(uid) = self.uid {
            use std::os::unix::process::CommandExt as _;
            command.uid(uid).gid(uid);
        }
        Server::of(command.spawn().unwrap())
    }

    /// Starts a server and shakes hands.
    pub(crate) fn start(&self) -> Server {
        let mut server = self.spawn();
        server.initialize();
        server
    }
}

/// A running server.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    stderr: Option<JoinHandle<String>>,
    next_id: u64,
}

impl Server {
    fn of(mut child: Child) -> Self {
        let (sender, lines) = channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                drop(sender.send(line));
            }
        });
        let mut stderr = child.stderr.take().unwrap();
        let stderr = std::thread::spawn(move || {
            let mut text = Vec::new();
            drop(stderr.read_to_end(&mut text));
            String::from_utf8_lossy(&text).into_owned()
        });
        let stdin = child.stdin.take();
        Self { child, stdin, lines, stderr: Some(stderr), next_id: 0 }
    }

    /// Shakes hands as a client of the 2025-11-25 protocol.
    pub(crate) fn initialize(&mut self) {
        let client = json!({"protocolVersion": "2025-11-25", "capabilities": {},
            "clientInfo": {"name": "test", "version": "1"}});
        let reply = self.request("initialize", &client);
        assert!(reply["result"]["serverInfo"].is_object(), "{reply}");
        self.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}).to_string());
    }

    /// Writes one line.
    pub(crate) fn send(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().unwrap();
        // A server that has ended does not read; its silence is what the test sees.
        drop(stdin.write_all(format!("{line}\n").as_bytes()));
    }

    /// Sends a request and returns its id, without waiting.
    pub(crate) fn ask(&mut self, method: &str, params: &Value) -> u64 {
        self.next_id += 1;
        let id = self.next_id;
        let request = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        self.send(&request.to_string());
        id
    }

    /// Sends a tool call and returns its id, without waiting.
    pub(crate) fn ask_tool(&mut self, name: &str, arguments: &Value) -> u64 {
        self.ask("tools/call", &json!({"name": name, "arguments": arguments}))
    }

    /// Waits for the next line of output; none at its end.
    pub(crate) fn line(&mut self) -> Option<Value> {
        match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => Some(serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line}"))),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("no answer within {PATIENCE:?}"),
        }
    }

    /// Sends a request and waits for its answer.
    pub(crate) fn request(&mut self, method: &str, params: &Value) -> Value {
        let id = self.ask(method, params);
        loop {
            let Some(reply) = self.line() else { panic!("the server ended: {}", self.wait().1) };
            if reply["id"] == id {
                return reply;
            }
        }
    }

    /// Calls a tool: what it replied, or the sentence it failed with.
    pub(crate) fn tool(&mut self, name: &str, arguments: &Value) -> Result<Value, String> {
        let call = json!({"name": name, "arguments": arguments});
        outcome(&self.request("tools/call", &call))
    }

    /// Calls tools one after another without waiting in between; outcomes in the order of the calls.
    pub(crate) fn tools(&mut self, calls: &[(&str, Value)]) -> Vec<Result<Value, String>> {
        let ids: Vec<u64> = calls.iter().map(|(name, args)| self.ask_tool(name, args)).collect();
        let mut replies = BTreeMap::new();
        while replies.len() < ids.len() {
            let reply = self.line().expect("the server ended before it had answered");
            replies.insert(reply["id"].as_u64().unwrap(), outcome(&reply));
        }
        ids.iter().map(|id| replies.remove(id).unwrap()).collect()
    }

    /// Reads `get_user_info`.
    pub(crate) fn info(&mut self) -> Value {
        self.tool("get_user_info", &json!({})).unwrap()
    }

    /// Reads the notices of `get_user_info`, one a line.
    pub(crate) fn notices(&mut self) -> String {
        let info = self.info();
        let notices = info["notices"].as_array().unwrap().iter();
        notices.filter_map(Value::as_str).collect::<Vec<_>>().join("\n")
    }

    /// Looks until there is something; fails the test when it takes too long.
    pub(crate) fn poll<T>(&mut self, what: &str, look: impl Fn(&mut Self) -> Option<T>) -> T {
        let start = Instant::now();
        loop {
            if let Some(found) = look(self) {
                return found;
            }
            let late = start.elapsed() >= PATIENCE;
            assert!(!late, "it never came about that {what}: {}", self.info());
            // Asking without a pause takes the processors from the disk that is waited for.
            std::thread::sleep(BETWEEN_LOOKS);
        }
    }

    /// Asks for a sign of life until `done`; fails the test when it takes too long.
    pub(crate) fn until(&mut self, what: &str, done: impl Fn() -> bool) {
        self.poll(what, |server| {
            let is_done = done();
            assert!(is_done || server.request("ping", &json!({}))["result"].is_object());
            is_done.then_some(())
        });
    }

    /// Waits until the short-term view shows everything that was stored so far.
    pub(crate) fn views_are_written(&mut self, setup: &Setup) {
        let stored = self.info()["memory_stats"]["sequence_number"].as_u64().unwrap();
        let view = setup.file("short_term_memory.json");
        self.until("the views show all changes", || {
            let bytes = fs::read(&view).unwrap_or_default();
            let value: Value = serde_json::from_slice(&bytes).unwrap_or_default();
            value["seq"].as_u64() >= Some(stored)
        });
    }

    /// Returns the process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends the input without waiting.
    pub(crate) fn end_input(&mut self) {
        self.stdin = None;
    }

    /// Ends the input and waits for the end: the exit code and what stood on stderr.
    pub(crate) fn close(mut self) -> (Option<i32>, String) {
        self.end_input();
        self.wait()
    }

    /// Kills the process without warning (as `kill -9`) and waits until it is gone.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.wait();
    }

    /// Kills the process without warning and returns what it had answered that was not read yet. The
    /// half of a line that it may have left is no answer.
    pub(crate) fn kill_and_read(mut self) -> Vec<Value> {
        self.child.kill().unwrap();
        let mut answers = Vec::new();
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => answers.extend(serde_json::from_str::<Value>(&line)),
                Err(RecvTimeoutError::Disconnected) => return answers,
                Err(RecvTimeoutError::Timeout) => panic!("it was not gone within {PATIENCE:?}"),
            }
        }
    }

    /// Waits for the end: the exit code and what stood on stderr. Lines not read yet are dropped.
    pub(crate) fn wait(&mut self) -> (Option<i32>, String) {
        while self.line().is_some() {}
        let status = self.child.wait().unwrap();
        let stderr = self.stderr.take().map(|thread| thread.join().unwrap());
        (status.code(), stderr.unwrap_or_default())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Reads the answer to a tool call.
pub(crate) fn outcome(reply: &Value) -> Result<Value, String> {
    let result = &reply["result"];
    match &result["structuredContent"] {
        content if content.is_object() && result["isError"] != true => Ok(content.clone()),
        _ => Err(result["content"][0]["text"].as_str().map_or(reply.to_string(), str::to_owned)),
    }
}

/// Returns the names in a folder, sorted.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Returns the names in a folder that begin with `start`.
pub(crate) fn names_with(folder: &Path, start: &str) -> Vec<String> {
    names(folder).into_iter().filter(|name| name.starts_with(start)).collect()
}

/// Replaces what is in a file, in place.
#[expect(clippy::disallowed_methods, reason = "the tests break files on purpose")]
pub(crate) fn put(path: &Path, bytes: impl AsRef<[u8]>) {
    fs::write(path, bytes).unwrap();
}

/// Gives a file or folder another name.
#[expect(clippy::disallowed_methods, reason = "the tests move files as a person would")]
pub(crate) fn rename(from: &Path, to: &Path) {
    fs::rename(from, to).unwrap();
}

/// Flips one bit of the byte that lies `share` (0 to 1) into the file.
pub(crate) fn flip(path: &Path, share: f64) {
    let mut bytes = fs::read(path).unwrap();
    let at = part(bytes.len() - 1, share);
    bytes[at] ^= 4;
    put(path, bytes);
}

/// Leaves only the first `share` (0 to 1) of a file.
pub(crate) fn truncate(path: &Path, share: f64) {
    let bytes = fs::read(path).unwrap();
    let len = part(bytes.len(), share);
    put(path, &bytes[..len]);
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of a small number"
)]
fn part(len: usize, share: f64) -> usize {
    (len as f64 * share) as usize
}

/// Runs SQL on a database that no server has open.
pub(crate) fn sql(path: &Path, statements: &str) {
    rusqlite::Connection::open(path).unwrap().execute_batch(statements).unwrap();
}

/// Demands that one of five tries takes less than `limit`: a busy machine may hold some of them up.
pub(crate) fn one_takes_less_than(limit: Duration, mut run: impl FnMut() -> Duration) {
    let mut taken = Vec::new();
    while taken.last().is_none_or(|taken| *taken >= limit) {
        assert!(taken.len() < 5, "{taken:?}, expected less than {limit:?}");
        taken.push(run());
    }
}

/// Sees to it that a database which a server has open holds what its log does: what is done to its
/// file afterwards is not written over.
pub(crate) fn take_log_in(path: &Path) {
    let start = Instant::now();
    let db = rusqlite::Connection::open(path).unwrap();
    let whole = |row: &rusqlite::Row<'_>| -> rusqlite::Result<bool> {
        Ok(row.get::<_, i64>(0)? == 0 && row.get::<_, i64>(1)? == row.get::<_, i64>(2)?)
    };
    while !db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], whole).unwrap() {
        assert!(start.elapsed() < PATIENCE, "the log is never taken in");
        std::thread::sleep(BETWEEN_LOOKS);
    }
}

/// Whether the tests run as root, so that they may mount and become another account.
pub(crate) fn is_root() -> bool {
    #[cfg(unix)]
    return std::os::unix::fs::MetadataExt::uid(&fs::metadata("/proc/self").unwrap()) == 0;
    #[cfg(not(unix))]
    return false;
}

/// Copies a folder as `cp -r` does; a file that goes meanwhile is left out.
pub(crate) fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for name in names(from) {
        let (from, to) = (from.join(&name), to.join(&name));
        if from.is_dir() {
            copy_tree(&from, &to);
        } else {
            drop(fs::copy(&from, &to));
        }
    }
}
