//! As much of JSON Schema as the output schemas use.

use serde_json::Value;

/// Returns what is wrong with a value, if anything.
pub(super) fn fault(schema: &Value, value: &Value, at: &str) -> Option<String> {
    let schema = schema.as_object()?;
    for key in schema.keys() {
        let known = [
            "type",
            "properties",
            "required",
            "items",
            "description",
            "additionalProperties",
            "minimum",
            "maximum",
        ];
        assert!(known.contains(&key.as_str()), "{at}: {key} is not checked");
    }
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(n) if n.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let expected = schema.get("type").and_then(Value::as_str);
    if expected.is_some_and(|e| e != kind && !(e == "number" && kind == "integer")) {
        return Some(format!("{at} is {kind}, expected {expected:?}"));
    }
    if schema.get("minimum").is_some_and(|m| value.as_f64() < m.as_f64()) {
        return Some(format!("{at} is below the minimum"));
    }
    if let Some(object) = value.as_object() {
        for name in schema.get("required").and_then(Value::as_array).into_iter().flatten() {
            if !object.contains_key(name.as_str().unwrap()) {
                return Some(format!("{at} has no {name}"));
            }
        }
        for (name, inner) in object {
            let at = format!("{at}.{name}");
            match schema.get("properties").and_then(|p| p.get(name)) {
                Some(property) => {
                    if let Some(fault) = fault(property, inner, &at) {
                        return Some(fault);
                    }
                }
                None if schema.contains_key("additionalProperties") => {}
                None => return Some(format!("{at} is not in the schema")),
            }
        }
    }
    let items = schema.get("items");
    let check = |v: &Value| items.and_then(|i| fault(i, v, &format!("{at}[]")));
    value.as_array().into_iter().flatten().find_map(check)
}
