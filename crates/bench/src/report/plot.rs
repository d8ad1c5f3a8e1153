//! The plot: bars with their names above them, which stay readable at 360 px, on a ground of its own in light and in dark.
//!
//! Colours are classes, so that the reader's preference chooses them; libraries that draw charts write them into each shape.

use maud::{PreEscaped, html};

use crate::figures::Spread;

/// All lengths are in units of which the picture is this wide.
const WIDTH: f64 = 440.0;
const MARGIN: f64 = 16.0;

/// The height of a panel's title, and of each bar with its name.
const TITLE: f64 = 34.0;
const ROW: f64 = 40.0;

/// From the top of a row to the line that its name stands on, and to its bar.
const NAME_AT: f64 = 14.0;
const BAR_AT: f64 = 20.0;
const BAR: f64 = 11.0;

const STYLE: &str = "\
text{font:14px system-ui,-apple-system,'Segoe UI',sans-serif;fill:#1f2328}\
.title{font-weight:600;font-size:16px}.value{text-anchor:end}.ground{fill:#fff}.track{fill:#eaeef2}\
.product{fill:#0969da}.other{fill:#8c959f}.spread{stroke:#1f2328;stroke-width:1.5}.goal{stroke:#bc4c00;stroke-width:2.5}\
.goals{fill:#bc4c00}.missing{fill:#59636e;font-style:italic}\
@media(prefers-color-scheme:dark){\
text{fill:#f0f6fc}.ground{fill:#0d1117}.track{fill:#21262d}.product{fill:#4493f8}.other{fill:#7d8590}\
.spread{stroke:#f0f6fc}.goal{stroke:#f0883e}.goals{fill:#f0883e}.missing{fill:#9198a1}}";

/// Whose figure a bar shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The product's.
    Product,
    /// What it is compared with.
    Other,
}

/// A figure.
#[derive(Debug)]
pub(crate) struct Bar {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// Missing if it was not measured.
    pub(crate) spread: Option<Spread>,
    pub(crate) goal: Option<f64>,
}

/// Figures of the same unit.
#[derive(Debug)]
pub(crate) struct Panel {
    pub(crate) title: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) decimals: usize,
    pub(crate) bars: Vec<Bar>,
}

/// A picture of all panels, one below the other.
pub(crate) fn svg(panels: &[&Panel]) -> String {
    let mut top = MARGIN;
    let mut placed = Vec::new();
    for panel in panels {
        placed.push((top, panel));
        top += panel.height();
    }
    let height = top + MARGIN;
    let drawn = html! {
        svg xmlns="http://www.w3.org/2000/svg" width=(WIDTH) height=(height) viewBox=(format!("0 0 {WIDTH} {height}")) role="img" {
            title { "Benchmarks" }
            desc { "Bars are medians; the thin line on each goes from the lowest to the highest round, the upright mark is the goal." }
            style { (PreEscaped(STYLE)) }
            rect.ground width=(WIDTH) height=(height) rx="6" {}
            @for (top, panel) in placed { (panel.draw(top)) }
        }
    };
    drawn.into_string() + "\n"
}

impl Panel {
    fn height(&self) -> f64 {
        self.bars.iter().fold(TITLE, |height, _| height + ROW)
    }

    /// What the whole width stands for.
    fn longest(&self) -> f64 {
        let ends = self.bars.iter().flat_map(|bar| bar.spread.map(|spread| spread.max).into_iter().chain(bar.goal));
        // Shares are shares of a whole.
        ends.fold(if self.unit == "%" { 100.0 } else { f64::MIN_POSITIVE }, f64::max)
    }

    fn draw(&self, top: f64) -> maud::Markup {
        let longest = self.longest();
        let tops = std::iter::successors(Some(top + TITLE), |top| Some(top + ROW));
        html! {
            text.title x=(MARGIN) y=(top + 18.0) { (self.title) }
            @for (bar, top) in self.bars.iter().zip(tops) { (self.draw_bar(bar, top, longest)) }
        }
    }

    fn draw_bar(&self, bar: &Bar, top: f64, longest: f64) -> maud::Markup {
        let (right, room) = (WIDTH - MARGIN, WIDTH - 2.0 * MARGIN);
        // Below nothing there is nothing to draw.
        let length = |value: f64| room * (value.max(0.0) / longest);
        let at = |value: f64| format!("{:.1}", MARGIN + length(value));
        let (middle, bottom) = (top + BAR_AT + BAR / 2.0, top + BAR_AT + BAR);
        html! {
            text x=(MARGIN) y=(top + NAME_AT) { (bar.name) }
            rect.track x=(MARGIN) y=(top + BAR_AT) width=(room) height=(BAR) rx="2" {}
            @if let Some(spread) = bar.spread {
                text.value x=(right) y=(top + NAME_AT) { (self.value(spread.median, bar.goal)) }
                rect.(if bar.kind == Kind::Product { "product" } else { "other" })
                    x=(MARGIN) y=(top + BAR_AT) width=(format!("{:.1}", length(spread.median))) height=(BAR) rx="2" {}
                @if spread.max > spread.min {
                    line.spread x1=(at(spread.min)) x2=(at(spread.max)) y1=(middle) y2=(middle) {}
                }
            } @else {
                text.value.missing x=(right) y=(top + NAME_AT) { "not measured" }
            }
            @if let Some(goal) = bar.goal {
                line.goal x1=(at(goal)) x2=(at(goal)) y1=(top + BAR_AT - 3.0) y2=(bottom + 3.0) {}
            }
        }
    }

