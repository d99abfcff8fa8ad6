//! The language through its public interface.

#[cfg(test)]
mod case;
#[cfg(test)]
mod dates;
#[cfg(test)]
mod errors;
#[cfg(test)]
mod functions;
#[cfg(test)]
mod graph;
#[cfg(test)]
mod laws;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod lint;
#[cfg(test)]
mod manual;
#[cfg(test)]
mod mapping;
#[cfg(test)]
mod replace;
#[cfg(test)]
mod scope;
#[cfg(test)]
mod seeds;
#[cfg(test)]
mod vectors;
