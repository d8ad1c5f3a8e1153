//! A store that a test can look into and make fail.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use preclinical_core::{
    agent::{Agent, AgentChanges, AgentConfig, Provider},
    api_key::{ApiKey, ApiKeyHash},
    attempt::Attempt,
    delivery::{Claimed, Delivery, Lease},
    id::{AgentId, DeliveryId, OrganizationId, WebhookId},
    organization::Organization,
    port::{
        Access, Administration, AttemptRecord, CreateAgentError, CreateKeyError, CreateRunError, CreateWebhookError,
        DeliveryFilter, DeliveryPage, DeliveryQueue, Enqueued, Finish, FinishError, Finished, History, Intake, NewAgent,
        NewRun, NewWebhook, Page, RecordError, RedeliverError, Redelivery, Report, ReportError, RunFilter, Store,
        StoreError, TestDelivery, UpdateAgentError, UpdateWebhookError, Upkeep,
    },
    run::{Run, RunRef},
    scenario::ScenarioResult,
    test_suite::TestSuite,
    webhook::{SecretRotation, Webhook, WebhookChanges},
};

struct InterceptedStore<F> {
    inner: Arc<dyn Store>,
    before: F,
}

/// Puts `before` in front of a store: it hears the name of each method before it is carried out, and may refuse in its place.
pub fn intercepted<F>(inner: Arc<dyn Store>, before: F) -> Arc<dyn Store>
where
    F: Fn(&'static str) -> Result<(), StoreError> + Send + Sync + 'static,
{
    Arc::new(InterceptedStore { inner, before })
}

macro_rules! intercept {
    ($role:ident: $($method:ident($($argument:ident: $type:ty),*) -> $answer:ty;)*) => {
        #[async_trait]
        impl<F: Fn(&'static str) -> Result<(), StoreError> + Send + Sync + 'static> $role for InterceptedStore<F> {
            $(async fn $method(&self, $($argument: $type),*) -> $answer {
                (self.before)(stringify!($method))?;
                self.inner.$method($($argument),*).await
            })*
        }
    };
}

intercept!(Intake:
    create_run(run: NewRun) -> Result<Run, CreateRunError>;
    report_results(report: Report) -> Result<Finished, ReportError>;
    finish_run(finish: Finish) -> Result<Finished, FinishError>;
);

intercept!(DeliveryQueue:
    claim_due(now: Timestamp, leases: Vec<Lease>) -> Result<Vec<Claimed>, StoreError>;
    record(record: AttemptRecord) -> Result<(), RecordError>;
    next_due() -> Result<Option<Timestamp>, StoreError>;
    enqueue_test(test: TestDelivery) -> Result<Option<Claimed>, StoreError>;
    redeliver(redelivery: Redelivery) -> Result<Enqueued, RedeliverError>;
);

intercept!(Administration:
    create_agent(agent: NewAgent) -> Result<Agent, CreateAgentError>;
    agent(organization: OrganizationId, id: AgentId) -> Result<Option<Agent>, StoreError>;
    update_agent(organization: OrganizationId, id: AgentId, changes: AgentChanges, at: Timestamp)
        -> Result<Agent, UpdateAgentError>;
    delete_agent(organization: OrganizationId, id: AgentId, at: Timestamp) -> Result<bool, StoreError>;
    agent_config(organization: OrganizationId, id: AgentId) -> Result<Option<(Agent, AgentConfig)>, StoreError>;
    agents(organization: OrganizationId, provider: Option<Provider>, page: Page) -> Result<(Vec<Agent>, u64), StoreError>;
    create_webhook(webhook: NewWebhook) -> Result<Webhook, CreateWebhookError>;
    webhook(organization: OrganizationId, id: WebhookId) -> Result<Option<Webhook>, StoreError>;
    webhooks(organization: OrganizationId, agent: Option<AgentId>, page: Page) -> Result<(Vec<Webhook>, u64), StoreError>;
    update_webhook(organization: OrganizationId, id: WebhookId, changes: WebhookChanges, at: Timestamp)
        -> Result<Webhook, UpdateWebhookError>;
    rotate_secret(organization: OrganizationId, id: WebhookId, rotation: SecretRotation, at: Timestamp)
        -> Result<Webhook, UpdateWebhookError>;
    create_test_suite(suite: TestSuite) -> Result<TestSuite, StoreError>;
    test_suites(organization: OrganizationId, page: Page) -> Result<(Vec<TestSuite>, u64), StoreError>;
    delete_webhook(organization: OrganizationId, id: WebhookId, at: Timestamp) -> Result<bool, StoreError>;
);

intercept!(History:
    run(organization: OrganizationId, run: RunRef) -> Result<Option<Run>, StoreError>;
    runs(organization: OrganizationId, filter: RunFilter, page: Page) -> Result<(Vec<Run>, u64), StoreError>;
    results(organization: OrganizationId, run: RunRef) -> Result<Option<(Run, Vec<ScenarioResult>)>, StoreError>;
    deliveries(organization: OrganizationId, filter: DeliveryFilter) -> Result<DeliveryPage, StoreError>;
    delivery(organization: OrganizationId, id: DeliveryId) -> Result<Option<(Delivery, Vec<Attempt>)>, StoreError>;
);

intercept!(Access:
    ensure_organization(organization: Organization) -> Result<Organization, StoreError>;
    organization(slug: &str) -> Result<Option<Organization>, StoreError>;
    create_key(key: ApiKey) -> Result<(), CreateKeyError>;
    key(hash: ApiKeyHash) -> Result<Option<ApiKey>, StoreError>;
);

intercept!(Upkeep:
    void_dead_leases(now: Timestamp) -> Result<u64, StoreError>;
    ping() -> Result<(), StoreError>;
);
