//! Accounts and groups as records that `nss-systemd` reads (nss-systemd(8), systemd.user-record(7)).
//!
//! A record is a file `NAME.user` or `NAME.group` with a link `NUMBER.user` or `NUMBER.group` to it; that an account is in a
//! group says the presence of `ACCOUNT:GROUP.membership`. Other programs may keep records in the same folder: ours say that
//! they are ours, and nothing else is touched.

use std::collections::BTreeSet;
use std::io;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::files::{Files, Folder};
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

/// Whose a record is, whatever else it says; and all that a membership says. Of that only the presence counts, but a file of
/// no bytes would stand for its absence.
#[derive(Serialize, Deserialize)]
struct Mark {
    #[serde(default)]
    service: String,
}

/// What our records say now, without principals.
pub(super) fn read(folder: &Folder) -> Image {
    let mut image = Image::default();
    for name in folder.names() {
        // Links are found by what they lead to.
        let (Some((stem, kind)), Some(text)) = (name.rsplit_once('.'), folder.file(name)) else {
            continue;
        };
        match kind {
            "user" => {
                let record = ours::<UserRecord>(text);
                image
                    .users
                    .extend(record.map(|record| (stem.to_owned(), record.into())));
            }
            "group" => {
                let record = ours::<GroupRecord>(text);
                image
                    .groups
                    .extend(record.map(|record| (stem.to_owned(), record.gid)));
            }
            "membership" => {
                if let (Some((user, group)), Some(Mark { .. })) = (stem.split_once(':'), ours(text))
                {
                    image.members.insert((user.to_owned(), group.to_owned()));
                }
            }
            _ => {}
        }
    }
    image
}

/// Names and numbers of accounts and of groups that records of others have.
pub(super) fn foreign(
    paths: &Paths,
    own: &Folder,
) -> io::Result<(BTreeSet<String>, BTreeSet<String>)> {
    let (mut users, mut groups) = (BTreeSet::new(), BTreeSet::new());
    let mut taken = |name: &str| match name.rsplit_once('.') {
        Some((stem, "user")) => users.insert(stem.to_owned()),
        Some((stem, "group")) => groups.insert(stem.to_owned()),
        _ => false,
    };
    for other in OTHER_FOLDERS {
        Folder::read(&paths.at(other))?.names().for_each(|name| {
            taken(name);
        });
    }
    own.names()
        .filter(|name| is_foreign(own, name))
        .for_each(|name| {
            taken(name);
        });
    Ok((users, groups))
}

/// Whether something in our folder is the record of somebody else. What is no record at all is nobody's: it is what was ours
/// and was broken, or a link that leads nowhere any more.
fn is_foreign(folder: &Folder, name: &str) -> bool {
    let target = folder.link(name);
    let text = folder.file(target.unwrap_or(name)).unwrap_or_default();
    let record: Option<Mark> = serde_json::from_slice(text).ok();
    let elsewhere = target.is_some_and(|target| target.contains('/'));
    elsewhere || record.is_some_and(|record| record.service != OURS)
}

/// Takes away what the image does not have: all of it, even if a part cannot be done. It gives nothing: the image must be a
/// tightened one.
pub(super) fn shut(files: &mut dyn Files, folder: &mut Folder, image: &Image) -> io::Result<()> {
    let mut done = Ok(());
    for (name, user) in &image.users {
        let shut = put_user(files, folder, name, user);
        // An account that cannot be locked is none any more: its owner is out all the same.
        done = done.and(shut.or_else(|error| match user.locked {
            true => forget(files, folder, name, user.uid, "user").and(Err(error)),
            false => Err(error),
        }));
    }
    for (user, group) in read(folder).members.difference(&image.members) {
        done = done.and(folder.remove(files, &membership(user, group)));
    }
    done
}

/// Makes the records those of the image, groups before accounts before memberships. Only that of the group of people comes
/// before its account: by it `sshd` knows that nothing but a certificate opens the account.
pub(super) fn open(files: &mut dyn Files, folder: &mut Folder, image: &Image) -> io::Result<()> {
    folder.make()?;
    let before = read(folder);
    for (name, gid) in &image.groups {
        put_group(files, folder, name, *gid)?;
    }
    let (people, others): (Vec<_>, Vec<_>) =
        image.members.iter().partition(|(_, group)| group == PEOPLE);
    put_members(files, folder, &people)?;
    for (name, user) in &image.users {
        put_user(files, folder, name, user)?;
    }
    put_members(files, folder, &others)?;
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
    remove_stale_links(files, folder, image)
}

fn put_user(files: &mut dyn Files, folder: &mut Folder, name: &str, user: &User) -> io::Result<()> {
    let file = format!("{name}.user");
    folder.put(files, &file, &json(&UserRecord::new(name, user)))?;
    folder.put_link(files, &format!("{}.user", user.uid), &file)
}

fn put_group(files: &mut dyn Files, folder: &mut Folder, name: &str, gid: u32) -> io::Result<()> {
    let record = GroupRecord {
        group_name: name.to_owned(),
        gid,
        disposition: "regular".to_owned(),
        service: OURS.to_owned(),
    };
    let file = format!("{name}.group");
    folder.put(files, &file, &json(&record))?;
    folder.put_link(files, &format!("{gid}.group"), &file)
}

fn put_members(
    files: &mut dyn Files,
    folder: &mut Folder,
    members: &[&(String, String)],
) -> io::Result<()> {
    let record = json(&Mark {
        service: OURS.to_owned(),
    });
    for (user, group) in members {
        folder.put(files, &membership(user, group), &record)?;
    }
    Ok(())
}

/// Removes a record, with its link where that does not lead to another one by now.
fn forget(
    files: &mut dyn Files,
    folder: &mut Folder,
    name: &str,
    number: u32,
    kind: &str,
) -> io::Result<()> {
    let file = format!("{name}.{kind}");
    let link = format!("{number}.{kind}");
    if folder.link(&link) == Some(file.as_str()) {
        folder.remove(files, &link)?;
    }
    folder.remove(files, &file)
}

/// Removes the links by which an account or group of ours could be found under a number that it does not have any more.
fn remove_stale_links(files: &mut dyn Files, folder: &mut Folder, image: &Image) -> io::Result<()> {
    let is_stale = |link: &str| {
        let (name, kind) = folder.link(link)?.rsplit_once('.')?;
        let number = match kind {
            "user" => image.users.get(name).map(|user| user.uid),
            _ => image.groups.get(name).copied(),
        };
        Some(link != format!("{}.{kind}", number?))
    };
    let links = folder.names().filter(|link| is_stale(link) == Some(true));
    let stale: Vec<String> = links.map(str::to_owned).collect();
    for link in stale {
        folder.remove(files, &link)?;
    }
    Ok(())
}

fn membership(user: &str, group: &str) -> String {
    format!("{user}:{group}.membership")
}

/// A record, if it is one and ours.
fn ours<T: for<'de> Deserialize<'de>>(text: &[u8]) -> Option<T> {
    let mark: Mark = serde_json::from_slice(text).ok()?;
    (mark.service == OURS).then(|| serde_json::from_slice(text).ok())?
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
