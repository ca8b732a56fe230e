//! What is counted: requests, their latency, triage levels, and what went wrong, in a registry of its own.
//!
//! Every label has a bounded list of values: a route is the pattern that was mounted, never a path, and nothing that a
//! client sent becomes a label. Nothing here is global, so several services in one process count apart.
//!
//! Counting costs a short read lock and an atomic addition; text is only made when someone asks for it.

use std::{
    fmt,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric, text},
    metrics::{
        MetricType,
        counter::Counter,
        family::{Family, MetricConstructor},
        gauge::{ConstGauge, Gauge},
        histogram::Histogram,
    },
    registry::Registry,
};

use super::head_fault::HeadFault;
use crate::catalogue::vocabulary::TriageLevel;

/// What `/metrics` is: the text format of OpenMetrics.
pub(super) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Upper bounds of the latency buckets, in seconds. An assessment takes a few hundred microseconds; a request is cut
/// off after `server.request_timeout`.
const LATENCY_BUCKETS: [f64; 13] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// The counters of one service; a clone counts into the same ones.
#[derive(Debug, Clone)]
pub struct Metrics(Arc<Counters>);

#[derive(Debug)]
struct Counters {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    durations: Family<RouteLabels, Histogram, LatencyBuckets>,
    in_flight: Gauge,
    shed: Counter,
    panics: Counter,
    heads_refused: Family<HeadFaultLabels, Counter>,
    reloads: Family<ReloadLabels, Counter>,
    certificate_reloads: Family<ReloadLabels, Counter>,
    assessments: Family<TriageLabels, Counter>,
    catalogue: CatalogueInUse,
    certificate: CertificateInUse,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    route: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReloadLabels {
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct HeadFaultLabels {
    fault: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TriageLabels {
    triage_level: &'static str,
}

/// Makes a histogram for a route that is met for the first time.
#[derive(Debug, Clone)]
struct LatencyBuckets;

impl MetricConstructor<Histogram> for LatencyBuckets {
    fn new_metric(&self) -> Histogram {
        Histogram::new(LATENCY_BUCKETS)
    }
}

/// Version and SHA-256 of the catalogue that answers. A pair that is replaced as one, so that no scrape finds none or
/// two of them.
#[derive(Debug, Clone, Default)]
struct CatalogueInUse(Arc<RwLock<(String, String)>>);

impl Collector for CatalogueInUse {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), fmt::Error> {
        let (version, sha256) = self.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        let mut family = encoder.encode_descriptor(
            "coxa_catalogue_info",
            "The catalogue that answers; always 1",
            None,
            MetricType::Gauge,
        )?;
        ConstGauge::new(1_i64).encode(family.encode_family(&[("version", version), ("sha256", sha256)])?)
    }
}

/// When the certificate in use runs out, in seconds since 1970; 0 where there is none or that is not known.
#[derive(Debug, Clone, Default)]
struct CertificateInUse(Arc<AtomicI64>);

impl Collector for CertificateInUse {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), fmt::Error> {
        let expires = self.0.load(Ordering::Relaxed);
        if expires == 0 {
            return Ok(());
        }
        let family = encoder.encode_descriptor(
            "coxa_certificate_expiry_timestamp_seconds",
            "When the certificate in use runs out, or one that leads from it to a known authority",
            None,
            MetricType::Gauge,
        )?;
        ConstGauge::new(expires).encode(family)
    }
}

/// The build that runs.
#[derive(Debug)]
struct Build {
    version: &'static str,
    commit: &'static str,
}

impl Collector for Build {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), fmt::Error> {
        let mut family = encoder.encode_descriptor(
            "coxa_build_info",
            "The build that runs; always 1",
            None,
            MetricType::Gauge,
        )?;
        ConstGauge::new(1_i64)
            .encode(family.encode_family(&[("version", self.version), ("commit", self.commit)])?)
    }
}

impl Metrics {
    /// Counters that all stand at 0, and beside them what the collectors read whenever they are asked.
    #[must_use]
    pub fn new(collectors: Vec<Box<dyn Collector>>) -> Self {
        let mut counters = Counters {
            registry: Registry::default(),
            requests: Family::default(),
            durations: Family::new_with_constructor(LatencyBuckets),
            in_flight: Gauge::default(),
            shed: Counter::default(),
            panics: Counter::default(),
            heads_refused: Family::default(),
            reloads: Family::default(),
            certificate_reloads: Family::default(),
            assessments: Family::default(),
            catalogue: CatalogueInUse::default(),
            certificate: CertificateInUse::default(),
        };
        // A series that begins at 0 shows its first event as an increase; one that begins at 1 does not.
        for result in [true, false] {
            drop(counters.reloads.get_or_create(&ReloadLabels::of(result)));
            drop(counters.certificate_reloads.get_or_create(&ReloadLabels::of(result)));
        }
        for fault in HeadFault::ALL {
            drop(counters.heads_refused.get_or_create(&HeadFaultLabels { fault: fault.as_str() }));
        }
        for level in TriageLevel::ALL {
            drop(counters.assessments.get_or_create(&TriageLabels { triage_level: level.as_str() }));
        }
        // The library ends the names of counters in `_total` and the help texts in a full stop.
        let registry = &mut counters.registry;
        registry.register(
            "coxa_requests",
            "Requests that were answered, by method, pattern of the route and status",
            counters.requests.clone(),
        );
        registry.register(
            "coxa_request_duration_seconds",
            "Time from the head of a request to its answer",
            counters.durations.clone(),
        );
        registry.register(
            "coxa_requests_in_flight",
            "Requests that are being answered",
            counters.in_flight.clone(),
        );
        registry.register(
            "coxa_requests_shed",
            "Requests that were turned away to keep the others fast",
            counters.shed.clone(),
        );
        registry.register("coxa_panics", "Requests on which the service failed", counters.panics.clone());
        registry.register(
            "coxa_heads_refused",
            "Heads that no request could be made of, by what was wrong with them",
            counters.heads_refused.clone(),
        );
        registry.register(
            "coxa_catalogue_reloads",
            "Attempts to take a changed catalogue into use, by what came of them",
            counters.reloads.clone(),
        );
        registry.register(
            "coxa_certificate_reloads",
            "Attempts to take a changed certificate into use, by what came of them",
            counters.certificate_reloads.clone(),
        );
        registry.register(
            "coxa_assessments",
            "Cases that were assessed, by triage level",
            counters.assessments.clone(),
        );
        registry.register_collector(Box::new(counters.catalogue.clone()));
        registry.register_collector(Box::new(counters.certificate.clone()));
        registry.register_collector(Box::new(Build {
            version: env!("CARGO_PKG_VERSION"),
            commit: option_env!("COXA_COMMIT").unwrap_or("unknown"),
        }));
        for collector in collectors {
            registry.register_collector(collector);
        }
        Self(Arc::new(counters))
    }

