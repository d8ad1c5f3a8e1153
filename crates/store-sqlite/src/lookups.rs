//! Connections for reading single rows on the thread that wants them.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use preclinical_core::port::StoreError;
use rusqlite::Connection;

/// Each serves one caller at a time.
pub(crate) struct Lookups {
    connections: Vec<Mutex<Connection>>,
    next: AtomicUsize,
}

impl Lookups {
    /// On at least one connection.
    pub(crate) fn on(connections: Vec<Connection>) -> Self {
        Self { connections: connections.into_iter().map(Mutex::new).collect(), next: AtomicUsize::new(0) }
    }

    /// Carries out `job` at once, on the connections in turn.
    pub(crate) fn run<T>(&self, job: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let turn = self.next.fetch_add(1, Ordering::Relaxed) % self.connections.len();
        job(&self.connections[turn].lock().unwrap_or_else(PoisonError::into_inner))
    }
}
