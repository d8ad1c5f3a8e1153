//! Bells that wait until what changed can be read.

use std::{collections::BTreeSet, time::Duration};

use preclinical_core::id::OrganizationId;
use tokio::time::{Instant, sleep_until};

use super::line::Line;
use crate::{bells::Bells, failure::Failure};

/// How long a bell waits at most between two looks.
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

#[derive(Default)]
pub(super) struct Waiting {
    /// With the first transaction that began after the change, once that is known.
    bells: Vec<(OrganizationId, Option<u64>)>,
    look_at: Option<Instant>,
    pause: Duration,
}

impl Waiting {
    pub(super) fn add(&mut self, organizations: BTreeSet<OrganizationId>) {
        if !organizations.is_empty() {
            self.bells.extend(organizations.into_iter().map(|organization| (organization, None)));
            self.pause = Duration::from_millis(1);
            self.look_at = Some(Instant::now());
        }
    }

    /// Returns when it is time for a look.
    pub(super) async fn over(&self) {
        match self.look_at {
            Some(time) => sleep_until(time).await,
            None => std::future::pending().await,
        }
    }

    /// Rings the bells of changes that no transaction can come before any more.
    pub(super) async fn look(&mut self, line: &Line, bells: &Bells) -> Result<(), Failure> {
        let (earliest, next) = line.transactions().await?;
        let (ready, waiting): (Vec<_>, Vec<_>) = std::mem::take(&mut self.bells)
            .into_iter()
            .map(|(organization, after)| (organization, after.unwrap_or(next)))
            .partition(|(_, after)| earliest >= *after);
        bells.ring(&ready.into_iter().map(|(organization, _)| organization).collect());
        self.bells = waiting.into_iter().map(|(organization, after)| (organization, Some(after))).collect();
        self.look_at = (!self.bells.is_empty()).then(|| Instant::now() + self.pause);
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        Ok(())
    }
}
