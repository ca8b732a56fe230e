//! Settings: what there is. How the layers are read and what is refused stands in `layers`.
//!
//! Settings travel as arguments and are never global. `config/default.toml` is embedded and is the reference.

mod layers;
mod values;

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::keys::KeyEntry;
pub use layers::{Overrides, SettingsError};
pub use values::{Network, Origin};
use values::{empty_for_none, texts};

/// The reference of every key, with its default.
pub const DEFAULTS: &str = include_str!("../../config/default.toml");

/// How many workers there may be; actix refuses more by a panic.
pub const MOST_WORKERS: usize = 512;

/// Everything that can be set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The server.
    pub server: Server,
    /// Its certificate.
    pub tls: Tls,
    /// Who may ask.
    pub auth: Auth,
    /// How often.
    pub rate_limit: RateLimit,
    /// Proxies in front.
    pub proxy: Proxy,
    /// Web pages of other origins.
    pub cors: Cors,
    /// The listener for operations.
    pub operations: Operations,
    /// Logs and spans.
    pub telemetry: Telemetry,
    /// The knowledge.
    pub catalogue: CatalogueFolder,
}

/// How the server listens and what it bears. Times are in seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// Address and port.
    pub listen: SocketAddr,
    /// Threads; 0 for one a core.
    pub workers: usize,
    /// The largest body in bytes.
    pub body_limit: usize,
    /// For the head of a first request.
    pub head_timeout: u64,
    /// For a request as a whole.
    pub request_timeout: u64,
    /// For the first byte of an answer, and between two pieces of it.
    pub io_timeout: u64,
    /// For an idle connection.
    pub keep_alive: u64,
    /// How many connections there may be.
    pub max_connections: usize,
    /// How far a worker may be behind, in milliseconds; 0 for any time.
    pub max_queue_delay: u64,
    /// Between the signal to stop and the end of listening.
    pub drain_delay: u64,
    /// For requests in flight after that.
    pub shutdown_timeout: u64,
    /// How long browsers are told to use HTTPS alone; 0 for not telling them.
    pub hsts_seconds: u32,
}

impl Server {
    /// How long a request may take as a whole.
    #[must_use]
    pub const fn request_timeout(&self) -> Duration {
        Duration::from_secs(self.request_timeout)
    }
}

/// The certificate that the service shows. Both files or neither.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// PEM with the certificate and those that lead to a known authority; empty for no TLS.
    pub certificate_file: PathBuf,
    /// PEM with the private key of the certificate.
    pub private_key_file: PathBuf,
    /// How often the files are looked at for changes, in seconds; 0 for never.
    pub watch_seconds: u64,
}

impl Tls {
    /// Whether the service speaks TLS.
    #[must_use]
    pub fn is_on(&self) -> bool {
        !self.certificate_file.as_os_str().is_empty()
    }

    fn check(&self) -> Result<(), SettingsError> {
        let (set, missing) = match (self.is_on(), self.private_key_file.as_os_str().is_empty()) {
            (true, true) => ("tls.certificate_file", "tls.private_key_file"),
            (false, false) => ("tls.private_key_file", "tls.certificate_file"),
            (true, false) | (false, true) => return Ok(()),
        };
        let reason = format!("it is empty, but {set} is set; TLS needs both, and neither turns it off");
        Err(SettingsError::Invalid { key: missing.into(), reason })
    }
}

/// Who may ask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Auth {
    /// Whether a key is needed.
    pub mode: AuthMode,
    /// The keys; each name and each key once.
    #[serde(with = "texts")]
    pub keys: Vec<KeyEntry>,
}

/// Whether a key is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthMode {
    /// Where there are keys; without keys, only a loopback address may be listened on.
    Auto,
    /// Always.
    Keys,
    /// Never, on whatever address.
    Open,
}

