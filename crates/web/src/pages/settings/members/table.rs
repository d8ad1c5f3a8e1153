//! Members as rows.

use maud::{Markup, html};
use preclinical_core::member::{Member, Role};

use super::{PATH, is_last_owner, role};
use crate::pages::{
    door::Visitor,
    parts::{Icon, Tone, badge::badge, time},
    shell,
};

pub(super) fn of(members: &[Member], visitor: &Visitor) -> Markup {
    let may_govern = visitor.member.role.may_govern();
    html! {
        div.table-box {
            table.folds {
                thead { tr {
                    th scope="col" { "E-mail" } th scope="col" { "Role" } th scope="col" { "Joined" } th scope="col" { "Last signed in" }
                    @if may_govern { th scope="col" { span.sr { "Actions" } } }
                } }
                tbody {
                    @for member in members { (row(member, visitor, may_govern.then(|| is_last_owner(members, member)))) }
                }
            }
        }
    }
}

/// `is_last` is known to those who may do something about it.
fn row(member: &Member, visitor: &Visitor, is_last: Option<bool>) -> Markup {
    let is_me = member.id == visitor.member.id;
    html! {
        tr {
            td.flexible data-label="E-mail" {
                div.person {
                    strong.clip title=(member.email) { (member.email) }
                    @if is_me { (badge(Tone::Quiet, Icon::People, "You")) }
                }
            }
            td.role data-label="Role" {
                @match is_last {
                    None => (role::in_words(member.role).name),
                    Some(true) => div { strong { "Owner" } p.muted.small { "The last one: make somebody else an owner first." } },
                    Some(false) => (role_form(member, visitor)),
                }
            }
            td.nowrap data-label="Joined" { (time::ago(member.joined_at)) }
            td.nowrap data-label="Last signed in" {
                @match member.last_signed_in_at { Some(at) => (time::ago(at)), None => span.muted { "Never" } }
            }
            @if let Some(is_last) = is_last { td { (actions(member, visitor, is_me, is_last)) } }
        }
    }
}

fn role_form(member: &Member, visitor: &Visitor) -> Markup {
    let id = format!("role-{}", member.id);
    html! {
        form.role-form method="post" action={ (PATH) "/" (member.id) "/role" } {
            (shell::csrf(visitor))
            label.sr for=(id) { "Role of " (member.email) }
            select.input id=(id) name="role" autocomplete="off" {
                @for role in Role::ALL {
                    option value=(role.as_str()) selected[role == member.role] { (role::in_words(role).name) }
                }
            }
            button.button.little { "Change" span.sr { " the role of " (member.email) } }
        }
    }
}

fn actions(member: &Member, visitor: &Visitor, is_me: bool, is_last: bool) -> Markup {
    html! {
        div.row-actions {
            @if is_me {
                a.button.little href="/settings/account" { "Your account" }
            } @else {
                form method="post" action={ (PATH) "/" (member.id) "/password-link" } {
                    (shell::csrf(visitor))
                    button.button.little { "Password link" span.sr { " for " (member.email) } }
                }
            }
            @if !is_last {
                a.button.little.danger href={ (PATH) "/" (member.id) "/remove" } { "Remove" span.sr { " " (member.email) } }
            }
        }
    }
}
