//! What OpenSSH, PAM, sudo and the name service of the distribution do with the files that a host is managed by.
//!
//! The files are made by hand here, each as it can be found on a host, so that a case says what the agent may rely on and
//! what it must never leave behind.

#[cfg(test)]
mod accounts;
#[cfg(test)]
mod certificates;
#[cfg(test)]
mod company;
#[cfg(test)]
mod ground;
#[cfg(test)]
mod host_keys;
#[cfg(test)]
mod principals;
#[cfg(test)]
mod revoked;
#[cfg(test)]
mod sessions;
#[cfg(test)]
mod story;
#[cfg(test)]
mod sudo;
