//! What the client takes from the machine it runs on, seen by a process of its own.

use std::process::Command;

use preclinical_delivery::Platform;
use preclinical_testkit::{authority::Authority, receiver::Receiver};

use crate::rig::{Rig, loopback};

/// Where the child of a test sends its delivery.
const URL: &str = "URL_FOR_THE_CHILD";

/// Runs that test once more, in a process with these variables, and answers whether it passed.
async fn passes_with(test: &'static str, variables: Vec<(&'static str, String)>) -> bool {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", test]).envs(variables);
    tokio::task::spawn_blocking(move || child.output().unwrap().status.success()).await.unwrap()
}

async fn deliver_as_this_machine_does(url: &str) {
    let rig = Rig::on_platform(Platform::detect().unwrap(), loopback()).await;
    assert_eq!(rig.attempt_to(url).await.http_status, Some(200));
}

#[tokio::test]
async fn whom_the_system_trusts_is_trusted() {
    if let Ok(url) = std::env::var(URL) {
        return deliver_as_this_machine_does(&url).await;
    }
    let (authority, stranger) = (Authority::default(), Authority::default());
    let receiver = Receiver::start_tls(authority.server("127.0.0.1", &[]), []).await;
    let folder = tempfile::tempdir().unwrap();
    for (whom, is_trusted) in [(&authority, true), (&stranger, false)] {
        let file = folder.path().join("authorities.pem");
        std::fs::write(&file, whom.pem()).unwrap();
        let variables = vec![(URL, receiver.url()), ("SSL_CERT_FILE", file.to_str().unwrap().to_owned())];
        assert_eq!(passes_with("platform::whom_the_system_trusts_is_trusted", variables).await, is_trusted);
    }
    receiver.next().await;
    assert_eq!(receiver.waiting().await, 0);
}

#[tokio::test]
async fn a_proxy_of_the_environment_is_not_asked() {
    if let Ok(url) = std::env::var(URL) {
        return deliver_as_this_machine_does(&url).await;
    }
    let (receiver, proxy) = (Receiver::start([]).await, Receiver::start([]).await);
    let names = ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];
    let mut variables: Vec<_> = names.into_iter().map(|name| (name, format!("http://{}", proxy.address))).collect();
    variables.push((URL, receiver.url()));
    assert!(passes_with("platform::a_proxy_of_the_environment_is_not_asked", variables).await);
    receiver.next().await;
    assert_eq!(proxy.connections().await, 0);
}
