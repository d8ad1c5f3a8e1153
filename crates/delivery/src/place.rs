//! A place in the engine, held from before a delivery is written until it is sent.

use std::sync::Arc;

use preclinical_core::{
    delivery::{Claimed, Lease},
    port::{Reservation, Sent},
};
use tokio::sync::OwnedSemaphorePermit;

use crate::engine::Engine;

pub(crate) struct Place {
    pub(crate) engine: Arc<Engine>,
    pub(crate) permit: OwnedSemaphorePermit,
    pub(crate) lease: Lease,
}

impl Reservation for Place {
    fn lease(&self) -> Lease {
        self.lease
    }

    fn send(self: Box<Self>, claimed: Claimed) -> Sent {
        let sending = self.engine.start(claimed, self.permit);
        Box::pin(async move { sending.await.ok().flatten() })
    }
}
