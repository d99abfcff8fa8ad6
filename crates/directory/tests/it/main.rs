//! The rules of the roll on a real database.

mod filters;
mod groups;
mod outcomes;
mod roll;
mod streams;
mod tokens;
mod users;
mod world;
