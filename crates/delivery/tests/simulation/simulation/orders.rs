//! What people and runners order: runs end, deliveries are canceled, repeated and tried out.

use std::sync::Arc;

use std::collections::BTreeSet;

use preclinical_core::{
    clock::Clock,
    id::{DeliveryId, EventId, RedeliveryJobId, RunId, WebhookId},
    port::{Dispatch, Fate, Finish, Finished, NewRedeliveryJob, NewRun, Offer, Redelivery, Report, TestDelivery},
    redelivery::{Missed, RedeliverySelection, Repeated, RepeatedStatus},
    run::{FinalStatus, RunRef},
    scenario::ScenarioStatus,
};
use preclinical_testkit::world::result;

use super::Simulation;
use crate::{node::Node, oracle::Run};

impl Simulation {
    /// A node that takes calls.
    pub(super) fn host(&self) -> Option<usize> {
        let awake: Vec<usize> = (0..self.nodes.len()).filter(|index| self.nodes[*index].takes_calls()).collect();
        self.dice.pick(&awake).copied()
    }

    fn new_run(&mut self, planned: Option<u32>) -> RunId {
        let at = self.truth.now();
        let (id, agent_id) = (RunId::generate(at, &self.chance), *self.dice.pick(&self.agents).unwrap());
        let run = NewRun {
            id,
            organization_id: self.organization,
            agent_id,
            test_suite_id: None,
            name: None,
            planned,
            started_at: Some(at),
            created_at: at,
        };
        self.weather.finish(self.roles.intake.create_run(run)).unwrap();
        self.oracle().runs.insert(id, Run { agent: agent_id, planned, reported: BTreeSet::new(), ended: None });
        self.runs.push(id);
        id
    }

    /// A new run ends, or one that has ended is to end once more.
    pub(crate) fn complete(&mut self, to: FinalStatus) {
        let again = self.dice.happens(100).then(|| self.dice.pick(&self.runs).copied()).flatten();
        let run = again.unwrap_or_else(|| self.new_run(None));
        let event = EventId::generate(self.truth.now(), &self.chance);
        self.finish(run, to, event);
        if self.dice.happens(100) {
            self.finish(run, to, event);
        }
    }

    /// Whoever got no answer asks again, under the same id.
    pub(super) fn ask_again(&mut self) {
        for (run, to, event) in std::mem::take(&mut self.unknown) {
            self.finish(run, to, event);
        }
    }

    fn finish(&mut self, run: RunId, to: FinalStatus, event: EventId) {
        let Some(host) = self.host() else { return };
        let node = &self.nodes[host];
        let offer = self.offer(node, 800);
        let (at, dispatch) = (node.clock.now(), self.dispatch(event, &offer));
        self.deliveries.push(dispatch.delivery_id);
        let story = format!("node {} ends a run as {to:?}", node.number);
        self.oracle().tell(story);
        let (organization_id, run_ref) = (self.organization, RunRef::Id(run));
        let finish = Finish { organization_id, run: run_ref, to, counts: None, at, dispatch };
        let is_known = node.within(async {
            match node.store.finish_run(finish).await {
                Ok(finished) => {
                    self.hand_over(node, &offer, finished);
                    true
                }
                Err(preclinical_core::port::FinishError::Store(_)) => false,
                Err(_) => true,
            }
        });
        if !is_known {
            self.oracle().tell("  who ended the run got no answer");
            self.unknown.push((run, to, event));
        }
    }

    /// Results of a run come in, the last one of which ends it.
    pub(super) fn report(&mut self) {
        let open =
            self.runs.iter().copied().filter(|id| self.oracle().runs.get(id).is_some_and(|run| run.planned.is_some()));
        let open: Vec<RunId> = open.collect();
        let run = match self.dice.pick(&open) {
            Some(run) if self.dice.happens(800) => *run,
            _ => self.new_run(Some(1 + self.dice.below(3))),
        };
        let Some(host) = self.host() else { return };
        let node = &self.nodes[host];
        let offer = self.offer(node, 1000);
        let event = EventId::generate(self.truth.now(), &self.chance);
        let (at, dispatch) = (node.clock.now(), self.dispatch(event, &offer));
        self.deliveries.push(dispatch.delivery_id);
        let results = vec![result(&format!("s{}", self.dice.below(3)), ScenarioStatus::Passed)];
        let story = format!("node {} takes a result", node.number);
        self.oracle().tell(story);
        let report = Report { organization_id: self.organization, run: RunRef::Id(run), results, at, dispatch };
        node.within(async {
            if let Ok(finished) = node.store.report_results(report).await {
                self.hand_over(node, &offer, finished);
            }
        });
    }

    /// Places of a node, so often in a thousand times; otherwise what it writes is left to be claimed.
    fn offer(&self, node: &Node, often: u32) -> Arc<dyn Offer> {
        if self.dice.happens(often) { node.engine.handoff().offer() } else { node.engine.handoff_of_tests().offer() }
    }

