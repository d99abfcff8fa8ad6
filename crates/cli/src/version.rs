//! `portreeve version`.

use crate::Global;
use crate::failure::Failure;
use crate::output::{self, Column, Shape};
use serde_json::json;

const VERSION: Shape = Shape {
    columns: &[
        Column::text("NAME", "name"),
        Column::text("VERSION", "version"),
    ],
    name: "version",
};

pub(crate) fn run(global: &Global) -> Result<(), Failure> {
    let version = json!({"name": "portreeve", "version": env!("CARGO_PKG_VERSION")});
    output::one(global.output, &VERSION, &version)
}
