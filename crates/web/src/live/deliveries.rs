//! The story of an organization's deliveries.

use axum::response::sse::Event;
use preclinical_core::{
    delivery::{Delivery, DeliveryStatus},
    id::{AgentId, OrganizationId, WebhookId},
    port::{ChangeNumber, Store, StoreError},
};

use super::telling::{Now, PAGE, Story};
use crate::{opaque, wire::DeliveryView};

/// Deliveries as they change. One that changed several times since the last look is told once, as it is now.
pub(crate) struct Deliveries {
    organization: OrganizationId,
    which: Which,
    after: ChangeNumber,
    begun: bool,
}

/// Which deliveries are told of, as they are now; what is `None` does not restrict.
#[derive(Default)]
pub(crate) struct Which {
    pub(crate) status: Option<DeliveryStatus>,
    pub(crate) webhook_id: Option<WebhookId>,
    pub(crate) agent_id: Option<AgentId>,
}

impl Deliveries {
    /// What changes after that place.
    pub(crate) fn after(organization: OrganizationId, which: Which, after: ChangeNumber) -> Self {
        Self { organization, which, after, begun: false }
    }

    /// The place that the id of an event names.
    pub(crate) fn place(organization: OrganizationId, id: &str) -> Option<ChangeNumber> {
        opaque::read(organization.uuid().as_bytes(), id).map(u64::from_be_bytes).map(ChangeNumber)
    }

    fn id(&self, place: ChangeNumber) -> String {
        opaque::write(self.organization.uuid().as_bytes(), &place.0.to_be_bytes())
    }

    fn event(&self, place: ChangeNumber, delivery: &Delivery) -> Result<Event, StoreError> {
        let data = serde_json::to_string(&DeliveryView::from(delivery));
        let data = data.map_err(|error| StoreError::Corrupt(error.to_string()))?;
        Ok(Event::default().id(self.id(place)).event("delivery").data(data))
    }
}

impl Which {
    fn includes(&self, delivery: &Delivery) -> bool {
        self.status.is_none_or(|status| status == delivery.status)
            && self.webhook_id.is_none_or(|id| id == delivery.webhook_id)
            && self.agent_id.is_none_or(|id| Some(id) == delivery.agent_id)
    }
}

impl Story for Deliveries {
    async fn go_on(&mut self, store: &dyn Store) -> Result<(Vec<Event>, Now), StoreError> {
        let mut events = Vec::new();
        if !self.begun {
            self.begun = true;
            // An id alone: whoever is cut off before the first event comes back to here.
            events.push(Event::default().id(self.id(self.after)).comment("open"));
        }
        let changed = store.changed_deliveries(self.organization, self.after, PAGE).await?;
        let now = if changed.len() < PAGE as usize { Now::UpToDate } else { Now::MayGoOn };
        for (place, delivery) in changed {
            self.after = place;
            if self.which.includes(&delivery) {
                events.push(self.event(place, &delivery)?);
            }
        }
        Ok((events, now))
    }
}
