//! What OpenSSH reads: hosts that are logged in to with the certificate, and the keys that certify hosts.

use super::hosts::{Hosts, is_plain};
use super::place::{self, CONFIG, KEY, KNOWN_HOSTS, Place, WHOLE_CONFIG};
use crate::environment;
use crate::failure::Failure;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Characters that mean something to OpenSSH or to a shell within single or double quotes.
const SPECIAL: &str = "\"'`\\%$*?[]{}!";

/// The person's folder of OpenSSH.
pub(super) fn ssh_folder() -> Result<PathBuf, Failure> {
    let home = environment::var("HOME").ok_or_else(|| {
        Failure::usage("HOME is not set, so it is not known where OpenSSH's configuration is")
    })?;
    Ok(Path::new(&home).join(".ssh"))
}

/// Writes the files anew that depend on the hosts: that of `portreeve ssh`, and that of `portreeve ssh setup` where it has run.
pub(super) fn write(place: &Place, hosts: &Hosts, account: &str) -> Result<(), Failure> {
    let config = config(place, hosts, account)?;
    if place.path(CONFIG).exists() {
        place.write(CONFIG, &config)?;
    }
    let own = word(&ssh_folder()?.join("config"))?;
    let whole = format!("{config}\nInclude \"{own}\"\nInclude /etc/ssh/ssh_config\n");
    place.write(WHOLE_CONFIG, &whole)
}

/// Writes the file for `~/.ssh/config` to include.
pub(super) fn write_config(place: &Place, hosts: &Hosts, account: &str) -> Result<(), Failure> {
    place.write(CONFIG, &config(place, hosts, account)?)
}

/// Writes down the keys that certify hosts. The pattern is no wider than the blocks that name the file.
pub(super) fn write_known_hosts(place: &Place, keys: &[String]) -> Result<(), Failure> {
    let lines = keys.iter().filter(|key| !key.contains(char::is_control));
    let lines = lines.map(|key| format!("@cert-authority * {key}\n"));
    place.write(KNOWN_HOSTS, &lines.collect::<String>())
}

/// The line that includes the files of all places.
pub(super) fn include() -> Result<String, Failure> {
    let all = word(&place::all()?)?;
    Ok(format!("Include \"{all}/*/{CONFIG}\""))
}

/// A block for each account name that the person has: first the exceptions, as the first that fits counts.
fn config(place: &Place, hosts: &Hosts, account: &str) -> Result<String, Failure> {
    let mut others: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for host in hosts.iter() {
        if let Some(other) = host.account.as_deref().filter(|other| *other != account) {
            others.entry(other).or_default().push(&host.name);
        }
    }
    let command = command(place)?;
    let [key, known_hosts] = [KEY, KNOWN_HOSTS].map(|file| word(&place.path(file)));
    let (key, known_hosts) = (key?, known_hosts?);
    let mut text = format!(
        "# Hosts of {}. Written by portreeve, again and again; portreeve ssh setup --undo takes it away.\n",
        place.url
    );
    let blocks = others
        .iter()
        .map(|(account, names)| (*account, format!("host {} ", names.join(","))))
        .chain([(account, String::new())]);
    for (account, which) in blocks {
        let _ = writeln!(text, "Match {which}exec \"{command} ssh match -- %h\"");
        if is_plain(account) {
            let _ = writeln!(text, "\tUser {account}");
        }
        let _ = writeln!(
            text,
            "\tIdentityFile \"{key}\"\n\tUserKnownHostsFile ~/.ssh/known_hosts \"{known_hosts}\"\n\tProxyCommand {command} ssh proxy -- %r %h %p"
        );
    }
    Ok(text)
}

/// This program for this place, as a shell runs it.
fn command(place: &Place) -> Result<String, Failure> {
    let program = environment::program();
    let program = match program.contains('/') {
        true => std::path::absolute(&program).map_err(Failure::plain)?,
        false => PathBuf::from(program),
    };
    let [flag, value] = place.flags();
    let words = [&word(&program)?, flag, &checked(value)?];
    Ok(words.map(quoted).join(" "))
}

/// A word as a shell reads it, without the double quotes around which OpenSSH would stumble.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./@:+=".contains(c);
    match word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{word}'"),
    }
}

/// A path as it can stand between quotes in OpenSSH's configuration.
fn word(path: &Path) -> Result<String, Failure> {
    checked(&path.to_string_lossy())
}

fn checked(word: &str) -> Result<String, Failure> {
    // A context may have brackets in its name, which matter in patterns only, and none of our patterns has it.
    let is_special = |c: char| SPECIAL.contains(c) && !"[]".contains(c) || c.is_control();
    match word.chars().find(|c| is_special(*c)) {
        None => Ok(word.to_owned()),
        Some(c) => Err(Failure::usage(format!(
            "\"{word}\" has a {c:?}, which cannot be written into OpenSSH's configuration"
        ))),
    }
}
