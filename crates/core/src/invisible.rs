//! Characters that show nothing, or turn what is around them.

/// Whether a character hides: no sign of it is seen, but two texts that look the same differ by it, or one reads as another.
/// Control characters are none of these.
pub const fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
    )
}
