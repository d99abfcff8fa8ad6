//! The sample data keeps what the documentation says about it.

use unicode_normalization::is_nfc;

use super::*;

fn texts(person: &Person) -> [&str; 16] {
    [
        &person.object_id,
        &person.user_principal_name,
        &person.display_name,
        &person.given_name,
        &person.surname,
        &person.mail,
        &person.job_title,
        &person.department,
        &person.employee_id,
        &person.manager,
        &person.physical_delivery_office_name,
        &person.city,
        &person.country,
        &person.preferred_language,
        &person.telephone_number,
        &person.mobile,
    ]
}

/// What holds for the company must hold after the changes as well.
fn days() -> [Company; 3] {
    Day::ALL.map(|day| Company::on(day).unwrap())
}

fn assert_unique<'a>(what: &str, values: impl Iterator<Item = &'a str>) {
    let mut seen = HashSet::new();
    for value in values.filter(|value| !value.is_empty()) {
        assert!(
            seen.insert(value.to_lowercase()),
            "{what} {value} appears twice"
        );
    }
}

#[test]
fn the_first_day_has_the_promised_size() {
    let [company, ..] = days();
    assert_eq!(company.people.len(), 500);
    assert_eq!(company.groups.len(), 40);
    assert_eq!(company.memberships.len(), 3_000);
}

#[test]
fn the_other_days_differ_as_described() {
    let [first, second, third] = days();
    let people = |company: &Company| {
        let active = company.people.iter().filter(|it| it.account_enabled);
        (company.people.len(), active.count())
    };
    assert_eq!(people(&first), (500, 500));
    assert_eq!(people(&second), (503, 501), "three joined and two left");
    assert_eq!(people(&third), (503, 501), "one returned and one left");
    assert_eq!(third.groups, second.groups);
    assert_eq!(third.memberships, second.memberships);
}

#[test]
fn what_to_look_at_is_what_changed_last() {
    let notable = notable().unwrap();
    let lines: Vec<String> = notable
        .iter()
        .map(|it| format!("{:?} {}: {}", it.what, it.name, it.detail))
        .collect();
    assert_eq!(
        lines,
        [
            "Joined ada.okafor@contoso.example: Ada Okafor, Site Reliability Engineer",
            "Joined aoi.nakamura@contoso.example: 中村 葵, Software Engineer",
            "Joined maria.garcialopez2@contoso.example: María García López, Account Executive",
            "Renamed amelie.girard@contoso.example: Amélie Girard; was Amélie Rousseau (amelie.rousseau@contoso.example)",
            "Left grace.ashworth-green@contoso.example: Grace Ashworth-Green; memberships are kept and do not count",
            "Left christopher.kim@contoso.example: Christopher Kim; memberships are kept and do not count",
            "Restored david.nguyen@contoso.example: David Nguyen; memberships count again",
            "GroupRenamed Project Borealis: was Project Aurora",
            "MembersChanged All Contoso: 3 joined, 0 left",
            "MembersChanged Engineering: 1 joined, 0 left",
            "MembersChanged Platform Operations: 1 joined, 0 left",
            "MembersChanged Sales: 1 joined, 0 left",
            "MembersChanged ssh-users: 2 joined, 0 left",
            "MembersChanged web-ops: 1 joined, 2 left",
            "NoEmail seyma.igdir@contoso.example: Şeyma Iğdır",
        ]
    );
}

#[test]
fn the_tables_in_a_folder_tell_the_day_until_somebody_changes_them() {
    let folder = tempfile::tempdir().unwrap();
    let standing = || Company::standing(folder.path()).unwrap();
    assert_eq!(standing(), Standing::Nowhere);
    for (day, company) in Day::ALL.into_iter().zip(days()) {
        company.write(folder.path()).unwrap();
        assert_eq!(standing(), Standing::At(day));
    }
    let users = folder.path().join(USERS);
    let edited = fs::read_to_string(&users)
        .unwrap()
        .replace("Sales", "Revenue");
    fs::write(users, edited).unwrap();
    assert_eq!(standing(), Standing::Edited);
}

#[test]
fn the_declaration_of_the_application_is_right() {
    let text = definition("http://127.0.0.1:8460/scim/contoso/v2");
    let definition = crate::application::Definition::from_toml(&text).unwrap();
    definition
        .compile("contoso", Path::new("/contoso"))
        .unwrap();
    assert_eq!(
        definition.target.url,
        "http://127.0.0.1:8460/scim/contoso/v2"
    );
}

