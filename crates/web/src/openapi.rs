//! The API described for machines: OpenAPI 3.1, and a page to read it.
//!
//! Each endpoint says what it takes and answers in a [`Description`] beside its handler; its method, path, scope and body limit
//! come from its route. Answers are described by the types that they are made of, requests by the constants that they are read
//! with. `acceptance/test_openapi.py` proves on the running server that the description is true.

mod answer;
mod description;
mod document;
mod field;
mod kind;
mod operation;
mod page;
mod parameter;
mod payload;
mod refusal;
mod resource;

pub(crate) use description::{Description, Topic};
pub(crate) use document::document;
pub(crate) use field::{Field, Object};
pub(crate) use kind::{Choice, DateTime, HttpStatus, Percent, RunNumber, Uuid};
pub(crate) use page::Page;
pub(crate) use parameter::Parameter;
pub(crate) use resource::Resource;
