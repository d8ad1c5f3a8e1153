//! From a host to addresses that may be called.

use std::net::IpAddr;

use hickory_resolver::TokioResolver;
use preclinical_core::{address::AddressPolicy, endpoint::is_loopback};

use crate::{failure::ConnectFailure, stopwatch::Laps};

/// How many addresses of a name are kept; all that came are judged.
const MAX_ADDRESSES: usize = 16;

/// Resolves and judges.
pub(super) struct Names {
    resolver: TokioResolver,
    policy: AddressPolicy,
}

impl Names {
    pub(super) fn new(resolver: TokioResolver, policy: AddressPolicy) -> Self {
        Self { resolver, policy }
    }

    /// The host's addresses, if every one of them may be called.
    ///
    /// A name of which one address may be called and another may not is an attack or a mistake, and is refused as a whole. Which
    /// address it was stays out of the failure: it would map our network.
    pub(super) async fn judged(&self, host: &str, laps: &Laps) -> Result<Vec<IpAddr>, ConnectFailure> {
        let mut addresses = self.addresses(host, laps).await?;
        if !addresses.iter().all(|address| self.policy.judge(*address).is_ok()) {
            return Err(ConnectFailure::Blocked);
        }
        addresses.truncate(MAX_ADDRESSES);
        if addresses.is_empty() { Err(ConnectFailure::Dns) } else { Ok(addresses) }
    }

    async fn addresses(&self, host: &str, laps: &Laps) -> Result<Vec<IpAddr>, ConnectFailure> {
        if let Ok(literal) = host.parse() {
            return Ok(vec![literal]);
        }
        if is_loopback(host) {
            return self.policy.loopback().map_err(|_| ConnectFailure::Blocked);
        }
        // The dot keeps the system's search list out: a name means the same on every machine.
        let found = laps.time(|timing| &mut timing.resolve, self.resolver.lookup_ip(format!("{host}."))).await;
        Ok(found.map_err(|_| ConnectFailure::Dns)?.iter().collect())
    }
}
