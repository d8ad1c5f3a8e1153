use proptest::prelude::*;

use super::*;

fn name(text: &str) -> HeaderName {
    HeaderName::parse(text).unwrap()
}

fn wanted(text: &str, value: Option<&str>) -> WantedHeader {
    WantedHeader { name: name(text), value: value.map(|value| HeaderValue::parse(value).unwrap()) }
}

fn of(pairs: &[(&str, &str)]) -> CustomHeaders {
    let wanted = pairs.iter().map(|(name, value)| wanted(name, Some(value))).collect();
    CustomHeaders::default().changed(wanted).unwrap()
}

fn pairs(headers: &CustomHeaders) -> Vec<(&str, &str)> {
    headers.iter().map(|header| (header.name.as_str(), header.value.expose())).collect()
}

#[test]
fn names_that_are_tokens_and_nobody_elses_are_taken() {
    for text in
        ["Authorization", "X-Tenant", "x_tenant", "CF-Access-Client-Id", "traceparent", "Accept", "!#$%&'*+-.^_`|~", "1"]
    {
        assert_eq!(name(text).as_str(), text);
    }
    assert_eq!(name(&"x".repeat(MAX_NAME_BYTES)).as_str().len(), MAX_NAME_BYTES);
}

#[test]
fn what_is_no_name_is_refused() {
    for text in [
        ":authority",
        "X Tenant",
        "X:Tenant",
        "X-Ténant",
        "X\r\nHost",
        "X\0",
        "(x)",
        "a,b",
        "a/b",
        "\"a\"",
        " x",
        "x ",
        "{}",
    ] {
        assert_eq!(HeaderName::parse(text), Err(HeaderRefusal::NameNotAToken), "{text:?}");
    }
    assert_eq!(HeaderName::parse(""), Err(HeaderRefusal::NameEmpty));
    assert_eq!(HeaderName::parse(&"x".repeat(MAX_NAME_BYTES + 1)), Err(HeaderRefusal::NameTooLong));
}

#[test]
fn names_that_would_break_http_signing_or_a_cloud_are_refused_in_every_spelling() {
    let reserved = [
        (
            Reservation::Http,
            "host content-length content-type content-encoding content-disposition transfer-encoding connection keep-alive te \
             trailer upgrade http2-settings expect proxy-authorization proxy-connection proxy-authenticate accept-encoding date \
             x-http-method-override x-original-url",
        ),
        (
            Reservation::Ours,
            "user-agent x-preclinical-signature x-preclinical-anything webhook-id webhook-signature webhook-x",
        ),
        (
            Reservation::Origin,
            "forwarded x-forwarded-for x-forwarded-host x-forwarded-proto x-forwarded via x-real-ip true-client-ip",
        ),
        (Reservation::Browser, "cookie set-cookie sec-fetch-mode sec-websocket-key"),
        (
            Reservation::Metadata,
            "metadata metadata-flavor metadata-token x-metadata-token x-google-metadata-request x-aws-ec2-metadata-token \
             x-aws-ec2-metadata-token-ttl-seconds x-aliyun-ecs-metadata-token x-identity-header",
        ),
    ];
    for (reservation, names) in reserved {
        for text in names.split_whitespace() {
            for spelled in [text.to_owned(), text.to_ascii_uppercase(), text.replace('-', "_"), text.replace('-', ".")] {
                let refusal = HeaderName::parse(&spelled);
                assert_eq!(refusal, Err(HeaderRefusal::Reserved(reservation)), "{spelled}");
            }
        }
    }
    for text in
        ["hosts", "x-host", "webhook", "webhooks-id", "x-preclinical", "security", "metadatax", "dates", "proxy", "tea"]
    {
        assert!(HeaderName::parse(text).is_ok(), "{text}");
    }
}

#[test]
fn values_are_of_visible_ascii_without_white_space_around_them() {
    for text in ["x", "a b\tc", "Bearer e30.e30.x", "!\"#$%&'()~", &"v".repeat(MAX_VALUE_BYTES)] {
        assert_eq!(HeaderValue::parse(text).unwrap().expose(), text);
    }
    let refusal = |text: &str| HeaderValue::parse(text).unwrap_err();
    for text in ["a\r\nb", "a\nb", "a\rb", "a\0b", "\u{7f}", "é", MASK, "a\u{b}b"] {
        assert_eq!(refusal(text), HeaderRefusal::ValueNotVisible, "{text:?}");
    }
    for text in [" a", "a ", "\ta", "a\t", " "] {
        assert_eq!(refusal(text), HeaderRefusal::ValueSpaced, "{text:?}");
    }
    assert_eq!(refusal(""), HeaderRefusal::ValueEmpty);
    assert_eq!(refusal(&"v".repeat(MAX_VALUE_BYTES + 1)), HeaderRefusal::ValueTooLong);
}

#[test]
fn a_header_without_a_value_keeps_its_own_and_one_that_is_left_out_is_gone() {
    let stored = of(&[("X-One", "1"), ("X-Two", "2"), ("X-Three", "3")]);
    let changed = stored.changed(vec![wanted("x-three", None), wanted("X-One", Some("new")), wanted("X-Four", Some("4"))]);
    assert_eq!(pairs(&changed.unwrap()), [("x-three", "3"), ("X-One", "new"), ("X-Four", "4")]);
    assert!(stored.changed(Vec::new()).unwrap().is_empty());
    let refused = stored.changed(vec![wanted("X-Other", None)]).unwrap_err();
    assert_eq!((refused.field().as_str(), refused.why), ("headers.X-Other", HeaderRefusal::NothingToKeep));
}