    fn dispatch(&self, event_id: EventId, offer: &Arc<dyn Offer>) -> Dispatch {
        Dispatch {
            event_id,
            delivery_id: DeliveryId::generate(self.truth.now(), &self.chance),
            places: Arc::clone(offer) as _,
            public_url: "https://app.example.com".to_owned(),
        }
    }

    pub(crate) fn cancel_delivery(&mut self) {
        let (Some(host), Some(id)) = (self.host(), self.dice.pick(&self.deliveries).copied()) else { return };
        let node = &self.nodes[host];
        let story = format!("node {} cancels {}", node.number, crate::oracle::short(id));
        self.oracle().tell(story);
        node.within(async { drop(node.store.cancel_delivery(self.organization, id, node.clock.now()).await) });
    }

    pub(super) fn redeliver(&mut self) {
        let (Some(host), Some(of)) = (self.host(), self.dice.pick(&self.deliveries).copied()) else { return };
        let node = &self.nodes[host];
        let offer = self.offer(node, 500);
        let delivery_id = DeliveryId::generate(self.truth.now(), &self.chance);
        let places = Arc::clone(&offer) as _;
        let order = Redelivery { organization_id: self.organization, of, delivery_id, places, at: node.clock.now() };
        let story = format!("node {} repeats {}", node.number, crate::oracle::short(of));
        self.oracle().tell(story);
        self.deliveries.push(delivery_id);
        node.within(async {
            let Ok(enqueued) = node.store.redeliver(order).await else { return };
            match enqueued.claimed {
                Some(claimed) => drop(offer.send(claimed)),
                None => node.engine.handoff().wake(),
            }
        });
    }

    pub(crate) fn try_out(&mut self) {
        let webhooks: Vec<_> = self.oracle().webhooks.keys().copied().collect();
        let (Some(host), Some(webhook_id)) = (self.host(), self.dice.pick(&webhooks).copied()) else { return };
        let node = &self.nodes[host];
        let place = node.engine.handoff().reserve_for_test(self.organization, webhook_id);
        let Some(place) = place else { return };
        let delivery_id = DeliveryId::generate(self.truth.now(), &self.chance);
        let test = TestDelivery {
            organization_id: self.organization,
            webhook_id,
            event_id: EventId::generate(self.truth.now(), &self.chance),
            delivery_id,
            lease: place.lease(),
            at: node.clock.now(),
        };
        let story = format!("node {} tries a webhook out", node.number);
        self.oracle().tell(story);
        self.deliveries.push(delivery_id);
        node.within(async {
            if let Ok(Some(claimed)) = node.store.enqueue_test(test).await {
                drop(place.send(claimed));
            }
        });
    }

    pub(super) fn order_job(&mut self) {
        let Some(host) = self.host() else { return };
        let missed = if self.dice.happens(400) { self.missed() } else { None };
        let (webhook_id, ended) = match missed {
            Some((webhook, missed)) => (Some(webhook), Repeated::Missed(missed)),
            None => (None, Repeated::As(*self.dice.pick(&RepeatedStatus::ALL).unwrap())),
        };
        let node = &self.nodes[host];
        let (agent_id, run_id, created_after, created_before) = (None, None, None, None);
        let selection = RedeliverySelection { ended, webhook_id, agent_id, run_id, created_after, created_before };
        let (id, at) = (RedeliveryJobId::generate(self.truth.now(), &self.chance), node.clock.now());
        let story = format!("node {} is to repeat all that is {ended:?}", node.number);
        self.oracle().tell(story);
        let job = NewRedeliveryJob { id, organization_id: self.organization, selection, at };
        node.within(async {
            if node.store.create_redelivery_job(job).await.is_ok() {
                node.engine.handoff().wake_redeliveries();
            }
        });
    }

    /// What some webhook missed.
    fn missed(&self) -> Option<(WebhookId, Missed)> {
        let newest_per_agent = self.dice.happens(500);
        let webhooks: Vec<_> = self.oracle().webhooks.keys().copied().collect();
        let id = *self.dice.pick(&webhooks)?;
        let webhook = self.weather.finish(self.roles.administration.webhook(self.organization, id)).unwrap()?;
        Some((id, Missed { since: webhook.health.missed_since?, newest_per_agent, on_recovery: false }))
    }

    pub(super) fn order_or_stop_job(&mut self) {
        let jobs: Vec<RedeliveryJobId> = self.oracle().jobs.keys().copied().collect();
        let (Some(host), Some(id)) = (self.host(), self.dice.pick(&jobs).copied()) else { return self.order_job() };
        let node = &self.nodes[host];
        let story = format!("node {} is to stop a job", node.number);
        self.oracle().tell(story);
        node.within(async {
            drop(node.store.cancel_redelivery_job(self.organization, id, node.clock.now()).await);
        });
    }

    /// As the API does after its write.
    fn hand_over(&self, node: &Node, offer: &Arc<dyn Offer>, finished: Finished) {
        match finished.fate {
            Fate::Claimed(claimed) => drop(offer.send(claimed)),
            Fate::Due if self.plan.wakes => node.engine.handoff().wake(),
            _ => {}
        }
    }
}
