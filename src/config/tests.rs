use std::collections::HashMap;

use super::*;
use crate::llm::ApiKey;

const NO_VARIABLES: [(&str, &str); 0] = [];

fn settings(
    flags: &[(Key, &str)],
    variables: &[(&str, &str)],
    file: Option<&str>,
) -> Result<Settings, String> {
    let flags: Vec<(Key, OsString)> = flags.iter().map(|(k, v)| (*k, v.into())).collect();
    let variables: HashMap<String, OsString> =
        variables.iter().map(|(k, v)| ((*k).to_owned(), v.into())).collect();
    let look_up = |name: &str| variables.get(name).cloned();
    let file = match file.map(file::parse).transpose() {
        Ok(map) => map.map(|m| ("c.json".to_owned(), m)),
        Err(message) => return Err(message),
    };
    let sources = Sources { command_line: &flags, environment: Environment(&look_up), file };
    resolve(&sources).map_err(|e| e.to_string())
}

/// What each setting reads as, so that one table can check all of them.
fn shown(s: &Settings, key: Key) -> String {
    let optional = |n: Option<f64>| n.map(|n| n.to_string()).unwrap_or_default();
    match key {
        Key::UserId => s.user.as_ref().map(ToString::to_string).unwrap_or_default(),
        Key::AssistantId => s.assistant.as_ref().map_or("none".into(), ToString::to_string),
        Key::DataPath => s.data_path.clone().unwrap_or_default().display().to_string(),
        Key::ApiKey => s.model.api_key.as_ref().map_or("", ApiKey::expose).to_owned(),
        Key::BaseUrl => s.model.base_url.clone().unwrap_or_default(),
        Key::Llm => s.model.wanted.to_string(),
        Key::LlmModel => s.model.name.clone(),
        Key::LlmDailyCalls => s.model.budget.calls.to_string(),
        Key::LlmDailyTokens => s.model.budget.tokens.to_string(),
        Key::EmbeddingModel => s.warnings.iter().any(|w| w.contains("embedding")).to_string(),
        Key::ShortTermCapacity => s.capacities.short_term.to_string(),
        Key::MidTermCapacity => s.capacities.mid_term.to_string(),
        Key::KnowledgeCapacity => s.capacities.knowledge.to_string(),
        Key::RetrievalCapacity => s.retrieval_capacity.to_string(),
        Key::HeatThreshold => s.heat_threshold.to_string(),
        Key::SimilarityThreshold => optional(s.similarity_threshold),
        Key::Log => s.log.clone(),
    }
}

#[test]
fn every_setting_is_read_from_every_source_and_the_stronger_one_wins() {
    // Setting, two values, how each is shown, the default.
    let table = [
        (Key::UserId, "ada", "bob", "ada", "bob", ""),
        (Key::AssistantId, "x", "y z", "x", "y z", "none"),
        (Key::DataPath, "./d", "/tmp/e", "./d", "/tmp/e", ""),
        (Key::ApiKey, "sk-1", "sk-2", "sk-1", "sk-2", ""),
        (Key::BaseUrl, "http://a/v1/", "https://b", "http://a/v1", "https://b", ""),
        (Key::LlmModel, "m", "n", "m", "n", "gpt-4o-mini"),
        (Key::LlmDailyCalls, "1", "100000", "1", "100000", "200"),
        (Key::LlmDailyTokens, "1000", "100000000", "1000", "100000000", "400000"),
        (Key::EmbeddingModel, "e5", "built-in", "true", "false", "false"),
        (Key::ShortTermCapacity, "3", "4", "3", "4", "10"),
        (Key::MidTermCapacity, "5", "6", "5", "6", "2000"),
        (Key::KnowledgeCapacity, "7", "8", "7", "8", "100"),
        (Key::RetrievalCapacity, "9", "11", "9", "11", "10"),
        (Key::HeatThreshold, "1.5", "2", "1.5", "2", "5"),
        (Key::SimilarityThreshold, "0.3", "1.2", "0.3", "1.2", ""),
        (
            Key::Log,
            "debug",
            "memoryos=trace",
            "debug,rmcp=error",
            "memoryos=trace,rmcp=error",
            "warn,rmcp=error",
        ),
    ];
    for (key, a, b, a_shown, b_shown, default) in table {
        let json = |v: &str| {
            let number = v.parse::<f64>().is_ok();
            let value = if number { v.to_owned() } else { format!("{v:?}") };
            format!("{{\"{}\": {value}}}", key.name())
        };
        let get = |flags: &[(Key, &str)], variables: &[(&str, &str)], file: Option<&str>| {
            shown(&settings(flags, variables, file).unwrap(), key)
        };
        assert_eq!(get(&[], &NO_VARIABLES, None), default, "{key:?}");
        assert_eq!(get(&[], &NO_VARIABLES, Some(&json(a))), a_shown, "{key:?}");
        assert_eq!(get(&[], &[(key.variable(), a)], Some(&json(b))), a_shown, "{key:?}");
        assert_eq!(get(&[(key, b)], &[(key.variable(), a)], None), b_shown, "{key:?}");
        assert_eq!(get(&[], &[(key.variable(), "")], Some(&json(b))), b_shown, "{key:?}");
    }
}