/// How often one client may ask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateLimit {
    /// Requests in a window; 0 for no limit.
    pub requests: u32,
    /// Length of the window in seconds.
    pub window_seconds: u32,
}

/// Proxies in front.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proxy {
    /// Networks of proxies whose `X-Forwarded-For` is believed.
    #[serde(with = "texts")]
    pub trusted: Vec<Network>,
}

/// Web pages of other origins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cors {
    /// Origins whose pages may read answers.
    #[serde(with = "texts")]
    pub allowed_origins: Vec<Origin>,
}

/// Why nothing is listened on.
#[derive(Debug, Error)]
pub enum AccessRefused {
    /// Anyone who reaches the address could ask, and nobody said that they may.
    #[error(
        "refusing to listen on {0}, where others can reach it, before it is said who may ask. Either set auth.keys, \
         so that only bearers of a key may (`coxa key new NAME` makes one), or set auth.mode = \"open\" \
         (COXA__AUTH__MODE=open), so that everyone may"
    )]
    Unsaid(SocketAddr),
    /// Keys are needed, and there are none.
    #[error("auth.mode is \"keys\", but auth.keys is empty; `coxa key new NAME` makes one")]
    NoKeys,
    /// There are keys, and nobody is asked for them.
    #[error("auth.keys holds keys, but auth.mode = \"open\" asks nobody for one; take one of the two out")]
    UnusedKeys,
}

/// The listener for operations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Operations {
    /// Address and port; none for no such listener, written as an empty text.
    #[serde(with = "empty_for_none")]
    pub listen: Option<SocketAddr>,
}

/// What is logged and how, and where spans go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Telemetry {
    /// Least level of coxa's own lines.
    pub log_level: LogLevel,
    /// How a line is written.
    pub log_format: LogFormat,
    /// Whether each request leaves a line.
    pub access_log: bool,
    /// The address of an OpenTelemetry collector that takes traces over HTTP; empty for none.
    pub otlp_endpoint: String,
}

impl Telemetry {
    fn check(&self) -> Result<(), SettingsError> {
        let reason = if self.otlp_endpoint.is_empty() {
            return Ok(());
        } else if !cfg!(feature = "otel") {
            "this build sends no spans; build it with `--features otel`"
        } else if !self.otlp_endpoint.starts_with("http://") {
            "it must begin with http://; a collector near the service passes spans on over TLS"
        } else {
            return Ok(());
        };
        Err(SettingsError::Invalid { key: "telemetry.otlp_endpoint".into(), reason: reason.into() })
    }
}

/// Least level of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the usual five")]
pub enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

/// How a log line is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

/// Where the knowledge comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CatalogueFolder {
    /// A folder that replaces the embedded catalogue; empty for the embedded one.
    pub path: PathBuf,
    /// How often the folder is looked at for changes, in seconds; 0 for never.
    pub watch_seconds: u64,
}

impl Settings {
    /// The keys that requests are asked for; none where anyone may ask.
    ///
    /// # Errors
    /// [`AccessRefused`] when it is not said who may ask, or said in two ways.
    pub fn keys_in_force(&self) -> Result<&[KeyEntry], AccessRefused> {
        let keys = self.auth.keys.as_slice();
        match self.auth.mode {
            AuthMode::Open if keys.is_empty() => Ok(keys),
            AuthMode::Open => Err(AccessRefused::UnusedKeys),
            AuthMode::Keys if keys.is_empty() => Err(AccessRefused::NoKeys),
            AuthMode::Auto if keys.is_empty() && !self.server.listen.ip().to_canonical().is_loopback() => {
                Err(AccessRefused::Unsaid(self.server.listen))
            }
            AuthMode::Auto | AuthMode::Keys => Ok(keys),
        }
    }

    /// The settings as TOML.
    #[must_use]
    pub fn to_toml(&self) -> String {
        // Texts, numbers and tables: serialising cannot fail.
        toml::to_string_pretty(self).unwrap_or_default()
    }
}
