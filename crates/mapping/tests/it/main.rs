//! The language through its public interface.

#[cfg(test)]
mod vectors;
