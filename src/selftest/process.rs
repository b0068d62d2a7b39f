//! Servers under test: copies of the program as real processes, spoken to over their pipes.
//!
//! A server that is dropped is killed. Each is in a process group of its own, so that a Ctrl-C meant
//! for the test does not reach it.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// Whose memory is written; the folder is made for the test.
pub(super) const USER: &str = "selftest";

/// How long a server may take for anything; longer counts as hanging.
pub(super) const PATIENCE: Duration = Duration::from_mins(1);

/// How often the end of a process is looked for.
const POLL: Duration = Duration::from_micros(500);

/// Where servers keep what they store and say.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// The data directory.
    pub(super) data: PathBuf,
    /// The file that stderr goes to.
    pub(super) log: PathBuf,
}

impl Place {
    /// Returns the user's folder.
    pub(super) fn folder(&self) -> PathBuf {
        self.data.join(USER)
    }
}

/// How servers are started.
#[derive(Debug)]
pub(super) struct Launcher {
    /// The program.
    pub(super) program: PathBuf,
    /// Variables of the environment that are not passed on.
    pub(super) unset: Vec<OsString>,
    /// Where servers make temporary files: killed ones leave them.
    pub(super) temporary: PathBuf,
}

impl Launcher {
    /// Starts a server; its input and output come apart from it, for threads of their own.
    pub(super) fn start(&self, place: &Place) -> io::Result<(Server, ChildStdin, ChildStdout)> {
        let log = File::options().append(true).create(true).open(&place.log)?;
        let mut command = Command::new(&self.program);
        for name in &self.unset {
            command.env_remove(name);
        }
        for name in ["TMPDIR", "TMP", "TEMP"] {
            command.env(name, &self.temporary);
        }
        command.arg("--data-path").arg(&place.data).args(["--user-id", USER]);
        command.args(["--llm", "off", "--log", "error", "--short-term-capacity", "3"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log);
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command.spawn()?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (stdin, stdout) = pipes.ok_or(io::ErrorKind::BrokenPipe)?;
        Ok((Server { child }, stdin, stdout))
    }
}

/// A running server. It is killed when it is dropped.
#[derive(Debug)]
pub(super) struct Server {
    child: Child,
}

/// How a server ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End {
    /// It was killed.
    Killed,
    /// It ended with code 0.
    Clean,
    /// It ended in a way that nobody asked for, in words.
    Failed(String),
}

impl Server {
    /// Kills the server without warning, as `kill -9`, and waits until it is gone.
    pub(super) fn kill(mut self) -> io::Result<End> {
        self.child.kill()?;
        Ok(end(self.child.wait()?, true))
    }

    /// Waits for a server whose input has ended.
    pub(super) fn wait(mut self) -> io::Result<End> {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(end(status, false));
            }
            if start.elapsed() > PATIENCE {
                return Ok(End::Failed(format!("did not end within {PATIENCE:?}")));
            }
            std::thread::sleep(POLL);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[cfg(unix)]
fn end(status: ExitStatus, killed: bool) -> End {
    use std::os::unix::process::ExitStatusExt as _;
    const KILL: i32 = 9;
    match status.signal() {
        Some(KILL) if killed => End::Killed,
        None if status.success() => End::Clean,
        _ => End::Failed(format!("ended by itself: {status}")),
    }
}

#[cfg(not(unix))]
fn end(status: ExitStatus, killed: bool) -> End {
    match status.code() {
        Some(0) => End::Clean,
        _ if killed => End::Killed,
        _ => End::Failed(format!("ended by itself: {status}")),
    }
}

/// What a tool replied: its structured content, or the sentence it failed with.
pub(super) type Outcome = Result<Value, String>;

/// Returns the two lines that a client of the 2025-11-25 protocol begins with; the first has id 0.
pub(super) fn greeting() -> String {
    let client = json!({"protocolVersion": "2025-11-25", "capabilities": {},
        "clientInfo": {"name": "selftest", "version": env!("CARGO_PKG_VERSION")}});
    let initialize = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": client});
    let initialized = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    format!("{initialize}\n{initialized}\n")
}

/// Returns the line that calls a tool.
pub(super) fn call(id: u64, tool: &str, arguments: &Value) -> String {
    let params = json!({"name": tool, "arguments": arguments});
    let call = json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params});
    format!("{call}\n")
}

