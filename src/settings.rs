//! Settings: what there is, how the layers are read, and what is refused.
//!
//! Settings travel as arguments and are never global. `config/default.toml` is embedded and is the reference.

use std::{
    collections::BTreeSet,
    fmt::{self, Display},
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    str::FromStr,
    time::Duration,
};

use config::{Config, Environment, File, FileFormat};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{catalogue::nearest, keys::KeyEntry};

/// The reference of every key, with its default.
pub const DEFAULTS: &str = include_str!("../config/default.toml");

/// Names the file of settings under `config/`.
const ENVIRONMENT_NAME: &str = "COXA_ENV";

/// What every variable that holds a setting begins with.
const VARIABLE_PREFIX: &str = "COXA__";

/// Keys that hold lists; in a variable, commas part the entries.
const LISTS: [&str; 3] = ["auth.keys", "proxy.trusted", "cors.allowed_origins"];

/// The largest rate and the longest window of a rate limit.
const MOST_REQUESTS: u32 = 1_000_000;
const LONGEST_WINDOW: u32 = 86_400;
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

/// A network, or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network(pub IpNet);

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let network = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        network.map(Self).map_err(|_| "expected networks such as 10.0.0.0/8 or addresses".into())
    }
}

impl Display for Network {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// Web pages of other origins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cors {
    /// Origins whose pages may read answers.
    #[serde(with = "texts")]
    pub allowed_origins: Vec<Origin>,
}

/// An origin as browsers write it: scheme, host, and port where it is not the usual one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(pub String);

impl FromStr for Origin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let plain = |byte: u8| {
            byte.is_ascii_lowercase()
                || byte.is_ascii_digit()
                || matches!(byte, b'-' | b'.' | b':' | b'[' | b']')
        };
        match host {
            Some(host) if !host.is_empty() && host.bytes().all(plain) => Ok(Self(text.into())),
            Some(_) | None => Err(
                "expected origins such as https://app.example: scheme and host in small letters, no path, no \
                 wildcard"
                    .into(),
            ),
        }
    }
}

impl Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Lists of what is written as a text. An empty text is no entry: an empty variable gives one.
mod texts {
    use super::{Display, FromStr};
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<T: Display, S: Serializer>(list: &[T], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(list.iter().map(ToString::to_string))
    }

    pub fn deserialize<'de, T, D>(deserializer: D) -> Result<Vec<T>, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        let texts = Vec::<String>::deserialize(deserializer)?;
        let texts = texts.iter().map(|text| text.trim()).filter(|text| !text.is_empty());
        texts.map(|text| text.parse().map_err(Error::custom)).collect()
    }
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

/// An optional value as a text that is empty for none: TOML and variables have no other word for it.
mod empty_for_none {
    use std::{fmt::Display, str::FromStr};

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<T: Display, S: Serializer>(
        value: &Option<T>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => serializer.collect_str(value),
            None => serializer.serialize_str(""),
        }
    }

    pub(super) fn deserialize<'de, T: FromStr<Err: Display>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<T>, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.is_empty() { Ok(None) } else { text.parse().map(Some).map_err(D::Error::custom) }
    }
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

/// What the command line says of settings.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// The file of settings.
    pub file: Option<PathBuf>,
    /// Address and port.
    pub listen: Option<SocketAddr>,
    /// The catalogue's folder.
    pub catalogue: Option<PathBuf>,
}

