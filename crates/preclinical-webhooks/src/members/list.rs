//! `members list`

use clap::Args;
use jiff::Timestamp;
use preclinical_core::{member::Member, port::every, wire_time};
use serde_json::{Value, json};

use super::Place;
use crate::{
    columns, database,
    terminal::{printable, say},
};

/// How members are listed.
#[derive(Args)]
pub(crate) struct ListArgs {
    /// Print a JSON array
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

pub(super) async fn run(args: ListArgs) -> anyhow::Result<()> {
    let config = args.place.database.config()?;
    let (store, organization) = database::existing_as(&config, &args.place.organization).await?;
    let members = every(|page| store.members(organization, page)).await?;
    if args.json {
        say(members.iter().map(described).collect::<Value>());
        return Ok(());
    }
    columns::print(["EMAIL", "ROLE", "JOINED", "LAST SIGNED IN", "ID"], members.iter().map(row));
    Ok(())
}

fn described(member: &Member) -> Value {
    json!({
        "id": member.id, "email": member.email.as_str(), "role": member.role.as_str(),
        "joined_at": wire_time::format(member.joined_at), "last_signed_in_at": member.last_signed_in_at.map(wire_time::format),
    })
}

fn row(member: &Member) -> [String; 5] {
    let time = |time: Option<Timestamp>| time.map_or_else(|| "never".to_owned(), wire_time::format);
    [
        printable(member.email.as_str()),
        member.role.as_str().to_owned(),
        wire_time::format(member.joined_at),
        time(member.last_signed_in_at),
        member.id.to_string(),
    ]
}
