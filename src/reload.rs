//! The catalogue's folder read again while the service runs: on SIGHUP, and where its files change.
//!
//! A new catalogue is checked first and then swapped in whole. One with a fault is named in the log and the old one goes
//! on answering; readiness is not touched.

use std::{
    future::pending,
    hash::{DefaultHasher, Hash, Hasher},
    io,
    path::PathBuf,
    time::Duration,
};

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    time::{Interval, MissedTickBehavior, interval},
};

use crate::{
    api::{Knowledge, LiveKnowledge, Metrics},
    startup::{StartError, read_folder},
};

/// Reads the catalogue again when asked to.
pub struct Reloader {
    folder: PathBuf,
    watch: Duration,
    live: LiveKnowledge,
    metrics: Metrics,
    hangup: Signal,
    /// A hash over the files as they were read last, good or bad: the same fault is told once.
    seen: u64,
}

/// What reading the folder came to.
enum Read {
    /// The files are as they were.
    Unchanged,
    /// They hold a sound catalogue.
    New(u64, Box<Knowledge>),
    /// They cannot be used.
    Refused(u64, StartError),
}

impl Reloader {
    /// Takes SIGHUP from now on. `watch` is how often the files are looked at; zero for never.
    ///
    /// # Errors
    /// When the signal cannot be taken.
    pub fn new(folder: PathBuf, watch: Duration, live: LiveKnowledge, metrics: Metrics) -> io::Result<Self> {
        let seen = read_folder(&folder).map_or(0, |files| hash(&files));
        Ok(Self { folder, watch, live, metrics, hangup: signal(SignalKind::hangup())?, seen })
    }

    /// Reloads whenever it is due; never ends.
    pub async fn run(mut self) {
        if self.folder.as_os_str().is_empty() {
            return self.embedded().await;
        }
        let mut ticks = ticks(self.watch);
        loop {
            tokio::select! {
                _ = self.hangup.recv() => self.reload(true).await,
                () = next(&mut ticks) => self.reload(false).await,
            }
        }
    }

    /// The embedded catalogue cannot change; whoever asks is told so.
    async fn embedded(mut self) {
        loop {
            let _ = self.hangup.recv().await;
            tracing::warn!("nothing to reload: the embedded catalogue is in use, see catalogue.path");
        }
    }

    async fn reload(&mut self, asked: bool) {
        let (folder, seen) = (self.folder.clone(), self.seen);
        // Compiling takes milliseconds of a core: the thread that drives the server does not wait for it.
        let read = tokio::task::spawn_blocking(move || {
            let files = match read_folder(&folder) {
                Ok(files) => files,
                Err(error) => return Read::Refused(0, error),
            };
            let hash = hash(&files);
            if hash == seen && !asked {
                return Read::Unchanged;
            }
            match Knowledge::compile(&files) {
                Ok(knowledge) => Read::New(hash, Box::new(knowledge)),
                Err(faults) => Read::Refused(hash, faults.into()),
            }
        });
        match read.await {
            Ok(Read::Unchanged) => {}
            Ok(Read::New(hash, knowledge)) => {
                self.seen = hash;
                let catalogue = knowledge.catalogue();
                tracing::info!(
                    version = catalogue.about().version,
                    sha256 = catalogue.sha256(),
                    "catalogue reloaded"
                );
                self.metrics.catalogue_reloaded(true);
                self.metrics.catalogue_in_use(&catalogue.about().version, catalogue.sha256());
                self.live.replace(*knowledge);
            }
            Ok(Read::Refused(hash, error)) => {
                if asked || hash != self.seen {
                    self.metrics.catalogue_reloaded(false);
                    tracing::error!(%error, "catalogue not reloaded, the old one goes on");
                }
                self.seen = hash;
            }
            Err(_) => {
                self.metrics.catalogue_reloaded(false);
                tracing::error!("catalogue not reloaded, the old one goes on: compiling it failed");
            }
        }
    }
}

/// A hash over names and texts of files; only compared within this process.
fn hash(files: &[crate::catalogue::CatalogueFile]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for file in files {
        (&file.name, &file.text).hash(&mut hasher);
    }
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
