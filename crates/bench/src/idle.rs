//! A server with nothing to do, on a database in which something was: how soon it is ready, what it holds, and how often it wakes.

use std::{
    fmt,
    time::{Duration, Instant},
};

use crate::{
    figures::{mib, ms},
    ground::{Ground, Store},
    plan::Plan,
    product::Product,
    quiet::Session,
    report::{Report, Row},
    speed,
    terminal::say_aside,
};

/// Deliveries in the database.
const DELIVERED: usize = 200;

const READY_GOAL_MS: f64 = 200.0;
const RESIDENT_GOAL_MIB: f64 = 25.0;
const BINARY_GOAL_MIB: f64 = 30.0;

/// The figures of one round.
#[derive(Debug)]
pub(crate) struct Round {
    binary_mib: f64,
    stores: Vec<(Store, Idle)>,
}

/// What one server did; what the system does not tell is missing.
#[derive(Debug)]
struct Idle {
    /// The start of each process, until it said where it listens, in milliseconds: the median.
    ready_ms: f64,
    resident_mib: Option<f64>,
    wake_ups_a_second: Option<f64>,
    /// Of one core, in per cent.
    processor: Option<f64>,
}

/// Measures each store in each round.
pub(crate) async fn measure(plan: &Plan, session: &mut Session, rounds: &mut Vec<Round>) -> anyhow::Result<()> {
    session.within(Duration::from_mins(2) + plan.sizes.idle);
    for number in 1..=plan.sizes.rounds {
        say_aside(format_args!("idle, round {number} of {}", plan.sizes.rounds));
        let mut stores = Vec::new();
        for &store in &plan.stores {
            let idle = session.measure(&format!("idle, {store}"), async || one(plan, store).await).await?;
            stores.push((store, idle));
        }
        rounds.push(Round { binary_mib: mib(std::fs::metadata(&plan.server)?.len()), stores });
    }
    Ok(())
}

async fn one(plan: &Plan, store: Store) -> anyhow::Result<Idle> {
    let ground = Ground::new(store, &plan.scratch).await?;
    let product = Product::create(&plan.server, &ground, plan.connections).await?;
    speed::completing(&product, DELIVERED, plan.connections).await?;
    let mut ready = Vec::new();
    for _ in 0..plan.sizes.starts {
        let serving = product.serve().await?;
        ready.push(ms(serving.server.ready_after));
        // Not by a signal that it could handle: it may not do so yet when it has only just said where it listens.
        serving.server.kill().await?;
    }
    let serving = product.serve().await?;
    tokio::time::sleep(plan.sizes.idle).await;
    let resident_mib = serving.server.resident_mib();
    // Only now: what the start took is over.
    let (woken, spent, began) = (serving.server.wake_ups(), serving.server.processor_time(), Instant::now());
    tokio::time::sleep(plan.sizes.idle).await;
    let seconds = began.elapsed().as_secs_f64();
    let woken = serving.server.wake_ups().zip(woken).map(|(after, before)| after.saturating_sub(before));
    let spent = serving.server.processor_time().zip(spent).map(|(after, before)| after.saturating_sub(before));
    serving.server.stop().await?;
    ground.end().await?;
    #[expect(clippy::cast_precision_loss, reason = "wake-ups of a few seconds are few")]
    let wake_ups_a_second = woken.map(|woken| woken as f64 / seconds);
    let processor = spent.map(|spent| 100.0 * spent.as_secs_f64() / seconds);
    let ready_ms = crate::figures::Spread::of(ready).map_or(f64::NAN, |spread| spread.median);
    Ok(Idle { ready_ms, resident_mib, wake_ups_a_second, processor })
}

impl fmt::Display for Idle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ready after {:.0} ms", self.ready_ms)?;
        self.resident_mib.map_or(Ok(()), |mib| write!(f, ", {mib:.1} MiB"))?;
        self.wake_ups_a_second.map_or(Ok(()), |woken| write!(f, ", woken {woken:.1} times a second"))
    }
}

/// What was found out.
pub(crate) fn report(rounds: &[Round], plan: &Plan) -> Report {
    let binary = rounds.iter().map(|round| round.binary_mib);
    let mut rows = vec![Row::new("**size of the release binary**", "MiB", 1, binary).at_most(BINARY_GOAL_MIB)];
    for store in [Store::Sqlite, Store::Postgres] {
        let found = rounds.iter().flat_map(|round| &round.stores).filter(|(on, _)| *on == store).map(|(_, idle)| idle);
        let found: Vec<&Idle> = found.collect();
        let over = |of: fn(&Idle) -> Option<f64>| found.iter().filter_map(|idle| of(idle)).collect::<Vec<f64>>();
        let named = |what: &str| format!("{what}, {store}");
        rows.extend([
            Row::new(named("**start to ready**"), "ms", 0, over(|idle| Some(idle.ready_ms))).at_most(READY_GOAL_MS),
            Row::new(named("**resident memory**"), "MiB", 1, over(|idle| idle.resident_mib)).at_most(RESIDENT_GOAL_MIB),
            Row::new(named("wake-ups of all threads"), "/s", 1, over(|idle| idle.wake_ups_a_second)),
            Row::new(named("processor time, of one core"), "%", 2, over(|idle| idle.processor)),
        ]);
    }
    let sizes = format!(
        "{} rounds of {} starts on a database of {DELIVERED} deliveries; memory after {} s in which nothing happened, wake-ups and \
         processor time over as long again.",
        rounds.len(),
        plan.sizes.starts,
        plan.sizes.idle.as_secs()
    );
    Report { rows, panels: Vec::new(), sizes }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Size;

    #[test]
    fn what_the_system_does_not_tell_was_not_measured() {
        let idle = Idle { ready_ms: 201.0, resident_mib: None, wake_ups_a_second: Some(2.0), processor: None };
        let rounds = [Round { binary_mib: 30.0, stores: vec![(Store::Sqlite, idle)] }];
        let rows: Vec<String> = report(&rounds, &Plan::of_size(Size::Quick)).rows.iter().map(Row::to_string).collect();
        assert_eq!(rows[0], "| **size of the release binary** | 30.0 MiB | 30.0 to 30.0 | ≤ 30.0 MiB | met |\n");
        assert!(rows[1].contains("201 ms") && rows[1].contains("**not met**"), "{rows:?}");
        assert!(rows[2].contains("not measured | | ≤ 25.0 MiB"), "{rows:?}");
        assert!(rows[5..].iter().all(|row| row.contains("PostgreSQL | not measured")), "{rows:?}");
    }
}
