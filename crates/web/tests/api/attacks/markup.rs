//! What a browser would make of a page: its elements with their attributes, read as the HTML standard says.

use std::collections::BTreeSet;

/// An element as it begins.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Element {
    pub(super) name: String,
    pub(super) attributes: Vec<(String, String)>,
}

impl Element {
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// Its name and the names of its attributes.
    fn shape(&self) -> String {
        let names: BTreeSet<_> = self.attributes.iter().map(|(name, _)| name.as_str()).collect();
        format!("<{} {}>", self.name, names.into_iter().collect::<Vec<_>>().join(" "))
    }
}

/// The elements of a page. Text in which markup means nothing (titles, text areas) is read as markup, too: ours has none there.
pub(super) fn elements(html: &str) -> Vec<Element> {
    let (mut found, mut rest) = (Vec::new(), html);
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        if rest.starts_with(|c: char| c.is_ascii_alphabetic()) {
            let (element, behind) = element(rest);
            found.push(element);
            rest = behind;
        }
    }
    found
}

/// Every kind of element with the names of its attributes.
pub(super) fn shapes(html: &str) -> BTreeSet<String> {
    elements(html).iter().map(Element::shape).collect()
}

fn element(text: &str) -> (Element, &str) {
    let ends = |c: char| c.is_ascii_whitespace() || c == '/' || c == '>';
    let (name, mut rest) = text.split_at(text.find(ends).unwrap_or(text.len()));
    let mut attributes = Vec::new();
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        if let Some(behind) = rest.strip_prefix('>') {
            return (Element { name: name.to_ascii_lowercase(), attributes }, behind);
        }
        if rest.is_empty() {
            return (Element { name: name.to_ascii_lowercase(), attributes }, rest);
        }
        // An equals sign at the beginning is part of a name.
        let first = rest.chars().next().map_or(0, char::len_utf8);
        let end = rest[first..].find(|c: char| ends(c) || c == '=').map_or(rest.len(), |end| end + first);
        let (name, behind) = rest.split_at(end);
        let (value, behind) = match behind.trim_start().strip_prefix('=') {
            Some(behind) => value(behind.trim_start()),
            None => ("", behind),
        };
        attributes.push((name.to_ascii_lowercase(), unescaped(value)));
        rest = behind;
    }
}

fn value(text: &str) -> (&str, &str) {
    match text.chars().next() {
        Some(quote @ ('"' | '\'')) => text[1..].split_once(quote).unwrap_or((&text[1..], "")),
        _ => text.split_at(text.find(|c: char| c.is_ascii_whitespace() || c == '>').unwrap_or(text.len())),
    }
}

fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#39;", "'").replace("&amp;", "&")
}

/// Whatever of a page is none of ours, or dangerous wherever it comes from.
pub(super) fn dangers(html: &str) -> Vec<String> {
    let mut dangers = Vec::new();
    for element in elements(html) {
        let own_script = element.attribute("src").is_some_and(|path| path.starts_with("/assets/app-"));
        let is_ours = match element.name.as_str() {
            "script" => own_script,
            "iframe" | "object" | "embed" | "base" | "style" | "math" | "foreignobject" | "animate" | "template" => false,
            "meta" => element.attribute("http-equiv").is_none(),
            _ => true,
        };
        let leads = ["href", "src", "action", "formaction", "xlink:href", "data-live", "srcset", "poster"];
        let is_plain = element.attributes.iter().all(|(name, value)| {
            let is_handler = name.starts_with("on") || matches!(name.as_str(), "style" | "srcdoc" | "ping");
            !is_handler && (!leads.contains(&name.as_str()) || is_harmless(value))
        });
        if !is_ours || !is_plain {
            dangers.push(format!("{element:?}"));
        }
    }
    let hidden = |c: &char| matches!(c, '\0' | '\u{1b}' | '\u{7f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    dangers.extend(html.chars().find(hidden).map(|c| format!("{c:?} as it is")));
    dangers
}

/// Whether an address leads to a page of ours, or is a plain one of the web.
fn is_harmless(address: &str) -> bool {
    let is_local = address.starts_with('/') && !address.starts_with("//") && !address.contains('\\');
    is_local || address.starts_with('#') || address.starts_with('?') || address.starts_with("https://")
}

#[test]
fn what_breaks_out_of_its_place_is_seen() {
    let page = |inside: &str| format!("<!DOCTYPE html><p title=\"a &quot;b\" hidden>{inside}</p>");
    assert_eq!(dangers(&page("a &lt;script&gt; 1 < 2 <a href=/runs>b</a>")), [] as [String; 0]);
    for inside in [
        "<script>alert(1)</script>",
        "<ScRiPt src=//evil.example>",
        "<img src=x onerror=alert(1)>",
        "<a title=\"x\" onclick='a'>",
        "<a\nhref = javascript:alert(1)>",
        "<a href=//evil.example>",
        "<svg/onload=alert(1)>",
        "<b style=color:red>",
        "<meta http-equiv=refresh>",
        "<base href=/>",
        "\0",
        "\u{202e}",
    ] {
        assert_eq!(dangers(&page(inside)).len(), 1, "{inside}");
    }
    assert_eq!(shapes("<p title=\"a\" hidden>"), shapes("<p hidden title='b'>"));
    assert_ne!(shapes("<p title=\"a\" hidden>"), shapes("<p title=\"a\" x=\"\" hidden>"));
}
