//! A connection of its own that listens.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::StreamExt;
use preclinical_core::id::OrganizationId;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::Notify,
    time::{Instant, sleep_until, timeout},
};
use tokio_postgres::{AsyncMessage, Client, Connection, NoTls};
use uuid::Uuid;

use crate::{
    address::Address,
    bells::News,
    failure::Failure,
    pool::{self, Connections},
    row::{get, number},
};

/// By that name the schema knows connections that change nothing.
const LISTENER: &str = "preclinical-webhooks listener";

const CHANNEL: &str = "preclinical_webhooks";

/// Ids in a notification; the server takes 8,000 bytes.
const MOST_IDS: usize = 200;

/// How long a connection may take to hear itself.
const HEARS_ITSELF_WITHIN: Duration = Duration::from_secs(5);

/// How often the database is asked if it does not.
const ASKED_EVERY: Duration = Duration::from_secs(2);

/// How long a new connection may take until it listens.
const OPENS_WITHIN: Duration = Duration::from_secs(15);

/// How long the server may take to answer.
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);

pub(super) enum Heard {
    News(News),
    /// It cannot hear, so anything may have happened.
    Nothing,
}

pub(super) struct Line {
    client: Client,
    /// Tells our own voice from others'.
    name: Uuid,
    ear: Arc<Ear>,
    /// When it is next to be assumed that something was missed; missing while it hears.
    deaf_at: Option<Instant>,
    said_that_it_is_deaf: bool,
}

impl Line {
    /// Connects, listens, and has somebody else say hello to it: its own words come back to it also where nobody else's do.
    pub(super) async fn open(address: &Address, others: &Connections) -> Result<Self, Failure> {
        timeout(OPENS_WITHIN, Self::connect(address, others)).await.map_err(|_| Failure::TooSlow)?
    }

    async fn connect(address: &Address, others: &Connections) -> Result<Self, Failure> {
        let mut config = pool::config(address);
        config.application_name(LISTENER);
        let ear = Arc::<Ear>::default();
        let client = if let Some(tls) = address.tls() {
            let (client, connection) = config.connect(tls).await?;
            tokio::spawn(Arc::clone(&ear).listen(connection));
            client
        } else {
            let (client, connection) = config.connect(NoTls).await?;
            tokio::spawn(Arc::clone(&ear).listen(connection));
            client
        };
        client.batch_execute(&format!("LISTEN {CHANNEL}")).await?;
        let rows = client.query_typed("SELECT gen_random_uuid() AS name", &[]).await?;
        let name = get(rows.first().ok_or_else(|| Failure::unreadable("name"))?, "name")?;
        let deaf_at = Some(Instant::now() + HEARS_ITSELF_WITHIN);
        let line = Self { client, name, ear, deaf_at, said_that_it_is_deaf: false };
        let (somebody, hello) = (others.get().await?, line.words("hello"));
        timeout(ANSWERS_WITHIN, somebody.batch_execute(&hello)).await.map_err(|_| Failure::TooSlow)??;
        Ok(line)
    }

    /// What other nodes say next; an error when the connection has ended.
    pub(super) async fn hear(&mut self) -> Result<Heard, Failure> {
        loop {
            let heard = self.ear.take();
            if heard.has_ended {
                return Err(Failure::NoConnection("the server closed the connection".to_owned()));
            }
            let (news, is_greeted) = self.understand(&heard.words);
            if is_greeted {
                self.hears();
            }
            if !news.is_empty() {
                return Ok(Heard::News(news));
            }
            let deaf = async {
                match self.deaf_at {
                    Some(at) => sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = self.ear.new.notified() => {}
                () = deaf => {
                    self.is_deaf();
                    return Ok(Heard::Nothing);
                }
            }
        }
    }

    /// Words are the speaker's name, a colon, and `work`, `hello`, or ids of organizations by commas.
    fn understand(&self, words: &[String]) -> (News, bool) {
        let (mut news, mut is_greeted) = (News::default(), false);
        let me = self.name.to_string();
        for (speaker, what) in words.iter().filter_map(|words| words.split_once(':')) {
            match what {
                "hello" => is_greeted |= speaker == me,
                _ if speaker == me => {}
                "work" => news.work = true,
                ids => news.organizations.extend(ids.split(',').filter_map(|id| id.parse::<OrganizationId>().ok())),
            }
        }
        (news, is_greeted)
    }

    fn hears(&mut self) {
        self.deaf_at = None;
        if std::mem::take(&mut self.said_that_it_is_deaf) {
            tracing::info!("notifications of PostgreSQL arrive again");
        }
    }

    fn is_deaf(&mut self) {
        self.deaf_at = Some(Instant::now() + ASKED_EVERY);
        if !std::mem::replace(&mut self.said_that_it_is_deaf, true) {
            tracing::warn!(
                "notifications of PostgreSQL do not arrive, as behind a pooler in transaction mode: \
                 what other nodes do is noticed within seconds instead of at once"
            );
        }
    }

    /// Tells the other nodes.
    pub(super) async fn tell(&self, news: &News) -> Result<(), Failure> {
        if news.work {
            self.say("work").await?;
        }
        let ids: Vec<String> = news.organizations.iter().map(ToString::to_string).collect();
        for some in ids.chunks(MOST_IDS) {
            self.say(&some.join(",")).await?;
        }
        Ok(())
    }

    /// The earliest transaction that has not ended, and the first that has not begun.
    pub(super) async fn transactions(&self) -> Result<(u64, u64), Failure> {
        let sql = "SELECT earliest_transaction() AS earliest, pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS next";
        let rows = timeout(ANSWERS_WITHIN, self.client.query_typed(sql, &[])).await.map_err(|_| Failure::TooSlow)??;
        let row = rows.first().ok_or_else(|| Failure::unreadable("earliest"))?;
        Ok((number(row, "earliest")?, number(row, "next")?))
    }

    /// Losing it does no harm, so it does not wait for the disk.
    async fn say(&self, what: &str) -> Result<(), Failure> {
        let words = self.words(what);
        timeout(ANSWERS_WITHIN, self.client.batch_execute(&words)).await.map_err(|_| Failure::TooSlow)??;
        Ok(())
    }

    fn words(&self, what: &str) -> String {
        format!("BEGIN; SET LOCAL synchronous_commit = off; NOTIFY {CHANNEL}, '{}:{what}'; COMMIT", self.name)
    }
}

/// What was heard and not yet understood. It holds little: others tell at a pace, and this is emptied as fast as it can be.
#[derive(Default)]
struct Ear {
    heard: Mutex<Words>,
    new: Notify,
}

#[derive(Default)]
struct Words {
    words: Vec<String>,
    has_ended: bool,
}

impl Ear {
    fn lock(&self) -> MutexGuard<'_, Words> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Words {
        let mut heard = self.lock();
        Words { words: std::mem::take(&mut heard.words), has_ended: heard.has_ended }
    }

    /// Drives the connection until it ends.
    async fn listen<S, T>(self: Arc<Self>, mut connection: Connection<S, T>)
    where
        S: AsyncRead + AsyncWrite + Unpin,
        T: AsyncRead + AsyncWrite + Unpin,
    {
        let mut messages = std::pin::pin!(futures_util::stream::poll_fn(move |context| connection.poll_message(context)));
        while let Some(Ok(message)) = messages.next().await {
            if let AsyncMessage::Notification(notification) = message {
                self.lock().words.push(notification.payload().to_owned());
                self.new.notify_one();
            }
        }
        self.lock().has_ended = true;
        self.new.notify_one();
    }
}
