//! Lists that somebody needs as a whole.

use super::{Page, StoreError};

/// How many rows one look into the store brings.
const LIMIT: u32 = 100;

/// Every row of a list, in its order, page by page. For lists that are short by their nature: nothing bounds it.
pub async fn every<T, F>(page: impl Fn(Page) -> F) -> Result<Vec<T>, StoreError>
where
    F: Future<Output = Result<(Vec<T>, u64), StoreError>>,
{
    let mut rows = Vec::new();
    let mut offset = 0;
    loop {
        let (found, total) = page(Page { limit: LIMIT, offset }).await?;
        offset += LIMIT;
        let is_last = found.is_empty() || u64::from(offset) >= total;
        rows.extend(found);
        if is_last {
            return Ok(rows);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        pin::pin,
        task::{Context, Poll, Waker},
    };

    use super::*;

    #[test]
    fn every_row_is_read_once_and_in_order() {
        for total in [0_u32, 1, 99, 100, 101, 200, 250] {
            let page = async |page: Page| {
                let rows = (page.offset..total).take(page.limit as usize).collect();
                Ok((rows, u64::from(total)))
            };
            let mut all = pin!(every(page));
            let all = all.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            assert_eq!(all, Poll::Ready(Ok((0..total).collect::<Vec<_>>())));
        }
    }
}
