//! Which addresses may be called.
//!
//! Everything that is not plainly a public host is refused: a webhook's URL is chosen by a user, and must not become a way
//! into the network this program runs in. Ranges are those of the IANA special-purpose registries.

mod embedded;
mod metadata;
mod special;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net};

use self::{embedded::embedded, metadata::METADATA, special::special};

/// How many leading bits of an IPv6 address say that an IPv4 address follows (`::ffff:0:0/96`).
const MAPPED_PREFIX: u8 = 96;

/// Decides which addresses may be called; by default only public ones.
///
/// A range written as IPv4-mapped (`::ffff:10.0.0.0/104`) stands for the IPv4 range that it maps. A range of IPv6 that is wider
/// than all mapped addresses says nothing of IPv4: `::/0` is every address of IPv6 and none of IPv4.
#[derive(Debug, Clone, Default)]
pub struct AddressPolicy {
    /// Opened although they are refused by default.
    pub allow: Vec<IpNet>,
    /// Refused although they are public or allowed.
    pub deny: Vec<IpNet>,
}

/// An address that may not be called, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the address is not a public one ({0})")]
pub struct Forbidden(pub &'static str);

impl AddressPolicy {
    /// Refuses every address that may not be called. A mapped IPv4 address is judged as what it is.
    ///
    /// In this order: what is denied is refused, also where it is embedded in an IPv6 address that a translator takes apart. What
    /// is allowed by an entry of its own (`/32`, `/128`) may be called. Cloud metadata is refused. What an allowed range holds may
    /// be called, but an address with another one embedded only if that one may be called as well: allowing a translator's prefix
    /// opens the Internet behind it and not the network around it. Of the rest, public addresses may be called.
    pub fn judge(&self, address: IpAddr) -> Result<(), Forbidden> {
        let address = address.to_canonical();
        let within = || embedded(address).into_iter().map(IpAddr::V4);
        if within().chain([address]).any(|address| covers(&self.deny, address)) {
            return Err(Forbidden("denied by this installation"));
        }
        if self.names_singly(address) {
            return Ok(());
        }
        if METADATA.contains(&address) {
            return Err(Forbidden("cloud metadata"));
        }
        if covers(&self.allow, address) {
            return within().try_for_each(|address| self.judge(address));
        }
        special(address).map_or(Ok(()), |name| Err(Forbidden(name)))
    }

    /// Those of this machine's own addresses that may be called: where `localhost` leads.
    pub fn loopback(&self) -> Result<Vec<IpAddr>, Forbidden> {
        let own = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
        let allowed: Vec<IpAddr> = own.into_iter().filter(|address| self.judge(*address).is_ok()).collect();
        if allowed.is_empty() { self.judge(own[0]).map(|()| allowed) } else { Ok(allowed) }
    }

    fn names_singly(&self, address: IpAddr) -> bool {
        self.allow.iter().any(|range| canonical(*range) == IpNet::from(address))
    }
}

fn covers(ranges: &[IpNet], address: IpAddr) -> bool {
    ranges.iter().any(|range| canonical(*range).contains(&address))
}

/// The IPv4 range that a mapped one stands for; any other as it is.
fn canonical(range: IpNet) -> IpNet {
    let IpNet::V6(v6) = range else { return range };
    let mapped = v6.addr().to_ipv4_mapped().zip(v6.prefix_len().checked_sub(MAPPED_PREFIX));
    mapped.and_then(|(address, prefix)| Ipv4Net::new(address, prefix).ok()).map_or(range, IpNet::V4)
}

#[cfg(test)]
mod tests;
