//! What every answer must keep: the headers of the house, and the OpenAPI document to the letter.
//!
//! Schemas are closed before they are used: a field that the document does not name is a fault.

use std::{collections::HashMap, sync::LazyLock};

use coxa::api::openapi;
use jsonschema::{Draft, Validator};
use serde_json::{Map, Value, json};

use crate::support::Answer;

/// The document as the code makes it.
pub static DOCUMENT: LazyLock<Value> = LazyLock::new(openapi::document);

const JSON: &str = "application/json";
const PROBLEM: &str = "application/problem+json";

/// Validators of answers, by path, method, status and media type.
static VALIDATORS: LazyLock<HashMap<(String, String, String, String), Validator>> = LazyLock::new(|| {
    let mut validators = HashMap::new();
    for (path, method, operation) in operations() {
        for (status, response) in operation["responses"].as_object().unwrap() {
            for (media_type, content) in response["content"].as_object().unwrap() {
                let key = (path.to_owned(), method.clone(), status.clone(), media_type.clone());
                validators.insert(key, validator(&content["schema"]));
            }
        }
    }
    validators
});

static PROBLEM_VALIDATOR: LazyLock<Validator> =
    LazyLock::new(|| validator(&json!({ "$ref": "#/components/schemas/Problem" })));

static CLOSED_SCHEMAS: LazyLock<Value> = LazyLock::new(|| {
    let mut schemas = Map::new();
    for (name, schema) in DOCUMENT["components"]["schemas"].as_object().unwrap() {
        schemas.insert(name.clone(), closed(schema, true));
        schemas.insert(format!("{name}.part"), closed(schema, false));
    }
    Value::Object(schemas)
});

/// Every documented operation: path, method in capitals, description.
pub fn operations() -> impl Iterator<Item = (&'static str, String, &'static Value)> {
    DOCUMENT["paths"].as_object().unwrap().iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().unwrap().iter();
        methods.map(move |(method, operation)| (path.as_str(), method.to_uppercase(), operation))
    })
}

/// Every documented path with the examples of its parameters filled in.
pub fn paths() -> Vec<(&'static str, String)> {
    let mut paths: Vec<(&'static str, String)> = Vec::new();
    for (path, _, operation) in operations() {
        if paths.iter().all(|(seen, _)| *seen != path) {
            paths.push((path, filled(path, operation)));
        }
    }
    paths
}

/// Paths that take a method, filled in.
pub fn paths_with(method: &str) -> Vec<String> {
    let takes = operations().filter(|(_, taken, _)| taken == method);
    takes.map(|(path, _, operation)| filled(path, operation)).collect()
}

fn filled(path: &str, operation: &Value) -> String {
    operation["parameters"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|parameter| parameter["in"] == "path")
        .fold(path.to_owned(), |path, parameter| {
            let name = parameter["name"].as_str().unwrap();
            path.replace(&format!("{{{name}}}"), parameter["example"].as_str().unwrap())
        })
}

/// Holds an answer against the document.
#[track_caller]
pub fn check(method: &str, path: &str, answer: &Answer) {
    let place = format!("{method} {path} -> {}", answer.status);
    check_headers(&place, answer);
    let media_type = answer.header("content-type").map(|value| value.split(';').next().unwrap().trim());
    if matches!(answer.status, 204 | 304 | 307) || method == "HEAD" {
        assert!(answer.body.is_empty(), "{place}: has a body");
        return;
    }
    let media_type = media_type.unwrap_or_else(|| panic!("{place}: no content type"));
    if answer.status >= 400 {
        check_problem(&place, media_type, answer);
    }
    let Some(template) = template(path, method) else {
        assert!(
            [401, 404, 405, 406, 429].contains(&answer.status) || path.starts_with("/docs"),
            "{place}: not documented"
        );
        return;
    };
    let key = (template, method.to_owned(), answer.status.to_string(), media_type.to_owned());
    let Some(validator) = VALIDATORS.get(&key) else { panic!("{place}: {key:?} is not documented") };
    if [JSON, PROBLEM].contains(&media_type) {
        let faults: Vec<String> = validator.iter_errors(&answer.json()).map(describe).collect();
        assert!(faults.is_empty(), "{place}: {faults:#?}");
    }
}

fn check_headers(place: &str, answer: &Answer) {
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        assert_eq!(answer.header(name), Some(value), "{place}: {name}");
    }
    let policy = answer.header("content-security-policy").unwrap_or_else(|| panic!("{place}: no policy"));
    assert!(policy.contains("frame-ancestors 'none'"), "{place}: {policy}");
    assert!(answer.header("link").is_some_and(|link| link.contains("service-desc")), "{place}: no link");
    let id = answer.header("x-request-id").unwrap_or_else(|| panic!("{place}: no request id"));
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    assert!((1..=64).contains(&id.len()) && id.bytes().all(plain), "{place}: request id {id}");
}

