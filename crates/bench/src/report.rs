//! What was found out, as people read it: rows of a table, panels of a plot, and the page that holds both.

mod page;
mod plot;
mod row;

pub(crate) use self::{
    page::{Finding, Heading, page},
    plot::{Bar, Kind, Panel, svg},
    row::Row,
};

/// What one part of the benchmark found. Without a single round it has the same rows, and says of each that it was not measured.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) rows: Vec<Row>,
    /// What belongs into the plot.
    pub(crate) panels: Vec<Panel>,
    /// How much of it there was, in a sentence or two.
    pub(crate) sizes: String,
}
