//! When a delivery is tried again, drawn.

use std::time::Duration;

use maud::{Markup, html};
use preclinical_core::retry::RetrySchedule;

/// The attempts of a delivery on a line of time.
pub(in crate::pages) fn schedule(schedule: &RetrySchedule, timeout: Duration) -> Markup {
    let mut after = Duration::ZERO;
    let retries: Vec<_> = schedule
        .waits()
        .iter()
        .map(|wait| {
            after += *wait;
            (words(*wait), words(after))
        })
        .collect();
    html! {
        div.schedule-box {
            ol.schedule tabindex="0" aria-label="Attempts of a delivery" {
                li { strong { "At once" } span { "1st attempt" } }
                @for (index, (wait, after)) in retries.iter().enumerate() {
                    li {
                        strong { "+ " (wait) }
                        span { (ordinal(index + 2)) " attempt" @if index > 0 { ", " (after) " in all" } }
                    }
                }
            }
        }
        p.small.muted {
            "Each wait begins when the attempt before has ended. An attempt fails if the answer is not 2xx, or not complete within "
            (words(timeout)) ". After the last one the delivery has failed; it can be redelivered by hand at any time."
        }
    }
}

fn words(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, 0) => format!("{} ms", duration.as_millis()),
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, 0) => format!("{minutes} min"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, 0, _) => format!("{hours} h"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

fn ordinal(number: usize) -> String {
    let ending = match (number % 10, number % 100) {
        (1, teens) if teens != 11 => "st",
        (2, teens) if teens != 12 => "nd",
        (3, teens) if teens != 13 => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_schedule_has_four_attempts() {
        let drawn = schedule(&RetrySchedule::default(), Duration::from_secs(15)).into_string();
        let expected = [
            "At once",
            "+ 1 min",
            "2nd attempt",
            "+ 5 min",
            "3rd attempt, 6 min",
            "+ 30 min",
            "4th attempt, 36 min",
            "within 15 s",
        ];
        for text in expected {
            assert!(drawn.contains(text), "{text} in {drawn}");
        }
        assert_eq!(drawn.matches("<li>").count(), 4);
    }

    #[test]
    fn counting_goes_on_in_english() {
        let counted = [1, 2, 3, 4, 11, 12, 13, 21, 22, 23].map(ordinal);
        assert_eq!(counted, ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "22nd", "23rd"]);
    }
}