fn check_problem(place: &str, media_type: &str, answer: &Answer) {
    assert_eq!(media_type, PROBLEM, "{place}");
    assert_eq!(answer.header("cache-control"), Some("no-store"), "{place}");
    let body = answer.json();
    let faults: Vec<String> = PROBLEM_VALIDATOR.iter_errors(&body).map(describe).collect();
    assert!(faults.is_empty(), "{place}: {faults:#?}");
    let id = answer.header("x-request-id").unwrap();
    assert_eq!(body["status"], answer.status, "{place}");
    assert_eq!(body["request_id"], id, "{place}");
    assert_eq!(body["instance"], format!("urn:coxa:request:{id}"), "{place}");
    assert_eq!(body["type"], format!("/problems/{}", body["code"].as_str().unwrap()), "{place}");
}

/// The documented path of an operation that a request goes to.
fn template(path: &str, method: &str) -> Option<String> {
    let path = path.split('?').next().unwrap();
    let matches = |template: &str| {
        let (wanted, given): (Vec<&str>, Vec<&str>) =
            (template.split('/').collect(), path.split('/').collect());
        wanted.len() == given.len()
            && wanted
                .iter()
                .zip(&given)
                .all(|(wanted, given)| wanted == given || (wanted.starts_with('{') && !given.is_empty()))
    };
    operations()
        .find(|(template, taken, _)| taken == method && matches(template))
        .map(|(path, _, _)| path.to_owned())
}

fn describe(error: jsonschema::ValidationError<'_>) -> String {
    format!("{}: {error}", error.instance_path())
}

fn validator(schema: &Value) -> Validator {
    let mut whole = closed(schema, true);
    whole.as_object_mut().unwrap().insert("components".into(), json!({ "schemas": *CLOSED_SCHEMAS }));
    jsonschema::options().with_draft(Draft::Draft202012).build(&whole).unwrap()
}

/// A schema that refuses fields it does not name. Parts of a composition stay open: the whole closes them.
fn closed(schema: &Value, whole: bool) -> Value {
    let Value::Object(schema) = schema else { return schema.clone() };
    let mut made = Map::new();
    for (key, value) in schema {
        let value = match key.as_str() {
            "$ref" if !whole => json!(format!("{}.part", value.as_str().unwrap())),
            "allOf" | "oneOf" | "anyOf" => {
                value.as_array().unwrap().iter().map(|part| closed(part, false)).collect()
            }
            "items" | "additionalProperties" => closed(value, true),
            "properties" => {
                let properties = value.as_object().unwrap().iter();
                properties.map(|(name, property)| (name.clone(), closed(property, true))).collect()
            }
            _ => value.clone(),
        };
        made.insert(key.clone(), value);
    }
    if whole && ["properties", "allOf", "oneOf", "anyOf"].iter().any(|key| schema.contains_key(*key)) {
        made.insert("unevaluatedProperties".into(), json!(false));
    }
    Value::Object(made)
}

#[test]
fn the_contract_refuses_a_field_that_is_not_documented_at_any_depth() {
    let key = |path: &str| (path.to_owned(), "GET".to_owned(), "200".to_owned(), JSON.to_owned());
    let stamp = json!({ "version": "1", "sha256": "0".repeat(64) });
    let version = json!({ "name": "coxa", "version": "1", "commit": "unknown", "catalogue": stamp });
    let validator = &VALIDATORS[&key("/version")];
    assert!(validator.is_valid(&version));
    for (pointer, field) in [("", "more"), ("/catalogue", "more"), ("", "null_value")] {
        let mut more = version.clone();
        more.pointer_mut(pointer).unwrap()[field] = Value::Null;
        assert!(!validator.is_valid(&more), "{pointer}/{field}");
    }
    let mut less = version.clone();
    less.as_object_mut().unwrap().remove("commit");
    assert!(!validator.is_valid(&less));
    // The overview of `/` is a composition: its parts are closed as one.
    let names = [
        "assessments",
        "questionnaire",
        "findings",
        "measures",
        "conditions",
        "return_to_run",
        "catalogue",
        "model_card",
        "docs",
        "openapi",
    ];
    let links: Map<String, Value> = names.into_iter().map(|name| (name.to_owned(), json!("/"))).collect();
    let mut overview = version;
    overview["description"] = json!("text");
    overview["links"] = Value::Object(links);
    let validator = &VALIDATORS[&key("/")];
    assert!(
        validator.is_valid(&overview),
        "{:?}",
        validator.iter_errors(&overview).map(describe).collect::<Vec<_>>()
    );
    overview["more"] = json!(1);
    assert!(!validator.is_valid(&overview));
}
