//! What the server is asked.

use rusqlite::Connection;
use serde_json::{Value, json};
use uuid::Uuid;

use super::oracle::{Answer, Oracle};
use crate::originals::Owner;

const DELIVERIES: &str = "/api/v1/webhooks/deliveries";

/// Rows of a page unless told otherwise, and at most.
const PAGE: usize = 20;
const LONGEST_PAGE: usize = 100;

/// How many of the longest pages lie before the deep one.
const DEEP: usize = 200;

/// A call, and what it must be answered with.
pub(super) struct Question {
    pub(super) what: String,
    pub(super) path: String,
    /// Posted if there is one.
    pub(super) body: Option<Value>,
    /// How many pages to turn first.
    pub(super) turn: usize,
    pub(super) expected: Answer,
}

struct Asker<'a> {
    oracle: Oracle<'a>,
    questions: Vec<Question>,
}

/// All questions; the first owner's webhook is its agent's, the second's the organization's.
pub(super) fn all(connection: &Connection, owners: &[Owner; 2]) -> anyhow::Result<Vec<Question>> {
    let mut asker = Asker { oracle: Oracle(connection), questions: Vec::new() };
    asker.deliveries(owners)?;
    asker.searches()?;
    asker.pages(owners)?;
    asker.runs(owners)?;
    asker.redeliveries(owners)?;
    Ok(asker.questions)
}

fn is(column: &str, id: Uuid) -> String {
    format!("{column} = x'{}'", id.simple())
}

