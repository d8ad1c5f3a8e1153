//! The load generator.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::task::JoinSet;

/// Calls `call` with 0, 1, … `count - 1`, at most `connections` at a time, each as soon as one before it has ended.
/// The first error ends everything.
pub(crate) async fn closed<F, Fut>(count: usize, connections: usize, call: F) -> anyhow::Result<()>
where
    F: Fn(usize) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = anyhow::Result<()>> + Send,
{
    let (call, next) = (Arc::new(call), Arc::new(AtomicUsize::new(0)));
    let mut workers = JoinSet::new();
    for _ in 0..connections.min(count) {
        let (call, next) = (Arc::clone(&call), Arc::clone(&next));
        workers.spawn(async move {
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                if index >= count {
                    return Ok(());
                }
                call(index).await?;
            }
        });
    }
    while let Some(ended) = workers.join_next().await {
        let outcome: anyhow::Result<()> = ended?;
        outcome?;
    }
    Ok(())
}
