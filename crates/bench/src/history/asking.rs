//! Asks each question over one connection, takes the time and checks every answer.

use std::{
    fmt,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use bytes::Bytes;
use http::Method;
use serde_json::Value;
use uuid::Uuid;

use super::{oracle::Answer, questions::Question};
use crate::{
    client::Api,
    figures::{Spread, ms},
};

/// How often each question is asked, after once that does not count.
pub(super) const TIMES: usize = 30;

/// One that takes this long in all is asked no further.
const ENOUGH: Duration = Duration::from_secs(20);

/// What every list should be done within, in milliseconds.
pub(super) const GOAL_MS: f64 = 50.0;

/// How long the answers took, in milliseconds: to each question, each time.
#[derive(Debug, Default)]
pub(super) struct Answers(pub(super) Vec<(String, Vec<f64>)>);

impl fmt::Display for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let median = |took: &Vec<f64>| Spread::of(took.iter().copied()).map_or(0.0, |took| took.median);
        let missed = self.0.iter().filter(|(_, took)| median(took) > GOAL_MS).count();
        write!(f, "{} questions, {missed} of them over {GOAL_MS} ms", self.0.len())
    }
}

/// Asks all.
pub(super) async fn all(api: &Api, questions: &[Question]) -> anyhow::Result<Answers> {
    let mut answers = Vec::new();
    for question in questions {
        let took = ask(api, question).await.with_context(|| question.what.clone())?;
        answers.push((question.what.clone(), took));
    }
    Ok(Answers(answers))
}

async fn ask(api: &Api, question: &Question) -> anyhow::Result<Vec<f64>> {
    let path = turned(api, question).await?;
    let (method, body) = match &question.body {
        Some(body) => (Method::POST, Bytes::from(serde_json::to_vec(body)?)),
        None => (Method::GET, Bytes::new()),
    };
    let (mut took, began) = (Vec::new(), Instant::now());
    for time in 0..=TIMES {
        let asked = Instant::now();
        let answer = api.call(method.clone(), &path, body.clone()).await?;
        let elapsed = asked.elapsed();
        let answer = read(&question.expected, &serde_json::from_slice(&answer)?)?;
        ensure!(answer == question.expected, "answered {answer:?} instead of {:?}", question.expected);
        if time > 0 {
            took.push(ms(elapsed));
        }
        if began.elapsed() > ENOUGH && !took.is_empty() {
            break;
        }
    }
    Ok(took)
}

/// The path of the page that is asked for, behind those that lie before it.
async fn turned(api: &Api, question: &Question) -> anyhow::Result<String> {
    let mut path = question.path.clone();
    for _ in 0..question.turn {
        let page = api.get(&path).await?;
        let cursor = page["next_cursor"].as_str().context("there are fewer pages")?;
        path = format!("{}&cursor={cursor}", question.path);
    }
    Ok(path)
}

/// An answer of the same kind as what is expected.
fn read(expected: &Answer, answer: &Value) -> anyhow::Result<Answer> {
    Ok(match expected {
        Answer::Page { .. } => Answer::Page { ids: ids(&answer["deliveries"])?, more: answer["next_cursor"].is_string() },
        Answer::Counted { of, .. } => {
            let total = answer["total"].as_u64().context("a list without its total")?;
            Answer::Counted { of, ids: ids(&answer[of])?, total }
        }
        Answer::Count(_) => Answer::Count(answer["count"].as_u64().context("a dry run without a count")?),
    })
}

fn ids(rows: &Value) -> anyhow::Result<Vec<Uuid>> {
    let rows = rows.as_array().context("a list without rows")?;
    rows.iter().map(|row| Ok(row["id"].as_str().context("a row without an id")?.parse()?)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_answer_with_other_rows_another_total_or_another_end_is_another_answer() {
        let id = Uuid::from_u128(7);
        let page = Answer::Page { ids: vec![id], more: false };
        let right = json!({"deliveries": [{"id": id}], "next_cursor": null});
        assert_eq!(read(&page, &right).unwrap(), page);
        let rows = [json!([]), json!([{"id": Uuid::nil()}]), json!([{"id": id}, {"id": id}])];
        let others = rows.map(|rows| json!({"deliveries": rows, "next_cursor": null}));
        for wrong in others.into_iter().chain([json!({"deliveries": [{"id": id}], "next_cursor": "more"})]) {
            assert_ne!(read(&page, &wrong).unwrap(), page, "{wrong}");
        }
        let counted = Answer::Counted { of: "runs", ids: vec![id], total: 2 };
        for (total, is_right) in [(2, true), (1, false)] {
            assert_eq!(read(&counted, &json!({"runs": [{"id": id}], "total": total})).unwrap() == counted, is_right);
        }
        assert!(read(&counted, &json!({"runs": []})).is_err());
    }
}
