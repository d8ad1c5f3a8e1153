//! Deliveries through a proxy of the operator.

use std::net::{IpAddr, Ipv4Addr};

use preclinical_core::{address::AddressPolicy, attempt::ErrorKind, endpoint::EndpointPolicy};
use preclinical_delivery::Platform;
use preclinical_testkit::{
    authority::Authority,
    name_server::{Entry, NameServer},
    receiver::Receiver,
};
use rustls::RootCertStore;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};

use crate::rig::{PATIENCE, Rig, loopback, platform};

const PASSWORD: &str = "c4nary-of-proxy";

/// What a proxy does with a request for a connection.
#[derive(Clone)]
enum Does {
    /// Makes it, to the receiver, whatever it was asked for.
    Connect(std::net::SocketAddr),
    /// Says these bytes and ends the connection.
    Say(Vec<u8>),
    /// Says nothing.
    Hang,
}

struct FakeProxy {
    url: String,
    asked: mpsc::UnboundedReceiver<String>,
}

impl FakeProxy {
    async fn start(does: Does) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://user:{PASSWORD}@{}", listener.local_addr().unwrap());
        let (sender, asked) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, does.clone(), sender.clone()));
            }
        });
        Self { url, asked }
    }

    async fn next(&mut self) -> String {
        tokio::time::timeout(PATIENCE, self.asked.recv()).await.expect("the proxy was not asked").unwrap()
    }

    fn was_asked(&mut self) -> bool {
        self.asked.try_recv().is_ok()
    }
}

async fn serve(mut stream: TcpStream, does: Does, asked: mpsc::UnboundedSender<String>) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let _ = asked.send(String::from_utf8(head).unwrap());
    match does {
        Does::Connect(address) => {
            let mut receiver = TcpStream::connect(address).await?;
            stream.write_all(b"HTTP/1.1 200 Connection established\r\nproxy-agent: test\r\n\r\n").await?;
            copy_bidirectional(&mut stream, &mut receiver).await?;
        }
        Does::Say(bytes) => {
            stream.write_all(&bytes).await?;
            stream.shutdown().await?;
            while stream.read(&mut [0; 1024]).await? > 0 {}
        }
        Does::Hang => while stream.read(&mut [0; 1024]).await? > 0 {},
    }
    Ok(())
}

fn through(proxy: &FakeProxy, names: &NameServer, roots: RootCertStore) -> Platform {
    Platform { proxy: Some(proxy.url.parse().unwrap()), ..platform(Some(names.address), roots) }
}

/// A name of a public address, one of a private one, and one of both.
async fn names() -> NameServer {
    let (public, private) = (IpAddr::from([93, 184, 215, 14]), IpAddr::V4(Ipv4Addr::LOCALHOST));
    let entry = |addresses: &[IpAddr]| Entry::Addresses(vec![addresses.to_vec()]);
    let v6 = "2606:2800:21f::1".parse().unwrap();
    NameServer::start([
        ("public.example", entry(&[public])),
        ("v6.example", entry(&[v6])),
        ("private.example", entry(&[private])),
        ("mixed.example", entry(&[public, private])),
    ])
    .await
}

async fn rig(proxy: &FakeProxy, names: &NameServer) -> Rig {
    Rig::on_platform(through(proxy, names, RootCertStore::empty()), EndpointPolicy::default()).await
}

#[tokio::test]
async fn the_proxy_is_asked_for_the_judged_address_and_never_for_a_name() {
    let (receiver, names) = (Receiver::start([]).await, names().await);
    let mut proxy = FakeProxy::start(Does::Connect(receiver.address)).await;
    let rig = rig(&proxy, &names).await;
    for (host, address) in
        [("public.example", "93.184.215.14:80"), ("v6.example", "[2606:2800:21f::1]:80"), ("8.8.8.8:8080", "8.8.8.8:8080")]
    {
        assert_eq!(rig.attempt_to(&format!("http://{host}/hook")).await.http_status, Some(200));
        let asked = proxy.next().await;
        assert!(asked.starts_with(&format!("CONNECT {address} HTTP/1.1\r\nHost: {address}\r\n")), "{asked}");
        assert!(asked.contains("\r\nProxy-Authorization: Basic dXNlcjpjNG5hcnktb2YtcHJveHk=\r\n"), "{asked}");
        let seen = receiver.next().await;
        assert!(
            seen.head.starts_with("POST /hook HTTP/1.1\r\n") && !seen.head.to_lowercase().contains("proxy"),
            "{}",
            seen.head
        );
        assert_eq!(seen.header("host"), Some(host));
    }
}

