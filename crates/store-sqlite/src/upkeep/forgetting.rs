//! Deliveries that have had their time go, and all that belongs to them alone.

use jiff::Timestamp;
use preclinical_core::id::DeliveryId;
use rusqlite::{Connection, params};

use crate::row::{Id, Time, id};

/// Ids begin with the time, so the oldest are the first.
const OLD: &str = "SELECT id, event_id FROM deliveries \
     WHERE id < ?1 AND status <> 'pending' AND completed_at < ?2 ORDER BY id LIMIT ?3";

const EXCHANGES: &str = "DELETE FROM exchanges WHERE id IN (SELECT exchange FROM attempts WHERE delivery_id = ?1)";

/// A run's event stays with the run; every other has nothing else.
const OF_NO_RUN: &str = "DELETE FROM events WHERE id = ?1 AND run_id IS NULL \
     AND NOT EXISTS (SELECT 1 FROM deliveries WHERE event_id = ?1)";

/// Forgets the oldest of them; answers how many.
pub(super) fn forget(connection: &Connection, before: Timestamp, most: u32) -> rusqlite::Result<u64> {
    let old: Vec<(DeliveryId, Vec<u8>)> = connection
        .prepare_cached(OLD)?
        .query_map(params![Id(DeliveryId::after(before)), Time(before), most], |row| {
            Ok((id(row, "id")?, row.get("event_id")?))
        })?
        .collect::<rusqlite::Result<_>>()?;
    for (delivery, event) in &old {
        connection.prepare_cached(EXCHANGES)?.execute([Id(*delivery)])?;
        connection.prepare_cached("DELETE FROM messages WHERE delivery_id = ?1")?.execute([Id(*delivery)])?;
        connection.prepare_cached("DELETE FROM attempts WHERE delivery_id = ?1")?.execute([Id(*delivery)])?;
        connection.prepare_cached("DELETE FROM deliveries WHERE id = ?1")?.execute([Id(*delivery)])?;
        connection.prepare_cached(OF_NO_RUN)?.execute([event])?;
    }
    Ok(old.len() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::plans::{database, plan};

    #[test]
    fn forgetting_looks_at_nothing_but_what_is_forgotten() {
        let database = database();
        let deletions = ["messages", "attempts"].map(|table| format!("DELETE FROM {table} WHERE delivery_id = x'00'"));
        for sql in deletions.iter().map(String::as_str).chain([
            OLD,
            EXCHANGES,
            OF_NO_RUN,
            "DELETE FROM deliveries WHERE id = x'00'",
        ]) {
            plan(&database, sql, &[]);
        }
    }
}
