//! The files that the host agent writes, and whether they can be believed.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};

use crate::answer::Failure;

/// People who have an account on this host, in the format of passwd(5).
pub const PASSWD: &str = "/run/portreeve-host/nss/passwd";

/// Groups and who is in them, in the format of group(5). A group that the host has itself is in it with those members
/// that come from here.
pub const GROUP: &str = "/run/portreeve-host/nss/group";

/// Who is locked, and whose access ends when, in the format of shadow(5). Only root may read it.
pub const SHADOW: &str = "/run/portreeve-host/nss/shadow";

/// Opens one of the files. It is replaced by renaming and never written to, so what is open does not change.
///
/// # Errors
///
/// [`Failure::Unavailable`] where there is none, or where somebody other than root could have written it;
/// [`Failure::Later`] where the process cannot open another file.
pub fn open(path: &str) -> Result<File, Failure> {
    // Nothing there can make us wait, become our terminal, or lead elsewhere; std adds O_CLOEXEC.
    let flags = libc::O_NONBLOCK | libc::O_NOCTTY | libc::O_NOFOLLOW;
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags)
        .open(path)?;
    let facts = file.metadata()?;
    let by_others = facts.mode() & (libc::S_IWGRP | libc::S_IWOTH) != 0;
    if facts.is_file() && facts.uid() == 0 && !by_others {
        Ok(file)
    } else {
        Err(Failure::Unavailable(libc::EACCES))
    }
}
