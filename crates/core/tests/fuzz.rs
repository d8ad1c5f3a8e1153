//! Whatever users and receivers send, on the stable toolchain: URLs, addresses, `Retry-After`, headers.
//!
//! A short run is part of the tests; `PRECLINICAL_TEST_FUZZ=1000` tries a thousand times as much. A failure names its case, made as
//! small as possible: give it a place in the tables of tests. What the API makes of any JSON and what the engine makes of any answer is
//! tried in the same way:
//! `crates/web/tests/api/any_input.rs`, `crates/delivery/tests/engine/noise.rs`.
#![allow(clippy::unwrap_used, reason = "this is test code")]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use jiff::Timestamp;
use preclinical_core::{
    address::AddressPolicy,
    attempt::Message,
    endpoint::{EndpointPolicy, MAX_URL_BYTES},
    retry_after::{MAX_POSTPONEMENT, RetryAfter},
    signature_check,
};
use proptest::{prelude::*, sample::select, test_runner::Config};
use url::Host;

/// How much is tried when nobody asks for more.
const CASES: u32 = 512;

fn config() -> Config {
    let factor = std::env::var("PRECLINICAL_TEST_FUZZ").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    Config { cases: CASES.saturating_mul(factor), failure_persistence: None, ..Config::default() }
}

/// Of what URLs are made, right and wrong ones.
const PIECES: [&str; 60] = [
    "http",
    "https",
    "HTTP",
    "ftp",
    "file",
    ":",
    "://",
    "//",
    "/",
    "\\",
    "?",
    "#",
    "@",
    ":80",
    ":443",
    ":0",
    ":65536",
    ":6379",
    ".",
    "..",
    "。",
    "．",
    "%2e",
    "%00",
    "%40",
    "%5b",
    "%",
    "[",
    "]",
    "::",
    "::1",
    "::ffff:",
    "64:ff9b::",
    "2002:",
    "fe80::",
    "%25eth0",
    "127.0.0.1",
    "127",
    "0",
    "1",
    "0x7f",
    "0177",
    "2130706433",
    "①",
    "１",
    "𝟏",
    "169.254.169.254",
    "10.0.0.5",
    "8.8.8.8",
    "localhost",
    "ⓛ",
    "example",
    ".com",
    "xn--",
    "xn--a",
    "\u{ad}",
    "\u{200b}",
    "é",
    "\t",
    "\n",
];

fn url() -> impl Strategy<Value = String> {
    let pieces = |number| prop::collection::vec(select(&PIECES[..]), number).prop_map(|pieces| pieces.concat());
    prop_oneof![
        1 => any::<String>(),
        3 => pieces(0..12),
        6 => pieces(1..8).prop_map(|rest| format!("http://{rest}/")),
        2 => ("[0-9a-fxX.:\\[\\]]{0,40}", pieces(0..3)).prop_map(|(host, rest)| format!("https://{host}{rest}")),
        1 => any::<u32>().prop_map(|address| format!("http://{address}/")),
        1 => any::<[u16; 8]>().prop_map(|segments| format!("http://[{}]/", Ipv6Addr::from(segments))),
    ]
}

/// What the standard library knows of an address: less than the policy, and by other means.
fn is_plainly_local(address: IpAddr) -> bool {
    let of_v4 = |v4: Ipv4Addr| {
        v4.is_loopback()
            || v4.is_private()
            || v4.is_link_local()
            || v4.is_multicast()
            || v4.is_broadcast()
            || v4.is_documentation()
            || v4.is_unspecified()
    };
    match address.to_canonical() {
        IpAddr::V4(v4) => of_v4(v4),
        IpAddr::V6(v6) => {
            let is_local = v6.is_loopback()
                || v6.is_unspecified()
                || v6.is_multicast()
                || v6.is_unique_local()
                || v6.is_unicast_link_local();
            is_local || v6.to_ipv4().is_some_and(of_v4)
        }
    }
}

