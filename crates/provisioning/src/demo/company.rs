//! The sample company itself: its CSV files, and what changes on its second day.

use std::collections::{HashMap, HashSet};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::round::Links;
use super::{Error, Notable, What};

const PEOPLE: &str = include_str!("../../demo/people.csv");
const GROUPS: &str = include_str!("../../demo/groups.csv");
const MEMBERSHIPS: &str = include_str!("../../demo/memberships.csv");
const JOINERS: &str = include_str!("../../demo/joiners.csv");

/// Who leaves on the second day; a member of `web-ops`.
const LEAVER: &str = "christopher.kim@contoso.example";

/// Who was disabled and comes back.
const RETURNER: &str = "david.nguyen@contoso.example";

/// Who changes her name: the old `userName`, the new one, and the new family name.
const RENAMED: (&str, &str, &str) = (
    "amelie.rousseau@contoso.example",
    "amelie.girard@contoso.example",
    "Girard",
);

/// The old and the new name of a group.
const GROUP_RENAMED: (&str, &str) = ("Project Aurora", "Project Borealis");

/// Who joins which group.
const JOINING: [(&str, &str); 9] = [
    ("All Contoso", "ada.okafor@contoso.example"),
    ("Platform Operations", "ada.okafor@contoso.example"),
    ("ssh-users", "ada.okafor@contoso.example"),
    ("web-ops", "ada.okafor@contoso.example"),
    ("All Contoso", "aoi.nakamura@contoso.example"),
    ("Engineering", "aoi.nakamura@contoso.example"),
    ("ssh-users", "aoi.nakamura@contoso.example"),
    ("All Contoso", "maria.garcialopez2@contoso.example"),
    ("Sales", "maria.garcialopez2@contoso.example"),
];

/// Who leaves which group.
const LEAVING: [(&str, &str); 2] = [
    ("web-ops", "doyun.jung@contoso.example"),
    ("web-ops", "deepika.iyer@contoso.example"),
];

/// A person, with the attributes that Entra would hold. An empty text means that there is none.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Person {
    /// Entra's object id, which never changes; becomes `externalId`.
    pub(super) id: String,
    pub(super) user_name: String,
    pub(super) given_name: String,
    pub(super) family_name: String,
    pub(super) display_name: String,
    pub(super) mail: String,
    pub(super) enabled: bool,
    pub(super) title: String,
    pub(super) department: String,
    pub(super) employee_number: String,
    /// The manager's `user_name`.
    pub(super) manager: String,
    pub(super) office: String,
    pub(super) city: String,
    pub(super) country: String,
    pub(super) language: String,
    pub(super) work_phone: String,
    pub(super) mobile_phone: String,
}

/// A group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Group {
    /// Entra's object id; becomes `externalId`.
    pub(super) id: String,
    pub(super) display_name: String,
    /// The members' object ids, without repetition.
    pub(super) members: Vec<String>,
}

/// Everybody on one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Company {
    pub(super) people: Vec<Person>,
    pub(super) groups: Vec<Group>,
}

impl Company {
    /// The company as it is provisioned first.
    pub(super) fn first_day() -> Result<Self, Error> {
        let people: Vec<Person> = rows(PEOPLE)?;
        let mut groups: Vec<Group> = rows::<(String, String)>(GROUPS)?
            .into_iter()
            .map(|(id, display_name)| Group {
                id,
                display_name,
                members: Vec::new(),
            })
            .collect();
        let ids: HashMap<&str, &str> = people
            .iter()
            .map(|person| (&*person.user_name, &*person.id))
            .collect();
        let places: HashMap<String, usize> = groups
            .iter()
            .enumerate()
            .map(|(place, group)| (group.display_name.clone(), place))
            .collect();
        for (group, user_name) in rows::<(String, String)>(MEMBERSHIPS)? {
            let place = places.get(&group).ok_or_else(|| unknown("group", &group))?;
            let id = ids
                .get(&*user_name)
                .ok_or_else(|| unknown("person", &user_name))?;
            groups[*place].members.push((*id).to_owned());
        }
        Ok(Self { people, groups })
    }

    /// The company a day later.
    pub(super) fn second_day(&self) -> Result<Self, Error> {
        let mut next = self.clone();
        next.people.extend(rows::<Person>(JOINERS)?);
        next.person_mut(LEAVER)?.enabled = false;
        next.person_mut(RETURNER)?.enabled = true;
        for (group, joining) in JOINING {
            let id = next.person_mut(joining)?.id.clone();
            next.group_mut(group)?.members.push(id);
        }
        for (group, leaving) in LEAVING {
            let id = next.person_mut(leaving)?.id.clone();
            next.group_mut(group)?
                .members
                .retain(|member| *member != id);
        }
        let (old, new, family_name) = RENAMED;
        for report in next
            .people
            .iter_mut()
            .filter(|person| person.manager == old)
        {
            report.manager = new.to_owned();
        }
        let renamed = next.person_mut(old)?;
        renamed.user_name = new.to_owned();
        renamed.mail = new.to_owned();
        renamed.family_name = family_name.to_owned();
        renamed.display_name = format!("{} {family_name}", renamed.given_name);
        let (old, new) = GROUP_RENAMED;
        next.group_mut(old)?.display_name = new.to_owned();
        Ok(next)
    }

