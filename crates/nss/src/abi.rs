//! What the C library calls: functions with the names and arguments that nss.h and the GNU C Library manual give.
//!
//! In each, `result`, `errnop` and, for `initgroups_dyn`, all pointers to where something is kept lead to what the caller
//! owns and nobody else uses meanwhile; names end with a 0; `buffer` has room for `len` bytes. That is what the
//! manual promises a module, and all that the blocks of `unsafe` below rest on. The work is done in the rest of the crate.
#![expect(
    unsafe_code,
    reason = "the C library passes pointers and looks functions up by name"
)]
#![expect(
    clippy::missing_safety_doc,
    reason = "it is the same for all of them, and stands above"
)]

use std::ffi::{CStr, c_char, c_int, c_long};
use std::mem::MaybeUninit;
use std::ops::ControlFlow;
use std::slice;

use libc::{gid_t, group, passwd, size_t, spwd, uid_t};

use crate::answer::{Failure, Status};
use crate::buffer::Buffer;
use crate::cursor::Cursor;
use crate::lines::Lines;
use crate::lookup::{self, Wanted};
use crate::snapshot::{self, GROUP, PASSWD, SHADOW};

static PEOPLE: Cursor = Cursor::new(PASSWD);
static GROUPS: Cursor = Cursor::new(GROUP);

/// getpwnam(3)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _nss_portreeve_getpwnam_r(
    name: *const c_char,
    result: *mut passwd,
    buffer: *mut c_char,
    len: size_t,
    errnop: *mut c_int,
) -> Status {
    // SAFETY: see the head of this file.
    let (name, buffer) = unsafe { (text(name), room(buffer, len)) };
    let answer = person(Wanted::Name(name), buffer);
    // SAFETY: see the head of this file.
    unsafe { tell(answer, result, errnop) }
}

/// getpwuid(3)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _nss_portreeve_getpwuid_r(
    uid: uid_t,
    result: *mut passwd,
    buffer: *mut c_char,
    len: size_t,
    errnop: *mut c_int,
) -> Status {
    // SAFETY: see the head of this file.
    let buffer = unsafe { room(buffer, len) };
    let answer = person(Wanted::Id(uid), buffer);
    // SAFETY: see the head of this file.
    unsafe { tell(answer, result, errnop) }
}

/// setpwent(3)
#[unsafe(no_mangle)]
pub extern "C" fn _nss_portreeve_setpwent(_stay_open: c_int) -> Status {
    done(PEOPLE.reset())
}

/// endpwent(3)
#[unsafe(no_mangle)]
pub extern "C" fn _nss_portreeve_endpwent() -> Status {
    done(PEOPLE.reset())
}

/// getpwent(3)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _nss_portreeve_getpwent_r(
    result: *mut passwd,
    buffer: *mut c_char,
    len: size_t,
    errnop: *mut c_int,
) -> Status {
    // SAFETY: see the head of this file.
    let buffer = unsafe { room(buffer, len) };
    let answer = PEOPLE.step(|lines| lookup::person(lines, Wanted::Any, buffer));
    // SAFETY: see the head of this file.
    unsafe { tell(answer, result, errnop) }
}

/// getgrnam(3)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _nss_portreeve_getgrnam_r(
    name: *const c_char,
    result: *mut group,
    buffer: *mut c_char,
    len: size_t,
    errnop: *mut c_int,
) -> Status {
    // SAFETY: see the head of this file.
    let (name, buffer) = unsafe { (text(name), room(buffer, len)) };
    let answer = group_of(Wanted::Name(name), buffer);
    // SAFETY: see the head of this file.
    unsafe { tell(answer, result, errnop) }
}

/// getgrgid(3)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _nss_portreeve_getgrgid_r(
    gid: gid_t,
    result: *mut group,
    buffer: *mut c_char,
    len: size_t,
    errnop: *mut c_int,
) -> Status {
    // SAFETY: see the head of this file.
    let buffer = unsafe { room(buffer, len) };
    let answer = group_of(Wanted::Id(gid), buffer);
    // SAFETY: see the head of this file.
    unsafe { tell(answer, result, errnop) }
}

/// setgrent(3)
#[unsafe(no_mangle)]
pub extern "C" fn _nss_portreeve_setgrent(_stay_open: c_int) -> Status {
    done(GROUPS.reset())
}

/// endgrent(3)
#[unsafe(no_mangle)]
pub extern "C" fn _nss_portreeve_endgrent() -> Status {
    done(GROUPS.reset())
}

/// getgrent(3)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _nss_portreeve_getgrent_r(
    result: *mut group,
    buffer: *mut c_char,
    len: size_t,
    errnop: *mut c_int,
) -> Status {
    // SAFETY: see the head of this file.
    let buffer = unsafe { room(buffer, len) };
    let answer = GROUPS.step(|lines| lookup::group(lines, Wanted::Any, buffer));
    // SAFETY: see the head of this file.
    unsafe { tell(answer, result, errnop) }
}

