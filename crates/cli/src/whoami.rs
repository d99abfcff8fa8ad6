//! `portreeve whoami`.

use crate::Global;
use crate::client::Api;
use crate::failure::Failure;
use crate::output::{self, Column, Format, Shape};
use serde_json::json;

const WHO: Shape = Shape {
    columns: &[
        Column::text("Name", "name"),
        Column::text("Kind", "kind"),
        Column::text("Id", "id"),
        Column::text("Level", "level"),
        Column::text("Team", "team"),
        Column::text("Directory", "directory_id"),
        Column::text("Server", "server"),
        Column::text("May", "permissions"),
    ],
    name: "name",
};

pub(crate) async fn run(global: &Global) -> Result<(), Failure> {
    let api = Api::open(global)?;
    let mut who = api.get(&["me"], &[]).await?;
    if global.output == Format::Table {
        who["server"] = json!(api.place());
    }
    output::one(global.output, &WHO, &who)
}
