//! A Linux machine in namespaces: what a host of a fleet is, without another computer.
//!
//! A [`Machine`] has processes, mounts and a host name of its own, and accounts, configuration and logs that are gone with
//! it. Its programs are those of the system beneath: OpenSSH, PAM, sudo, the name service, syslog, all as the distribution
//! has built them. It shares the network, so that its OpenSSH server listens on a free port of the loopback interface
//! and finds servers there.
//!
//! A [`Client`] is a computer that somebody logs in from, with the system's `ssh`.
//!
//! ```no_run
//! use portreeve_machine::{Client, Machine};
//!
//! # fn example() -> Result<(), portreeve_machine::Error> {
//! let machine = Machine::start("web-1")?;
//! let client = Client::new()?;
//! client.know(&machine)?;
//! machine.welcome_warden(&client.key("warden")?)?;
//! assert_eq!(client.log_in(&machine, "warden", "id -un")?.out, "warden\n");
//! # Ok(())
//! # }
//! ```
//!
//! Namespaces of this kind need root, and a kernel that lets root have them: [`Machine::start`] says so where that is
//! wanting. The first process is `init.sh`, in which the whole recipe can be read.
#![warn(missing_docs)]

mod client;
mod error;
mod machine;
mod needs;
mod said;

pub use client::{Client, Session};
pub use error::Error;
pub use machine::Machine;
pub use needs::needs;
pub use said::Said;
