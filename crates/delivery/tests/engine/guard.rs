//! Connections are made to allowed addresses only.

use std::net::{IpAddr, Ipv4Addr, TcpListener};

use preclinical_core::{address::AddressPolicy, attempt::ErrorKind, endpoint::EndpointPolicy};
use preclinical_testkit::{
    name_server::{Entry, NameServer},
    receiver::{Reaction, Receiver},
};
use rustls::RootCertStore;

use crate::rig::{Rig, loopback, platform};

const ALLOWED: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const DENIED: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));

/// Allows 127.0.0.1, where receivers are, and nothing else of this machine.
fn one_address() -> EndpointPolicy {
    let addresses = AddressPolicy { allow: vec![ALLOWED.into()], deny: vec![] };
    EndpointPolicy { addresses, ..EndpointPolicy::default() }
}

async fn rig(policy: EndpointPolicy, names: &NameServer) -> Rig {
    Rig::on_platform(platform(Some(names.address), RootCertStore::empty()), policy).await
}

/// Listens at the denied address, on the receiver's port.
struct Canary(TcpListener);

impl Canary {
    fn beside(receiver: &Receiver) -> Self {
        let listener = TcpListener::bind((DENIED, receiver.address.port())).unwrap();
        listener.set_nonblocking(true).unwrap();
        Self(listener)
    }

    fn is_untouched(&self) -> bool {
        self.0.accept().is_err()
    }
}

#[tokio::test]
async fn no_spelling_of_a_forbidden_address_is_called() {
    let canary = Receiver::start([]).await;
    let rig = Rig::on_platform(platform(None, RootCertStore::empty()), EndpointPolicy::default()).await;
    let port = canary.address.port();
    for host in
        ["127.0.0.1", "2130706433", "0x7f.1", "127.1", "0.0.0.0", "[::1]", "[::ffff:127.0.0.1]", "localhost", "LOCALHOST."]
    {
        assert_eq!(rig.failure_to(&format!("http://{host}:{port}/")).await, ErrorKind::Blocked, "{host}");
    }
    assert_eq!(canary.connections().await, 0);
}

#[tokio::test]
async fn a_name_that_leads_to_a_forbidden_address_is_not_called() {
    let canary = Receiver::start([]).await;
    let names = NameServer::start([("hook.example", Entry::Addresses(vec![vec![ALLOWED]]))]).await;
    let rig = rig(EndpointPolicy::default(), &names).await;
    let url = format!("http://hook.example:{}/", canary.address.port());
    assert_eq!(rig.failure_to(&url).await, ErrorKind::Blocked);
    assert_eq!(canary.connections().await, 0);
}

#[tokio::test]
async fn a_name_that_leads_to_an_allowed_address_is_called_by_its_name() {
    let receiver = Receiver::start([]).await;
    let names = NameServer::start([("hook.example", Entry::Addresses(vec![vec![ALLOWED]]))]).await;
    let rig = rig(one_address(), &names).await;
    let host = format!("hook.example:{}", receiver.address.port());
    assert_eq!(rig.attempt_to(&format!("http://{host}/webhook?a=b%20c")).await.http_status, Some(200));
    let seen = receiver.next().await;
    assert_eq!(seen.header("host"), Some(host.as_str()));
    assert!(seen.head.starts_with("POST /webhook?a=b%20c HTTP/1.1\r\n"));
}

#[tokio::test]
async fn a_name_with_one_forbidden_address_among_others_is_not_called_at_all() {
    let receiver = Receiver::start([]).await;
    let canary = Canary::beside(&receiver);
    let v6: IpAddr = "::1".parse().unwrap();
    for addresses in
        [vec![DENIED, ALLOWED], vec![ALLOWED, DENIED], vec![ALLOWED, v6], [vec![ALLOWED; 40], vec![DENIED]].concat()]
    {
        let names = NameServer::start([("hook.example", Entry::Addresses(vec![addresses.clone()]))]).await;
        let rig = rig(one_address(), &names).await;
        let url = format!("http://hook.example:{}/", receiver.address.port());
        assert_eq!(rig.failure_to(&url).await, ErrorKind::Blocked, "{addresses:?}");
    }
    assert!(canary.is_untouched());
    assert_eq!(receiver.connections().await, 0);
}

