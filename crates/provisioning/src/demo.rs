//! Contoso, a sample company of 500 people and 40 groups: the tables that a directory would export, on three days.
//!
//! On the second day people join, leave and change their names, and groups change; on the third somebody comes back and
//! somebody else leaves. The columns have Entra's names, so that the usual mappings fit. All people are invented, their addresses end in
//! `contoso.example`, and their telephone numbers are set aside for fiction or not assigned.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The table of people in the company's folder.
pub const USERS: &str = "users.csv";

/// The file beside the [`definition`] that holds the token for its target.
pub const TOKEN: &str = "token";

const GROUPS: &str = "groups.csv";
const MEMBERSHIPS: &str = "memberships.csv";

/// The declaration of an application that brings the tables in its folder to a directory of Portreeve, in TOML.
#[must_use]
pub fn definition(tenant_url: &str) -> String {
    include_str!("../demo/contoso.toml").replace("TENANT_URL", tenant_url)
}

/// A day of the company.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Day {
    /// Everybody is there for the first time.
    First,
    /// People join, leave and change their names, and groups change.
    Second,
    /// Somebody comes back, and somebody else leaves.
    Third,
}

impl Day {
    /// All of them, in order.
    pub const ALL: [Self; 3] = [Self::First, Self::Second, Self::Third];

    /// What is new on this day.
    fn news(self) -> News {
        match self {
            Self::First => News {
                people: include_str!("../demo/first-day/users.csv"),
                groups: include_str!("../demo/first-day/groups.csv"),
                joined: include_str!("../demo/first-day/memberships.csv"),
                left: "",
            },
            Self::Second => News {
                people: include_str!("../demo/second-day/users.csv"),
                groups: include_str!("../demo/second-day/groups.csv"),
                joined: include_str!("../demo/second-day/joined.csv"),
                left: include_str!("../demo/second-day/left.csv"),
            },
            Self::Third => News {
                people: include_str!("../demo/third-day/users.csv"),
                ..News::default()
            },
        }
    }
}

/// Rows that are new or differ from those of the day before, and memberships that came and went.
#[derive(Default)]
struct News {
    people: &'static str,
    groups: &'static str,
    joined: &'static str,
    left: &'static str,
}

/// Everybody on one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Company {
    people: Vec<Person>,
    groups: Vec<Group>,
    memberships: Vec<Membership>,
}

/// A person. An empty text means that there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Person {
    /// What never changes about somebody; becomes `externalId`.
    object_id: String,
    user_principal_name: String,
    display_name: String,
    given_name: String,
    surname: String,
    mail: String,
    account_enabled: bool,
    job_title: String,
    department: String,
    employee_id: String,
    /// The manager's `object_id`.
    manager: String,
    physical_delivery_office_name: String,
    city: String,
    country: String,
    preferred_language: String,
    telephone_number: String,
    mobile: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Group {
    object_id: String,
    display_name: String,
}

/// Whose `object_id` is in which group's.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Membership {
    group: String,
    member: String,
}

/// How far the tables in a folder have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// There are none.
    Nowhere,
    /// They are those of this day.
    At(Day),
    /// Somebody has changed them.
    Edited,
}

impl Company {
    /// The company as it is on a day.
    ///
    /// # Errors
    /// When the tables built into the program are damaged.
    pub fn on(day: Day) -> Result<Self, Error> {
        let mut company = Self {
            people: Vec::new(),
            groups: Vec::new(),
            memberships: Vec::new(),
        };
        for day in Day::ALL.into_iter().filter(|earlier| *earlier <= day) {
            let news = day.news();
            put(&mut company.people, rows(news.people)?, |it| &it.object_id);
            put(&mut company.groups, rows(news.groups)?, |it| &it.object_id);
            let left: HashSet<Membership> = rows(news.left)?.into_iter().collect();
            company.memberships.retain(|it| !left.contains(it));
            company.memberships.extend(rows::<Membership>(news.joined)?);
        }
        Ok(company)
    }

