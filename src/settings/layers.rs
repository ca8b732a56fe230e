//! How the layers of settings are read, and what is refused.

use std::{collections::BTreeSet, net::SocketAddr, path::PathBuf};

use config::{Config, Environment, File, FileFormat};
use thiserror::Error;

use super::{DEFAULTS, MOST_WORKERS, Settings};
use crate::catalogue::nearest;

/// Names the file of settings under `config/`.
const ENVIRONMENT_NAME: &str = "COXA_ENV";

/// What every variable that holds a setting begins with.
const VARIABLE_PREFIX: &str = "COXA__";

/// Keys that hold lists; in a variable, commas part the entries.
const LISTS: [&str; 3] = ["auth.keys", "proxy.trusted", "cors.allowed_origins"];

/// The largest rate and the longest window of a rate limit.
const MOST_REQUESTS: u32 = 1_000_000;
const LONGEST_WINDOW: u32 = 86_400;

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
    use crate::keys::KeyEntry;

    fn read(variables: &[(&str, &str)]) -> Result<Settings, SettingsError> {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Settings::read(&Overrides::default(), variables)
    }

    /// Each variable with its value is refused, and the message names the key or the reason.
    #[track_caller]
    fn assert_refused(cases: &[(&str, &str, &str)]) {
        for (name, value, named) in cases {
            let message = read(&[(name, value)]).unwrap_err().to_string();
            assert!(message.contains(named), "{name}={value}: {message}");
        }
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
        assert_refused(&[
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
        ]);
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
        assert_refused(&[
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
        ]);
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