    /// Those of `people` who have a manager, with the manager.
    pub(super) fn reports<'a>(&'a self, people: &[&'a Person]) -> Vec<(&'a Person, &'a Person)> {
        let by_name: HashMap<&str, &Person> = self
            .people
            .iter()
            .map(|person| (&*person.user_name, person))
            .collect();
        people
            .iter()
            .filter_map(|person| Some((*person, *by_name.get(&*person.manager)?)))
            .collect()
    }

    /// What to look at, with the ids that the target gave: the changes since `before`, and two oddities.
    pub(super) fn notable_since(&self, before: &Self, links: &Links) -> Vec<Notable> {
        let mut notable = self.changed_people(before, links);
        notable.extend(self.changed_groups(before, links));
        let oddities = [
            (
                What::Disabled,
                self.people
                    .iter()
                    .find(|person| !person.enabled && person.user_name != LEAVER),
            ),
            (
                What::NoEmail,
                self.people.iter().find(|person| person.mail.is_empty()),
            ),
        ];
        for (what, person) in oddities {
            notable.extend(
                person.map(|person| about(person, what, person.display_name.clone(), links)),
            );
        }
        notable
    }

    fn changed_people(&self, before: &Self, links: &Links) -> Vec<Notable> {
        let was: HashMap<&str, &Person> = before
            .people
            .iter()
            .map(|person| (&*person.id, person))
            .collect();
        let change = |person: &Person| {
            let name = &person.display_name;
            let (what, detail) = match was.get(&*person.id) {
                None => (What::Joined, format!("{name}, {}", person.title)),
                Some(old) if old.user_name != person.user_name => (
                    What::Renamed,
                    format!("{name}; was {} ({})", old.display_name, old.user_name),
                ),
                Some(old) if old.enabled && !person.enabled => (
                    What::Left,
                    format!("{name}; memberships are kept and do not count"),
                ),
                Some(old) if !old.enabled && person.enabled => {
                    (What::Restored, format!("{name}; memberships count again"))
                }
                Some(_) => return None,
            };
            Some(about(person, what, detail, links))
        };
        self.people.iter().filter_map(change).collect()
    }

    fn changed_groups(&self, before: &Self, links: &Links) -> Vec<Notable> {
        let mut notable = Vec::new();
        for (old, new) in before.groups.iter().zip(&self.groups) {
            let mut note = |what, detail| {
                notable.push(Notable {
                    what,
                    name: new.display_name.clone(),
                    id: links.id(&new.id),
                    detail,
                });
            };
            if old.display_name != new.display_name {
                note(What::GroupRenamed, format!("was {}", old.display_name));
            }
            let joined = missing(&new.members, &old.members).len();
            let left = missing(&old.members, &new.members).len();
            if joined + left > 0 {
                note(
                    What::MembersChanged,
                    format!("{joined} joined, {left} left"),
                );
            }
        }
        notable
    }

    fn person_mut(&mut self, user_name: &str) -> Result<&mut Person, Error> {
        let found = self
            .people
            .iter_mut()
            .find(|person| person.user_name == user_name);
        found.ok_or_else(|| unknown("person", user_name))
    }

    fn group_mut(&mut self, display_name: &str) -> Result<&mut Group, Error> {
        let found = self
            .groups
            .iter_mut()
            .find(|group| group.display_name == display_name);
        found.ok_or_else(|| unknown("group", display_name))
    }
}

/// What is in `all` and not in `some`, in the order of `all`.
pub(super) fn missing<'a>(all: &'a [String], some: &[String]) -> Vec<&'a String> {
    let some: HashSet<&String> = some.iter().collect();
    all.iter().filter(|member| !some.contains(member)).collect()
}

fn about(person: &Person, what: What, detail: String, links: &Links) -> Notable {
    Notable {
        what,
        name: person.user_name.clone(),
        id: links.id(&person.id),
        detail,
    }
}

fn rows<T: DeserializeOwned>(text: &str) -> Result<Vec<T>, Error> {
    let rows: Result<Vec<T>, csv::Error> = csv::Reader::from_reader(text.as_bytes())
        .deserialize()
        .collect();
    rows.map_err(|cause| Error::Data(cause.to_string()))
}

fn unknown(kind: &str, name: &str) -> Error {
    Error::Data(format!("there is no {kind} {name}"))
}

#[cfg(test)]
mod tests;
