//! Documents as hosts receive them: what is believed, and what is followed of it.

#[cfg(test)]
mod believed;
#[cfg(test)]
mod followed;
#[cfg(test)]
mod laws;
#[cfg(test)]
mod sample;
