//! Finding who is asked for, and the answer in the shape that C has for it.

use std::ops::ControlFlow;

use libc::{group, passwd, spwd};

use crate::answer::Failure;
use crate::buffer::Buffer;
use crate::lines::{Lines, Source};
use crate::record::{Group, Person, Shadow, id_of, is_name, members, name_of};

/// Whom a question is about.
#[derive(Clone, Copy, Debug)]
pub enum Wanted<'q> {
    Name(&'q [u8]),
    /// A uid or gid, which both stand in the third field.
    Id(u32),
    /// Whoever comes next.
    Any,
}

impl Wanted<'_> {
    /// Looks at no more of the line than it takes, because nearly all lines are about others.
    fn is_in(self, line: &[u8]) -> bool {
        match self {
            Self::Name(name) => name_of(line) == Some(name),
            Self::Id(id) => id_of(line) == Some(id),
            Self::Any => true,
        }
    }
}

/// The first person wanted.
///
/// # Errors
///
/// [`Failure::Unknown`], [`Failure::Small`], or what reading says.
pub fn person<S: Source + ?Sized>(
    lines: &mut Lines<'_, S>,
    wanted: Wanted<'_>,
    mut buffer: Buffer<'_>,
) -> Result<passwd, Failure> {
    while let Some(piece) = lines.next()? {
        let line = piece.whole().filter(|line| wanted.is_in(line));
        if let Some(found) = line.and_then(Person::parse) {
            return Ok(passwd {
                pw_name: buffer.text(found.name)?,
                pw_passwd: buffer.text(found.password)?,
                pw_uid: found.uid,
                pw_gid: found.gid,
                pw_gecos: buffer.text(found.gecos)?,
                pw_dir: buffer.text(found.home)?,
                pw_shell: buffer.text(found.shell)?,
            });
        }
    }
    Err(Failure::Unknown)
}

/// The first entry wanted of the file of locks and ends.
///
/// # Errors
///
/// As [`person`].
pub fn shadow<S: Source + ?Sized>(
    lines: &mut Lines<'_, S>,
    wanted: Wanted<'_>,
    mut buffer: Buffer<'_>,
) -> Result<spwd, Failure> {
    while let Some(piece) = lines.next()? {
        let line = piece.whole().filter(|line| wanted.is_in(line));
        if let Some(found) = line.and_then(Shadow::parse) {
            return Ok(spwd {
                sp_namp: buffer.text(found.name)?,
                sp_pwdp: buffer.text(found.password)?,
                sp_lstchg: found.changed,
                sp_min: found.minimum,
                sp_max: found.maximum,
                sp_warn: found.warning,
                sp_inact: found.inactive,
                sp_expire: found.expires,
                sp_flag: found.reserved,
            });
        }
    }
    Err(Failure::Unknown)
}

/// The first group wanted, with its members.
///
/// # Errors
///
/// As [`person`]. A group whose line is cut off is unknown, because a member may be missing or be another one.
pub fn group<S: Source + ?Sized>(
    lines: &mut Lines<'_, S>,
    wanted: Wanted<'_>,
    mut buffer: Buffer<'_>,
) -> Result<group, Failure> {
    while let Some(piece) = lines.next()? {
        if !(piece.starts && wanted.is_in(piece.bytes)) {
            continue;
        }
        let Some(found) = Group::parse(piece.bytes) else {
            continue;
        };
        let (gr_name, gr_passwd) = (buffer.text(found.name)?, buffer.text(found.password)?);
        let gr_gid = found.gid;
        let mut list = buffer.into_list();
        members(found.members).try_for_each(|name| list.push(name))?;
        let mut ends = piece.ends;
        while !ends {
            let piece = lines.next()?.ok_or(Failure::Unknown)?;
            members(piece.bytes).try_for_each(|name| list.push(name))?;
            ends = piece.ends;
        }
        return Ok(group {
            gr_name,
            gr_passwd,
            gr_gid,
            gr_mem: list.finish()?,
        });
    }
    Err(Failure::Unknown)
}

/// Tells `found` the numbers of all groups that name `user` as a member, until it has enough.
///
/// # Errors
///
/// [`Failure::Unknown`] if there is none, or what `found` or reading says.
pub fn groups_of<S: Source + ?Sized>(
    lines: &mut Lines<'_, S>,
    user: &[u8],
    mut found: impl FnMut(u32) -> Result<ControlFlow<()>, Failure>,
) -> Result<(), Failure> {
    if !is_name(user) {
        return Err(Failure::Unknown);
    }
    let (mut gid, mut is_member, mut any) = (None, false, false);
    while let Some(piece) = lines.next()? {
        let mut list = piece.bytes;
        if piece.starts {
            let group = Group::parse(piece.bytes);
            (gid, is_member) = (group.map(|group| group.gid), false);
            list = group.map_or(&[], |group| group.members);
        }
        is_member |= list.split(|byte| *byte == b',').any(|name| name == user);
        if let Some(gid) = gid.filter(|_| piece.ends && is_member) {
            any = true;
            if found(gid)?.is_break() {
                break;
            }
        }
    }
    if any { Ok(()) } else { Err(Failure::Unknown) }
}
