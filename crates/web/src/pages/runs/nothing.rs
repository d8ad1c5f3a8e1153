//! Instead of the list: what to do so that a run appears in it.

use maud::{Markup, html};
use preclinical_core::agent::Agent;

use crate::{
    app::App,
    pages::{
        door::Visitor,
        parts::{self, Icon},
    },
};

/// How the first run comes here, for an agent if there is one.
pub(super) fn reported_yet(app: &App, visitor: &Visitor, agent: Option<&Agent>) -> Markup {
    let (title, why) = match agent {
        Some(_) => ("No runs yet", "A run appears here as soon as one is reported. There are two ways to report one."),
        None => (
            "No agents yet",
            "A run is a test of an agent. Add the agent first, or let the report command create it with its first run.",
        ),
    };
    let action = html! {
        @if agent.is_none() && visitor.member.role.may_change() {
            a.button.primary href="/agents" { (Icon::Plus.sized(16)) "Add an agent" }
        }
    };
    let icon = if agent.is_some() { Icon::Runs } else { Icon::Agents };
    html! {
        div.stack {
            section.card { (parts::empty(icon, title, &html! { (why) }, &action)) }
            div.stack {
                (parts::card("With the report command", Some("It takes the result files of your test tool: JUnit XML, CTRF or promptfoo."),
                    &parts::code("report-command", &command(app, agent), "The report command")))
                (parts::card("With the API", Some("For a runner of your own."),
                    &parts::code("report-call", &calls(app, agent), "The calls of the API")))
            }
            p.small.muted {
                "Both need a key of the API with the scope " code { "report" } ". "
                a href="/settings/api-keys" { "API keys" } " · " a href="/api/docs" { "The API described" }
            }
        }
    }
}

fn command(app: &App, agent: Option<&Agent>) -> String {
    let (name, create) = match agent {
        Some(agent) => (quoted(&agent.name), ""),
        None => ("'Triage agent'".to_owned(), " --create-agent"),
    };
    format!(
        "export PRECLINICAL_API_URL={}\nexport PRECLINICAL_API_KEY=sk_live_…\n\n\
         preclinical-webhooks report results.xml \\\n  --agent {name}{create}",
        quoted(&app.public_url)
    )
}

fn calls(app: &App, agent: Option<&Agent>) -> String {
    let url = quoted(&format!("{}/api/v1", app.public_url));
    let agent = agent.map_or("ID-OF-THE-AGENT".to_owned(), |agent| agent.id.to_string());
    let headers = "-H \"Authorization: Bearer $PRECLINICAL_API_KEY\" \\\n  -H 'Content-Type: application/json'";
    format!(
        "# Begin a run. The answer holds its id.\n\
         curl -sS {url}/runs \\\n  {headers} \\\n  -d '{{\"agent_id\": \"{agent}\"}}'\n\n\
         # End it. Its webhook is sent now.\n\
         curl -sS {url}/runs/ID-OF-THE-RUN/complete \\\n  {headers} \\\n  -d '{{\"passed_count\": 17, \"failed_count\": 3}}'"
    )
}

/// A text as a shell takes it, whatever is in it.
fn quoted(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/:._-".contains(&byte);
    if !text.is_empty() && text.bytes().all(is_plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_a_command_is_never_more_than_a_name() {
        assert_eq!(quoted("https://hooks.example.com:8443/a_b-c"), "https://hooks.example.com:8443/a_b-c");
        assert_eq!(quoted("Triage agent"), "'Triage agent'");
        assert_eq!(quoted("$(reboot) `reboot`; \"'"), r#"'$(reboot) `reboot`; "'\'''"#);
        assert_eq!(quoted(""), "''");
    }
}
