//! The only room that knows HTTP and JSON: wire types, handlers, problems, documentation.
//!
//! A handler reads the request into the domain, lets it decide, and turns the result into wire types. What
//! is *not* here: opening files and sockets, settings, and everything clinical.

pub mod about;
pub mod access;
mod assessment_request;
pub mod assessments;
mod body;
pub mod care;
mod client_address;
pub mod conditions;
mod cors;
pub mod docs;
mod envelope;
pub mod escalation;
pub mod evidence;
mod exchange;
mod fields;
pub mod findings;
pub mod guidance;
mod head_fault;
pub mod history;
pub mod interview;
mod json;
mod knowledge;
mod list;
pub mod measures;
pub mod metrics;
pub mod model_card;
pub mod next_step;
pub mod observation;
pub mod openapi;
pub mod operations;
pub mod problem;
mod query;
pub mod questionnaire;
pub mod rate_limit;
pub mod red_flags;
mod representation;
pub mod return_to_run;
pub mod sources;
pub mod stamp;
pub mod trace_context;
pub mod training;
pub mod triage;
pub mod what_if;

use actix_web::{
    App, Error, HttpRequest, HttpResponse,
    body::{BoxBody, EitherBody},
    dev::{ResourceDef, ServiceFactory, ServiceRequest, ServiceResponse},
    http::{Method, header},
    middleware::from_fn,
    web,
};
use utoipa_actix_web::service_config::ServiceConfig;

pub use assessments::assess_body;
pub use body::BodyLimit;
pub use envelope::EnvelopeSettings;
pub use exchange::{Backlog, Exchange};
pub use head_fault::{HeadFault, HeadRefusals};
pub use knowledge::{Knowledge, LiveKnowledge};
pub use metrics::Metrics;
pub use observation::Observers;
pub use operations::{Draining, operations_app};
use problem::{Problem, ProblemKind, echo};

use crate::catalogue::nearest;

/// Every route that stands in the document. Routes are mounted here alone: what is served is documented.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(assessments::create_assessment)
        .service(questionnaire::get_questionnaire)
        .service(about::get_catalogue)
        .service(model_card::get_model_card)
        .service(conditions::list_conditions)
        .service(conditions::get_condition)
        .service(escalation::get_escalation)
        .service(escalation::create_escalation_position)
        .service(return_to_run::list_return_to_run_plans)
        .service(return_to_run::check_return_to_run)
        .service(findings::list_findings)
        .service(findings::get_finding)
        .service(measures::list_measures)
        .service(red_flags::list_red_flags)
        .service(care::list_treatments)
        .service(care::get_treatment)
        .service(care::list_exercises)
        .service(care::get_exercise)
        .service(care::list_prevention)
        .service(sources::list_sources)
        .service(sources::get_source)
        .service(docs::get_service)
        .service(docs::get_openapi_json)
        .service(docs::get_openapi_yaml)
        .service(docs::get_problem_page)
        .service(operations::get_liveness)
        .service(operations::get_readiness)
        .service(operations::get_version);
}

/// What the application is made of.
#[derive(Clone)]
pub struct Parts {
    /// The knowledge that it answers with.
    pub knowledge: LiveKnowledge,
    /// How large a body may be.
    pub body_limit: BodyLimit,
    /// Who may ask.
    pub access: web::Data<access::Access>,
    /// How requests are wrapped.
    pub envelope: EnvelopeSettings,
    /// Which methods each path takes.
    pub table: web::Data<RouteTable>,
    /// Whether the service is about to stop.
    pub draining: Draining,
    /// Who is told of requests.
    pub observers: Observers,
}

impl Parts {
    /// What answers heads that no request could be made of, on the connections of an application of these parts.
    #[must_use]
    pub fn head_refusals(&self) -> HeadRefusals {
        HeadRefusals::new(self.observers.metrics.clone(), self.envelope.hsts_seconds)
    }
}

/// The application.
pub fn app(
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
    use utoipa_actix_web::AppExt;
    let (app, _) = App::new().into_utoipa_app().configure(routes).split_for_parts();
    app.configure(docs::page)
        .default_service(web::to(elsewhere))
        .app_data(web::Data::new(parts.knowledge))
        .app_data(parts.body_limit)
        .app_data(parts.table)
        .app_data(parts.access)
        .app_data(web::Data::new(parts.envelope))
        .app_data(web::Data::new(parts.draining))
        .app_data(web::Data::new(parts.observers))
        .app_data(web::Data::new(docs::DocsPage::new()))
        .app_data(web::PathConfig::default().error_handler(|_, _| {
            Problem::new(ProblemKind::MalformedPath, "the path cannot be read; percent-encode it as UTF-8")
                .into()
        }))
        .wrap(from_fn(envelope::envelope))
}