#[tokio::test]
async fn the_history_tells_nothing_of_what_a_name_led_to() {
    let told = async |address: &str| {
        let names = NameServer::start([("hook.example", Entry::Addresses(vec![vec![address.parse().unwrap()]]))]).await;
        let attempt = rig(EndpointPolicy::default(), &names).await.attempt_to("http://hook.example/").await;
        attempt.error.unwrap().message
    };
    for address in ["127.0.0.1", "10.0.0.5", "169.254.169.254", "192.0.2.1", "::1", "fd00::1", "64:ff9b::a00:5"] {
        assert_eq!(told(address).await, "blocked: the host's name leads to an address that may not be called");
    }
}

#[tokio::test]
async fn an_address_that_the_system_takes_for_another_one_is_judged_as_that_one() {
    let receiver = Receiver::start([]).await;
    let addresses = AddressPolicy { allow: vec!["0.0.0.0/8".parse().unwrap()], deny: vec![] };
    let policy = EndpointPolicy { addresses, ..EndpointPolicy::default() };
    let rig = Rig::on_platform(platform(None, RootCertStore::empty()), policy).await;
    assert_eq!(rig.failure_to(&format!("http://0.0.0.0:{}/", receiver.address.port())).await, ErrorKind::Blocked);
    assert_eq!(receiver.waiting().await, 0);
}

#[tokio::test]
async fn localhost_can_be_called_where_its_address_is_allowed() {
    let (receiver, rig) = (Receiver::start([]).await, Rig::new().await);
    let url = format!("http://localhost:{}/", receiver.address.port());
    assert_eq!(rig.attempt_to(&url).await.http_status, Some(200));
}

#[tokio::test]
async fn the_connection_goes_to_the_address_that_was_judged() {
    let receiver = Receiver::start([]).await;
    let canary = Canary::beside(&receiver);
    let names = NameServer::start([("hook.example", Entry::Addresses(vec![vec![ALLOWED], vec![DENIED]]))]).await;
    let rig = rig(one_address(), &names).await;
    let url = format!("http://hook.example:{}/", receiver.address.port());
    assert_eq!(rig.attempt_to(&url).await.http_status, Some(200));
    assert!(canary.is_untouched());
}

#[tokio::test]
async fn a_name_that_moved_to_a_forbidden_address_is_not_called_again() {
    let receiver = Receiver::start([Reaction::answer(200, "connection: close\r\n", b"")]).await;
    let canary = Canary::beside(&receiver);
    let names = NameServer::start([("hook.example", Entry::Addresses(vec![vec![ALLOWED], vec![DENIED]]))]).await;
    let rig = rig(one_address(), &names).await;
    let url = format!("http://hook.example:{}/", receiver.address.port());
    assert_eq!(rig.attempt_to(&url).await.http_status, Some(200));
    assert_eq!(receiver.over().await, 0);
    assert_eq!(rig.failure_to(&url).await, ErrorKind::Blocked);
    assert!(canary.is_untouched());
}

#[tokio::test]
async fn a_name_that_does_not_exist_is_a_failure_to_resolve() {
    let names = NameServer::start([("empty.example", Entry::Addresses(vec![vec![]]))]).await;
    let rig = rig(loopback(), &names).await;
    for host in ["nowhere.invalid", "unknown.example", "empty.example"] {
        assert_eq!(rig.failure_to(&format!("http://{host}/")).await, ErrorKind::Dns, "{host}");
    }
}

#[tokio::test]
async fn plain_http_is_not_called_where_https_is_required() {
    let canary = Receiver::start([]).await;
    let policy = EndpointPolicy { https_only: true, ..loopback() };
    let rig = Rig::on_platform(platform(None, RootCertStore::empty()), policy).await;
    assert_eq!(rig.failure_to(&canary.url()).await, ErrorKind::Blocked);
    assert_eq!(canary.connections().await, 0);
}
