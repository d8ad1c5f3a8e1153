//! `keys create`

use std::time::Duration;

use anyhow::{Context, bail};
use clap::{Args, builder::PossibleValuesParser, builder::TypedValueParser};
use jiff::SignedDuration;
use preclinical_core::{
    api_key::{ApiKey, ApiKeyText},
    clock::Clock,
    id::{ApiKeyId, OrganizationId},
    organization::DEFAULT_SLUG,
    port::{CreateKeyError, Store},
    retry::parse_duration,
    scope::Scope,
};

use super::Place;
use crate::{
    config::Config,
    database,
    system::{SystemChance, SystemClock},
    terminal::say,
};

const LONGEST_NAME: usize = 200;

/// What a key is made of.
#[derive(Args)]
pub(crate) struct CreateArgs {
    /// What the key is for; unique among the organization's keys that are not revoked
    #[arg(long)]
    name: String,
    /// What it may do: read, report runs (what a runner needs), or write (everything)
    #[arg(long, default_value = "write", value_parser = scopes())]
    scope: Scope,
    /// How long it is good for, such as 90d or 24h [default: until it is revoked]
    #[arg(long, value_name = "DURATION", value_parser = lifetime)]
    expires_in: Option<Duration>,
    #[command(flatten)]
    place: Place,
}

fn scopes() -> impl TypedValueParser<Value = Scope> {
    PossibleValuesParser::new(Scope::ALL.map(Scope::as_str)).try_map(|name| Scope::parse(&name).ok_or("no such scope"))
}

/// A duration that is not zero.
fn lifetime(text: &str) -> Result<Duration, String> {
    let lifetime = parse_duration(text).filter(|lifetime| !lifetime.is_zero());
    lifetime.ok_or_else(|| "must be such as 90d, 24h or 30m".to_owned())
}

pub(super) async fn run(args: CreateArgs) -> anyhow::Result<()> {
    let name = checked(args.name)?;
    let (store, organization) = args.place.open().await?;
    let text = create(&*store, organization, name, args.scope, args.expires_in).await?;
    say(text.expose());
    Ok(())
}

/// Creates a key for everything in the database of that configuration, which is created, too, if it is missing.
pub(crate) async fn create_in(config: &Config, name: String) -> anyhow::Result<ApiKeyText> {
    let (store, organization) = database::join_as(config, &DEFAULT_SLUG.parse()?).await?;
    create(&*store, organization, name, Scope::Write, None).await
}

/// A name as the API takes it.
fn checked(name: String) -> anyhow::Result<String> {
    if name.trim().is_empty() {
        bail!("--name must not be empty");
    }
    if name.len() > LONGEST_NAME || name.chars().any(char::is_control) {
        bail!("--name must be at most {LONGEST_NAME} bytes long and without control characters");
    }
    Ok(name)
}

async fn create(
    store: &dyn Store,
    organization: OrganizationId,
    name: String,
    scope: Scope,
    expires_in: Option<Duration>,
) -> anyhow::Result<ApiKeyText> {
    let text = ApiKeyText::generate(&SystemChance);
    let now = SystemClock.now();
    let end = |lifetime| SignedDuration::try_from(lifetime).ok().and_then(|lifetime| now.checked_add(lifetime).ok());
    let expires_at = expires_in.map(|lifetime| end(lifetime).context("--expires-in is too long")).transpose()?;
    let id = ApiKeyId::generate(now, &SystemChance);
    let key = ApiKey { scope, expires_at, ..ApiKey::new(&text, id, organization, name, now) };
    match store.create_key(key).await {
        Ok(()) => Ok(text),
        Err(CreateKeyError::NameTaken) => bail!("the organization has a key of that name"),
        Err(CreateKeyError::Store(error)) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lifetime_is_a_number_and_a_unit_up_to_days() {
        let hours = |hours: u64| Ok(Duration::from_secs(hours * 3600));
        assert_eq!((lifetime("90d"), lifetime("24h"), lifetime("1d")), (hours(90 * 24), hours(24), hours(24)));
        for wrong in ["", "d", "0d", "0s", "-1d", "1.5d", "1w", "90", "1d2h", "99999999999999999999d", "999999999999999999d"]
        {
            assert!(lifetime(wrong).is_err(), "{wrong}");
        }
    }
}