    fn value(&self, median: f64, goal: Option<f64>) -> maud::Markup {
        let Self { unit, decimals, .. } = self;
        html! {
            (format!("{median:.decimals$} {unit}"))
            @if let Some(goal) = goal { tspan.goals { " | goal " (format!("{goal:.decimals$}")) } }
        }
    }
}

#[cfg(test)]
mod tests {
    use quick_xml::{Reader, events::Event};

    use super::*;

    fn panel(bars: Vec<Bar>) -> Panel {
        Panel { title: "Shares & more", unit: "%", decimals: 1, bars }
    }

    fn bar(median: Option<f64>, goal: Option<f64>) -> Bar {
        let spread = median.map(|median| Spread { median, min: median / 2.0, max: median * 2.0 });
        Bar { name: "a < b".to_owned(), kind: Kind::Product, spread, goal }
    }

    /// The values of an attribute of all elements of a class, if the picture is well-formed.
    fn attributes(svg: &str, class: &str, attribute: &str) -> Vec<f64> {
        let (mut reader, mut found, mut depth) = (Reader::from_str(svg), Vec::new(), 0);
        loop {
            match reader.read_event().unwrap() {
                Event::Start(element) => {
                    depth += 1;
                    let value = |name: &str| {
                        let attributes: Vec<_> = element.attributes().map(Result::unwrap).collect();
                        let found = attributes.iter().find(|found| found.key.as_ref() == name);
                        found.map(|found| found.value.to_string())
                    };
                    if value("class").is_some_and(|classes| classes.split(' ').any(|found| found == class)) {
                        found.push(value(attribute).unwrap().parse().unwrap());
                    }
                }
                Event::End(_) => depth -= 1,
                Event::Eof => break,
                _ => {}
            }
        }
        assert_eq!(depth, 0, "{svg}");
        found
    }

    #[test]
    fn a_bar_is_as_long_as_its_median_beside_the_longest_end() {
        let drawn = svg(&[&panel(vec![bar(Some(25.0), None), bar(Some(50.0), Some(10.0))])]);
        let room = WIDTH - 2.0 * MARGIN;
        assert_eq!(attributes(&drawn, "product", "width"), [room / 4.0, room / 2.0]);
        assert_eq!(attributes(&drawn, "spread", "x2"), [MARGIN + room / 2.0, MARGIN + room]);
        assert_eq!(attributes(&drawn, "goal", "x1"), [format!("{:.1}", MARGIN + room / 10.0).parse::<f64>().unwrap()]);
    }

    #[test]
    fn what_was_not_measured_has_no_bar_and_says_so() {
        let drawn = svg(&[&panel(vec![bar(None, Some(60.0)), bar(Some(0.0), None)])]);
        assert_eq!(attributes(&drawn, "product", "width"), [0.0]);
        assert_eq!(attributes(&drawn, "missing", "y").len(), 1);
        assert!(drawn.contains(">not measured<"), "{drawn}");
        assert_eq!(attributes(&drawn, "goal", "x1").len(), 1);
    }

    #[test]
    fn nothing_lies_outside_of_the_picture_or_on_something_else() {
        let two = panel(vec![bar(Some(3.0), None), bar(Some(-1.0), None)]);
        let drawn = svg(&[&two, &panel(vec![bar(None, None)])]);
        let tops = attributes(&drawn, "track", "y");
        assert!(tops.windows(2).all(|pair| pair[1] - pair[0] >= ROW), "{tops:?}");
        let height = attributes(&drawn, "ground", "height")[0];
        assert!(tops.iter().all(|top| top + BAR <= height), "{tops:?} in {height}");
        assert!(attributes(&drawn, "product", "width").iter().all(|width| (0.0..=WIDTH).contains(width)));
    }

    #[test]
    fn both_schemes_colour_the_same_things() {
        let (light, dark) = STYLE.split_once("@media(prefers-color-scheme:dark)").unwrap();
        for class in ["text{", ".ground{", ".track{", ".product{", ".other{", ".spread{", ".goal{", ".goals{", ".missing{"] {
            assert!(light.contains(class) && dark.contains(class), "{class}");
        }
    }
}