#[test]
fn a_variable_that_is_not_allowed_is_named_with_its_value_and_what_is() {
    let ids = "expected only letters A-Z and a-z, digits, `_` and `-`";
    let variables = [
        ("MEMORYOS_USER_ID", "a/b", format!("MEMORYOS_USER_ID: user id has '/', {ids}")),
        (
            "MEMORYOS_SHORT_TERM_CAPACITY",
            "ten",
            "MEMORYOS_SHORT_TERM_CAPACITY is \"ten\", expected a whole number from 1 to 1000"
                .into(),
        ),
        (
            "MEMORYOS_SHORT_TERM_CAPACITY",
            "0",
            "MEMORYOS_SHORT_TERM_CAPACITY is \"0\", expected a whole number from 1 to 1000".into(),
        ),
        (
            "MEMORYOS_RETRIEVAL_CAPACITY",
            "101",
            "MEMORYOS_RETRIEVAL_CAPACITY is \"101\", expected a whole number from 1 to 100".into(),
        ),
        (
            "MEMORYOS_HEAT_THRESHOLD",
            "NaN",
            "MEMORYOS_HEAT_THRESHOLD is \"NaN\", expected a number from 0.1 to 1000000".into(),
        ),
        ("MEMORYOS_LLM", "maybe", "MEMORYOS_LLM is \"maybe\", expected `on` or `off`".into()),
        (
            "OPENAI_BASE_URL",
            "ftp://x",
            "OPENAI_BASE_URL is \"ftp://x\", expected a URL that begins with http:// or https://"
                .into(),
        ),
        (
            "MEMORYOS_LOG",
            "warning",
            "MEMORYOS_LOG is \"warning\", expected off, error, warn, info, debug, trace or \
          directives like memoryos=debug"
                .into(),
        ),
        (
            "OPENAI_API_KEY",
            "sk-se cret",
            "OPENAI_API_KEY is not usable (it is not shown), expected a key of visible ASCII \
          characters"
                .into(),
        ),
    ];
    for (name, value, message) in variables {
        assert_eq!(settings(&[], &[(name, value)], None).unwrap_err(), message);
    }
    assert_eq!(
        settings(&[(Key::UserId, "")], &NO_VARIABLES, None).unwrap_err(),
        "--user-id: user id is empty, expected 1 to 50 characters"
    );
}

