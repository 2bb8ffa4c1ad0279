//! The committed API description is the one that the routes make, and every operation names its permission.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;
use types::Permission;

fn described() -> Value {
    api::document()
}

fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            all.push((method.to_uppercase(), path.clone(), operation.clone()));
        }
    }
    all
}

#[test]
fn the_committed_description_is_current() {
    let file = Path::new("../../openapi/polder.json");
    let now = format!("{}\n", serde_json::to_string_pretty(&described()).unwrap());
    if std::env::var_os("UPDATE").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, &now).unwrap();
    }
    let committed = std::fs::read_to_string(file).unwrap_or_default();
    assert!(
        committed == now,
        "openapi/polder.json is out of date: run the tests once with UPDATE=1 and look at the difference"
    );
}

#[test]
fn every_operation_names_a_permission_and_has_a_name_of_its_own() {
    let document = described();
    let known: BTreeSet<&str> = Permission::ALL.iter().map(|permission| permission.as_str()).collect();
    let mut names = BTreeSet::new();
    let all = operations(&document);
    assert!(all.len() >= 25, "only {} operations", all.len());
    for (method, path, operation) in all {
        let permission = operation["x-permission"].as_str().unwrap_or("");
        assert!(known.contains(permission), "{method} {path}: x-permission is “{permission}”");
        let name = operation["operationId"].as_str().unwrap_or("").to_owned();
        assert!(names.insert(name.clone()), "{method} {path}: operationId “{name}” is used twice");
        assert!(operation["summary"].is_string(), "{method} {path} has no summary");
    }
}

#[test]
fn every_reference_in_the_description_leads_somewhere() {
    fn references(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(map) => {
                if let Some(Value::String(reference)) = map.get("$ref") {
                    found.insert(reference.clone());
                }
                map.values().for_each(|value| references(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }
    let document = described();
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    assert!(!found.is_empty());
    for reference in found {
        let pointer = reference.strip_prefix('#').expect("references are local");
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
}
