//! Decisions: what became of a run's end, webhook by webhook, for people who ask why nothing arrived.

use jiff::Timestamp;

use crate::{
    choice::{Level, Ruling},
    delivery::{Delivery, DeliveryStatus},
    id::{EventId, WebhookId},
    webhook::DisabledReason,
    wire_time,
};

/// What was decided about one webhook when a run became final, or that there was none. Frozen; only the delivery moves on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The fact that the run became final.
    pub event_id: EventId,
    /// When it did.
    pub decided_at: Timestamp,
    /// The webhook; `None` if neither the agent nor the organization had one.
    pub about: Option<Judged>,
}

/// A webhook as it was, and what was decided about it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields say what they are")]
pub struct Judged {
    pub level: Level,
    pub webhook_id: WebhookId,
    pub url: String,
    pub ruling: Ruling,
    /// The delivery as it is now, if one was written.
    pub delivery: Option<Delivery>,
}

/// A decision in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DecisionOutcome {
    /// The receiver took it.
    Delivered,
    /// An attempt is under way or will be made.
    Retrying,
    /// All attempts failed, or the receiver is gone.
    Failed,
    /// It was canceled, or the webhook disabled or deleted, before it was delivered.
    Canceled,
    /// There was none.
    NoWebhook,
    /// The webhook was disabled.
    Disabled,
    /// The agent had its own.
    Overridden,
}

impl DecisionOutcome {
    /// Every outcome.
    pub const ALL: [Self; 7] =
        [Self::Delivered, Self::Retrying, Self::Failed, Self::Canceled, Self::NoWebhook, Self::Disabled, Self::Overridden];

    /// The outcome on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Retrying => "retrying",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
            Self::NoWebhook => "no_webhook",
            Self::Disabled => "disabled",
            Self::Overridden => "overridden",
        }
    }
}

impl Decision {
    /// The decision in one word; that of a delivery follows it.
    pub fn outcome(&self) -> DecisionOutcome {
        let Some(judged) = &self.about else { return DecisionOutcome::NoWebhook };
        match (judged.ruling, &judged.delivery) {
            (Ruling::Overridden, _) => DecisionOutcome::Overridden,
            (Ruling::Disabled(_), _) => DecisionOutcome::Disabled,
            (Ruling::Sent, Some(delivery)) => match delivery.status {
                DeliveryStatus::Pending => DecisionOutcome::Retrying,
                DeliveryStatus::Delivered => DecisionOutcome::Delivered,
                DeliveryStatus::Failed => DecisionOutcome::Failed,
                DeliveryStatus::Canceled => DecisionOutcome::Canceled,
            },
            (Ruling::Sent, None) => DecisionOutcome::Canceled,
        }
    }

    /// The decision in one sentence.
    pub fn reason(&self) -> String {
        let Some(judged) = &self.about else {
            return "Neither the agent nor the organization had a webhook when the run ended.".to_owned();
        };
        match (judged.ruling, &judged.delivery) {
            (Ruling::Overridden, _) => {
                "The agent had a webhook of its own, which overrides the organization's even while it is disabled."
                    .to_owned()
            }
            (Ruling::Disabled(reason), _) => disabled(judged.level, reason),
            (Ruling::Sent, Some(delivery)) => told(delivery),
            (Ruling::Sent, None) => "Its delivery is no longer kept.".to_owned(),
        }
    }
}

fn disabled(level: Level, reason: Option<DisabledReason>) -> String {
    let whose = match level {
        Level::Agent => "The agent's own webhook",
        Level::Organization => "The organization's webhook",
    };
    match reason {
        Some(DisabledReason::Gone) => {
            format!("{whose} was disabled when the run ended, because its receiver had answered 410 Gone.")
        }
        Some(DisabledReason::Failing) => {
            format!("{whose} was disabled when the run ended, because it had done nothing but fail.")
        }
        None => format!("{whose} was disabled when the run ended."),
    }
}

fn told(delivery: &Delivery) -> String {
    let attempts = match delivery.attempt_count {
        1 => "1 attempt".to_owned(),
        count => format!("{count} attempts"),
    };
    let last = delivery.http_status.map(|status| format!(", the last answered {status}")).unwrap_or_default();
    match (delivery.status, delivery.next_attempt_at) {
        (DeliveryStatus::Delivered, _) => match delivery.http_status {
            Some(status) => format!("The receiver took it after {attempts} and answered {status}."),
            None => format!("The receiver took it after {attempts}."),
        },
        (DeliveryStatus::Pending, None) => format!("Attempt {} is under way.", delivery.attempt_count),
        (DeliveryStatus::Pending, Some(_)) if delivery.attempt_count == 0 => {
            "Its first attempt is about to be made.".to_owned()
        }
        (DeliveryStatus::Pending, Some(next)) => {
            format!("Not delivered in {attempts} so far{last}; the next one is due at {}.", wire_time::format(next))
        }
        (DeliveryStatus::Failed, _) => format!("Not delivered in {attempts}{last}; no more will be made."),
        (DeliveryStatus::Canceled, _) => {
            format!("Canceled, or its webhook disabled or deleted, before it was delivered, after {attempts}{last}.")
        }
    }
}
