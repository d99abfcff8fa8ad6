//! The rules of Portreeve's roll: teams, directories, tokens, users, groups, memberships and events.
//!
//! Every function takes a [`portreeve_store::Tx`] and does its whole work in it, so that a change and the event
//! that tells of it commit together or not at all. All SQL of the product is in this crate; it knows no HTTP.
#![warn(missing_docs)]

pub mod access;
pub mod accounts;
pub mod actors;
pub mod api_tokens;
pub mod applications;
pub mod authorities;
pub mod bearer;
pub mod ca_policies;
pub mod call;
pub mod certificates;
pub mod clock;
pub mod connections;
pub mod cursor;
pub mod devices;
pub mod directories;
pub mod enrolments;
pub mod event_counts;
pub mod events;
mod filter_sql;
pub mod grants;
pub mod groups;
pub mod holders;
pub mod host_accounts;
pub mod host_policies;
pub mod host_removals;
pub mod host_agents;
pub mod host_denials;
pub mod host_sessions;
pub mod hosts;
pub mod idempotency;
pub mod identities;
pub mod ids;
pub mod installation;
pub mod leases;
pub mod levels;
pub mod list;
pub mod local_members;
pub mod mails;
pub mod members;
pub mod memberships;
pub mod names;
pub mod outcomes;
pub mod owners;
pub mod passkeys;
pub mod permissions;
pub mod provisioners;
pub mod refusal;
pub mod remote_identities;
pub mod required;
pub mod resolve;
pub mod revocations;
pub mod roll;
pub mod saved_views;
pub mod search;
pub mod service_accounts;
pub mod sessions;
pub mod shown;
pub mod sign_ins;
pub mod step_settings;
pub mod streams;
pub mod suspensions;
pub mod teams;
pub mod tokens;
pub mod unknown;
pub mod used_tokens;
pub mod users;
pub mod visitor_hosts;

pub use call::{Actor, Call};
pub use clock::{Clock, SystemClock};
pub use ids::Ids;
pub use permissions::{Level, Permission, Permissions};
pub use refusal::{Refusal, What};
