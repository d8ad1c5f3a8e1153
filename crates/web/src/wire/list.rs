//! Pages of lists: `{"runs":[…],"total":n,"limit":n,"offset":n}`.

use axum::Json;
use preclinical_core::port::Page;
use serde::Serialize;
use serde_json::{Value, json};

/// A page under its resource's plural name.
pub(crate) fn list<T: Serialize>(name: &str, items: &[T], total: u64, page: Page) -> Json<Value> {
    Json(json!({name: items, "total": total, "limit": page.limit, "offset": page.offset}))
}
