//! A company of 300 people and 30 groups with awkward data, and what happens to it.

use std::collections::{BTreeMap, BTreeSet};

/// Everybody, by keys that stay the same.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Company {
    pub(super) people: BTreeMap<String, Person>,
    pub(super) groups: BTreeMap<String, Group>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Person {
    pub(super) login: String,
    pub(super) display_name: String,
    pub(super) given_name: Option<String>,
    pub(super) surname: String,
    pub(super) mail: Option<String>,
    pub(super) job_title: Option<String>,
    pub(super) department: Option<String>,
    pub(super) city: Option<String>,
    pub(super) phone: Option<String>,
    pub(super) mobile: Option<String>,
    pub(super) language: Option<String>,
    pub(super) manager: Option<String>,
    pub(super) enabled: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) name: String,
    /// Keys of people and groups.
    pub(super) members: BTreeSet<String>,
}

const PEOPLE: usize = 300;
const GROUPS: usize = 30;
const LARGE_GROUP: usize = 250;

const GIVEN_NAMES: [&str; 12] = [
    "Zoë",
    "Søren",
    "Łukasz",
    "Mary Jane",
    "José",
    "Đặng",
    "Siân",
    "Ünal",
    "Æthel",
    "李",
    "Renée",
    "O'Shea",
];
const SURNAMES: [&str; 13] = [
    "Ångström",
    "D'Arcy",
    "Müller-Lüdenscheidt",
    "de la Cruz",
    "Nguyễn",
    "Ó Briain",
    "van 't Hoff",
    "Smith, Jr.",
    "Ćosić",
    "Çelik",
    "Lovelace",
    "\"Bob\" Tables",
    "Øster",
];
const LOGINS: [&str; 5] = ["Zoe.Angstrom", "d'arcy", "ada+test", "soren_o", "x-y"];
const TITLES: [&str; 4] = [
    "R&D; Lead <acting>",
    "Tester, \"senior\"",
    "Réceptionniste",
    "Driver",
];
const DEPARTMENTS: [&str; 5] = [
    "Sales",
    "R&D",
    "Außendienst",
    "People, Culture",
    "Ops (24/7)",
];
const CITIES: [&str; 4] = ["Köln", "Saint-Étienne", "'s-Hertogenbosch", "Kraków"];
const LANGUAGES: [&str; 3] = ["de-DE", "fr", "nl-NL"];
const GROUP_NAMES: [&str; 17] = [
    "Everyone",
    "Sales",
    "Sales/EMEA",
    "Sales/EMEA/DACH",
    "All (Berlin)",
    "Team \"Blue\"",
    "Köln – Außendienst",
    "A > B",
    "cn=admins,ou=groups",
    "100 % remote",
    "O'Hare",
    "C++ Guild",
    "back\\slash",
    "semi;colon",
    "#1",
    "Everyone*",
    "R&D [EU]",
];

impl Company {
    /// As it is on the first day.
    pub(super) fn new() -> Self {
        Self {
            people: (0..PEOPLE)
                .map(|i| (person_key(i), Person::new(i)))
                .collect(),
            groups: (0..GROUPS).map(|i| (group_key(i), Group::new(i))).collect(),
        }
    }

    /// The same after a busy week: everything happens to somebody that can happen to people and groups.
    pub(super) fn a_week_later(&self) -> Self {
        let mut later = self.clone();
        for i in 10..20 {
            let person = later.person(i);
            person.surname = format!("{}-Newlywed", person.surname);
            person.display_name = format!("{} (married)", person.display_name);
        }
        later.person(11).login = "Renamed.Login".to_owned();
        for i in (0..PEOPLE).step_by(9) {
            let person = later.person(i);
            person.department = match &person.department {
                Some(_) if i % 2 == 0 => None,
                _ => Some("Transferred".to_owned()),
            };
        }
        for i in 80..90 {
            let person = later.person(i);
            person.job_title = person.job_title.take().xor(Some("Promoted".to_owned()));
            person.mobile = person.mobile.take().xor(Some("+31 6 1234".to_owned()));
            person.mail = person
                .mail
                .take()
                .xor(Some(format!("late.{i}@contoso.example")));
            person.city = None;
        }
        later.leave(40..50);
        (50..60).for_each(|i| later.person(i).enabled = false);
        for i in (24..PEOPLE).step_by(50) {
            later.person(i).enabled = true;
        }
        (60..70).for_each(|i| later.person(i).manager = Some(person_key(2)));
        later.person(70).manager = None;
        for i in PEOPLE..PEOPLE + 10 {
            later.people.insert(person_key(i), Person::new(i));
        }
        later.reorganise();
        later
    }

