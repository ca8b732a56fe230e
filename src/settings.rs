//! Settings: what there is, how the layers are read, and what is refused.
//!
//! Settings travel as arguments and are never global. `config/default.toml` is embedded and is the reference.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use config::{Config, Environment, File, FileFormat};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::catalogue::nearest;

/// The reference of every key, with its default.
pub const DEFAULTS: &str = include_str!("../config/default.toml");

/// Names the file of settings under `config/`.
const ENVIRONMENT_NAME: &str = "COXA_ENV";

/// What every variable that holds a setting begins with.
const VARIABLE_PREFIX: &str = "COXA__";

/// Everything that can be set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The server.
    pub server: Server,
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
    /// For an idle connection.
    pub keep_alive: u64,
    /// Between the signal to stop and the end of listening.
    pub drain_delay: u64,
    /// For requests in flight after that.
    pub shutdown_timeout: u64,
}

impl Server {
    /// How long a request may take as a whole.
    #[must_use]
    pub const fn request_timeout(&self) -> Duration {
        Duration::from_secs(self.request_timeout)
    }
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
        layers = layers.add_source(
            Environment::with_prefix("COXA")
                .prefix_separator("__")
                .separator("__")
                .try_parsing(true)
                .source(Some(ours)),
        );
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
        ];
        for (key, value) in least_one {
            if value == 0 {
                return Err(SettingsError::Invalid { key: key.into(), reason: "it must be above 0".into() });
            }
        }
        self.telemetry.check()
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
            ("COXA__TELEMETRY__LOG_LEVEL", "loud", "telemetry.log_level"),
            ("COXA__TELEMETRY__OTLP_ENDPOINT", "ftp://nowhere", "telemetry.otlp_endpoint"),
            ("COXA__OPERATIONS__LISTEN", "9464", "operations.listen"),
        ] {
            let message = read(&[(name, value)]).unwrap_err().to_string();
            assert!(message.contains(key), "{message}");
        }
    }

    #[test]
    fn a_named_environment_must_have_its_file() {
        assert!(matches!(read(&[("COXA_ENV", "no-such-place")]), Err(SettingsError::Unreadable(_))));
    }
}
