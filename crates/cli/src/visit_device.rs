//! `portreeve visit-device`: the tablets at the doors of locations.

use crate::Global;
use crate::client::Api;
use crate::failure::Failure;
use crate::output::{self, Column, Format, Shape, plain};
use crate::scope::AtLocation;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Let a tablet in, with the address to open on it; both are shown this once
    Create(New),
    /// List the tablets of a location
    List(AtLocation),
    /// Send a tablet away, now
    Revoke(Which),
}

#[derive(Debug, Args)]
pub(crate) struct New {
    /// Name, to tell tablets apart
    name: String,
    #[command(flatten)]
    at: AtLocation,
}

#[derive(Debug, Args)]
pub(crate) struct Which {
    /// Name or id of the tablet
    device: String,
    #[command(flatten)]
    at: AtLocation,
}

const LIST: Shape = Shape {
    columns: &[
        Column::text("ID", "id"),
        Column::text("NAME", "name"),
        Column::text("STATUS", "status"),
        Column::time("CREATED", "created_at", ""),
        Column::time("LAST USED", "last_used_at", "never"),
    ],
    name: "id",
};

const ONE: Shape = Shape {
    columns: &[
        Column::text("Id", "id"),
        Column::text("Name", "name"),
        Column::text("Location", "location_id"),
        Column::text("Status", "status"),
        Column::time("Created", "created_at", ""),
        Column::time("Last used", "last_used_at", "never"),
        Column::time("Revoked", "revoked_at", ""),
        Column::text("Token", "token"),
    ],
    name: "id",
};

pub(crate) async fn run(global: &Global, command: Command) -> Result<(), Failure> {
    let api = Api::open(global)?;
    let format = global.output;
    match command {
        Command::Create(new) => create(&api, format, &new).await,
        Command::List(at) => {
            let location = at.resolve(&api).await?;
            let path = ["visit-locations", &location, "devices"];
            let all = api.list(&path, &at.team.query()).await;
            output::list(format, &LIST, &all.map_err(missing)?)
        }
        Command::Revoke(which) => {
            let location = which.at.resolve(&api).await?;
            let device = find(&api, &which, &location).await?;
            let path = ["visit-locations", &location, "devices", &device];
            let revoked = api.delete_where(&path, &which.at.team.query()).await;
            output::one(format, &ONE, &revoked.map_err(missing)?)
        }
    }
}

async fn create(api: &Api, format: Format, new: &New) -> Result<(), Failure> {
    let location = new.at.resolve(api).await?;
    let path = ["visit-locations", &location, "devices"];
    let body = json!({"name": new.name});
    let made = api.post_where(&path, &new.at.team.query(), &body).await;
    let made = made.map_err(missing)?;
    output::one(format, &ONE, &made)?;
    let url = plain(&made["setup_url"]);
    output::say(
        format,
        &format!("\nOpen on the tablet, once; neither address nor token is shown again:\n  {url}"),
    );
    Ok(())
}

/// The id of the tablet that is meant. Two may be called alike, of which one has been sent away already.
async fn find(api: &Api, which: &Which, location: &str) -> Result<String, Failure> {
    let path = ["visit-locations", location, "devices"];
    let all = api.list(&path, &which.at.team.query()).await;
    let all = all.map_err(missing)?;
    let named =
        |device: &&Value| device["name"] == which.device.as_str() && device["status"] == "active";
    let mut alike = all
        .iter()
        .filter(named)
        .filter_map(|device| device["id"].as_str());
    match (alike.next(), alike.next()) {
        (Some(_), Some(_)) => Err(Failure::usage(format!(
            "several tablets are called \"{}\"; give the id of one, which portreeve visit-device list shows",
            which.device
        ))),
        (Some(id), None) => Ok(id.to_owned()),
        // The server says what is wrong with it.
        (None, _) => Ok(which.device.clone()),
    }
}

fn missing(failure: Failure) -> Failure {
    failure.hint_if_missing(
        "portreeve visit-location list and portreeve visit-device list show those there are",
    )
}
