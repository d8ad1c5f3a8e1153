//! Statements that go to the server together: it works on one after the other, and nobody waits on the way.

use std::{
    error::Error,
    future::{Future, poll_fn},
    pin::{Pin, pin},
    task::Poll,
};

use bytes::BytesMut;
use deadpool_postgres::Object;
use futures_util::future::{MaybeDone, maybe_done};
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use crate::{failure::Failure, row::Param};

/// What goes ahead of the next statement.
pub(super) enum Unsent {
    /// The beginning of the transaction.
    Opening(String),
    /// A statement that answers nothing.
    Writing { sql: &'static str, parameters: Vec<Encoded> },
}

impl Unsent {
    pub(super) fn writing(sql: &'static str, parameters: &[&dyn Param]) -> Result<Self, Failure> {
        let parameters = parameters.iter().map(|value| Encoded::of(*value)).collect::<Result<_, _>>()?;
        Ok(Self::Writing { sql, parameters })
    }

    pub(super) async fn send(&self, connection: &Object) -> Result<(), tokio_postgres::Error> {
        match self {
            Self::Opening(sql) => connection.batch_execute(sql).await,
            Self::Writing { sql, parameters } => {
                let typed: Vec<_> =
                    parameters.iter().map(|value| (value as &(dyn ToSql + Sync), value.kind.clone())).collect();
                connection.execute_typed(sql, &typed).await.map(drop)
            }
        }
    }
}

/// Sends these and `last` behind them, and then waits. Whatever follows one that fails is refused by the server, so the first failure
/// is the one that counts.
pub(super) async fn together<T>(
    connection: &Object,
    ahead: &[Unsent],
    last: impl Future<Output = Result<T, tokio_postgres::Error>>,
) -> Result<T, tokio_postgres::Error> {
    let mut answers = Vec::with_capacity(ahead.len());
    for one in ahead {
        let mut answer = Box::pin(maybe_done(one.send(connection)));
        start(answer.as_mut()).await;
        answers.push(answer);
    }
    let mut last = pin!(maybe_done(last));
    start(last.as_mut()).await;
    let mut ahead = Ok(());
    for mut answer in answers {
        answer.as_mut().await;
        ahead = ahead.and(answer.as_mut().take_output().unwrap_or(Ok(())));
    }
    last.as_mut().await;
    match (ahead, last.as_mut().take_output()) {
        (Ok(()), Some(answer)) => answer,
        (Err(error), _) => Err(error),
        (Ok(()), None) => unreachable!("it was waited for"),
    }
}

/// A statement is on its way once somebody has asked for its answer.
async fn start<F: Future>(mut answer: Pin<&mut MaybeDone<F>>) {
    poll_fn(|context| Poll::Ready(answer.as_mut().poll(context).is_ready())).await;
}

/// A parameter as it is sent.
#[derive(Debug)]
pub(super) struct Encoded {
    kind: Type,
    is_null: bool,
    bytes: BytesMut,
}

impl Encoded {
    fn of(value: &dyn Param) -> Result<Self, Failure> {
        let (kind, mut bytes) = (value.kind(), BytesMut::new());
        let encoded = value.to_sql_checked(&kind, &mut bytes);
        let encoded = encoded.map_err(|error| Failure::Unreadable(format!("a parameter: {error}")))?;
        Ok(Self { kind, is_null: matches!(encoded, IsNull::Yes), bytes })
    }
}

impl ToSql for Encoded {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        if self.is_null {
            return Ok(IsNull::Yes);
        }
        out.extend_from_slice(&self.bytes);
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}
