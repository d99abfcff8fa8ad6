//! The half with root's rights, below a folder that is no machine's.

mod access;
mod certificates;
mod faults;
mod ground;
mod leavers;
mod refusals;
mod rendered;
mod revoked;
mod socket;