/// Why settings are refused.
#[derive(Debug, Error)]
pub enum SettingsError {
    /// A variable that looks like one of ours and is none.
    #[error("the environment variable {name} is not known{hint}")]
    UnknownVariable {
        /// As it was written.
        name: String,
        /// What may have been meant.
        hint: String,
    },
    /// A key of a file that is not known.
    #[error("the setting `{key}` is not known{hint}")]
    UnknownKey {
        /// As it was written.
        key: String,
        /// What may have been meant.
        hint: String,
    },
    /// A value that does not fit.
    #[error("the setting `{key}` is not valid: {reason}")]
    Invalid {
        /// The key.
        key: String,
        /// Why.
        reason: String,
    },
    /// A layer that cannot be read.
    #[error("the settings cannot be read: {0}")]
    Unreadable(#[from] config::ConfigError),
}

impl Settings {
    /// Reads all layers; `variables` are the environment.
    ///
    /// # Errors
    /// [`SettingsError`] names the first key, variable or value that cannot be used.
    pub fn read(
        overrides: &Overrides,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, SettingsError> {
        let variables: Vec<(String, String)> =
            variables.into_iter().filter(|(name, _)| name.starts_with("COXA_")).collect();
        let known = known_keys();
        for (name, _) in &variables {
            check_variable(name, &known)?;
        }
        let mut layers = Config::builder().add_source(File::from_str(DEFAULTS, FileFormat::Toml));
        let named = variables.iter().find(|(name, _)| name == ENVIRONMENT_NAME).map(|(_, value)| value);
        if let Some(file) = &overrides.file {
            layers = layers.add_source(File::from(file.as_path()).format(FileFormat::Toml));
        } else if let Some(named) = named {
            layers = layers.add_source(File::new(&format!("config/{named}.toml"), FileFormat::Toml));
        }
        let ours = variables.into_iter().filter(|(name, _)| name.starts_with(VARIABLE_PREFIX)).collect();
        let mut environment = Environment::with_prefix("COXA")
            .prefix_separator("__")
            .separator("__")
            .try_parsing(true)
            .list_separator(",")
            .source(Some(ours));
        for list in LISTS {
            environment = environment.with_list_parse_key(list);
        }
        layers = layers.add_source(environment);
        if let Some(listen) = overrides.listen {
            layers = layers.set_override("server.listen", listen.to_string())?;
        }
        if let Some(folder) = &overrides.catalogue {
            layers = layers.set_override("catalogue.path", folder.to_string_lossy().into_owned())?;
        }
        let settings: Self =
            serde_path_to_error::deserialize(layers.build()?).map_err(|error| explain(&error, &known))?;
        settings.check()?;
        Ok(settings)
    }

    fn check(&self) -> Result<(), SettingsError> {
        let least_one = [
            ("server.body_limit", self.server.body_limit as u64),
            ("server.head_timeout", self.server.head_timeout),
            ("server.request_timeout", self.server.request_timeout),
            ("server.keep_alive", self.server.keep_alive),
            ("rate_limit.window_seconds", self.rate_limit.window_seconds.into()),
            ("server.max_connections", self.server.max_connections as u64),
        ];
        for (key, value) in least_one {
            if value == 0 {
                return Err(SettingsError::Invalid { key: key.into(), reason: "it must be above 0".into() });
            }
        }
        let invalid =
            |key: &str, reason: &str| Err(SettingsError::Invalid { key: key.into(), reason: reason.into() });
        if self.server.io_timeout <= self.server.request_timeout {
            return invalid("server.io_timeout", "it must be above server.request_timeout");
        }
        if self.server.workers > MOST_WORKERS {
            return invalid("server.workers", "it must be at most 512");
        }
        self.tls.check()?;
        let limits = [
            ("rate_limit.requests", self.rate_limit.requests, MOST_REQUESTS),
            ("rate_limit.window_seconds", self.rate_limit.window_seconds, LONGEST_WINDOW),
        ];
        for (key, value, most) in limits {
            if value > most {
                let reason = format!("it must be at most {most}");
                return Err(SettingsError::Invalid { key: key.into(), reason });
            }
        }
        let (mut names, mut keys) = (BTreeSet::new(), BTreeSet::new());
        match self.auth.keys.iter().find(|key| !names.insert(&key.name) || !keys.insert(key.sha256)) {
            Some(twice) => {
                let reason = format!("the name or the key of `{}` stands there twice", twice.name);
                Err(SettingsError::Invalid { key: "auth.keys".into(), reason })
            }
            None => self.telemetry.check(),
        }
    }

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

/// Every key of the reference, with dots.
fn known_keys() -> Vec<String> {
    let table: toml::Table = toml::from_str(DEFAULTS).unwrap_or_default();
    table
        .iter()
        .flat_map(|(section, value)| {
            let keys = value.as_table().into_iter().flat_map(toml::Table::keys);
            keys.map(move |key| format!("{section}.{key}"))
        })
        .collect()
}

fn check_variable(name: &str, known: &[String]) -> Result<(), SettingsError> {
    let names: Vec<String> = known
        .iter()
        .map(|key| format!("{VARIABLE_PREFIX}{}", key.to_uppercase().replace('.', "__")))
        .chain([ENVIRONMENT_NAME.to_owned()])
        .collect();
    if names.iter().any(|known| known == name) {
        return Ok(());
    }
    let hint = nearest(name, names.iter().map(String::as_str)).map_or_else(
        || "; `coxa settings` lists every key".to_owned(),
        |meant| format!("; did you mean {meant}?"),
    );
    Err(SettingsError::UnknownVariable { name: name.into(), hint })
}

fn explain(error: &serde_path_to_error::Error<config::ConfigError>, known: &[String]) -> SettingsError {
    let message = error.inner().to_string();
    let path = error.path().to_string();
    if let Some(rest) = message.strip_prefix("unknown field `") {
        let word = rest.split('`').next().unwrap_or_default();
        let key = if path == "." || path.is_empty() {
            word.to_owned()
        } else if path.ends_with(word) {
            path
        } else {
            format!("{path}.{word}")
        };
        let sections = known.iter().filter_map(|key| key.split('.').next());
        let hint = nearest(&key, known.iter().map(String::as_str).chain(sections)).map_or_else(
            || format!("; the keys are {}", known.join(", ")),
            |meant| format!("; did you mean `{meant}`?"),
        );
        return SettingsError::UnknownKey { key, hint };
    }
    if path.starts_with("auth.keys") {
        // The message may say back what stands there, and somebody may have put a key there.
        let reason = "expected a list of texts `name:sha256`, with a name of 1 to 64 letters, digits, dots, \
                      underscores and hyphens, and the SHA-256 of a key as 64 hex digits; `coxa key new NAME` \
                      prints one";
        return SettingsError::Invalid { key: path, reason: reason.into() };
    }
    SettingsError::Invalid { key: path, reason: message }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Settings, SettingsError> {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Settings::read(&Overrides::default(), variables)
    }

    #[test]
    fn the_defaults_are_valid_and_survive_being_printed() {
        let settings = read(&[]).unwrap();
        assert_eq!(settings.server.listen.to_string(), "127.0.0.1:8080");
        assert_eq!(toml::from_str::<Settings>(&settings.to_toml()).unwrap(), settings);
    }

    #[test]
    fn a_variable_goes_over_the_defaults_and_the_command_line_over_both() {
        let settings =
            read(&[("COXA__SERVER__LISTEN", "127.0.0.1:9"), ("COXA__TELEMETRY__ACCESS_LOG", "false")])
                .unwrap();
        assert_eq!(settings.server.listen.port(), 9);
        assert!(!settings.telemetry.access_log);
        let overrides = Overrides { listen: Some("127.0.0.1:10".parse().unwrap()), ..Overrides::default() };
        let variables = [("COXA__SERVER__LISTEN".to_owned(), "127.0.0.1:9".to_owned())];
        assert_eq!(Settings::read(&overrides, variables).unwrap().server.listen.port(), 10);
    }

    #[test]
    fn what_is_misspelt_is_named_with_the_nearest_known_one() {
        for (name, meant) in [
            ("COXA_SERVER__LISTEN", "COXA__SERVER__LISTEN"),
            ("COXA__SERVER__LISTN", "COXA__SERVER__LISTEN"),
            ("COXA__ENV", "COXA_ENV"),
        ] {
            let message = read(&[(name, "x")]).unwrap_err().to_string();
            assert!(message.contains(name) && message.contains(meant), "{message}");
        }
    }

    #[test]
    fn a_key_of_a_file_that_is_not_known_is_named() {
        let file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
        std::fs::write(file.path(), "[server]\nlistn = \"127.0.0.1:1\"\n").unwrap();
        let overrides = Overrides { file: Some(file.path().into()), ..Overrides::default() };
        let message = Settings::read(&overrides, []).unwrap_err().to_string();
        assert_eq!(message, "the setting `server.listn` is not known; did you mean `server.listen`?");
    }

    #[test]
    fn a_value_that_does_not_fit_names_its_key() {
        for (name, value, key) in [
            ("COXA__SERVER__WORKERS", "many", "server.workers"),
            ("COXA__SERVER__LISTEN", "nowhere", "server.listen"),
            ("COXA__SERVER__BODY_LIMIT", "0", "server.body_limit"),
            ("COXA__SERVER__WORKERS", "513", "server.workers"),
            ("COXA__SERVER__IO_TIMEOUT", "10", "server.io_timeout"),
            ("COXA__SERVER__MAX_CONNECTIONS", "0", "server.max_connections"),
            ("COXA__TELEMETRY__LOG_LEVEL", "loud", "telemetry.log_level"),
            ("COXA__TELEMETRY__OTLP_ENDPOINT", "ftp://nowhere", "telemetry.otlp_endpoint"),
            ("COXA__OPERATIONS__LISTEN", "9464", "operations.listen"),
            ("COXA__TLS__CERTIFICATE_FILE", "cert.pem", "`tls.private_key_file` is not valid: it is empty"),
            ("COXA__TLS__PRIVATE_KEY_FILE", "key.pem", "`tls.certificate_file` is not valid: it is empty"),
        ] {
            let message = read(&[(name, value)]).unwrap_err().to_string();
            assert!(message.contains(key), "{message}");
        }
    }

    #[test]
    fn lists_come_from_variables_with_commas_and_an_empty_variable_is_an_empty_list() {
        let (one, other) = ("a".repeat(64), "b".repeat(64));
        let settings = read(&[
            ("COXA__AUTH__KEYS", &format!("phone:{one}, watch-2:{other}")),
            ("COXA__PROXY__TRUSTED", "10.0.0.0/8,192.0.2.1,fd00::/8"),
            ("COXA__CORS__ALLOWED_ORIGINS", "https://app.example,http://localhost:3000"),
        ])
        .unwrap();
        let names: Vec<&str> = settings.auth.keys.iter().map(|key| key.name.as_str()).collect();
        assert_eq!(names, ["phone", "watch-2"]);
        let networks: Vec<String> = settings.proxy.trusted.iter().map(ToString::to_string).collect();
        assert_eq!(networks, ["10.0.0.0/8", "192.0.2.1/32", "fd00::/8"]);
        assert_eq!(settings.cors.allowed_origins.len(), 2);
        assert_eq!(toml::from_str::<Settings>(&settings.to_toml()).unwrap(), settings);
        let empty = ["COXA__AUTH__KEYS", "COXA__PROXY__TRUSTED", "COXA__CORS__ALLOWED_ORIGINS"];
        assert_eq!(read(&empty.map(|name| (name, ""))).unwrap(), read(&[]).unwrap());
    }

    #[test]
    fn a_list_with_an_entry_that_does_not_fit_is_refused() {
        let digits = "a".repeat(64);
        for (name, value, key) in [
            ("COXA__AUTH__KEYS", "phone:123", "auth.keys"),
            ("COXA__AUTH__KEYS", &format!("phone:{digits},phone:{}", "b".repeat(64)), "auth.keys"),
            ("COXA__AUTH__KEYS", &format!("phone:{digits},watch:{digits}"), "auth.keys"),
            ("COXA__PROXY__TRUSTED", "10.0.0.0/33", "proxy.trusted"),
            ("COXA__PROXY__TRUSTED", "proxy.example", "proxy.trusted"),
            ("COXA__CORS__ALLOWED_ORIGINS", "*", "cors.allowed_origins"),
            ("COXA__CORS__ALLOWED_ORIGINS", "null", "cors.allowed_origins"),
            ("COXA__CORS__ALLOWED_ORIGINS", "app.example", "cors.allowed_origins"),
            ("COXA__CORS__ALLOWED_ORIGINS", "https://app.example/", "cors.allowed_origins"),
            ("COXA__CORS__ALLOWED_ORIGINS", "https://*.example", "cors.allowed_origins"),
            ("COXA__RATE_LIMIT__REQUESTS", "1000001", "rate_limit.requests"),
            ("COXA__RATE_LIMIT__WINDOW_SECONDS", "0", "rate_limit.window_seconds"),
            ("COXA__AUTH__MODE", "none", "auth.mode"),
        ] {
            let message = read(&[(name, value)]).unwrap_err().to_string();
            assert!(message.contains(key), "{message}");
        }
    }

    #[test]
    fn a_key_that_was_put_where_its_sha256_is_due_is_not_said_back() {
        let file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
        let key = "coxa_0123456789";
        for keys in [format!("\"{key}\""), format!("[\"name:{key}\"]"), format!("[[\"{key}\"]]")] {
            std::fs::write(file.path(), format!("[auth]\nkeys = {keys}\n")).unwrap();
            let overrides = Overrides { file: Some(file.path().into()), ..Overrides::default() };
            let message = Settings::read(&overrides, []).unwrap_err().to_string();
            assert!(message.contains("auth.keys") && !message.contains(key), "{message}");
        }
        let message = read(&[("COXA__AUTH__KEYS", key)]).unwrap_err().to_string();
        assert!(message.contains("auth.keys") && !message.contains(key), "{message}");
    }

    #[test]
    fn an_address_that_others_reach_needs_a_choice_of_who_may_ask() {
        let entry = format!("phone:{}", "a".repeat(64));
        let may_ask = |listen: &str, mode: &str, keys: &str| {
            let settings = read(&[
                ("COXA__SERVER__LISTEN", listen),
                ("COXA__AUTH__MODE", mode),
                ("COXA__AUTH__KEYS", keys),
            ])
            .unwrap();
            settings.keys_in_force().map(<[KeyEntry]>::len).map_err(|refused| refused.to_string())
        };
        for loopback in ["127.0.0.1:1", "127.8.9.1:1", "[::1]:1", "[::ffff:127.0.0.1]:1"] {
            assert_eq!(may_ask(loopback, "auto", ""), Ok(0), "{loopback}");
        }
        for address in ["0.0.0.0:1", "[::]:1", "192.0.2.1:1", "[2001:db8::1]:1"] {
            let refused = may_ask(address, "auto", "").unwrap_err();
            assert!(refused.contains("auth.keys") && refused.contains("auth.mode = \"open\""), "{refused}");
            assert_eq!(may_ask(address, "open", ""), Ok(0), "{address}");
            assert_eq!(may_ask(address, "auto", &entry), Ok(1), "{address}");
        }
        assert_eq!(may_ask("127.0.0.1:1", "keys", &entry), Ok(1));
        assert!(may_ask("127.0.0.1:1", "keys", "").is_err());
        assert!(may_ask("127.0.0.1:1", "open", &entry).is_err());
    }

    #[test]
    fn a_named_environment_must_have_its_file() {
        assert!(matches!(read(&[("COXA_ENV", "no-such-place")]), Err(SettingsError::Unreadable(_))));
    }
}
