//! Which requests a receiver fails on purpose: `503x2` is "503 twice, then as it should be".

use std::{collections::VecDeque, str::FromStr};

use axum::http::StatusCode;

const MOST_TIMES: u32 = 1_000_000;

/// The failures that are still to come, first to last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Script(VecDeque<(StatusCode, u32)>);

impl Script {
    /// The status of the next answer; `None` once the script has been played.
    pub(crate) fn next(&mut self) -> Option<StatusCode> {
        let (status, times) = self.0.front_mut()?;
        let status = *status;
        *times -= 1;
        if *times == 0 {
            self.0.pop_front();
        }
        Some(status)
    }
}

impl FromStr for Script {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let step = |step: &str| {
            let (status, times) = step.trim().split_once('x').unwrap_or((step.trim(), "1"));
            let status = status.parse::<u16>().ok().filter(|code| (200..600).contains(code))?;
            let times = times.parse().ok().filter(|times| (1..=MOST_TIMES).contains(times))?;
            Some((StatusCode::from_u16(status).ok()?, times))
        };
        let steps: Option<VecDeque<_>> = text.split(',').map(step).collect();
        steps.map(Self).ok_or_else(|| "must be statuses and how often, such as 503x2 or 503x2,404".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_played_once_in_its_order() {
        let mut script: Script = "503x2,404".parse().unwrap();
        let played: Vec<u16> = std::iter::from_fn(|| script.next()).map(|status| status.as_u16()).collect();
        assert_eq!(played, [503, 503, 404]);
    }

    #[test]
    fn nonsense_is_refused() {
        for wrong in ["", "503x0", "99", "600", "x2", "503x-1", "503x", "503x99999999"] {
            assert!(wrong.parse::<Script>().is_err(), "{wrong}");
        }
    }
}
