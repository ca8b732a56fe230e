//! What the service promises when clients, the load or its own end are against it: real sockets and the real binary.
//!
//! Limits are set to seconds, so that the suite is short. A bound on a time here is the promise itself with room for a
//! slow machine; without the limit, each of these would take for ever.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests say what they expect by failing, in their helpers too"
)]

#[path = "../api/binary.rs"]
#[allow(dead_code, reason = "what only the other suite needs")]
mod binary;
mod client;
mod connections;
mod framing;
mod overload;
mod panics;
mod proxy;
mod slow_clients;
mod stopping;
mod tls;
