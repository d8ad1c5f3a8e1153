//! Runs as the list shows them: counted as they change, and found without reading those before the page.

use preclinical_core::{
    id::OrganizationId,
    port::{Page, RunFilter},
    run::{Run, RunStatus},
};
use rusqlite::{Connection, ToSql};

use crate::row::{self, Id, RUN_COLUMNS};

const OLDEST: &str = "SELECT min(number) FROM runs INDEXED BY runs_newest WHERE organization_id = ?1";
const NEWEST: &str = "SELECT max(number) FROM runs INDEXED BY runs_newest WHERE organization_id = ?1";

/// Conditions that runs and their counts have in common.
struct Conditions {
    sql: String,
    parameters: Vec<(&'static str, Box<dyn ToSql>)>,
}

impl Conditions {
    fn new(organization: OrganizationId, filter: RunFilter) -> Self {
        let mut sql = String::from("organization_id = :organization");
        let mut parameters: Vec<(_, Box<dyn ToSql>)> = vec![(":organization", Box::new(Id(organization)))];
        if let Some(status) = filter.status {
            sql.push_str(" AND status = :status");
            parameters.push((":status", Box::new(RunStatus::as_str(status))));
        }
        if let Some(agent) = filter.agent_id {
            sql.push_str(" AND agent_id = :agent");
            parameters.push((":agent", Box::new(Id(agent))));
        }
        Self { sql, parameters }
    }

    fn parameters(&self) -> Vec<(&str, &dyn ToSql)> {
        self.parameters.iter().map(|(name, value)| (*name, &**value)).collect()
    }

    fn count(&self, connection: &Connection) -> rusqlite::Result<u64> {
        let runs: i64 = connection
            .prepare_cached(&format!("SELECT coalesce(sum(runs), 0) FROM run_counts WHERE {}", self.sql))?
            .query_row(self.parameters().as_slice(), |row| row.get(0))?;
        Ok(runs.unsigned_abs())
    }

    /// The ids of those that begin with that number.
    fn numbered(&self) -> String {
        let from = format!("FROM runs INDEXED BY runs_newest WHERE {} AND number <= :newest", self.sql);
        format!("SELECT id {from} ORDER BY number DESC LIMIT :limit")
    }

    /// The ids of a stretch of them, by their numbers.
    fn ids(&self, index: &str, order: &str) -> String {
        let from = format!("FROM runs INDEXED BY {index} WHERE {}", self.sql);
        format!("SELECT id {from} ORDER BY number {order} LIMIT :limit OFFSET :offset")
    }
}

/// The number of the newest run, if all are asked for and none between it and the oldest is missing: then a number says how many are newer.
fn newest_number(
    connection: &Connection,
    organization: OrganizationId,
    filter: RunFilter,
    total: u64,
) -> rusqlite::Result<Option<u64>> {
    if filter.status.is_some() || filter.agent_id.is_some() {
        return Ok(None);
    }
    let number = |sql| -> rusqlite::Result<Option<u64>> {
        connection.prepare_cached(sql)?.query_row([Id(organization)], |row| row.get(0))
    };
    let ends = number(OLDEST)?.zip(number(NEWEST)?);
    Ok(ends.filter(|(oldest, newest)| newest - oldest + 1 == total).map(|(_, newest)| newest))
}

/// A page, newest first, and how many there are in all.
pub(super) fn page(
    connection: &Connection,
    organization: OrganizationId,
    filter: RunFilter,
    page: Page,
) -> rusqlite::Result<(Vec<Run>, u64)> {
    let mut conditions = Conditions::new(organization, filter);
    let total = conditions.count(connection)?;
    let offset = u64::from(page.offset);
    let rows = total.saturating_sub(offset).min(page.limit.into());
    if rows == 0 {
        return Ok((Vec::new(), total));
    }
    // Whatever lies before a page is stepped over, entry by entry: from the end that is closer.
    let behind = total - offset - rows;
    let (order, steps) = if behind < offset { ("ASC", behind) } else { ("DESC", offset) };
    let ids = if let Some(newest) = newest_number(connection, organization, filter, total)? {
        conditions.parameters.push((":newest", Box::new(newest.saturating_sub(offset))));
        conditions.numbered()
    } else {
        let ids = conditions.ids(index(connection, organization, filter)?, order);
        conditions.parameters.push((":offset", Box::new(steps)));
        ids
    };
    conditions.parameters.push((":limit", Box::new(rows)));
    let runs = connection
        .prepare_cached(&format!(
            "SELECT {RUN_COLUMNS} FROM ({ids}) page CROSS JOIN runs run ON run.id = page.id \
             JOIN agents agent ON agent.id = run.agent_id ORDER BY run.number DESC"
        ))?
        .query_map(conditions.parameters().as_slice(), row::run)?
        .collect::<rusqlite::Result<Vec<Run>>>()?;
    Ok((runs, total))
}

/// The index that leaves the fewest entries over.
fn index(connection: &Connection, organization: OrganizationId, filter: RunFilter) -> rusqlite::Result<&'static str> {
    let (of_status, of_agent) = (RunFilter { agent_id: None, ..filter }, RunFilter { status: None, ..filter });
    let count = |filter| Conditions::new(organization, filter).count(connection);
    Ok(match (filter.status.is_some(), filter.agent_id.is_some()) {
        (false, false) => "runs_newest",
        (true, false) => "runs_by_status",
        (true, true) if count(of_status)? < count(of_agent)? => "runs_by_status",
        (_, true) => "runs_of_agent",
    })
}

