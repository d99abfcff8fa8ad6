//! Who may log in to which host, and why.
//!
//! [`tags`] are what hosts are called by, [`expression`] chooses hosts by their tags, and a [`grant`] says who may log in
//! where. [`may`] decides about one person and one host and gives its reasons; whatever writes a host's policy or explains
//! a refusal asks this one function. [`Reach`] says the same of one person and all hosts at once, and [`entitlement`] what a
//! certificate says of it. [`estate`] finds the hosts that an expression chooses among thousands. [`posix`] makes account
//! names and numbers.
//!
//! Nothing here reads a clock, a file or a database.
#![warn(missing_docs)]

mod decision;
pub mod estate;
pub mod expression;
pub mod grant;
pub mod posix;
mod reach;
pub mod tags;

pub use decision::{
    Account, Decision, Directory, Host, Link, Membership, Person, Reason, RemoteIdentity, Standing,
    Step, Verdict, may,
};
pub use estate::Estate;
pub use expression::Expression;
pub use grant::Grant;
pub use reach::{Entitlement, NoAccess, Reach, Reached, entitlement};
pub use tags::Tags;
