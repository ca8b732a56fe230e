//! What those who run the service learn of one request: a line in the access log, counts, a span.
//!
//! All of them say the same few things: method, pattern of the route, status, duration, request id, trace id. Path,
//! query, body, address and user agent of a client never come here.

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use actix_web::{
    dev::ServiceRequest,
    http::{Method, StatusCode},
    web,
};

use super::{
    metrics::{InFlight, Metrics},
    trace_context::{TraceContext, TraceId},
};

/// The route of a request that no route takes. One word for all of them: paths are what clients make up.
const NO_ROUTE: &str = "none";

/// Who is told of requests.
#[derive(Clone)]
pub struct Observers {
    /// Whether each request leaves a line in the log.
    pub access_log: bool,
    /// What is counted.
    pub metrics: Metrics,
    /// Where spans go, if anywhere.
    pub spans: Option<Arc<dyn SpanSink>>,
}

/// Takes a span for each request.
pub trait SpanSink: Send + Sync {
    /// Takes the span of a request that was answered; the trace that it belongs to. Must not block.
    fn take(&self, span: &RequestSpan<'_>) -> TraceId;
}

/// All that a span holds.
#[derive(Debug, Clone, Copy)]
pub struct RequestSpan<'a> {
    /// Method, or `other` for one that no route takes.
    pub method: &'static str,
    /// Pattern of the route, or `none`.
    pub route: &'a str,
    /// Status of the answer.
    pub status: u16,
    /// Id of the request.
    pub request_id: &'a str,
    /// Where the request stands in the trace of its caller.
    pub context: Option<TraceContext>,
    /// When it began.
    pub began: SystemTime,
    /// How long it took.
    pub took: Duration,
}

/// One request, from its head to its answer.
pub(super) struct Observation {
    observers: Option<web::Data<Observers>>,
    method: &'static str,
    route: Option<String>,
    context: Option<TraceContext>,
    began: Instant,
    _in_flight: Option<InFlight>,
}

impl Observation {
    /// Begins to observe a request; without observers among the application's data, nobody is told of it.
    pub(super) fn begin(request: &ServiceRequest) -> Self {
        let observers = request.app_data::<web::Data<Observers>>().cloned();
        Self {
            method: method(request.method()),
            route: request.match_pattern(),
            context: TraceContext::of(request.headers()),
            began: Instant::now(),
            _in_flight: observers.as_ref().map(|observers| observers.metrics.request_began()),
            observers,
        }
    }

    /// Counts that the service failed on the request.
    pub(super) fn panicked(&self) {
        if let Some(observers) = &self.observers {
            observers.metrics.panicked();
        }
    }

    /// Counts that the request is turned away, because there is too much to do.
    pub(super) fn shed(&self) {
        if let Some(observers) = &self.observers {
            observers.metrics.request_shed();
        }
    }

    /// Tells the observers that the request is answered.
    pub(super) fn end(self, status: StatusCode, request_id: &str) {
        let Some(observers) = &self.observers else { return };
        let (route, took) = (self.route.as_deref().unwrap_or(NO_ROUTE), self.began.elapsed());
        let (method, status) = (self.method, status.as_u16());
        observers.metrics.request_answered(method, route, status, took);
        let trace = match &observers.spans {
            Some(spans) => Some(spans.take(&RequestSpan {
                method,
                route,
                status,
                request_id,
                context: self.context,
                began: SystemTime::now().checked_sub(took).unwrap_or(SystemTime::UNIX_EPOCH),
                took,
            })),
            None => self.context.map(|context| context.trace),
        };
        if observers.access_log {
            tracing::info!(
                http.method = method,
                http.route = route,
                http.status = status,
                duration_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
                request_id,
                // Left out where there is none.
                trace_id = trace.map(tracing::field::display),
                "request"
            );
        }
    }
}

/// A method that some route takes, or `other`: it may be any text that a client sent.
fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use actix_web::{App, HttpResponse, middleware::from_fn, test};

    use super::*;
    use crate::api::{
        access::{Access, AccessRules},
        envelope::envelope,
    };

    #[actix_web::test]
    async fn a_panic_is_counted_answered_as_a_problem_and_leaves_nothing_in_flight() {
        let metrics = Metrics::new(Vec::new());
        let observers = Observers { access_log: false, metrics: metrics.clone(), spans: None };
        let fails = || async {
            if true {
                panic!("canaryfinch");
            }
            HttpResponse::Ok().finish()
        };
        let app = App::new()
            .route("/fails/{id}", web::get().to(fails))
            .app_data(web::Data::new(observers))
            .app_data(web::Data::new(Access::new(AccessRules::default())))
            .wrap(from_fn(envelope));
        let app = test::init_service(app).await;
        let request = test::TestRequest::get().uri("/fails/canaryfinch").to_request();
        let error = test::try_call_service(&app, request).await.unwrap_err();
        assert_eq!(error.as_response_error().status_code(), StatusCode::INTERNAL_SERVER_ERROR);
        let text = metrics.to_text();
        for line in [
            "coxa_panics_total 1\n",
            "coxa_requests_in_flight 0\n",
            "coxa_requests_total{method=\"GET\",route=\"/fails/{id}\",status=\"500\"} 1\n",
            "coxa_request_duration_seconds_count{route=\"/fails/{id}\"} 1\n",
        ] {
            assert!(text.contains(line), "{line} is not in {text}");
        }
        assert!(!text.contains("canaryfinch"));
    }
}
