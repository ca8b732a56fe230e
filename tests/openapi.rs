//! The OpenAPI document is made from the code, and its examples are real answers.
//!
//! `UPDATE_OPENAPI=1 cargo test --test openapi` rewrites `openapi/openapi.json`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "tests say what they expect by failing, in their helpers too"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use coxa::{
    api::{
        openapi,
        problem::{Problem, ProblemKind},
    },
    settings::{Overrides, Settings},
    startup::Service,
};
use serde_json::{Map, Value, json};

const COMMITTED: &str = "openapi/openapi.json";
const REQUEST_ID: &str = "example-request";

/// A server of its own on a free port.
fn serve() -> String {
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let listen = Overrides { listen: Some("127.0.0.1:0".parse().unwrap()), ..Overrides::default() };
            // The tests ask for much at once, of a build that is slow.
            let variables = [("COXA__SERVER__WORKERS", "1"), ("COXA__SERVER__MAX_QUEUE_DELAY", "0")];
            let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
            let settings = Settings::read(&listen, variables).unwrap();
            let service = Service::start(&settings).unwrap();
            sender.send(format!("http://{}", service.address())).unwrap();
            service.run().await.unwrap();
        });
    });
    receiver.recv().unwrap()
}

struct Client {
    base: String,
    http: reqwest::Client,
}

impl Client {
    fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let method = method.to_uppercase().parse().unwrap();
        self.http.request(method, format!("{}{path}", self.base)).header("x-request-id", REQUEST_ID)
    }

    /// Status, media type and body.
    async fn send(&self, request: reqwest::RequestBuilder) -> (u16, String, String) {
        let answer = request.send().await.unwrap();
        let media_type = answer.headers()["content-type"].to_str().unwrap();
        let media_type = media_type.split(';').next().unwrap().to_owned();
        (answer.status().as_u16(), media_type, answer.text().await.unwrap())
    }
}

/// Example requests of an operation that takes a body, by name: its folder is named after the last word of its path.
///
/// An example may name a `path` of its own, where the operation's has parameters, and may say that its answer is
/// `trimmed`.
fn examples_of(path: &str) -> BTreeMap<String, Value> {
    let folder = format!("openapi/examples/{}", path.rsplit('/').next().unwrap());
    fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{folder}: {error}"))
        .map(|file| {
            let path = file.unwrap().path();
            let name = path.file_stem().unwrap().to_string_lossy().replace('-', "_");
            (name, serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap())
        })
        .collect()
}

/// An answer short enough to read: lists keep their first two entries.
fn trimmed(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().take(2).map(trimmed).collect(),
        Value::Object(fields) => fields.iter().map(|(key, value)| (key.clone(), trimmed(value))).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

/// The path of an operation with the examples of its parameters filled in.
fn filled(path: &str, operation: &Value) -> String {
    let mut filled = path.to_owned();
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        if parameter["in"] == "path" {
            let example = parameter["example"]
                .as_str()
                .unwrap_or_else(|| panic!("{path}: a path parameter has no example"));
            filled = filled.replace(&format!("{{{}}}", parameter["name"].as_str().unwrap()), example);
        }
    }
    filled
}

/// The document with real answers as examples.
async fn document(client: &Client) -> Value {
    let mut document = openapi::document();
    let schemas = document["components"]["schemas"].clone();
    let mut found = BTreeMap::new();
    let paths: Vec<String> = document["paths"].as_object().unwrap().keys().cloned().collect();
    for path in paths {
        let methods: Vec<String> = document["paths"][&path].as_object().unwrap().keys().cloned().collect();
        for method in methods {
            let operation = document["paths"][&path][&method].clone();
            let filled_path = filled(&path, &operation);
            let mut examples = Examples { client, operation, path: filled_path, method };
            examples.success().await;
            examples.problems().await;
            examples.harvest(&schemas, &mut found).await;
            document["paths"][&path][&examples.method] = examples.operation;
        }
    }
    for (name, schema) in document["components"]["schemas"].as_object_mut().unwrap() {
        schema["example"] =
            found.remove(name).unwrap_or_else(|| panic!("the schema {name} occurs in no example"));
    }
    document
}

struct Examples<'a> {
    client: &'a Client,
    operation: Value,
    path: String,
    method: String,
}

