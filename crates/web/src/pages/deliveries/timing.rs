//! Where the time of an attempt went, as a bar.

use std::time::Duration;

use maud::{Markup, html};
use preclinical_core::attempt::Attempt;

/// How wide the bar is drawn; the page stretches it.
const WIDTH: u64 = 1000;

/// A part of an attempt's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Part {
    name: &'static str,
    class: &'static str,
    micros: u64,
}

/// A bar and its legend; nothing where no part is known.
pub(super) fn shown(attempt: &Attempt) -> Markup {
    let parts = parts(attempt);
    let all: u64 = parts.iter().map(|part| part.micros).sum();
    html! {
        @if all > 0 {
            div.timing {
                div.bar aria-hidden="true" {
                    svg viewBox={ "0 0 " (WIDTH) " 8" } preserveAspectRatio="none" {
                        @for (part, x, width) in placed(&parts, all) {
                            rect class=(part.class) x=(x) y="0" width=(width) height="8" {}
                        }
                    }
                }
                dl.timing-legend {
                    @for part in &parts { div { dt class=(part.class) { (part.name) } dd.number { (precise(part.micros)) } } }
                }
            }
        }
    }
}

/// What is known, in its order. What no other part took was the rest of the answer.
fn parts(attempt: &Attempt) -> Vec<Part> {
    let timing = attempt.timing;
    let known = [
        ("Name", "time-resolve", timing.resolve),
        ("Connection", "time-connect", timing.connect),
        ("TLS", "time-tls", timing.tls),
        ("Waiting for the answer", "time-first-byte", timing.first_byte),
    ];
    let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    let part = |(name, class, time): (_, _, Option<Duration>)| Some(Part { name, class, micros: micros(time?) });
    let mut parts: Vec<Part> = known.into_iter().filter_map(part).collect();
    let all = attempt.duration_ms.unwrap_or(0).saturating_mul(1000);
    let rest = parts.iter().fold(all, |rest, part| rest.saturating_sub(part.micros));
    // Below the precision of the whole it says nothing.
    if timing.first_byte.is_some() && rest >= 1000 {
        parts.push(Part { name: "Rest", class: "time-rest", micros: rest });
    }
    parts
}

/// Each part with its place and its width.
fn placed(parts: &[Part], all: u64) -> Vec<(Part, u64, u64)> {
    let place = |before: u64| before.saturating_mul(WIDTH) / all.max(1);
    let mut before = 0;
    let placed = parts.iter().map(|part| {
        let x = place(before);
        before += part.micros;
        (*part, x, place(before) - x)
    });
    placed.collect()
}

/// `<0.1 ms`, `0.3 ms`, `12 ms`, `1.4 s`
fn precise(micros: u64) -> String {
    match micros {
        0..100 => "<0.1 ms".to_owned(),
        100..10_000 => format!("{}.{} ms", micros / 1000, micros % 1000 / 100),
        _ => crate::pages::parts::time::duration(micros / 1000),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use preclinical_core::timing::Timing;

    use super::*;

    fn attempt(duration_ms: Option<u64>, timing: Timing) -> Attempt {
        Attempt {
            number: 1,
            started_at: Timestamp::UNIX_EPOCH,
            duration_ms,
            timing,
            http_status: None,
            error: None,
            request: None,
            response: None,
        }
    }

    #[test]
    fn the_parts_fill_the_whole_and_what_is_left_is_the_rest() {
        let micros = |micros| Some(Duration::from_micros(micros));
        let timing = Timing { resolve: micros(500), connect: micros(1500), tls: micros(8000), first_byte: micros(20_000) };
        let parts = parts(&attempt(Some(40), timing));
        let shown: Vec<_> = parts.iter().map(|part| (part.name, precise(part.micros))).collect();
        let expected = [
            ("Name", "0.5 ms"),
            ("Connection", "1.5 ms"),
            ("TLS", "8.0 ms"),
            ("Waiting for the answer", "20 ms"),
            ("Rest", "10 ms"),
        ];
        assert_eq!(shown, expected.map(|(name, time)| (name, time.to_owned())));
        let places: Vec<_> = placed(&parts, 40_000).into_iter().map(|(_, x, width)| (x, width)).collect();
        assert_eq!(places, [(0, 12), (12, 38), (50, 200), (250, 500), (750, 250)]);
    }

    #[test]
    fn without_a_known_part_nothing_is_shown() {
        assert_eq!(shown(&attempt(None, Timing::default())).into_string(), "");
        assert_eq!(shown(&attempt(Some(3), Timing::default())).into_string(), "");
        let reused = Timing { first_byte: Some(Duration::from_micros(700)), ..Timing::default() };
        assert!(shown(&attempt(Some(0), reused)).into_string().contains("0.7 ms"));
    }
}
