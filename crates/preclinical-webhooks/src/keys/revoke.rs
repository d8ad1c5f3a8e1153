//! `keys revoke`

use anyhow::bail;
use clap::Args;
use preclinical_core::clock::Clock;

use super::Place;
use crate::{
    system::SystemClock,
    terminal::{printable, say},
};

/// Which key.
#[derive(Args)]
pub(crate) struct RevokeArgs {
    /// Name of a key that is not revoked, or an id
    name_or_id: String,
    #[command(flatten)]
    place: Place,
}

/// An id names its key whatever other keys are called.
pub(super) async fn run(args: RevokeArgs) -> anyhow::Result<()> {
    let (store, organization) = args.place.find().await?;
    let keys = super::all(&*store, organization).await?;
    let of_that_id = keys.iter().find(|key| key.id.to_string() == args.name_or_id);
    let named = || keys.iter().find(|key| key.revoked_at.is_none() && key.name == args.name_or_id);
    let Some(key) = of_that_id.or_else(named) else { bail!("there is no key {:?}", args.name_or_id) };
    if key.revoked_at.is_some() {
        bail!("the key {:?} was revoked before", key.name);
    }
    store.revoke_key(organization, key.id, SystemClock.now()).await?;
    say(format_args!("revoked {}", printable(&key.name)));
    Ok(())
}
