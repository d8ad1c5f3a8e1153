//! Text as HTML.

/// Text that stands for itself, also in attributes.
pub(super) fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            other => html.push(other),
        }
    }
    html
}

/// A line in which backticks set code apart.
pub(super) fn line(text: &str) -> String {
    let part = |(index, part): (usize, &str)| {
        if index % 2 == 1 { format!("<code>{}</code>", escaped(part)) } else { escaped(part) }
    };
    text.split('`').enumerate().map(part).collect()
}

/// Paragraphs of such lines.
pub(super) fn prose(text: &str) -> String {
    let paragraph = |text: &str| format!("<p>{}</p>", line(text));
    text.split("\n\n").filter(|text| !text.is_empty()).map(paragraph).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stands_for_itself_and_backticks_for_code() {
        assert_eq!(escaped("<a href='x'>&\""), "&lt;a href=&#39;x&#39;&gt;&amp;&quot;");
        assert_eq!(prose("one `<b>` two\n\nthree"), "<p>one <code>&lt;b&gt;</code> two</p><p>three</p>");
    }
}
