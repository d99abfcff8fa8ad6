//! Background work, shared by the servers of one database.
//!
//! Each server is a replica, with a beat that says that it lives (`replica.rs`). Work that must not be done twice at
//! once has a lease; whichever replica gets it does the work until it stops or is held to be dead by the others. The
//! rules of leases are in [`portreeve_directory::leases`].

mod access;
mod alone;
mod answers;
mod authorities;
mod counts;
mod jobs;
mod mail;
mod memberships;
mod pace;
mod policies;
mod provisioning;
mod replica;
mod retention;
mod visitors;
mod webhooks;

pub(crate) use access::follow_access;
pub(crate) use alone::Alone;
pub(crate) use answers::tell_interrupted;
pub(crate) use authorities::turn_keys;
pub(crate) use counts::count_events;
pub(crate) use jobs::{Jobs, Turn};
pub(crate) use mail::send as send_mails;
pub(crate) use memberships::end_memberships;
pub(crate) use policies::follow_policies;
pub(crate) use provisioning::run as provision;
pub(crate) use replica::{Held, Replica, beat};
pub(crate) use retention::prune;
pub(crate) use visitors::{find_visitor_hosts, follow_visitor_hosts};
pub(crate) use webhooks::{WebhookKey, send as send_webhooks};