impl Examples<'_> {
    async fn success(&mut self) {
        if self.method == "post" {
            return self.posted().await;
        }
        let (status, media_type, body) =
            self.client.send(self.client.request(&self.method, &self.path)).await;
        assert_eq!(status, 200, "{}: {body}", self.path);
        let example = match self.path.as_str() {
            // The document would stand in itself.
            "/openapi.json" => json!({ "openapi": "3.1.0", "info": { "title": "coxa" } }),
            _ if media_type == "application/json" => trimmed(&serde_json::from_str(&body).unwrap()),
            _ => json!(body.lines().next().unwrap().chars().take(200).collect::<String>()),
        };
        let content = &mut self.operation["responses"]["200"]["content"];
        assert!(
            content.get(&media_type).is_some(),
            "{}: answers in {media_type}, which is not documented",
            self.path
        );
        content[&media_type]["example"] = example;
    }

    async fn posted(&mut self) {
        let (mut requests, mut answers) = (Map::new(), Map::new());
        for (name, example) in examples_of(&self.path) {
            let path = example["path"].as_str().unwrap_or(&self.path);
            let request = self.client.request("post", path).json(&example["request"]);
            let (status, _, body) = self.client.send(request).await;
            assert_eq!(status, 200, "{name}: {body}");
            let mut answer: Value = serde_json::from_str(&body).unwrap();
            // A step of a long example shows what changes from step to step; the others are whole.
            if example["trimmed"] == true {
                answer = trimmed(&answer);
            }
            requests
                .insert(name.clone(), json!({ "summary": example["summary"], "value": example["request"] }));
            answers.insert(name, json!({ "summary": example["summary"], "value": answer }));
        }
        self.operation["requestBody"]["content"]["application/json"]["examples"] = Value::Object(requests);
        self.operation["responses"]["200"]["content"]["application/json"]["examples"] =
            Value::Object(answers);
    }

    async fn problems(&mut self) {
        let statuses: Vec<String> = self.operation["responses"]
            .as_object()
            .unwrap()
            .keys()
            .filter(|status| *status != "200")
            .cloned()
            .collect();
        for status in statuses {
            let example = self.problem(&status).await;
            self.operation["responses"][&status]["content"]["application/problem+json"]["example"] = example;
        }
    }

    /// Notes an example of each schema that occurs in the operation's requests and answers, lists untrimmed.
    async fn harvest(&self, schemas: &Value, found: &mut BTreeMap<String, Value>) {
        let bodies =
            self.operation["responses"].as_object().unwrap().values().chain([&self.operation["requestBody"]]);
        for content in bodies.filter_map(|body| body["content"].as_object()).flat_map(Map::values) {
            let named = content["examples"]
                .as_object()
                .into_iter()
                .flat_map(Map::values)
                .map(|example| &example["value"]);
            named
                .chain(content.get("example"))
                .for_each(|example| harvest(schemas, &content["schema"], example, found));
        }
        let schema = &self.operation["responses"]["200"]["content"]["application/json"]["schema"];
        if self.method == "get" && !schema.is_null() {
            // Some parts occur in a few entries alone.
            let dangerous = "femoral-neck-stress-fracture";
            let more =
                self.path.replace("hip-osteoarthritis", dangerous).replace("gluteal-tendinopathy", dangerous);
            for path in [&self.path, &more] {
                let (_, _, body) = self.client.send(self.client.request("get", path)).await;
                harvest(schemas, schema, &serde_json::from_str(&body).unwrap(), found);
            }
        }
    }

    /// A real problem of a status; faults of the service itself cannot be provoked and are made by its own code.
    async fn problem(&self, status: &str) -> Value {
        let (method, path) = (self.method.as_str(), self.path.as_str());
        let posted = |body: &'static str| {
            self.client.request("post", path).header("content-type", "application/json").body(body)
        };
        let request = match (status, method) {
            ("400", "post") => posted("{\"age\": 30,}"),
            ("404", _) => {
                let mut unknown = path.to_owned();
                let last =
                    unknown.rfind(|letter: char| letter.is_ascii_alphabetic() && letter != 'n').unwrap();
                let last =
                    if path.ends_with("/escalation") { path.rfind("/escalation").unwrap() - 1 } else { last };
                unknown.replace_range(last..=last, "x");
                self.client.request("get", &unknown)
            }
            ("406", _) => self.client.request(method, path).header("accept", "text/csv"),
            ("413", _) => posted("").body(" ".repeat(40_000)),
            ("415", _) => self.client.request("post", path).header("content-type", "text/plain").body("{}"),
            ("422", "post") => {
                posted(r#"{"age": -1, "sex": "womn", "present": ["loc-gorin"], "symptoms": []}"#)
            }
            ("422", _) => self.client.request("get", &format!("{path}?limt=5")),
            _ => {
                let kind = match status {
                    "401" => ProblemKind::Unauthorized,
                    "429" => ProblemKind::TooManyRequests,
                    "431" => ProblemKind::HeadTooLarge,
                    "408" => ProblemKind::RequestTimeout,
                    "500" => ProblemKind::InternalError,
                    "503" => ProblemKind::Draining,
                    other => panic!("{path}: no example for {other}"),
                };
                return serde_json::to_value(Problem::new(kind, kind.title()).body(REQUEST_ID)).unwrap();
            }
        };
        let (real, media_type, body) = self.client.send(request).await;
        assert_eq!(
            (real.to_string().as_str(), media_type.as_str()),
            (status, "application/problem+json"),
            "{path}: {body}"
        );
        serde_json::from_str(&body).unwrap()
    }
}

