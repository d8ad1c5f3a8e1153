//! Organizations.

use preclinical_core::{
    organization::Organization,
    port::{Page, StoreError},
    slug::Slug,
};
use tokio_postgres::Row;

use crate::{
    failure::{Failure, unavailable},
    row::{Id, Time, id, named, number, time},
    transaction::Transaction,
};

fn read(row: &Row) -> Result<Organization, Failure> {
    Ok(Organization {
        id: id(row, "id")?,
        slug: named(row, "slug", |text| text.parse().ok())?,
        created_at: time(row, "created_at")?,
    })
}

pub(super) async fn ensure(transaction: &Transaction, organization: &Organization) -> Result<Organization, StoreError> {
    // Whatever it collides with: of two that come at once with one id and one slug, neither may fail.
    let sql = "INSERT INTO organizations (id, slug, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    let values = (Id(organization.id), organization.slug.as_str(), Time(organization.created_at));
    transaction.run(sql, &[&values.0, &values.1, &values.2]).await.map_err(unavailable)?;
    let found = find(transaction, &organization.slug).await.map_err(unavailable)?;
    found.ok_or_else(|| StoreError::Unavailable("another organization has the id".to_owned()))
}

pub(super) async fn find(transaction: &Transaction, slug: &Slug) -> Result<Option<Organization>, Failure> {
    let row = transaction.row("SELECT * FROM organizations WHERE slug = $1", &[&slug.as_str()]).await?;
    row.as_ref().map(read).transpose()
}

pub(super) async fn list(transaction: &Transaction, page: Page) -> Result<(Vec<Organization>, u64), Failure> {
    let total = transaction.row("SELECT count(*) AS total FROM organizations", &[]).await?;
    let total = number(&total.ok_or_else(|| Failure::unreadable("total"))?, "total")?;
    let sql = "SELECT * FROM organizations ORDER BY slug LIMIT $1 OFFSET $2";
    let rows = transaction.rows(sql, &[&i64::from(page.limit), &i64::from(page.offset)]).await?;
    Ok((rows.iter().map(read).collect::<Result<_, _>>()?, total))
}
