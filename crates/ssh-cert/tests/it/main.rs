//! Certificates and revocation lists as OpenSSH's own programs see them.

#[cfg(test)]
mod certificates;
#[cfg(test)]
mod lists;
#[cfg(test)]
mod openssh;
#[cfg(test)]
mod policy;
