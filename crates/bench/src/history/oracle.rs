//! The right answers, from whole tables.

use anyhow::Context;
use rusqlite::Connection;
use uuid::Uuid;

/// What a question must be answered with.
#[derive(Debug, PartialEq)]
pub(super) enum Answer {
    /// A page of the history: these deliveries, and whether there are more.
    Page { ids: Vec<Uuid>, more: bool },
    /// A page of a list that is counted: these, of so many.
    Counted { of: &'static str, ids: Vec<Uuid>, total: u64 },
    /// A count.
    Count(u64),
}

/// Reads tables from end to end.
pub(super) struct Oracle<'a>(pub(super) &'a Connection);

impl Oracle<'_> {
    /// The page of deliveries that the condition holds for, newest first, behind `skipped` of them.
    pub(super) fn page(&self, condition: &str, limit: usize, skipped: usize) -> anyhow::Result<Answer> {
        let order = format!("ORDER BY created_at DESC, id DESC LIMIT {} OFFSET {skipped}", limit + 1);
        let mut ids = self.ids(&format!("SELECT id FROM deliveries NOT INDEXED WHERE {condition} {order}"))?;
        let more = ids.len() > limit;
        ids.truncate(limit);
        Ok(Answer::Page { ids, more })
    }

    /// The page of runs, newest first.
    pub(super) fn runs(&self, condition: &str, limit: usize, offset: usize) -> anyhow::Result<Answer> {
        let order = format!("ORDER BY number DESC LIMIT {limit} OFFSET {offset}");
        let ids = self.ids(&format!("SELECT id FROM runs NOT INDEXED WHERE {condition} {order}"))?;
        let total = self.count(&format!("runs NOT INDEXED WHERE {condition}"))?;
        Ok(Answer::Counted { of: "runs", ids, total })
    }

    /// All webhooks.
    pub(super) fn webhooks(&self) -> anyhow::Result<Answer> {
        let ids = self.ids("SELECT id FROM webhooks ORDER BY created_at DESC, id DESC")?;
        Ok(Answer::Counted { of: "webhooks", total: ids.len() as u64, ids })
    }

    /// How many rows there are of `from`.
    pub(super) fn count(&self, from: &str) -> anyhow::Result<u64> {
        let count: i64 = self.0.query_row(&format!("SELECT count(*) FROM {from}"), [], |row| row.get(0))?;
        Ok(count.unsigned_abs())
    }

    /// The only value of a statement, as text.
    pub(super) fn text(&self, sql: &str) -> anyhow::Result<String> {
        self.0.query_row(sql, [], |row| row.get(0)).with_context(|| sql.to_owned())
    }

    /// The only value of a statement, as an id.
    pub(super) fn id(&self, sql: &str) -> anyhow::Result<Uuid> {
        self.ids(sql)?.pop().with_context(|| sql.to_owned())
    }

    fn ids(&self, sql: &str) -> anyhow::Result<Vec<Uuid>> {
        let mut statement = self.0.prepare(sql)?;
        let rows = statement.query_map([], |row| row.get::<_, [u8; 16]>(0))?;
        Ok(rows.map(|id| id.map(Uuid::from_bytes)).collect::<rusqlite::Result<_>>()?)
    }
}
