//! LDAP servers that say what slapd never says.

use std::sync::Arc;

use portreeve_provisioning::source::{Change, Error, Place, Source};

use super::double::{Say, Script, Search, start};
use crate::reader::{Time, read, source};

const RANGE: usize = 1_500;

/// A reader of a server that follows a script.
async fn reader(bind: u8, script: Script) -> (Source, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let settings = format!(
        "type = \"ldap\"\nurl = \"{}\"\nbase = \"dc=contoso\"\nbind_dn = \"cn=reader\"\npassword = \"hush\"\ntimeout = 1\n",
        start(bind, script).await
    );
    let source = source(&settings, folder.path(), &Arc::<Time>::default()).unwrap();
    (source, folder)
}

fn value(name: &str, value: &[u8]) -> (String, Vec<Vec<u8>>) {
    (name.to_owned(), vec![value.to_vec()])
}

fn root() -> Vec<Say> {
    let attributes = vec![
        value("supportedControl", b"1.2.840.113556.1.4.319"),
        value("supportedCapabilities", b"1.2.840.113556.1.4.800"),
    ];
    vec![Say::Entry(String::new(), attributes), Say::Done(0)]
}

/// The key of the entry `cn=<number>`.
fn guid(number: usize) -> (String, Vec<Vec<u8>>) {
    let mut guid = [9; 16];
    guid[8..].copy_from_slice(&(number as u64).to_be_bytes());
    value("objectGUID", &guid)
}

/// A domain with nobody but a group of `members`, given out in ranges that `advance` or do not.
fn large_group(members: usize, advance: bool) -> Script {
    Arc::new(move |search: &Search| {
        let range = |from: usize| {
            let to = (from + RANGE).min(members);
            let last = if to == members {
                "*".to_owned()
            } else {
                (to - 1).to_string()
            };
            let names = (from..to)
                .map(|at| format!("cn={at}").into_bytes())
                .collect();
            (format!("member;range={from}-{last}"), names)
        };
        let asked = search.attributes.iter().find_map(|name| {
            name.strip_prefix("member;range=")?
                .strip_suffix("-*")?
                .parse::<usize>()
                .ok()
        });
        let entry = |attributes| vec![Say::Entry("cn=all".to_owned(), attributes), Say::Done(0)];
        match (search.base.as_str(), search.deep, asked) {
            ("", ..) => root(),
            // People are asked for before groups, by an attribute that groups do not have.
            (_, true, _)
                if search
                    .attributes
                    .iter()
                    .any(|name| name == "userAccountControl") =>
            {
                vec![Say::Done(0)]
            }
            ("dc=contoso", true, _) if search.attributes.len() == 2 => {
                vec![
                    Say::Entry(
                        "cn=all".to_owned(),
                        vec![guid(1_000_000), value("uSNChanged", b"1")],
                    ),
                    Say::Done(0),
                ]
            }
            ("dc=contoso", true, _) => entry(vec![guid(1_000_000), value("cn", b"all"), range(0)]),
            ("cn=all", _, Some(from)) if advance => entry(vec![range(from)]),
            ("cn=all", _, Some(_)) => entry(vec![range(0)]),
            ("cn=all", _, None) => entry(vec![
                guid(1_000_000),
                ("member".to_owned(), vec![]),
                range(0),
            ]),
            (name, ..) => {
                let number = name
                    .strip_prefix("cn=")
                    .and_then(|number| number.parse().ok());
                vec![
                    Say::Entry(name.to_owned(), vec![guid(number.unwrap())]),
                    Say::Done(0),
                ]
            }
        }
    })
}

#[tokio::test]
async fn members_are_read_over_all_ranges() {
    for (name, members, advance, expected) in [
        ("in one range", 1_499, true, 1_499),
        ("in ranges", 3_500, true, 3_500),
        ("in ranges that end where one is full", 3_000, true, 3_000),
        ("from a server that does not get on", 3_500, false, 1_500),
    ] {
        let (source, _folder) = reader(0, large_group(members, advance)).await;
        let (changes, _) = read(&source, &Place::Everything).await.unwrap();
        let added = changes.iter().map(|change| match change {
            Change::Members { added, .. } => {
                assert!(added.len() <= 1_000, "{name}");
                added.len()
            }
            _ => 0,
        });
        assert_eq!(added.sum::<usize>(), expected, "{name}");
    }
}

