//! What a connection keeps of the functions that end runs: plans that were made when there was hardly anything.

use std::sync::Arc;

use preclinical_core::{id::RunId, run::FinalStatus};
use preclinical_testkit::{
    postgres,
    world::{World, vault},
};

use super::finishing;
use crate::{
    PostgresStore,
    history::plans::START,
    row::number,
    transaction::{Transaction, Turn},
};

/// Many more of everything, all of them the organization's.
const MORE: &str = "
    INSERT INTO agents (id, organization_id, provider, name, config, is_active, version, created_at, updated_at)
      SELECT gen_random_uuid(), organizations.id, '', n::text, '', true, 1, created_at, created_at FROM organizations, generate_series(1, 2000) n;
    INSERT INTO webhooks (id, organization_id, agent_id, url, is_enabled, version, created_at, updated_at)
      SELECT gen_random_uuid(), organization_id, id, '', true, 1, created_at, created_at FROM agents WHERE name ~ '^[0-9]+$';
    INSERT INTO webhook_health (webhook_id) SELECT id FROM webhooks ON CONFLICT DO NOTHING;
    INSERT INTO runs (id, organization_id, number, agent_id, name, status, created_at)
      SELECT gen_random_uuid(), organization_id, 1000000 + row_number() OVER (), id, '', 'pending', created_at FROM agents";

/// How many rows this transaction has read so far.
const READ: &str = "SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::bigint AS rows FROM pg_stat_xact_user_tables \
     WHERE relname IN ('runs', 'agents', 'webhooks', 'webhook_health')";

/// More than the end of a run has to read, and far fewer than there are of any.
const FEW: i64 = 30;

#[tokio::test]
async fn however_much_there_is_the_end_of_a_run_reads_what_belongs_to_it() {
    let open = async |url: &str| PostgresStore::open(&url.parse().unwrap(), vault(), START.parse().unwrap()).await.unwrap();
    let Some(database) = postgres::fresh(async |url| drop(open(url).await)).await else { return };
    let store = open(&database.url).await;
    let world = World::new(Arc::new(store.clone()), "default").await;
    let agent = world.agent("Assistant").await;
    world.webhook("https://example.com", None).await;
    world.webhook("https://agent.example.com", Some(agent)).await;
    let mut runs = Vec::new();
    for _ in 0..9 {
        runs.push(world.run(agent, None).await.id);
    }
    let transaction = Transaction::begin(store.0.writers.connections.get().await.unwrap(), Turn::Free);
    let read = async || number::<i64>(&transaction.row(READ, &[]).await.unwrap().unwrap(), "rows").unwrap();
    let end = async |run: RunId| {
        let finish = world.finish_value(run, FinalStatus::Completed, Some(world.lease()));
        let before = read().await;
        let ends = finishing::finish(&transaction, store.holder(), world.organization, &[&finish]).await.unwrap();
        assert!(matches!(&ends[..], [finishing::End::Ended(_)]));
        read().await - before
    };
    let last = runs.pop().unwrap();
    // The server knows of how few there are.
    transaction.batch("ANALYZE runs, agents, webhooks, webhook_health").await.unwrap();
    for run in runs {
        end(run).await;
    }
    transaction.batch(MORE).await.unwrap();
    let count = end(last).await;
    assert!((1..FEW).contains(&count), "{count} rows");
}
