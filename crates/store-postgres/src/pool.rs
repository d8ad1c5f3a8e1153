//! Connections and how they are made.

use std::{fmt, time::Duration};

use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, QueueMode, RecyclingMethod, Runtime, Timeouts};
use tokio_postgres::{Config, NoTls};

use crate::{OpenError, address::Address, failure::Failure};

/// How long a new connection may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// How long a call waits for a connection.
const WAIT_LIMIT: Duration = Duration::from_secs(10);

/// A peer that is gone without a word is noticed after that long.
const SILENCE_LIMIT: Duration = Duration::from_secs(15);

/// A bounded number of connections; they are made when they are needed and kept. The one that was used last is used next: what the
/// server remembers for it is still at hand.
#[derive(Clone)]
pub(crate) struct Connections(Pool);

impl Connections {
    /// Connects to nobody yet.
    pub(crate) fn new(address: &Address, most: usize) -> Result<Self, OpenError> {
        let config = config(address);
        let manager_config = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = match address.tls() {
            Some(tls) => Manager::from_config(config, tls, manager_config),
            None => Manager::from_config(config, NoTls, manager_config),
        };
        let timeouts = Timeouts { wait: Some(WAIT_LIMIT), create: Some(CONNECT_LIMIT), recycle: Some(CONNECT_LIMIT) };
        let pool = Pool::builder(manager).max_size(most).queue_mode(QueueMode::Lifo);
        let pool = pool.timeouts(timeouts).runtime(Runtime::Tokio1).build();
        pool.map(Self).map_err(|error| OpenError::Failed(error.to_string()))
    }

    pub(crate) async fn get(&self) -> Result<Object, Failure> {
        self.0.get().await.map_err(|error| match error {
            deadpool_postgres::PoolError::Backend(error) => Failure::Refused(error),
            other => Failure::NoConnection(other.to_string()),
        })
    }
}

impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connections").finish_non_exhaustive()
    }
}

/// The address as every connection uses it.
pub(crate) fn config(address: &Address) -> Config {
    let mut config = address.config().clone();
    config.connect_timeout(CONNECT_LIMIT);
    config.tcp_user_timeout(SILENCE_LIMIT);
    config.keepalives_idle(SILENCE_LIMIT);
    if config.get_application_name().is_none() {
        config.application_name("preclinical-webhooks");
    }
    config
}