#[test]
fn a_setting_of_a_model_that_is_not_allowed_is_named_without_a_secret() {
    let cases = [
        (
            ("OPENAI_BASE_URL", "http://u:secret@"),
            "OPENAI_BASE_URL is not usable (it is not shown), expected a URL that begins with \
             http:// or https://",
        ),
        (
            ("MEMORYOS_LLM_DAILY_TOKENS", "999"),
            "MEMORYOS_LLM_DAILY_TOKENS is \"999\", expected a whole number from 1000 to 100000000",
        ),
        (
            ("MEMORYOS_LLM_DAILY_CALLS", "0"),
            "MEMORYOS_LLM_DAILY_CALLS is \"0\", expected a whole number from 1 to 100000",
        ),
        (
            ("MEMORYOS_LLM_MODEL", "a\nb"),
            "MEMORYOS_LLM_MODEL is \"a\\nb\", expected a name of 1 to 200 bytes",
        ),
    ];
    for (variable, message) in cases {
        assert_eq!(settings(&[], &[variable], None).unwrap_err(), message);
    }
}

#[test]
fn a_config_file_that_is_not_allowed_is_named_with_its_value_and_what_is() {
    let files = [
        (
            r#"{"user_name": "x"}"#,
            "c.json has the unknown setting \"user_name\", did you mean \"user_id\"?",
        ),
        (
            r#"{"short_term_capacity": "10"}"#,
            "short_term_capacity in c.json is \"10\", expected a whole number from 1 to 1000",
        ),
        (
            r#"{"short_term_capacity": 1.5}"#,
            "short_term_capacity in c.json is 1.5, expected a whole number from 1 to 1000",
        ),
        (r#"{"user_id": 5}"#, "user_id in c.json is 5, expected a string"),
        (
            r#"{"openai_api_key": ["sk-1"]}"#,
            "openai_api_key in c.json is not usable (it is not shown), expected a key of visible \
          ASCII characters",
        ),
        (
            r#"{"user_id": "a", "user_id": "b"}"#,
            "\"user_id\" stands in it twice at line 1 column 32",
        ),
        ("[1]", "it is JSON, but not an object"),
        ("{\"openai_api_key\": sk-1}", "it is not JSON at line 1, column 20"),
        ("{", "it ends too early at line 1, column 1"),
    ];
    for (text, message) in files {
        assert_eq!(settings(&[], &NO_VARIABLES, Some(text)).unwrap_err(), message);
    }
}

#[test]
fn the_api_key_is_never_printed() {
    let s = settings(&[], &[("OPENAI_API_KEY", "sk-secret")], None).unwrap();
    assert!(!format!("{s:?}").contains("sk-secret"));
    assert!(!s.warnings.join(" ").contains("sk-secret"));
    let given = Given::text(Origin::Variable(Key::ApiKey), "sk-secret".into());
    assert!(!format!("{given:?}").contains("sk-secret"));
}

#[test]
fn a_model_is_wanted_only_with_a_key_or_url_and_not_when_off() {
    let wanted = |variables: &[(&str, &str)]| settings(&[], variables, None).unwrap().model.wanted;
    assert!(!wanted(&[("MEMORYOS_LLM", "on")]));
    assert!(wanted(&[("OPENAI_API_KEY", "k")]));
    assert!(wanted(&[("OPENAI_BASE_URL", "http://127.0.0.1:8080/v1")]));
    assert!(!wanted(&[("OPENAI_API_KEY", "k"), ("MEMORYOS_LLM", "OFF")]));
}

#[test]
fn it_is_said_which_host_gets_what() {
    let model = |variables: &[(&str, &str)]| settings(&[], variables, None).unwrap().model;
    let sent = "texts of stored memories, topic summaries and the profile are sent there";
    let said = |variables: &[(&str, &str)]| model(variables).describe();
    let key = [("OPENAI_API_KEY", "sk-secret")];
    assert_eq!(said(&key), format!("gpt-4o-mini at api.openai.com; {sent}"));
    let local =
        [("OPENAI_BASE_URL", "http://u:pw@127.0.0.1:11434/v1"), ("MEMORYOS_LLM_MODEL", "m")];
    assert_eq!(said(&local), format!("m at 127.0.0.1:11434; {sent}"));
    assert!(!format!("{:?}", model(&local)).contains("pw"));
    let endpoint = model(&local).endpoint().unwrap();
    assert_eq!((endpoint.base_url.as_str(), endpoint.api_key), (local[0].1, None));
    let embedding = [key[0], ("MEMORYOS_EMBEDDING_MODEL", "e5")];
    let queries = "texts of memories and of queries are sent there for embedding with e5";
    assert_eq!(said(&embedding), format!("gpt-4o-mini at api.openai.com; {sent}; {queries}"));
    let asked = |variables: &[(&str, &str)]| model(variables).embedding_options();
    assert_eq!(asked(&embedding).unwrap().endpoint.model, "e5");
    assert_eq!(asked(&[key[0], ("MEMORYOS_EMBEDDING_MODEL", "built-in")]), None);
    assert_eq!(asked(&[embedding[0], embedding[1], ("MEMORYOS_LLM", "off")]), None);
    let off = [key[0], ("MEMORYOS_LLM", "off")];
    for variables in [&NO_VARIABLES[..], &off] {
        assert_eq!(said(variables), "none; nothing leaves this machine");
        assert_eq!(model(variables).endpoint(), None);
    }
}

#[test]
fn a_model_that_cannot_be_called_or_is_called_in_the_open_is_warned_about() {
    let warnings = |variables: &[(&str, &str)]| settings(&[], variables, None).unwrap().warnings;
    let missing = "no language model is called: MEMORYOS_LLM is on, but neither OPENAI_API_KEY nor \
                   OPENAI_BASE_URL is set";
    assert_eq!(warnings(&[("MEMORYOS_LLM", "on")]), [missing]);
    let open = "the base URL of the language model is not https: what is sent to far.example can be \
                read on the way";
    assert_eq!(warnings(&[("OPENAI_BASE_URL", "http://far.example/v1")]), [open]);
    let none: [&str; 0] = [];
    for variables in [("OPENAI_API_KEY", "k"), ("OPENAI_BASE_URL", "http://localhost:1/v1")] {
        assert_eq!(warnings(&[variables]), none);
    }
    assert_eq!(warnings(&NO_VARIABLES), none);
}

#[test]
fn an_empty_key_and_a_null_in_the_file_count_as_not_set() {
    let file = r#"{"openai_api_key": "", "user_id": null}"#;
    let s = settings(&[], &NO_VARIABLES, Some(file)).unwrap();
    assert_eq!((s.model.api_key, s.user), (None, None));
}

#[test]
fn message_texts_are_logged_only_where_rmcp_is_named() {
    let log = |text: &str| settings(&[(Key::Log, text)], &NO_VARIABLES, None).unwrap().log;
    for (given, filter) in [
        ("off", "off"),
        ("debug", "debug,rmcp=error"),
        ("memoryos=debug", "memoryos=debug,rmcp=error"),
        ("trace,memoryos=debug", "trace,memoryos=debug,rmcp=error"),
        ("debug,my_rmcp=info", "debug,my_rmcp=info,rmcp=error"),
        ("warn,rmcp=debug", "warn,rmcp=debug"),
        ("info,rmcp=trace", "info,rmcp=trace"),
        ("rmcp[call]=debug", "rmcp[call]=debug"),
    ] {
        assert_eq!(log(given), filter);
    }
}

#[test]
fn an_unknown_variable_is_warned_about_with_the_nearest_name() {
    let names = ["MEMORYOS_USERID", "MEMORYOS_LOG", "PATH"].map(str::to_owned);
    assert_eq!(
        unknown_variables(&names),
        ["MEMORYOS_USERID is not a setting, did you mean MEMORYOS_USER_ID?"]
    );
}

#[cfg(all(unix, not(target_os = "macos")))]
#[test]
fn the_platform_folder_is_found_from_the_home_folder() {
    let path = |v: &[(&str, &str)]| settings(&[], v, None).unwrap().platform_data_path;
    assert_eq!(path(&[("HOME", "/h")]), Some("/h/.local/share/memoryos_data".into()));
    assert_eq!(path(&[("HOME", "/h"), ("XDG_DATA_HOME", "/x")]), Some("/x/memoryos_data".into()));
    assert_eq!(path(&[("HOME", "relative")]), None);
}
