//! The program as a process: exit codes, what goes to which stream, how it ends.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::support::one_takes_less_than;

const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}"#;

fn memoryos(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_memoryos"));
    command.env_clear().current_dir(folder);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn run(command: &mut Command, input: &str) -> Output {
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // A program that ends at once does not read.
    drop(stdin.write_all(input.as_bytes()));
    drop(stdin);
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn wrong_settings_end_with_code_2_and_one_sentence() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("file");
    drop(std::fs::File::create(&file).unwrap());
    let file = file.display().to_string();
    let cases: [(&[&str], &str, &str, &str); 6] = [
        (&["--user-id", "a/b"], "", "", "--user-id: user id has '/'"),
        (&[], "MEMORYOS_SHORT_TERM_CAPACITY", "x", "MEMORYOS_SHORT_TERM_CAPACITY is \"x\""),
        (&["--config", "none.json"], "", "", "cannot read the config file none.json"),
        (&["--data-path", &file], "", "", "is not a folder, expected the data directory there"),
        (&["--nonsense"], "", "", "unexpected argument '--nonsense'"),
        (&["--user-id", "a", "--user-id", "b"], "", "", "cannot be used multiple times"),
    ];
    for (args, variable, value, message) in cases {
        let mut command = memoryos(folder.path());
        command.args(args);
        if !variable.is_empty() {
            command.env(variable, value);
        }
        let output = run(&mut command, "");
        let said = text(&output.stderr);
        assert!(said.contains(message), "{said}");
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(2), ""), "{said}");
    }
}

#[test]
fn the_version_is_printed() {
    let folder = TempDir::new().unwrap();
    let output = run(memoryos(folder.path()).arg("--version"), "");
    assert_eq!(text(&output.stdout), format!("memoryos {}\n", env!("CARGO_PKG_VERSION")));
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn no_input_is_no_error_and_the_generated_user_is_remembered() {
    let folder = TempDir::new().unwrap();
    let output = run(&mut memoryos(folder.path()), "");
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(0), ""));
    let remembered = folder.path().join("memoryos_data/default_user");
    let id = std::fs::read_to_string(&remembered).unwrap();
    assert!(id.starts_with("user_"), "{id}");
    run(&mut memoryos(folder.path()), "");
    assert_eq!(std::fs::read_to_string(&remembered).unwrap(), id);
}

#[test]
fn the_log_goes_to_stderr_and_tells_what_is_not_understood() {
    let folder = TempDir::new().unwrap();
    let mut command = memoryos(folder.path());
    command.env("MEMORYOS_USERID", "ada").env("OPENAI_API_KEY", "sk-very-secret");
    let output = run(&mut command, &format!("{INITIALIZE}\n"));
    let said = text(&output.stderr);
    assert!(said.contains("MEMORYOS_USERID is not a setting, did you mean MEMORYOS_USER_ID?"));
    let first = "memoryos: language model: gpt-4o-mini at api.openai.com; texts of stored memories, \
                 topic summaries and the profile are sent there";
    assert_eq!(said.lines().next(), Some(first));
    assert!(!said.contains("secret") && !said.contains('\u{1b}'), "{said}");
    assert!(text(&output.stdout).starts_with("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\""));
}

#[test]
fn whoever_starts_a_model_is_told_first_what_leaves_the_machine_also_without_a_log() {
    let said = |variables: &[(&str, &str)]| {
        let folder = TempDir::new().unwrap();
        let mut command = memoryos(folder.path());
        command.env("MEMORYOS_LOG", "off").envs(variables.iter().copied());
        text(&run(&mut command, "").stderr).to_owned()
    };
    let local = ("OPENAI_BASE_URL", "http://me:hidden@127.0.0.1:9/v1");
    let told = "memoryos: language model: m at 127.0.0.1:9; texts of stored memories, topic \
                summaries and the profile are sent there\n";
    assert_eq!(said(&[local, ("MEMORYOS_LLM_MODEL", "m")]), told);
    assert_eq!(said(&[local, ("MEMORYOS_LLM", "off")]), "");
    assert_eq!(said(&[]), "");
}

#[test]
fn nobody_has_to_read_the_log() {
    let folder = TempDir::new().unwrap();
    let mut command = memoryos(folder.path());
    command.env("MEMORYOS_USERID", "ada").env("MEMORYOS_LOG", "trace");
    let mut child = command.spawn().unwrap();
    drop(child.stderr.take());
    let mut stdin = child.stdin.take().unwrap();
    writeln!(stdin, "{INITIALIZE}").unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert!(text(&output.stdout).contains("serverInfo"));
    assert_eq!(output.status.code(), Some(0));
}

/// Ends a process that is not ended by its test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[cfg(unix)]
#[test]
fn a_signal_to_stop_ends_the_program_within_a_second_with_code_0() {
    let stop = |signal: &str| {
        let folder = TempDir::new().unwrap();
        let mut running = Running(memoryos(folder.path()).spawn().unwrap());
        let mut stdin = running.0.stdin.take().unwrap();
        writeln!(stdin, "{INITIALIZE}").unwrap();
        let mut line = String::new();
        BufReader::new(running.0.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert!(line.contains("serverInfo"), "{line}");
        let start = Instant::now();
        let pid = running.0.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
        let status = running.0.wait().unwrap();
        let taken = start.elapsed();
        assert_eq!(status.code(), Some(0), "{}", rest(running.0.stderr.take()));
        drop(stdin);
        taken
    };
    for signal in ["-TERM", "-INT"] {
        one_takes_less_than(Duration::from_secs(1), || stop(signal));
    }
}

fn rest(stream: Option<ChildStderr>) -> String {
    let mut text = String::new();
    drop(stream.map(|mut s| s.read_to_string(&mut text)));
    text
}