/// Notes the first example of each schema that occurs in a value.
fn harvest(schemas: &Value, schema: &Value, example: &Value, found: &mut BTreeMap<String, Value>) {
    if let Some(name) =
        schema["$ref"].as_str().and_then(|reference| reference.strip_prefix("#/components/schemas/"))
    {
        found.entry(name.to_owned()).or_insert_with(|| trimmed(example));
        return harvest(schemas, &schemas[name], example, found);
    }
    for part in ["oneOf", "anyOf"].iter().filter_map(|key| schema[key].as_array()).flatten() {
        harvest(schemas, part, example, found);
    }
    for part in schema["allOf"].as_array().into_iter().flatten() {
        harvest(schemas, part, &own_part(schemas, part, example), found);
    }
    for (key, property) in schema["properties"].as_object().into_iter().flatten() {
        if let Some(value) = example.get(key) {
            harvest(schemas, property, value, found);
        }
    }
    if let (Some(items), Some(values)) = (schema.get("items"), example.as_array()) {
        values.iter().for_each(|value| harvest(schemas, items, value, found));
    }
}

/// The fields of an example that a part of `allOf` describes itself.
fn own_part(schemas: &Value, part: &Value, example: &Value) -> Value {
    let name = part["$ref"].as_str().and_then(|reference| reference.strip_prefix("#/components/schemas/"));
    let described = name.map_or(part, |name| &schemas[name]);
    let (Some(properties), Some(fields)) = (described["properties"].as_object(), example.as_object()) else {
        return example.clone();
    };
    fields
        .iter()
        .filter(|(key, _)| properties.contains_key(*key))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

fn operations(document: &Value) -> impl Iterator<Item = &Value> {
    document["paths"].as_object().unwrap().values().flat_map(|item| item.as_object().unwrap().values())
}

fn client() -> Client {
    Client { base: serve(), http: reqwest::Client::new() }
}

#[tokio::test]
async fn the_committed_document_is_what_the_code_makes_and_what_the_service_serves() {
    let client = client();
    let made = openapi::to_text(&document(&client).await);
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        return fs::write(COMMITTED, made).unwrap();
    }
    let committed = fs::read_to_string(COMMITTED).unwrap();
    assert!(
        made == committed,
        "{COMMITTED} is out of date: run UPDATE_OPENAPI=1 cargo test --test openapi, then build again"
    );
    let (_, _, served) = client.send(client.request("get", "/openapi.json")).await;
    assert!(served == committed, "the binary was built with another {COMMITTED}");
    let (_, media_type, yaml) = client.send(client.request("get", "/openapi.yaml")).await;
    assert_eq!(media_type, "application/yaml");
    assert_eq!(
        yaml_serde::from_str::<Value>(&yaml).unwrap(),
        serde_json::from_str::<Value>(&committed).unwrap()
    );
}

#[tokio::test]
async fn every_example_of_a_query_parameter_is_accepted() {
    let client = client();
    let document = openapi::document();
    for (path, item) in document["paths"].as_object().unwrap() {
        for parameter in item["get"]["parameters"].as_array().into_iter().flatten() {
            if parameter["in"] == "query" {
                let name = parameter["name"].as_str().unwrap();
                let example = &parameter["example"];
                let example = example.as_str().map_or_else(|| example.to_string(), ToOwned::to_owned);
                let request = client.request("get", &filled(path, &item["get"])).query(&[(name, example)]);
                let (status, _, body) = client.send(request).await;
                assert_eq!(status, 200, "{path} {name}: {body}");
            }
        }
    }
}

