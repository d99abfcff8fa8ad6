//! The program `portreeve`.

fn main() {}