/// Which methods each path takes, read from the document.
pub struct RouteTable {
    routes: Vec<(ResourceDef, String)>,
    paths: Vec<String>,
}

impl RouteTable {
    /// The table of all routes.
    #[must_use]
    pub fn new() -> Self {
        let document = openapi::document();
        let mut routes: Vec<(ResourceDef, String)> = Vec::new();
        let mut paths = Vec::new();
        for (path, operations) in
            document.get("paths").and_then(|paths| paths.as_object()).into_iter().flatten()
        {
            let methods: Vec<&str> = operations
                .as_object()
                .into_iter()
                .flatten()
                .flat_map(|(method, _)| match method.as_str() {
                    "get" => vec!["GET", "HEAD"],
                    "post" => vec!["POST"],
                    _ => Vec::new(),
                })
                .chain(["OPTIONS"])
                .collect();
            routes.push((ResourceDef::new(path.as_str()), methods.join(", ")));
            paths.push(path.clone());
        }
        routes.extend(docs::PAGES.map(|page| (ResourceDef::new(page), "GET, HEAD, OPTIONS".into())));
        paths.push("/docs".into());
        Self { routes, paths }
    }

    fn methods(&self, path: &str) -> Option<&str> {
        self.routes.iter().find(|(pattern, _)| pattern.is_match(path)).map(|(_, methods)| methods.as_str())
    }
}

impl Default for RouteTable {
    fn default() -> Self {
        Self::new()
    }
}

/// What no route takes: other methods, `OPTIONS`, and paths that do not exist.
async fn elsewhere(request: HttpRequest, table: web::Data<RouteTable>) -> Result<HttpResponse, Problem> {
    let path = request.path();
    match table.methods(path) {
        Some(methods) if request.method() == Method::OPTIONS => {
            Ok(HttpResponse::NoContent().insert_header((header::ALLOW, methods)).finish())
        }
        Some(methods) => {
            let mut detail = format!("this path takes {methods}");
            if methods.starts_with("POST") {
                detail.push_str(
                    "; send a JSON body, with curl: -d '{...}' -H 'Content-Type: application/json'",
                );
            }
            let mut problem = Problem::new(ProblemKind::MethodNotAllowed, detail);
            problem.allow = Some(methods.to_owned());
            Err(problem)
        }
        None => {
            let trimmed = path.trim_end_matches('/');
            let meant = if table.methods(trimmed).is_some() && trimmed != path {
                Some(trimmed)
            } else {
                nearest(path, table.paths.iter().filter(|path| !path.contains('{')).map(String::as_str))
            };
            let hint = meant.map_or_else(
                || "all paths are listed at /docs".to_owned(),
                |meant| format!("did you mean {}?", echo(meant)),
            );
            Err(Problem::new(ProblemKind::UnknownRoute, format!("there is nothing at this path; {hint}")))
        }
    }
}

/// A 404 for an id that names nothing, with the nearest one that does.
fn unknown_id<'a>(what: &str, id: &str, known: impl Iterator<Item = &'a str>) -> Problem {
    let hint = nearest(id, known).map(|meant| format!("; did you mean `{meant}`?")).unwrap_or_default();
    Problem::new(
        ProblemKind::UnknownId,
        format!("`{}` is not the id of a {what} in the catalogue{hint}", echo(id)),
    )
}

/// Entries that a search finds, the best first; all of them in their order without a search.
fn found<'a, T>(
    entries: &'a [T],
    query: Option<&str>,
    relevance: impl Fn(&'a T, &str) -> Option<u32>,
) -> impl Iterator<Item = &'a T> {
    let mut found: Vec<(u32, &T)> = entries
        .iter()
        .filter_map(|entry| match query {
            Some(query) => relevance(entry, query).map(|cost| (cost, entry)),
            None => Some((0, entry)),
        })
        .collect();
    found.sort_by_key(|(cost, _)| *cost);
    found.into_iter().map(|(_, entry)| entry)
}