/// Reads a line of output: the id and the outcome. None for what is no answer, such as the half of
/// a line that a killed server leaves.
pub(super) fn answer(line: &str) -> Option<(u64, Outcome)> {
    let reply: Value = serde_json::from_str(line).ok()?;
    let id = reply.get("id")?.as_u64()?;
    let failed = || reply.pointer("/result/isError").and_then(Value::as_bool) == Some(true);
    let content = reply.pointer("/result/structuredContent").filter(|c| c.is_object());
    let outcome = match content {
        Some(content) if !failed() => Ok(content.clone()),
        _ => {
            let text = reply.pointer("/result/content/0/text").and_then(Value::as_str);
            Err(text.map_or_else(|| line.to_owned(), str::to_owned))
        }
    };
    Some((id, outcome))
}

/// The two ends of a conversation with a server, for one thread.
#[derive(Debug)]
pub(super) struct Talk {
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    next_id: u64,
}

impl Talk {
    /// Begins a conversation; none if the server is gone before it has answered.
    pub(super) fn begin(stdin: ChildStdin, stdout: ChildStdout) -> Option<Self> {
        let mut talk = Self { stdin: Some(stdin), stdout: BufReader::new(stdout), next_id: 1 };
        talk.write(&greeting())?;
        talk.line()?;
        Some(talk)
    }

    /// Sends calls in one go; returns the id of the first, the others count on from there. None if
    /// the server is gone.
    pub(super) fn send(&mut self, calls: &[(&str, Value)]) -> Option<u64> {
        let first = self.next_id;
        let mut lines = String::new();
        for (tool, arguments) in calls {
            lines.push_str(&call(self.next_id, tool, arguments));
            self.next_id += 1;
        }
        self.write(&lines).map(|()| first)
    }

    /// Ends the input.
    pub(super) fn end_input(&mut self) {
        self.stdin = None;
    }

    /// Waits for the next answer; none at the end of the output.
    pub(super) fn next(&mut self) -> Option<(u64, Outcome)> {
        loop {
            let line = self.line()?;
            if let Some(answer) = answer(&line) {
                return Some(answer);
            }
        }
    }

    fn write(&mut self, lines: &str) -> Option<()> {
        self.stdin.as_mut()?.write_all(lines.as_bytes()).ok()
    }

    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let n = self.stdout.read_line(&mut line).ok()?;
        (n > 0).then_some(line)
    }
}

/// Returns what servers wrote on stderr that speaks of a panic, and empties the file.
pub(super) fn panics(log: &Path) -> io::Result<Vec<String>> {
    let said = match std::fs::read(log) {
        Ok(said) => said,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    if said.is_empty() {
        return Ok(Vec::new());
    }
    File::options().write(true).open(log)?.set_len(0)?;
    let said = String::from_utf8_lossy(&said);
    Ok(said.lines().filter(|line| line.contains("panicked")).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_a_success_an_error_of_the_tool_or_a_fault() {
        let success = r#"{"id": 3, "result": {"structuredContent": {"a": 1}, "isError": false}}"#;
        assert_eq!(answer(success), Some((3, Ok(json!({"a": 1})))));
        let error = r#"{"id": 4, "result": {"content": [{"text": "no"}], "isError": true}}"#;
        assert_eq!(answer(error), Some((4, Err("no".to_owned()))));
        let fault = r#"{"id": 5, "error": {"code": -32602}}"#;
        assert_eq!(answer(fault), Some((5, Err(fault.to_owned()))));
        for cut in [1, 10, success.len() - 1] {
            assert_eq!(success.get(..cut).and_then(answer), None, "half a line is no answer");
        }
        assert_eq!(answer(r#"{"method": "notifications/message"}"#), None);
    }

    #[test]
    fn panics_are_found_among_other_lines_and_told_once() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log");
        assert_eq!(panics(&log).unwrap(), [""; 0]);
        let mut file = File::create(&log).unwrap();
        file.write_all(b"ERROR something\nERROR panicked at src/x.rs:1\n").unwrap();
        assert_eq!(panics(&log).unwrap(), ["ERROR panicked at src/x.rs:1"]);
        assert_eq!(panics(&log).unwrap(), [""; 0]);
    }
}