#[tokio::test]
async fn tls_goes_through_to_the_receiver_itself() {
    let (authority, names) = (Authority::default(), names().await);
    let receiver = Receiver::start_tls(authority.server("public.example", &[]), []).await;
    let mut proxy = FakeProxy::start(Does::Connect(receiver.address)).await;
    let rig = Rig::on_platform(through(&proxy, &names, authority.roots()), EndpointPolicy::default()).await;
    assert_eq!(rig.attempt_to("https://public.example/").await.http_status, Some(200));
    assert!(proxy.next().await.starts_with("CONNECT 93.184.215.14:443 "));
    assert_eq!(rig.failure_to("https://v6.example/").await, ErrorKind::Tls);
}

#[tokio::test]
async fn what_may_not_be_called_is_not_asked_for() {
    let (receiver, names) = (Receiver::start([]).await, names().await);
    let mut proxy = FakeProxy::start(Does::Connect(receiver.address)).await;
    let rig = rig(&proxy, &names).await;
    for host in ["private.example", "mixed.example", "127.0.0.1", "localhost", "169.254.169.254"] {
        assert_eq!(rig.failure_to(&format!("http://{host}/")).await, ErrorKind::Blocked, "{host}");
    }
    assert_eq!(rig.failure_to("http://unknown.example/").await, ErrorKind::Dns);
    assert!(!proxy.was_asked());
    assert_eq!(receiver.connections().await, 0);
}

#[tokio::test]
async fn what_the_proxy_does_wrong_is_a_failure_to_connect_that_names_no_secret() {
    let names = names().await;
    let long = [b"HTTP/1.1 200 OK\r\nx: ".to_vec(), vec![b'y'; 100_000]].concat();
    for (bytes, says) in [
        (&b"HTTP/1.1 403 Forbidden\r\n\r\n"[..], "it answered 403"),
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "it wants other credentials (407)"),
        (b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 2\r\n\r\nno", "it answered 502"),
        (b"HTTP/1.1 301 c4nary-of-proxy\r\nlocation: http://127.0.0.1/\r\n\r\n", "it answered 301"),
        (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", "its answer was not valid HTTP"),
        (b"HTTP/1.1 200 OK\r\n", "it broke the connection"),
        (b"", "it broke the connection"),
        (&long, "its answer is longer than 8 KiB"),
    ] {
        let proxy = FakeProxy::start(Does::Say(bytes.to_vec())).await;
        let error = rig(&proxy, &names).await.attempt_to("http://public.example/").await.error.unwrap();
        assert_eq!((error.kind, error.message), (ErrorKind::Connect, format!("no connection through the proxy: {says}")));
    }
}

#[tokio::test]
async fn a_proxy_that_is_not_there_or_does_not_answer_fails_the_attempt_alone() {
    let names = names().await;
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let gone = FakeProxy { url: format!("http://{nobody}"), ..FakeProxy::start(Does::Hang).await };
    let error = rig(&gone, &names).await.attempt_to("http://public.example/").await.error.unwrap();
    assert_eq!(
        (error.kind, &error.message[..]),
        (ErrorKind::Connect, "no connection through the proxy: it cannot be reached: connection refused")
    );
    let silent = FakeProxy::start(Does::Hang).await;
    let rig = Rig::hurried_on(through(&silent, &names, RootCertStore::empty()), loopback()).await;
    assert_eq!(rig.failure_to("http://public.example/").await, ErrorKind::Timeout);
}

#[tokio::test]
async fn the_address_of_the_proxy_itself_is_the_operators_choice() {
    let (receiver, names) = (Receiver::start([]).await, names().await);
    let mut proxy = FakeProxy::start(Does::Connect(receiver.address)).await;
    let addresses = AddressPolicy { allow: vec![], deny: vec!["127.0.0.0/8".parse().unwrap()] };
    let policy = EndpointPolicy { addresses, ..EndpointPolicy::default() };
    let rig = Rig::on_platform(through(&proxy, &names, RootCertStore::empty()), policy).await;
    assert_eq!(rig.attempt_to("http://public.example/").await.http_status, Some(200));
    assert!(proxy.was_asked());
}
