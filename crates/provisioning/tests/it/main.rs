//! The SCIM client and the sample company against HTTP doubles that check what they are sent; sources against files and real servers.

#[cfg(test)]
mod client;
#[cfg(test)]
mod demo;
#[cfg(test)]
mod discovery;
#[cfg(test)]
mod double;
#[cfg(test)]
mod export;
#[cfg(test)]
mod files;
#[cfg(test)]
mod graph;
#[cfg(test)]
mod job;
#[cfg(test)]
mod ldap;
#[cfg(test)]
mod lookup;
#[cfg(test)]
mod manual;
#[cfg(test)]
mod memory;
#[cfg(test)]
mod native;
#[cfg(test)]
mod reader;
#[cfg(test)]
mod sources;
#[cfg(test)]
mod target;
#[cfg(test)]
mod target_faults;
