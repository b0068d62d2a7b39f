//! Whether one user can reach another: tried with real servers of this program in a temporary data
//! directory, never in the real one.
//!
//! Each of two users stores a memory with a word that nobody else knows, the canary. Then each tries
//! everything to read the other's. The one rule: a canary in any reply to another, or in any file of
//! another, is a leak; and an attempt counts only if its owner still finds it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use uuid::Uuid;

use super::attempts::{Target, calls, spellings};
use super::client::{Server, content};
use crate::storage::inspect::Finding;

const ID: &str = "isolation.users";

/// What came of the attempts.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    attempts: usize,
    /// Where a canary was found that does not belong there.
    leaks: Vec<String>,
    /// What shows that the attempts say nothing.
    doubts: Vec<String>,
}

/// One of the two users.
#[derive(Debug)]
struct User {
    name: &'static str,
    canary: String,
    folder: PathBuf,
    memory: String,
}

/// Tries to reach one user's memory from another's server.
pub(super) fn examine() -> Vec<Finding> {
    let tally = attempt();
    let action = "do not use this build for several users, and report this";
    vec![match tally {
        Err(error) => Finding::problem(
            ID,
            format!("the attempts could not be made: {error}"),
            "see that the temporary folder can be written and that the program can be started",
        ),
        Ok(Tally { attempts, leaks, .. }) if !leaks.is_empty() => Finding::problem(
            ID,
            format!(
                "one user reached another in {} of {attempts} attempts: {}",
                leaks.len(),
                leaks.join("; ")
            ),
            action,
        ),
        Ok(Tally { attempts, doubts, .. }) if !doubts.is_empty() => Finding::problem(
            ID,
            format!("{attempts} attempts prove nothing: {}", doubts.join("; ")),
            action,
        ),
        Ok(Tally { attempts, .. }) => Finding::ok(
            ID,
            format!("{attempts} attempts of one user to reach another's memory: none succeeded"),
        ),
    }]
}

fn attempt() -> io::Result<Tally> {
    let temporary = tempfile::Builder::new().prefix("memoryos-doctor-").tempdir()?;
    let data = temporary.path();
    let mut tally = Tally::default();
    let (ann, mut ann_server) = create(data, "canary-ann")?;
    let (bob, mut bob_server) = create(data, "canary-bob")?;
    tally.by_tools(&mut bob_server, &bob, &ann);
    tally.by_tools(&mut ann_server, &ann, &bob);
    for (user, server) in [(&ann, &mut ann_server), (&bob, &mut bob_server)] {
        tally.still_there(server, user);
    }
    ann_server.close();
    bob_server.close();
    for (own, other) in [(&bob, &ann), (&ann, &bob)] {
        tally.by_start(data, other)?;
        tally.by_links(data, other)?;
        tally.in_files(&own.folder, other)?;
    }
    for user in [&ann, &bob] {
        match Server::start(data, user.name)? {
            Some(mut server) => tally.still_there(&mut server, user),
            None => tally.doubts.push(format!("the server of {} does not start", user.name)),
        }
    }
    Ok(tally)
}

/// Starts a user's server and stores the canary.
fn create(data: &Path, name: &'static str) -> io::Result<(User, Server)> {
    let other = |what: &str| io::Error::other(format!("the server of {name} {what}"));
    let mut server = Server::start(data, name)?.ok_or_else(|| other("does not start"))?;
    let canary = format!("Q{}", Uuid::new_v4().simple());
    let said = format!("The secret word of the canary is {canary}. My name is {canary}.");
    let page = json!({"user_input": said, "agent_response": format!("I shall keep {canary}.")});
    let line = server.tool("add_memory", &page).ok_or_else(|| other("does not answer"))?;
    let reply = content(&line).ok_or_else(|| other("stores nothing"))?;
    let memory = reply.get("memory_id").and_then(Value::as_str).unwrap_or_default().to_owned();
    Ok((User { name, canary, folder: data.join(name), memory }, server))
}

impl Tally {
    /// Takes one attempt into account: what came of it, or no answer at all.
    fn judge(&mut self, what: &str, reply: Option<&str>, other: &User) {
        self.attempts += 1;
        match reply {
            Some(reply) if holds(reply.as_bytes(), &other.canary) => {
                self.leaks.push(format!("{what} shows what is {}'s", other.name));
            }
            Some(_) => {}
            None => self.doubts.push(format!("no answer to {what}")),
        }
    }

    fn by_tools(&mut self, server: &mut Server, own: &User, other: &User) {
        let folder = other.folder.display().to_string();
        let target = Target { user: other.name, folder: &folder, memory: &other.memory };
        for (tool, arguments) in calls(&target) {
            let reply = server.tool(tool, &arguments);
            let names: Vec<&str> =
                arguments.as_object().into_iter().flatten().map(|(k, _)| k.as_str()).collect();
            let what = format!("{tool} of {} with {}", own.name, names.join(", "));
            self.judge(&what, reply.as_deref(), other);
            if reply.is_none() {
                return;
            }
        }
    }

