//! `/events` and `/stream`: what happens, as server-sent events.

mod events;
mod stream;

pub(super) use events::events;
pub(super) use stream::stream;
