//! `portreeve exit-codes`: what scripts can rely on.

use crate::Global;
use crate::failure::Failure;
use crate::output::{self, Column, Shape};
use serde_json::{Value, json};

const SHAPE: Shape = Shape {
    columns: &[
        Column::text("CODE", "code"),
        Column::text("MEANING", "meaning"),
    ],
    name: "code",
};

const CODES: &[(u8, &str)] = &[
    (0, "done"),
    (1, "failed"),
    (2, "the command line is wrong"),
    (3, "cancelled"),
    (4, "not signed in"),
    (5, "forbidden"),
    (6, "not found"),
    (7, "conflict"),
    (8, "pending"),
    (9, "the server cannot be reached"),
];

/// The codes for `portreeve help exit-codes`.
pub(crate) fn help() -> String {
    let lines = CODES
        .iter()
        .map(|(code, meaning)| format!("  {code}  {meaning}"));
    let lines: Vec<_> = lines.collect();
    format!(
        "Every command ends with one of these codes:\n\n{}\n\nA message on standard error says why and, where there is something to do, what.",
        lines.join("\n")
    )
}

pub(crate) fn run(global: &Global) -> Result<(), Failure> {
    let items = CODES
        .iter()
        .map(|(code, meaning)| json!({"code": code, "meaning": meaning}));
    output::list(global.output, &SHAPE, &items.collect::<Vec<Value>>())
}
