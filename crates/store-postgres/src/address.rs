//! Where the database is: a `postgres://` URL as libpq reads it.
//!
//! `sslmode` is `disable`, `prefer` (as libpq does without one), `require`, `verify-ca` or `verify-full`. As with libpq, the first
//! three do not look at the server's certificate, unless `require` comes with `sslrootcert`; `verify-ca` is carried out as
//! `verify-full`. Roots are those of the platform, or the file that `sslrootcert` names. A socket needs no TLS.

mod trust;

use std::{fmt, str::FromStr, sync::Arc};

use percent_encoding::percent_decode_str;
use rustls::ClientConfig;
use tokio_postgres::{
    Config,
    config::{Host, SslMode},
};
use tokio_postgres_rustls::MakeRustlsConnect;

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
        // Taken apart as text: a list of hosts is no URL to others, and whatever is not ours reaches the driver as it was written.
        let (place, query) = text.split_once('?').unwrap_or((text, ""));
        let (mut mode, mut roots, mut rest) = ("prefer".to_owned(), None, Vec::new());
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            match name {
                "sslmode" => value.clone_into(&mut mode),
                "sslrootcert" => roots = Some(percent_decode_str(value).decode_utf8_lossy().into_owned()),
                _ => rest.push(parameter.to_owned()),
            }
        }
        let (for_driver, tls) = match (mode.as_str(), roots.as_deref()) {
            ("disable", _) => ("disable", None),
            ("prefer", _) | ("require", None) => (mode.as_str(), Some(trust::in_anybody().map_err(AddressError::Roots)?)),
            // As with libpq: roots that are named are to be looked at.
            ("require" | "verify-ca" | "verify-full", roots) => {
                ("require", Some(trust::in_roots(roots).map_err(AddressError::Roots)?))
            }
            _ => return Err(AddressError::Mode(mode)),
        };
        rest.push(format!("sslmode={for_driver}"));
        let driven = format!("{place}?{}", rest.join("&"));
        let mut config = Config::from_str(&driven).map_err(|error| AddressError::Parameter(cause(&error)))?;
        let tls = tls.filter(|_| !is_local(&config));
        if tls.is_none() {
            config.ssl_mode(SslMode::Disable);
        }
        Ok(Self { config, tls: tls.map(Arc::new) })
    }
}

/// Nothing can come between this program and a socket of this machine's.
fn is_local(config: &Config) -> bool {
    let is_socket = |host: &Host| !matches!(host, Host::Tcp(_));
    !config.get_hosts().is_empty() && config.get_hosts().iter().all(is_socket)
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

fn host(host: &Host) -> String {
    match host {
        Host::Tcp(name) => name.clone(),
        #[cfg(unix)]
        Host::Unix(path) => path.display().to_string(),
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
    fn what_is_not_ours_reaches_the_driver_as_it_was_written() {
        let text = "postgres://u@h1:5432,h2:5433/db?target_session_attrs=read-write&application_name=my%20app&options=-c%20jit%3Doff";
        let address: Address = text.parse().unwrap();
        assert_eq!(address.to_string(), "postgres://h1,h2/db");
        assert_eq!(address.config().get_application_name(), Some("my app"));
        assert_eq!(address.config().get_options(), Some("-c jit=off"));
    }

    #[test]
    fn a_socket_needs_no_tls_and_named_roots_are_looked_at() {
        let socket: Address = "postgres://webhooks@%2Fvar%2Frun%2Fpostgresql/webhooks".parse().unwrap();
        assert!(socket.tls().is_none());
        assert!(refused("postgres://db/x?sslmode=require&sslrootcert=/nowhere.pem").starts_with("sslrootcert: "));
    }

    #[test]
    fn without_a_mode_tls_is_used_where_the_server_has_it() {
        let address: Address = "postgres://db/x".parse().unwrap();
        assert!(address.tls().is_some());
        let address: Address = "postgres://db/x?sslmode=disable".parse().unwrap();
        assert!(address.tls().is_none());
    }
}