/// getspnam(3)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _nss_portreeve_getspnam_r(
    name: *const c_char,
    result: *mut spwd,
    buffer: *mut c_char,
    len: size_t,
    errnop: *mut c_int,
) -> Status {
    // SAFETY: see the head of this file.
    let (name, buffer) = unsafe { (text(name), room(buffer, len)) };
    let answer = snapshot::open(SHADOW)
        .and_then(|file| lookup::shadow(&mut Lines::new(&file, 0), Wanted::Name(name), buffer));
    // SAFETY: see the head of this file.
    unsafe { tell(answer, result, errnop) }
}

/// initgroups(3) and getgrouplist(3): adds the groups of `user` other than `group` to the array at `groups`, which has
/// room for `size` numbers, of which `start` are taken, and may grow up to `limit`, if that is more than 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _nss_portreeve_initgroups_dyn(
    user: *const c_char,
    group: gid_t,
    start: *mut c_long,
    size: *mut c_long,
    groups: *mut *mut gid_t,
    limit: c_long,
    errnop: *mut c_int,
) -> Status {
    // SAFETY: see the head of this file.
    let user = unsafe { text(user) };
    // SAFETY: see the head of this file.
    let (start, size, groups) = unsafe { (&mut *start, &mut *size, &mut *groups) };
    let mut array = Array {
        start,
        size,
        groups,
        limit,
    };
    let answer = snapshot::open(GROUP).and_then(|file| {
        lookup::groups_of(&mut Lines::new(&file, 0), user, |gid| {
            if gid == group {
                Ok(ControlFlow::Continue(()))
            } else {
                array.push(gid)
            }
        })
    });
    // SAFETY: see the head of this file; there is no other result than what is in the array.
    unsafe { tell(answer, &mut (), errnop) }
}

fn person(wanted: Wanted<'_>, buffer: Buffer<'_>) -> Result<passwd, Failure> {
    let file = snapshot::open(PASSWD)?;
    lookup::person(&mut Lines::new(&file, 0), wanted, buffer)
}

fn group_of(wanted: Wanted<'_>, buffer: Buffer<'_>) -> Result<group, Failure> {
    let file = snapshot::open(GROUP)?;
    lookup::group(&mut Lines::new(&file, 0), wanted, buffer)
}

/// The C library's array of groups, from malloc(3).
struct Array<'c> {
    start: &'c mut c_long,
    size: &'c mut c_long,
    groups: &'c mut *mut gid_t,
    limit: c_long,
}

impl Array<'_> {
    /// Breaks when there are as many as there may be.
    fn push(&mut self, gid: gid_t) -> Result<ControlFlow<()>, Failure> {
        if *self.start >= *self.size {
            if self.limit > 0 && *self.size >= self.limit {
                return Ok(ControlFlow::Break(()));
            }
            self.grow()?;
        }
        let place = usize::try_from(*self.start).map_err(|_| Failure::Later(libc::ENOMEM))?;
        // SAFETY: `start` is less than `size`, and the array has room for that many.
        unsafe { self.groups.add(place).write(gid) };
        *self.start = self.start.saturating_add(1);
        Ok(ControlFlow::Continue(()))
    }

    /// Doubles the room, up to the limit.
    fn grow(&mut self) -> Result<(), Failure> {
        let mut size = self.size.saturating_mul(2).max(16);
        if self.limit > 0 {
            size = size.min(self.limit);
        }
        let bytes = usize::try_from(size).ok();
        let bytes = bytes.and_then(|size| size.checked_mul(size_of::<gid_t>()));
        let bytes = bytes.ok_or(Failure::Later(libc::ENOMEM))?;
        // SAFETY: the array is from malloc(3); if there is no memory for more, it stays as it is.
        let groups = unsafe { libc::realloc((*self.groups).cast(), bytes) };
        if groups.is_null() {
            return Err(Failure::Later(libc::ENOMEM));
        }
        *self.groups = groups.cast();
        *self.size = size;
        Ok(())
    }
}

/// A name that was asked for.
unsafe fn text<'c>(name: *const c_char) -> &'c [u8] {
    // SAFETY: the caller's, see the head of this file.
    unsafe { CStr::from_ptr(name) }.to_bytes()
}

/// The caller's buffer.
unsafe fn room<'c>(buffer: *mut c_char, len: size_t) -> Buffer<'c> {
    // SAFETY: the caller's, see the head of this file; nothing is known about what is in it.
    Buffer::new(unsafe { slice::from_raw_parts_mut(buffer.cast::<MaybeUninit<u8>>(), len) })
}

/// Hands an answer over, or why there is none.
unsafe fn tell<T>(answer: Result<T, Failure>, result: *mut T, errnop: *mut c_int) -> Status {
    match answer {
        Ok(answer) => {
            // SAFETY: the caller's, see the head of this file.
            unsafe { result.write(answer) };
            Status::Success
        }
        Err(failure) => {
            let (status, errno) = failure.told();
            // SAFETY: the caller's, see the head of this file.
            unsafe { errnop.write(errno) };
            status
        }
    }
}

/// For functions that have no way to say more.
fn done(answer: Result<(), Failure>) -> Status {
    answer.map_or_else(|failure| failure.told().0, |()| Status::Success)
}
