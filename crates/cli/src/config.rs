//! `portreeve config`.

use crate::client::Api;
use crate::failure::Failure;
use crate::output::{self, Column, Shape};
use crate::settings::{self, Flags};
use crate::{Global, environment, runtime};
use clap::Subcommand;
use portreeve_server::Config;
use portreeve_server::config::SETTINGS;
use serde_json::{Value, json};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the settings that `serve` would start with here, given the same flags
    Show {
        /// Say where each value comes from
        #[arg(long)]
        origin: bool,
        /// Ask the running server instead
        #[arg(long)]
        running: bool,
        #[command(flatten)]
        flags: Flags,
    },
}

const SHORT: Shape = Shape {
    columns: &[
        Column::text("SETTING", "name"),
        Column::text("VALUE", "value"),
    ],
    name: "name",
};
const WITH_ORIGIN: Shape = Shape {
    columns: &[
        Column::text("SETTING", "name"),
        Column::text("VALUE", "value"),
        Column::text("ORIGIN", "origin"),
    ],
    name: "name",
};

pub(crate) fn run(global: &Global, command: Command) -> Result<(), Failure> {
    let Command::Show {
        origin,
        running,
        flags,
    } = command;
    let shape = if origin { &WITH_ORIGIN } else { &SHORT };
    if running || global.url.is_some() {
        return runtime::client(async {
            let items = Api::open(global)?.list(&["config"], &[]).await?;
            output::list(global.output, shape, &items)
        });
    }
    let values = settings::gather(global, &flags)?;
    let config = Config::from_values(&values, environment::var).map_err(Failure::usage)?;
    let items = SETTINGS.iter().map(|setting| {
        let (value, from) = config.show(setting);
        json!({"name": setting.name, "value": value, "origin": from.to_string()})
    });
    output::list(global.output, shape, &items.collect::<Vec<Value>>())
}
