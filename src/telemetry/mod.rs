//! What those who run the service get to see: log lines on standard error, facts about the process, spans.
//!
//! One line an event, text or JSON. No line ever holds a symptom, a body or a query. What is counted of requests is in
//! `src/api/metrics.rs`.

#[cfg(target_os = "linux")]
mod process;
#[cfg(feature = "otel")]
mod traces;

use std::{
    fmt,
    io::{IsTerminal, stderr},
    panic,
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{MetricType, counter::ConstCounter},
};
use thiserror::Error;
use tracing::level_filters::LevelFilter;
use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::{Layer, filter::Targets, layer::SubscriberExt, util::SubscriberInitExt};

use crate::{
    api::observation::SpanSink,
    settings::{LogFormat, LogLevel, Telemetry},
};

/// Most lines that wait to be written, about 2 MB. Where nobody reads, further ones are dropped and counted: a log that
/// is stuck must not stop requests.
const WAITING_LINES: usize = 8192;

/// The longest wait at the end for lines that were not written yet.
const LAST_LINES: Duration = Duration::from_secs(1);

/// Why telemetry cannot start.
#[derive(Debug, Error)]
pub enum TelemetryError {
    /// Spans cannot be sent.
    #[error("cannot send spans to {endpoint}: {cause}; change telemetry.otlp_endpoint")]
    Spans {
        /// Where to.
        endpoint: String,
        /// Why.
        cause: String,
    },
}

/// What a service reports through, beside its log.
#[derive(Default)]
pub struct Instruments {
    /// What is read whenever metrics are asked for.
    pub collectors: Vec<Box<dyn Collector>>,
    /// Where spans go, if anywhere.
    pub spans: Option<Arc<dyn SpanSink>>,
}

/// Logs and spans on their way out.
pub struct Outlets {
    lines: WorkerGuard,
    #[cfg(feature = "otel")]
    traces: Option<Arc<traces::Traces>>,
}

impl Outlets {
    /// Writes and sends what is still waiting, within seconds even where nobody takes it.
    pub fn end(self) {
        #[cfg(feature = "otel")]
        if let Some(traces) = &self.traces {
            traces.end();
        }
        // Beside a sink that is stuck, the guard itself can wait for ever.
        within(LAST_LINES, move || drop(self.lines));
    }
}

/// Says one thing on standard error, unless that is stuck.
pub fn last_words(message: String) {
    within(LAST_LINES, move || eprintln!("coxa: {message}"));
}

/// Does something that may never end, on a thread of its own, and waits so long for it.
fn within(limit: Duration, work: impl FnOnce() + Send + 'static) {
    let (sender, done) = mpsc::channel();
    let work = move || {
        work();
        // Nobody waits any more where this took too long.
        let _ = sender.send(());
    };
    if thread::Builder::new().spawn(work).is_ok() {
        let _ = done.recv_timeout(limit);
    }
}

/// Begins to log, and to send spans where the settings say where to.
///
/// The level is for coxa's own lines. Libraries are held at `warn`: below it some of them print what clients
/// send. From here on a panic leaves a line with its place and without its message, which could hold it too.
///
/// Must be called outside of an asynchronous runtime.
///
/// # Errors
/// [`TelemetryError`] when spans cannot be sent to the address of the settings.
pub fn start(settings: &Telemetry) -> Result<(Instruments, Outlets), TelemetryError> {
    let level = match settings.log_level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    let targets = Targets::new().with_target("coxa", level).with_default(level.min(LevelFilter::WARN));
    let (writer, guard) =
        NonBlockingBuilder::default().buffered_lines_limit(WAITING_LINES).lossy(true).finish(stderr());
    let dropped = DroppedLines(writer.error_counter());
    let lines = tracing_subscriber::fmt::layer().with_writer(writer).with_target(false);
    let lines = match settings.log_format {
        LogFormat::Json => {
            lines.json().flatten_event(true).with_current_span(false).with_span_list(false).boxed()
        }
        LogFormat::Text => lines.with_ansi(stderr().is_terminal()).boxed(),
    };
    // Only a second start in one process could fail here, and the first one then still logs.
    let _ = tracing_subscriber::registry().with(lines.with_filter(targets)).try_init();
    panic::set_hook(Box::new(|panicked| {
        let place = panicked.location().map(|place| format!("{}:{}", place.file(), place.line()));
        tracing::error!(place, "panic");
    }));
    let mut instruments = Instruments { collectors: vec![Box::new(dropped)], spans: None };
    #[cfg(target_os = "linux")]
    instruments.collectors.push(Box::new(process::ProcessCollector::new()));
    let outlets = Outlets {
        lines: guard,
        #[cfg(feature = "otel")]
        traces: traces(&settings.otlp_endpoint)?,
    };
    #[cfg(feature = "otel")]
    if let Some(traces) = &outlets.traces {
        instruments.spans = Some(traces.clone());
    }
    Ok((instruments, outlets))
}

#[cfg(feature = "otel")]
fn traces(endpoint: &str) -> Result<Option<Arc<traces::Traces>>, TelemetryError> {
    if endpoint.is_empty() {
        return Ok(None);
    }
    let failed = |cause: opentelemetry_otlp::ExporterBuildError| TelemetryError::Spans {
        endpoint: endpoint.to_owned(),
        cause: cause.to_string(),
    };
    Ok(Some(Arc::new(traces::Traces::start(endpoint).map_err(failed)?)))
}

/// How many log lines nobody took.
#[derive(Debug)]
struct DroppedLines(ErrorCounter);

impl Collector for DroppedLines {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), fmt::Error> {
        let dropped = u64::try_from(self.0.dropped_lines()).unwrap_or(u64::MAX);
        ConstCounter::new(dropped).encode(encoder.encode_descriptor(
            "coxa_log_lines_dropped",
            "Log lines that were dropped because nobody took them in time",
            None,
            MetricType::Counter,
        )?)
    }
}
