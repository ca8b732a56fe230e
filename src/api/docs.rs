//! `/`, `/openapi.json`, `/openapi.yaml`, `/docs`, `/problems/{code}`: how to use the service, from the service.

use std::sync::{Arc, LazyLock};

use actix_web::{HttpRequest, HttpResponse, guard, http::header, routes, web};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_swagger_ui::Config;

use super::{
    elsewhere,
    knowledge::Current,
    openapi::{self, DocumentProblems, OperationProblems, PageProblems},
    operations::Version,
    problem::{Problem, ProblemKind},
    representation::Representation,
    unknown_id,
};

/// What the documentation page may load: its own files and nothing else.
pub(super) const DOCS_POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

static JSON: LazyLock<Representation> = LazyLock::new(|| {
    Representation::new(web::Bytes::from_static(openapi::COMMITTED.as_bytes()), "application/json")
});

static YAML: LazyLock<Representation> =
    LazyLock::new(|| Representation::new(openapi::committed_yaml().into(), "application/yaml"));

/// The way in.
#[derive(Debug, Serialize, ToSchema)]
pub struct ServiceOverview {
    /// The build that answers.
    #[serde(flatten)]
    pub version: Version,
    /// What the service is.
    pub description: &'static str,
    /// Where to go from here.
    pub links: ServiceLinks,
}

/// Where to go from the root.
#[derive(Debug, Serialize, ToSchema)]
pub struct ServiceLinks {
    /// Post answers here.
    pub assessments: &'static str,
    /// Every question in the order of asking.
    pub questionnaire: &'static str,
    /// What can be reported.
    pub findings: &'static str,
    /// Numbers that apps know.
    pub measures: &'static str,
    /// What hip pain may be.
    pub conditions: &'static str,
    /// Plans back to running.
    pub return_to_run: &'static str,
    /// What the knowledge is.
    pub catalogue: &'static str,
    /// How good the answers were.
    pub model_card: &'static str,
    /// A page to read and to try everything.
    pub docs: &'static str,
    /// The OpenAPI document.
    pub openapi: &'static str,
}

/// Get the way in
#[utoipa::path(get, path = "/", operation_id = "getService", tag = "operations",
    description = "Name, version and links of the service.",
    responses((status = 200, description = "The way in", body = ServiceOverview), OperationProblems))]
#[routes]
#[get("/")]
#[head("/")]
pub(super) async fn get_service(request: HttpRequest, knowledge: Current) -> HttpResponse {
    Representation::json(&ServiceOverview {
        version: Version::of(&knowledge),
        description: "Hip pain in runners: what it may be, how urgent it is, which step of care comes next. \
                      Information, not a diagnosis.",
        links: ServiceLinks {
            assessments: "/v1/assessments",
            questionnaire: "/v1/questionnaire",
            findings: "/v1/findings",
            measures: "/v1/measures",
            conditions: "/v1/conditions",
            return_to_run: "/v1/return-to-run",
            catalogue: "/v1/catalogue",
            model_card: "/v1/model-card",
            docs: "/docs",
            openapi: "/openapi.json",
        },
    })
    .respond(&request)
}

/// Get this document as JSON
#[utoipa::path(get, path = "/openapi.json", operation_id = "getOpenapiJson", tag = "operations",
    description = "The OpenAPI document of the service.",
    responses((status = 200, description = "The document", body = serde_json::Value), OperationProblems))]
#[routes]
#[get("/openapi.json")]
#[head("/openapi.json")]
pub(super) async fn get_openapi_json(request: HttpRequest) -> HttpResponse {
    JSON.respond(&request)
}

/// Get this document as YAML
#[utoipa::path(get, path = "/openapi.yaml", operation_id = "getOpenapiYaml", tag = "operations",
    description = "The OpenAPI document of the service, in YAML.",
    responses((status = 200, description = "The document", body = serde_json::Value, content_type = "application/yaml"), DocumentProblems))]
#[routes]
#[get("/openapi.yaml")]
#[head("/openapi.yaml")]
pub(super) async fn get_openapi_yaml(request: HttpRequest) -> HttpResponse {
    YAML.respond(&request)
}

/// Read about a kind of problem
#[utoipa::path(get, path = "/problems/{code}", operation_id = "getProblemPage", tag = "operations",
    description = "A page that says what a kind of problem means and what to do about it; the `type` of a problem leads here.",
    params(("code" = String, Path, description = "Code of a problem", max_length = 64, pattern = "^[a-z0-9]+(-[a-z0-9]+)*$", example = "invalid-request")),
    responses((status = 200, description = "The page", body = String, content_type = "text/html"), PageProblems))]
#[routes]
#[get("/problems/{code}")]
#[head("/problems/{code}")]
pub(super) async fn get_problem_page(
    request: HttpRequest,
    code: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let kind = ProblemKind::ALL
        .iter()
        .find(|kind| kind.slug() == code.as_str())
        .ok_or_else(|| unknown_id("problem", &code, ProblemKind::ALL.iter().map(|kind| kind.slug())))?;
    // Slugs, titles and remedies are constants of this program: nothing to escape.
    let page = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title></head>\
         <body><h1>{title}</h1><p>HTTP {status}, code <code>{slug}</code></p><p>{remedy}</p>\
         <p><a href=\"/docs\">All operations</a></p></body></html>\n",
        title = kind.title(),
        status = kind.status().as_u16(),
        slug = kind.slug(),
        remedy = kind.remedy(),
    );
    Ok(Representation::new(page.into(), "text/html; charset=utf-8").respond(&request))
}

/// The documentation page and its files, as path patterns.
pub(super) const PAGES: [&str; 2] = ["/docs", "/docs/{file:.*}"];

/// Registers the documentation page and its files, which are not part of the document.
pub(super) fn page(config: &mut web::ServiceConfig) {
    let read = || web::route().guard(guard::Any(guard::Get()).or(guard::Head()));
    let [page, files] = PAGES;
    config
        .service(web::resource(page).route(read().to(to_page)).default_service(web::to(elsewhere)))
        .service(web::resource(files).route(read().to(file)).default_service(web::to(elsewhere)));
}

async fn to_page() -> HttpResponse {
    HttpResponse::TemporaryRedirect().insert_header((header::LOCATION, "/docs/")).finish()
}

async fn file(path: web::Path<String>, settings: web::Data<DocsPage>) -> Result<HttpResponse, Problem> {
    let missing =
        || Problem::new(ProblemKind::UnknownRoute, "the documentation has no such file; it begins at /docs/");
    let file = utoipa_swagger_ui::serve(&path, Arc::clone(&settings.0)).ok().flatten().ok_or_else(missing)?;
    let mut response = HttpResponse::Ok();
    response.insert_header((header::CONTENT_SECURITY_POLICY, DOCS_POLICY));
    if file.gzpipped {
        response.insert_header(header::ContentEncoding::Gzip);
    }
    Ok(response.content_type(file.content_type).body(file.bytes.into_owned()))
}

/// How the documentation page is set up.
pub(super) struct DocsPage(Arc<Config<'static>>);

impl DocsPage {
    pub(super) fn new() -> Self {
        let config = Config::new(["/openapi.json"])
            .validator_url("none")
            .try_it_out_enabled(true)
            .deep_linking(true)
            .display_request_duration(true);
        Self(Arc::new(config))
    }
}
