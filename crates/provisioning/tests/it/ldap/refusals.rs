//! What is not read, and what is said about it.

use portreeve_provisioning::source::{Change, Error, Place};

use super::town::{Ear, Town, person};
use crate::reader::read;
use portreeve_testbed::slapd::{ADMIN, BASE, set};

#[tokio::test]
async fn a_reader_who_sees_no_keys_is_told_so_and_ends_nobody() {
    let mut town = Town::new().await;
    town.person("blind", "Blind").await;
    let blind = |settings: String| {
        settings
            .replace(ADMIN, &person("blind"))
            .replace("{ env = \"LDAP_PASSWORD\" }", "\"hush\"")
    };
    let everybody = town.source("");
    let (mut ear, mut place) = (Ear::default(), Place::Everything);
    ear.hear(&everybody, &mut place).await;
    set(&mut town.admin, &person("bob"), "title", &["x"]).await;

    let source = town
        .try_source(&blind(town.settings(
            "page_size = 2\nkeep_at_least = 0\nuser_filter = \"(uid=bob)\"\n",
        )))
        .unwrap();
    let error = source.check().await.unwrap_err();
    assert!(error.to_string().contains("shows no entryUUID"), "{error}");
    let source = town
        .try_source(&blind(town.settings("keep_at_least = 0\n")))
        .unwrap();
    let (changes, next) = read(&source, &place).await.unwrap();
    let told = changes
        .iter()
        .filter(|change| matches!(change, Change::Unusable { .. }))
        .count();
    assert_eq!(
        (told, changes.len()),
        (6, 6),
        "four people, two groups, and nobody is gone"
    );

    // The test's slapd gives out four entries to anybody but its administrator.
    town.person("fifth", "Fifth").await;
    let error = read(&source, &next).await.unwrap_err();
    assert!(matches!(error, Error::Unusable(_)), "{error}");
    assert!(error.to_string().contains("olcLimits"), "{error}");
}

#[tokio::test]
async fn an_entry_without_a_key_is_told_and_ends_nobody() {
    let mut town = Town::new().await;
    for (uid, number) in [("ada", "1"), ("bob", "2"), ("cy", "3")] {
        set(&mut town.admin, &person(uid), "employeeNumber", &[number]).await;
    }
    let source = town.source("key = \"employeeNumber\"\ngroup_filter = \"(cn=none)\"\n");
    let (mut ear, mut place) = (Ear::default(), Place::Everything);
    assert_eq!(ear.hear(&source, &mut place).await, ["ada", "bob", "cy"]);
    set(&mut town.admin, &person("cy"), "employeeNumber", &[]).await;
    let (changes, next) = read(&source, &place).await.unwrap();
    let [Change::Unusable { place: dn, reason }] = changes.as_slice() else {
        panic!("{changes:?}");
    };
    assert_eq!(*dn, person("cy"));
    assert!(reason.contains("shows no employeeNumber"), "{reason}");
    town.admin
        .delete(&person("cy"))
        .await
        .unwrap()
        .success()
        .unwrap();
    let (changes, _) = read(&source, &next).await.unwrap();
    assert!(
        matches!(&changes[..], [Change::Gone { key, .. }] if key == "3"),
        "{changes:?}"
    );
}

#[tokio::test]
async fn a_directory_that_suddenly_shows_little_is_not_believed() {
    let mut town = Town::new().await;
    let (mut ear, mut place) = (Ear::default(), Place::Everything);
    ear.hear(&town.source(""), &mut place).await;
    for uid in ["ada", "bob"] {
        town.admin
            .delete(&person(uid))
            .await
            .unwrap()
            .success()
            .unwrap();
    }
    let error = read(&town.source(""), &place).await.unwrap_err();
    assert!(
        error.to_string().contains("shows 1 of the 3 people"),
        "{error}"
    );
    let told = ear
        .hear(&town.source("keep_at_least = 0\n"), &mut place)
        .await;
    assert_eq!(told, ["ada is gone", "bob is gone"]);
}

