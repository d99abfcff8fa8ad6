//! How applications look in tables.

use crate::output::{Column, Shape};

/// Both ends of a connection test.
pub(super) const TESTED: Shape = Shape {
    columns: &[
        Column::text("Source", "source.ok"),
        Column::text("", "source.detail"),
        Column::text("Target", "target.ok"),
        Column::text("", "target.detail"),
    ],
    name: "source.ok",
};

/// Applications of a server.
pub(super) const LIST: Shape = Shape {
    columns: &[
        Column::text("NAME", "name"),
        Column::text("STATUS", "status"),
        Column::text("SOURCE", "source_name"),
        Column::text("TARGET", "target_name"),
        Column::time("NEXT CYCLE", "next_run_at", ""),
        Column::text("ID", "id"),
    ],
    name: "name",
};

/// One application.
pub(super) const ONE: Shape = Shape {
    columns: &[
        Column::text("Name", "name"),
        Column::text("Id", "id"),
        Column::text("Status", "status"),
        Column::text("Source", "source_name"),
        Column::text("Target", "target_name"),
        Column::text("Interval", "definition.interval"),
        Column::text("Template", "definition.template"),
        Column::time("Next cycle", "next_run_at", ""),
        Column::time("Created", "created_at", ""),
        Column::time("Changed", "updated_at", ""),
    ],
    name: "name",
};
