//! What the files of a machine let people do, read as the programs of the system read them and not as we do.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use portreeve_host::config::Backend;
use serde_json::Value;

use super::ground::{Ground, PASSWD};

/// What somebody can do on a machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Able {
    /// Certificates with this principal open this account, which has this number.
    pub(crate) log_in: BTreeSet<(String, String, u32)>,
    /// Processes of this number can become root.
    pub(crate) sudo: BTreeSet<u32>,
    /// Accounts that can be used, by number, with other groups of theirs.
    pub(crate) groups: BTreeSet<(u32, String)>,
    /// Accounts that can be used, and of which `sshd` does not know that only a certificate opens them.
    pub(crate) unguarded: BTreeSet<String>,
}

#[derive(Default)]
struct Names {
    /// By name: the number, and whether the account is locked.
    users: BTreeMap<String, (u32, bool)>,
    members: BTreeSet<(String, String)>,
}

pub(crate) fn able(ground: &Ground, backend: Backend) -> Able {
    let names = match backend {
        Backend::Userdb => records(ground),
        Backend::Nss => lines(ground),
    };
    let mut able = Able::default();
    let local = PASSWD.lines().filter_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        Some((*fields.first()?, fields.get(2)?.parse().ok()?))
    });
    let local: BTreeMap<&str, u32> = local.collect();
    let principals = fs::read_dir(ground.paths.principals())
        .into_iter()
        .flatten();
    for file in principals.map(Result::unwrap) {
        let account = file.file_name().into_string().unwrap();
        // The C library finds local accounts first.
        let number = match (local.get(account.as_str()), names.users.get(&account)) {
            (Some(uid), _) | (None, Some((uid, false))) => *uid,
            _ => continue,
        };
        for line in fs::read_to_string(file.path()).unwrap().lines() {
            let principal = line.rsplit(' ').next().unwrap();
            able.log_in
                .insert((principal.to_owned(), account.clone(), number));
        }
    }
    for (name, (uid, locked)) in &names.users {
        if *locked {
            continue;
        }
        let member = |group: &str| names.members.contains(&(name.clone(), group.to_owned()));
        if member("portreeve-sudo") {
            able.sudo.insert(*uid);
        }
        if !member("portreeve") {
            able.unguarded.insert(name.clone());
        }
        for (user, group) in &names.members {
            if user == name && !group.starts_with("portreeve") {
                able.groups.insert((*uid, group.clone()));
            }
        }
    }
    able
}

/// As nss-systemd(8).
fn records(ground: &Ground) -> Names {
    let mut names = Names::default();
    for file in fs::read_dir(ground.paths.userdb()).into_iter().flatten() {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let text = fs::read_to_string(&path).unwrap_or_default();
        if let Some(stem) = name.strip_suffix(".user") {
            let Ok(record) = serde_json::from_str::<Value>(&text) else {
                continue;
            };
            let user = record["userName"].as_str().unwrap();
            // By whatever name it was found: another one, or a number that is another's, is none.
            let uid = u32::try_from(record["uid"].as_u64().unwrap()).unwrap();
            if stem == user || stem == uid.to_string() {
                let locked = record["locked"].as_bool().unwrap_or_default();
                names.users.insert(user.to_owned(), (uid, locked));
            }
        } else if let Some(stem) = name.strip_suffix(".membership")
            && !name.starts_with('.')
            && !text.is_empty()
        {
            let (user, group) = stem.split_once(':').unwrap();
            names.members.insert((user.to_owned(), group.to_owned()));
        }
    }
    names
}

/// As passwd(5), group(5) and shadow(5).
fn lines(ground: &Ground) -> Names {
    let mut names = Names::default();
    let text = |name: &str| {
        let text = fs::read_to_string(ground.paths.nss().join(name)).unwrap_or_default();
        let lines = text.lines().map(|line| line.split(':').map(str::to_owned));
        lines.map(Iterator::collect).collect::<Vec<Vec<String>>>()
    };
    let shadow = text("shadow");
    for line in text("passwd") {
        // With an x the password is elsewhere; who is not there cannot be let in.
        let entry = shadow.iter().find(|entry| entry[0] == line[0]);
        let locked = line[1] != "x" || entry.is_none_or(|entry| entry[7] == "1");
        let uid = line[2].parse().unwrap();
        names.users.insert(line[0].clone(), (uid, locked));
    }
    for line in text("group") {
        for member in line[3].split(',').filter(|member| !member.is_empty()) {
            names.members.insert((member.to_owned(), line[0].clone()));
        }
    }
    names
}