impl Asker<'_> {
    fn add(&mut self, what: &str, path: String, expected: Answer) {
        self.questions.push(Question { what: what.to_owned(), path, body: None, turn: 0, expected });
    }

    /// A page of the history: the query, and the same as a condition on rows.
    fn history(&mut self, what: &str, query: &str, condition: &str) -> anyhow::Result<()> {
        let expected = self.oracle.page(condition, PAGE, 0)?;
        self.add(&format!("deliveries, {what}"), format!("{DELIVERIES}?{query}"), expected);
        Ok(())
    }

    fn deliveries(&mut self, [own, shared]: &[Owner; 2]) -> anyhow::Result<()> {
        let (begin, end, window) = self.window()?;
        let (own_webhook, shared_webhook) = (is("webhook_id", own.webhook), is("webhook_id", shared.webhook));
        let (own_agent, shared_agent) = (is("agent_id", own.agent), is("agent_id", shared.agent));
        let run = self.oracle.id("SELECT run_id FROM deliveries WHERE status = 'failed' LIMIT 1")?;
        self.history("no filter", "", "1")?;
        for status in ["delivered", "failed", "pending", "canceled"] {
            self.history(&format!("`status={status}`"), &format!("status={status}"), &format!("status = '{status}'"))?;
        }
        let during = format!("created_after={begin}&created_before={end}");
        let (Owner { agent, webhook }, other) = (own, shared);
        let cases = [
            ("`webhook_id`", format!("webhook_id={webhook}"), own_webhook.clone()),
            ("`agent_id`", format!("agent_id={agent}"), own_agent.clone()),
            ("`run_id`", format!("run_id={run}"), is("run_id", run)),
            ("a day", during.clone(), window.clone()),
            (
                "`status=failed`, `webhook_id`: many",
                format!("status=failed&webhook_id={}", other.webhook),
                format!("status = 'failed' AND {shared_webhook}"),
            ),
            (
                "`status=failed`, `webhook_id`: only old ones",
                format!("status=failed&webhook_id={webhook}"),
                format!("status = 'failed' AND {own_webhook}"),
            ),
            (
                "`status=failed`, `agent_id`: only old ones",
                format!("status=failed&agent_id={agent}"),
                format!("status = 'failed' AND {own_agent}"),
            ),
            (
                "`status=canceled`, `webhook_id`: none",
                format!("status=canceled&webhook_id={webhook}"),
                format!("status = 'canceled' AND {own_webhook}"),
            ),
            (
                "`status=canceled`, `agent_id`, a day",
                format!("status=canceled&agent_id={}&{during}", other.agent),
                format!("status = 'canceled' AND {shared_agent} AND {window}"),
            ),
            (
                "`status=failed`, `agent_id`, a day: none",
                format!("status=failed&agent_id={agent}&{during}"),
                format!("status = 'failed' AND {own_agent} AND {window}"),
            ),
            (
                "`webhook_id`, `agent_id`",
                format!("webhook_id={webhook}&agent_id={agent}"),
                format!("{own_webhook} AND {own_agent}"),
            ),
            (
                "`webhook_id`, `agent_id`: none",
                format!("webhook_id={webhook}&agent_id={}", other.agent),
                format!("{own_webhook} AND {shared_agent}"),
            ),
            (
                "`status=delivered`, `webhook_id`, `agent_id`: none",
                format!("status=delivered&webhook_id={}&agent_id={agent}", other.webhook),
                format!("status = 'delivered' AND {shared_webhook} AND {own_agent}"),
            ),
        ];
        cases.iter().try_for_each(|(what, query, condition)| self.history(what, query, condition))
    }

    /// The day before the last ten, as the API takes it and as a condition.
    fn window(&self) -> anyhow::Result<(String, String, String)> {
        let at = |days: u32| {
            let then = format!("max(created_at) / 1000000 - {days} * 86400");
            let text =
                self.oracle.text(&format!("SELECT strftime('%Y-%m-%dT%H:%M:%SZ', {then}, 'unixepoch') FROM deliveries"))?;
            let us = self.oracle.text(&format!("SELECT CAST(({then}) * 1000000 AS TEXT) FROM deliveries"))?;
            anyhow::Ok((text, us))
        };
        let ((begin, after), (end, before)) = (at(11)?, at(10)?);
        Ok((begin, end, format!("created_at >= {after} AND created_at < {before}")))
    }

    fn searches(&mut self) -> anyhow::Result<()> {
        let middle = "FROM deliveries WHERE status = 'failed' LIMIT 1";
        let delivery = self.oracle.id(&format!("SELECT id {middle}"))?;
        let number = self.oracle.text(&format!("SELECT CAST(run_number AS TEXT) {middle}"))?;
        self.history("`q=` a run's number", &format!("q=TR-{number}"), &format!("run_number = {number}"))?;
        self.history("`q=` a delivery's id", &format!("q={delivery}"), &is("id", delivery))?;
        self.history("`q=` an id of nothing", "q=0190b6a0-0000-7000-8000-000000000000", "0")?;
        self.history("`q=` some words", "q=some+words", "0")
    }

    fn pages(&mut self, [own, _]: &[Owner; 2]) -> anyhow::Result<()> {
        let longest = self.oracle.page("1", LONGEST_PAGE, 0)?;
        self.add("deliveries, `limit=100`", format!("{DELIVERIES}?limit={LONGEST_PAGE}"), longest);
        for (what, condition, filter) in [
            ("deliveries, page 201 of 100", "1".to_owned(), String::new()),
            (
                "deliveries, `webhook_id`, page 201 of 100",
                is("webhook_id", own.webhook),
                format!("&webhook_id={}", own.webhook),
            ),
            ("deliveries, `status=failed`, page 201 of 100", "status = 'failed'".to_owned(), "&status=failed".to_owned()),
        ] {
            let expected = self.oracle.page(&condition, LONGEST_PAGE, DEEP * LONGEST_PAGE)?;
            if matches!(&expected, Answer::Page { ids, .. } if ids.is_empty()) {
                continue;
            }
            self.add(what, format!("{DELIVERIES}?limit={LONGEST_PAGE}{filter}"), expected);
            self.questions.iter_mut().last().into_iter().for_each(|question| question.turn = DEEP);
        }
        let of_webhook = self.oracle.page(&is("webhook_id", own.webhook), PAGE, 0)?;
        self.add("webhook's deliveries", format!("/api/v1/webhooks/{}/deliveries", own.webhook), of_webhook);
        let webhooks = self.oracle.webhooks()?;
        self.add("webhooks", "/api/v1/webhooks".to_owned(), webhooks);
        Ok(())
    }

    fn runs(&mut self, [own, _]: &[Owner; 2]) -> anyhow::Result<()> {
        let half = usize::try_from(self.oracle.count("runs")?)? / 2;
        let agent = (is("agent_id", own.agent), format!("agent_id={}", own.agent));
        let (completed, failed) = ("status = 'completed'", "status = 'failed'");
        for (what, condition, query, offset) in [
            ("no filter", "1", String::new(), 0),
            ("`status=completed`", completed, "status=completed".to_owned(), 0),
            ("`status=failed`", failed, "status=failed".to_owned(), 0),
            ("`status=running`: none", "status = 'running'", "status=running".to_owned(), 0),
            ("`agent_id`", &agent.0, agent.1.clone(), 0),
            ("`status=failed`, `agent_id`", &format!("{failed} AND {}", agent.0), format!("status=failed&{}", agent.1), 0),
            ("`offset` in the middle", "1", String::new(), half),
            ("`status=completed`, `offset` at half of all", completed, "status=completed".to_owned(), half),
            ("`agent_id`, `offset` at a quarter of all", &agent.0, agent.1.clone(), half / 2),
        ] {
            let expected = self.oracle.runs(condition, PAGE, offset)?;
            self.add(&format!("runs, {what}"), format!("/api/v1/runs?{query}&offset={offset}"), expected);
        }
        Ok(())
    }

    fn redeliveries(&mut self, [own, _]: &[Owner; 2]) -> anyhow::Result<()> {
        let (begin, end, window) = self.window()?;
        let webhook = is("webhook_id", own.webhook);
        for (what, filter, condition) in [
            ("all failed", json!({}), "status = 'failed'".to_owned()),
            ("failed of a webhook", json!({"webhook_id": own.webhook}), format!("status = 'failed' AND {webhook}")),
            (
                "failed of a day",
                json!({"created_after": begin, "created_before": end}),
                format!("status = 'failed' AND {window}"),
            ),
            (
                "delivered of a webhook and a day",
                json!({"status": "delivered", "webhook_id": own.webhook, "created_after": begin, "created_before": end}),
                format!("status = 'delivered' AND {webhook} AND {window}"),
            ),
            ("all delivered", json!({"status": "delivered"}), "status = 'delivered'".to_owned()),
        ] {
            let mut body = filter;
            body["dry_run"] = json!(true);
            let expected = Answer::Count(self.oracle.count(&format!("deliveries NOT INDEXED WHERE {condition}"))?);
            self.add(&format!("redelivery, dry run: {what}"), "/api/v1/webhooks/redeliveries".to_owned(), expected);
            self.questions.iter_mut().last().into_iter().for_each(|question| question.body = Some(body.clone()));
        }
        Ok(())
    }
}
