//! A store that a test can look into, take apart and make fail.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use preclinical_core::{
    agent::{Agent, AgentChanges, AgentConfig, Provider},
    api_key::{ApiKey, ApiKeyHash},
    attempt::Attempt,
    decision::Decision,
    delivery::{Claimed, Delivery},
    id::{AgentId, ApiKeyId, DeliveryId, InvitationId, LeaseToken, MemberId, OrganizationId, RedeliveryJobId, WebhookId},
    idempotency::{Begun, CallId, KeptAnswer, NewCall},
    in_force::InForce,
    invitation::Invitation,
    member::{Email, Member, Role},
    organization::Organization,
    password::PasswordHash,
    port::{
        AcceptError, Acceptance, Access, Accounts, Administration, Admission, AttemptRecord, CancelDeliveryError,
        CancelJobError, ChangeNumber, Changes, CreateAgentError, CreateKeyError, CreateRunError, CreateWebhookError,
        DeleteError, DeliveryFilter, DeliveryPage, DeliveryQueue, Enqueued, Finish, FinishError, Finished, History,
        Idempotency, Intake, InviteError, JobStep, MemberError, NewAgent, NewRedeliveryJob, NewRun, NewWebhook, Page,
        Progress, RecordError, RedeliverError, Redeliveries, Redelivery, Report, ReportError, ResultsPage,
        RevealSecretError, RunFilter, RunningJob, SignedIn, Store, StoreError, TestDelivery, UpdateAgentError,
        UpdateWebhookError, Upkeep, Watch,
    },
    redelivery::{RedeliveryJob, RedeliverySelection},
    reveal::SecretReveal,
    run::{Run, RunRef},
    scenario::{ScenarioResult, ScenarioStatus},
    secret::SigningSecret,
    session::Session,
    slug::Slug,
    test_suite::TestSuite,
    token::TokenHash,
    version::Expected,
    webhook::{SecretRotation, Webhook, WebhookChanges},
};

/// A store taken apart, so that a role can be played by something else.
#[derive(Clone)]
#[allow(missing_docs, reason = "the fields are the roles")]
pub struct Roles {
    pub intake: Arc<dyn Intake>,
    pub queue: Arc<dyn DeliveryQueue>,
    pub administration: Arc<dyn Administration>,
    pub history: Arc<dyn History>,
    pub changes: Arc<dyn Changes>,
    pub access: Arc<dyn Access>,
    pub accounts: Arc<dyn Accounts>,
    pub idempotency: Arc<dyn Idempotency>,
    pub redeliveries: Arc<dyn Redeliveries>,
    pub upkeep: Arc<dyn Upkeep>,
}

impl Roles {
    /// All roles, played by the same store.
    pub fn of(store: Arc<dyn Store>) -> Self {
        Self {
            intake: Arc::clone(&store) as _,
            queue: Arc::clone(&store) as _,
            administration: Arc::clone(&store) as _,
            history: Arc::clone(&store) as _,
            changes: Arc::clone(&store) as _,
            access: Arc::clone(&store) as _,
            accounts: Arc::clone(&store) as _,
            idempotency: Arc::clone(&store) as _,
            redeliveries: Arc::clone(&store) as _,
            upkeep: store,
        }
    }
}

/// What stands around every call to a store.
pub trait Around: Send + Sync + 'static {
    /// Carries the call out and hands on its answer, or refuses, or answers in its place. It hears the name of the method.
    fn around<T: Send, E: From<StoreError> + Send>(
        &self,
        method: &'static str,
        call: impl Future<Output = Result<T, E>> + Send,
    ) -> impl Future<Output = Result<T, E>> + Send;
}