#[test]
fn the_company_shows_what_real_directories_hold() {
    let [company, ..] = days();
    let count = |is: fn(&Person) -> bool| company.people.iter().filter(|person| is(person)).count();
    assert!(
        (10..30).contains(&count(|person| person.mail.is_empty())),
        "some have no e-mail"
    );
    assert!(
        count(|person| !person.display_name.is_ascii()) > 150,
        "many scripts"
    );
    assert!(
        count(|person| person.surname.is_empty()) > 0,
        "some have one name only"
    );
    let first_names: HashSet<&str> = company
        .people
        .iter()
        .map(|person| &*person.given_name)
        .collect();
    assert!(first_names.len() < 300, "first names are shared");
}

#[test]
fn whatever_identifies_somebody_is_unique() {
    for company in days() {
        let people = || company.people.iter();
        assert_unique("name", people().map(|person| &*person.user_principal_name));
        assert_unique("e-mail", people().map(|person| &*person.mail));
        assert_unique("number", people().map(|person| &*person.employee_id));
        assert_unique("mobile number", people().map(|person| &*person.mobile));
        let groups = || company.groups.iter();
        assert_unique("group name", groups().map(|group| &*group.display_name));
        let people = people().map(|person| &*person.object_id);
        assert_unique(
            "object id",
            people.chain(groups().map(|group| &*group.object_id)),
        );
        let memberships: HashSet<&Membership> = company.memberships.iter().collect();
        assert_eq!(memberships.len(), company.memberships.len());
    }
}

#[test]
fn memberships_are_of_people_and_groups_that_there_are() {
    for company in days() {
        let people: HashSet<&str> = company.people.iter().map(|it| &*it.object_id).collect();
        let groups: HashSet<&str> = company.groups.iter().map(|it| &*it.object_id).collect();
        for Membership { group, member } in &company.memberships {
            assert!(
                groups.contains(&**group) && people.contains(&**member),
                "{group}: {member}"
            );
        }
    }
}

#[test]
fn texts_are_normalized_and_names_can_be_typed() {
    for company in days() {
        for person in &company.people {
            for text in texts(person) {
                assert!(
                    is_nfc(text) && text.trim() == text,
                    "{}: {text:?}",
                    person.user_principal_name
                );
            }
            let name = person
                .user_principal_name
                .strip_suffix("@contoso.example")
                .unwrap();
            let allowed = |character: char| {
                character.is_ascii_lowercase()
                    || character.is_ascii_digit()
                    || ".-'".contains(character)
            };
            assert!(!name.is_empty() && name.chars().all(allowed), "{name}");
            assert!(
                person.mail.is_empty() || person.mail == person.user_principal_name,
                "{name}"
            );
            assert!(uuid::Uuid::parse_str(&person.object_id).is_ok(), "{name}");
        }
        assert!(
            company
                .groups
                .iter()
                .all(|group| is_nfc(&group.display_name))
        );
    }
}

/// +999 is not assigned; the other ranges are kept free for fiction by the regulators of Great Britain, North America
/// and France.
#[test]
fn telephone_numbers_reach_nobody() {
    const FICTION: [&str; 5] = [
        "+999 ",
        "+44 20 7946 0",
        "+44 7700 900",
        "+33 1 99 00 ",
        "+33 6 39 98 ",
    ];
    for company in days() {
        for number in company
            .people
            .iter()
            .flat_map(|person| [&person.telephone_number, &person.mobile])
        {
            let american = number
                .strip_prefix("+1 ")
                .is_some_and(|rest| rest.len() == 12 && &rest[3..10] == " 555 01");
            assert!(
                number.is_empty()
                    || american
                    || FICTION.iter().any(|range| number.starts_with(range)),
                "{number}"
            );
        }
    }
}

#[test]
fn everybody_has_a_manager_up_to_the_top() {
    for company in days() {
        let by_id: HashMap<&str, &Person> = company
            .people
            .iter()
            .map(|person| (&*person.object_id, person))
            .collect();
        for person in &company.people {
            let name = &person.user_principal_name;
            let mut above = person;
            let mut steps = 0;
            while !above.manager.is_empty() {
                above = by_id
                    .get(&*above.manager)
                    .unwrap_or_else(|| panic!("{name}: unknown manager {}", above.manager));
                steps += 1;
                assert!(steps < 10, "{name} is in a circle of managers");
            }
            assert_eq!(above.job_title, "Chief Executive Officer", "{name}");
        }
    }
}
