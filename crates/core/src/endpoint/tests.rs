use proptest::prelude::*;

use super::*;

fn allowing(ranges: &[&str]) -> EndpointPolicy {
    let allow = ranges.iter().map(|range| range.parse().unwrap()).collect();
    EndpointPolicy { addresses: AddressPolicy { allow, deny: vec![] }, ..EndpointPolicy::default() }
}

#[test]
fn ordinary_urls_are_accepted() {
    let policy = EndpointPolicy::default();
    for url in [
        "https://example.com/hook?x=1",
        "http://example.com:8080",
        "https://münchen.example/",
        "HTTPS://EXAMPLE.COM/",
        "https://a_b.example.com/",
        "https://8.8.8.8/",
        "https://[2606:4700::1111]:8443/",
        "https://xn--mnchen-3ya.example/",
        "https://example.com/a@b?c=d:e@f",
    ] {
        assert!(policy.parse(url).is_ok(), "{url}: {:?}", policy.parse(url));
    }
}

#[test]
fn a_host_has_one_spelling_however_it_was_written() {
    let policy = EndpointPolicy::default();
    for (text, host) in [
        ("https://EXAMPLE.com/", "example.com"),
        ("https://example.com./", "example.com"),
        ("https://ｅｘａｍｐｌｅ。com/", "example.com"),
        ("https://exam\u{ad}ple.com/", "example.com"),
        ("https://ex%61mple.com/", "example.com"),
        ("https://MÜNCHEN.example/", "xn--mnchen-3ya.example"),
        ("https://134744072/", "8.8.8.8"),
        ("https://0x8.0x8.0x8.0x8/", "8.8.8.8"),
        ("https://010.8.2056/", "8.8.8.8"),
        ("https://⑧.⑧.⑧.⑧/", "8.8.8.8"),
        ("https://8.8.8.8./", "8.8.8.8"),
    ] {
        assert_eq!(policy.parse(text).unwrap().host_str(), Some(host), "{text}");
    }
}

#[test]
fn every_spelling_of_a_forbidden_address_is_refused() {
    let policy = EndpointPolicy::default();
    for url in [
        "http://127.0.0.1/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://0177.0.0.1/",
        "http://127.1/",
        "http://①②⑦.⓪.⓪.①/",
        "http://127。0．0｡1/",
        "http://%31%32%37.0.0.1/",
        "http://127.0.0\u{ad}.1/",
        "http://[::1]/",
        "http://[::ffff:7f00:1]/",
        "http://[0:0:0:0:0:FFFF:127.0.0.1]/",
        "http://localhost/",
        "http://LOCALHOST./",
        "http://ⓛocalhost/",
        "http://a.localhost/",
        "http://127.0.0.1./",
        "http://metadata.google.internal/",
        "http://METADATA.goog./",
        "http://instance-data/",
    ] {
        assert!(matches!(policy.parse(url), Err(EndpointError::Forbidden(_))), "{url}: {:?}", policy.parse(url));
    }
}

#[test]
fn names_of_the_network_around_are_refused_unless_something_of_it_is_allowed() {
    let (closed, open) = (EndpointPolicy::default(), allowing(&["10.0.0.0/8"]));
    for url in [
        "http://intranet/",
        "http://ip6-localhost/",
        "https://db.corp/",
        "https://printer.local./",
        "https://a.home.arpa/",
        "https://x.internal/",
        "https://a.onion/",
    ] {
        assert_eq!(closed.parse(url), Err(EndpointError::LocalName), "{url}");
        assert!(open.parse(url).is_ok(), "{url}");
    }
    for url in ["https://local.example.com/", "https://notlocal.example/", "https://corp.example/"] {
        assert!(closed.parse(url).is_ok(), "{url}");
    }
    for url in ["http://localhost/", "http://metadata/", "http://metadata.google.internal/"] {
        assert!(matches!(open.parse(url), Err(EndpointError::Forbidden(_))), "{url}");
    }
    assert!(allowing(&["::1/128"]).parse("http://localhost/").is_ok());
    assert!(allowing(&["169.254.169.254/32"]).parse("http://metadata.google.internal/").is_ok());
}

