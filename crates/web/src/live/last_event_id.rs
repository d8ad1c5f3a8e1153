//! Where a client that comes back wants to go on.

use axum::http::HeaderMap;

use crate::{error::ApiError, input::Query};

const HEADER: &str = "Last-Event-ID";
const PARAMETER: &str = "last_event_id";
const EXPECTED: &str = "must be the id of an event of this stream";

/// The id of the last event that a client had: the header `Last-Event-ID`, or else the parameter `last_event_id`, for clients
/// that cannot set headers. The header wins, because a browser that comes back sends it to the URL that it began with.
pub(crate) struct LastEventId {
    given_as: &'static str,
    id: String,
}

impl LastEventId {
    /// The id of a request. An empty one is none.
    pub(crate) fn take(headers: &HeaderMap, query: &mut Query) -> Result<Option<Self>, ApiError> {
        let parameter = query.parsed(PARAMETER, EXPECTED, |text| Some(text.to_owned()))?;
        let (given_as, id) = match headers.get(HEADER) {
            Some(header) => {
                let text = header.to_str().map_err(|_| ApiError::invalid(HEADER, EXPECTED))?;
                (HEADER, Some(text.to_owned()))
            }
            None => (PARAMETER, parameter),
        };
        Ok(id.filter(|id| !id.is_empty()).map(|id| Self { given_as, id }))
    }

    /// The place that it names. An id that no event of the stream had is refused: to go on anywhere else could lose something.
    pub(crate) fn place<T>(&self, read: impl FnOnce(&str) -> Option<T>) -> Result<T, ApiError> {
        read(&self.id).ok_or_else(|| ApiError::invalid(self.given_as, EXPECTED))
    }
}
