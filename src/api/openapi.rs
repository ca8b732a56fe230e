//! The OpenAPI document, made from the handlers and wire types.
//!
//! Parts that would only repeat themselves are added here to the whole: bounds for every text, list and
//! number, and the problem answers. Examples are real answers; a test asks a running server for them and
//! compares the result with `openapi/openapi.json`, which the binary carries and serves.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use utoipa::{
    IntoResponses, OpenApi,
    openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder},
};

use super::{
    access,
    assessment_request::{AssessmentOptions, AssessmentRequestBody, ExaminerWord, SexWord},
    problem::{FieldError, PROBLEM_JSON, ProblemBody},
};

/// The committed document.
pub const COMMITTED: &str = include_str!("../../openapi/openapi.json");

/// The longest text in an answer, in characters.
const LONGEST_TEXT: u64 = 4000;

/// The longest list in an answer.
const LONGEST_LIST: u64 = 1000;

/// The document without paths.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "coxa",
        description = "Hip pain in runners: what it may be, how urgent it is, which step of care comes next.\n\nInformation, not a diagnosis. Stateless and deterministic: nothing is stored, and the same request gives the same answer from the same catalogue, whose version and SHA-256 stand in every answer. Every figure comes with its evidence grade and sources; grade D is an estimate. A service may be set up to ask for a key under `/v1`, and to limit how often one client may ask. Answers may gain fields at any time; requests with fields that are not known are refused, so that a misspelt symptom is never dropped in silence.",
        contact(name = "The coxa authors"),
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    servers((url = "/", description = "The service that serves this document")),
    tags(
        (name = "assessment", description = "Answers in, ranked conditions and triage out"),
        (name = "escalation", description = "Which step of care comes next"),
        (name = "catalogue", description = "The knowledge behind every answer"),
        (name = "operations", description = "For those who run the service"),
    ),
    components(schemas(ProblemBody, FieldError, AssessmentRequestBody, AssessmentOptions, SexWord, ExaminerWord))
)]
struct Base;

