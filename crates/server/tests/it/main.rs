//! The server as its clients see it: a real one, on a free port, with its database in a temporary folder.

mod cases;
mod limits;
mod rules;
mod talk;
