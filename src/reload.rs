//! Files that the service holds in memory, read again while it runs: the catalogue's folder and the certificate. On
//! SIGHUP, and where the files change.
//!
//! What is new is checked first and then swapped in whole. Where it has a fault, the fault is named in the log and the old
//! one goes on; readiness is not touched.

use std::{
    fmt::Display,
    future::pending,
    hash::{DefaultHasher, Hash, Hasher},
    io,
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    time::{Interval, MissedTickBehavior, interval},
};

use crate::{
    api::{Knowledge, LiveKnowledge, Metrics},
    catalogue::CatalogueFile,
    server::{CertificateFault, CertificateFiles, CertificateTexts, LiveTls, UsableCertificate},
    startup::{StartError, read_folder},
};

/// What can be read again.
pub(crate) trait Reloadable: Send + Sync + 'static {
    /// What the log calls it.
    const NAME: &'static str;
    /// The files as they were read.
    type Files: Hash;
    /// What is made of them.
    type Sound: Send;
    /// Why they cannot be used.
    type Fault: Display + Send;

    /// Reads the files.
    fn read(&self) -> Result<Self::Files, Self::Fault>;
    /// Checks what they hold, and makes of it what is used.
    fn check(&self, files: &Self::Files) -> Result<Self::Sound, Self::Fault>;
    /// Takes it into use.
    fn replace(&self, sound: Self::Sound);
    /// Counts that something new was taken, or refused.
    fn count(&self, taken: bool);
}

/// The catalogue's folder.
pub(crate) struct CatalogueFolder {
    pub(crate) path: PathBuf,
    pub(crate) live: LiveKnowledge,
    pub(crate) metrics: Metrics,
}

impl Reloadable for CatalogueFolder {
    const NAME: &'static str = "catalogue";
    type Files = Vec<CatalogueFile>;
    type Sound = Box<Knowledge>;
    type Fault = StartError;

    fn read(&self) -> Result<Self::Files, StartError> {
        read_folder(&self.path)
    }

    fn check(&self, files: &Self::Files) -> Result<Self::Sound, StartError> {
        Ok(Box::new(Knowledge::compile(files)?))
    }

    fn replace(&self, knowledge: Box<Knowledge>) {
        let catalogue = knowledge.catalogue();
        tracing::info!(
            version = catalogue.about().version,
            sha256 = catalogue.sha256(),
            "catalogue reloaded"
        );
        self.metrics.catalogue_in_use(&catalogue.about().version, catalogue.sha256());
        self.live.replace(*knowledge);
    }

    fn count(&self, taken: bool) {
        self.metrics.catalogue_reloaded(taken);
    }
}

/// The certificate and its key.
pub(crate) struct Certificate {
    pub(crate) files: CertificateFiles,
    pub(crate) live: LiveTls,
    pub(crate) metrics: Metrics,
}

impl Reloadable for Certificate {
    const NAME: &'static str = "certificate";
    type Files = CertificateTexts;
    type Sound = UsableCertificate;
    type Fault = CertificateFault;

    fn read(&self) -> Result<CertificateTexts, CertificateFault> {
        self.files.read()
    }

    fn check(&self, texts: &CertificateTexts) -> Result<UsableCertificate, CertificateFault> {
        self.files.check(texts)
    }

    fn replace(&self, certificate: UsableCertificate) {
        self.metrics.certificate_in_use(certificate.expires);
        self.live.replace(certificate.config);
        tracing::info!("certificate reloaded");
    }

    fn count(&self, taken: bool) {
        self.metrics.certificate_reloaded(taken);
    }
}

/// Reads one thing again when asked to.
pub(crate) struct Reloader<T> {
    what: Arc<T>,
    watch: Duration,
    hangup: Signal,
    /// A hash over the files as they were read last, good or bad: the same fault is told once.
    seen: u64,
}

/// What reading the files came to.
enum Read<T: Reloadable> {
    /// They are as they were.
    Unchanged,
    /// They can be used.
    New(u64, T::Sound),
    /// They cannot be used.
    Refused(u64, T::Fault),
}

impl<T: Reloadable> Reloader<T> {
    /// Takes SIGHUP from now on. `files` are those that are in use, `watch` is how often they are looked at; zero for never.
    ///
    /// # Errors
    /// When the signal cannot be taken.
    pub(crate) fn new(what: T, files: &T::Files, watch: Duration) -> io::Result<Self> {
        let seen = hash(files);
        Ok(Self { what: Arc::new(what), watch, hangup: signal(SignalKind::hangup())?, seen })
    }

