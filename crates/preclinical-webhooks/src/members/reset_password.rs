//! `members reset-password`

use anyhow::bail;
use clap::Args;
use preclinical_core::{invitation::Purpose, member::Email};

use super::{Database, LINKS};
use crate::{database, invitations};

/// Whose password.
#[derive(Args)]
#[command(after_help = LINKS)]
pub(crate) struct ResetPasswordArgs {
    /// Address by which the member signs in
    email: Email,
    #[command(flatten)]
    database: Database,
}

/// The password stays until another one was chosen; the sessions end then.
pub(super) async fn run(args: ResetPasswordArgs) -> anyhow::Result<()> {
    let config = args.database.config()?;
    let store = database::existing(&config).await?;
    let Some((member, _)) = store.member_by_email(&args.email).await? else {
        bail!("nobody signs in with {:?}", args.email.as_str())
    };
    let purpose = Purpose::ResetPassword(member.id);
    let link = invitations::invite(&*store, member.organization_id, purpose, &config.base(config.listen)).await?;
    super::hand_over(&link);
    Ok(())
}
