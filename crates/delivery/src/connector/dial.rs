//! The first of several addresses that can be reached (RFC 8305, "happy eyeballs").

use std::{
    future::Future,
    io,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use tokio::{net::TcpStream, task::JoinSet};

use crate::failure::ConnectFailure;

/// How many addresses are tried for one connection.
const MAX_TRIES: usize = 4;

/// How long an address is alone in being tried. One that never answers costs this much of the deadline, and not all of it.
const HEAD_START: Duration = Duration::from_millis(250);

/// Opens connections to the addresses one after another, not waiting long for any, and answers the first that is there.
pub(super) async fn first<T, F>(addresses: Vec<IpAddr>, open: impl Fn(IpAddr) -> F) -> Result<T, ConnectFailure>
where
    T: Send + 'static,
    F: Future<Output = Result<T, ConnectFailure>> + Send + 'static,
{
    let mut waiting = in_turns(addresses).into_iter().take(MAX_TRIES);
    // Dropping this ends what is still under way.
    let mut tries = JoinSet::new();
    let mut failure = ConnectFailure::Connect(io::ErrorKind::NotConnected);
    loop {
        match waiting.next() {
            Some(address) => drop(tries.spawn(open(address))),
            None if tries.is_empty() => return Err(failure),
            None => {}
        }
        tokio::select! {
            Some(ended) = tries.join_next() => match ended {
                Ok(Ok(connection)) => return Ok(connection),
                Ok(Err(error)) => failure = error,
                Err(_) => {}
            },
            () = tokio::time::sleep(HEAD_START), if waiting.len() > 0 => {}
        }
    }
}

/// One of each family in turn, so that one of which the way is broken does not take up all tries.
fn in_turns(addresses: Vec<IpAddr>) -> Vec<IpAddr> {
    let (v4, v6): (Vec<_>, Vec<_>) = addresses.into_iter().partition(IpAddr::is_ipv4);
    let longer = v4.len().max(v6.len());
    (0..longer).flat_map(|at| [v4.get(at).copied(), v6.get(at).copied()]).flatten().collect()
}

pub(super) async fn tcp(address: SocketAddr) -> Result<TcpStream, io::ErrorKind> {
    let stream = TcpStream::connect(address).await.map_err(|error| error.kind())?;
    let _ = stream.set_nodelay(true);
    Ok(stream)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(texts: &[&str]) -> Vec<IpAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn families_take_turns() {
        let given = addresses(&["1.1.1.1", "1.1.1.2", "1.1.1.3", "2a00::1"]);
        assert_eq!(in_turns(given), addresses(&["1.1.1.1", "2a00::1", "1.1.1.2", "1.1.1.3"]));
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_that_never_answers_costs_a_head_start_and_no_more() {
        let given = addresses(&["1.1.1.1", "1.1.1.2", "1.1.1.3"]);
        let begun = tokio::time::Instant::now();
        let reached = first(given, async |address: IpAddr| match address.to_string().as_str() {
            "1.1.1.3" => Ok(address),
            _ => std::future::pending().await,
        });
        assert_eq!(reached.await.unwrap(), addresses(&["1.1.1.3"])[0]);
        assert_eq!(begun.elapsed(), HEAD_START * 2);
    }

    #[tokio::test(start_paused = true)]
    async fn the_next_address_is_tried_at_once_when_one_fails_and_four_at_most() {
        let tried = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let many: Vec<IpAddr> = (1..=16).map(|last| IpAddr::from([1, 1, 1, last])).collect();
        let begun = tokio::time::Instant::now();
        let outcome: Result<(), _> = first(many.clone(), |address| {
            tried.lock().unwrap().push(address);
            std::future::ready(Err(ConnectFailure::Connect(io::ErrorKind::ConnectionRefused)))
        })
        .await;
        assert!(matches!(outcome, Err(ConnectFailure::Connect(io::ErrorKind::ConnectionRefused))));
        assert_eq!((&tried.lock().unwrap()[..], begun.elapsed()), (&many[..MAX_TRIES], Duration::ZERO));
    }
}
