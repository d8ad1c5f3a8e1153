//! A wire to the server that can be cut where it hurts most: after a commit, before its answer arrives.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use url::Url;

/// What the server says once it is in no transaction any more.
const IDLE: &[u8] = b"Z\0\0\0\x05I";

pub(crate) struct Wire {
    /// The database, at the near end of the wire.
    pub(crate) url: String,
    is_to_be_cut: Arc<AtomicBool>,
}

impl Wire {
    pub(crate) async fn to(database: &str) -> Self {
        let mut url: Url = database.parse().unwrap();
        let server = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap_or(5432));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        url.set_host(Some("127.0.0.1")).unwrap();
        url.set_port(Some(listener.local_addr().unwrap().port())).unwrap();
        let is_to_be_cut = Arc::new(AtomicBool::new(false));
        let cut = Arc::clone(&is_to_be_cut);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let far = TcpStream::connect(&server).await.unwrap();
                tokio::spawn(carry(near, far, Arc::clone(&cut)));
            }
        });
        Self { url: url.to_string(), is_to_be_cut }
    }

    /// The next commit gets no answer.
    pub(crate) fn cut_after_commit(&self) {
        self.is_to_be_cut.store(true, Ordering::Relaxed);
    }

    pub(crate) fn was_cut(&self) -> bool {
        !self.is_to_be_cut.load(Ordering::Relaxed)
    }
}

async fn carry(mut near: TcpStream, mut far: TcpStream, cut: Arc<AtomicBool>) -> Option<()> {
    let (mut sent, mut received) = (vec![0; 65536], vec![0; 65536]);
    loop {
        tokio::select! {
            count = near.read(&mut sent) => {
                let sent = &sent[..count.ok().filter(|count| *count > 0)?];
                far.write_all(sent).await.ok()?;
                if sent.ends_with(b"COMMIT\0") && cut.swap(false, Ordering::Relaxed) {
                    let mut answer = Vec::new();
                    while !answer.ends_with(IDLE) {
                        far.read_buf(&mut answer).await.ok().filter(|count| *count > 0)?;
                    }
                    return None;
                }
            }
            count = far.read(&mut received) => {
                near.write_all(&received[..count.ok().filter(|count| *count > 0)?]).await.ok()?;
            }
        }
    }
}
