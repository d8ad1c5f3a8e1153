//! `keys list`

use clap::Args;
use jiff::Timestamp;
use preclinical_core::{api_key::ApiKey, clock::Clock, wire_time};
use serde_json::{Value, json};

use super::Place;
use crate::{
    columns,
    system::SystemClock,
    terminal::{printable, say},
};

/// How keys are listed.
#[derive(Args)]
pub(crate) struct ListArgs {
    /// Print a JSON array
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

pub(super) async fn run(args: ListArgs) -> anyhow::Result<()> {
    let (store, organization) = args.place.find().await?;
    let keys = super::all(&*store, organization).await?;
    let now = SystemClock.now();
    if args.json {
        say(keys.iter().map(|key| described(key, now)).collect::<Value>());
        return Ok(());
    }
    let titles = ["NAME", "SCOPE", "STATE", "KEY", "CREATED", "EXPIRES", "LAST USED", "ID"];
    columns::print(titles, keys.iter().map(|key| row(key, now)));
    Ok(())
}

fn described(key: &ApiKey, now: Timestamp) -> Value {
    let time = |time: Option<Timestamp>| time.map(wire_time::format);
    json!({
        "id": key.id, "name": key.name, "scope": key.scope.as_str(), "state": super::state(key, now),
        "prefix": key.prefix, "created_at": wire_time::format(key.created_at), "expires_at": time(key.expires_at),
        "last_used_at": time(key.last_used_at), "revoked_at": time(key.revoked_at),
    })
}

fn row(key: &ApiKey, now: Timestamp) -> [String; 8] {
    let time = |time: Option<Timestamp>| time.map_or_else(|| "never".to_owned(), wire_time::format);
    [
        printable(&key.name),
        key.scope.as_str().to_owned(),
        super::state(key, now).to_owned(),
        format!("{}…", key.prefix),
        wire_time::format(key.created_at),
        time(key.expires_at),
        time(key.last_used_at),
        key.id.to_string(),
    ]
}
