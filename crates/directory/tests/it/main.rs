//! The rules of the roll on a real database.

#[cfg(test)]
mod access;
#[cfg(test)]
mod accounts;
#[cfg(test)]
mod applications;
#[cfg(test)]
mod connections;
#[cfg(test)]
mod devices;
#[cfg(test)]
mod engine;
#[cfg(test)]
mod event_counts;
#[cfg(test)]
mod feed;
#[cfg(test)]
mod filters;
#[cfg(test)]
mod groups;
#[cfg(test)]
mod host_policies;
#[cfg(test)]
mod leases;
#[cfg(test)]
mod levels;
#[cfg(test)]
mod local_members;
#[cfg(test)]
mod mails;
#[cfg(test)]
mod outcomes;
#[cfg(test)]
mod passkeys;
#[cfg(test)]
mod resolve;
#[cfg(test)]
mod retention;
#[cfg(test)]
mod roll;
#[cfg(test)]
mod schema;
#[cfg(test)]
mod search;
#[cfg(test)]
mod streams;
#[cfg(test)]
mod tokens;
#[cfg(test)]
mod unknown;
#[cfg(test)]
mod users;
#[cfg(test)]
mod visit_notices;
#[cfg(test)]
mod visitor_hosts;
#[cfg(test)]
mod visits;
#[cfg(test)]
mod world;
