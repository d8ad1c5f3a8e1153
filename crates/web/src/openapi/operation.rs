//! A call in the document: its description, and what follows from its route.

use preclinical_core::scope::{Need, Scope};
use schemars::SchemaGenerator;
use serde_json::{Map, Value, json};

use super::{
    answer::Answer,
    description::Description,
    parameter::Parameter,
    refusal::{self, Refusals},
    resource::Resource,
};
use crate::{error::code, route::Route};

pub(super) struct Operation<'a> {
    pub(super) route: &'a Route,
    pub(super) description: Description,
    /// Where each kind of resource can be used.
    pub(super) links: &'a [(Resource, String)],
}

/// The calls that take the id of a resource.
pub(super) fn links(described: &[(Route, Description)]) -> Vec<(Resource, String)> {
    let link = |(route, description): &(Route, Description)| Some((description.names?, id(route, description)));
    described.iter().filter_map(link).collect()
}

/// The name of a call; a second route to an endpoint has its own.
fn id(route: &Route, description: &Description) -> String {
    format!("{}{}", description.operation, route.suffix)
}

impl Operation<'_> {
    pub(super) fn describe(mut self, schemas: &mut SchemaGenerator) -> Value {
        let is_repeatable = self.route.call.method == "POST" && self.route.call.need.is_some();
        if is_repeatable {
            self.description.parameters.push(Parameter::idempotency_key());
        }
        let refusals = self.refusals(is_repeatable);
        let mut operation = json!({
            "operationId": id(self.route, &self.description),
            "tags": [self.description.topic.name()],
            "summary": self.description.summary,
        });
        if let Some(text) = self.description.text {
            operation["description"] = text.into();
        }
        if let Some(need) = self.route.call.need {
            operation["security"] = json!([{"key": []}]);
            operation["x-scopes"] = scopes(need).into();
        }
        operation["parameters"] = self.parameters();
        if let Some(body) = self.description.body.take() {
            operation["x-max-body-bytes"] = self.route.longest.into();
            let required = body.is_required();
            operation["requestBody"] =
                json!({"required": required, "content": {"application/json": {"schema": body.schema()}}});
        }
        let mut responses = Map::new();
        for answer in &self.description.answers {
            responses.insert(answer.status.to_string(), self.answer(answer, is_repeatable, schemas));
        }
        refusals.write(&mut responses, self.route.call.need.is_some());
        operation["responses"] = responses.into();
        operation
    }

    fn parameters(&mut self) -> Value {
        let named = self.description.names.map(Resource::parameter);
        let others = std::mem::take(&mut self.description.parameters);
        named.into_iter().chain(others.into_iter().map(Parameter::schema)).collect()
    }

    /// Every code that the call can answer with.
    fn refusals(&self, is_repeatable: bool) -> Refusals {
        let Description { names, parameters, body, refusals, .. } = &self.description;
        let mut all = Refusals::default();
        if !parameters.is_empty() {
            all.add(&[code::INVALID_FIELD_VALUE]);
        }
        if parameters.iter().any(Parameter::is_required) || body.as_ref().is_some_and(super::Object::is_required) {
            all.add(&[code::MISSING_REQUIRED_FIELD]);
        }
        if body.is_some() {
            all.add(&[code::INVALID_JSON, code::INVALID_FIELD_VALUE]);
            all.add(&[code::PAYLOAD_TOO_LARGE, code::UNSUPPORTED_MEDIA_TYPE, code::REQUEST_TIMEOUT]);
        }
        if is_repeatable {
            all.add(&[code::IDEMPOTENCY_IN_PROGRESS, code::IDEMPOTENCY_KEY_REUSED]);
        }
        if let Some(need) = self.route.call.need {
            all.add(&[code::UNAUTHORIZED, code::RATE_LIMITED, code::UNAVAILABLE]);
            if scopes(need).len() < Scope::ALL.len() {
                all.add(&[code::FORBIDDEN]);
            }
        }
        all.add(&names.map(Resource::missing).into_iter().collect::<Vec<_>>());
        all.add(refusals);
        all.add(&[code::INTERNAL_ERROR, code::TIMEOUT]);
        all
    }

    fn answer(&self, answer: &Answer, is_repeatable: bool, schemas: &mut SchemaGenerator) -> Value {
        let mut names = answer.headers.clone();
        if is_repeatable {
            names.push("Idempotency-Replayed");
        }
        let headers = refusal::headers(&names, self.route.call.need.is_some());
        let mut response = json!({"description": answer.says, "headers": headers});
        if let Some(content) = answer.content(schemas) {
            response["content"] = content;
        }
        if let Some(resource) = answer.names {
            let link = |operation: &String| {
                (operation.clone(), json!({"operationId": operation, "parameters": {"id": "$response.body#/id"}}))
            };
            let links = self.links.iter().filter(|(of, _)| *of == resource).map(|(_, operation)| link(operation));
            response["links"] = links.collect::<Map<_, _>>().into();
        }
        response
    }
}

/// The names of the scopes that permit what is needed.
fn scopes(need: Need) -> Vec<&'static str> {
    Scope::ALL.into_iter().filter(|scope| scope.permits(need)).map(Scope::as_str).collect()
}
