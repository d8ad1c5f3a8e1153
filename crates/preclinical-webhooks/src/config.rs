//! Settings from the environment and the command line. The command line wins; what is wrong is named all at once.

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    ops::RangeInclusive,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::bail;
use ipnet::IpNet;
use jiff::SignedDuration;
use preclinical_core::{
    address::AddressPolicy,
    endpoint::{EndpointPolicy, NotPorts},
    health::{DEFAULT_PATIENCE, Patience},
    retry::{RetrySchedule, parse_duration},
    vault::NotAMasterKey,
};
use preclinical_delivery::{NotAProxy, Proxy};
use preclinical_store_postgres::Address;
use preclinical_web::{NotARateLimit, RateLimit};
use url::Url;

use crate::master_key::KeySource;

const PREFIX: &str = "PRECLINICAL_";

/// Settings of clients, which a server's environment may hold as well.
const OF_CLIENTS: [&str; 3] = ["API_URL", "API_KEY", "WEBHOOK_SECRET"];

/// How the names of what this program's own tests can be told begin.
const OF_TESTS: &str = "TEST_";

const DEFAULT_LISTEN: &str = "127.0.0.1:3000";
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(15);
const DEFAULT_LEASE_MARGIN: Duration = Duration::from_secs(30);
const LEASE_MARGINS: RangeInclusive<Duration> = Duration::from_secs(5)..=Duration::from_mins(1);
const DEFAULT_RETENTION: Duration = Duration::from_hours(90 * 24);
const SHORTEST_RETENTION: Duration = Duration::from_hours(24);
const DISABLE_AFTER: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_hours(365 * 24);
const DISABLE_MIN_FAILED: RangeInclusive<u32> = 1..=1_000_000;
const TIMEOUTS: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_mins(1);

/// Where the database is.
#[derive(Debug, Clone)]
pub(crate) enum Location {
    /// Nobody said where, so it is a file of the embedded store in the platform's data folder.
    Default(PathBuf),
    /// A file of the embedded store.
    File(PathBuf),
    /// A database on PostgreSQL.
    Server(Box<Address>),
}

/// Everything `serve` can be told.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    pub(crate) listen: SocketAddr,
    pub(crate) database: Location,
    pub(crate) master_key: KeySource,
    /// Without a slash at its end; the address that is listened on if missing.
    pub(crate) public_url: Option<String>,
    pub(crate) schedule: RetrySchedule,
    pub(crate) request_timeout: Duration,
    pub(crate) lease_margin: Duration,
    /// How long deliveries are kept after their end; for ever if missing.
    pub(crate) retention: Option<Duration>,
    /// How long a webhook may fail before it is disabled; it is not if that is missing.
    pub(crate) patience: Option<Patience>,
    pub(crate) endpoints: EndpointPolicy,
    /// Through which all requests to users' systems go.
    pub(crate) proxy: Option<Proxy>,
    pub(crate) rate_limit: Option<RateLimit>,
    pub(crate) log: tracing_subscriber::filter::Targets,
}

/// What the command line says about the settings.
#[derive(Debug, Clone, Default)]
pub(crate) struct Overrides {
    pub(crate) listen: Option<String>,
    pub(crate) database: Option<String>,
    pub(crate) public_url: Option<String>,
}

impl Config {
    /// Reads the environment of this process.
    pub(crate) fn load(overrides: Overrides) -> anyhow::Result<Self> {
        let ours = std::env::vars_os().filter_map(|(name, value)| {
            let name = name.into_string().ok()?.strip_prefix(PREFIX)?.to_owned();
            Some((name, value.to_string_lossy().into_owned()))
        });
        Self::read(ours.collect(), overrides)
    }

    /// Where people reach a server that listens on that address; without a slash at its end.
    pub(crate) fn base(&self, address: SocketAddr) -> String {
        self.public_url.clone().unwrap_or_else(|| format!("http://{address}"))
    }

