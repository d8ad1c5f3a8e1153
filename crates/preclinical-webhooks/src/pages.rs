//! Lists of the store that a command needs as a whole.

use preclinical_core::port::{Page, StoreError};

/// How many rows one look into the store brings.
const LIMIT: u32 = 100;

/// Every row of a list, in its order, page by page.
pub(crate) async fn all<T>(page: impl AsyncFn(Page) -> Result<(Vec<T>, u64), StoreError>) -> anyhow::Result<Vec<T>> {
    let mut rows = Vec::new();
    loop {
        let offset = u32::try_from(rows.len())?;
        let (found, total) = page(Page { limit: LIMIT, offset }).await?;
        let is_last = found.is_empty() || u64::from(offset) + found.len() as u64 >= total;
        rows.extend(found);
        if is_last {
            return Ok(rows);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_row_is_read_once_and_in_order() {
        for total in [0_u32, 1, 99, 100, 101, 200, 250] {
            let page = async |page: Page| {
                let rows = (page.offset..total).take(page.limit as usize).collect();
                Ok((rows, u64::from(total)))
            };
            assert_eq!(all(page).await.unwrap(), (0..total).collect::<Vec<_>>());
        }
    }
}
