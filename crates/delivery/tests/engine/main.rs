//! The delivery engine on a real store, against receivers that do what they are told.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "this is test code")]

mod answer;
mod attacks;
mod claim;
mod connection;
mod custom_headers;
mod failure;
mod fairness;
mod giving_up;
mod guard;
mod housekeeping;
mod http2;
mod names;
mod noise;
mod platform;
mod proxy;
mod recording;
mod recovery;
mod redelivery;
mod request;
mod rig;
mod schedule;
mod shutdown;
mod timeout;
mod timing;
mod tls;
