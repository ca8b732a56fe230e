//! From settings to a running service: reads the catalogue's folder, binds the port, stops in order.

use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use actix_web::{HttpServer, dev::Server, web};
use thiserror::Error;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::{
    api::{self, BodyLimit, Draining, EnvelopeSettings, Knowledge, Metrics, Observers, Parts, RouteTable},
    catalogue::{CatalogueFile, Faults, embedded},
    operations_listener::OperationsListener,
    settings::Settings,
    telemetry::Instruments,
};

/// Why the service does not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// The catalogue's folder cannot be read.
    #[error("the catalogue {path} cannot be read: {cause}")]
    Folder {
        /// The folder or file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// The catalogue has faults.
    #[error("{0}")]
    Catalogue(#[from] Faults),
    /// Signals to stop cannot be taken.
    #[error("cannot take the signals to stop: {0}")]
    Signals(io::Error),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {cause}; change server.listen, or give --listen")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why.
        cause: io::Error,
    },
    /// The address for operations cannot be listened on.
    #[error("cannot listen on {address} for operations: {cause}; change operations.listen")]
    BindOperations {
        /// The address.
        address: SocketAddr,
        /// Why.
        cause: io::Error,
    },
}

/// The files of a catalogue's folder, in the order of their names.
///
/// # Errors
/// [`StartError::Folder`] when a file or folder cannot be read.
pub fn read_folder(folder: &Path) -> Result<Vec<CatalogueFile>, StartError> {
    let mut files = Vec::new();
    collect(folder, folder, &mut files)?;
    files.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(files)
}

fn collect(root: &Path, folder: &Path, into: &mut Vec<CatalogueFile>) -> Result<(), StartError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |cause| StartError::Folder { path, cause }
    };
    for entry in std::fs::read_dir(folder).map_err(failed(folder))? {
        let path = entry.map_err(failed(folder))?.path();
        if path.is_dir() {
            collect(root, &path, into)?;
        } else if path.extension().is_some_and(|extension| extension == "toml") {
            let text = std::fs::read_to_string(&path).map_err(failed(&path))?;
            let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            into.push(CatalogueFile { name, text });
        }
    }
    Ok(())
}

/// The knowledge in a folder, or the embedded one for an empty path.
///
/// # Errors
/// [`StartError`] when the folder cannot be read or its catalogue has faults.
pub fn knowledge(folder: &Path) -> Result<Knowledge, StartError> {
    let files = if folder.as_os_str().is_empty() { embedded() } else { read_folder(folder)? };
    Ok(Knowledge::compile(&files)?)
}

/// A service that listens.
pub struct Service {
    server: Server,
    address: SocketAddr,
    draining: Draining,
    drain_delay: Duration,
    catalogue_version: String,
    operations: Option<OperationsListener>,
    terminate: Signal,
    interrupt: Signal,
}

impl Service {
    /// Reads the catalogue and begins to listen, for requests and for signals to stop.
    ///
    /// # Errors
    /// [`StartError`] when the catalogue is refused, or the address or the signals cannot be had.
    pub fn start(settings: &Settings) -> Result<Self, StartError> {
        Self::start_with(settings, Instruments::default())
    }

    /// The same, reporting through the process's own instruments too.
    ///
    /// # Errors
    /// As [`Service::start`].
    pub fn start_with(settings: &Settings, instruments: Instruments) -> Result<Self, StartError> {
        let knowledge = knowledge(&settings.catalogue.path)?;
        let catalogue_version = knowledge.catalogue().about().version.clone();
        let metrics = Metrics::new(instruments.collectors);
        metrics.catalogue_in_use(&catalogue_version, knowledge.catalogue().sha256());
        let draining = Draining(Arc::new(AtomicBool::new(false)));
        let parts = Parts {
            knowledge: web::Data::new(knowledge),
            body_limit: BodyLimit(settings.server.body_limit),
            envelope: EnvelopeSettings { request_timeout: settings.server.request_timeout() },
            table: web::Data::new(RouteTable::new()),
            draining: draining.clone(),
            observers: Observers {
                access_log: settings.telemetry.access_log,
                metrics,
                spans: instruments.spans,
            },
        };
        let operations = settings.operations.listen.map(|listen| {
            OperationsListener::bind(listen, &parts)
                .map_err(|cause| StartError::BindOperations { address: listen, cause })
        });
        let operations = operations.transpose()?;
        let mut builder = HttpServer::new(move || api::app(parts.clone()))
            .client_request_timeout(Duration::from_secs(settings.server.head_timeout))
            .keep_alive(Duration::from_secs(settings.server.keep_alive))
            .shutdown_timeout(settings.server.shutdown_timeout)
            // Signals are taken below: SIGINT must drain like SIGTERM, which actix does not do.
            .disable_signals();
        if settings.server.workers > 0 {
            builder = builder.workers(settings.server.workers);
        }
        let failed = |cause| StartError::Bind { address: settings.server.listen, cause };
        let builder = builder.bind(settings.server.listen).map_err(failed)?;
        let address = builder.addrs().first().copied().unwrap_or(settings.server.listen);
        Ok(Self {
            server: builder.run(),
            address,
            draining,
            drain_delay: Duration::from_secs(settings.server.drain_delay),
            catalogue_version,
            operations,
            // Taken before anyone is told that the service listens, so that no signal is lost.
            terminate: signal(SignalKind::terminate()).map_err(StartError::Signals)?,
            interrupt: signal(SignalKind::interrupt()).map_err(StartError::Signals)?,
        })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it listens for operations, if it does.
    #[must_use]
    pub fn operations_address(&self) -> Option<SocketAddr> {
        self.operations.as_ref().map(OperationsListener::address)
    }

    /// Which catalogue it answers with.
    #[must_use]
    pub fn catalogue_version(&self) -> &str {
        &self.catalogue_version
    }

    /// Serves until SIGTERM or SIGINT: then says 503 at `/readyz` for the drain delay, stops listening and lets
    /// requests in flight finish. A second signal ends it at once, with an error.
    ///
    /// # Errors
    /// When the server breaks down, or a second signal cuts it short.
    pub async fn run(self) -> io::Result<()> {
        let (mut terminate, mut interrupt) = (self.terminate, self.interrupt);
        let operations = self.operations.map(OperationsListener::serve);
        let handle = self.server.handle();
        let mut server = self.server;
        tokio::select! {
            ended = &mut server => return ended,
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!(drain_delay_s = self.drain_delay.as_secs(), "stopping");
        self.draining.0.store(true, Ordering::Relaxed);
        let stop = async {
            // A sleep would also end early if the server broke down meanwhile.
            tokio::select! {
                () = tokio::time::sleep(self.drain_delay) => {}
                _ = &mut server => return,
            }
            // The handle only asks: the server stops while it is polled.
            let _ = tokio::join!(handle.stop(true), &mut server);
            // Last of all: until here it says that the service is about to stop.
            if let Some(operations) = operations {
                operations.stop(true).await;
            }
        };
        tokio::select! {
            () = stop => {
                tracing::info!("stopped");
                Ok(())
            }
            _ = terminate.recv() => Err(io::Error::other("stopped at once by a second signal")),
            _ = interrupt.recv() => Err(io::Error::other("stopped at once by a second signal")),
        }
    }
}
