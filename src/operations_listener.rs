//! The listener for operations: `/metrics` and probes on an address and port of their own.
//!
//! It has one thread of its own, so that probes and scrapes are answered however busy the service is, and it goes on
//! answering while the service drains. Its connections have limits as those of clients have.

use std::{io, net::SocketAddr, time::Duration};

use actix_web::dev::{Server, ServerHandle};

use crate::{
    api::{self, Parts},
    server::{self, Capacity, Limits},
};

/// For probes and scrapes, more than anyone needs. An idle one makes room for a new one.
const MAX_CONNECTIONS: usize = 64;

/// How long a scrape that was begun may finish, in seconds.
const SHUTDOWN_TIMEOUT: u64 = 1;

/// A listener that is bound and does not answer yet.
pub(crate) struct OperationsListener {
    server: Server,
    address: SocketAddr,
}

impl OperationsListener {
    /// Binds the address.
    ///
    /// # Errors
    /// When it cannot be listened on.
    pub(crate) fn bind(listen: SocketAddr, limits: Limits, parts: &Parts) -> io::Result<Self> {
        let parts = parts.clone();
        let capacity = Capacity {
            workers: 1,
            max_connections: MAX_CONNECTIONS,
            // More than the usual minute between two scrapes.
            limits: Limits { idle: limits.idle.max(Duration::from_secs(75)), ..limits },
            max_queue_delay: None,
            shutdown_timeout: SHUTDOWN_TIMEOUT,
        };
        let (server, address) = server::listen(listen, capacity, None, parts.head_refusals(), move || {
            api::operations_app(parts.clone())
        })?;
        Ok(Self { server, address })
    }

    /// Where it listens.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers from now on, beside the service; the handle stops it.
    pub(crate) fn serve(self) -> ServerHandle {
        let handle = self.server.handle();
        actix_web::rt::spawn(async move {
            if let Err(error) = self.server.await {
                tracing::error!(%error, "the listener for operations broke down");
            }
        });
        handle
    }
}
