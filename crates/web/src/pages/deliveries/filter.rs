//! Which deliveries the history shows, as its address says.

use jiff::{SignedDuration, Timestamp, civil, tz::Offset};
use preclinical_core::{
    delivery::DeliveryStatus,
    id::{AgentId, RunId, WebhookId},
    port::{DeliveryCursor, DeliveryFilter},
    redelivery::{RedeliverySelection, Repeated, RepeatedStatus},
    search::Search,
};

use crate::{
    api::deliveries::cursor,
    error::ApiError,
    input::Query,
    pages::address::{address, choice},
};

/// How many deliveries a page shows.
const PAGE: u32 = 25;

/// A time that ends now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Span {
    Hour,
    Day,
    Week,
    Month,
    #[default]
    All,
}

impl Span {
    pub(super) const ALL: [Self; 5] = [Self::Hour, Self::Day, Self::Week, Self::Month, Self::All];

    /// As the address has it.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "1h",
            Self::Day => "24h",
            Self::Week => "7d",
            Self::Month => "30d",
            Self::All => "",
        }
    }

    /// As people say it.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Hour => "Last hour",
            Self::Day => "24 h",
            Self::Week => "7 days",
            Self::Month => "30 days",
            Self::All => "All time",
        }
    }

    fn begins(self, now: Timestamp) -> Option<Timestamp> {
        let hours = match self {
            Self::Hour => 1,
            Self::Day => 24,
            Self::Week => 7 * 24,
            Self::Month => 30 * 24,
            Self::All => return None,
        };
        now.checked_sub(SignedDuration::from_hours(hours)).ok()
    }
}

/// What the address asks for; what is empty does not restrict.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Filter {
    pub(super) status: Option<DeliveryStatus>,
    pub(super) webhook_id: Option<WebhookId>,
    pub(super) agent_id: Option<AgentId>,
    pub(super) run_id: Option<RunId>,
    /// What was typed into the search box.
    pub(super) q: String,
    /// Counts only without `from` and `to`.
    pub(super) within: Span,
    pub(super) from: Option<Timestamp>,
    pub(super) to: Option<Timestamp>,
    pub(super) cursor: Option<DeliveryCursor>,
}

impl Filter {
    /// Reads the address. A form sends its empty fields, too.
    pub(super) fn read(mut query: Query) -> Result<Self, ApiError> {
        let span = |text: &str| Span::ALL.into_iter().find(|span| span.as_str() == text);
        let q = query.text("q")?.trim().to_owned();
        let (from, to) = (choice(&mut query, "from", TIME, moment)?, choice(&mut query, "to", TIME, moment)?);
        let within = query.parsed("within", "one of 1h, 24h, 7d, 30d", span)?.unwrap_or_default();
        let filter = Self {
            status: choice(&mut query, "status", STATUS, DeliveryStatus::parse)?,
            webhook_id: choice(&mut query, "webhook_id", "a UUID", |text| text.parse().ok())?,
            agent_id: choice(&mut query, "agent_id", "a UUID", |text| text.parse().ok())?,
            run_id: choice(&mut query, "run_id", "a UUID", |text| text.parse().ok())?,
            within: if from.is_some() || to.is_some() { Span::All } else { within },
            q,
            from,
            to,
            cursor: choice(&mut query, "cursor", "that of a page before", cursor::read)?,
        };
        query.finish()?;
        Ok(filter)
    }

    /// What the store is asked for.
    pub(super) fn wanted(&self, now: Timestamp) -> DeliveryFilter {
        DeliveryFilter {
            status: self.status,
            webhook_id: self.webhook_id,
            agent_id: self.agent_id,
            run_id: self.run_id,
            search: (!self.q.is_empty()).then(|| self.q.parse().unwrap_or(Search::Nothing)),
            created_after: self.created_after(now),
            created_before: self.to,
            cursor: self.cursor,
            limit: PAGE,
        }
    }

    fn created_after(&self, now: Timestamp) -> Option<Timestamp> {
        self.from.or_else(|| self.within.begins(now))
    }

    /// Whether it leaves anything out.
    pub(super) fn narrows(&self) -> bool {
        *self != Self { cursor: self.cursor, ..Self::default() }
    }

    /// The same from its first page on.
    pub(super) fn first_page(&self) -> Self {
        Self { cursor: None, ..self.clone() }
    }

    /// The page that it is of.
    pub(super) fn address(&self) -> String {
        address("/deliveries", &self.pairs())
    }

    /// The stream of what it shows.
    pub(super) fn live(&self) -> String {
        let streamed = Self { status: self.status, webhook_id: self.webhook_id, agent_id: self.agent_id, ..Self::default() };
        address("/live/deliveries", &streamed.pairs())
    }

