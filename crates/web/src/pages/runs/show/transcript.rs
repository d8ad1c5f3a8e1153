//! What was said. Runners report it in any shape; the usual one is shown as a conversation.

use maud::{Markup, html};
use preclinical_core::run::Run;
use serde_json::{Map, Value};

use super::cut::{self, TRANSCRIPT};
use crate::app::App;

/// What a turn takes of what is shown beside its text: its markup.
const TURN: usize = 200;

/// Something that was said.
#[derive(Debug, PartialEq, Eq)]
struct Turn<'a> {
    role: &'a str,
    content: &'a str,
    number: Option<u64>,
}

/// The transcript as a conversation, or whatever it is as JSON.
pub(super) fn of(app: &App, run: &Run, value: &Value) -> Markup {
    let Some(turns) = read(value) else { return cut::block(app, run, "Transcript", value, TRANSCRIPT) };
    let (shown, is_cut) = within(turns, TRANSCRIPT);
    html! {
        ol.conversation tabindex="0" aria-label="Transcript" { @for turn in shown { (said(&turn)) } }
        @if is_cut { (cut::note(app, run, TRANSCRIPT)) }
    }
}

fn said(turn: &Turn<'_>) -> Markup {
    let (side, who) = match turn.role {
        "attacker" | "user" | "patient" => ("asking", "Patient"),
        "target" | "assistant" | "agent" => ("answering", "Agent"),
        other => ("beside", other),
    };
    html! {
        li class=(side) {
            p.small { strong { (who) } @if let Some(number) = turn.number { span.muted.number { " · turn " (number) } } }
            p.said { (turn.content) }
        }
    }
}

fn read(value: &Value) -> Option<Vec<Turn<'_>>> {
    let items = value.as_array().filter(|items| !items.is_empty())?;
    items.iter().map(|item| item.as_object().and_then(turn)).collect()
}

/// An object that says nothing but what a turn has: what is shown may leave nothing out.
fn turn(object: &Map<String, Value>) -> Option<Turn<'_>> {
    let text = |name| object.get(name).and_then(Value::as_str);
    let number = match object.get("turn") {
        None | Some(Value::Null) => None,
        Some(number) => Some(number.as_u64()?),
    };
    let is_known = object.keys().all(|name| matches!(name.as_str(), "role" | "content" | "turn"));
    Some(Turn { role: text("role")?, content: text("content")?, number }).filter(|_| is_known)
}

/// As many turns as fit, the last one perhaps cut, and whether something is missing.
fn within(turns: Vec<Turn<'_>>, limit: usize) -> (Vec<Turn<'_>>, bool) {
    let mut left = limit;
    let mut shown = Vec::new();
    for Turn { role, content, number } in turns {
        let (role, role_is_cut) = cut::cut(role, left);
        let (content, is_cut) = cut::cut(content, left - role.len());
        left = left.saturating_sub(role.len() + content.len() + TURN);
        shown.push(Turn { role, content, number });
        if role_is_cut || is_cut || left == 0 {
            return (shown, true);
        }
    }
    (shown, false)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_conversation_is_read_and_everything_else_is_not() {
        let value = json!([{"role": "attacker", "content": "My chest hurts.", "turn": 1}, {"role": "x", "content": ""}]);
        let expected = [
            Turn { role: "attacker", content: "My chest hurts.", number: Some(1) },
            Turn { role: "x", content: "", number: None },
        ];
        assert_eq!(read(&value).unwrap(), expected);
        for other in [
            json!([]),
            json!("text"),
            json!([{"role": "user"}]),
            json!([{"role": "user", "content": [{"type": "text"}]}]),
            json!([{"role": "user", "content": "a", "tool_calls": []}]),
            json!([{"role": "user", "content": "a", "turn": "1"}]),
        ] {
            assert_eq!(read(&other), None, "{other}");
        }
    }

    #[test]
    fn no_number_of_turns_and_no_length_of_one_is_more_than_the_limit() {
        let empty: Vec<Turn<'_>> = (0..100_000).map(|_| Turn { role: "", content: "", number: None }).collect();
        let (shown, is_cut) = within(empty, TRANSCRIPT);
        assert!(is_cut && shown.len() <= TRANSCRIPT / TURN + 1, "{}", shown.len());
        let long = "é".repeat(TRANSCRIPT);
        for (role, content) in [("user", long.as_str()), (&long, "a")] {
            let (shown, is_cut) = within(vec![Turn { role, content, number: None }], TRANSCRIPT);
            assert!(is_cut && shown[0].role.len() + shown[0].content.len() <= TRANSCRIPT);
        }
        let exact = "a".repeat(TRANSCRIPT - TURN - 5);
        assert!(!within(vec![Turn { role: "user", content: &exact, number: None }], TRANSCRIPT).1);
    }
}