#[cfg(test)]
mod tests {
    use preclinical_core::id::AgentId;
    use uuid::Uuid;

    use super::*;
    use crate::history::plans::{database, plan};

    #[test]
    fn a_page_is_looked_for_in_entries_of_an_index_alone_and_in_its_order() {
        let nil = Uuid::nil();
        let (status, agent_id) = (Some(RunStatus::Failed), Some(AgentId::from_uuid(nil)));
        for (index, filter) in [
            ("runs_newest", RunFilter::default()),
            ("runs_by_status", RunFilter { status, agent_id: None }),
            ("runs_of_agent", RunFilter { status: None, agent_id }),
            ("runs_by_status", RunFilter { status, agent_id }),
        ] {
            let conditions = Conditions::new(OrganizationId::from_uuid(nil), filter);
            for order in ["ASC", "DESC"] {
                let steps = plan(&database(), &conditions.ids(index, order), &conditions.parameters());
                assert!(steps.len() == 1 && steps[0].contains(&format!("USING COVERING INDEX {index} ")), "{steps:?}");
            }
        }
    }

    #[test]
    fn the_ends_of_all_runs_are_found_by_an_index() {
        for sql in [OLDEST, NEWEST] {
            plan(&database(), sql, &[]);
        }
    }

    #[test]
    fn a_page_of_all_runs_begins_where_it_should_whether_or_not_numbers_are_missing() {
        let database = database();
        database.pragma_update(None, "foreign_keys", false).unwrap();
        let nil = Uuid::nil();
        let agent = "INSERT INTO agents (id, organization_id, provider, name, config, is_active, version, created_at, updated_at) \
             VALUES (?1, ?1, '', '', x'', 1, 1, 0, 0)";
        database.execute(agent, [nil.as_bytes()]).unwrap();
        for number in 1..=9_u8 {
            let run = "INSERT INTO runs (id, organization_id, number, agent_id, name, status, created_at) \
                 VALUES (?2, ?1, ?3, ?1, '', 'running', 0)";
            database.execute(run, rusqlite::params![nil.as_bytes(), [number; 16], number]).unwrap();
        }
        for missing in [1, 2, 5, 9, 8] {
            database.execute("DELETE FROM runs WHERE number = ?1", [missing]).unwrap();
            let all: Vec<u32> = {
                let mut statement = database.prepare("SELECT number FROM runs ORDER BY number DESC").unwrap();
                let rows = statement.query_map([], |row| row.get(0)).unwrap();
                rows.collect::<rusqlite::Result<_>>().unwrap()
            };
            for offset in 0..=all.len() {
                let asked = Page { limit: 2, offset: u32::try_from(offset).unwrap() };
                let (runs, total) = page(&database, OrganizationId::from_uuid(nil), RunFilter::default(), asked).unwrap();
                let numbers: Vec<u32> = runs.iter().map(|run| run.number.0).collect();
                let expected: Vec<u32> = all.iter().skip(offset).take(2).copied().collect();
                assert_eq!((numbers, total), (expected, all.len() as u64), "without {missing}, from {offset} on");
            }
        }
    }

    #[test]
    fn runs_are_counted_without_reading_any() {
        let conditions = Conditions::new(OrganizationId::from_uuid(Uuid::nil()), RunFilter::default());
        let sql = format!("SELECT sum(runs) FROM run_counts WHERE {}", conditions.sql);
        plan(&database(), &sql, &conditions.parameters());
    }

    const AGENT: &str = "INSERT INTO agents (id, organization_id, provider, name, config, is_active, version, created_at, updated_at) \
         VALUES (x'00', x'00', '', '', x'', 1, 1, 0, 0)";

    #[test]
    fn an_agent_has_a_count_of_every_status_from_the_beginning() {
        let database = database();
        database.pragma_update(None, "foreign_keys", false).unwrap();
        database.execute(AGENT, []).unwrap();
        for status in RunStatus::ALL {
            let sql = "SELECT runs FROM run_counts WHERE organization_id = x'00' AND agent_id = x'00' AND status = ?1";
            assert_eq!(database.query_row(sql, [status.as_str()], |row| row.get(0)), Ok(0), "{status:?}");
        }
    }

    #[test]
    fn runs_are_counted_as_they_come_and_go() {
        let database = database();
        database.pragma_update(None, "foreign_keys", false).unwrap();
        database.execute(AGENT, []).unwrap();
        let counts = || {
            let counted = "SELECT status, runs FROM run_counts WHERE runs > 0 ORDER BY status";
            let mut statement = database.prepare(counted).unwrap();
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
            rows.collect::<rusqlite::Result<Vec<(String, u64)>>>().unwrap()
        };
        let named = |counts: &[(&str, u64)]| counts.iter().map(|(status, runs)| ((*status).to_owned(), *runs)).collect();
        let steps: [(&str, &[(&str, u64)]); 3] = [
            (
                "INSERT INTO runs (id, organization_id, number, agent_id, name, status, created_at) \
                 VALUES (x'01', x'00', 1, x'00', '', 'running', 0), (x'02', x'00', 2, x'00', '', 'running', 0)",
                &[("running", 2)],
            ),
            ("DELETE FROM runs WHERE id = x'01'", &[("running", 1)]),
            ("DELETE FROM runs", &[]),
        ];
        for (sql, expected) in steps {
            database.execute(sql, []).unwrap();
            let expected: Vec<(String, u64)> = named(expected);
            assert_eq!(counts(), expected, "{sql}");
        }
    }
}
