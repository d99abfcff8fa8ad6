//! Accounts and groups as three files that our own module of the name service switch reads, in the forms of passwd(5),
//! group(5) and shadow(5), for systems whose `nss-systemd` reads no records.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::io;
use std::path::Path;

use jiff::Timestamp;
use portreeve_host_policy::Local;

use super::files::{self, Files};
use super::image::{DAY, Image, User, day_after};
use crate::config::PEOPLE;

/// Shuts an account: the second day of 1970 is over (shadow(5)).
const OVER: i64 = 1;

/// What the files say now, without principals. Ends of accounts are known to the day.
pub(super) fn read(folder: &Path) -> io::Result<Image> {
    let mut image = Image::default();
    let shadow = files::text(&folder.join("shadow"))?.unwrap_or_default();
    let expiry: BTreeMap<&str, Option<i64>> = shadow.lines().filter_map(expiry_of).collect();
    for line in files::text(&folder.join("passwd"))?
        .unwrap_or_default()
        .lines()
    {
        if let [name, _, uid, gid, full_name, home, shell] =
            line.split(':').collect::<Vec<_>>().as_slice()
            && let (Ok(uid), Ok(gid)) = (uid.parse(), gid.parse())
        {
            let expiry = expiry.get(name).copied().flatten();
            let user = User {
                uid,
                gid,
                full_name: (*full_name).to_owned(),
                home: (*home).to_owned(),
                shell: (*shell).to_owned(),
                locked: expiry == Some(OVER),
                until: expiry
                    .filter(|day| *day != OVER)
                    .and_then(|day| Timestamp::from_second(day.checked_mul(DAY)?).ok()),
            };
            image.users.insert((*name).to_owned(), user);
        }
    }
    for line in files::text(&folder.join("group"))?
        .unwrap_or_default()
        .lines()
    {
        if let [name, _, gid, members] = line.split(':').collect::<Vec<_>>().as_slice()
            && let Ok(gid) = gid.parse()
        {
            image.groups.insert((*name).to_owned(), gid);
            for member in members.split(',').filter(|member| !member.is_empty()) {
                let member = (member.to_owned(), (*name).to_owned());
                image.members.insert(member);
            }
        }
    }
    Ok(image)
}

fn expiry_of(line: &str) -> Option<(&str, Option<i64>)> {
    match line.split(':').collect::<Vec<_>>().as_slice() {
        [name, _, _, _, _, _, _, expiry, _] => Some((*name, expiry.parse().ok())),
        _ => None,
    }
}

/// Takes away what the image does not have: all of it, even if a part cannot be done. It gives nothing: the image must be a
/// tightened one.
pub(super) fn shut(files: &mut dyn Files, folder: &Path, image: &Image) -> io::Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    let shadow = put(files, folder, "shadow", &shadow(&image.users));
    let group = put(files, folder, "group", &group(image, &Local::default()));
    let passwd = put(files, folder, "passwd", &passwd(&image.users));
    shadow.and(group).and(passwd)
}

/// Makes the files those of the image. A lock is there before the account that it shuts, and so is the group of people, by
/// which `sshd` knows that nothing but a certificate opens an account; other groups come last.
pub(super) fn open(
    files: &mut dyn Files,
    folder: &Path,
    image: &Image,
    local: &Local,
) -> io::Result<()> {
    files::folder(folder, 0o755)?;
    let mut guarded = read(folder)?;
    for (name, user) in &image.users {
        if user.locked || !guarded.users.contains_key(name) {
            guarded.users.insert(name.clone(), user.clone());
        }
    }
    let people = image.members.iter().filter(|(_, group)| group == PEOPLE);
    guarded.members.extend(people.cloned());
    guarded.groups.extend(image.groups.clone());
    put(files, folder, "shadow", &shadow(&guarded.users))?;
    put(files, folder, "group", &group(&guarded, local))?;
    put(files, folder, "passwd", &passwd(&image.users))?;
    put(files, folder, "shadow", &shadow(&image.users))?;
    put(files, folder, "group", &group(image, local))
}

fn put(files: &mut dyn Files, folder: &Path, name: &str, text: &str) -> io::Result<()> {
    // Locks are nobody's business; PAM, which asks for them, is root.
    let mode = if name == "shadow" { 0o600 } else { 0o644 };
    files::put(files, &folder.join(name), text.as_bytes(), mode)
}

/// The password is `x`: only then does PAM look for the lock in the third file.
fn passwd(users: &BTreeMap<String, User>) -> String {
    let mut text = String::new();
    for (name, user) in users {
        let User {
            uid,
            gid,
            full_name,
            home,
            shell,
            ..
        } = user;
        let _ = writeln!(text, "{name}:x:{uid}:{gid}:{full_name}:{home}:{shell}");
    }
    text
}

/// Locked accounts are over.
fn shadow(users: &BTreeMap<String, User>) -> String {
    let mut text = String::new();
    for (name, user) in users {
        let day = |end: Timestamp| day_after(end).max(OVER);
        let (password, expiry) = match (user.locked, user.until) {
            (true, _) => ("!*", OVER.to_string()),
            (false, Some(end)) => ("*", day(end).to_string()),
            (false, None) => ("*", String::new()),
        };
        let _ = writeln!(text, "{name}:{password}::::::{expiry}:");
    }
    text
}

/// Groups with their members. Groups of the machine itself are among them with those members that we have put there.
fn group(image: &Image, local: &Local) -> String {
    let mut members: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (user, group) in &image.members {
        members.entry(group).or_default().push(user);
    }
    let mut groups: BTreeMap<&str, u32> = BTreeMap::new();
    for name in members.keys() {
        groups.extend(local.group(name).map(|gid| (*name, gid)));
    }
    groups.extend(image.groups.iter().map(|(name, gid)| (name.as_str(), *gid)));
    let mut text = String::new();
    for (name, gid) in groups {
        let members = members.get(name).map(|members| members.join(","));
        let _ = writeln!(text, "{name}:*:{gid}:{}", members.unwrap_or_default());
    }
    text
}
