//! The listener for operations: `/metrics` and probes on an address and port of their own.
//!
//! It has one thread of its own, so that probes and scrapes are answered however busy the service is, and it goes on
//! answering while the service drains.

use std::{io, net::SocketAddr, time::Duration};

use actix_web::{
    HttpServer,
    dev::{Server, ServerHandle},
};

use crate::api::{self, Parts};

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
    pub(crate) fn bind(listen: SocketAddr, parts: &Parts) -> io::Result<Self> {
        let parts = parts.clone();
        let builder = HttpServer::new(move || api::operations_app(parts.clone()))
            .workers(1)
            .client_request_timeout(Duration::from_secs(5))
            // More than the usual minute between two scrapes.
            .keep_alive(Duration::from_secs(75))
            .shutdown_timeout(SHUTDOWN_TIMEOUT)
            .disable_signals()
            .bind(listen)?;
        let address = builder.addrs().first().copied().unwrap_or(listen);
        Ok(Self { server: builder.run(), address })
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