/// The answer with a problem that goes with a status.
type ProblemAnswer = (u16, &'static str);

const NOT_ACCEPTABLE: ProblemAnswer = (406, "The answer is not available in a form that `Accept` allows.");
const INTERNAL: ProblemAnswer = (500, "The service failed to answer.");
const OVERLOADED: ProblemAnswer =
    (503, "The service has too much to do; `Retry-After` says when to ask again.");

/// Makes a type that names, in `responses(…)` of a handler, the problems that its requests may get.
macro_rules! problems {
    ($($(#[$what:meta])* $name:ident = [$($answer:expr),+ $(,)?];)+) => {$(
        $(#[$what])*
        pub(super) struct $name;

        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                problem_answers(&[$($answer),+])
            }
        }
    )+};
}

problems! {
    /// Problems of a request for a list.
    ListProblems = [
        NOT_ACCEPTABLE,
        (422, "A query parameter is not known or not valid."),
        INTERNAL,
        OVERLOADED,
    ];
    /// Problems of a request for one entry.
    EntryProblems = [
        (404, "The id is not in the catalogue."),
        NOT_ACCEPTABLE,
        (422, "A query parameter is given, and the path takes none."),
        INTERNAL,
        OVERLOADED,
    ];
    /// Problems of a request with a body.
    BodyProblems = [
        (400, "The body is not readable JSON, or gives a key twice."),
        NOT_ACCEPTABLE,
        (408, "The body did not arrive in time."),
        (413, "The body is larger than the limit."),
        (415, "The body is not plain `application/json`."),
        (422, "Parts of the body are not valid; all faults are listed at once."),
        INTERNAL,
        OVERLOADED,
    ];
    /// Problems of a request about the service itself.
    OperationProblems = [NOT_ACCEPTABLE, INTERNAL];
    /// Problems of a request for the document in another form than JSON.
    DocumentProblems = [INTERNAL];
    /// Problems of a request for a page about problems.
    PageProblems = [(404, "No problem has this code."), INTERNAL];
}

fn problem_answers(answers: &[ProblemAnswer]) -> BTreeMap<String, RefOr<Response>> {
    answers
        .iter()
        .map(|&(status, description)| {
            let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
            let answer =
                ResponseBuilder::new().description(description).content(PROBLEM_JSON, content).build();
            (status.to_string(), answer.into())
        })
        .collect()
}

/// The document of the routes, without examples.
#[must_use]
pub fn document() -> Value {
    use utoipa_actix_web::AppExt;
    let (_, document) = actix_web::App::new()
        .into_utoipa_app()
        .openapi(Base::openapi())
        .configure(super::routes)
        .split_for_parts();
    // The document is plain data: serialising cannot fail.
    let mut document = serde_json::to_value(document).unwrap_or_default();
    protect(&mut document);
    bound(&mut document);
    sort_schemas(&mut document);
    document
}

/// A document as the bytes that are committed and served.
#[must_use]
pub fn to_text(document: &Value) -> String {
    let mut text = serde_json::to_string_pretty(document).unwrap_or_default();
    text.push('\n');
    text
}

/// The committed document as YAML.
#[must_use]
pub fn committed_yaml() -> String {
    let document: Value = serde_json::from_str(COMMITTED).unwrap_or_default();
    yaml_serde::to_string(&document).unwrap_or_default()
}

/// Says of every operation whether it may need a key and whether it is limited, and which answers follow from that.
fn protect(document: &mut Value) {
    if let Some(Value::Object(components)) = document.get_mut("components") {
        components.insert(
            "securitySchemes".into(),
            json!({
                "bearer": {
                    "type": "http", "scheme": "bearer",
                    "description": "A key, where the service is set up to ask for one.",
                },
                "api_key": {
                    "type": "apiKey", "in": "header", "name": "X-API-Key",
                    "description": "The same key in a header of its own.",
                },
            }),
        );
    }
    let Some(Value::Object(paths)) = document.get_mut("paths") else { return };
    for (path, item) in paths.iter_mut() {
        for operation in item.as_object_mut().into_iter().flat_map(Map::values_mut) {
            let Value::Object(operation) = operation else { continue };
            let keyed = !access::is_open(path);
            let security = if keyed { json!([{}, { "bearer": [] }, { "api_key": [] }]) } else { json!([]) };
            operation.insert("security".into(), security);
            let Some(Value::Object(responses)) = operation.get_mut("responses") else { continue };
            if keyed {
                responses.insert(
                    "401".into(),
                    problem(
                        "The service asks for a key, and the request bears none that it knows.",
                        json!({ "WWW-Authenticate": header("How to send a key.", "Bearer realm=\"coxa\"") }),
                    ),
                );
            }
            if !access::is_probe(path) {
                responses.insert(
                    "429".into(),
                    problem(
                        "The service has a rate limit, and this client has reached it.",
                        json!({
                            "RateLimit": header("Requests left, and seconds until all of them are back.", "\"default\";r=0;t=60"),
                            "RateLimit-Policy": header("Requests in a window of so many seconds.", "\"default\";q=60;w=60"),
                            "Retry-After": header("Seconds until the next request is taken.", "1"),
                        }),
                    ),
                );
            }
            responses.insert(
                "431".into(),
                problem(
                    "Path, query and headers together are longer than 32 KiB, or there are too many headers.",
                    json!({ "Connection": header("The connection is not used again.", "close") }),
                ),
            );
            let mut sorted: Vec<(String, Value)> = std::mem::take(responses).into_iter().collect();
            sorted.sort_by(|one, other| one.0.cmp(&other.0));
            responses.extend(sorted);
        }
    }
}

fn problem(description: &str, headers: Value) -> Value {
    json!({
        "description": description,
        "headers": headers,
        "content": { (PROBLEM_JSON): { "schema": { "$ref": "#/components/schemas/Problem" } } },
    })
}

fn header(description: &str, example: &str) -> Value {
    json!({ "description": description, "schema": { "type": "string", "maxLength": 100 }, "example": example })
}

/// Gives every text, list and number of a schema a bound, where it has none.
fn bound(value: &mut Value) {
    match value {
        Value::Object(object) => {
            bound_schema(object);
            // Examples and defaults are data, not schemas.
            for (key, inner) in object.iter_mut() {
                if !matches!(key.as_str(), "example" | "examples" | "default" | "enum") {
                    bound(inner);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(bound),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn bound_schema(schema: &mut Map<String, Value>) {
    let types: Vec<String> = match schema.get("type") {
        Some(Value::String(one)) => vec![one.clone()],
        Some(Value::Array(several)) => {
            several.iter().filter_map(|one| one.as_str().map(ToOwned::to_owned)).collect()
        }
        _ => return,
    };
    // A field that may be left out is left out, never null.
    if let [one, null] = types.as_slice()
        && null == "null"
    {
        schema.insert("type".into(), json!(one));
    }
    match types.first().map(String::as_str) {
        Some("string") if !schema.contains_key("enum") => {
            schema.entry("maxLength").or_insert(json!(LONGEST_TEXT));
        }
        Some("array") => {
            schema.entry("maxItems").or_insert(json!(LONGEST_LIST));
        }
        Some("integer") => {
            schema.entry("format").or_insert(json!("int32"));
            schema.entry("minimum").or_insert(json!(0));
            schema.entry("maximum").or_insert(json!(1_000_000));
        }
        Some("number") => {
            schema.entry("format").or_insert(json!("double"));
            schema.entry("minimum").or_insert(json!(-1000));
            schema.entry("maximum").or_insert(json!(1_000_000));
        }
        _ => {}
    }
    // `oneOf [null, $ref]` breaks several client generators and says no more than leaving it out.
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        for property in properties.values_mut() {
            unwrap_nullable(property);
        }
    }
}

fn unwrap_nullable(property: &mut Value) {
    let Some(Value::Array(options)) = property.get("oneOf") else { return };
    let mut real: Vec<Value> = options
        .iter()
        .filter(|option| option.get("type").and_then(Value::as_str) != Some("null"))
        .cloned()
        .collect();
    if real.len() + 1 != options.len() || real.len() != 1 {
        return;
    }
    let (Some(mut only), Some(object)) = (real.pop(), property.as_object_mut()) else { return };
    object.remove("oneOf");
    if let (Value::Object(only), Some(description)) = (&mut only, object.remove("description")) {
        only.insert("description".into(), description);
    }
    *property = only;
}

/// Schemas in the order of their names: independent of the order of routes.
fn sort_schemas(document: &mut Value) {
    if let Some(Value::Object(schemas)) = document.pointer_mut("/components/schemas") {
        let mut sorted: Vec<(String, Value)> = std::mem::take(schemas).into_iter().collect();
        sorted.sort_by(|one, other| one.0.cmp(&other.0));
        schemas.extend(sorted);
    }
}