#[test]
fn what_is_not_plainly_a_url_is_refused() {
    let policy = EndpointPolicy::default();
    let long = "a".repeat(64);
    let longer = vec!["a".repeat(63); 4].join(".");
    for (text, error) in [
        ("ftp://example.com/", EndpointError::Scheme),
        ("file:///etc/passwd", EndpointError::Scheme),
        ("https://user:pw@example.com/", EndpointError::Credentials),
        ("https://@example.com/", EndpointError::Credentials),
        ("https://:@example.com/", EndpointError::Credentials),
        ("https://8.8.8.8@127.0.0.1/", EndpointError::Credentials),
        ("https://example.com/#part", EndpointError::Fragment),
        ("https://example.com/#", EndpointError::Fragment),
        (" https://example.com/", EndpointError::Malformed),
        ("https://exa\tmple.com/", EndpointError::Malformed),
        ("https://example.com/\u{0}", EndpointError::Malformed),
        ("https:\\\\example.com/", EndpointError::Malformed),
        ("https://example.com\\@127.0.0.1/", EndpointError::Malformed),
        ("https:example.com/", EndpointError::Malformed),
        ("https:/example.com/", EndpointError::Malformed),
        ("https:///example.com/", EndpointError::Malformed),
        ("https:example.com/?u=http://x.example/", EndpointError::Malformed),
        ("example.com", EndpointError::Malformed),
        ("https://[fe80::1%25eth0]/", EndpointError::Malformed),
        ("https://[::1/", EndpointError::Malformed),
        ("https://1.2.3.4.5/", EndpointError::Malformed),
        ("https://256.256.256.256/", EndpointError::Malformed),
        ("https://exa%00mple.com/", EndpointError::Malformed),
        ("https://exa%2fmple.com/", EndpointError::Malformed),
        ("https://a..example.com/", EndpointError::Host),
        ("https://.example.com/", EndpointError::Host),
        ("https://127.0.0.1,example.com/", EndpointError::Host),
        ("https://*.example.com/", EndpointError::Host),
        ("https://$(id).example.com/", EndpointError::Host),
        ("https://a'b.example.com/", EndpointError::Host),
        ("https://example.com../", EndpointError::Host),
        (&format!("https://{long}.example.com/"), EndpointError::Host),
        (&format!("https://{longer}/"), EndpointError::Host),
        (&format!("https://example.com/{}", "a".repeat(MAX_URL_BYTES)), EndpointError::TooLong),
        (&format!("https://example.com/{}", "é".repeat(900)), EndpointError::TooLong),
        ("https://example.com:25/", EndpointError::Port(25)),
        ("http://example.com:0/", EndpointError::Port(0)),
        ("https://8.8.8.8:6379/", EndpointError::Port(6379)),
    ] {
        assert_eq!(policy.parse(text), Err(error), "{text}");
    }
    let https_only = EndpointPolicy { https_only: true, ..EndpointPolicy::default() };
    assert_eq!(https_only.parse("http://example.com/"), Err(EndpointError::HttpsRequired));
    let one_port = EndpointPolicy { ports: "443".parse().unwrap(), ..EndpointPolicy::default() };
    assert_eq!(one_port.parse("http://example.com/"), Err(EndpointError::Port(80)));
    assert!(one_port.parse("https://example.com/").is_ok());
}

proptest! {
    #[test]
    fn what_is_accepted_is_accepted_again_and_stays_as_it_is(host in "[a-zA-Z0-9.%ⓐ-ⓩ０-９。\\u{ad}-]{1,30}", rest in "[/?a-z%@:é]{0,20}") {
        let policy = EndpointPolicy::default();
        if let Ok(url) = policy.parse(&format!("https://{host}{rest}")) {
            prop_assert_eq!(policy.parse(url.as_str()).map(String::from), Ok(String::from(url)));
        }
    }
}
