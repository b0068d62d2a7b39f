use serde_json::json;

use super::*;

fn map(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap()
}

fn now() -> Timestamp {
    Timestamp::parse("2026-05-01T12:00:00Z").unwrap()
}

fn add(args: &Value) -> Result<NewPage, String> {
    AddMemory::parse(&map(args)).and_then(|a| a.check(now(), "run-1"))
}

fn retrieve(args: &Value) -> Result<Retrieve, String> {
    RetrieveMemory::parse(&map(args)).and_then(RetrieveMemory::check)
}

#[test]
fn a_page_that_cannot_be_stored_is_refused_with_one_sentence() {
    let mut nested = json!({});
    for _ in 0..40 {
        nested = json!({ "a": nested });
    }
    let cases = [
        (json!({}), "user_input is missing, expected a string"),
        (json!({"user_input": "a", "agent_response": null}), "agent_response is missing"),
        (json!({"user_input": 5, "agent_response": ""}), "user_input is 5, expected a string"),
        (
            json!({"user_input": ["x".repeat(99)], "agent_response": ""}),
            "user_input is [\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx..., expected",
        ),
        (json!({"user_input": " \n", "agent_response": "\t"}), "user_input and agent_response"),
        (
            json!({"user_input": "x".repeat(65_537), "agent_response": ""}),
            "user_input has 65537 bytes, expected at most 65536",
        ),
        (
            json!({"user_input": "a", "agent_response": "\u{e9}".repeat(32_769)}),
            "agent_response has 65538 bytes",
        ),
        (
            json!({"user_input": "a", "agent_response": "", "timestamp": "soon"}),
            "timestamp \"soon\" is not a time",
        ),
        (
            json!({"user_input": "a", "agent_response": "", "timestamp": "2026-05-02T12:00:01Z"}),
            "timestamp 2026-05-02T12:00:01Z is more than a day in the future",
        ),
        (
            json!({"user_input": "a", "agent_response": "", "meta_data": [1]}),
            "meta_data is [1], expected a JSON object",
        ),
        (
            json!({"user_input": "a", "agent_response": "", "meta_data": {"k": "x".repeat(16_384)}}),
            "meta_data has 16392 bytes, expected at most 16384",
        ),
        (
            json!({"user_input": "a", "agent_response": "", "meta_data": nested}),
            "meta_data is nested 41 deep, expected at most 32",
        ),
    ];
    for (args, message) in cases {
        let error = add(&args).unwrap_err();
        assert!(error.starts_with(message), "{error}");
    }
}

#[test]
fn texts_are_kept_as_they_are() {
    let text = "\u{0}\u{1b}[31m\u{202e}\r\n\u{feff} \u{1f600}";
    let page = add(&json!({"user_input": text, "agent_response": " "})).unwrap();
    assert_eq!((page.texts.user_input.as_str(), page.texts.agent_response.as_str()), (text, " "));
    let most = "x".repeat(65_536);
    assert!(add(&json!({"user_input": most, "agent_response": most})).is_ok());
}

#[test]
fn the_session_is_the_one_given_or_that_of_the_run() {
    let session = |meta: Value| {
        let args = json!({"user_input": "a", "agent_response": "", "meta_data": meta, "other": 1});
        add(&args).unwrap().session
    };
    assert_eq!(session(json!({"session_id": "s"})), "s");
    assert_eq!(session(json!("{\"session_id\": 7}")), "7");
    assert_eq!(session(json!({"session_id": ["s"]})), "run-1");
    assert_eq!(session(Value::Null), "run-1");
}

#[test]
fn a_timestamp_is_kept_as_given_and_is_now_if_not() {
    let stamp = |t: Value| {
        let page = add(&json!({"user_input": "a", "agent_response": "", "timestamp": t})).unwrap();
        (page.timestamp.to_string(), page.timestamp_given)
    };
    assert_eq!(stamp(Value::Null), (now().to_string(), false));
    assert_eq!(stamp(json!("2026-05-02T11:59:59Z")), ("2026-05-02T11:59:59Z".to_owned(), true));
    for blank in ["", " \n"] {
        assert_eq!(stamp(json!(blank)), (now().to_string(), false));
    }
    assert_eq!(
        stamp(json!("2020-01-01T00:00:00+02:00")),
        ("2020-01-01T00:00:00+02:00".to_owned(), true)
    );
}

#[test]
fn numbers_and_booleans_are_read_from_strings_and_whole_floats() {
    for five in [json!(5), json!(5.0), json!("5"), json!(" 5.0 ")] {
        let query = retrieve(&json!({"query": "q", "max_results": five})).unwrap();
        let expected =
            Retrieve::Query { query: "q".to_owned(), max_results: Some(5), max_chars: 24_000 };
        assert_eq!(query, expected);
    }
    let profile = GetUserProfile::parse(&map(&json!({"include_knowledge": "False"}))).unwrap();
    assert_eq!(profile.include_knowledge, Some(false));
}

#[test]
fn a_blank_memory_id_counts_as_absent() {
    for blank in ["", " \t"] {
        let query = retrieve(&json!({"query": "q", "memory_id": blank})).unwrap();
        let expected =
            Retrieve::Query { query: "q".to_owned(), max_results: None, max_chars: 24_000 };
        assert_eq!(query, expected);
        let error = retrieve(&json!({"query": "", "memory_id": blank})).unwrap_err();
        assert!(error.starts_with("query is empty"), "{error}");
    }
}

#[test]
fn a_recall_that_cannot_be_made_is_refused_with_one_sentence() {
    let cases = [
        (json!({}), "query is empty"),
        (json!({"query": " "}), "query is empty"),
        (json!({"query": "a", "memory_id": "b"}), "query and memory_id are both given"),
        (json!({"memory_id": "b"}), "memory_id is \"b\", expected a UUID"),
        (json!({"query": 3}), "query is 3, expected a string"),
        (
            json!({"query": "a", "max_results": 0}),
            "max_results is 0, expected a whole number from 1 to 100",
        ),
        (json!({"query": "a", "max_results": 101}), "max_results is 101"),
        (json!({"query": "a", "max_results": "many"}), "max_results is \"many\""),
        (json!({"query": "a", "max_results": 2.5}), "max_results is 2.5"),
        (
            json!({"query": "a", "max_chars": 1999}),
            "max_chars is 1999, expected a whole number from 2000 to 200000",
        ),
        (json!({"query": "a", "offset": -1}), "offset is -1, expected a whole number from 0"),
    ];
    for (args, message) in cases {
        let error = retrieve(&args).unwrap_err();
        assert!(error.starts_with(message), "{error}");
    }
    let long = retrieve(&json!({"query": "\u{e9}".repeat(5000)})).unwrap();
    assert!(matches!(long, Retrieve::Query { query, .. } if query.chars().count() == 2000));
}

#[test]
fn ids_are_checked_and_made_where_they_are_missing() {
    let create = |args: Value| CreateUser::parse(&map(&args)).and_then(CreateUser::check);
    let (user, assistant) = create(json!({})).unwrap();
    assert!(user.as_str().starts_with("user_"));
    assert_eq!(assistant.as_str(), "mcp_assistant");
    assert!(create(json!({"user_id": "../x"})).unwrap_err().contains("user id has '.'"));
    assert!(create(json!({"user_id": ""})).unwrap_err().contains("user id is empty"));
    assert!(create(json!({"assistant_id": ""})).unwrap_err().contains("assistant id is empty"));
}
