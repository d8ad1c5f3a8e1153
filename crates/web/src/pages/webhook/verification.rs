//! Code for the receiver, made for this webhook.

use maud::{Markup, html};
use preclinical_core::webhook::Webhook;
use url::Url;

use crate::pages::parts;

/// What stands in the snippets for the path of the webhook's URL.
const PATH: &str = "/preclinical-webhook";

const SNIPPETS: [(&str, &str, &str); 8] = [
    ("python", "Python", include_str!("../assets/snippets/python.py")),
    ("node", "Node.js", include_str!("../assets/snippets/node.mjs")),
    ("go", "Go", include_str!("../assets/snippets/go.go")),
    ("ruby", "Ruby", include_str!("../assets/snippets/config.ru")),
    ("java", "Java", include_str!("../assets/snippets/Receiver.java")),
    ("php", "PHP", include_str!("../assets/snippets/php.php")),
    ("csharp", "C#", include_str!("../assets/snippets/csharp.cs")),
    ("rust", "Rust", include_str!("../assets/snippets/rust.rs")),
];

pub(super) fn card(webhook: &Webhook) -> Markup {
    let path = Url::parse(&webhook.url).map_or_else(|_| "/".to_owned(), |url| url.path().to_owned());
    let about = "A receiver should check each request before it believes it, and answer 2xx at once. \
                 The same run may come twice: let your code recognize it by its id.";
    parts::card(
        "Verify requests in your receiver",
        Some(about),
        &html! {
            @if !webhook.has_secret { p { "Set a signing secret first: without one there is nothing to verify." } }
            div.stack-small {
                @for (id, language, code) in SNIPPETS {
                    details.more name="verification" id={ "verify-" (id) } {
                        summary { (language) }
                        (parts::code(&format!("code-{id}"), &code.replace(PATH, &path), &format!("Receiver in {language}")))
                    }
                }
            }
        },
    )
}
