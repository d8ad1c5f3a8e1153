//! Where the database is: a `postgres://` URL as libpq reads it.
//!
//! `sslmode` is `disable`, `prefer` (as libpq does without one), `require`, `verify-ca` or `verify-full`. As with libpq, the first
//! three do not look at the server's certificate; `verify-ca` is carried out as `verify-full`. Roots are those of the platform, or the
//! file that `sslrootcert` names.

mod trust;

use std::{fmt, str::FromStr, sync::Arc};

use rustls::ClientConfig;
use tokio_postgres::Config;
use tokio_postgres_rustls::MakeRustlsConnect;
use url::Url;

/// A server and a database on it. It is shown without its password.
#[derive(Clone)]
pub struct Address {
    config: Config,
    tls: Option<Arc<ClientConfig>>,
}

/// Why an address names no database.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum AddressError {
    #[error("it is no postgres:// URL")]
    NoUrl,
    #[error("sslmode is {0:?}; it can be disable, prefer, require, verify-ca or verify-full")]
    Mode(String),
    #[error("sslrootcert: {0}")]
    Roots(String),
    /// The driver names the parameter, never a value.
    #[error("{0}")]
    Parameter(String),
}

impl Address {
    /// Whether a setting names a database of this kind.
    pub fn is_one(text: &str) -> bool {
        text.starts_with("postgres://") || text.starts_with("postgresql://")
    }

    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    pub(crate) fn tls(&self) -> Option<MakeRustlsConnect> {
        self.tls.as_deref().cloned().map(MakeRustlsConnect::new)
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if !Self::is_one(text) {
            return Err(AddressError::NoUrl);
        }
        let mut url = Url::parse(text).map_err(|_| AddressError::NoUrl)?;
        let (mut mode, mut roots, mut rest) = ("prefer".to_owned(), None, Vec::new());
        for (name, value) in url.query_pairs() {
            match &*name {
                "sslmode" => mode = value.into_owned(),
                "sslrootcert" => roots = Some(value.into_owned()),
                _ => rest.push((name.into_owned(), value.into_owned())),
            }
        }
        let (for_driver, tls) = match mode.as_str() {
            "disable" => ("disable", None),
            "prefer" | "require" => (mode.as_str(), Some(trust::in_anybody().map_err(AddressError::Roots)?)),
            "verify-ca" | "verify-full" => {
                ("require", Some(trust::in_roots(roots.as_deref()).map_err(AddressError::Roots)?))
            }
            _ => return Err(AddressError::Mode(mode)),
        };
        url.query_pairs_mut().clear().extend_pairs(rest).append_pair("sslmode", for_driver);
        let config = Config::from_str(url.as_str()).map_err(|error| AddressError::Parameter(cause(&error)))?;
        Ok(Self { config, tls: tls.map(Arc::new) })
    }
}

fn cause(error: &tokio_postgres::Error) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hosts: Vec<String> = self.config.get_hosts().iter().map(host).collect();
        write!(f, "postgres://{}/{}", hosts.join(","), self.config.get_dbname().unwrap_or_default())
    }
}

fn host(host: &tokio_postgres::config::Host) -> String {
    match host {
        tokio_postgres::config::Host::Tcp(name) => name.clone(),
        #[cfg(unix)]
        tokio_postgres::config::Host::Unix(path) => path.display().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        text.parse::<Address>().unwrap_err().to_string()
    }

    #[test]
    fn an_address_is_shown_without_its_password() {
        let address: Address = "postgres://webhooks:s3cret@db.example.com:5433/preclinical?sslmode=require".parse().unwrap();
        assert_eq!(address.to_string(), "postgres://db.example.com/preclinical");
        assert_eq!(format!("{address:?}"), address.to_string());
    }

    #[test]
    fn what_is_wrong_with_an_address_is_said_without_its_password() {
        for text in
            ["mysql://root:s3cret@db/x", "postgres://user:s3cret@db:port/x", "postgres://u:s3cret@db/x?sslmode=maybe"]
        {
            let error = refused(text);
            assert!(!error.contains("s3cret"), "{error}");
        }
        assert!(refused("postgres://db/x?sslmode=maybe").contains("\"maybe\""));
        assert!(refused("postgres://db/x?sslrootcert=/nowhere.pem&sslmode=verify-full").starts_with("sslrootcert: "));
        assert!(refused("postgres://u:s3cret@db/x?colour=red").contains("colour"));
    }

    #[test]
    fn without_a_mode_tls_is_used_where_the_server_has_it() {
        let address: Address = "postgres://db/x".parse().unwrap();
        assert!(address.tls().is_some());
        let address: Address = "postgres://db/x?sslmode=disable".parse().unwrap();
        assert!(address.tls().is_none());
    }
}
