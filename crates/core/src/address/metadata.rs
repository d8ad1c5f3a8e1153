//! Where clouds answer with credentials.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const fn v4(a: u8, b: u8, c: u8, d: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(a, b, c, d))
}

const fn v6(head: [u16; 3], tail: [u16; 2]) -> IpAddr {
    IpAddr::V6(Ipv6Addr::new(head[0], head[1], head[2], 0, 0, 0, tail[0], tail[1]))
}

/// Metadata services and what belongs to them. Only an allowance that names exactly one of these addresses opens it.
pub(super) const METADATA: [IpAddr; 22] = [
    // Amazon, Google, Azure, Oracle, DigitalOcean, Hetzner, OpenStack and most others
    v4(169, 254, 169, 254),
    // Amazon: containers, Kubernetes, resolver, clock; and the same on IPv6
    v4(169, 254, 170, 2),
    v4(169, 254, 170, 23),
    v4(169, 254, 169, 253),
    v4(169, 254, 169, 123),
    v6([0xfd00, 0xec2, 0], [0, 0x254]),
    v6([0xfd00, 0xec2, 0], [0, 0x253]),
    v6([0xfd00, 0xec2, 0], [0, 0x123]),
    v6([0xfd00, 0xec2, 0], [0, 0x23]),
    // Google on IPv6
    v6([0xfd20, 0xce, 0], [0, 0x254]),
    // Azure's host, on an address that looks public
    v4(168, 63, 129, 16),
    // Alibaba
    v4(100, 100, 100, 200),
    // Oracle: the classic one, and on IPv6
    v4(192, 0, 0, 192),
    v6([0xfd00, 0xc1, 0], [0xa9fe, 0xa9fe]),
    // Tencent
    v4(169, 254, 0, 23),
    // Akamai (Linode)
    v4(169, 254, 169, 255),
    v6([0xfd00, 0xa9fe, 0xa9fe], [0, 1]),
    // Scaleway
    v4(169, 254, 42, 42),
    v6([0xfd00, 0x42, 0], [0, 0x42]),
    // Rancher
    v4(169, 254, 169, 250),
    // Volcano Engine
    v4(100, 96, 0, 96),
    // OpenStack on IPv6
    v6([0xfe80, 0, 0], [0xa9fe, 0xa9fe]),
];