    /// A request was turned away without being looked at.
    pub fn request_shed(&self) {
        self.0.shed.inc();
    }

    /// A head was answered that no request could be made of.
    pub(super) fn head_refused(&self, fault: HeadFault) {
        self.0.heads_refused.get_or_create(&HeadFaultLabels { fault: fault.as_str() }).inc();
    }

    /// A changed catalogue was taken into use, or refused.
    pub fn catalogue_reloaded(&self, taken: bool) {
        self.0.reloads.get_or_create(&ReloadLabels::of(taken)).inc();
    }

    /// A changed certificate was taken into use, or refused.
    pub fn certificate_reloaded(&self, taken: bool) {
        self.0.certificate_reloads.get_or_create(&ReloadLabels::of(taken)).inc();
    }

    /// New connections get a certificate that runs out then, in seconds since 1970; none where that is not known.
    pub fn certificate_in_use(&self, expires: Option<i64>) {
        self.0.certificate.0.store(expires.unwrap_or_default(), Ordering::Relaxed);
    }

    /// Answers are from this catalogue from now on.
    pub fn catalogue_in_use(&self, version: &str, sha256: &str) {
        *self.0.catalogue.0.write().unwrap_or_else(PoisonError::into_inner) =
            (version.to_owned(), sha256.to_owned());
    }

    /// A case was assessed.
    pub(super) fn case_assessed(&self, level: TriageLevel) {
        self.0.assessments.get_or_create(&TriageLabels { triage_level: level.as_str() }).inc();
    }

    /// The service failed on a request.
    pub(super) fn panicked(&self) {
        self.0.panics.inc();
    }

    /// A request came in; it is in flight until what is returned goes.
    pub(super) fn request_began(&self) -> InFlight {
        self.0.in_flight.inc();
        InFlight(self.clone())
    }

    /// A request was answered. `method` and `route` must come from a bounded list.
    pub(super) fn request_answered(&self, method: &'static str, route: &str, status: u16, took: Duration) {
        self.0.requests.get_or_create(&RequestLabels { method, route: route.to_owned(), status }).inc();
        self.0.durations.get_or_create(&RouteLabels { route: route.to_owned() }).observe(took.as_secs_f64());
    }

    /// Everything as text.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        // Writing into a string cannot fail, and collectors leave out what they cannot read.
        let _ = text::encode(&mut text, &self.0.registry);
        text
    }
}

impl ReloadLabels {
    const fn of(taken: bool) -> Self {
        Self { result: if taken { "ok" } else { "failed" } }
    }
}

/// Counts a request as in flight while it lives, however it ends.
#[derive(Debug)]
pub(super) struct InFlight(Metrics);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.0.in_flight.dec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replaced_catalogue_is_the_only_one_in_use() {
        let metrics = Metrics::new(Vec::new());
        metrics.catalogue_in_use("1", "aa");
        metrics.catalogue_in_use("2", "bb");
        let text = metrics.to_text();
        assert_eq!(text.lines().filter(|line| line.starts_with("coxa_catalogue_info{")).count(), 1, "{text}");
        assert!(text.contains("coxa_catalogue_info{version=\"2\",sha256=\"bb\"} 1\n"), "{text}");
    }

    #[test]
    fn what_others_report_is_counted_and_two_services_count_apart() {
        let (one, other) = (Metrics::new(Vec::new()), Metrics::new(Vec::new()));
        one.request_shed();
        one.catalogue_reloaded(true);
        one.catalogue_reloaded(false);
        one.catalogue_reloaded(false);
        let in_flight = one.request_began();
        assert!(one.to_text().contains("coxa_requests_in_flight 1\n"));
        drop(in_flight);
        for (metrics, shed, taken, refused) in [(&one, 1, 1, 2), (&other, 0, 0, 0)] {
            let text = metrics.to_text();
            for line in [
                format!("coxa_requests_shed_total {shed}\n"),
                format!("coxa_catalogue_reloads_total{{result=\"ok\"}} {taken}\n"),
                format!("coxa_catalogue_reloads_total{{result=\"failed\"}} {refused}\n"),
                "coxa_requests_in_flight 0\n".to_owned(),
                "coxa_panics_total 0\n".to_owned(),
            ] {
                assert!(text.contains(&line), "{line} is not in {text}");
            }
        }
    }
}
