//! The next step of a bulk redelivery, looked for without holding up a writer.

use preclinical_core::{
    id::{DeliveryId, OrganizationId, RedeliveryJobId},
    port::DeliveryCursor,
    redelivery::{MAX_PENDING_OF_JOB, Skipped},
};

use super::{
    jobs,
    originals::{self, Frozen, Original},
};
use crate::{failure::Failure, transaction::Transaction};

/// How many originals a step passes over at most.
const MOST_SKIPPED: usize = 512;

/// What there is to do for a job.
pub(super) enum View {
    /// It does not run.
    Ended,
    /// As many as may be are pending.
    Full,
    /// This.
    Ahead(Ahead),
}

/// The originals that follow on where a job has got to.
pub(super) struct Ahead {
    /// Whose they are.
    pub(super) organization: OrganizationId,
    /// Where that is; who takes the step checks that it still is.
    pub(super) from: Option<DeliveryCursor>,
    /// To be repeated, no more than may be pending.
    pub(super) sendable: Vec<DeliveryId>,
    /// To be passed over.
    pub(super) skipped: Skipped,
    /// Where the job has got to after that.
    pub(super) reached: Option<DeliveryCursor>,
    /// Whether nothing follows.
    pub(super) is_last: bool,
    /// How many deliveries of the job were pending.
    pub(super) pending: u32,
}

/// What there is to do for a job by somebody who has that many ids for new deliveries.
pub(super) async fn ahead(transaction: &Transaction, job: RedeliveryJobId, ids: usize) -> Result<View, Failure> {
    let Some((frozen, from)) = jobs::frozen(transaction, job).await? else { return Ok(View::Ended) };
    let pending = jobs::pending(transaction, job).await?;
    let room = (MAX_PENDING_OF_JOB.saturating_sub(pending) as usize).min(ids);
    if room == 0 {
        return Ok(View::Full);
    }
    let (organization, skipped, reached) = (frozen.organization, Skipped::default(), from);
    let mut ahead = Ahead { organization, from, sendable: Vec::new(), skipped, reached, is_last: false, pending };
    let mut looked_at = 0;
    while ahead.sendable.len() < room && looked_at < MOST_SKIPPED && !ahead.is_last {
        looked_at += look(transaction, job, &frozen, room, &mut ahead).await?;
    }
    Ok(View::Ahead(ahead))
}

async fn look(
    transaction: &Transaction,
    job: RedeliveryJobId,
    frozen: &Frozen,
    room: usize,
    ahead: &mut Ahead,
) -> Result<usize, Failure> {
    let limit = room - ahead.sendable.len();
    let found = originals::after(transaction, frozen, job, ahead.reached, limit).await?;
    ahead.is_last = found.len() < limit;
    for Original { position, is_enabled } in &found {
        ahead.reached = Some(*position);
        match is_enabled {
            Some(true) => ahead.sendable.push(position.id),
            Some(false) => ahead.skipped.webhook_disabled += 1,
            None => ahead.skipped.webhook_deleted += 1,
        }
    }
    Ok(found.len())
}
