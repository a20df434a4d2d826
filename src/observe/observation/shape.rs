//! The shape of a JSON answer: its keys and the types behind them, with no value but those that name a kind.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::endpoints::Depth;

/// Values that say what an answer is, and not what Prometheus knows at the moment.
const KINDS: [&str; 4] = ["status", "errorType", "data.resultType", "data.type"];
/// Objects that are tables: their keys are names of metrics and of jobs.
const TABLES: [&str; 1] = ["data.droppedTargetCounts"];

/// Each key with the type behind it, by its path: `data.result[].value[]` is `number or string`. The elements of lists are
/// one.
pub(super) fn of(value: &Value, depth: Depth) -> BTreeMap<String, String> {
    let mut shape = Shape { types: BTreeMap::new(), depth };
    shape.walk("", value);
    shape.types.into_iter().map(|(path, types)| (path, types.into_iter().collect::<Vec<_>>().join(" or "))).collect()
}

struct Shape {
    types: BTreeMap<String, BTreeSet<String>>,
    depth: Depth,
}

impl Shape {
    fn is_table(&self, path: &str) -> bool {
        TABLES.contains(&path) || (path == "data" && self.depth == Depth::Table)
    }

    fn walk(&mut self, path: &str, value: &Value) {
        if !path.is_empty() {
            let name = type_of(path, value);
            self.types.entry(path.to_owned()).or_default().insert(name);
        }
        match value {
            Value::Object(fields) if !self.is_table(path) => {
                for (key, field) in fields {
                    let below = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                    self.walk(&below, field);
                }
            }
            Value::Array(items) if self.depth == Depth::Whole => {
                for item in items {
                    self.walk(&format!("{path}[]"), item);
                }
            }
            _ => {}
        }
    }
}

fn type_of(path: &str, value: &Value) -> String {
    match value {
        Value::String(text) if KINDS.contains(&path) => format!("{text:?}"),
        Value::Null => "null".to_owned(),
        Value::Bool(_) => "boolean".to_owned(),
        Value::Number(_) => "number".to_owned(),
        Value::String(_) => "string".to_owned(),
        Value::Array(_) => "list".to_owned(),
        Value::Object(_) => "object".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_types_and_lists_are_one_element() {
        let answer = json!({"status": "success", "data": {"resultType": "vector",
            "result": [{"metric": {}, "value": [1.5, "1"]}, {"metric": {}, "value": [2, "3"]}]}});
        let shape = of(&answer, Depth::Whole);
        let shape: Vec<_> = shape.iter().map(|(path, what)| format!("{path}: {what}")).collect();
        assert_eq!(
            shape,
            [
                "data: object",
                "data.result: list",
                "data.resultType: \"vector\"",
                "data.result[]: object",
                "data.result[].metric: object",
                "data.result[].value: list",
                "data.result[].value[]: number or string",
                "status: \"success\"",
            ]
        );
        assert!(!of(&answer, Depth::Keys).contains_key("data.result[]"));
        assert_eq!(of(&answer, Depth::Table).keys().collect::<Vec<_>>(), ["data", "status"]);
    }

    #[test]
    fn tables_are_not_looked_into() {
        let shape = of(&json!({"data": {"droppedTargetCounts": {"job": 0}}}), Depth::Whole);
        assert_eq!(shape.keys().collect::<Vec<_>>(), ["data", "data.droppedTargetCounts"]);
    }
}
