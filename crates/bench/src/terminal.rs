//! What is printed: results to standard output, the course of things to standard error.

use std::{fmt, io::Write};

/// One line to standard output.
pub(crate) fn say(line: impl fmt::Display) {
    // Whoever read it has gone; there is nobody left to tell.
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// One line to standard error.
pub(crate) fn say_aside(line: impl fmt::Display) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
