//! Accounts and groups as records that `nss-systemd` reads (nss-systemd(8), systemd.user-record(7)).
//!
//! A record is a file `NAME.user` or `NAME.group` with a link `NUMBER.user` or `NUMBER.group` to it; that an account is in a
//! group says the presence of `ACCOUNT:GROUP.membership`. Other programs may keep records in the same folder: ours say that
//! they are ours, and nothing else is touched.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::files::{self, Files};
use super::image::{DAY, Image, User, day_after};
use crate::config::PEOPLE;
use crate::paths::Paths;

/// Whose records they are.
const OURS: &str = "org.portreeve.host";

/// The folders of records that are not ours to write, beside the one that is.
const OTHER_FOLDERS: [&str; 3] = ["/etc/userdb", "/run/host/userdb", "/usr/lib/userdb"];

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct UserRecord {
    user_name: String,
    uid: u32,
    gid: u32,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    real_name: String,
    home_directory: String,
    shell: String,
    disposition: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    locked: bool,
    /// Microseconds since 1970. Of these the name service makes a day, on which the account is over already.
    #[serde(
        default,
        rename = "notAfterUSec",
        skip_serializing_if = "Option::is_none"
    )]
    not_after: Option<u64>,
    service: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct GroupRecord {
    group_name: String,
    gid: u32,
    disposition: String,
    service: String,
}

/// What a membership says. Only its presence counts, but a file of no bytes would stand for its absence.
#[derive(Serialize, Deserialize)]
struct Membership {
    #[serde(default)]
    service: String,
}

/// What our records say now, without principals.
pub(super) fn read(folder: &Path) -> io::Result<Image> {
    let mut image = Image::default();
    for name in files::names(folder)? {
        let Some((stem, kind)) = name.rsplit_once('.') else {
            continue;
        };
        // Links are found by what they lead to.
        let path = folder.join(&name);
        if path.is_symlink() {
            continue;
        }
        match kind {
            "user" => {
                if let Some(record) = ours::<UserRecord>(&path, |record| &record.service)? {
                    image.users.insert(stem.to_owned(), record.into());
                }
            }
            "group" => {
                if let Some(record) = ours::<GroupRecord>(&path, |record| &record.service)? {
                    image.groups.insert(stem.to_owned(), record.gid);
                }
            }
            "membership" => {
                if let Some((user, group)) = stem.split_once(':')
                    && ours::<Membership>(&path, |record| &record.service)?.is_some()
                {
                    image.members.insert((user.to_owned(), group.to_owned()));
                }
            }
            _ => {}
        }
    }
    Ok(image)
}

/// Names and numbers of accounts and of groups that records of others have.
pub(super) fn foreign(paths: &Paths) -> io::Result<(BTreeSet<String>, BTreeSet<String>)> {
    let (mut users, mut groups) = (BTreeSet::new(), BTreeSet::new());
    let own = paths.userdb();
    let others = OTHER_FOLDERS.iter().map(|folder| paths.at(folder));
    for folder in others.chain([own.clone()]) {
        for name in files::names(&folder)? {
            let taken = match name.rsplit_once('.') {
                Some((stem, "user")) => Some((&mut users, stem)),
                Some((stem, "group")) => Some((&mut groups, stem)),
                _ => None,
            };
            if let Some((taken, stem)) = taken
                && (folder != own || is_foreign(&folder.join(&name))?)
            {
                taken.insert(stem.to_owned());
            }
        }
    }
    Ok((users, groups))
}

/// Whether a file in our folder is the record of somebody else. What is no record at all is nobody's: it is what was ours
/// and was broken, or a link that leads nowhere any more.
fn is_foreign(path: &Path) -> io::Result<bool> {
    let text = files::text(path)?.unwrap_or_default();
    let record: Option<Membership> = serde_json::from_str(&text).ok();
    Ok(record.is_some_and(|record| record.service != OURS))
}

/// Takes away what the image does not have: all of it, even if a part cannot be done. It gives nothing: the image must be a
/// tightened one.
pub(super) fn shut(files: &mut dyn Files, folder: &Path, image: &Image) -> io::Result<()> {
    let mut done = Ok(());
    for (name, user) in &image.users {
        let shut = write_user(files, folder, name, user);
        // An account that cannot be locked is none any more: its owner is out all the same.
        done = done.and(shut.or_else(|error| match user.locked {
            true => forget(files, folder, name, user.uid, "user").and(Err(error)),
            false => Err(error),
        }));
    }
    for (user, group) in read(folder)?.members.difference(&image.members) {
        done = done.and(files.remove(&membership(folder, user, group)));
    }
    done
}

