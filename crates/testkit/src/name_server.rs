//! A name server that knows the names it was told.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, UdpSocket},
    task::JoinSet,
};

/// The name server, on UDP and TCP; it ends when it is dropped.
pub struct NameServer {
    /// Where it listens.
    pub address: SocketAddr,
    _tasks: JoinSet<()>,
}

/// What a name has.
#[derive(Debug, Clone)]
pub enum Entry {
    /// These addresses, for one question each; the last ones for all further questions. Answers may not be kept.
    Addresses(Vec<Vec<IpAddr>>),
    /// These addresses, which are only told over TCP: over UDP the answer says that it was cut.
    OverTcp(Vec<IpAddr>),
    /// Another name, whose addresses come in the same answer. If it leads on, so does the answer, until it meets a name again.
    Alias(String),
    /// Bytes behind the id that are no answer.
    Noise(Vec<u8>),
    /// No answer at all.
    Silence,
}

type Entries = Arc<Mutex<HashMap<String, Entry>>>;

impl NameServer {
    /// Knows these names, without a dot at their end, and denies all others.
    pub async fn start(entries: impl IntoIterator<Item = (&str, Entry)>) -> Self {
        Self::listen("127.0.0.1:0", entries).await
    }

    /// The same at that address.
    pub async fn listen(address: &str, entries: impl IntoIterator<Item = (&str, Entry)>) -> Self {
        let (socket, listener) = bind(address).await;
        let address = socket.local_addr().unwrap();
        let entries: HashMap<_, _> = entries.into_iter().map(|(name, entry)| (name.to_owned(), entry)).collect();
        let entries = Arc::new(Mutex::new(entries));
        let mut tasks = JoinSet::new();
        tasks.spawn(over_udp(socket, entries.clone()));
        tasks.spawn(over_tcp(listener, entries));
        Self { address, _tasks: tasks }
    }
}

/// One port for both: where the system chooses it, the other protocol may have it in use.
async fn bind(address: &str) -> (UdpSocket, TcpListener) {
    loop {
        let socket = UdpSocket::bind(address).await.unwrap();
        match TcpListener::bind(socket.local_addr().unwrap()).await {
            Ok(listener) => return (socket, listener),
            Err(error) => assert!(address.ends_with(":0"), "{address}: {error}"),
        }
    }
}

async fn over_udp(socket: UdpSocket, entries: Entries) {
    let mut packet = [0; 1500];
    while let Ok((length, from)) = socket.recv_from(&mut packet).await {
        let answer = Question::read(&packet[..length]).answer(&mut entries.lock().unwrap(), false);
        if let Some(answer) = answer {
            let _ = socket.send_to(&answer, from).await;
        }
    }
}

async fn over_tcp(listener: TcpListener, entries: Entries) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let entries = entries.clone();
        connections.spawn(async move { drop(converse(stream, entries).await) });
    }
}

async fn converse(mut stream: TcpStream, entries: Entries) -> std::io::Result<()> {
    loop {
        let mut packet = vec![0; stream.read_u16().await?.into()];
        stream.read_exact(&mut packet).await?;
        let answer = Question::read(&packet).answer(&mut entries.lock().unwrap(), true);
        if let Some(answer) = answer {
            stream.write_u16(u16::try_from(answer.len()).unwrap()).await?;
            stream.write_all(&answer).await?;
        }
    }
}

const HEADER: usize = 12;
const A: u16 = 1;
const CNAME: u16 = 5;
const AAAA: u16 = 28;

/// In the flags of an answer: it was cut.
const CUT: u8 = 2;

/// What fits into an answer over UDP to whoever offers no more (RFC 1035, section 4.2.1).
const MAX_UDP: usize = 512;

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

    fn answer(&self, entries: &mut HashMap<String, Entry>, is_tcp: bool) -> Option<Vec<u8>> {
        let (mut name, mut records, mut seen) = (self.name.clone(), Vec::new(), Vec::new());
        let addresses = loop {
            seen.push(name.clone());
            match entries.get_mut(&name) {
                Some(Entry::Silence) => return None,
                Some(Entry::Noise(bytes)) => return Some([self.id, bytes].concat()),
                Some(Entry::OverTcp(_)) if !is_tcp => return Some(self.packet(0, true, &[])),
                Some(Entry::OverTcp(addresses)) => break addresses.clone(),
                Some(Entry::Addresses(rounds)) if rounds.len() > 1 && self.kind == A => break rounds.remove(0),
                Some(Entry::Addresses(rounds)) => break rounds[0].clone(),
                Some(Entry::Alias(target)) => {
                    records.push(record(&name, CNAME, &encoded(target)));
                    name = target.clone();
                    if seen.contains(&name) {
                        break Vec::new();
                    }
                }
                None if records.is_empty() => return Some(self.packet(3, false, &[])),
                None => break Vec::new(),
            }
        };
        records.extend(addresses.iter().filter_map(|address| match address {
            IpAddr::V4(v4) if self.kind == A => Some(record(&name, A, &v4.octets())),
            IpAddr::V6(v6) if self.kind == AAAA => Some(record(&name, AAAA, &v6.octets())),
            _ => None,
        }));
        let answer = self.packet(0, false, &records);
        Some(if is_tcp || answer.len() <= MAX_UDP { answer } else { self.packet(0, true, &[]) })
    }

    fn packet(&self, code: u8, is_cut: bool, records: &[Vec<u8>]) -> Vec<u8> {
        let count = u16::try_from(records.len()).unwrap().to_be_bytes();
        let flags = 0x81 | if is_cut { CUT } else { 0 };
        let mut packet = self.id.to_vec();
        packet.extend([flags, 0x80 | code, 0, 1, count[0], count[1], 0, 0, 0, 0]);
        packet.extend(self.bytes);
        packet.extend(records.concat());
        packet
    }
}

/// A record of class IN, to be kept for no time.
fn record(name: &str, kind: u16, data: &[u8]) -> Vec<u8> {
    let mut bytes = encoded(name);
    bytes.extend(kind.to_be_bytes());
    bytes.extend([0, 1, 0, 0, 0, 0]);
    bytes.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
    bytes.extend(data);
    bytes
}

fn encoded(name: &str) -> Vec<u8> {
    let labels = name.split('.').flat_map(|label| [&[u8::try_from(label.len()).unwrap()], label.as_bytes()].concat());
    labels.chain([0]).collect()
}
