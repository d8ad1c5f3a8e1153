//! Lists that a page shows, or looks through, as a whole: an organization has few members and keys.

use preclinical_core::port::{Page, StoreError};

use crate::input::MAX_LIMIT;

/// Every row of a list, in its order, page by page.
pub(in crate::pages) async fn every<T, F>(page: impl Fn(Page) -> F) -> Result<Vec<T>, StoreError>
where
    F: Future<Output = Result<(Vec<T>, u64), StoreError>>,
{
    let mut rows = Vec::new();
    let mut offset = 0;
    loop {
        let (found, total) = page(Page { limit: MAX_LIMIT, offset }).await?;
        offset += MAX_LIMIT;
        let is_last = found.is_empty() || u64::from(offset) >= total;
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
            assert_eq!(every(page).await.unwrap(), (0..total).collect::<Vec<_>>());
        }
    }
}
