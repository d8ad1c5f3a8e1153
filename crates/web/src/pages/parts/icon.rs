//! Icons: drawn on a grid of 24, in the colour of the text around them. They say nothing that the text does not.

use maud::{Markup, PreEscaped, html};

macro_rules! icons {
    ($($name:ident $paths:literal)*) => {
        /// An icon.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(in crate::pages) enum Icon { $($name),* }

        impl Icon {
            const fn paths(self) -> &'static str {
                match self { $(Self::$name => $paths),* }
            }
        }
    };
}

icons! {
    Runs r#"<path d="M3 12h4l2.5-7 5 14L17 12h4"/>"#
    Agents r#"<rect x="4" y="8" width="16" height="12" rx="3"/><path d="M12 8V4M9 14h.01M15 14h.01M2 13v3M22 13v3"/>"#
    Settings r#"<path d="M4 7h10M18 7h2M4 17h2M10 17h10"/><circle cx="16" cy="7" r="2"/><circle cx="8" cy="17" r="2"/>"#
    Check r#"<path d="M5 12.5l4.5 4.5L19 7"/>"#
    Cross r#"<path d="M6 6l12 12M18 6L6 18"/>"#
    Alert r#"<path d="M12 4l9 16H3zM12 10v4M12 17h.01"/>"#
    Info r#"<circle cx="12" cy="12" r="9"/><path d="M12 11v5M12 8h.01"/>"#
    Clock r#"<circle cx="12" cy="12" r="9"/><path d="M12 7v5l3 2"/>"#
    Stop r#"<circle cx="12" cy="12" r="9"/><path d="M6 6l12 12"/>"#
    Send r#"<path d="M21 3L10 14M21 3l-7 18-4-7-7-4z"/>"#
    Repeat r#"<path d="M4 11a8 8 0 0 1 14-4l2 2M20 4v5h-5M20 13a8 8 0 0 1-14 4l-2-2M4 20v-5h5"/>"#
    Copy r#"<rect x="9" y="9" width="11" height="11" rx="2"/><path d="M5 15H4V5a1 1 0 0 1 1-1h10v1"/>"#
    Key r#"<circle cx="8" cy="15" r="4"/><path d="M11 12l8-8M16 7l3 3"/>"#
    Hook r#"<circle cx="7" cy="17" r="3"/><circle cx="17" cy="17" r="3"/><circle cx="12" cy="6" r="3"/><path d="M10.5 8.5L8 14M10 17h4M15.5 14.5L13.5 9"/>"#
    People r#"<circle cx="9" cy="8" r="3.5"/><path d="M2.5 20a6.5 6.5 0 0 1 13 0M16 5a3.5 3.5 0 0 1 0 6.5M18 14.5a6.5 6.5 0 0 1 3.5 5.5"/>"#
    Plus r#"<path d="M12 5v14M5 12h14"/>"#
    Search r#"<circle cx="11" cy="11" r="6.5"/><path d="M16 16l4.5 4.5"/>"#
    Back r#"<path d="M15 5l-7 7 7 7"/>"#
    Next r#"<path d="M9 5l7 7-7 7"/>"#
    Eye r#"<path d="M2 12s3.5-7 10-7 10 7 10 7-3.5 7-10 7S2 12 2 12z"/><circle cx="12" cy="12" r="3"/>"#
    SignOut r#"<path d="M10 4H5v16h5M15 8l4 4-4 4M19 12H9"/>"#
    Mute r#"<path d="M4 9v6h4l5 4V5L8 9zM17 9l5 6M22 9l-5 6"/>"#
    Sun r#"<circle cx="12" cy="12" r="4"/><path d="M12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.5 1.5M17.5 17.5L19 19M5 19l1.5-1.5M17.5 6.5L19 5"/>"#
    Moon r#"<path d="M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z"/>"#
    Screen r#"<rect x="3" y="4" width="18" height="12" rx="2"/><path d="M8 20h8M12 16v4"/>"#
    Inbox r#"<path d="M4 4h16l2 10v6H2v-6zM2 14h6l1.5 3h5L16 14h6"/>"#
}

impl Icon {
    /// The icon at a size in CSS pixels.
    pub(in crate::pages) fn sized(self, pixels: u32) -> Markup {
        html! {
            svg viewBox="0 0 24 24" width=(pixels) height=(pixels) fill="none" stroke="currentColor" stroke-width="1.9"
                stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false" {
                (PreEscaped(self.paths()))
            }
        }
    }
}

impl maud::Render for Icon {
    fn render(&self) -> Markup {
        self.sized(16)
    }
}