#[tokio::test]
async fn every_refusal_says_what_to_do() {
    let cases = [
        (0, 3, "the source cannot be read now"),
        (0, 4, "raise its limit"),
        (0, 8, "use ldaps:// or start_tls"),
        (0, 10, "referrals are not followed"),
        (0, 11, "raise its limit"),
        (0, 12, "lacks a control"),
        (0, 13, "use ldaps:// or start_tls"),
        (0, 32, "correct base"),
        (0, 50, "the source refuses the credentials"),
        (0, 51, "the source cannot be read now"),
        (0, 53, "refuses with code 53"),
        (0, 80, "the source cannot be read now"),
        (8, 0, "use ldaps:// or start_tls"),
        (48, 0, "bind_dn or password is wrong"),
        (49, 0, "bind_dn or password is wrong"),
        (51, 0, "the source cannot be read now"),
        (53, 0, "refuses with code 53"),
    ];
    for (bind, search, expected) in cases {
        let script: Script = Arc::new(move |asked| match asked.base.as_str() {
            "" => root(),
            _ => vec![Say::Done(search)],
        });
        let (source, _folder) = reader(bind, script).await;
        let error = source.check().await.unwrap_err().to_string();
        assert!(error.contains(expected), "{bind}, {search}: {error}");
        assert!(
            error.contains("as the test says"),
            "{bind}, {search}: {error}"
        );
    }
}

#[tokio::test]
async fn referrals_are_passed_over_and_what_is_no_answer_is_an_error() {
    let person = || Say::Entry("cn=1".to_owned(), vec![guid(1)]);
    let cases: [(&str, Vec<Say>, Option<&str>); 6] = [
        (
            "a referral among entries",
            vec![
                Say::Referral("ldap://elsewhere.example/"),
                person(),
                Say::Done(0),
            ],
            None,
        ),
        (
            "a page that is none ends the answer",
            vec![person(), Say::NoPage],
            None,
        ),
        (
            "an entry that is none",
            vec![Say::NoEntry, Say::Done(0)],
            Some("an entry that is none"),
        ),
        (
            "cut off",
            vec![person(), Say::HangUp],
            Some("the source cannot be read now"),
        ),
        (
            "hung up",
            vec![Say::HangUp],
            Some("the source cannot be read now"),
        ),
        (
            "silence",
            vec![person()],
            Some("the source cannot be read now"),
        ),
    ];
    for (name, answer, expected) in cases {
        let script: Script = Arc::new(move |asked| match asked.base.as_str() {
            "" => root(),
            _ => answer.clone(),
        });
        let (source, _folder) = reader(0, script).await;
        match (source.check().await, expected) {
            (Ok(said), None) => assert!(said.contains("1 users and 1 groups"), "{name}: {said}"),
            (Err(error), Some(expected)) => {
                assert!(error.to_string().contains(expected), "{name}: {error}")
            }
            (outcome, _) => panic!("{name}: {outcome:?}"),
        }
    }
}

#[tokio::test]
async fn a_read_that_breaks_tells_nothing_and_leaves_the_last_one_as_it_was() {
    let (source, folder) = reader(0, large_group(10, true)).await;
    let (_, place) = read(&source, &Place::Everything).await.unwrap();
    let broken: Script = Arc::new(|asked: &Search| match (asked.base.as_str(), asked.deep) {
        ("", _) => root(),
        _ => vec![
            Say::Entry("cn=all".to_owned(), vec![guid(1_000_000)]),
            Say::HangUp,
        ],
    });
    let settings = |url: &str| {
        format!(
            "type = \"ldap\"\nurl = \"{url}\"\nbase = \"dc=contoso\"\nbind_dn = \"cn=reader\"\npassword = \"hush\"\n"
        )
    };
    let time = Arc::<Time>::default();
    time.pass(1);
    let url = start(0, broken).await;
    let failing = crate::reader::source(&settings(&url), folder.path(), &time).unwrap();
    let error = failing.read(&place).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
    let url = start(0, large_group(10, true)).await;
    let mended = crate::reader::source(&settings(&url), folder.path(), &time).unwrap();
    assert_eq!(read(&mended, &place).await.unwrap(), (vec![], place));
}