#[tokio::test]
async fn two_changes_within_one_second_are_both_noticed_without_entry_csn() {
    let mut town = Town::new().await;
    town.person("old", "Old").await;
    let settings = town
        .settings("user_filter = \"(uid=bob)\"\n")
        .replace(ADMIN, &person("old"))
        .replace("{ env = \"LDAP_PASSWORD\" }", "\"hush\"");
    let source = town.try_source(&settings).unwrap();
    let (mut ear, mut place) = (Ear::default(), Place::Everything);
    ear.hear(&source, &mut place).await;
    for title in ["one", "two", "three"] {
        set(&mut town.admin, &person("bob"), "title", &[title]).await;
        assert_eq!(ear.hear(&source, &mut place).await, ["bob"], "{title}");
        assert_eq!(ear.hear(&source, &mut place).await, [""; 0], "{title}");
    }
}

/// Settings that cannot work, and what is said about them.
fn refused(town: &Town, plain: &str, tls: &str) -> [(&'static str, String, &'static str); 10] {
    [
        (
            "an unknown authority",
            tls.to_owned(),
            "name the authority in ca_file",
        ),
        (
            "a missing ca_file",
            format!("{tls}ca_file = \"nowhere.pem\"\n"),
            "ca_file",
        ),
        (
            "a password in the clear",
            plain.replace(&town.slapd.url(), "ldap://ldap.contoso.example"),
            "plaintext = true",
        ),
        (
            "ldaps twice",
            format!("{tls}start_tls = true\n"),
            "leave start_tls out",
        ),
        (
            "another protocol",
            plain.replace("ldap://", "http://"),
            "write ldaps://host",
        ),
        (
            "no password",
            plain.replace("password = ", "ca_file = \"x\"\n# "),
            "bind_dn and password go together",
        ),
        (
            "a wrong password",
            plain.replace("{ env = \"LDAP_PASSWORD\" }", "\"wrong\""),
            "bind_dn or password is wrong",
        ),
        (
            "a missing base",
            plain.replace(
                &format!("base = \"{BASE}\""),
                &format!("base = \"ou=nowhere,{BASE}\""),
            ),
            "correct base",
        ),
        (
            "a base elsewhere",
            plain.replace(
                &format!("base = \"{BASE}\""),
                "base = \"dc=fabrikam,dc=example\"",
            ),
            "correct base",
        ),
        (
            "a broken filter",
            format!("{plain}user_filter = \"(uid=ada\"\n"),
            "look at its brackets",
        ),
    ]
}

#[tokio::test]
async fn connections_are_encrypted_and_what_goes_wrong_says_what_to_do() {
    let mut town = Town::new().await;
    let plain = town.settings("");
    let ca = format!("ca_file = \"{}\"\n", town.slapd.ca_file());
    let tls = plain.replace(&town.slapd.url(), &town.slapd.tls_url());
    let works = [
        ("ldaps", format!("{tls}{ca}")),
        ("StartTLS", format!("{plain}{ca}start_tls = true\n")),
        ("within this machine", plain.clone()),
    ];
    for (name, settings) in works {
        let said = town.try_source(&settings).unwrap().check().await;
        let said = said.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(said.starts_with("OpenLDAP at ldap"), "{name}: {said}");
        assert!(
            said.contains("3 users and 2 groups; changes are found by entryCSN"),
            "{name}: {said}"
        );
    }
    for (name, settings, expected) in refused(&town, &plain, &tls) {
        let error = match town.try_source(&settings) {
            Ok(source) => source.check().await.unwrap_err(),
            Err(error) => error,
        };
        assert!(
            matches!(error, Error::Unusable(_) | Error::Credentials(_)),
            "{name}: {error:?}"
        );
        assert!(error.to_string().contains(expected), "{name}: {error}");
    }
    assert_eq!(town.time.pauses(), 0, "nothing that lasts is tried again");

    let source = town.try_source(&plain).unwrap();
    town.slapd.stop();
    let error = source.check().await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
    assert_eq!(town.time.pauses(), 2);
}