    /// Reads settings, named without their prefix. One message names everything that is wrong, with no value of a setting that may be secret.
    fn read(mut settings: BTreeMap<String, String>, overrides: Overrides) -> anyhow::Result<Self> {
        for (name, value) in
            [("LISTEN", overrides.listen), ("DATABASE_URL", overrides.database), ("PUBLIC_URL", overrides.public_url)]
        {
            if let Some(value) = value {
                settings.insert(name.to_owned(), value);
            }
        }
        for name in OF_CLIENTS {
            settings.remove(name);
        }
        settings.retain(|name, _| !name.starts_with(OF_TESTS));
        let mut reader = Reader { settings, wrong: Vec::new() };
        let listen = reader.take("LISTEN", parse_listen);
        let database = reader.take("DATABASE_URL", parse_database);
        let key = reader.take("MASTER_KEY", |text| text.parse().map_err(|error: NotAMasterKey| error.to_string()));
        let key_file = reader.take("MASTER_KEY_FILE", parse_file);
        if key.is_some() && key_file.is_some() {
            reader.wrong.push(format!("{PREFIX}MASTER_KEY and {PREFIX}MASTER_KEY_FILE exclude each other"));
        }
        let public_url = reader.take("PUBLIC_URL", parse_public_url);
        let schedule = reader.take("RETRY_SCHEDULE", |text| text.parse().map_err(|error| format!("{error}")));
        let request_timeout = reader.take("REQUEST_TIMEOUT", |text| parse_within(text, TIMEOUTS, "15s"));
        let lease_margin = reader.take("LEASE_MARGIN", |text| parse_within(text, LEASE_MARGINS, "30s"));
        let retention = reader.take("RETENTION", parse_retention);
        let disable_after = reader.take("DISABLE_AFTER", parse_disable_after);
        let disable_min_failed = reader.take("DISABLE_MIN_FAILED", parse_disable_min_failed);
        let allow = reader.take("ALLOW_CIDRS", parse_ranges);
        let deny = reader.take("DENY_CIDRS", parse_ranges);
        let ports = reader.take("ALLOW_PORTS", |text| text.parse().map_err(|error: NotPorts| error.to_string()));
        let proxy = reader.take("PROXY_URL", |text| text.parse().map_err(|error: NotAProxy| error.to_string()));
        let https_only = reader.take("HTTPS_ONLY", parse_switch);
        let rate_limit = reader.take("RATE_LIMIT", parse_rate_limit);
        let log =
            reader.take("LOG", |text| text.parse().map_err(|error| format!("must be a level or target=level,…: {error}")));
        reader.finish()?;
        Ok(Self {
            listen: listen.map_or_else(|| parse_listen(DEFAULT_LISTEN), Ok).map_err(anyhow::Error::msg)?,
            database: database.map_or_else(|| default_database().map(Location::Default), Ok)?,
            master_key: key.map(KeySource::Given).or(key_file.map(KeySource::File)).unwrap_or(KeySource::Beside),
            public_url,
            schedule: schedule.unwrap_or_default(),
            request_timeout: request_timeout.unwrap_or(DEFAULT_TIMEOUT),
            lease_margin: lease_margin.unwrap_or(DEFAULT_LEASE_MARGIN),
            retention: retention.unwrap_or(Some(DEFAULT_RETENTION)),
            patience: disable_after
                .unwrap_or(Some(DEFAULT_PATIENCE.time))
                .map(|time| Patience { time, exhausted: disable_min_failed.unwrap_or(DEFAULT_PATIENCE.exhausted) }),
            endpoints: EndpointPolicy {
                https_only: https_only.unwrap_or(false),
                ports: ports.unwrap_or_default(),
                addresses: AddressPolicy { allow: allow.unwrap_or_default(), deny: deny.unwrap_or_default() },
            },
            proxy,
            rate_limit: rate_limit.unwrap_or_else(|| Some(RateLimit::default())),
            log: log.unwrap_or_else(|| tracing_subscriber::filter::Targets::new().with_default(tracing::Level::INFO)),
        })
    }
}

struct Reader {
    settings: BTreeMap<String, String>,
    wrong: Vec<String>,
}

impl Reader {
    fn take<T>(&mut self, name: &str, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        let value = self.settings.remove(name)?;
        match parse(&value) {
            Ok(value) => Some(value),
            Err(cause) => {
                self.wrong.push(format!("{PREFIX}{name} {cause}"));
                None
            }
        }
    }

    fn finish(mut self) -> anyhow::Result<()> {
        self.wrong.extend(self.settings.keys().map(|name| format!("{PREFIX}{name} is not a setting")));
        if self.wrong.is_empty() {
            return Ok(());
        }
        bail!("the settings are not usable:\n  {}", self.wrong.join("\n  "))
    }
}

fn parse_listen(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "must be an address and port such as 127.0.0.1:3000".to_owned())
}

