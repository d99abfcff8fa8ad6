//! The manual's examples give what the manual says.
