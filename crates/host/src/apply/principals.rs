//! Files of principals: who may log in to an account (sshd_config(5), `AuthorizedPrincipalsFile`).
//!
//! One file per account, one line per person. An account without a file lets nobody in by certificate.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::io;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::files::{Files, Folder};
use super::image::Principals;

/// In which time `sshd` reads the ends of lines: in UTC since OpenSSH 9.1, where a `Z` is behind them; before, in the
/// machine's, and a `Z` makes it pass over the line.
#[derive(Debug, Clone)]
pub(super) struct Clock(Option<TimeZone>);

/// When lines end (sshd(8), `expiry-time`).
const FORMAT: &str = "%Y%m%d%H%M%S";

impl Clock {
    /// UTC.
    pub(super) fn utc() -> Self {
        Self(None)
    }

    /// That of a machine with this `/etc/localtime` (tzfile(5)); UTC where there is none, as the C library has it.
    pub(super) fn local(localtime: Option<&[u8]>) -> Self {
        let zone = localtime.and_then(|bytes| TimeZone::tzif("localtime", bytes).ok());
        Self(Some(zone.unwrap_or(TimeZone::UTC)))
    }

    fn write(&self, end: Timestamp) -> String {
        // Before that is over, in whatever form.
        let end = end.max(Timestamp::UNIX_EPOCH);
        match &self.0 {
            None => format!("{}Z", end.strftime(FORMAT)),
            Some(zone) => end.to_zoned(zone.clone()).strftime(FORMAT).to_string(),
        }
    }

    fn read(&self, end: &str) -> Option<Timestamp> {
        let digits = end.strip_suffix('Z').unwrap_or(end);
        let civil = jiff::civil::DateTime::strptime(FORMAT, digits).ok()?;
        let zone = match &self.0 {
            Some(zone) if !end.ends_with('Z') => zone.clone(),
            _ => TimeZone::UTC,
        };
        let zoned = civil.to_zoned(zone).ok()?;
        Some(zoned.timestamp())
    }
}

/// The text of one file.
pub(super) fn text(principals: &Principals, clock: &Clock) -> String {
    let mut text = String::new();
    for (id, until) in principals {
        if let Some(until) = until {
            let end = clock.write(*until);
            let _ = write!(text, "expiry-time=\"{end}\" ");
        }
        text.push_str(id);
        text.push('\n');
    }
    text
}

/// What is in the files now.
pub(super) fn read(folder: &Folder, clock: &Clock) -> BTreeMap<String, Principals> {
    let all = folder.names().map(|account| {
        let text = String::from_utf8_lossy(folder.file(account).unwrap_or_default());
        let principals = text.lines().map(|line| read_line(line, clock)).collect();
        (account.to_owned(), principals)
    });
    all.collect()
}

/// A line that we have not written lets in whom it lets in, without an end that we know of.
fn read_line(line: &str, clock: &Clock) -> (String, Option<Timestamp>) {
    let timed = line
        .strip_prefix("expiry-time=\"")
        .and_then(|rest| rest.split_once("\" "))
        .and_then(|(end, id)| Some((id, clock.read(end)?)));
    match timed {
        Some((id, end)) => (id.to_owned(), Some(end)),
        None => (line.to_owned(), None),
    }
}

/// Takes away what is not among these: all of it, even if a part cannot be done. A file that cannot be made shorter goes.
pub(super) fn shut(
    files: &mut dyn Files,
    folder: &mut Folder,
    principals: &BTreeMap<String, Principals>,
    clock: &Clock,
) -> io::Result<()> {
    let mut done = Ok(());
    for account in accounts(folder) {
        let shut = match principals.get(&account) {
            None => folder.remove(files, &account),
            Some(principals) => {
                let text = text(principals, clock);
                folder
                    .put(files, &account, text.as_bytes())
                    .or_else(|error| folder.remove(files, &account).and(Err(error)))
            }
        };
        done = done.and(shut);
    }
    done
}

/// Makes the files these.
pub(super) fn open(
    files: &mut dyn Files,
    folder: &mut Folder,
    principals: &BTreeMap<String, Principals>,
    clock: &Clock,
) -> io::Result<()> {
    folder.make()?;
    for account in accounts(folder) {
        if !principals.contains_key(&account) {
            folder.remove(files, &account)?;
        }
    }
    for (account, principals) in principals {
        folder.put(files, account, text(principals, clock).as_bytes())?;
    }
    Ok(())
}

fn accounts(folder: &Folder) -> Vec<String> {
    folder.names().map(str::to_owned).collect()
}