fn parse_database(text: &str) -> Result<Location, String> {
    if Address::is_one(text) {
        return text.parse().map(Box::new).map(Location::Server).map_err(|error| format!("cannot be used: {error}"));
    }
    let path = text.strip_prefix("sqlite:").unwrap_or(text);
    if path.is_empty() || path.contains("://") {
        return Err("must be a path, sqlite:PATH or postgres://USER@HOST/DATABASE".to_owned());
    }
    Ok(Location::File(Path::new(path).to_owned()))
}

fn parse_file(text: &str) -> Result<PathBuf, String> {
    if text.is_empty() { Err("must be a path".to_owned()) } else { Ok(text.into()) }
}

fn parse_public_url(text: &str) -> Result<String, String> {
    let wrong = || "must be an http or https URL without user, password, query or fragment".to_owned();
    let url = Url::parse(text).map_err(|_| wrong())?;
    let is_plain = url.username().is_empty() && url.password().is_none();
    if !matches!(url.scheme(), "http" | "https") || !is_plain || url.query().is_some() || url.fragment().is_some() {
        return Err(wrong());
    }
    Ok(text.trim_end_matches('/').to_owned())
}

fn parse_within(text: &str, range: RangeInclusive<Duration>, example: &str) -> Result<Duration, String> {
    let wrong = || format!("must be between {}s and {}s, such as {example}", range.start().as_secs(), range.end().as_secs());
    parse_duration(text).filter(|given| range.contains(given)).ok_or_else(wrong)
}

fn parse_retention(text: &str) -> Result<Option<Duration>, String> {
    if text.trim() == "0" {
        return Ok(None);
    }
    parse_duration(text)
        .filter(|length| *length >= SHORTEST_RETENTION)
        .map(Some)
        .ok_or_else(|| "must be at least 1d, such as 90d, or 0 to keep everything".to_owned())
}

fn parse_disable_after(text: &str) -> Result<Option<SignedDuration>, String> {
    if text.trim() == "off" {
        return Ok(None);
    }
    parse_duration(text)
        .filter(|length| DISABLE_AFTER.contains(length))
        .and_then(|length| SignedDuration::try_from(length).ok())
        .map(Some)
        .ok_or_else(|| "must be between 1s and 365d, such as 5d, or off".to_owned())
}

fn parse_disable_min_failed(text: &str) -> Result<u32, String> {
    let wrong = || format!("must be between 1 and {}, such as 10", DISABLE_MIN_FAILED.end());
    text.parse().ok().filter(|count| DISABLE_MIN_FAILED.contains(count)).ok_or_else(wrong)
}

fn parse_rate_limit(text: &str) -> Result<Option<RateLimit>, String> {
    if text.trim() == "0" { Ok(None) } else { text.parse().map(Some).map_err(|error: NotARateLimit| error.to_string()) }
}

fn parse_ranges(text: &str) -> Result<Vec<IpNet>, String> {
    let ranges = text.split(',').map(str::trim).filter(|range| !range.is_empty());
    // An address alone is the range of that address.
    let read = |text: &str| text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    ranges.map(|range| read(range).map_err(|_| "must be ranges such as 10.0.0.0/8,fd00::/8".to_owned())).collect()
}

fn parse_switch(text: &str) -> Result<bool, String> {
    match text {
        "true" | "1" => Ok(true),
        "false" | "0" | "" => Ok(false),
        _ => Err("must be true or false".to_owned()),
    }
}

