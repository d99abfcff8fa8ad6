//! Both ceremonies with an authenticator in software, and what is refused.

#[cfg(test)]
mod assertion;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod laws;
#[cfg(test)]
mod registration;
#[cfg(test)]
mod site;
