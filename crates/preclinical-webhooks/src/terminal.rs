//! What commands print: coloured on a terminal, plain when piped or under `NO_COLOR`, and never a stranger's control characters.

use std::{
    fmt::{self, Write as _},
    io::Write as _,
};

use anstyle::{AnsiColor, Style};

/// Something went well.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default().bold();
/// Something did not.
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
/// Something to know.
pub(crate) const NOTE: Style = AnsiColor::Yellow.on_default();
/// A name or a title.
pub(crate) const STRONG: Style = Style::new().bold();
/// What matters less.
pub(crate) const FAINT: Style = Style::new().dimmed();

/// Text in a style.
pub(crate) struct Styled<T>(pub(crate) Style, pub(crate) T);

impl<T: fmt::Display> fmt::Display for Styled<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(style, text) = self;
        write!(f, "{style}{text}{style:#}")
    }
}

/// One line to standard output.
pub(crate) fn say(line: impl fmt::Display) {
    // Whoever read it has gone; there is nobody left to tell.
    let _ = writeln!(anstream::stdout(), "{line}");
}

/// One line to standard error.
pub(crate) fn say_aside(line: impl fmt::Display) {
    let _ = writeln!(anstream::stderr(), "{line}");
}

/// Text from outside, safe to print: control and direction-changing characters are shown as what they are.
pub(crate) fn printable(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') {
            let _ = write!(safe, "{}", c.escape_unicode());
        } else {
            safe.push(c);
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stranger_cannot_steer_the_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\r\nc"), "a\\u{1b}[2Jb\\u{d}\\u{a}c");
        assert_eq!(printable("Prüfung ✓"), "Prüfung ✓");
        assert!(!printable("\u{202e}gnp.exe").contains('\u{202e}'));
    }
}
