//! The module's parts, each by what must hold for any input.

#[cfg(test)]
mod as_c;
#[cfg(test)]
mod buffers;
#[cfg(test)]
mod lookups;
#[cfg(test)]
mod pieces;
#[cfg(test)]
mod records;
#[cfg(test)]
mod symbols;