/// Addresses near the ends of ranges, and any others.
fn address() -> impl Strategy<Value = IpAddr> {
    let v4 = any::<u32>().prop_map(|bits| IpAddr::from(bits.to_be_bytes()));
    let first = select(&[0_u8, 10, 100, 127, 168, 169, 172, 192, 198, 203, 224, 240, 255][..]);
    let near = (first, any::<[u8; 3]>()).prop_map(|(a, [b, c, d])| IpAddr::from([a, b, c, d]));
    let v6 = any::<u128>().prop_map(|bits| IpAddr::V6(bits.into()));
    let prefix =
        select(&[0_u16, 0x64, 0x100, 0x2001, 0x2002, 0x2620, 0x3ffe, 0x3fff, 0xfc00, 0xfd00, 0xfe80, 0xfec0, 0xff02][..]);
    let rest = prop::array::uniform7(select(&[0_u16, 1, 0xff9b, 0xec2, 0xffff, 0x5efe, 0x7f00, 0xa00, 5][..]));
    let odd = (prefix, rest).prop_map(|(a, [b, c, d, e, f, g, h])| IpAddr::from([a, b, c, d, e, f, g, h]));
    prop_oneof![v4, near, v6, odd]
}

fn now() -> Timestamp {
    "2026-01-30T10:00:00Z".parse().unwrap()
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_url_that_is_accepted_is_plain_and_stays_as_it_is(text in url()) {
        let policy = EndpointPolicy::default();
        let Ok(url) = policy.parse(&text) else { return Ok(()) };
        prop_assert!(matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.password().is_none());
        prop_assert!(url.as_str().len() <= MAX_URL_BYTES && url.fragment().is_none() && url.as_str().is_ascii());
        prop_assert!(url.port_or_known_default().is_some_and(|port| port != 0));
        match url.host().unwrap() {
            Host::Ipv4(address) => prop_assert!(!is_plainly_local(address.into()), "{url}"),
            Host::Ipv6(address) => prop_assert!(!is_plainly_local(address.into()), "{url}"),
            Host::Domain(name) => {
                let is_plain = name.split('.').all(|part| (1..64).contains(&part.len())) && name.contains('.');
                prop_assert!(is_plain && name.parse::<IpAddr>().is_err() && !format!(".{name}").ends_with(".localhost"), "{url}");
            }
        }
        prop_assert_eq!(policy.parse(url.as_str()).map(String::from), Ok(String::from(url)));
    }

    #[test]
    fn an_address_that_is_plainly_local_is_never_allowed(address in address()) {
        let policy = AddressPolicy::default();
        prop_assert!(!(is_plainly_local(address) && policy.judge(address).is_ok()), "{address}");
        let denied = AddressPolicy { deny: vec![address.into()], ..AddressPolicy::default() };
        prop_assert!(denied.judge(address).is_err());
    }

    #[test]
    fn no_wish_for_patience_asks_for_more_than_a_day(text: String, digits in "0{0,3}[0-9]{1,100}", odd in "[-+ 0-9a-zA-Z:,.]{0,40}") {
        for text in [&text, &digits, &odd] {
            if let Some(after) = RetryAfter::parse(text) {
                prop_assert!(after.earliest(now()) <= now() + MAX_POSTPONEMENT, "{text}");
            }
        }
        let asked_for: Option<i64> = digits.parse().ok().filter(|seconds| *seconds <= MAX_POSTPONEMENT.as_secs());
        let wait = RetryAfter::parse(&digits).unwrap().earliest(now()).duration_since(now()).as_secs();
        prop_assert_eq!(wait, asked_for.unwrap_or(MAX_POSTPONEMENT.as_secs()));
    }

    #[test]
    fn signatures_in_any_headers_are_looked_at(
        names in prop::collection::vec(select(&["webhook-id", "webhook-timestamp", "webhook-signature", "x-preclinical-signature", "x"][..]), 0..8),
        values in prop::collection::vec(prop_oneof![any::<String>(), "(v1,|v2,|sha256=| )[a-zA-Z0-9+/=, ]{0,60}", "[-0-9]{0,30}"], 8),
        secret in prop_oneof![any::<String>(), "whsec_[a-zA-Z0-9+/=]{0,60}"],
        body: Vec<u8>,
        received: Option<Vec<u8>>,
    ) {
        let headers: Vec<_> = names.into_iter().map(str::to_owned).zip(values).collect();
        let sent = Message { headers: headers.into(), size_bytes: body.len() as u64, body: body.into(), truncated: false };
        let _ = signature_check::check(&sent, &secret, received.as_deref());
    }
}
