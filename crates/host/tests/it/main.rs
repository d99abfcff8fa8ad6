//! The agent of a host, with its files in a folder of its own.

#[cfg(test)]
mod apply;
#[cfg(test)]
mod doctor;
#[cfg(test)]
mod enrolled;
#[cfg(test)]
mod log;
#[cfg(test)]
mod program;
#[cfg(test)]
mod setup;