#[test]
fn every_operation_and_schema_is_complete() {
    let document: Value = serde_json::from_str(&fs::read_to_string(COMMITTED).unwrap()).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    let mut ids = BTreeSet::new();
    for operation in operations(&document) {
        let id = operation["operationId"].as_str().unwrap();
        assert!(ids.insert(id.to_owned()), "{id} is the id of two operations");
        assert!(
            id.bytes().all(|byte| byte.is_ascii_alphanumeric()) && id.as_bytes()[0].is_ascii_lowercase(),
            "{id}"
        );
        for key in ["summary", "description"] {
            assert!(operation[key].as_str().is_some_and(|text| text.len() > 10), "{id} has no {key}");
        }
        assert_eq!(operation["tags"].as_array().unwrap().len(), 1, "{id}");
        for (status, response) in operation["responses"].as_object().unwrap() {
            assert!(response["description"].as_str().is_some_and(|text| !text.is_empty()), "{id} {status}");
            for content in response["content"].as_object().unwrap().values() {
                assert!(
                    content.get("example").or(content.get("examples")).is_some(),
                    "{id} {status} has no example"
                );
            }
        }
    }
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for (name, schema) in schemas {
        assert!(
            schema["description"].as_str().is_some_and(|text| !text.is_empty()),
            "{name} has no description"
        );
        assert!(schema.get("example").is_some(), "{name} has no example");
    }
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(schemas.contains_key(name), "{name} is referred to and does not exist");
    }
}

#[test]
fn every_property_is_in_snake_case_bounded_and_never_null() {
    fn walk(value: &Value, place: &str) {
        for (key, inner) in value.as_object().into_iter().flatten() {
            if ["example", "examples", "default"].contains(&key.as_str()) {
                continue;
            }
            if key == "properties" {
                for (name, property) in inner.as_object().unwrap() {
                    let snake = name
                        .bytes()
                        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
                    assert!(snake, "{place}.{name} is not in snake_case");
                    check(property, &format!("{place}.{name}"));
                }
            }
            walk(inner, &format!("{place}.{key}"));
        }
        value.as_array().into_iter().flatten().for_each(|inner| walk(inner, place));
    }
    fn check(property: &Value, place: &str) {
        assert_ne!(property["type"], "null", "{place}");
        assert!(!property["type"].is_array(), "{place} may be null; leave it out instead");
        match property["type"].as_str() {
            Some("string") => {
                assert!(property.get("maxLength").or(property.get("enum")).is_some(), "{place}")
            }
            Some("array") => assert!(property.get("maxItems").is_some(), "{place}"),
            Some("number" | "integer") => {
                assert!(
                    ["format", "minimum", "maximum"].iter().all(|key| property.get(key).is_some()),
                    "{place}"
                );
            }
            _ => {}
        }
    }
    let document: Value = serde_json::from_str(&fs::read_to_string(COMMITTED).unwrap()).unwrap();
    walk(&document["components"]["schemas"], "schemas");
}

#[tokio::test]
async fn the_examples_of_an_interview_lead_from_the_first_question_to_the_last() {
    let client = client();
    let steps: Vec<Value> = examples_of("/v1/assessments")
        .into_iter()
        .filter(|(name, _)| name.starts_with("interview_"))
        .map(|(_, example)| example["request"].clone())
        .collect();
    assert!(steps.len() >= 5);
    let mut asked: Option<Value> = None;
    for (place, request) in steps.iter().enumerate() {
        if let Some(question) = asked.take() {
            let before = &steps[place - 1];
            let mut told = false;
            for field in ["age", "sex"] {
                told |= before.get(field).is_none() && request.get(field).is_some();
            }
            for option in question["options"].as_array().unwrap() {
                let lists =
                    ["present", "absent"].map(|list| request[list].as_array().cloned().unwrap_or_default());
                told |= lists.concat().contains(&option["finding"]);
            }
            assert!(told, "step {} does not answer: {}", place + 1, question["text"]);
        }
        let (status, _, body) = client.send(client.request("post", "/v1/assessments").json(request)).await;
        assert_eq!(status, 200, "{body}");
        let answer: Value = serde_json::from_str(&body).unwrap();
        let interview = &answer["interview"];
        assert_eq!(interview["complete"], json!(place + 1 == steps.len()), "step {}: {interview}", place + 1);
        asked = interview.get("next_question").cloned();
    }
    assert!(asked.is_none(), "the last example still asks");
}

#[test]
fn examples_of_requests_stand_in_their_folders() {
    let document = openapi::document();
    let mut named = BTreeSet::new();
    for (path, _) in
        document["paths"].as_object().unwrap().iter().filter(|(_, item)| item["post"].is_object())
    {
        assert!(examples_of(path).len() >= 4, "{path}: a newcomer needs a handful of scenarios");
        named.insert(path.rsplit('/').next().unwrap().to_owned());
    }
    let folders = fs::read_dir("openapi/examples").unwrap();
    let folders: BTreeSet<String> =
        folders.map(|folder| folder.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(folders, named, "each folder is named after the last word of a path that takes a body");
}
