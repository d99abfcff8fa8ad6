//! The rules of the roll on a real database.

mod filters;
mod groups;
mod roll;
mod tokens;
mod users;
mod world;
