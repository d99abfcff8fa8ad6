//! The pages, judged from outside.

#[path = "../samples/mod.rs"]
mod samples;

mod assets;
mod markup;
mod parts;
