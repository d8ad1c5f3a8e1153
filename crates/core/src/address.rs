//! Which addresses may be called.
//!
//! Everything that is not plainly a public host is refused: a webhook's URL is chosen by a user, and must not become a way
//! into the network this program runs in. Ranges are those of the IANA special-purpose registries.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

const FORBIDDEN_V4: [(&str, [u8; 4], u8); 16] = [
    ("this network", [0, 0, 0, 0], 8),
    ("private", [10, 0, 0, 0], 8),
    ("shared by carriers", [100, 64, 0, 0], 10),
    ("loopback", [127, 0, 0, 0], 8),
    ("link-local", [169, 254, 0, 0], 16),
    ("private", [172, 16, 0, 0], 12),
    ("reserved for protocols", [192, 0, 0, 0], 24),
    ("documentation", [192, 0, 2, 0], 24),
    ("relay anycast", [192, 88, 99, 0], 24),
    ("private", [192, 168, 0, 0], 16),
    ("benchmarking", [198, 18, 0, 0], 15),
    ("documentation", [198, 51, 100, 0], 24),
    ("documentation", [203, 0, 113, 0], 24),
    ("multicast", [224, 0, 0, 0], 4),
    ("broadcast", [255, 255, 255, 255], 32),
    ("reserved", [240, 0, 0, 0], 4),
];

/// The one range of IPv6 that is handed out to public hosts.
const GLOBAL_UNICAST: (Ipv6Addr, u8) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

const FORBIDDEN_V6: [(&str, Ipv6Addr, u8); 5] = [
    ("reserved for protocols (Teredo, ORCHID, benchmarking)", Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    ("documentation", Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    ("6to4", Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    ("documentation", Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
    ("deprecated 6bone", Ipv6Addr::new(0x3ffe, 0, 0, 0, 0, 0, 0, 0), 16),
];

/// Where clouds answer with credentials. Only an allowance that names exactly this address opens it.
const METADATA: [IpAddr; 6] = [
    IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)),
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 2)),
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
    IpAddr::V4(Ipv4Addr::new(192, 0, 0, 192)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
];

/// Decides which addresses may be called; by default only public ones.
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
    /// Refuses every address that may not be called. An IPv4 address in IPv6 clothes is judged as what it is.
    pub fn judge(&self, address: IpAddr) -> Result<(), Forbidden> {
        let address = address.to_canonical();
        if self.deny.iter().any(|range| range.contains(&address)) {
            return Err(Forbidden("denied by this installation"));
        }
        if METADATA.contains(&address) {
            let named_singly = self.allow.iter().any(|range| *range == IpNet::from(address));
            return if named_singly { Ok(()) } else { Err(Forbidden("cloud metadata")) };
        }
        if self.allow.iter().any(|range| range.contains(&address)) {
            return Ok(());
        }
        special(address).map_or(Ok(()), |name| Err(Forbidden(name)))
    }
}

fn special(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(v4) => {
            FORBIDDEN_V4.iter().find(|(_, base, prefix)| in_v4(v4, Ipv4Addr::from(*base), *prefix)).map(|(name, ..)| *name)
        }
        IpAddr::V6(v6) if !in_v6(v6, GLOBAL_UNICAST.0, GLOBAL_UNICAST.1) => Some(outside_global_unicast(v6)),
        // ISATAP hides an IPv4 address in the interface part of any prefix.
        IpAddr::V6(v6) if v6.segments()[4] & 0xfdff == 0 && v6.segments()[5] == 0x5efe => Some("ISATAP"),
        IpAddr::V6(v6) => FORBIDDEN_V6.iter().find(|(_, base, prefix)| in_v6(v6, *base, *prefix)).map(|(name, ..)| *name),
    }
}

fn outside_global_unicast(address: Ipv6Addr) -> &'static str {
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => "unspecified",
        [0, 0, 0, 0, 0, 0, 0, 1] => "loopback",
        [0x64, 0xff9b, ..] => "NAT64",
        [first, ..] if first & 0xfe00 == 0xfc00 => "unique-local",
        [first, ..] if first & 0xffc0 == 0xfe80 => "link-local",
        [first, ..] if first & 0xff00 == 0xff00 => "multicast",
        _ => "reserved",
    }
}

fn in_v4(address: Ipv4Addr, base: Ipv4Addr, prefix: u8) -> bool {
    (address.to_bits() ^ base.to_bits()).leading_zeros() >= u32::from(prefix)
}

fn in_v6(address: Ipv6Addr, base: Ipv6Addr, prefix: u8) -> bool {
    (address.to_bits() ^ base.to_bits()).leading_zeros() >= u32::from(prefix)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(policy: &AddressPolicy, address: &str) -> Result<(), Forbidden> {
        policy.judge(address.parse().unwrap())
    }

    #[test]
    fn every_special_address_is_refused_by_default() {
        let policy = AddressPolicy::default();
        for address in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.5",
            "100.64.0.1",
            "100.100.100.200",
            "127.0.0.1",
            "127.255.255.254",
            "168.63.129.16",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:0:127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "100::1",
            "5f00::1",
            "2606:4700::5efe:7f00:1",
            "2606:4700::200:5efe:7f00:1",
        ] {
            assert!(judge(&policy, address).is_err(), "{address}");
        }
    }

    #[test]
    fn public_addresses_are_allowed() {
        let policy = AddressPolicy::default();
        for address in ["1.1.1.1", "93.184.216.34", "172.32.0.1", "100.128.0.1", "2606:4700:4700::1111", "2a00:1450::1"] {
            assert_eq!(judge(&policy, address), Ok(()), "{address}");
        }
    }

    #[test]
    fn an_allowance_opens_its_range_but_never_cloud_metadata() {
        let policy =
            AddressPolicy { allow: vec!["127.0.0.0/8".parse().unwrap(), "169.254.0.0/16".parse().unwrap()], deny: vec![] };
        assert_eq!(judge(&policy, "127.0.0.1"), Ok(()));
        assert_eq!(judge(&policy, "::ffff:127.0.0.1"), Ok(()));
        assert_eq!(judge(&policy, "169.254.1.1"), Ok(()));
        assert_eq!(judge(&policy, "169.254.169.254"), Err(Forbidden("cloud metadata")));
        let singly = AddressPolicy { allow: vec!["169.254.169.254/32".parse().unwrap()], deny: vec![] };
        assert_eq!(judge(&singly, "169.254.169.254"), Ok(()));
    }

    #[test]
    fn a_denial_outweighs_everything() {
        let all = vec!["0.0.0.0/0".parse().unwrap()];
        let policy = AddressPolicy { allow: all.clone(), deny: all };
        assert!(judge(&policy, "1.1.1.1").is_err());
    }
}
