//! The settings, resolved as a start does it: what is wrong with them is a finding here.

use super::Request;
use crate::config::{self, ConfigError, Environment, Key, Settings, Sources};
use crate::storage::inspect::Finding;

/// Resolves the settings; none where they cannot be used.
pub(super) fn examine(request: &Request, found: &mut Vec<Finding>) -> Option<Settings> {
    const ID: &str = "settings.values";
    let environment = Environment(&config::environment);
    let file = request.config_file.as_deref().map(|path| {
        config::file::read(path).map(|settings| (path.display().to_string(), settings))
    });
    let resolved = file.transpose().map_err(ConfigError::from).and_then(|file| {
        let sources = Sources { command_line: &request.command_line, environment, file };
        found.push(given(&sources));
        config::resolve(&sources)
    });
    let unknown = config::unknown_variables(&config::environment_names());
    found.extend(unknown.into_iter().map(|warning| {
        Finding::warning("settings.variables", warning, "rename or remove the variable")
    }));
    match resolved {
        Ok(settings) => {
            found.push(Finding::ok(ID, "every value is allowed"));
            found.extend(warnings(&settings));
            Some(settings)
        }
        Err(error) => {
            let action = "correct it: no start accepts it (README, Settings, says what is allowed)";
            found.push(Finding::problem(ID, error.to_string(), action));
            None
        }
    }
}

/// Says which settings are given, and where.
fn given(sources: &Sources<'_>) -> Finding {
    let given: Vec<String> =
        sources.given().iter().map(|g| format!("{} = {}", g.origin(), g.shown())).collect();
    let message = if given.is_empty() {
        "none is given: all have their defaults".to_owned()
    } else {
        format!("{}; the others have their defaults", given.join(", "))
    };
    Finding::ok("settings.given", message)
}

fn warnings(settings: &Settings) -> Vec<Finding> {
    let action = "see Settings in the README";
    let warning = |text: &String| Finding::warning("settings.warnings", text, action);
    let mut found: Vec<Finding> = settings.warnings.iter().map(warning).collect();
    let model = &settings.model;
    if model.api_key.is_some() && !model.wanted {
        found.push(Finding::warning(
            "settings.model",
            format!(
                "{} is set, but {} is off: no model is called",
                Key::ApiKey.variable(),
                Key::Llm.variable()
            ),
            "nothing, if that is meant; else remove MEMORYOS_LLM or set it to on",
        ));
    }
    found
}
