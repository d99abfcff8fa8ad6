//! The module in the C library of a machine of its own, asked by the programs that ask it on a host.

#[cfg(test)]
mod answers;
#[cfg(test)]
mod ground;
#[cfg(test)]
mod logins;
#[cfg(test)]
mod refused;
#[cfg(test)]
mod stress;