impl<F: Fn(&'static str) -> Result<(), StoreError> + Send + Sync + 'static> Around for F {
    async fn around<T: Send, E: From<StoreError> + Send>(
        &self,
        method: &'static str,
        call: impl Future<Output = Result<T, E>> + Send,
    ) -> Result<T, E> {
        self(method)?;
        call.await
    }
}

struct Surrounded<A> {
    roles: Roles,
    around: A,
}

/// Puts `before` in front of a store: it hears the name of each method before it is carried out, and may refuse in its place.
pub fn intercepted<F>(inner: Arc<dyn Store>, before: F) -> Arc<dyn Store>
where
    F: Fn(&'static str) -> Result<(), StoreError> + Send + Sync + 'static,
{
    surrounded(Roles::of(inner), before)
}

/// A store of these roles with something around every call.
pub fn surrounded(roles: Roles, around: impl Around) -> Arc<dyn Store> {
    Arc::new(Surrounded { roles, around })
}

macro_rules! intercept {
    ($role:ident as $field:ident: $($method:ident($($argument:ident: $type:ty),*) -> $answer:ty;)*) => {
        #[async_trait]
        impl<A: Around> $role for Surrounded<A> {
            $(async fn $method(&self, $($argument: $type),*) -> $answer {
                self.around.around(stringify!($method), self.roles.$field.$method($($argument),*)).await
            })*
        }
    };
}

intercept!(Intake as intake:
    create_run(run: NewRun) -> Result<Run, CreateRunError>;
    report_results(report: Report) -> Result<Finished, ReportError>;
    finish_run(finish: Finish) -> Result<Finished, FinishError>;
);

intercept!(DeliveryQueue as queue:
    claim_due(now: Timestamp, places: Arc<dyn Admission>) -> Result<Vec<Claimed>, StoreError>;
    record(record: AttemptRecord) -> Result<(), RecordError>;
    watch_work() -> Result<Box<dyn Watch>, StoreError>;
    next_due() -> Result<Option<Timestamp>, StoreError>;
    enqueue_test(test: TestDelivery) -> Result<Option<Claimed>, StoreError>;
    redeliver(redelivery: Redelivery) -> Result<Enqueued, RedeliverError>;
    cancel_delivery(organization: OrganizationId, id: DeliveryId, at: Timestamp) -> Result<Delivery, CancelDeliveryError>;
);

intercept!(Administration as administration:
    create_agent(agent: NewAgent) -> Result<Agent, CreateAgentError>;
    agent(organization: OrganizationId, id: AgentId) -> Result<Option<Agent>, StoreError>;
    update_agent(organization: OrganizationId, id: AgentId, changes: AgentChanges, at: Timestamp)
        -> Result<Agent, UpdateAgentError>;
    delete_agent(organization: OrganizationId, id: AgentId, expected: Expected, at: Timestamp) -> Result<bool, DeleteError>;
    agent_config(organization: OrganizationId, id: AgentId) -> Result<Option<(Agent, AgentConfig)>, StoreError>;
    agents(organization: OrganizationId, provider: Option<Provider>, page: Page) -> Result<(Vec<Agent>, u64), StoreError>;
    create_webhook(webhook: NewWebhook) -> Result<Webhook, CreateWebhookError>;
    webhook(organization: OrganizationId, id: WebhookId) -> Result<Option<Webhook>, StoreError>;
    webhook_at(organization: OrganizationId, agent: Option<AgentId>) -> Result<Option<Webhook>, StoreError>;
    webhook_in_force(organization: OrganizationId, agent: AgentId) -> Result<Option<InForce>, StoreError>;
    webhooks(organization: OrganizationId, agent: Option<AgentId>, page: Page) -> Result<(Vec<Webhook>, u64), StoreError>;
    given_up_webhooks(organization: OrganizationId, limit: u32) -> Result<Vec<Webhook>, StoreError>;
    update_webhook(organization: OrganizationId, id: WebhookId, changes: WebhookChanges, at: Timestamp)
        -> Result<Webhook, UpdateWebhookError>;
    rotate_secret(organization: OrganizationId, id: WebhookId, rotation: SecretRotation, at: Timestamp)
        -> Result<Webhook, UpdateWebhookError>;
    reveal_secret(organization: OrganizationId, id: WebhookId, reveal: SecretReveal)
        -> Result<Option<SigningSecret>, RevealSecretError>;
    secret_reveals(organization: OrganizationId, id: WebhookId, limit: u32) -> Result<Vec<SecretReveal>, StoreError>;
    create_test_suite(suite: TestSuite) -> Result<TestSuite, StoreError>;
    test_suites(organization: OrganizationId, page: Page) -> Result<(Vec<TestSuite>, u64), StoreError>;
    delete_webhook(organization: OrganizationId, id: WebhookId, expected: Expected, at: Timestamp)
        -> Result<bool, DeleteError>;
);

intercept!(History as history:
    run(organization: OrganizationId, run: RunRef) -> Result<Option<Run>, StoreError>;
    runs(organization: OrganizationId, filter: RunFilter, page: Page) -> Result<(Vec<Run>, u64), StoreError>;
    decisions(organization: OrganizationId, run: RunRef, page: Page) -> Result<Option<(Vec<Decision>, u64)>, StoreError>;
    results(organization: OrganizationId, run: RunRef) -> Result<Option<(Run, Vec<ScenarioResult>)>, StoreError>;
    results_page(organization: OrganizationId, run: RunRef, status: Option<ScenarioStatus>, page: Page) -> Result<Option<ResultsPage>, StoreError>;
    deliveries(organization: OrganizationId, filter: DeliveryFilter) -> Result<DeliveryPage, StoreError>;
    delivery(organization: OrganizationId, id: DeliveryId) -> Result<Option<(Delivery, Vec<Attempt>)>, StoreError>;
);

intercept!(Changes as changes:
    watch(organization: OrganizationId) -> Result<Box<dyn Watch>, StoreError>;
    latest_change(organization: OrganizationId) -> Result<ChangeNumber, StoreError>;
    changed_deliveries(organization: OrganizationId, after: ChangeNumber, limit: u32)
        -> Result<Vec<(ChangeNumber, Delivery)>, StoreError>;
    progress(organization: OrganizationId, run: RunRef, after: u32, limit: u32) -> Result<Option<Progress>, StoreError>;
);

intercept!(Access as access:
    ensure_organization(organization: Organization) -> Result<Organization, StoreError>;
    organization(slug: &Slug) -> Result<Option<Organization>, StoreError>;
    organizations(page: Page) -> Result<(Vec<Organization>, u64), StoreError>;
    create_key(key: ApiKey) -> Result<(), CreateKeyError>;
    key(hash: ApiKeyHash, at: Timestamp) -> Result<Option<ApiKey>, StoreError>;
    keys(organization: OrganizationId, page: Page) -> Result<(Vec<ApiKey>, u64), StoreError>;
    revoke_key(organization: OrganizationId, id: ApiKeyId, at: Timestamp) -> Result<bool, StoreError>;
    note_key_use(id: ApiKeyId, at: Timestamp) -> Result<(), StoreError>;
);

intercept!(Accounts as accounts:
    invite_first_member(invitation: Invitation) -> Result<bool, StoreError>;
    invite(invitation: Invitation) -> Result<(), InviteError>;
    invitation(hash: TokenHash, at: Timestamp) -> Result<Option<Invitation>, StoreError>;
    invitations(organization: OrganizationId, at: Timestamp, page: Page) -> Result<(Vec<Invitation>, u64), StoreError>;
    withdraw_invitation(organization: OrganizationId, id: InvitationId) -> Result<bool, StoreError>;
    accept_invitation(acceptance: Acceptance) -> Result<Member, AcceptError>;
    accept_password_reset(hash: TokenHash, password: PasswordHash, at: Timestamp) -> Result<Member, AcceptError>;
    member_by_email(email: &Email) -> Result<Option<(Member, PasswordHash)>, StoreError>;
    members(organization: OrganizationId, page: Page) -> Result<(Vec<Member>, u64), StoreError>;
    change_role(organization: OrganizationId, id: MemberId, role: Role) -> Result<Member, MemberError>;
    remove_member(organization: OrganizationId, id: MemberId) -> Result<(), MemberError>;
    change_password(id: MemberId, password: PasswordHash, keep: TokenHash) -> Result<(), MemberError>;
    begin_session(session: Session, checked: Option<PasswordHash>) -> Result<bool, StoreError>;
    signed_in(hash: TokenHash, at: Timestamp) -> Result<Option<SignedIn>, StoreError>;
    end_session(hash: TokenHash) -> Result<(), StoreError>;
    end_sessions(id: MemberId) -> Result<(), StoreError>;
);

intercept!(Redeliveries as redeliveries:
    count_redeliveries(organization: OrganizationId, selection: RedeliverySelection, at: Timestamp) -> Result<u64, StoreError>;
    create_redelivery_job(job: NewRedeliveryJob) -> Result<RedeliveryJob, StoreError>;
    replay_recovered(jobs: Vec<RedeliveryJobId>, at: Timestamp) -> Result<Vec<RedeliveryJob>, StoreError>;
    redelivery_job(organization: OrganizationId, id: RedeliveryJobId) -> Result<Option<RedeliveryJob>, StoreError>;
    redelivery_jobs(organization: OrganizationId, page: Page) -> Result<(Vec<RedeliveryJob>, u64), StoreError>;
    cancel_redelivery_job(organization: OrganizationId, id: RedeliveryJobId, at: Timestamp)
        -> Result<RedeliveryJob, CancelJobError>;
    running_redelivery_jobs(after: Option<RedeliveryJobId>, limit: u32) -> Result<Vec<RunningJob>, StoreError>;
    advance_redelivery_job(id: RedeliveryJobId, deliveries: Vec<DeliveryId>, at: Timestamp) -> Result<JobStep, StoreError>;
);

intercept!(Upkeep as upkeep:
    void_dead_leases(now: Timestamp) -> Result<u64, StoreError>;
    beat(now: Timestamp) -> Result<u64, StoreError>;
    leave(now: Timestamp) -> Result<u64, StoreError>;
    forget_deliveries(before: Timestamp, most: u32) -> Result<u64, StoreError>;
    ping(now: Timestamp) -> Result<(), StoreError>;
);

intercept!(Idempotency as idempotency:
    begin_call(call: NewCall) -> Result<Begun, StoreError>;
    keep_answer(id: CallId, token: LeaseToken, answer: KeptAnswer) -> Result<(), StoreError>;
    release_call(id: CallId, token: LeaseToken) -> Result<(), StoreError>;
    forget_calls(before: Timestamp, most: u32) -> Result<u64, StoreError>;
);
