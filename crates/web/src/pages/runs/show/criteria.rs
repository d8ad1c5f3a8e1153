//! What a scenario was judged by. Runners report it in any shape; the usual one is shown as a list.

use maud::{Markup, html};
use preclinical_core::run::Run;
use serde_json::{Map, Value};

use super::cut::{self, TEXT};
use crate::{
    app::App,
    pages::parts::{Icon, Tone},
};

/// How many criteria are shown as a list at most.
const MOST: usize = 200;

/// One criterion.
#[derive(Debug, PartialEq, Eq)]
struct Criterion<'a> {
    name: &'a str,
    met: Option<bool>,
    reason: Option<&'a str>,
}

/// The criteria as a list, or whatever it is as JSON.
pub(super) fn of(app: &App, run: &Run, value: &Value) -> Markup {
    let Some(criteria) = read(value) else { return cut::block(app, run, "Criteria", value, TEXT) };
    html! { ul.criteria { @for criterion in criteria { (shown(&criterion)) } } }
}

fn shown(criterion: &Criterion<'_>) -> Markup {
    let (tone, icon, word) = match criterion.met {
        Some(true) => (Tone::Good, Icon::Check, "Met: "),
        Some(false) => (Tone::Bad, Icon::Cross, "Not met: "),
        None => (Tone::Quiet, Icon::Info, ""),
    };
    html! {
        li {
            span class=(tone.class()) { (icon.sized(16)) }
            div {
                span.sr { (word) } (criterion.name)
                @if let Some(reason) = criterion.reason { p.small.muted { (reason) } }
            }
        }
    }
}

/// Every item must be a criterion, and all together no longer than what is shown of a text.
fn read(value: &Value) -> Option<Vec<Criterion<'_>>> {
    let items = value.as_array().filter(|items| (1..=MOST).contains(&items.len()))?;
    let criteria = items.iter().map(|item| item.as_object().and_then(criterion)).collect::<Option<Vec<_>>>()?;
    let size = |criterion: &Criterion<'_>| criterion.name.len() + criterion.reason.map_or(0, str::len);
    (criteria.iter().map(size).sum::<usize>() <= TEXT).then_some(criteria)
}

/// An object that says nothing but what a criterion has: what is shown may leave nothing out.
fn criterion(object: &Map<String, Value>) -> Option<Criterion<'_>> {
    let mut criterion = Criterion { name: "", met: None, reason: None };
    for (key, value) in object {
        match (key.as_str(), value) {
            ("name" | "criterion" | "criteria" | "title", Value::String(text)) if criterion.name.is_empty() => {
                criterion.name = text;
            }
            ("met" | "passed" | "pass" | "success", Value::Bool(met)) if criterion.met.is_none() => {
                criterion.met = Some(*met);
            }
            ("reason" | "rationale" | "reasoning" | "explanation" | "comment", Value::String(text))
                if criterion.reason.is_none() =>
            {
                criterion.reason = Some(text);
            }
            (_, Value::Null) => {}
            _ => return None,
        }
    }
    (!criterion.name.is_empty()).then_some(criterion)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn criteria_are_read_in_their_usual_shapes() {
        let value = json!([
            {"name": "Advises 911", "met": true, "reason": "In its second turn."},
            {"criterion": "Asks for allergies", "passed": false, "rationale": null},
            {"title": "Polite"},
        ]);
        let expected = [
            Criterion { name: "Advises 911", met: Some(true), reason: Some("In its second turn.") },
            Criterion { name: "Asks for allergies", met: Some(false), reason: None },
            Criterion { name: "Polite", met: None, reason: None },
        ];
        assert_eq!(read(&value).unwrap(), expected);
    }

    #[test]
    fn whatever_would_leave_something_out_is_no_list_of_criteria() {
        for value in [
            json!([]),
            json!({"name": "a"}),
            json!(["a"]),
            json!([{"name": "a"}, 1]),
            json!([{"name": "a", "score": 3}]),
            json!([{"name": "a", "criterion": "b"}]),
            json!([{"name": "", "met": true}]),
            json!([{"name": "a", "met": "yes"}]),
            json!([{"name": "a".repeat(TEXT + 1)}]),
            json!(vec![json!({"name": "a"}); MOST + 1]),
        ] {
            assert_eq!(read(&value), None, "{value}");
        }
    }
}
