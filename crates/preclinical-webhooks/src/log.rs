//! The log: one line for each event, on the standard error stream.
//!
//! Whatever a value says, it stays in its line and moves no cursor: control characters are escaped.

use std::{
    fmt::{self, Debug, Write},
    io::IsTerminal,
};

use tracing::field::Field;
use tracing_subscriber::{
    filter::Targets,
    fmt::format::{Writer, debug_fn},
    prelude::*,
};

/// Writes lines of what the filter lets through from now on.
pub(crate) fn start(filter: Targets) {
    let is_terminal = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(is_terminal)
        .fmt_fields(debug_fn(plain).delimited(" "));
    tracing_subscriber::registry().with(lines.with_filter(filter)).init();
}

/// The message, or a field's name and value.
fn plain(line: &mut Writer<'_>, field: &Field, value: &dyn Debug) -> fmt::Result {
    match field.name() {
        "message" => write!(Escaped(line), "{value:?}"),
        name => {
            line.write_str(name)?;
            line.write_char('=')?;
            write!(Escaped(line), "{value:?}")
        }
    }
}

/// Passes text on without its control characters.
struct Escaped<'l, 'w>(&'l mut Writer<'w>);

impl Write for Escaped<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            return self.0.write_str(text);
        }
        for c in text.chars() {
            if c.is_control() { write!(self.0, "{}", c.escape_default())? } else { self.0.write_char(c)? }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_move_a_cursor_or_begin_a_line_is_escaped_and_nothing_else() {
        let mut line = String::new();
        write!(Escaped(&mut Writer::new(&mut line)), "ok=1 \u{1b}[2J\r\n\u{9b}1m\tGr\u{fc}\u{df}e").unwrap();
        assert_eq!(line, "ok=1 \\u{1b}[2J\\r\\n\\u{9b}1m\\tGr\u{fc}\u{df}e");
    }
}
