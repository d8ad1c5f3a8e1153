//! The drawing: runs from left to right at equal distances, rates from 0 to 100% upwards.

use jiff::Timestamp;
use maud::{Markup, html};
use preclinical_core::run::Run;

use super::series::{Point, Series};
use crate::pages::{parts::time, runs::verdicts};

/// How large a drawing is, in its own units, and how many dates fit below it.
#[derive(Clone, Copy)]
pub(super) struct Size {
    width: u32,
    height: u32,
    dates: u32,
}

pub(super) const WIDE: Size = Size { width: 880, height: 250, dates: 6 };
pub(super) const NARROW: Size = Size { width: 280, height: 190, dates: 3 };

/// What lies around the plot: labels of rates to its left, dates below it.
const LEFT: f64 = 42.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 28.0;

/// With more points than this their marks are small.
const FEW: u32 = 40;

/// Rates that have a line and a label.
const RATES: [u32; 5] = [0, 25, 50, 75, 100];

struct Plot {
    size: Size,
    count: u32,
}

impl Plot {
    fn right(&self) -> f64 {
        f64::from(self.size.width) - RIGHT
    }

    fn bottom(&self) -> f64 {
        f64::from(self.size.height) - BOTTOM
    }

    /// A single run stands in the middle.
    fn x(&self, place: u32) -> f64 {
        let inset = 10.0;
        let (left, right) = (LEFT + inset, self.right() - inset);
        if self.count < 2 {
            return f64::midpoint(left, right);
        }
        left + (right - left) * f64::from(place) / f64::from(self.count - 1)
    }

    fn y(&self, percent: f64) -> f64 {
        self.bottom() - (self.bottom() - TOP) * percent / 100.0
    }
}

/// The series in a drawing of that size.
pub(super) fn drawn(series: &[Series<'_>], size: Size) -> Markup {
    let mut points: Vec<Point<'_>> = series.iter().flat_map(|series| series.points.iter().copied()).collect();
    points.sort_by_key(|point| point.place);
    let plot = Plot { size, count: u32::try_from(points.len()).unwrap_or(u32::MAX) };
    let names: Vec<&str> = series.iter().map(|series| series.name).collect();
    let label = format!("Pass rate of the last runs of {}. The figures are in the table below.", names.join(", "));
    html! {
        svg.chart viewBox={ "0 0 " (size.width) " " (size.height) } role="img" aria-label=(label) {
            (rates(&plot))
            (dates(&plot, &points))
            @for (index, each) in (0..).zip(series) { (line(&plot, index, each)) }
        }
    }
}

fn rates(plot: &Plot) -> Markup {
    html! {
        @for rate in RATES {
            @let y = near(plot.y(f64::from(rate)));
            line class=(if rate == 0 { "axis" } else { "grid" }) x1=(LEFT) x2=(plot.right()) y1=(y) y2=(y) {}
            text x=(LEFT - 8.0) y=(y) dy="0.35em" text-anchor="end" { (rate) "%" }
        }
    }
}

/// Dates of runs at about equal distances; the first and the last among them.
fn dates(plot: &Plot, points: &[Point<'_>]) -> Markup {
    let Some((first, last)) = points.first().zip(points.last()) else { return html! {} };
    let steps = plot.size.dates.min(plot.count).saturating_sub(1).max(1);
    let places = (0..=steps).map(|step| step * plot.count.saturating_sub(1) / steps);
    let chosen = places.filter_map(|place| points.get(place as usize));
    let style = style(ended(first.run), ended(last.run));
    let mut labels: Vec<(u32, String)> =
        chosen.map(|point| (point.place, ended(point.run).strftime(style).to_string())).collect();
    labels.dedup_by(|next, kept| next.1 == kept.1 || next.0 == kept.0);
    html! {
        @for (place, text) in labels {
            @let x = near(plot.x(place));
            line.tick x1=(x) x2=(x) y1=(plot.bottom()) y2=(plot.bottom() + 4.0) {}
            text x=(x) y=(plot.bottom() + 19.0) text-anchor=(anchor(plot, place)) { (text) }
        }
    }
}

fn anchor(plot: &Plot, place: u32) -> &'static str {
    match place {
        _ if plot.count < 2 => "middle",
        0 => "start",
        last if last == plot.count - 1 => "end",
        _ => "middle",
    }
}

fn ended(run: &Run) -> Timestamp {
    run.completed_at.unwrap_or(run.created_at)
}

/// As much of a date as tells runs apart between these two.
fn style(first: Timestamp, last: Timestamp) -> &'static str {
    let same = |part: &str| first.strftime(part).to_string() == last.strftime(part).to_string();
    if same("%F") {
        "%H:%M UTC"
    } else if same("%Y") {
        "%-d %b"
    } else {
        "%b %Y"
    }
}

fn line(plot: &Plot, index: usize, series: &Series<'_>) -> Markup {
    let place = |point: &Point<'_>| (plot.x(point.place), plot.y(point.run.tally.pass_rate().percent()));
    let spots: Vec<String> = series.points.iter().map(place).map(|(x, y)| format!("{},{}", near(x), near(y))).collect();
    let size = if plot.count > FEW || plot.size.width < 400 { 2.5 } else { 4.0 };
    html! {
        g class={ "series series-" (index + 1) } {
            @if spots.len() > 1 { polyline points=(spots.join(" ")) {} }
            @for point in &series.points {
                @let (x, y) = place(point);
                path d=(mark(index, x, y, size)) { title { (said(point)) } }
            }
        }
    }
}

fn said(point: &Point<'_>) -> String {
    let Point { run, .. } = point;
    let rate = verdicts::percent(run.tally.pass_rate());
    format!("{} · {}: {rate}, {}", run.number, run.agent_name, time::in_utc(ended(run)))
}

/// The mark of a series in the legend.
pub(super) fn sample(index: usize) -> Markup {
    html! {
        svg class={ "series series-" (index + 1) } viewBox="0 0 22 12" width="22" height="12" aria-hidden="true" {
            polyline points="0,6 22,6" {}
            path d=(mark(index, 11.0, 6.0, 4.0)) {}
        }
    }
}

/// A shape around a point: series differ in it, and not by colour alone.
fn mark(index: usize, x: f64, y: f64, size: f64) -> String {
    let (left, right, top, bottom) = (near(x - size), near(x + size), near(y - size), near(y + size));
    let (x, y, size) = (near(x), near(y), near(size));
    match index {
        0 => format!("M{left} {y}a{size} {size} 0 1 0 {double} 0a{size} {size} 0 1 0 -{double} 0z", double = size * 2.0),
        1 => format!("M{left} {top}H{right}V{bottom}H{left}z"),
        2 => format!("M{x} {top}L{right} {bottom}H{left}z"),
        3 => format!("M{x} {top}L{right} {y}L{x} {bottom}L{left} {y}z"),
        _ => format!("M{left} {top}H{right}L{x} {bottom}z"),
    }
}

/// To a tenth: nobody sees more.
fn near(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}
