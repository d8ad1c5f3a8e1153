use proptest::prelude::*;

use super::*;

fn policy(allow: &[&str], deny: &[&str]) -> AddressPolicy {
    let ranges = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
    AddressPolicy { allow: ranges(allow), deny: ranges(deny) }
}

fn judge(policy: &AddressPolicy, address: &str) -> Result<(), Forbidden> {
    policy.judge(address.parse().unwrap())
}

const SPECIAL: [(&str, &[&str]); 22] = [
    ("this network", &["0.0.0.0", "0.1.2.3", "::ffff:0.0.0.0"]),
    ("private", &["10.0.0.5", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.1.1", "::ffff:192.168.0.1"]),
    ("shared by carriers", &["100.64.0.1", "100.127.255.255"]),
    ("loopback", &["127.0.0.1", "127.255.255.254", "::1", "::ffff:127.0.0.1"]),
    ("link-local", &["169.254.1.1", "fe80::1", "febf::1"]),
    (
        "reserved for protocols",
        &["192.0.0.1", "192.0.0.170", "2001:1::1", "2001:2::1", "2001:10::1", "2001:20::1", "2001:1ff::1"],
    ),
    ("documentation", &["192.0.2.1", "198.51.100.1", "203.0.113.255", "2001:db8::1", "3fff::1", "3fff:fff::1"]),
    ("AS112", &["192.31.196.1", "192.175.48.6", "2620:4f:8000::6"]),
    ("relay anycast", &["192.88.99.1", "192.52.193.1"]),
    ("benchmarking", &["198.18.0.1", "198.19.255.255"]),
    ("multicast", &["224.0.0.1", "239.255.255.255", "ff02::1", "ff0e::1"]),
    ("reserved", &["240.0.0.1", "255.255.255.254", "5f00::1", "4000::1", "e000::1", "1::1"]),
    ("broadcast", &["255.255.255.255"]),
    ("unspecified", &["::"]),
    ("IPv4-compatible", &["::127.0.0.1", "::8.8.8.8", "::2"]),
    ("IPv4-translated", &["::ffff:0:127.0.0.1", "::ffff:0:8.8.8.8"]),
    ("NAT64", &["64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::7f00:1", "64:ff9b:1:ffff::1"]),
    ("discarded", &["100::1"]),
    ("unique-local", &["fc00::1", "fdff::1"]),
    ("site-local", &["fec0::1", "feff::1"]),
    ("6to4", &["2002:7f00:1::", "2002:808:808::1"]),
    ("ISATAP", &["2606:4700::5efe:7f00:1", "2606:4700::200:5efe:7f00:1", "2a00::5efe:8.8.8.8"]),
];

#[test]
fn every_special_address_is_refused_by_default_and_called_by_its_name() {
    let policy = AddressPolicy::default();
    for (name, addresses) in SPECIAL {
        for address in addresses {
            assert_eq!(judge(&policy, address), Err(Forbidden(name)), "{address}");
        }
    }
    assert_eq!(judge(&policy, "2001::1"), Err(Forbidden("Teredo")));
}

#[test]
fn public_addresses_are_allowed() {
    let policy = AddressPolicy::default();
    for address in [
        "1.1.1.1",
        "93.184.216.34",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "169.253.255.255",
        "169.255.0.0",
        "172.15.255.255",
        "172.32.0.1",
        "192.0.1.0",
        "192.0.3.0",
        "192.167.255.255",
        "192.169.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "223.255.255.255",
        "::ffff:1.1.1.1",
        "2606:4700:4700::1111",
        "2a00:1450::1",
        "2001:200::1",
        "2001:4860:4860::8888",
        "2003::1",
        "2620:4f:8001::1",
        "3ffd::1",
    ] {
        assert_eq!(judge(&policy, address), Ok(()), "{address}");
    }
}

#[test]
fn an_allowance_opens_its_range_and_no_other() {
    let policy = policy(&["127.0.0.0/8", "169.254.0.0/16", "fd00::/8"], &[]);
    for address in ["127.0.0.1", "::ffff:127.0.0.1", "169.254.1.1", "fd12::1"] {
        assert_eq!(judge(&policy, address), Ok(()), "{address}");
    }
    for address in ["10.0.0.1", "::1", "fc00::1", "::127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "::ffff:0:127.0.0.1"] {
        assert!(judge(&policy, address).is_err(), "{address}");
    }
}

#[test]
fn cloud_metadata_is_opened_by_nothing_but_its_own_address() {
    let wide = policy(&["0.0.0.0/0", "::/0", "169.254.0.0/16", "fd00:ec2::/32", "169.254.169.254/31"], &[]);
    for address in METADATA {
        assert_eq!(wide.judge(address), Err(Forbidden("cloud metadata")), "{address}");
        let singly = AddressPolicy { allow: vec![address.into()], deny: vec![] };
        assert_eq!(singly.judge(address), Ok(()), "{address}");
        let denied = AddressPolicy { allow: vec![address.into()], deny: vec![address.into()] };
        assert!(denied.judge(address).is_err(), "{address}");
    }
    for address in
        ["168.63.129.16", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1", "::ffff:0:a9fe:a9fe"]
    {
        assert!(judge(&wide, address).is_err() && judge(&AddressPolicy::default(), address).is_err(), "{address}");
    }
    assert_eq!(judge(&policy(&["64:ff9b::a9fe:a9fe/128"], &[]), "64:ff9b::a9fe:a9fe"), Ok(()));
}

#[test]
fn an_allowed_translator_opens_the_internet_behind_it_and_not_the_network_around_it() {
    for (prefix, public, private) in [
        ("64:ff9b::/96", "64:ff9b::808:808", "64:ff9b::a00:5"),
        ("64:ff9b:1::/96", "64:ff9b:1::808:808", "64:ff9b:1::a00:5"),
        ("2002::/16", "2002:808:808::1", "2002:a00:5::1"),
        ("::ffff:0:0:0/96", "::ffff:0:8.8.8.8", "::ffff:0:10.0.0.5"),
        ("::/96", "::8.8.8.8", "::10.0.0.5"),
        ("2a00::/64", "2a00::5efe:8.8.8.8", "2a00::5efe:10.0.0.5"),
        // Teredo: a public server, and the client's address with its bits turned over.
        ("2001::/32", "2001:0:808:808:0:0:f7f7:f7f7", "2001:0:808:808:0:0:f5ff:fffa"),
        ("2001::/32", "2001:0:808:808:0:0:f7f7:f7f7", "2001:0:a00:5:0:0:f7f7:f7f7"),
    ] {
        let open = policy(&[prefix], &[]);
        assert_eq!((judge(&open, public), judge(&open, private).is_err()), (Ok(()), true), "{prefix}");
        let wider = policy(&[prefix, "10.0.0.0/8"], &[]);
        assert_eq!(judge(&wider, private), Ok(()), "{prefix}");
        let narrower = policy(&[prefix], &["8.8.8.0/24"]);
        assert_eq!(judge(&narrower, public), Err(Forbidden("denied by this installation")), "{prefix}");
    }
    // Where 64:ff9b:1::/48 is split otherwise, the address could stand in several places.
    let local = policy(&["64:ff9b:1::/48"], &[]);
    for address in ["64:ff9b:1:a9fe:a9:fe00::", "64:ff9b:1:a00:0:500::", "64:ff9b:1:0:a:0:500:0"] {
        assert!(judge(&local, address).is_err(), "{address}");
    }
}

#[test]
fn a_denial_outweighs_everything_in_every_spelling() {
    for deny in ["8.8.8.0/24", "::ffff:8.8.8.0/120", "::ffff:808:800/120"] {
        let policy = policy(&["0.0.0.0/0", "::/0", "8.8.8.8/32"], &[deny]);
        for address in ["8.8.8.8", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::"] {
            assert_eq!(judge(&policy, address), Err(Forbidden("denied by this installation")), "{deny} {address}");
        }
        assert_eq!(judge(&policy, "8.8.9.1"), Ok(()));
    }
    let singly = policy(&["64:ff9b::808:808/128"], &["8.8.8.8/32"]);
    assert!(judge(&singly, "64:ff9b::808:808").is_err(), "where it leads is denied");
    assert!(judge(&policy(&[], &["::/0"]), "2606:4700:4700::1111").is_err());
    assert_eq!(judge(&policy(&[], &["::/0"]), "1.1.1.1"), Ok(()), "a range of IPv6 says nothing of IPv4");
}

#[test]
fn a_range_written_as_mapped_stands_for_the_range_of_ipv4() {
    for allow in ["::ffff:10.0.0.0/104", "10.0.0.0/8", "10.9.9.9/8"] {
        let policy = policy(&[allow], &[]);
        assert_eq!((judge(&policy, "10.1.2.3"), judge(&policy, "::ffff:10.1.2.3")), (Ok(()), Ok(())), "{allow}");
        assert!(judge(&policy, "127.0.0.1").is_err());
    }
    assert_eq!(judge(&policy(&["::ffff:169.254.169.254/128"], &[]), "169.254.169.254"), Ok(()));
    assert!(judge(&policy(&["::/0"], &[]), "10.0.0.1").is_err(), "all of IPv6 is none of IPv4");
}

proptest! {
    #[test]
    fn a_mapped_address_is_judged_as_what_it_maps(bits: u32, allow: [u8; 4], prefix in 0_u8..=32) {
        let range = IpNet::new(IpAddr::from(allow), prefix).unwrap();
        for policy in [
            AddressPolicy::default(),
            AddressPolicy { allow: vec![range], deny: vec![] },
            AddressPolicy { allow: vec![], deny: vec![range] },
        ] {
            let v4 = std::net::Ipv4Addr::from_bits(bits);
            prop_assert_eq!(policy.judge(v4.into()), policy.judge(v4.to_ipv6_mapped().into()));
        }
    }

    #[test]
    fn no_allowance_of_ipv4_opens_an_address_of_ipv6(bits: u128, prefix in 0_u8..=32) {
        let address = IpAddr::V6(bits.into());
        prop_assume!(address.to_canonical().is_ipv6());
        let open = AddressPolicy { allow: vec![IpNet::new(IpAddr::from([10, 0, 0, 0]), prefix).unwrap()], deny: vec![] };
        prop_assert_eq!(open.judge(address), AddressPolicy::default().judge(address));
    }
}
