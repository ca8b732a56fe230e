//! The service as its clients meet it: a real server on a free port, real HTTP, and the binary itself.
//!
//! Every answer that passes through [`support::Api`] is held against the OpenAPI document; see [`contract`].

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests say what they expect by failing, in their helpers too"
)]

mod access;
mod assessments;
mod binary;
mod catalogue;
mod command_line;
mod contract;
mod corpus;
mod escalation;
mod faults;
mod figures;
mod logs;
mod manners;
mod measures;
mod metrics;
mod negotiation;
mod operations;
mod problems;
mod questionnaire;
mod reload;
mod return_to_run;
mod support;
#[cfg(feature = "otel")]
mod traces;
mod what_if;
