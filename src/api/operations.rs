//! `/livez`, `/readyz`, `/version`: what those who run the service ask; with `/metrics` beside them where operations
//! have a listener of their own.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use actix_web::{
    App, Error, HttpRequest, HttpResponse,
    body::{BoxBody, EitherBody},
    dev::{ServiceFactory, ServiceRequest, ServiceResponse},
    http::header,
    middleware::from_fn,
    routes, web,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    Parts,
    access::{Access, AccessRules},
    envelope,
    knowledge::{Current, Knowledge},
    metrics::{CONTENT_TYPE, Metrics},
    openapi::OperationProblems,
    problem::{Problem, ProblemBody, ProblemKind},
    stamp::CatalogueStamp,
};

/// Whether the service is about to stop; shared with whoever takes the signals.
#[derive(Debug, Clone)]
pub struct Draining(pub Arc<AtomicBool>);

/// Whether the service can do its work.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// `ok` while it can, `draining` once it is about to stop.
    pub status: &'static str,
}

/// Which build of the service answers, with which catalogue.
#[derive(Debug, Serialize, ToSchema)]
pub struct Version {
    /// Name of the service.
    pub name: &'static str,
    /// Version of the service.
    pub version: &'static str,
    /// The commit that it was built from, or `unknown`.
    pub commit: &'static str,
    /// The catalogue that it answers with.
    pub catalogue: CatalogueStamp,
}

impl Version {
    /// This build with a catalogue.
    #[must_use]
    pub fn of(knowledge: &Knowledge) -> Self {
        Self {
            name: env!("CARGO_PKG_NAME"),
            version: env!("CARGO_PKG_VERSION"),
            commit: option_env!("COXA_COMMIT").unwrap_or("unknown"),
            catalogue: CatalogueStamp::of(knowledge.catalogue()),
        }
    }
}

fn fresh<T: Serialize>(value: &T) -> HttpResponse {
    HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(value)
}

/// Tell whether the process is alive
#[utoipa::path(get, path = "/livez", operation_id = "getLiveness", tag = "operations",
    description = "200 while the process can answer at all. Restart it when this fails.",
    responses((status = 200, description = "It is alive", body = Health), OperationProblems))]
#[routes]
#[get("/livez")]
#[head("/livez")]
pub(super) async fn get_liveness() -> HttpResponse {
    fresh(&Health { status: "ok" })
}

/// Tell whether the service takes requests
#[utoipa::path(get, path = "/readyz", operation_id = "getReadiness", tag = "operations",
    description = "200 while new requests should be sent here, 503 once it is about to stop. It only listens once its catalogue is read and checked.",
    responses(
        (status = 200, description = "It takes requests", body = Health),
        (status = 503, description = "It still answers, but is about to stop", body = ProblemBody, content_type = "application/problem+json"),
        OperationProblems,
    ))]
#[routes]
#[get("/readyz")]
#[head("/readyz")]
pub(super) async fn get_readiness(draining: web::Data<Draining>) -> Result<HttpResponse, Problem> {
    if draining.0.load(Ordering::Relaxed) {
        return Err(Problem::new(
            ProblemKind::Draining,
            "the service is about to stop; send requests elsewhere",
        ));
    }
    Ok(fresh(&Health { status: "ok" }))
}

/// Tell which build answers
#[utoipa::path(get, path = "/version", operation_id = "getVersion", tag = "operations",
    description = "Version and commit of the service, and the catalogue that it answers with.",
    responses((status = 200, description = "The build", body = Version), OperationProblems))]
#[routes]
#[get("/version")]
#[head("/version")]
pub(super) async fn get_version(knowledge: Current) -> HttpResponse {
    fresh(&Version::of(&knowledge))
}

/// Every path of the listener for operations.
const OPERATIONS: [&str; 4] = ["/livez", "/metrics", "/readyz", "/version"];

/// The application behind the listener for operations. It counts and logs none of its own requests: probes and scrapes
/// would drown those of clients.
pub fn operations_app(
    parts: Parts,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<EitherBody<BoxBody>>,
        Error = Error,
        InitError = (),
    >,
> {
    App::new()
        .service(get_liveness)
        .service(get_readiness)
        .service(get_version)
        .service(get_metrics)
        .default_service(web::to(elsewhere))
        .app_data(web::Data::new(parts.knowledge))
        // Whoever reaches this listener may ask: it is bound where nobody else does.
        .app_data(web::Data::new(Access::new(AccessRules::default())))
        .app_data(web::Data::new(parts.envelope))
        .app_data(web::Data::new(parts.draining))
        .app_data(web::Data::new(parts.observers.metrics))
        .wrap(from_fn(envelope::envelope))
}

/// Every metric as text. Not in the document: it is not there for clients.
#[routes]
#[get("/metrics")]
#[head("/metrics")]
async fn get_metrics(metrics: web::Data<Metrics>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::CONTENT_TYPE, CONTENT_TYPE))
        .body(metrics.to_text())
}

/// What is not there for operations.
async fn elsewhere(request: HttpRequest) -> Result<HttpResponse, Problem> {
    if OPERATIONS.contains(&request.path()) {
        let mut problem = Problem::new(ProblemKind::MethodNotAllowed, "this path takes GET, HEAD");
        problem.allow = Some("GET, HEAD".into());
        return Err(problem);
    }
    let detail = format!("there is nothing at this path; here are {}", OPERATIONS.join(", "));
    Err(Problem::new(ProblemKind::UnknownRoute, detail))
}
