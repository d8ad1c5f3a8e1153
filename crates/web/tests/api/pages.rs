//! The pages from outside: a browser that does what its user and the pages say.

mod browser;
mod door;
mod joining;
mod run;
mod runs;
mod signing_in;
mod webhooks;

pub(crate) use self::browser::{Browser, Shown};
