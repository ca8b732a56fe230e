//! Spans of requests for an OpenTelemetry collector, over HTTP with protocol buffers.
//!
//! A span holds what [`RequestSpan`] holds and nothing else. Spans are queued and sent by a thread of their own; where
//! the collector is slow or away, they are dropped and requests go on.

use std::time::Duration;

use opentelemetry::{
    Context, KeyValue,
    trace::{
        Span, SpanContext, SpanId, SpanKind, Status, TraceContextExt, TraceFlags, TraceState, Tracer,
        TracerProvider,
    },
};
use opentelemetry_otlp::{ExporterBuildError, Protocol, SpanExporter, WithExportConfig};
use opentelemetry_sdk::{
    Resource,
    trace::{SdkTracer, SdkTracerProvider},
};

use crate::api::{
    observation::{RequestSpan, SpanSink},
    trace_context::TraceId,
};

/// The longest wait for the collector, for one batch and at the end.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Sends spans to a collector.
pub(super) struct Traces {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
}

impl Traces {
    /// Begins to send to the address that takes traces, such as `http://127.0.0.1:4318/v1/traces`.
    ///
    /// Must be called outside of an asynchronous runtime: the client that sends brings its own.
    ///
    /// # Errors
    /// When the address cannot be used.
    pub(super) fn start(endpoint: &str) -> Result<Self, ExporterBuildError> {
        let exporter = SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(endpoint)
            .with_timeout(TIMEOUT)
            .build()?;
        let resource = Resource::builder()
            .with_service_name(env!("CARGO_PKG_NAME"))
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .build();
        let provider =
            SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build();
        Ok(Self { tracer: provider.tracer(env!("CARGO_PKG_NAME")), provider })
    }

    /// Sends what is left.
    pub(super) fn end(&self) {
        // A collector that is away must not keep the service from ending.
        let _ = self.provider.shutdown_with_timeout(TIMEOUT);
    }
}

impl SpanSink for Traces {
    fn take(&self, request: &RequestSpan<'_>) -> TraceId {
        let parent = request.context.map_or_else(Context::new, |context| {
            let flags = if context.sampled { TraceFlags::SAMPLED } else { TraceFlags::default() };
            Context::new().with_remote_span_context(SpanContext::new(
                context.trace.0.into(),
                SpanId::from(context.parent),
                flags,
                true,
                TraceState::default(),
            ))
        });
        let mut span = self
            .tracer
            .span_builder(format!("{} {}", request.method, request.route))
            .with_kind(SpanKind::Server)
            .with_start_time(request.began)
            .with_attributes([
                KeyValue::new("http.request.method", request.method),
                KeyValue::new("http.route", request.route.to_owned()),
                KeyValue::new("http.response.status_code", i64::from(request.status)),
                KeyValue::new("request.id", request.request_id.to_owned()),
            ])
            .start_with_context(&self.tracer, &parent);
        if request.status >= 500 {
            span.set_status(Status::error(""));
        }
        let trace = u128::from_be_bytes(span.span_context().trace_id().to_bytes());
        span.end_with_timestamp(request.began + request.took);
        TraceId(trace)
    }
}
