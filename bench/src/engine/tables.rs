//! The company that the engine reads: three tables of comma-separated values.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use anyhow::{Result, ensure};

use crate::cycle::Company;
use crate::requests::{external_id, user_name};

/// People who get another department.
const MOVED: u64 = 80;
/// People whose account is disabled.
const DISABLED: u64 = 5;
/// People who join, each with a membership in a group of their own.
pub(super) const JOINED: u64 = 5;
/// Groups that lose a member.
const LEFT: u64 = 5;
/// All changes between the two states: the people who join come with a membership.
pub(super) const CHANGES: u64 = MOVED + DISABLED + 2 * JOINED + LEFT;

/// Writes the tables as they are before or after the changes.
pub(super) fn write(folder: &Path, company: Company, changed: bool) -> Result<()> {
    ensure!(
        company.users >= MOVED + DISABLED
            && company.groups >= JOINED + LEFT
            && company.memberships >= company.groups,
        "the company is too small for {CHANGES} changes"
    );
    table(
        &folder.join("users.csv"),
        "objectId,userPrincipalName,displayName,givenName,surname,mail,accountEnabled,jobTitle,department,employeeId,telephoneNumber,mobile,city,country",
        |file| {
            let all = company.users + if changed { JOINED } else { 0 };
            let mut row = String::new();
            for number in 0..all {
                row.clear();
                person(&mut row, number, role(number, company, changed))?;
                file.write_all(row.as_bytes())?;
            }
            Ok(())
        },
    )?;
    table(&folder.join("groups.csv"), "objectId,displayName", |file| {
        for number in 0..company.groups {
            writeln!(file, "{},Group {number}", group_id(number))?;
        }
        Ok(())
    })?;
    table(&folder.join("memberships.csv"), "group,member", |file| {
        memberships(file, company, changed)
    })
}

/// What has become of somebody.
#[derive(Clone, Copy, PartialEq)]
enum Role {
    AsBefore,
    Moved,
    Disabled,
}

/// The changes are spread over the whole table.
fn role(number: u64, company: Company, changed: bool) -> Role {
    let stride = company.users / (MOVED + DISABLED);
    let place = number / stride;
    match changed && number.is_multiple_of(stride) {
        true if place < MOVED => Role::Moved,
        true if place < MOVED + DISABLED => Role::Disabled,
        _ => Role::AsBefore,
    }
}

fn person(row: &mut String, number: u64, role: Role) -> Result<()> {
    let (id, name) = (external_id(number), user_name(number));
    let department = if role == Role::Moved {
        "Starboard"
    } else {
        "Port"
    };
    let enabled = role != Role::Disabled;
    writeln!(
        row,
        "{id},{name},Person {number},Person,{number},{name},{enabled},Harbour pilot,{department},{number},+999 20 1,+999 6 1,Delft,NL"
    )?;
    Ok(())
}

fn memberships(file: &mut impl std::io::Write, company: Company, changed: bool) -> Result<()> {
    let each = company.memberships / company.groups;
    for group in 0..company.groups {
        let id = group_id(group);
        let leaves = changed && (JOINED..JOINED + LEFT).contains(&group);
        for place in u64::from(leaves)..each {
            let member = (group * each + place) % company.users;
            writeln!(file, "{id},{}", external_id(member))?;
        }
        if changed && group < JOINED {
            writeln!(file, "{id},{}", external_id(company.users + group))?;
        }
    }
    Ok(())
}

fn group_id(number: u64) -> String {
    format!("9bb1b3c4-0000-4000-8000-{number:012}")
}

fn table(
    path: &Path,
    columns: &str,
    rows: impl FnOnce(&mut BufWriter<File>) -> Result<()>,
) -> Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    writeln!(file, "{columns}")?;
    rows(&mut file)?;
    Ok(file.flush()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_changed_tables_differ_by_what_is_promised() {
        let company = Company {
            users: 1_000,
            groups: 20,
            memberships: 400,
            connections: 1,
        };
        let folders = [false, true].map(|changed| {
            let folder = tempfile::tempdir().unwrap();
            write(folder.path(), company, changed).unwrap();
            folder
        });
        let rows = |folder: &tempfile::TempDir, name: &str| -> Vec<String> {
            let text = std::fs::read_to_string(folder.path().join(name)).unwrap();
            text.lines().map(str::to_owned).collect()
        };
        let missing = |name: &str, from: usize, to: usize| {
            let there = rows(&folders[to], name);
            let gone = rows(&folders[from], name).into_iter();
            gone.filter(|row| !there.contains(row)).count() as u64
        };
        assert_eq!(missing("users.csv", 0, 1), MOVED + DISABLED);
        assert_eq!(missing("users.csv", 1, 0), MOVED + DISABLED + JOINED);
        assert_eq!(missing("memberships.csv", 0, 1), LEFT);
        assert_eq!(missing("memberships.csv", 1, 0), JOINED);
        assert_eq!(missing("groups.csv", 0, 1), 0);
        assert_eq!(CHANGES, 100);
        assert_eq!(rows(&folders[0], "memberships.csv").len(), 401);
    }
}
