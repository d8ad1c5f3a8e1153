//! The addresses that no public host has.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::embedded::embedded;

const FORBIDDEN_V4: [(&str, [u8; 4], u8); 19] = [
    ("this network", [0, 0, 0, 0], 8),
    ("private", [10, 0, 0, 0], 8),
    ("shared by carriers", [100, 64, 0, 0], 10),
    ("loopback", [127, 0, 0, 0], 8),
    ("link-local", [169, 254, 0, 0], 16),
    ("private", [172, 16, 0, 0], 12),
    ("reserved for protocols", [192, 0, 0, 0], 24),
    ("documentation", [192, 0, 2, 0], 24),
    ("AS112", [192, 31, 196, 0], 24),
    ("relay anycast", [192, 52, 193, 0], 24),
    ("relay anycast", [192, 88, 99, 0], 24),
    ("private", [192, 168, 0, 0], 16),
    ("AS112", [192, 175, 48, 0], 24),
    ("benchmarking", [198, 18, 0, 0], 15),
    ("documentation", [198, 51, 100, 0], 24),
    ("documentation", [203, 0, 113, 0], 24),
    ("multicast", [224, 0, 0, 0], 4),
    ("broadcast", [255, 255, 255, 255], 32),
    ("reserved", [240, 0, 0, 0], 4),
];

/// The one range of IPv6 that is handed out to public hosts.
const GLOBAL_UNICAST: (Ipv6Addr, u8) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

const FORBIDDEN_V6: [(&str, Ipv6Addr, u8); 7] = [
    ("Teredo", Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 32),
    ("reserved for protocols", Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    ("documentation", Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    ("6to4", Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    ("AS112", Ipv6Addr::new(0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0), 48),
    ("documentation", Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
    ("deprecated 6bone", Ipv6Addr::new(0x3ffe, 0, 0, 0, 0, 0, 0, 0), 16),
];

/// What a special address is for; `None` for a public one.
pub(super) fn special(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(v4) => {
            FORBIDDEN_V4.iter().find(|(_, base, prefix)| in_v4(v4, Ipv4Addr::from(*base), *prefix)).map(|(name, ..)| *name)
        }
        IpAddr::V6(v6) if !in_v6(v6, GLOBAL_UNICAST.0, GLOBAL_UNICAST.1) => Some(outside_global_unicast(v6)),
        IpAddr::V6(v6) => {
            let named = FORBIDDEN_V6.iter().find(|(_, base, prefix)| in_v6(v6, *base, *prefix)).map(|(name, ..)| *name);
            // What else embeds an address there does it in its interface part.
            named.or_else(|| (!embedded(address).is_empty()).then_some("ISATAP"))
        }
    }
}

fn outside_global_unicast(address: Ipv6Addr) -> &'static str {
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => "unspecified",
        [0, 0, 0, 0, 0, 0, 0, 1] => "loopback",
        [0, 0, 0, 0, 0, 0, ..] => "IPv4-compatible",
        [0, 0, 0, 0, 0xffff, 0, ..] => "IPv4-translated",
        [0x64, 0xff9b, ..] => "NAT64",
        [0x100, 0, 0, 0, ..] => "discarded",
        [first, ..] if first & 0xfe00 == 0xfc00 => "unique-local",
        [first, ..] if first & 0xffc0 == 0xfe80 => "link-local",
        [first, ..] if first & 0xffc0 == 0xfec0 => "site-local",
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
