//! The server as its clients see it: a real one, on a free port, with its database in a temporary folder.

#[cfg(test)]
mod access;
#[cfg(test)]
mod agents;
#[cfg(test)]
mod api;
#[cfg(test)]
mod applications;
#[cfg(test)]
mod attacks;
#[cfg(test)]
mod authority;
#[cfg(test)]
mod browser;
#[cfg(test)]
mod cases;
#[cfg(test)]
mod changes;
#[cfg(test)]
mod cli_sign_in;
#[cfg(test)]
mod connections;
#[cfg(test)]
mod console;
#[cfg(test)]
mod estate;
#[cfg(test)]
mod events;
#[cfg(test)]
mod explain;
#[cfg(test)]
mod extensions;
#[cfg(test)]
mod grants;
#[cfg(test)]
mod hosts;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod links;
#[cfg(test)]
mod metrics;
#[cfg(test)]
mod once;
#[cfg(test)]
mod openapi;
#[cfg(test)]
mod passkeys;
#[cfg(test)]
mod people;
#[cfg(test)]
mod reception;
#[cfg(test)]
mod replicas;
#[cfg(test)]
mod retention;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod sink;
#[cfg(test)]
mod sso;
#[cfg(test)]
mod step;
#[cfg(test)]
mod tags;
#[cfg(test)]
mod talk;
#[cfg(test)]
mod teams;
#[cfg(test)]
mod throttle;
#[cfg(test)]
mod trips;
#[cfg(test)]
mod visitor_hosts;
#[cfg(test)]
mod visitors;
#[cfg(test)]
mod visits;
