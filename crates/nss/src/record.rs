//! What a line says: passwd(5), group(5), shadow(5).
//!
//! A line that is not exactly as it should be is none, and only whoever it is about is missing.

use std::ffi::{c_long, c_ulong};

/// A line of a file in the format of passwd(5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Person<'l> {
    pub name: &'l [u8],
    pub password: &'l [u8],
    /// Never 0, and never the number that means nobody.
    pub uid: u32,
    /// As `uid`.
    pub gid: u32,
    pub gecos: &'l [u8],
    pub home: &'l [u8],
    pub shell: &'l [u8],
}

impl<'l> Person<'l> {
    /// `name:password:uid:gid:gecos:home:shell`
    #[must_use]
    pub fn parse(line: &'l [u8]) -> Option<Self> {
        let mut fields = fields(line)?;
        let person = Self {
            name: name(fields.next()?)?,
            password: fields.next()?,
            uid: id(fields.next()?)?,
            gid: id(fields.next()?)?,
            gecos: fields.next()?,
            home: fields.next()?,
            shell: fields.next()?,
        };
        fields.next().is_none().then_some(person)
    }
}

/// A line of a file in the format of group(5), or the first piece of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Group<'l> {
    pub name: &'l [u8],
    pub password: &'l [u8],
    /// Never 0, and never the number that means nobody.
    pub gid: u32,
    /// Names with commas between them; see [`members`].
    pub members: &'l [u8],
}

impl<'l> Group<'l> {
    /// `name:password:gid:member,member…`
    #[must_use]
    pub fn parse(line: &'l [u8]) -> Option<Self> {
        let mut fields = fields(line)?;
        let group = Self {
            name: name(fields.next()?)?,
            password: fields.next()?,
            gid: id(fields.next()?)?,
            members: fields.next()?,
        };
        fields.next().is_none().then_some(group)
    }
}

/// The names in a list of members, or in a piece of one.
pub fn members(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    list.split(|byte| *byte == b',').filter_map(name)
}

/// A line of a file in the format of shadow(5). Times are days since 1970-01-01 or numbers of days; −1 where the line says
/// nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shadow<'l> {
    pub name: &'l [u8],
    pub password: &'l [u8],
    pub changed: c_long,
    pub minimum: c_long,
    pub maximum: c_long,
    pub warning: c_long,
    pub inactive: c_long,
    /// The day on which the account ends.
    pub expires: c_long,
    pub reserved: c_ulong,
}

impl<'l> Shadow<'l> {
    /// `name:password:changed:minimum:maximum:warning:inactive:expires:reserved`
    #[must_use]
    pub fn parse(line: &'l [u8]) -> Option<Self> {
        let mut fields = fields(line)?;
        let shadow = Self {
            name: name(fields.next()?)?,
            password: fields.next()?,
            changed: days(fields.next()?)?,
            minimum: days(fields.next()?)?,
            maximum: days(fields.next()?)?,
            warning: days(fields.next()?)?,
            inactive: days(fields.next()?)?,
            expires: days(fields.next()?)?,
            reserved: match fields.next()? {
                b"" => c_ulong::MAX,
                digits => number(digits)?,
            },
        };
        fields.next().is_none().then_some(shadow)
    }
}

/// The first field of a line of any of these files.
pub(crate) fn name_of(line: &[u8]) -> Option<&[u8]> {
    line.split(|byte| *byte == b':').next()
}

/// The third field of a line of passwd(5) or group(5).
pub(crate) fn id_of(line: &[u8]) -> Option<u32> {
    line.split(|byte| *byte == b':').nth(2).and_then(id)
}

/// Whether somebody can have that name here: it is not empty, and nothing in it ends a field or stands for something else
/// to a reader of passwd(5): a directive of NIS, a comment.
pub(crate) fn is_name(field: &[u8]) -> bool {
    let ends = |byte: &u8| matches!(byte, 0 | b':' | b',');
    !matches!(field.first(), None | Some(b'+' | b'-' | b'#')) && !field.iter().any(ends)
}

/// None if there is a byte 0, with which C would see a text end earlier than the file does.
fn fields(line: &[u8]) -> Option<impl Iterator<Item = &[u8]>> {
    (!line.contains(&0)).then(|| line.split(|byte| *byte == b':'))
}

fn name(field: &[u8]) -> Option<&[u8]> {
    is_name(field).then_some(field)
}

/// Not root, and not `(uid_t) -1`, which stands for nobody.
fn id(field: &[u8]) -> Option<u32> {
    number::<u32>(field).filter(|id| !matches!(*id, 0 | u32::MAX))
}

fn days(field: &[u8]) -> Option<c_long> {
    if field.is_empty() {
        Some(-1)
    } else {
        number(field)
    }
}

/// Digits and nothing else; what is too large is no number.
fn number<N: std::str::FromStr>(field: &[u8]) -> Option<N> {
    let digits = field.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(field).ok().filter(|_| digits)?;
    text.parse().ok()
}
