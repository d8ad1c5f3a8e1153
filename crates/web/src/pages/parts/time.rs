//! Points in time: in UTC as they are sent, in the reader's own zone once the script runs.

use jiff::Timestamp;
use maud::{Markup, html};

/// The whole of it.
pub(in crate::pages) fn time(at: Timestamp) -> Markup {
    shown(at, "full")
}

/// How long ago it was.
pub(in crate::pages) fn ago(at: Timestamp) -> Markup {
    shown(at, "ago")
}

/// How long it is until then, counted down.
pub(in crate::pages) fn countdown(at: Timestamp) -> Markup {
    shown(at, "countdown")
}

fn shown(at: Timestamp, style: &str) -> Markup {
    html! { time datetime=(at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ")) data-time=(style) { (in_utc(at)) } }
}

/// `25 Nov 2026, 08:51:02 UTC`
pub(in crate::pages) fn in_utc(at: Timestamp) -> String {
    at.strftime("%-d %b %Y, %H:%M:%S UTC").to_string()
}

/// `250 ms`, `1.4 s`, `3 min 20 s`
pub(in crate::pages) fn duration(milliseconds: u64) -> String {
    match milliseconds {
        0..1_000 => format!("{milliseconds} ms"),
        1_000..60_000 => format!("{}.{} s", milliseconds / 1000, milliseconds % 1000 / 100),
        60_000..3_600_000 => format!("{} min {} s", milliseconds / 60_000, milliseconds % 60_000 / 1000),
        _ => format!("{} h {} min", milliseconds / 3_600_000, milliseconds % 3_600_000 / 60_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_shown_in_utc_and_marked_up_for_machines() {
        let at: Timestamp = "2026-01-30T10:32:45.123456Z".parse().unwrap();
        let expected = r#"<time datetime="2026-01-30T10:32:45.123Z" data-time="ago">30 Jan 2026, 10:32:45 UTC</time>"#;
        assert_eq!(ago(at).into_string(), expected);
    }

    #[test]
    fn a_duration_is_as_long_as_it_is_useful() {
        let shown = [0, 999, 1_000, 1_449, 59_999, 60_000, 200_500, 3_600_000, 90_000_000].map(duration);
        let expected = ["0 ms", "999 ms", "1.0 s", "1.4 s", "59.9 s", "1 min 0 s", "3 min 20 s", "1 h 0 min", "25 h 0 min"];
        assert_eq!(shown, expected);
    }
}
