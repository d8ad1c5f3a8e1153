//! [`History`](preclinical_core::port::History) on PostgreSQL.

mod deliveries;

use preclinical_core::{
    id::OrganizationId,
    run::{Run, RunRef},
};

pub(crate) use self::deliveries::{find as find_delivery, lock as lock_delivery, read as read_delivery};
use crate::{
    failure::Failure,
    row::{self, Id, RUN_COLUMNS},
    transaction::Transaction,
};

/// The run of that id or number in the organization.
pub(crate) async fn find_run(
    transaction: &Transaction,
    organization: OrganizationId,
    run: RunRef,
) -> Result<Option<Run>, Failure> {
    select_run(transaction, organization, run, "").await
}

/// The same, and nobody else changes it before this transaction ends.
pub(crate) async fn lock_run(
    transaction: &Transaction,
    organization: OrganizationId,
    run: RunRef,
) -> Result<Option<Run>, Failure> {
    select_run(transaction, organization, run, " FOR NO KEY UPDATE OF run").await
}

async fn select_run(
    transaction: &Transaction,
    organization: OrganizationId,
    run: RunRef,
    locking: &str,
) -> Result<Option<Run>, Failure> {
    let condition = match run {
        RunRef::Id(_) => "run.id = $1",
        RunRef::Number(_) => "run.number = $1",
    };
    let sql = format!(
        "SELECT {RUN_COLUMNS} FROM runs run JOIN agents agent ON agent.id = run.agent_id \
         WHERE {condition} AND run.organization_id = $2{locking}"
    );
    let row = match run {
        RunRef::Id(id) => transaction.row(&sql, &[&Id(id), &Id(organization)]).await?,
        RunRef::Number(number) => transaction.row(&sql, &[&i64::from(number.0), &Id(organization)]).await?,
    };
    row.as_ref().map(row::run).transpose()
}
