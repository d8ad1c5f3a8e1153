//! IPv4 addresses inside IPv6 ones, which a translator or the end of a tunnel on the way takes out and calls.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The IPv4 addresses that an address leads to besides itself. Mapped ones are no part of this: they *are* IPv4.
///
/// A translator may have any other prefix of its own; that one only its operator knows, and can deny.
pub(super) fn embedded(address: IpAddr) -> Vec<Ipv4Addr> {
    let IpAddr::V6(address) = address else { return Vec::new() };
    let segments = address.segments();
    let pair = |at: usize| Ipv4Addr::from(u32::from(segments[at]) << 16 | u32::from(segments[at + 1]));
    match segments {
        // ::1 and :: embed nothing.
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => Vec::new(),
        // IPv4-compatible; SIIT; NAT64.
        [0, 0, 0, 0, 0 | 0xffff, 0, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] => vec![pair(6)],
        [0x64, 0xff9b, 1, ..] => vec![behind_a_local_translator(address)],
        // 6to4; Teredo: the server, and the client with its bits turned over.
        [0x2002, ..] => vec![pair(1)],
        [0x2001, 0, ..] => vec![pair(2), Ipv4Addr::from(!pair(6).to_bits())],
        // ISATAP hides an IPv4 address in the interface part of any prefix.
        [_, _, _, _, mark, 0x5efe, ..] if mark & 0xfdff == 0 => vec![pair(6)],
        _ => Vec::new(),
    }
}

/// A translator of `64:ff9b:1::/48` may have a prefix of 48, 56, 64 or 96 bits, which puts the address in other places. All but the
/// longest leave the last three bytes empty: such an address could mean several, and is taken for the one that may never be called.
fn behind_a_local_translator(address: Ipv6Addr) -> Ipv4Addr {
    match address.octets() {
        [.., 0, 0, 0] => Ipv4Addr::UNSPECIFIED,
        [.., a, b, c, d] => Ipv4Addr::new(a, b, c, d),
    }
}