    /// Reloads whenever it is due; never ends.
    async fn run(mut self) {
        let mut ticks = ticks(self.watch);
        loop {
            tokio::select! {
                _ = self.hangup.recv() => self.reload(true).await,
                () = next(&mut ticks) => self.reload(false).await,
            }
        }
    }

    async fn reload(&mut self, asked: bool) {
        let (what, seen) = (Arc::clone(&self.what), self.seen);
        // Checking takes milliseconds of a core: the thread that drives the server does not wait for it.
        let read = tokio::task::spawn_blocking(move || {
            let files = match what.read() {
                Ok(files) => files,
                Err(fault) => return Read::<T>::Refused(0, fault),
            };
            let hash = hash(&files);
            if hash == seen && !asked {
                return Read::Unchanged;
            }
            match what.check(&files) {
                Ok(sound) => Read::New(hash, sound),
                Err(fault) => Read::Refused(hash, fault),
            }
        });
        match read.await {
            Ok(Read::Unchanged) => {}
            Ok(Read::New(hash, sound)) => {
                self.seen = hash;
                self.what.count(true);
                self.what.replace(sound);
            }
            Ok(Read::Refused(hash, error)) => {
                if asked || hash != self.seen {
                    self.what.count(false);
                    tracing::error!(%error, "{} not reloaded, the old one goes on", T::NAME);
                }
                self.seen = hash;
            }
            Err(_) => {
                self.what.count(false);
                tracing::error!("{} not reloaded, the old one goes on: checking it failed", T::NAME);
            }
        }
    }
}

/// All that is read again.
pub(crate) struct Reloading {
    /// None where the embedded one is in use, which cannot change.
    pub(crate) catalogue: Option<Reloader<CatalogueFolder>>,
    /// None without TLS.
    pub(crate) certificate: Option<Reloader<Certificate>>,
    /// Heard where there is nothing to read.
    pub(crate) hangup: Signal,
}

impl Reloading {
    /// Reloads whenever it is due; never ends.
    pub(crate) async fn run(self) {
        if self.catalogue.is_none() && self.certificate.is_none() {
            return nothing_to_reload(self.hangup).await;
        }
        tokio::join!(run(self.catalogue), run(self.certificate));
    }
}

async fn run<T: Reloadable>(reloader: Option<Reloader<T>>) {
    match reloader {
        Some(reloader) => reloader.run().await,
        None => pending().await,
    }
}

/// Whoever asks is told so.
async fn nothing_to_reload(mut hangup: Signal) {
    loop {
        let _ = hangup.recv().await;
        tracing::warn!("nothing to reload: the embedded catalogue is in use, see catalogue.path");
    }
}

/// A hash over what was read; only compared within this process.
fn hash(files: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    files.hash(&mut hasher);
    hasher.finish()
}

fn ticks(every: Duration) -> Option<Interval> {
    (!every.is_zero()).then(|| {
        let mut ticks = interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks
    })
}

async fn next(ticks: &mut Option<Interval>) {
    match ticks {
        Some(ticks) => {
            ticks.tick().await;
        }
        None => pending().await,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// A file that says something else than what is in use.
    struct Changed(Mutex<Vec<&'static str>>);

    impl Reloadable for Changed {
        const NAME: &'static str = "file";
        type Files = &'static str;
        type Sound = &'static str;
        type Fault = &'static str;

        fn read(&self) -> Result<&'static str, &'static str> {
            Ok("new")
        }

        fn check(&self, files: &&'static str) -> Result<&'static str, &'static str> {
            Ok(files)
        }

        fn replace(&self, sound: &'static str) {
            self.0.lock().unwrap().push(sound);
        }

        fn count(&self, _: bool) {}
    }

    #[tokio::test]
    async fn what_changed_while_the_service_started_is_taken_once() {
        let changed = Changed(Mutex::default());
        let mut reloader = Reloader::new(changed, &"old", Duration::from_secs(1)).unwrap();
        reloader.reload(false).await;
        reloader.reload(false).await;
        assert_eq!(*reloader.what.0.lock().unwrap(), ["new"]);
    }
}
