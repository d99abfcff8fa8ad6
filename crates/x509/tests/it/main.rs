//! The crate's public interface, judged by itself and by others.

#[cfg(test)]
mod chains;
