//! Changing single lines of files that are not ours. Each function gives the new text with the edits that lead to it, which
//! are none if the text is as it has to be.

use crate::undo::Edit;

/// What makes home directories, private ones.
const HOMES: &str = "session optional pam_mkhomedir.so umask=0077";

/// What has `sshd` read our part, where distributions have it.
const INCLUDE: &str = "Include /etc/ssh/sshd_config.d/*.conf";

/// What has `sudo` look groups up when it is used (sudo.conf(5)). By default it takes those of the open session.
const DYNAMIC: &str = "Set group_source dynamic";

/// How deep files of PAM include each other before we stop looking.
const DEPTH: usize = 8;

type Changed = (String, Vec<Edit>);

/// `nsswitch.conf` that asks a service for people, their groups and their locks (nsswitch.conf(5)).
pub(super) fn with_service(text: &str, service: &str) -> Changed {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let mut edits = Vec::new();
    for database in ["passwd", "group", "shadow"] {
        match lines
            .iter_mut()
            .find(|line| database_of(line) == Some(database))
        {
            Some(line) if services(line).any(|name| name == service) => {}
            Some(line) => {
                let changed = after_files(line, service);
                edits.push(Edit {
                    before: Some(std::mem::replace(line, changed.clone())),
                    after: changed,
                });
            }
            None => {
                // Without a line, glibc asks the files alone.
                let line = format!("{database}: files {service}");
                lines.push(line.clone());
                edits.push(Edit {
                    before: None,
                    after: line,
                });
            }
        }
    }
    // Where it is said who knows the groups of a person, they are all that is asked.
    if let Some(line) = lines
        .iter_mut()
        .find(|line| database_of(line) == Some("initgroups"))
        && !services(line).any(|name| name == service)
    {
        let changed = after_files(line, service);
        edits.push(Edit {
            before: Some(std::mem::replace(line, changed.clone())),
            after: changed,
        });
    }
    (joined(&lines), edits)
}

/// The services that a line of `nsswitch.conf` names.
pub(crate) fn services(line: &str) -> impl Iterator<Item = &str> {
    let said = line.split('#').next().unwrap_or_default();
    let list = said.split_once(':').map_or("", |(_, list)| list);
    list.split_ascii_whitespace()
        .filter(|word| !word.starts_with('[') && !word.ends_with(']'))
}

/// Which database a line of `nsswitch.conf` is about.
pub(crate) fn database_of(line: &str) -> Option<&str> {
    let said = line.split('#').next().unwrap_or_default();
    said.split_once(':').map(|(database, _)| database.trim())
}

/// Local accounts come first, so that nobody takes their names.
fn after_files(line: &str, service: &str) -> String {
    let end = ["files", "compat"]
        .iter()
        .find_map(|name| line.find(name).map(|at| at + name.len()));
    let end = end.unwrap_or_else(|| line.split('#').next().unwrap_or_default().trim_end().len());
    let (before, after) = line.split_at(end);
    format!("{before} {service}{after}")
}

/// `sudo.conf` that says where groups come from.
pub(super) fn with_dynamic_groups(text: &str) -> Changed {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let mut edits = Vec::new();
    let mut is_said = false;
    for line in &mut lines {
        match group_source(line) {
            Some("dynamic") => is_said = true,
            Some(_) => {
                is_said = true;
                edits.push(Edit {
                    before: Some(std::mem::replace(line, DYNAMIC.to_owned())),
                    after: DYNAMIC.to_owned(),
                });
            }
            None => {}
        }
    }
    if !is_said {
        lines.push(DYNAMIC.to_owned());
        edits.push(Edit {
            before: None,
            after: DYNAMIC.to_owned(),
        });
    }
    (joined(&lines), edits)
}

/// Where `sudo` takes groups from, if a line of `sudo.conf` says so.
pub(crate) fn group_source(line: &str) -> Option<&str> {
    let mut words = line.split_ascii_whitespace();
    match (words.next(), words.next(), words.next()) {
        (Some("Set"), Some("group_source"), value) => value,
        _ => None,
    }
}

/// A file of PAM after whose own session modules home directories are made.
pub(super) fn with_homes(text: &str) -> Changed {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let is_common = |line: &String| {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        matches!(words.as_slice(), ["@include", "common-session", ..])
            || matches!(words.as_slice(), ["session", "include" | "substack", ..])
    };
    // After what all programs have in common, else at the end.
    let at = lines
        .iter()
        .rposition(is_common)
        .map_or(lines.len(), |at| at + 1);
    lines.insert(at, HOMES.to_owned());
    let edit = Edit {
        before: None,
        after: HOMES.to_owned(),
    };
    (joined(&lines), vec![edit])
}

/// Whether a file of PAM, or one that it includes, makes home directories. `other` gives a file of PAM by its name.
pub(crate) fn makes_homes(text: &str, other: &dyn Fn(&str) -> Option<String>) -> bool {
    makes_homes_below(text, other, DEPTH)
}

fn makes_homes_below(text: &str, other: &dyn Fn(&str) -> Option<String>, depth: usize) -> bool {
    text.lines().any(|line| {
        let line = line.split('#').next().unwrap_or_default();
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        let included = match words.as_slice() {
            ["@include", name, ..] | ["session" | "-session", "include" | "substack", name, ..] => {
                *name
            }
            ["session" | "-session", ..] => {
                return words.iter().any(|word| word.ends_with("mkhomedir.so"));
            }
            _ => return false,
        };
        depth > 0 && other(included).is_some_and(|text| makes_homes_below(&text, other, depth - 1))
    })
}

/// `sshd_config` that has our part read, before anything of its own: the first word counts.
pub(super) fn with_include(text: &str) -> Changed {
    if text.lines().any(includes_drop_ins) {
        return (text.to_owned(), Vec::new());
    }
    let edit = Edit {
        before: None,
        after: INCLUDE.to_owned(),
    };
    (format!("{INCLUDE}\n{text}"), vec![edit])
}

/// Whether a line of `sshd_config` has the folder of parts read.
pub(crate) fn includes_drop_ins(line: &str) -> bool {
    let mut words = line
        .split(|c: char| c.is_ascii_whitespace() || c == '=' || c == '"')
        .filter(|word| !word.is_empty());
    words
        .next()
        .is_some_and(|word| word.eq_ignore_ascii_case("include"))
        && words.any(|word| {
            matches!(
                word,
                "/etc/ssh/sshd_config.d/*.conf"
                    | "sshd_config.d/*.conf"
                    | "/etc/ssh/sshd_config.d/*"
            )
        })
}

fn joined(lines: &[String]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}
