//! How a question can end, and how the C library is told.

use std::ffi::c_int;
use std::io;

/// `enum nss_status` of nss.h, as far as a module answers with it.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Ask again: with a larger buffer, or later.
    TryAgain = -2,
    /// There is nobody to ask: the C library goes on to the next module.
    Unavailable = -1,
    /// Not one of ours.
    NotFound = 0,
    Success = 1,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// No such person or group, or the end of an enumeration.
    Unknown,
    /// The caller's buffer is too small.
    Small,
    /// The process or the machine has too little of something at the moment, as this `errno` says.
    Later(c_int),
    /// There is no snapshot, or none that can be believed.
    Unavailable(c_int),
}

impl Failure {
    /// What the C library gets: a status, and the `errno` that goes with it.
    #[must_use]
    pub fn told(self) -> (Status, c_int) {
        match self {
            Self::Unknown => (Status::NotFound, libc::ENOENT),
            Self::Small => (Status::TryAgain, libc::ERANGE),
            Self::Later(errno) => (Status::TryAgain, errno),
            Self::Unavailable(errno) => (Status::Unavailable, errno),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.raw_os_error().unwrap_or(libc::EIO) {
            errno @ (libc::EMFILE | libc::ENFILE | libc::ENOMEM | libc::EAGAIN) => {
                Self::Later(errno)
            }
            errno => Self::Unavailable(errno),
        }
    }
}
