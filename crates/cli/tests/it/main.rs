//! The program as people and scripts use it: the real binary, on data folders of its own.

#[cfg(test)]
mod access;
#[cfg(test)]
mod app;
#[cfg(test)]
mod backup;
#[cfg(test)]
mod contract;
#[cfg(test)]
mod demo;
#[cfg(test)]
mod forms;
#[cfg(test)]
mod login;
#[cfg(test)]
mod mapping;
#[cfg(test)]
mod peers;
#[cfg(test)]
mod pkcs11;
#[cfg(test)]
mod postgres;
#[cfg(test)]
mod program;
#[cfg(test)]
mod serve;
#[cfg(test)]
mod serve_postgres;
#[cfg(test)]
mod settings;
#[cfg(test)]
mod ssh;
#[cfg(test)]
mod stream;
#[cfg(test)]
mod visitors;
