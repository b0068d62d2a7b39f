//! What is written about the program is true where that can be checked.
//!
//! Only names are compared: whether a sentence about a setting is right, a reader must judge.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use memoryos::config::Key;
use serde_json::{Map, Value};

fn read(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).expect(name)
}

/// Returns those of `names` that `text` does not have between backticks.
fn missing(text: &str, names: impl IntoIterator<Item = String>) -> Vec<String> {
    let quoted: BTreeSet<&str> =
        text.split('`').skip(1).step_by(2).map(|code| code.trim_end_matches('?')).collect();
    names.into_iter().filter(|name| !quoted.contains(name.as_str())).collect()
}

fn without_code_blocks(text: &str) -> String {
    text.split("```").step_by(2).collect()
}

fn names_of(object: &Value) -> Vec<String> {
    object.as_object().map(|o| o.keys().cloned().collect()).unwrap_or_default()
}

#[test]
fn the_readme_names_every_setting() {
    let table = without_code_blocks(&read("README.md"));
    let names = Key::ALL.into_iter().flat_map(|key| [key.name(), key.variable(), key.flag()]);
    assert_eq!(missing(&table, names.map(str::to_owned)), [""; 0]);
}

#[test]
fn the_readme_names_every_tool_argument_and_field() {
    let readme = without_code_blocks(&read("README.md"));
    let tools: Vec<Value> = serde_json::from_str(&read("tests/golden/tools.json")).expect("tools");
    let mut names = Vec::new();
    for tool in &tools {
        names.push(tool["name"].as_str().expect("a name").to_owned());
        names.extend(names_of(&tool["inputSchema"]["properties"]));
        let fields = &tool["outputSchema"]["properties"];
        names.extend(names_of(fields));
        names.extend(names_of(&fields["retrieved_pages"]["items"]["properties"]));
        names.extend(names_of(&fields["details"]["properties"]));
    }
    assert!(names.len() > 60);
    // The counts of knowledge are named together.
    names.retain(|name| !name.ends_with("_knowledge_count"));
    assert_eq!(missing(&readme, names), [""; 0]);
}

#[test]
fn the_architecture_names_every_module() {
    let text = read("ARCHITECTURE.md");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut modules = BTreeSet::new();
    for folder in ["", "storage", "mcp"] {
        for entry in fs::read_dir(source.join(folder)).expect("a folder of the source") {
            let path = entry.expect("an entry").path();
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            modules.insert(name);
        }
    }
    modules.retain(|name| {
        !["lib", "main", "mod", "tests", "error"].contains(&name.as_str())
            && !name.ends_with("_tests")
    });
    assert_eq!(missing(&without_code_blocks(&text), modules), [""; 0]);
}

#[test]
fn the_example_of_a_client_s_settings_has_an_entry_per_user_with_absolute_paths() {
    let example: Value = serde_json::from_str(&read("mcp.json.example")).expect("valid JSON");
    let servers: &Map<String, Value> = example["mcpServers"].as_object().expect("servers");
    let mut users = BTreeSet::new();
    for (name, server) in servers {
        let environment = server["env"].as_object().expect("env");
        for variable in environment.keys() {
            assert!(Key::ALL.iter().any(|key| key.variable() == variable), "{name}: {variable}");
        }
        users.insert(environment["MEMORYOS_USER_ID"].as_str().expect("a user"));
        for path in [&server["command"], &environment["MEMORYOS_DATA_PATH"]] {
            assert!(path.as_str().is_some_and(|p| p.starts_with('/')), "{name}: {path}");
        }
    }
    assert_eq!((users.len(), servers.len()), (2, 2));
}