fn default_database() -> anyhow::Result<PathBuf> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = if cfg!(target_os = "macos") {
        variable("HOME").map(|home| home.join("Library/Application Support"))
    } else if cfg!(windows) {
        variable("LOCALAPPDATA")
    } else {
        variable("XDG_DATA_HOME").or_else(|| variable("HOME").map(|home| home.join(".local/share")))
    };
    let Some(folder) = folder else { bail!("no data folder is known here: say where with --database PATH") };
    Ok(folder.join("preclinical-webhooks").join("webhooks.db"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(settings: &[(&str, &str)]) -> anyhow::Result<Config> {
        let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Config::read(settings.collect(), Overrides { database: Some("x.db".into()), ..Overrides::default() })
    }

    #[test]
    fn the_documented_defaults_hold() {
        let config = read(&[]).unwrap();
        assert_eq!(config.listen.to_string(), "127.0.0.1:3000");
        assert_eq!(config.schedule.to_string(), "1m,5m,30m");
        assert_eq!((config.request_timeout, config.lease_margin), (Duration::from_secs(15), Duration::from_secs(30)));
        assert!(!config.endpoints.https_only);
        assert_eq!(config.retention, Some(Duration::from_hours(90 * 24)));
        assert_eq!(config.patience, Some(Patience { time: SignedDuration::from_hours(5 * 24), exhausted: 10 }));
    }

    #[test]
    fn everything_wrong_is_named_in_one_message() {
        let error = read(&[
            ("RETRY_SCHEDULE", "soon"),
            ("REQUEST_TIMEOUT", "2h"),
            ("TYPO", "1"),
            ("API_KEY", "sk"),
            ("TEST_POSTGRES_URL", "x"),
        ])
        .unwrap_err();
        let message = error.to_string();
        for name in ["PRECLINICAL_RETRY_SCHEDULE", "PRECLINICAL_REQUEST_TIMEOUT", "PRECLINICAL_TYPO"] {
            assert!(message.contains(name), "{message}");
        }
        assert!(!message.contains("API_KEY"), "a client's setting is no mistake");
        assert!(!message.contains("TEST_POSTGRES_URL"), "nor is one of the tests");
    }

    #[test]
    fn webhooks_are_disabled_after_what_is_set_or_not_at_all() {
        let patience = |settings: &[(&str, &str)]| read(settings).unwrap().patience;
        let hour = Patience { time: SignedDuration::from_hours(1), exhausted: 3 };
        assert_eq!(patience(&[("DISABLE_AFTER", "1h"), ("DISABLE_MIN_FAILED", "3")]), Some(hour));
        assert_eq!(patience(&[("DISABLE_AFTER", "off"), ("DISABLE_MIN_FAILED", "3")]), None);
        for wrong in
            [("DISABLE_AFTER", "0s"), ("DISABLE_AFTER", "366d"), ("DISABLE_MIN_FAILED", "0"), ("DISABLE_MIN_FAILED", "-1")]
        {
            assert!(read(&[wrong]).unwrap_err().to_string().contains(wrong.0), "{wrong:?}");
        }
    }

    #[test]
    fn a_database_is_a_path_a_sqlite_url_or_a_postgres_url() {
        for (text, path) in [("sqlite:/tmp/a.db", "/tmp/a.db"), ("a.db", "a.db")] {
            assert!(matches!(parse_database(text), Ok(Location::File(file)) if file == Path::new(path)), "{text}");
        }
        for text in ["postgres://db/webhooks", "postgresql://user:s3cret@db:5433/webhooks?sslmode=verify-full"] {
            assert!(matches!(parse_database(text), Ok(Location::Server(_))), "{text}");
        }
        for text in ["mysql://x", "", "postgres://user:s3cret@db/x?sslmode=maybe"] {
            assert!(!parse_database(text).unwrap_err().contains("s3cret"), "{text}");
        }
    }

    #[test]
    fn addresses_ports_and_the_proxy_are_read_and_no_password_is_repeated() {
        let config = read(&[
            ("ALLOW_CIDRS", "10.0.0.0/8, 169.254.169.254,::ffff:192.168.0.0/112"),
            ("DENY_CIDRS", "fd00::1"),
            ("ALLOW_PORTS", "443,8000-8999"),
            ("PROXY_URL", "http://us:c4nary@proxy.example:3128"),
        ])
        .unwrap();
        let policy = &config.endpoints;
        for url in
            ["https://10.1.2.3/", "https://169.254.169.254/", "https://192.168.1.1:8080/", "https://example.com:8999/"]
        {
            assert!(policy.parse(url).is_ok(), "{url}: {:?}", policy.parse(url));
        }
        for url in ["http://10.1.2.3/", "https://169.254.169.253/", "https://[fd00::1]/", "https://example.com:9000/"] {
            assert!(policy.parse(url).is_err(), "{url}");
        }
        assert!(config.proxy.is_some() && !format!("{config:?}").contains("c4nary"));
        let wrong = [("ALLOW_CIDRS", "10.0.0.0/33"), ("ALLOW_PORTS", "0"), ("PROXY_URL", "https://us:c4nary@proxy")];
        let message = read(&wrong).unwrap_err().to_string();
        for (name, _) in wrong {
            assert!(message.contains(&format!("PRECLINICAL_{name} must be ")), "{message}");
        }
        assert!(!message.contains("c4nary"), "{message}");
    }

    #[test]
    fn a_public_url_loses_its_last_slash() {
        assert_eq!(parse_public_url("https://example.com/base/").as_deref(), Ok("https://example.com/base"));
        for wrong in
            ["ftp://example.com", "https://user:s3cret@example.com", "https://example.com/?a=b", "https://example.com/#a"]
        {
            assert!(!parse_public_url(wrong).unwrap_err().contains("s3cret"), "{wrong}");
        }
    }
}