    /// All that it finds, to be repeated; `None` where that cannot be asked for.
    pub(super) fn redelivery(&self, now: Timestamp) -> Option<RedeliverySelection> {
        if !self.q.is_empty() || self.status == Some(DeliveryStatus::Pending) {
            return None;
        }
        let repeated = |status| RepeatedStatus::ALL.into_iter().find(|each| DeliveryStatus::from(*each) == status);
        Some(RedeliverySelection {
            ended: Repeated::As(self.status.and_then(repeated).unwrap_or_default()),
            webhook_id: self.webhook_id,
            agent_id: self.agent_id,
            run_id: self.run_id,
            created_after: self.created_after(now),
            created_before: self.to,
        })
    }

    /// Names and values as the address has them.
    pub(super) fn pairs(&self) -> [(&'static str, Option<String>); 9] {
        [
            ("status", self.status.map(|status| status.as_str().to_owned())),
            ("webhook_id", self.webhook_id.map(|id| id.to_string())),
            ("agent_id", self.agent_id.map(|id| id.to_string())),
            ("run_id", self.run_id.map(|id| id.to_string())),
            ("q", (!self.q.is_empty()).then(|| self.q.clone())),
            ("within", (self.within != Span::All).then(|| self.within.as_str().to_owned())),
            ("from", self.from.map(local)),
            ("to", self.to.map(local)),
            ("cursor", self.cursor.map(cursor::write)),
        ]
    }
}

const STATUS: &str = "one of pending, delivered, failed, canceled";
const TIME: &str = "a time such as 2026-01-30T10:32";

/// A time with its zone, or what a field for times sends: one in UTC.
fn moment(text: &str) -> Option<Timestamp> {
    let in_utc = || Offset::UTC.to_timestamp(text.parse::<civil::DateTime>().ok()?).ok();
    text.parse().ok().or_else(in_utc)
}

/// A time as a field for times takes it.
pub(super) fn local(time: Timestamp) -> String {
    time.strftime(if time.as_second() % 60 == 0 { "%Y-%m-%dT%H:%M" } else { "%Y-%m-%dT%H:%M:%S" }).to_string()
}

#[cfg(test)]
mod tests {
    use axum::{
        extract::FromRequestParts,
        http::{Request, request::Parts},
    };

    use super::*;

    async fn read(query: &str) -> Result<Filter, ApiError> {
        let (mut parts, ()): (Parts, ()) = Request::get(format!("/?{query}")).body(()).unwrap().into_parts();
        let Ok(query) = Query::from_request_parts(&mut parts, &()).await;
        Filter::read(query)
    }

    fn now() -> Timestamp {
        "2026-01-30T10:00:00Z".parse().unwrap()
    }

    #[tokio::test]
    async fn an_address_reads_back() {
        for query in [
            "",
            "status=failed&q=TR-00042&within=24h",
            "webhook_id=7c9e6679-7425-40de-944b-e07fc1f90ae7&from=2026-01-30T10%3A32&to=2026-01-30T10%3A32%3A05",
            "agent_id=7c9e6679-7425-40de-944b-e07fc1f90ae7&run_id=7c9e6679-7425-40de-944b-e07fc1f90ae7&q=%3C%26%22",
        ] {
            let path = if query.is_empty() { "/deliveries".to_owned() } else { format!("/deliveries?{query}") };
            assert_eq!(read(query).await.unwrap().address(), path);
        }
    }

    #[tokio::test]
    async fn what_a_form_leaves_empty_does_not_narrow() {
        let filter = read("status=&webhook_id=&agent_id=&q=+&within=&from=&to=").await.unwrap();
        assert!(!filter.narrows());
        assert_eq!(filter, Filter::default());
        for wrong in ["status=lost", "webhook_id=7", "from=yesterday", "within=2h", "cursor=x", "limit=5"] {
            assert!(read(wrong).await.is_err(), "{wrong}");
        }
    }

    #[tokio::test]
    async fn a_time_that_was_chosen_outweighs_one_that_ends_now() {
        let created_after = async |query: &str| read(query).await.unwrap().wanted(now()).created_after;
        assert_eq!(created_after("within=24h").await, "2026-01-29T10:00:00Z".parse().ok());
        assert_eq!(created_after("within=24h&from=2026-01-01T00:00").await, "2026-01-01T00:00:00Z".parse().ok());
        assert_eq!(created_after("within=24h&to=2026-01-01T00:00").await, None);
    }

    #[tokio::test]
    async fn what_is_found_can_be_repeated_unless_it_is_pending_or_searched() {
        let redelivery = async |query: &str| read(query).await.unwrap().redelivery(now());
        assert_eq!(redelivery("").await.unwrap().ended, Repeated::As(RepeatedStatus::Failed));
        let of_the_last_hour = redelivery("status=canceled&within=1h").await.unwrap();
        assert_eq!(of_the_last_hour.ended, Repeated::As(RepeatedStatus::Canceled));
        assert_eq!(of_the_last_hour.created_after, "2026-01-30T09:00:00Z".parse().ok());
        assert_eq!((redelivery("status=pending").await, redelivery("q=TR-1").await), (None, None));
    }
}
