//! `members`: who signs in to the pages, from the command line; also while a server runs on the same database.

mod invite;
mod list;
mod reset_password;

use clap::{Args, Subcommand};
use preclinical_core::{organization::DEFAULT_SLUG, slug::Slug};

use crate::{
    config::{Config, Overrides},
    invitations::{self, Link},
    terminal::{say, say_aside},
};

/// What can be done with members.
#[derive(Subcommand)]
pub(crate) enum MembersCommand {
    /// List the members, the earliest first
    List(list::ListArgs),
    /// Invite somebody; prints a link that works once on standard output
    Invite(invite::InviteArgs),
    /// Let a member choose a new password; prints a link that works once on standard output
    ResetPassword(reset_password::ResetPasswordArgs),
}

/// Whose members, and where they are kept.
#[derive(Args)]
struct Place {
    /// Organization of the members
    #[arg(long, default_value = DEFAULT_SLUG, value_name = "SLUG")]
    organization: Slug,
    #[command(flatten)]
    database: Database,
}

#[derive(Args)]
struct Database {
    /// Database: a path, sqlite:PATH or postgres://… [default: a file in the platform's data folder] [env: PRECLINICAL_DATABASE_URL]
    #[arg(long)]
    database: Option<String>,
}

impl Database {
    fn config(self) -> anyhow::Result<Config> {
        Config::load(Overrides { database: self.database, ..Overrides::default() })
    }
}

const LINKS: &str = "The link begins with PRECLINICAL_PUBLIC_URL or else with the address that PRECLINICAL_LISTEN has: set them as for serve.";

/// Carries out what was asked.
pub(crate) async fn run(command: MembersCommand) -> anyhow::Result<()> {
    match command {
        MembersCommand::List(args) => list::run(args).await,
        MembersCommand::Invite(args) => invite::run(args).await,
        MembersCommand::ResetPassword(args) => reset_password::run(args).await,
    }
}

fn hand_over(link: &Link) {
    say(link.url());
    say_aside(invitations::terms());
}
