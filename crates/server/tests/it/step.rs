//! The API that the stock `step` client speaks, asked over TLS as that client asks it.

mod attacks;
mod managed;
mod people;
mod provisioners;
mod renewal;
mod rotation;
mod wire;
mod world;
