//! The sample data keeps what the documentation says about it.

use std::collections::HashSet;

use unicode_normalization::is_nfc;

use super::*;

fn texts(person: &Person) -> [&str; 16] {
    [
        &person.id,
        &person.user_name,
        &person.given_name,
        &person.family_name,
        &person.display_name,
        &person.mail,
        &person.title,
        &person.department,
        &person.employee_number,
        &person.manager,
        &person.office,
        &person.city,
        &person.country,
        &person.language,
        &person.work_phone,
        &person.mobile_phone,
    ]
}

/// Both days: what holds for the company must hold after the changes as well.
fn days() -> [Company; 2] {
    let first = Company::first_day().unwrap();
    let second = first.second_day().unwrap();
    [first, second]
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
    let [company, _] = days();
    assert_eq!(company.people.len(), 500);
    assert_eq!(company.groups.len(), 40);
    assert_eq!(
        company
            .groups
            .iter()
            .map(|group| group.members.len())
            .sum::<usize>(),
        3_000
    );
}

#[test]
fn the_second_day_differs_as_described() {
    let [first, second] = days();
    let active = |company: &Company| {
        company
            .people
            .iter()
            .filter(|person| person.enabled)
            .count()
    };
    assert_eq!(second.people.len(), 503);
    assert_eq!(
        active(&second),
        active(&first) + 3,
        "three joined, one left and one returned"
    );
    let kinds: Vec<What> = second
        .notable_since(&first, &Links::default())
        .iter()
        .map(|notable| notable.what)
        .collect();
    let count = |what| kinds.iter().filter(|kind| **kind == what).count();
    assert_eq!(
        [
            count(What::Joined),
            count(What::Renamed),
            count(What::Left),
            count(What::Restored)
        ],
        [3, 1, 1, 1]
    );
    assert_eq!(
        [count(What::GroupRenamed), count(What::MembersChanged)],
        [1, 6]
    );
    assert_eq!([count(What::Disabled), count(What::NoEmail)], [1, 1]);
}

#[test]
fn the_company_shows_what_real_directories_hold() {
    let [company, _] = days();
    let count = |is: fn(&Person) -> bool| company.people.iter().filter(|person| is(person)).count();
    assert!(
        (5..20).contains(&count(|person| !person.enabled)),
        "a few are disabled"
    );
    assert!(
        (10..30).contains(&count(|person| person.mail.is_empty())),
        "some have no e-mail"
    );
    assert!(
        count(|person| !person.display_name.is_ascii()) > 150,
        "many scripts"
    );
    assert!(
        count(|person| person.family_name.is_empty()) > 0,
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
        assert_unique("userName", people().map(|person| &*person.user_name));
        assert_unique("e-mail", people().map(|person| &*person.mail));
        assert_unique(
            "employee number",
            people().map(|person| &*person.employee_number),
        );
        assert_unique(
            "mobile number",
            people().map(|person| &*person.mobile_phone),
        );
        assert_unique(
            "group name",
            company.groups.iter().map(|group| &*group.display_name),
        );
        let groups = company.groups.iter().map(|group| &*group.id);
        assert_unique(
            "object id",
            people().map(|person| &*person.id).chain(groups),
        );
        for group in &company.groups {
            assert_unique(
                &format!("member of {}", group.display_name),
                group.members.iter().map(|id| &**id),
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
                    person.user_name
                );
            }
            let name = person.user_name.strip_suffix("@contoso.example").unwrap();
            let allowed = |character: char| {
                character.is_ascii_lowercase()
                    || character.is_ascii_digit()
                    || ".-'".contains(character)
            };
            assert!(!name.is_empty() && name.chars().all(allowed), "{name}");
            assert!(
                person.mail.is_empty() || person.mail == person.user_name,
                "{name}"
            );
            assert!(uuid::Uuid::parse_str(&person.id).is_ok(), "{name}");
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
            .flat_map(|person| [&person.work_phone, &person.mobile_phone])
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
        let by_name: HashMap<&str, &Person> = company
            .people
            .iter()
            .map(|person| (&*person.user_name, person))
            .collect();
        for person in &company.people {
            let mut above = person;
            let mut steps = 0;
            while !above.manager.is_empty() {
                above = by_name
                    .get(&*above.manager)
                    .unwrap_or_else(|| panic!("{} has an unknown manager", above.user_name));
                steps += 1;
                assert!(
                    steps < 10,
                    "{} is in a circle of managers",
                    person.user_name
                );
            }
            assert_eq!(
                above.title, "Chief Executive Officer",
                "{}",
                person.user_name
            );
        }
    }
}