    /// Starts servers under what may be taken for the other's id.
    fn by_start(&mut self, data: &Path, other: &User) -> io::Result<()> {
        let folder = other.folder.display().to_string();
        let target = Target { user: other.name, folder: &folder, memory: &other.memory };
        let ids = spellings(&target);
        // No variable of a process can hold a NUL.
        for id in ids.iter().filter(|id| *id != other.name && !id.contains('\0')) {
            self.as_user(data, id, other)?;
        }
        Ok(())
    }

    /// Puts links to the other's folder, and to files in it, where a user's own belong.
    #[cfg(unix)]
    fn by_links(&mut self, data: &Path, other: &User) -> io::Result<()> {
        use std::os::unix::fs::symlink;
        let names = ["memory.db", "short_term_memory.json", "user_profile.json", "embeddings"];
        let user = format!("link-{}", other.name);
        let root = data.join(&user);
        symlink(&other.folder, &root)?;
        self.as_user(data, &user, other)?;
        fs::remove_file(&root)?;
        for name in names {
            fs::create_dir(&root)?;
            symlink(other.folder.join(name), root.join(name))?;
            self.as_user(data, &user, other)?;
            fs::remove_dir_all(&root)?;
        }
        Ok(())
    }

    #[cfg(not(unix))]
    #[expect(clippy::unnecessary_wraps, clippy::unused_self, reason = "links are tried on Unix")]
    fn by_links(&mut self, _data: &Path, _other: &User) -> io::Result<()> {
        Ok(())
    }

    /// Starts a server as `user` and asks it for the other's memory; one that refuses is right.
    fn as_user(&mut self, data: &Path, user: &str, other: &User) -> io::Result<()> {
        let Some(mut server) = Server::start(data, user)? else {
            self.attempts += 1;
            return Ok(());
        };
        let calls = [
            ("retrieve_memory", json!({"query": "what is the secret word of the canary"})),
            ("retrieve_memory", json!({"memory_id": other.memory})),
            ("get_user_profile", json!({})),
            ("get_user_info", json!({})),
        ];
        for (tool, arguments) in calls {
            let reply = server.tool(tool, &arguments);
            self.judge(&format!("{tool} of a server started as {user:?}"), reply.as_deref(), other);
        }
        server.close();
        Ok(())
    }

    /// Looks for the other's canary in every file of a folder.
    fn in_files(&mut self, folder: &Path, other: &User) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                self.in_files(&path, other)?;
            } else {
                self.attempts += 1;
                if holds(&fs::read(&path)?, &other.canary) {
                    self.leaks.push(format!("{} holds what is {}'s", path.display(), other.name));
                }
            }
        }
        Ok(())
    }

    /// Demands that a user finds its own memory: else nothing was tried.
    fn still_there(&mut self, server: &mut Server, user: &User) {
        let reply = server.tool("retrieve_memory", &json!({"memory_id": user.memory}));
        if !reply.is_some_and(|reply| holds(reply.as_bytes(), &user.canary)) {
            self.doubts.push(format!("{} does not find its own memory any more", user.name));
        }
    }
}

/// Whether bytes hold a canary, in capitals or not.
fn holds(bytes: &[u8], canary: &str) -> bool {
    bytes.windows(canary.len()).any(|part| part.eq_ignore_ascii_case(canary.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(name: &'static str, folder: &Path) -> User {
        let canary = format!("Q{}secret", name.replace('-', ""));
        User { name, canary, folder: folder.join(name), memory: "1".to_owned() }
    }

    #[test]
    fn a_canary_in_a_reply_is_a_leak_and_silence_proves_nothing() {
        let other = user("ann", Path::new("/x"));
        let mut tally = Tally::default();
        tally.judge("a", Some("{\"text\":\"nothing\"}"), &other);
        assert_eq!(tally, Tally { attempts: 1, ..Tally::default() });
        tally.judge("b", Some("{\"text\":\"it is QANNsecret.\"}"), &other);
        tally.judge("c", None, &other);
        let expected = Tally {
            attempts: 3,
            leaks: vec!["b shows what is ann's".to_owned()],
            doubts: vec!["no answer to c".to_owned()],
        };
        assert_eq!(tally, expected);
    }

    #[test]
    fn a_canary_planted_in_a_file_at_any_depth_is_a_leak() {
        let data = tempfile::tempdir().unwrap();
        let (own, other) = (user("bob", data.path()), user("ann", data.path()));
        let inner = own.folder.join("embeddings");
        fs::create_dir_all(&inner).unwrap();
        let put = |name: &str, text: &str| {
            let mut file = fs::File::create(inner.join(name)).unwrap();
            io::Write::write_all(&mut file, text.as_bytes()).unwrap();
        };
        let leaks = || {
            let mut tally = Tally::default();
            tally.in_files(&own.folder, &other).unwrap();
            (tally.attempts, tally.leaks.len())
        };
        put("a.db", &format!("\0{}\0", own.canary));
        assert_eq!(leaks(), (1, 0));
        put("b.db", &format!("\0\u{ff}{}", other.canary.to_lowercase()));
        assert_eq!(leaks(), (2, 1));
    }
}
