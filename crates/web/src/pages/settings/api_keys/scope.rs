//! What a key may do, in words.

use preclinical_core::scope::Scope;

use crate::pages::parts::options::Choice;

/// Its name and what it permits.
pub(super) const fn in_words(scope: Scope) -> Choice<'static> {
    let (name, about) = match scope {
        Scope::Read => ("Read", "Reads runs, agents, webhooks and deliveries. For dashboards and exports. Changes nothing."),
        Scope::Report => (
            "Report",
            "What a runner does: finds its agent, creates runs, reports results and ends runs. Sees no webhooks, keys or deliveries.",
        ),
        Scope::Write => ("Write", "Everything, also webhooks, agents and keys. For administration alone."),
    };
    Choice { value: scope.as_str(), name, about }
}
