//! The rules of the store port, on the store that says them in the fewest words.
#![allow(clippy::unwrap_used, reason = "this is test code")]

use std::sync::Arc;

use preclinical_core::port::Store;
use preclinical_testkit::reference::ReferenceStore;

#[allow(clippy::unused_async, reason = "the suite opens stores that lie behind a network, too")]
async fn fresh() -> (Arc<dyn Store>, ()) {
    (Arc::new(ReferenceStore::default()), ())
}

preclinical_testkit::conformance_suite!(crate::fresh);
