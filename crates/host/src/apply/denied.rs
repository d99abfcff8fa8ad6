//! What people who are out have left on this host, and removing it when an admin wants that.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use portreeve_host_policy::api::{Denied, Removal, Removed};

use super::store::{Denial, Known};
use super::{Machine, Refusal, refused};
use crate::paths::Paths;
use crate::sessions::Sessions;

/// Where systems keep the crontabs of people: Debian's folder, and Red Hat's.
const CRONTABS: [&str; 2] = ["/var/spool/cron/crontabs", "/var/spool/cron"];

/// Where mail for them is.
const MAIL: &str = "/var/mail";

/// What has mounted something, and where (proc_pid_mountinfo(5)).
const MOUNTS: &str = "/proc/self/mountinfo";

/// What everybody who is out has here now.
pub(super) fn facts(sessions: &dyn Sessions, paths: &Paths, denials: &[Denial]) -> Vec<Denied> {
    let uids: BTreeSet<u32> = denials.iter().map(|denial| denial.uid).collect();
    let processes = match uids.is_empty() {
        true => Default::default(),
        false => sessions.count(&uids),
    };
    let ended = denials
        .iter()
        .filter_map(|denial| Some((denial, denial.ended?)));
    let fact = |(denial, sessions_ended): (&Denial, u32)| {
        let home = paths.at(&denial.home);
        let keys = ["authorized_keys", "authorized_keys2"];
        let keys = keys
            .iter()
            .any(|name| is_filled(&home.join(".ssh").join(name)));
        let crontab = |folder: &str| is_filled(&paths.at(folder).join(&denial.account));
        Denied {
            id: denial.id.clone(),
            since: denial.since,
            sessions_ended,
            processes: processes.get(&denial.uid).copied().unwrap_or_default(),
            home: fs::symlink_metadata(&home).is_ok_and(|home| home.is_dir()),
            crontab: CRONTABS.iter().any(|folder| crontab(folder)),
            keys,
            had_sudo: denial.had_sudo,
        }
    };
    ended.map(fact).collect()
}

/// Whether a file has something in it. The person could have made it a link to anywhere: links are not followed.
fn is_filled(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|file| file.is_file() && file.len() > 0)
}

/// Removes what somebody who is out has here: their home, crontab and mail. Files elsewhere are not looked for.
pub(super) fn remove(
    machine: &mut Machine,
    paths: &Paths,
    known: &Known,
    removal: &Removal,
) -> Result<Removed, Refusal> {
    let Removal {
        id,
        account,
        dry_run,
    } = removal;
    let accounts = known.document().map(|document| document.accounts.iter());
    let mut accounts = accounts.into_iter().flatten();
    let found = accounts.find(|found| found.id == *id && found.name == *account);
    let Some(found) = found else {
        let detail = format!("{account} is none of the accounts of this host");
        return Err(refused("unknown_account", detail));
    };
    if found.access.is_some() {
        let detail = format!("{account} still has access to this host; take that away first");
        return Err(refused("has_access", detail));
    }
    let mut candidates = vec![found.home.clone(), format!("{MAIL}/{account}")];
    candidates.extend(CRONTABS.iter().map(|folder| format!("{folder}/{account}")));
    // What belongs to somebody else has only come to have that name.
    let is_theirs = |path: &String| {
        fs::symlink_metadata(paths.at(path)).is_ok_and(|meta| meta.uid() == found.uid)
    };
    let remove: Vec<String> = candidates.into_iter().filter(is_theirs).collect();
    if !dry_run {
        let running = machine.sessions.count(&BTreeSet::from([found.uid]));
        if let Some(running) = running.get(&found.uid) {
            let detail = format!("{account} still has {running} processes; end them first");
            return Err(refused("processes", detail));
        }
        if let Some(mount) = mounted_below(paths, &found.home)? {
            let detail = format!("something is mounted at {mount}; unmount it first");
            return Err(refused("mounted", detail));
        }
        for path in &remove {
            remove_all(&paths.at(path))?;
        }
    }
    Ok(Removed {
        id: id.clone(),
        dry_run: *dry_run,
        paths: remove,
        error: None,
    })
}

/// Removes a file, or a folder with all in it. Links in it are removed and not followed.
fn remove_all(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path)?.is_dir() {
        true => fs::remove_dir_all(path),
        false => fs::remove_file(path),
    }
}

/// Something that is mounted in a home, which would be emptied with it. In the list, spaces and the like are octal numbers,
/// which no home of ours has.
fn mounted_below(paths: &Paths, home: &str) -> io::Result<Option<String>> {
    let home = paths.at(home).to_string_lossy().into_owned();
    let mounts = fs::read_to_string(MOUNTS)?;
    let points = mounts.lines().filter_map(|line| line.split(' ').nth(4));
    let below = |point: &&str| {
        let rest = point.strip_prefix(home.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    Ok(points.into_iter().find(below).map(str::to_owned))
}