    /// And the day after: some come back, some go, most stay.
    pub(super) fn the_day_after(&self) -> Self {
        let mut later = self.clone();
        (50..55).for_each(|i| later.person(i).enabled = true);
        later.leave(300..302);
        later.group(1).members = (100..104).map(person_key).collect();
        later.group(30).name = "Newest of all".to_owned();
        later
    }

    fn reorganise(&mut self) {
        self.group(7).name = "A < B (renamed)".to_owned();
        let everyone = &mut self.group(0).members;
        (60..90).for_each(|i| _ = everyone.remove(&person_key(i)));
        everyone.extend((250..270).chain(300..305).map(person_key));
        self.group(2).members = [100, 101, 305].map(person_key).into();
        self.group(10).members.clear();
        let shuffled = &mut self.group(11).members;
        shuffled.pop_first();
        shuffled.insert(person_key(299));
        // A group within a group goes, another comes.
        let nested = &mut self.group(3).members;
        nested.remove(&group_key(4));
        nested.insert(group_key(5));
        self.groups.remove(&group_key(29));
        self.groups.insert(group_key(30), Group::new(30));
    }

    /// People are taken out of the directory, their groups, and their reports' lines.
    fn leave(&mut self, gone: std::ops::Range<usize>) {
        for key in gone.map(person_key) {
            self.people.remove(&key);
            for group in self.groups.values_mut() {
                group.members.remove(&key);
            }
            for person in self.people.values_mut() {
                if person.manager.as_ref() == Some(&key) {
                    person.manager = Some(person_key(1));
                }
            }
        }
    }

    fn person(&mut self, i: usize) -> &mut Person {
        self.people.get_mut(&person_key(i)).unwrap()
    }

    fn group(&mut self, i: usize) -> &mut Group {
        self.groups.get_mut(&group_key(i)).unwrap()
    }
}

impl Person {
    fn new(i: usize) -> Self {
        let unless = |every: usize, text: String| (i % every != every - 1).then_some(text);
        let (given, surname) = (pick(&GIVEN_NAMES, i), pick(&SURNAMES, i));
        let login = format!("{}.{i}", pick(&LOGINS, i));
        Self {
            display_name: match i % 11 {
                0 => format!("{surname}, {given} ({i})"),
                _ => format!("{given} {surname} {i}"),
            },
            given_name: unless(17, given),
            surname,
            mail: unless(13, format!("{login}@contoso.example")),
            login,
            job_title: unless(5, pick(&TITLES, i)),
            department: unless(7, pick(&DEPARTMENTS, i)),
            city: unless(4, pick(&CITIES, i)),
            phone: unless(3, format!("+44 (20) 7946-{i:04}")),
            mobile: unless(2, format!("+49 170 {i:04}")),
            language: unless(6, pick(&LANGUAGES, i)),
            manager: (i > 0 && i % 10 != 9).then(|| person_key(i / 8)),
            enabled: i % 25 != 24,
        }
    }
}

impl Group {
    fn new(i: usize) -> Self {
        let name = GROUP_NAMES
            .get(i)
            .map_or_else(|| format!("Group {i}"), |name| (*name).to_owned());
        let people: BTreeSet<String> = match i {
            0 => (0..LARGE_GROUP).map(person_key).collect(),
            1 | 2 => BTreeSet::new(),
            // 5 to 20 of them, nobody twice, because 7 and 300 share no divisor.
            _ => (0..5 + i % 16)
                .map(|n| person_key((i * 31 + n * 7) % PEOPLE))
                .collect(),
        };
        let nested = (i == 3).then(|| group_key(4));
        Self {
            name,
            members: people.into_iter().chain(nested).collect(),
        }
    }
}

pub(super) fn person_key(i: usize) -> String {
    format!("p{i:03}")
}

pub(super) fn group_key(i: usize) -> String {
    format!("g{i:03}")
}

fn pick(list: &[&str], i: usize) -> String {
    list[i % list.len()].to_owned()
}
