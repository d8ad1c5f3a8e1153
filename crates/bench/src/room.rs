//! Room on the disk: what cannot fit is refused before anything is measured.

use std::path::Path;

use anyhow::ensure;

use crate::plan::{Part, Plan};

/// What a delivery takes with its run, event, attempt and messages, their indexes, and the files by which those are made, in bytes.
const OF_A_DELIVERY: u64 = 5_000;

/// What everything else takes: logs, servers and their logs.
const OF_THE_REST: u64 = 4 << 30;

/// Refuses a plan for which the disk of its databases has not enough room.
pub(crate) fn must_suffice(plan: &Plan, parts: &[Part]) -> anyhow::Result<()> {
    let (needed, there) = (needed(plan, parts), free(&plan.scratch)?);
    ensure!(
        needed <= there,
        "{} has {} GiB of room, and this needs {}: smaller counts (--history, --pending, --backlog) or another target folder",
        plan.scratch.display(),
        there >> 30,
        needed.div_ceil(1 << 30)
    );
    Ok(())
}

/// One part's files are removed before the next begins.
fn needed(plan: &Plan, parts: &[Part]) -> u64 {
    let sizes = &plan.sizes;
    let deliveries = parts.iter().map(|part| match part {
        Part::Speed => sizes.deliveries.max(sizes.backlog) as u64,
        Part::Pending => sizes.pending.into(),
        Part::History => sizes.history.into(),
        Part::Latency | Part::Idle | Part::Hanging => 0,
    });
    OF_THE_REST + OF_A_DELIVERY * deliveries.max().unwrap_or(0)
}

/// Bytes that may be written where `folder` is.
fn free(folder: &Path) -> anyhow::Result<u64> {
    let room = rustix::fs::statvfs(folder)?;
    Ok(room.f_bavail * room.f_frsize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Size;

    #[test]
    fn the_largest_part_that_is_asked_for_decides() {
        let plan = Plan::of_size(Size::Full);
        assert_eq!(needed(&plan, &[Part::Idle]), OF_THE_REST);
        assert_eq!(needed(&plan, &[Part::Pending, Part::History]), OF_THE_REST + OF_A_DELIVERY * 10_000_000);
    }

    #[test]
    fn a_plan_that_cannot_fit_is_refused_in_words() {
        let folder = tempfile::tempdir().unwrap();
        let mut plan = Plan { scratch: folder.path().to_owned(), ..Plan::of_size(Size::Quick) };
        assert!(free(folder.path()).unwrap() > 0);
        plan.sizes.backlog = usize::try_from(u64::MAX / OF_A_DELIVERY / 2).unwrap();
        let refusal = must_suffice(&plan, &[Part::Speed]).unwrap_err().to_string();
        assert!(refusal.contains("GiB of room") && refusal.contains("--history"), "{refusal}");
    }
}
