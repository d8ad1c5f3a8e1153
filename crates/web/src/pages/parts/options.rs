//! A choice among few, each with what it means.

use maud::{Markup, html};

/// One of them.
pub(in crate::pages) struct Choice<'a> {
    pub(in crate::pages) value: &'a str,
    pub(in crate::pages) name: &'a str,
    pub(in crate::pages) about: &'a str,
}

/// All of them under a common name, which is the field's, too.
pub(in crate::pages) fn options(field: &str, legend: &str, choices: &[Choice<'_>], chosen: &str) -> Markup {
    html! {
        fieldset.options {
            legend.label { (legend) }
            @for choice in choices {
                @let id = format!("{field}-{}", choice.value);
                div.option {
                    input type="radio" id=(id) name=(field) value=(choice.value) checked[choice.value == chosen] required
                        aria-describedby={ (id) "-about" };
                    label for=(id) { (choice.name) }
                    p id={ (id) "-about" } { (choice.about) }
                }
            }
        }
    }
}
