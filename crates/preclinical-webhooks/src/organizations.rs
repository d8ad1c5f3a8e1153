//! `organizations`: tenants of one installation. Nothing of one is ever seen with a key of another.

use anyhow::bail;
use clap::{Args, Subcommand};
use preclinical_core::{clock::Clock, id::OrganizationId, organization::Organization, port::every, slug::Slug, wire_time};
use serde_json::{Value, json};

use crate::{
    columns,
    config::{Config, Overrides},
    database,
    system::{SystemChance, SystemClock},
    terminal::say,
};

/// What can be done with organizations.
#[derive(Subcommand)]
pub(crate) enum OrganizationsCommand {
    /// Create an organization; prints its id on standard output
    Create(CreateArgs),
    /// List the organizations
    List(ListArgs),
}

/// What an organization is made of.
#[derive(Args)]
pub(crate) struct CreateArgs {
    /// Short name: 1 to 63 characters of a-z, 0-9 and -
    slug: Slug,
    #[command(flatten)]
    place: Place,
}

/// How organizations are listed.
#[derive(Args)]
pub(crate) struct ListArgs {
    /// Print a JSON array
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

#[derive(Args)]
struct Place {
    /// Database: a path, sqlite:PATH or postgres://… [default: a file in the platform's data folder] [env: PRECLINICAL_DATABASE_URL]
    #[arg(long)]
    database: Option<String>,
}

impl Place {
    fn config(self) -> anyhow::Result<Config> {
        Config::load(Overrides { database: self.database, ..Overrides::default() })
    }
}

/// Carries out what was asked.
pub(crate) async fn run(command: OrganizationsCommand) -> anyhow::Result<()> {
    match command {
        OrganizationsCommand::Create(args) => create(args).await,
        OrganizationsCommand::List(args) => list(args).await,
    }
}

async fn create(args: CreateArgs) -> anyhow::Result<()> {
    let store = database::join(&args.place.config()?).await?;
    let now = SystemClock.now();
    let id = OrganizationId::generate(now, &SystemChance);
    let there = store.ensure_organization(Organization { id, slug: args.slug, created_at: now }).await?;
    if there.id != id {
        bail!("there is an organization {:?}", there.slug.as_str());
    }
    say(id);
    Ok(())
}

async fn list(args: ListArgs) -> anyhow::Result<()> {
    let store = database::existing(&args.place.config()?).await?;
    let organizations = every(|page| store.organizations(page)).await?;
    if args.json {
        let described = organizations.iter().map(|organization| {
            let created_at = wire_time::format(organization.created_at);
            json!({"id": organization.id, "slug": organization.slug.as_str(), "created_at": created_at})
        });
        say(described.collect::<Value>());
        return Ok(());
    }
    let rows = organizations.iter().map(|organization| {
        [organization.slug.to_string(), wire_time::format(organization.created_at), organization.id.to_string()]
    });
    columns::print(["SLUG", "CREATED", "ID"], rows);
    Ok(())
}
