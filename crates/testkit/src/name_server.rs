//! A name server that knows the names it was told.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
};

use tokio::net::UdpSocket;

/// The name server, on UDP; it ends when it is dropped.
pub struct NameServer {
    /// Where it listens.
    pub address: SocketAddr,
    task: tokio::task::JoinHandle<()>,
}

/// What a name has.
#[derive(Debug, Clone)]
pub enum Entry {
    /// These addresses, for one question each; the last ones for all further questions. Answers may not be kept.
    Addresses(Vec<Vec<IpAddr>>),
    /// No answer at all.
    Silence,
}

impl NameServer {
    /// Knows these names, without a dot at their end, and denies all others.
    pub async fn start(entries: impl IntoIterator<Item = (&str, Entry)>) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let mut entries: HashMap<String, Entry> =
            entries.into_iter().map(|(name, entry)| (name.to_owned(), entry)).collect();
        let task = tokio::spawn(async move {
            let mut packet = [0; 1500];
            while let Ok((length, from)) = socket.recv_from(&mut packet).await {
                if let Some(answer) = Question::read(&packet[..length]).answer(&mut entries) {
                    let _ = socket.send_to(&answer, from).await;
                }
            }
        });
        Self { address, task }
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

const HEADER: usize = 12;
const A: u16 = 1;
const AAAA: u16 = 28;

/// One question of RFC 1035, section 4.1.
struct Question<'a> {
    id: &'a [u8],
    name: String,
    kind: u16,
    bytes: &'a [u8],
}

impl<'a> Question<'a> {
    fn read(packet: &'a [u8]) -> Self {
        let mut labels = Vec::new();
        let mut at = HEADER;
        while packet[at] > 0 {
            let end = at + 1 + usize::from(packet[at]);
            labels.push(String::from_utf8_lossy(&packet[at + 1..end]).to_ascii_lowercase());
            at = end;
        }
        let kind = u16::from_be_bytes([packet[at + 1], packet[at + 2]]);
        Self { id: &packet[..2], name: labels.join("."), kind, bytes: &packet[HEADER..at + 5] }
    }

    fn answer(&self, entries: &mut HashMap<String, Entry>) -> Option<Vec<u8>> {
        let addresses = match entries.get_mut(&self.name) {
            Some(Entry::Silence) => return None,
            Some(Entry::Addresses(rounds)) if rounds.len() > 1 && self.kind == A => rounds.remove(0),
            Some(Entry::Addresses(rounds)) => rounds[0].clone(),
            None => return Some(self.packet(3, &[])),
        };
        let wanted = |address: &&IpAddr| (self.kind == A && address.is_ipv4()) || (self.kind == AAAA && address.is_ipv6());
        Some(self.packet(0, &addresses.iter().filter(wanted).collect::<Vec<_>>()))
    }

    fn packet(&self, code: u8, addresses: &[&IpAddr]) -> Vec<u8> {
        let count = u8::try_from(addresses.len()).unwrap();
        let mut packet = self.id.to_vec();
        packet.extend([0x81, 0x80 | code, 0, 1, 0, count, 0, 0, 0, 0]);
        packet.extend(self.bytes);
        for address in addresses {
            let octets = match address {
                IpAddr::V4(v4) => v4.octets().to_vec(),
                IpAddr::V6(v6) => v6.octets().to_vec(),
            };
            // The name of the question, its kind, class IN, to be kept for no time.
            packet.extend([0xc0, 0x0c, 0, u8::try_from(self.kind).unwrap(), 0, 1, 0, 0, 0, 0]);
            packet.extend([0, u8::try_from(octets.len()).unwrap()]);
            packet.extend(octets);
        }
        packet
    }
}
