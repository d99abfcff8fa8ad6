//! Where the company is told of: CSV files, or a real LDAP server.

use std::path::Path;

use ldap3::Ldap;
use portreeve_testbed::slapd::{ADMIN, BASE, Slapd, add, set};

use super::company::{Company, Group, Person};

/// A source that can be brought up to date.
pub(super) enum Source {
    Csv,
    Ldap(Box<Directory>),
}

/// A directory, and what it holds.
pub(super) struct Directory {
    slapd: Slapd,
    admin: Ldap,
    told: Company,
}

impl Source {
    pub(super) async fn slapd() -> Self {
        let slapd = Slapd::start().await;
        let admin = slapd.admin().await;
        let told = Company::default();
        Self::Ldap(Box::new(Directory { slapd, admin, told }))
    }

    /// The table `[source]` of a definition; files are beside it.
    pub(super) fn settings(&self) -> String {
        match self {
            Self::Csv => r#"
                type = "csv"
                users = "people.csv"
                groups = "groups.csv"
                memberships = "memberships.csv"
                "#
            .to_owned(),
            Self::Ldap(directory) => format!(
                r#"
                type = "ldap"
                url = "{}"
                base = "{BASE}"
                bind_dn = "{ADMIN}"
                password = "secret"
                "#,
                directory.slapd.url()
            ),
        }
    }

    /// Makes the source tell of the company as it is now.
    pub(super) async fn tell(&mut self, company: &Company, folder: &Path) {
        match self {
            Self::Csv => write_tables(company, folder),
            Self::Ldap(directory) => directory.tell(company).await,
        }
    }
}

fn write_tables(company: &Company, folder: &Path) {
    let write = |name: &str, head: &[&str], rows: Vec<Vec<String>>| {
        let mut table = csv::Writer::from_path(folder.join(name)).unwrap();
        table.write_record(head).unwrap();
        rows.iter().for_each(|row| table.write_record(row).unwrap());
        table.flush().unwrap();
    };
    let head = [
        "id",
        "employeeId",
        "mailNickname",
        "displayName",
        "givenName",
        "surname",
        "mail",
        "jobTitle",
        "department",
        "city",
        "telephoneNumber",
        "mobile",
        "preferredLanguage",
        "manager",
        "accountEnabled",
    ];
    write(
        "people.csv",
        &head,
        company
            .people
            .iter()
            .map(|(key, person)| row(key, person))
            .collect(),
    );
    let groups = company.groups.iter();
    let rows = groups.map(|(key, group)| vec![key.clone(), key.clone(), group.name.clone()]);
    write(
        "groups.csv",
        &["id", "mailNickname", "displayName"],
        rows.collect(),
    );
    let members = company.groups.iter().flat_map(|(key, group)| {
        group
            .members
            .iter()
            .map(|member| vec![key.clone(), member.clone()])
    });
    write("memberships.csv", &["group", "member"], members.collect());
}

fn row(key: &str, person: &Person) -> Vec<String> {
    let or_empty = |value: &Option<String>| value.clone().unwrap_or_default();
    vec![
        key.to_owned(),
        key.to_owned(),
        person.login.clone(),
        person.display_name.clone(),
        or_empty(&person.given_name),
        person.surname.clone(),
        or_empty(&person.mail),
        or_empty(&person.job_title),
        or_empty(&person.department),
        or_empty(&person.city),
        or_empty(&person.phone),
        or_empty(&person.mobile),
        or_empty(&person.language),
        or_empty(&person.manager),
        if person.enabled { "TRUE" } else { "no" }.to_owned(),
    ]
}

impl Directory {
    /// Writes the differences, as an administrator would: entries go last, so that nothing refers to them any more.
    async fn tell(&mut self, company: &Company) {
        for (key, person) in &company.people {
            let before = self
                .told
                .people
                .get(key)
                .map(|before| person_attributes(key, before));
            self.write(&dn(key), before, person_attributes(key, person))
                .await;
        }
        for (key, group) in &company.groups {
            let before = self
                .told
                .groups
                .get(key)
                .map(|before| group_attributes(key, before));
            self.write(&dn(key), before, group_attributes(key, group))
                .await;
        }
        let people = self
            .told
            .people
            .keys()
            .filter(|key| !company.people.contains_key(*key));
        let groups = self
            .told
            .groups
            .keys()
            .filter(|key| !company.groups.contains_key(*key));
        for key in people.chain(groups) {
            let done = self.admin.delete(&dn(key)).await.unwrap();
            assert_eq!(done.rc, 0, "deleting {key}: {}", done.text);
        }
        self.told = company.clone();
    }

    async fn write(&mut self, dn: &str, before: Option<Entry>, now: Entry) {
        let Some(before) = before else {
            let values: Vec<_> = now
                .iter()
                .flat_map(|(name, values)| values.iter().map(|value| (*name, value.as_str())))
                .collect();
            return add(&mut self.admin, dn, &values).await;
        };
        for ((name, now), (_, before)) in now.iter().zip(&before) {
            if now != before {
                let values: Vec<&str> = now.iter().map(String::as_str).collect();
                set(&mut self.admin, dn, name, &values).await;
            }
        }
    }
}

/// Attributes, always the same in the same order.
type Entry = Vec<(&'static str, Vec<String>)>;

fn person_attributes(key: &str, person: &Person) -> Entry {
    let one = |value: &str| vec![value.to_owned()];
    let some = |value: &Option<String>| value.iter().cloned().collect();
    vec![
        (
            "objectClass",
            vec!["inetOrgPerson".to_owned(), "user".to_owned()],
        ),
        ("cn", one(key)),
        ("employeeNumber", one(key)),
        ("uid", one(&person.login)),
        ("displayName", one(&person.display_name)),
        ("givenName", some(&person.given_name)),
        ("sn", one(&person.surname)),
        ("mail", some(&person.mail)),
        ("title", some(&person.job_title)),
        ("departmentNumber", some(&person.department)),
        ("l", some(&person.city)),
        ("telephoneNumber", some(&person.phone)),
        ("mobile", some(&person.mobile)),
        ("preferredLanguage", some(&person.language)),
        (
            "manager",
            person.manager.iter().map(|manager| dn(manager)).collect(),
        ),
        // Normal account; the same, disabled.
        (
            "userAccountControl",
            one(if person.enabled { "512" } else { "514" }),
        ),
    ]
}

fn group_attributes(key: &str, group: &Group) -> Entry {
    // This class of groups cannot be empty, so directories put somebody in who does not exist.
    let nobody = group
        .members
        .is_empty()
        .then(|| format!("cn=nobody,{BASE}"));
    vec![
        (
            "objectClass",
            vec!["groupOfNames".to_owned(), "extensibleObject".to_owned()],
        ),
        ("cn", vec![key.to_owned()]),
        ("displayName", vec![group.name.clone()]),
        (
            "member",
            group
                .members
                .iter()
                .map(|member| dn(member))
                .chain(nobody)
                .collect(),
        ),
    ]
}

fn dn(key: &str) -> String {
    let unit = if key.starts_with('p') {
        "people"
    } else {
        "groups"
    };
    format!("cn={key},ou={unit},{BASE}")
}
