//! `/events` and `/stream`: what happens, as server-sent events.

pub(super) mod events;
pub(super) mod stream;

pub(super) use events::events;
pub(super) use stream::stream;
