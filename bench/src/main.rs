//! Measures a running server against the limits of the machine.

fn main() {}