#[test]
fn each_name_is_there_once_and_all_of_them_within_their_limits() {
    let twice = CustomHeaders::default().changed(vec![wanted("X-A", Some("1")), wanted("x-a", Some("1"))]).unwrap_err();
    assert_eq!((twice.field().as_str(), twice.why), ("headers.x-a", HeaderRefusal::Twice));

    let many = |count| (0..count).map(|number| wanted(&format!("X-{number}"), Some("1"))).collect();
    assert!(CustomHeaders::default().changed(many(MAX_HEADERS)).is_ok());
    let refused = CustomHeaders::default().changed(many(MAX_HEADERS + 1)).unwrap_err();
    assert_eq!((refused.field().as_str(), refused.why), ("headers", HeaderRefusal::TooMany));

    let long = |last: usize| {
        let value = |bytes| Some("v".repeat(bytes));
        let lengths = [MAX_VALUE_BYTES - 1, MAX_VALUE_BYTES - 1, MAX_VALUE_BYTES - 1, last];
        let names = ["a", "b", "c", "d"];
        lengths.into_iter().zip(names).map(|(bytes, name)| wanted(name, value(bytes).as_deref())).collect()
    };
    assert!(CustomHeaders::default().changed(long(MAX_VALUE_BYTES - 1)).is_ok());
    let refused = CustomHeaders::default().changed(long(MAX_VALUE_BYTES)).unwrap_err();
    assert_eq!((refused.field().as_str(), refused.why), ("headers", HeaderRefusal::TooLongTogether));
}

#[test]
fn an_authorization_that_opens_a_metadata_service_is_refused() {
    for (text, value) in [("Authorization", "Bearer Oracle"), ("authorization", "bearer oracle")] {
        let refused = CustomHeaders::default().changed(vec![wanted(text, Some(value))]).unwrap_err();
        assert_eq!(refused.why, HeaderRefusal::Reserved(Reservation::Metadata));
    }
    assert!(CustomHeaders::default().changed(vec![wanted("X-Company", Some("Bearer Oracle"))]).is_ok());
}

#[test]
fn an_authorization_is_put_together_as_its_scheme_wants_it() {
    assert_eq!(bearer("e30.e30.x-_~+/=").unwrap().expose(), "Bearer e30.e30.x-_~+/=");
    // The example of RFC 7617, and its one with a character beyond ASCII.
    assert_eq!(basic("Aladdin", "open sesame").unwrap().expose(), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    assert_eq!(basic("test", "123\u{a3}").unwrap().expose(), "Basic dGVzdDoxMjPCow==");
    assert_eq!(basic("user", "").unwrap().expose(), "Basic dXNlcjo=");
    let no_bearer = |token: &str| bearer(token).unwrap_err();
    assert_eq!(no_bearer(""), NotAnAuthorization::Missing);
    assert_eq!(no_bearer("Bearer x"), NotAnAuthorization::Token);
    assert_eq!(no_bearer("é"), NotAnAuthorization::Token);
    assert_eq!(no_bearer(&"x".repeat(MAX_VALUE_BYTES)), NotAnAuthorization::TooLong);
    let no_basic = |user: &str, password: &str| basic(user, password).unwrap_err();
    assert_eq!(no_basic("", "x"), NotAnAuthorization::Missing);
    assert_eq!(no_basic("a:b", "x"), NotAnAuthorization::Colon);
    assert_eq!(no_basic("a", "x\n"), NotAnAuthorization::Control);
    assert_eq!(no_basic("a", &"x".repeat(MAX_VALUE_BYTES)), NotAnAuthorization::TooLong);
}

#[test]
fn no_value_is_ever_printed() {
    let headers = of(&[("X-Tenant", "canary")]);
    let printed = format!("{headers:?} {:?} {:?}", wanted("X-Tenant", Some("canary")), basic("canary", "canary"));
    assert!(printed.contains("X-Tenant") && !printed.contains("canary"), "{printed}");
}

proptest! {
    #[test]
    fn what_was_accepted_comes_back_from_the_store_to_the_byte(given in prop::collection::vec(("[!-~]([ -~]{0,20}[!-~])?", 0..4_u8), 0..20)) {
        let pairs_given: Vec<(String, &str)> =
            given.iter().enumerate().map(|(index, (value, _))| (format!("X-{index}"), value.as_str())).collect();
        let borrowed: Vec<(&str, &str)> = pairs_given.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        let headers = of(&borrowed);
        let stored = headers.to_stored();
        prop_assert_eq!(stored.is_none(), headers.is_empty());
        let back = stored.map_or_else(CustomHeaders::default, |stored| CustomHeaders::from_stored(&stored).unwrap());
        prop_assert_eq!(pairs(&back), borrowed);
        prop_assert_eq!(HeaderName::split(&HeaderName::join(&headers.names())), headers.names());
    }

    #[test]
    fn any_text_is_a_header_that_http_takes_or_refused(text in any::<String>(), value in any::<String>()) {
        if let Ok(name) = HeaderName::parse(&text) {
            prop_assert!(!text.is_empty() && text.is_ascii() && !text.contains([' ', ':', '\r', '\n', '\0', ',']));
            prop_assert_eq!(name.as_str(), text);
        }
        if let Ok(accepted) = HeaderValue::parse(&value) {
            prop_assert!(value.is_ascii() && !value.contains(['\r', '\n', '\0']) && value.trim() == value);
            prop_assert_eq!(accepted.expose(), value);
        }
    }
}
