//! What texts and numbers on the wire look like, for types that are not described where they are defined.

use std::{borrow::Cow, marker::PhantomData};

use preclinical_core::{
    agent::Provider,
    attempt::ErrorKind,
    choice::Level,
    decision::DecisionOutcome,
    delivery::DeliveryStatus,
    event::EventKind,
    health::HealthStatus,
    redelivery::{JobStatus, RepeatedStatus},
    replay_on_recovery::ReplayOnRecovery,
    run::RunStatus,
    scenario::ScenarioStatus,
    scope::Scope,
    webhook::DisabledReason,
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident $schema:tt)*) => {$(
        $(#[$doc])*
        pub(crate) struct $name;

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    )*};
}

kinds! {
    /// An id.
    Uuid {"type": "string", "format": "uuid"}
    /// A point in time, in UTC.
    DateTime {"type": "string", "format": "date-time"}
    /// A run's number in its organization.
    RunNumber {"type": "string", "pattern": "^TR-([0-9]{5}|[1-9][0-9]{5,9})$", "examples": ["TR-00042"]}
    /// The status of an answer over HTTP.
    HttpStatus {"type": "integer", "minimum": 100, "maximum": 999}
    /// A share in percent.
    Percent {"type": "number", "minimum": 0, "maximum": 100}
}

/// A closed set of names.
pub(crate) trait Names {
    /// All of them.
    fn names() -> Vec<&'static str>;
}

macro_rules! named {
    ($($set:ident)*) => {$(
        impl Names for $set {
            fn names() -> Vec<&'static str> {
                Self::ALL.into_iter().map(Self::as_str).collect()
            }
        }
    )*};
}

named! { DecisionOutcome DeliveryStatus DisabledReason ErrorKind EventKind HealthStatus JobStatus Level Provider ReplayOnRecovery RunStatus ScenarioStatus Scope }

impl Names for RepeatedStatus {
    fn names() -> Vec<&'static str> {
        Self::ALL.into_iter().map(|status| DeliveryStatus::from(status).as_str()).collect()
    }
}

/// One of the names of a set.
pub(crate) struct Choice<T>(PhantomData<T>);

impl<T: Names> JsonSchema for Choice<T> {
    fn schema_name() -> Cow<'static, str> {
        std::any::type_name::<T>().into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "enum": T::names()})
    }
}
