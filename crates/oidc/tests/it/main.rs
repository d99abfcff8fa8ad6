//! A provider that tells the truth is believed; every other one is refused, with its reason.

#[cfg(test)]
mod metadata;
#[cfg(test)]
mod provider;
#[cfg(test)]
mod tokens;