/// Makes the records those of the image, groups before accounts before memberships. Only that of the group of people comes
/// before its account: by it `sshd` knows that nothing but a certificate opens the account.
pub(super) fn open(files: &mut dyn Files, folder: &Path, image: &Image) -> io::Result<()> {
    files::folder(folder, 0o755)?;
    let before = read(folder)?;
    for (name, gid) in &image.groups {
        write_group(files, folder, name, *gid)?;
    }
    let (people, others): (Vec<_>, Vec<_>) =
        image.members.iter().partition(|(_, group)| group == PEOPLE);
    write_members(files, folder, &people)?;
    for (name, user) in &image.users {
        write_user(files, folder, name, user)?;
    }
    write_members(files, folder, &others)?;
    let gone = before.users.iter();
    let gone = gone.filter(|(name, _)| !image.users.contains_key(*name));
    for (name, user) in gone {
        forget(files, folder, name, user.uid, "user")?;
    }
    let gone = before.groups.iter();
    let gone = gone.filter(|(name, _)| !image.groups.contains_key(*name));
    for (name, gid) in gone {
        forget(files, folder, name, *gid, "group")?;
    }
    stale_links(files, folder, image)
}

fn write_user(files: &mut dyn Files, folder: &Path, name: &str, user: &User) -> io::Result<()> {
    let file = format!("{name}.user");
    let record = json(&UserRecord::new(name, user));
    files::put(files, &folder.join(&file), &record, 0o644)?;
    let link = folder.join(format!("{}.user", user.uid));
    files::put_link(files, &link, &file)
}

fn write_members(
    files: &mut dyn Files,
    folder: &Path,
    members: &[&(String, String)],
) -> io::Result<()> {
    let record = json(&Membership {
        service: OURS.to_owned(),
    });
    for (user, group) in members {
        files::put(files, &membership(folder, user, group), &record, 0o644)?;
    }
    Ok(())
}

fn write_group(files: &mut dyn Files, folder: &Path, name: &str, gid: u32) -> io::Result<()> {
    let record = GroupRecord {
        group_name: name.to_owned(),
        gid,
        disposition: "regular".to_owned(),
        service: OURS.to_owned(),
    };
    let path = folder.join(format!("{name}.group"));
    files::put(files, &path, &json(&record), 0o644)?;
    let link = folder.join(format!("{gid}.group"));
    files::put_link(files, &link, &format!("{name}.group"))
}

/// Removes a record, with its link where that does not lead to another one by now.
fn forget(
    files: &mut dyn Files,
    folder: &Path,
    name: &str,
    number: u32,
    kind: &str,
) -> io::Result<()> {
    let file = format!("{name}.{kind}");
    let link = folder.join(format!("{number}.{kind}"));
    if std::fs::read_link(&link).is_ok_and(|target| target == Path::new(&file)) {
        files.remove(&link)?;
    }
    files.remove(&folder.join(file))
}

/// Removes the links by which an account or group of ours could be found under a number that it does not have any more.
fn stale_links(files: &mut dyn Files, folder: &Path, image: &Image) -> io::Result<()> {
    let users = image.users.iter().map(|(name, user)| (name, user.uid));
    let users: BTreeMap<String, u32> = users
        .map(|(name, uid)| (format!("{name}.user"), uid))
        .collect();
    let groups = image.groups.iter();
    let groups: BTreeMap<String, u32> = groups
        .map(|(name, gid)| (format!("{name}.group"), *gid))
        .collect();
    for name in files::names(folder)? {
        let path = folder.join(&name);
        let Ok(target) = std::fs::read_link(&path) else {
            continue;
        };
        let target = target.to_string_lossy().into_owned();
        let number = users.get(&target).or_else(|| groups.get(&target));
        let is_stale = number.is_some_and(|number| {
            let stem = name.rsplit_once('.').map(|(stem, _)| stem);
            stem != Some(number.to_string().as_str())
        });
        if is_stale {
            files.remove(&path)?;
        }
    }
    Ok(())
}

fn membership(folder: &Path, user: &str, group: &str) -> PathBuf {
    folder.join(format!("{user}:{group}.membership"))
}

/// A record, if it is one and ours.
fn ours<T: for<'de> Deserialize<'de>>(
    path: &Path,
    service: impl Fn(&T) -> &String,
) -> io::Result<Option<T>> {
    let text = files::text(path)?.unwrap_or_default();
    let record = serde_json::from_str(&text).ok();
    Ok(record.filter(|record| service(record) == OURS))
}

fn json(record: &impl Serialize) -> Vec<u8> {
    // Texts and numbers: they can always be written.
    let mut text = serde_json::to_vec(record).unwrap_or_default();
    text.push(b'\n');
    text
}

impl UserRecord {
    fn new(name: &str, user: &User) -> Self {
        let microseconds = |end: Timestamp| {
            let second = day_after(end).saturating_mul(DAY);
            u64::try_from(second.saturating_mul(1_000_000)).unwrap_or_default()
        };
        Self {
            user_name: name.to_owned(),
            uid: user.uid,
            gid: user.gid,
            real_name: user.full_name.clone(),
            home_directory: user.home.clone(),
            shell: user.shell.clone(),
            disposition: "regular".to_owned(),
            locked: user.locked,
            not_after: user.until.map(microseconds),
            service: OURS.to_owned(),
        }
    }
}

impl From<UserRecord> for User {
    fn from(record: UserRecord) -> Self {
        let end = record.not_after.and_then(|end| i64::try_from(end).ok());
        Self {
            uid: record.uid,
            gid: record.gid,
            full_name: record.real_name,
            home: record.home_directory,
            shell: record.shell,
            locked: record.locked,
            until: end.and_then(|end| Timestamp::from_microsecond(end).ok()),
        }
    }
}
