//! From settings to a running service: reads the catalogue's folder, binds the port, stops in order.

use std::{
    io,
    net::SocketAddr,
    num::{NonZeroU32, NonZeroUsize},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use actix_web::{dev::Server, web};
use thiserror::Error;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::{
    api::{
        self, BodyLimit, Draining, EnvelopeSettings, Knowledge, LiveKnowledge, Metrics, Observers, Parts,
        RouteTable,
        access::{Access, AccessRules},
        rate_limit::Rate,
    },
    catalogue::{CatalogueFile, Faults, embedded},
    operations_listener::OperationsListener,
    reload::{CatalogueFolder, Certificate, Reloader, Reloading},
    server::{self, Capacity, CertificateFault, CertificateFiles, CertificateTexts, Limits, LiveTls},
    settings::{self, AccessRefused, Settings},
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
    /// The certificate cannot be used.
    #[error("{0}")]
    Certificate(#[from] CertificateFault),
    /// It is not said who may ask.
    #[error("{0}")]
    Access(#[from] AccessRefused),
    /// Signals to stop or to reload cannot be taken.
    #[error("cannot take the signals to stop or to reload: {0}")]
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

/// The files of a catalogue's folder, in the order of their names. Hidden ones are left out: editors keep what is not saved
/// there, and volumes of Kubernetes a second copy of everything.
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
        let entry = entry.map_err(failed(folder))?;
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        let path = entry.path();
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

/// The files of a folder, or the embedded ones for an empty path.
fn catalogue_files(folder: &Path) -> Result<Vec<CatalogueFile>, StartError> {
    if folder.as_os_str().is_empty() { Ok(embedded()) } else { read_folder(folder) }
}

/// The knowledge in a folder, or the embedded one for an empty path.
///
/// # Errors
/// [`StartError`] when the folder cannot be read or its catalogue has faults.
pub fn knowledge(folder: &Path) -> Result<Knowledge, StartError> {
    Ok(Knowledge::compile(&catalogue_files(folder)?)?)
}

/// Who may ask, as the settings say it.
fn access(settings: &Settings) -> Result<Access, AccessRefused> {
    let rate = &settings.rate_limit;
    let rate = NonZeroU32::new(rate.requests).zip(NonZeroU32::new(rate.window_seconds));
    Ok(Access::new(AccessRules {
        keys: settings.keys_in_force()?.iter().map(|key| key.sha256).collect(),
        rate: rate.map(|(requests, window_seconds)| Rate { requests, window_seconds }),
        trusted_proxies: settings.proxy.trusted.iter().map(|network| network.0).collect(),
        allowed_origins: settings.cors.allowed_origins.iter().map(|origin| origin.0.clone()).collect(),
    }))
}

/// What the server bears, as it is set.
fn capacity(settings: &settings::Server) -> Capacity {
    let cores = || thread::available_parallelism().map_or(1, NonZeroUsize::get);
    Capacity {
        workers: if settings.workers > 0 { settings.workers } else { cores().min(settings::MOST_WORKERS) },
        max_connections: settings.max_connections,
        limits: Limits {
            head: Duration::from_secs(settings.head_timeout),
            answer: Duration::from_secs(settings.io_timeout),
            idle: Duration::from_secs(settings.keep_alive),
        },
        max_queue_delay: (settings.max_queue_delay > 0)
            .then(|| Duration::from_millis(settings.max_queue_delay)),
        shutdown_timeout: settings.shutdown_timeout,
    }
}

/// The certificate of the settings, ready to be shown, and what it was read from; none where TLS is off.
fn certificate(
    settings: &settings::Tls,
    metrics: &Metrics,
) -> Result<Option<(Certificate, CertificateTexts)>, CertificateFault> {
    if !settings.is_on() {
        return Ok(None);
    }
    let files = CertificateFiles {
        certificate: settings.certificate_file.clone(),
        private_key: settings.private_key_file.clone(),
    };
    let texts = files.read()?;
    let usable = files.check(&texts)?;
    metrics.certificate_in_use(usable.expires);
    let live = LiveTls::new(usable.config);
    Ok(Some((Certificate { files, live, metrics: metrics.clone() }, texts)))
}

/// A service that listens.
pub struct Service {
    server: Server,
    address: SocketAddr,
    draining: Draining,
    drain_delay: Duration,
    catalogue_version: String,
    reloading: Reloading,
    scheme: &'static str,
    operations: Option<OperationsListener>,
    terminate: Signal,
    interrupt: Signal,
}

impl Service {
    /// Reads the catalogue and begins to listen, for requests and for signals to stop.
    ///
    /// # Errors
    /// [`StartError`] when it is not said who may ask, the catalogue is refused, or the address or the signals cannot be had.
    pub fn start(settings: &Settings) -> Result<Self, StartError> {
        Self::start_with(settings, Instruments::default())
    }

    /// The same, reporting through the process's own instruments too.
    ///
    /// # Errors
    /// As [`Service::start`].
    pub fn start_with(settings: &Settings, instruments: Instruments) -> Result<Self, StartError> {
        let access = web::Data::new(access(settings)?);
        let files = catalogue_files(&settings.catalogue.path)?;
        let knowledge = Knowledge::compile(&files)?;
        let catalogue_version = knowledge.catalogue().about().version.clone();
        let metrics = Metrics::new(instruments.collectors);
        metrics.catalogue_in_use(&catalogue_version, knowledge.catalogue().sha256());
        let knowledge = LiveKnowledge::new(knowledge);
        let certificate = certificate(&settings.tls, &metrics)?;
        let tls = certificate.as_ref().map(|(certificate, _)| certificate.live.clone());
        let folder = Some(settings.catalogue.path.clone()).filter(|path| !path.as_os_str().is_empty());
        let folder =
            folder.map(|path| CatalogueFolder { path, live: knowledge.clone(), metrics: metrics.clone() });
        let reloading = || {
            let every = |seconds| Duration::from_secs(seconds);
            io::Result::Ok(Reloading {
                catalogue: folder
                    .map(|folder| Reloader::new(folder, &files, every(settings.catalogue.watch_seconds)))
                    .transpose()?,
                certificate: certificate
                    .map(|(certificate, texts)| {
                        Reloader::new(certificate, &texts, every(settings.tls.watch_seconds))
                    })
                    .transpose()?,
                hangup: signal(SignalKind::hangup())?,
            })
        };
        let reloading = reloading().map_err(StartError::Signals)?;
        let draining = Draining(Arc::new(AtomicBool::new(false)));
        let parts = Parts {
            knowledge,
            body_limit: BodyLimit(settings.server.body_limit),
            access,
            envelope: EnvelopeSettings {
                request_timeout: settings.server.request_timeout(),
                hsts_seconds: settings.server.hsts_seconds,
            },
            table: web::Data::new(RouteTable::new()),
            draining: draining.clone(),
            observers: Observers {
                access_log: settings.telemetry.access_log,
                metrics,
                spans: instruments.spans,
            },
        };
        let capacity = capacity(&settings.server);
        let operations = settings.operations.listen.map(|listen| {
            OperationsListener::bind(listen, capacity.limits, &parts)
                .map_err(|cause| StartError::BindOperations { address: listen, cause })
        });
        let operations = operations.transpose()?;
        let failed = |cause| StartError::Bind { address: settings.server.listen, cause };
        let (server, address) =
            server::listen(settings.server.listen, capacity, tls, parts.head_refusals(), move || {
                api::app(parts.clone())
            })
            .map_err(failed)?;
        Ok(Self {
            server,
            address,
            draining,
            drain_delay: Duration::from_secs(settings.server.drain_delay),
            catalogue_version,
            reloading,
            scheme: if settings.tls.is_on() { "https" } else { "http" },
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

    /// How its addresses begin: `https` with TLS, else `http`.
    #[must_use]
    pub const fn scheme(&self) -> &'static str {
        self.scheme
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
            () = self.reloading.run() => {}
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

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_folder_is_read_without_what_is_hidden() {
        let folder = tempfile::tempdir().unwrap();
        for file in ["one.toml", "rules/two.toml", "rules/notes.md", ".one.toml.swp.toml", "..data/one.toml"]
        {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let files = read_folder(folder.path()).unwrap();
        let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
        assert_eq!(names, ["one.toml", "rules/two.toml"]);
    }
}