    /// Writes `users.csv`, `groups.csv` and `memberships.csv` into a folder, each at once in the place of an older one.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn write(&self, folder: &Path) -> Result<(), Error> {
        // The people come last, because by their table `standing` tells the day.
        replace(&folder.join(MEMBERSHIPS), &table(&self.memberships)?)?;
        replace(&folder.join(GROUPS), &table(&self.groups)?)?;
        replace(&folder.join(USERS), &table(&self.people)?)
    }

    /// Which day's people the tables in a folder hold.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn standing(folder: &Path) -> Result<Standing, Error> {
        let there = match fs::read(folder.join(USERS)) {
            Ok(there) => there,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(Standing::Nowhere),
            Err(cause) => return Err(Error::Folder(cause.to_string())),
        };
        for day in Day::ALL {
            if there == table(&Self::on(day)?.people)? {
                return Ok(Standing::At(day));
            }
        }
        Ok(Standing::Edited)
    }

    fn changed_people(&self, before: &Self) -> Vec<Notable> {
        let was: HashMap<&str, &Person> = before
            .people
            .iter()
            .map(|person| (&*person.object_id, person))
            .collect();
        let change = |person: &Person| {
            let name = &person.display_name;
            let (what, detail) = match was.get(&*person.object_id) {
                None => (What::Joined, format!("{name}, {}", person.job_title)),
                Some(old) if old.user_principal_name != person.user_principal_name => (
                    What::Renamed,
                    format!(
                        "{name}; was {} ({})",
                        old.display_name, old.user_principal_name
                    ),
                ),
                Some(old) if old.account_enabled && !person.account_enabled => (
                    What::Left,
                    format!("{name}; memberships are kept and do not count"),
                ),
                Some(old) if !old.account_enabled && person.account_enabled => {
                    (What::Restored, format!("{name}; memberships count again"))
                }
                Some(_) => return None,
            };
            Some(about(person, what, detail))
        };
        self.people.iter().filter_map(change).collect()
    }

    fn changed_groups(&self, before: &Self) -> Vec<Notable> {
        let now: HashSet<&Membership> = self.memberships.iter().collect();
        let then: HashSet<&Membership> = before.memberships.iter().collect();
        let mut notable = Vec::new();
        for (old, new) in before.groups.iter().zip(&self.groups) {
            let mut note = |what, detail| {
                notable.push(Notable {
                    what,
                    name: new.display_name.clone(),
                    detail,
                });
            };
            if old.display_name != new.display_name {
                note(What::GroupRenamed, format!("was {}", old.display_name));
            }
            let of_it = |it: &&&Membership| it.group == new.object_id;
            let joined = now.difference(&then).filter(of_it).count();
            let left = then.difference(&now).filter(of_it).count();
            if joined + left > 0 {
                note(
                    What::MembersChanged,
                    format!("{joined} joined, {left} left"),
                );
            }
        }
        notable
    }
}

/// What to look at when all days are over: what has changed last about somebody or something, and an oddity.
///
/// # Errors
/// When the tables built into the program are damaged.
pub fn notable() -> Result<Vec<Notable>, Error> {
    let mut before = Company::on(Day::First)?;
    let mut notable: Vec<Notable> = Vec::new();
    for day in [Day::Second, Day::Third] {
        let now = Company::on(day)?;
        let people = now.changed_people(&before).into_iter();
        for change in people.chain(now.changed_groups(&before)) {
            notable.retain(|earlier| earlier.name != change.name);
            notable.push(change);
        }
        before = now;
    }
    let odd = before.people.iter().find(|it| it.mail.is_empty());
    notable.extend(odd.map(|it| about(it, What::NoEmail, it.display_name.clone())));
    notable.sort_by_key(|it| it.what);
    Ok(notable)
}

/// A person or a group that shows something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Notable {
    /// What it shows.
    pub what: What,
    /// The `userPrincipalName` of a person, the `displayName` of a group.
    pub name: String,
    /// The rest of the story, for a person to read: "was Amélie Rousseau".
    pub detail: String,
}

/// What a [`Notable`] shows, in the order in which it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// A person who joined.
    Joined,
    /// A person with a new name and a new `userPrincipalName`.
    Renamed,
    /// A person who left: the account is disabled.
    Left,
    /// A person who came back: the account is enabled again.
    Restored,
    /// A group with a new name.
    GroupRenamed,
    /// A group that people joined or left.
    MembersChanged,
    /// A person without an e-mail address.
    NoEmail,
}

/// Why the sample company cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The tables that are built into the program are damaged.
    #[error("the built-in sample company cannot be read: {0}")]
    Data(#[from] csv::Error),
    /// The folder cannot be read or written.
    #[error("the sample company's files cannot be kept up: {0}")]
    Folder(String),
}

/// Takes rows over: in the place of those with the same id, or after all others.
fn put<T>(all: &mut Vec<T>, new: Vec<T>, id: fn(&T) -> &str) {
    for row in new {
        match all.iter_mut().find(|known| id(known) == id(&row)) {
            Some(known) => *known = row,
            None => all.push(row),
        }
    }
}

fn about(person: &Person, what: What, detail: String) -> Notable {
    Notable {
        what,
        name: person.user_principal_name.clone(),
        detail,
    }
}

fn rows<T: DeserializeOwned>(text: &str) -> Result<Vec<T>, csv::Error> {
    csv::Reader::from_reader(text.as_bytes())
        .deserialize()
        .collect()
}

fn table<T: Serialize>(rows: &[T]) -> Result<Vec<u8>, Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.serialize(row)?;
    }
    writer
        .into_inner()
        .map_err(|cause| Error::Folder(cause.to_string()))
}

/// Puts a file in the place of an older one, so that nobody ever reads half of it.
fn replace(path: &Path, content: &[u8]) -> Result<(), Error> {
    let beside = path.with_extension("new");
    fs::write(&beside, content)
        .and_then(|()| fs::rename(&beside, path))
        .map_err(|cause| Error::Folder(format!("{}: {cause}", path.display())))
}

#[cfg(test)]
mod tests;
