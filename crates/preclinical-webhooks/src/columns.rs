//! Rows of text under titles, in columns as wide as they need.

use crate::terminal::{STRONG, Styled, say};

/// Prints the titles, then the rows, to standard output.
pub(crate) fn print<const N: usize>(titles: [&str; N], rows: impl Iterator<Item = [String; N]>) {
    let rows: Vec<_> = rows.collect();
    let all = || std::iter::once(titles).chain(rows.iter().map(|row| row.each_ref().map(String::as_str)));
    let mut widths = [0; N];
    for row in all() {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    for (index, row) in all().enumerate() {
        let line = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect::<Vec<_>>().join("  ");
        let line = line.trim_end();
        if index == 0 { say(Styled(STRONG, line)) } else { say(line) }
    }
}
