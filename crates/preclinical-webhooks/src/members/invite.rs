//! `members invite`

use clap::{
    Args,
    builder::{PossibleValuesParser, TypedValueParser},
};
use preclinical_core::{invitation::Purpose, member::Role};

use super::{LINKS, Place};
use crate::{database, invitations};

/// Who is invited.
#[derive(Args)]
#[command(after_help = LINKS)]
pub(crate) struct InviteArgs {
    /// What they may do: owner (everything), member (everything but members), or viewer (look)
    #[arg(long, value_parser = roles())]
    role: Role,
    #[command(flatten)]
    place: Place,
}

fn roles() -> impl TypedValueParser<Value = Role> {
    PossibleValuesParser::new(Role::ALL.map(Role::as_str)).try_map(|name| Role::parse(&name).ok_or("no such role"))
}

pub(super) async fn run(args: InviteArgs) -> anyhow::Result<()> {
    let config = args.place.database.config()?;
    let (store, organization) = database::join_as(&config, &args.place.organization).await?;
    let link = invitations::invite(&*store, organization, Purpose::Join(args.role), &config.base(config.listen)).await?;
    super::hand_over(&link);
    Ok(())
}
