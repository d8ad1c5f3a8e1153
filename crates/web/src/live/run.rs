//! The story of one run.

use axum::response::sse::Event;
use preclinical_core::{
    id::{OrganizationId, RunId},
    port::{Progress, Store, StoreError},
    run::{Run, RunRef, RunStatus},
};

use super::telling::{Now, PAGE, Story};
use crate::{
    opaque,
    wire::{RunEvent, ScenarioEvent},
};

/// A run's beginning, its scenarios in the order of their report, and its end.
pub(crate) struct OneRun {
    organization: OrganizationId,
    run: RunId,
    place: RunPlace,
}

/// How much of a run was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RunPlace {
    /// How many of its scenarios.
    scenarios: u32,
    stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Nothing,
    Beginning,
    End,
}

impl RunPlace {
    const START: Self = Self { scenarios: 0, stage: Stage::Nothing };
    /// Behind every scenario there can be.
    const BEFORE_END: Self = Self { scenarios: u32::MAX, stage: Stage::Beginning };

    /// The place that the id of an event of the run names.
    pub(crate) fn read(run: RunId, id: &str) -> Option<Self> {
        let [stage, scenarios @ ..] = opaque::read::<5>(run.uuid().as_bytes(), id)?;
        let stage = match stage {
            0 => Stage::Nothing,
            1 => Stage::Beginning,
            2 => Stage::End,
            _ => return None,
        };
        Some(Self { scenarios: u32::from_be_bytes(scenarios), stage })
    }

    fn write(self, run: RunId) -> String {
        let [a, b, c, d] = self.scenarios.to_be_bytes();
        opaque::write(run.uuid().as_bytes(), &[self.stage as u8, a, b, c, d])
    }
}

impl OneRun {
    /// The story from a place on; `None` if all of it was told. Without a place, a run that is final is told by its end alone,
    /// every other one from its beginning.
    pub(crate) fn from(run: &Run, place: Option<RunPlace>) -> Option<Self> {
        let is_final = run.status.is_final();
        let place = match place {
            Some(place) if is_final && place.stage == Stage::End => return None,
            Some(place) => place,
            None if is_final => RunPlace::BEFORE_END,
            None => RunPlace::START,
        };
        Some(Self { organization: run.organization_id, run: run.id, place })
    }

    fn event(&self, data: &impl serde::Serialize) -> Result<Event, StoreError> {
        let data = serde_json::to_string(data).map_err(|error| StoreError::Corrupt(error.to_string()))?;
        Ok(Event::default().id(self.place.write(self.run)).data(data))
    }
}

/// How the end of a run is called; `None` if it has not ended.
fn ending(status: RunStatus) -> Option<&'static str> {
    match status {
        RunStatus::Pending | RunStatus::Running | RunStatus::Grading => None,
        RunStatus::Completed => Some("test_run_complete"),
        RunStatus::Failed => Some("test_run_failed"),
        RunStatus::Canceled => Some("test_run_canceled"),
    }
}

impl Story for OneRun {
    async fn go_on(&mut self, store: &dyn Store) -> Result<(Vec<Event>, Now), StoreError> {
        let run = RunRef::Id(self.run);
        let progress = store.progress(self.organization, run, self.place.scenarios, PAGE).await?;
        let Some(Progress { run, verdicts }) = progress else { return Ok((Vec::new(), Now::Over)) };
        let is_all = verdicts.len() < PAGE as usize;
        let mut events = Vec::new();
        if self.place.stage == Stage::Nothing && run.started_at.is_some() {
            self.place.stage = Stage::Beginning;
            events.push(self.event(&RunEvent::new("test_run_started", &run))?);
        }
        for verdict in &verdicts {
            self.place.scenarios = self.place.scenarios.saturating_add(1);
            events.push(self.event(&ScenarioEvent::new(&run, verdict))?);
        }
        match ending(run.status).filter(|_| is_all) {
            Some(name) => {
                self.place.stage = Stage::End;
                events.push(self.event(&RunEvent::new(name, &run))?);
                Ok((events, Now::Over))
            }
            None => Ok((events, if is_all { Now::UpToDate } else { Now::MayGoOn })),
        }
    }
}
