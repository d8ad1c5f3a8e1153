//! What an endpoint says about itself.

use schemars::JsonSchema;

use super::{answer::Answer, field::Object, parameter::Parameter, resource::Resource};
use crate::error::code::{self, Code};

macro_rules! topics {
    ($($topic:ident $name:literal $says:literal)*) => {
        /// What a call is about.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Topic { $($topic),* }

        impl Topic {
            /// All of them, in the order in which people meet them.
            pub(super) const ALL: &[Self] = &[$(Self::$topic),*];

            pub(super) fn name(self) -> &'static str {
                match self { $(Self::$topic => $name),* }
            }

            pub(super) fn says(self) -> &'static str {
                match self { $(Self::$topic => $says),* }
            }
        }
    };
}

topics! {
    Runs "Runs" "Tests of agents, from their creation to their results."
    Agents "Agents" "The AI agents under test."
    Webhooks "Webhooks" "Where to send when a run ends: one webhook for the organization, one for each agent."
    Deliveries "Deliveries" "Every request that was sent or will be, down to the bytes."
    Redeliveries "Bulk redeliveries" "Many deliveries repeated by one order."
    TestSuites "Test suites" "What runs are made of."
    ApiKeys "API keys" "Who may call."
    Live "Live" "What happens, as server-sent events."
    Server "Server" "The server itself, and its description. These calls need no key."
}

/// What a call takes and answers. What follows from its route, its method and these is added by the document.
pub(crate) struct Description {
    pub(super) operation: &'static str,
    pub(super) topic: Topic,
    pub(super) summary: &'static str,
    pub(super) text: Option<&'static str>,
    pub(super) names: Option<Resource>,
    pub(super) parameters: Vec<Parameter>,
    pub(super) body: Option<Object>,
    pub(super) answers: Vec<Answer>,
    pub(super) refusals: Vec<Code>,
}

impl Description {
    /// A call under the name that generated clients give it, and what it does in a few words.
    pub(crate) fn new(topic: Topic, operation: &'static str, summary: &'static str) -> Self {
        Self {
            operation,
            topic,
            summary,
            text: None,
            names: None,
            parameters: Vec::new(),
            body: None,
            answers: Vec::new(),
            refusals: Vec::new(),
        }
    }

    /// What else callers need to know.
    pub(crate) fn text(self, text: &'static str) -> Self {
        Self { text: Some(text), ..self }
    }

    /// What the `{id}` of the path names.
    pub(crate) fn of(self, resource: Resource) -> Self {
        Self { names: Some(resource), ..self }
    }

    pub(crate) fn parameter(mut self, parameter: Parameter) -> Self {
        self.parameters.push(parameter);
        self
    }

    pub(crate) fn parameters(mut self, parameters: impl IntoIterator<Item = Parameter>) -> Self {
        self.parameters.extend(parameters);
        self
    }

    /// The fields of the body.
    pub(crate) fn body(self, fields: Object) -> Self {
        Self { body: Some(fields), ..self }
    }

    fn answer(mut self, answer: Answer) -> Self {
        self.answers.push(answer);
        self
    }

    pub(crate) fn ok<T: JsonSchema>(self, says: &'static str) -> Self {
        self.answer(Answer::json::<T>(200, says))
    }

    pub(crate) fn created<T: JsonSchema>(self, says: &'static str) -> Self {
        self.answer(Answer::json::<T>(201, says))
    }

    pub(crate) fn accepted<T: JsonSchema>(self, says: &'static str) -> Self {
        self.answer(Answer::json::<T>(202, says))
    }

    pub(crate) fn no_content(self, says: &'static str) -> Self {
        self.answer(Answer::nothing(204, says))
    }

    /// A page under the plural name of what is in it, with the parameters that choose it.
    pub(crate) fn page<T: JsonSchema>(self, of: &'static str) -> Self {
        self.parameters([Parameter::limit(), Parameter::offset()]).answer(Answer::page::<T>(of))
    }

    pub(crate) fn answers_text(self, media_type: &'static str, says: &'static str) -> Self {
        self.answer(Answer::text(media_type, says))
    }

    /// A stream of events, each with such data.
    pub(crate) fn answers_events<T: JsonSchema>(self, says: &'static str) -> Self {
        self.answer(Answer::events::<T>(says))
    }

    /// The answer is this very document.
    pub(crate) fn answers_document(self) -> Self {
        self.answer(Answer::document())
    }

    fn on_last(mut self, change: impl FnOnce(&mut Answer)) -> Self {
        if let Some(answer) = self.answers.last_mut() {
            change(answer);
        }
        self
    }

    /// The last answer says where the resource is that its body shows.
    pub(crate) fn located(self, resource: Resource) -> Self {
        self.on_last(|answer| {
            answer.headers.push("Location");
            answer.names = Some(resource);
        })
    }

    /// The last answer has an ETag.
    pub(crate) fn tagged(self) -> Self {
        self.on_last(|answer| answer.headers.push("ETag"))
    }

    /// `If-None-Match` is understood.
    pub(crate) fn unless_known(self) -> Self {
        let mut known = Answer::nothing(304, "It still is as the caller has it.");
        known.headers.push("ETag");
        self.tagged().answer(known).parameter(Parameter::if_none_match())
    }

    /// `If-Match` is understood.
    pub(crate) fn if_unchanged(self) -> Self {
        self.parameter(Parameter::if_match()).refuses(code::PRECONDITION_FAILED)
    }

    /// A refusal that does not follow from what else is said here.
    pub(crate) fn refuses(mut self, code: Code) -> Self {
        self.refusals.push(code);
        self
    }
}
