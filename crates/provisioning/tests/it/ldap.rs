//! LDAP as a source, against a real slapd.

use std::sync::Arc;

use ldap3::Ldap;
use portreeve_provisioning::source::{Change, Error, Kind, Place, Source};
use proptest::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::reader::{Time, Told, read, source};
use crate::slapd::{ADMIN, BASE, Slapd, add, add_bytes, set};

/// A directory of a few people, and somebody who reads it.
struct Town {
    slapd: Slapd,
    admin: Ldap,
    folder: TempDir,
    time: Arc<Time>,
}

impl Town {
    /// Ada, Bob (whose manager is Ada) and Cy; `gang` has Ada and Bob, `all` has Cy and the gang.
    async fn new() -> Self {
        let slapd = Slapd::start().await;
        let admin = slapd.admin().await;
        let mut town = Self {
            slapd,
            admin,
            folder: tempfile::tempdir().unwrap(),
            time: Arc::default(),
        };
        for (uid, name) in [("ada", "Ada"), ("bob", "Bob"), ("cy", "Cy")] {
            town.person(uid, name).await;
        }
        set(
            &mut town.admin,
            &person("bob"),
            "manager",
            &[&person("ada")],
        )
        .await;
        town.group("gang", &[&person("ada"), &person("bob")]).await;
        town.group("all", &[&person("cy"), &group("gang")]).await;
        town
    }

    async fn person(&mut self, uid: &str, name: &str) {
        let attributes = [
            ("objectClass", "inetOrgPerson"),
            ("cn", name),
            ("sn", name),
            ("mail", &format!("{uid}@contoso.example")),
            ("userPassword", "hush"),
        ];
        add(&mut self.admin, &person(uid), &attributes).await;
    }

    async fn group(&mut self, name: &str, members: &[&str]) {
        let mut attributes = vec![("objectClass", "groupOfNames")];
        attributes.extend(members.iter().map(|member| ("member", *member)));
        add(&mut self.admin, &group(name), &attributes).await;
    }

    fn settings(&self, more: &str) -> String {
        format!(
            "type = \"ldap\"\nurl = \"{}\"\nbase = \"{BASE}\"\nbind_dn = \"{ADMIN}\"\npassword = {{ env = \"LDAP_PASSWORD\" }}\n{more}",
            self.slapd.url()
        )
    }

    fn source(&self, more: &str) -> Source {
        self.try_source(&self.settings(more)).unwrap()
    }

    fn try_source(&self, settings: &str) -> Result<Source, Error> {
        source(settings, self.folder.path(), &self.time)
    }
}

fn person(uid: &str) -> String {
    format!("uid={uid},ou=people,{BASE}")
}

fn group(name: &str) -> String {
    format!("cn={name},ou=groups,{BASE}")
}

/// What is told, with names in place of keys: an entry is called by its `uid` or `cn`.
#[derive(Default)]
struct Ear {
    told: Told,
    names: std::collections::BTreeMap<String, String>,
}

impl Ear {
    /// Hears a read to its end, and gives back what was told as words.
    async fn hear(&mut self, source: &Source, place: &mut Place) -> Vec<String> {
        let (changes, next) = read(source, place).await.unwrap();
        *place = next;
        self.told.hear(&changes);
        for change in &changes {
            if let Change::Present(object) = change {
                let name = object.attributes.get("uid").or(object.attributes.get("cn"));
                let name = name.and_then(Value::as_str).unwrap_or_default();
                self.names.insert(object.key.clone(), name.to_owned());
            }
        }
        let mut words: Vec<String> = changes.iter().map(|change| self.words(change)).collect();
        words.sort();
        words
    }

    fn words(&self, change: &Change) -> String {
        let name = |key: &str| {
            self.names
                .get(key)
                .cloned()
                .unwrap_or_else(|| key.to_owned())
        };
        match change {
            Change::Present(object) => name(&object.key),
            Change::Gone { key, .. } => format!("{} is gone", name(key)),
            Change::Members {
                group,
                added,
                removed,
            } => {
                let mut list: Vec<String> = added
                    .iter()
                    .map(|member| format!("+{}", name(&member.key)))
                    .collect();
                list.extend(
                    removed
                        .iter()
                        .map(|member| format!("-{}", name(&member.key))),
                );
                list.sort();
                format!("{} {}", name(group), list.join(" "))
            }
            other => format!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn everything_is_read_then_only_what_has_changed() {
    let mut town = Town::new().await;
    for more in ["page_size = 2\n", "changes = \"compare\"\n"] {
        let source = town.source(more);
        let (mut ear, mut place) = (Ear::default(), Place::Everything);
        let told = ear.hear(&source, &mut place).await;
        assert_eq!(
            told,
            [
                "ada",
                "all",
                "all +cy +gang",
                "bob",
                "cy",
                "gang",
                "gang +ada +bob"
            ],
            "{more}"
        );
        let same = place.clone();
        assert!(ear.hear(&source, &mut place).await.is_empty(), "{more}");
        assert_eq!(place, same, "nothing has changed, {more}");

        set(&mut town.admin, &person("bob"), "title", &["Builder"]).await;
        town.person("dee", "Dee").await;
        set(
            &mut town.admin,
            &group("gang"),
            "member",
            &[&person("bob"), &person("dee")],
        )
        .await;
        let told = ear.hear(&source, &mut place).await;
        assert_eq!(told, ["bob", "dee", "gang +dee", "gang -ada"], "{more}");

        town.admin
            .delete(&person("dee"))
            .await
            .unwrap()
            .success()
            .unwrap();
        set(
            &mut town.admin,
            &group("gang"),
            "member",
            &[&person("ada"), &person("bob")],
        )
        .await;
        set(&mut town.admin, &person("bob"), "title", &[]).await;
        let told = ear.hear(&source, &mut place).await;
        assert_eq!(
            told,
            ["bob", "dee is gone", "gang +ada", "gang -dee"],
            "{more}"
        );
        assert!(ear.hear(&source, &mut place).await.is_empty(), "{more}");
    }
}

#[tokio::test]
async fn an_entry_is_found_by_key_and_by_attribute_in_either_name() {
    let mut town = Town::new().await;
    set(&mut town.admin, &person("cy"), "title", &["(*) \\ chief"]).await;
    let source = town.source("");
    let find = async |kind, attribute: &'static str, value: &str| {
        let found = source.find(kind, attribute, value).await.unwrap();
        let uid = |object: &portreeve_provisioning::source::Object| object.attributes["cn"].clone();
        found.iter().map(uid).collect::<Vec<_>>()
    };
    let ada = source
        .find(Kind::User, "mail", "ADA@contoso.example")
        .await
        .unwrap()
        .remove(0);
    assert_eq!(
        source.one(Kind::User, &ada.key).await.unwrap().as_ref(),
        Some(&ada)
    );
    assert_eq!(source.one(Kind::Group, &ada.key).await, Ok(None));
    assert_eq!(source.one(Kind::User, "no key").await, Ok(None));
    assert_eq!(
        find(Kind::User, "userPrincipalName", "ada@contoso.example").await,
        ["Ada"]
    );
    assert_eq!(find(Kind::User, "jobTitle", "(*) \\ chief").await, ["Cy"]);
    assert_eq!(find(Kind::User, "title", "*").await, [""; 0]);
    assert_eq!(find(Kind::User, "objectId", &ada.key).await, ["Ada"]);
    assert_eq!(find(Kind::Group, "displayName", "gang").await, ["gang"]);
    assert_eq!(find(Kind::User, "cn=*)(uid", "x").await, [""; 0]);

    let bob = source
        .find(Kind::User, "uid", "bob")
        .await
        .unwrap()
        .remove(0);
    let expected = json!({
        "objectClass": "inetOrgPerson", "cn": "Bob", "sn": "Bob", "mail": "bob@contoso.example", "uid": "bob",
        "userPrincipalName": "bob@contoso.example", "displayName": "Bob", "surname": "Bob", "mailNickname": "bob",
        "manager": ada.key, "objectId": bob.key,
    });
    let mut attributes = bob.attributes;
    attributes.retain(|name, _| name != "entryUUID");
    assert_eq!(Value::Object(attributes), expected);
}

#[tokio::test]
async fn only_the_attributes_that_were_asked_for_are_read() {
    let town = Town::new().await;
    let source = town.source("attributes = [\"mail\"]\n");
    let bob = source
        .find(Kind::User, "uid", "bob")
        .await
        .unwrap()
        .remove(0);
    assert!(bob.attributes.contains_key("manager") && bob.attributes.contains_key("mail"));
    let source = town.source("membership = [\"member\"]\nattributes = [\"description\"]\n");
    let (mut ear, mut place) = (Ear::default(), Place::Everything);
    let told = ear.hear(&source, &mut place).await;
    assert!(told.contains(&"gang +ada +bob".to_owned()), "{told:?}");
}

#[tokio::test]
async fn who_comes_later_is_found_by_those_who_named_them_before() {
    let mut town = Town::new().await;
    set(
        &mut town.admin,
        &group("gang"),
        "member",
        &[&person("ada"), &person("zoe")],
    )
    .await;
    set(&mut town.admin, &person("cy"), "manager", &[&person("zoe")]).await;
    let source = town.source("");
    let (mut ear, mut place) = (Ear::default(), Place::Everything);
    let told = ear.hear(&source, &mut place).await;
    assert!(told.contains(&"gang +ada".to_owned()), "{told:?}");

    town.person("zoe", "Zoe").await;
    let told = ear.hear(&source, &mut place).await;
    assert_eq!(told, ["cy", "gang +zoe", "zoe"]);
    let key = |ear: &Ear, name: &str| {
        let found = ear.names.iter().filter(|(key, known)| {
            *known == name && ear.told.objects.contains_key(&(Kind::User, (*key).clone()))
        });
        found.map(|(key, _)| key.clone()).next().unwrap()
    };
    let zoe = key(&ear, "zoe");
    assert_eq!(
        ear.told.objects[&(Kind::User, key(&ear, "cy"))]["manager"],
        json!(zoe)
    );

    // The same name, another person.
    town.admin
        .delete(&person("zoe"))
        .await
        .unwrap()
        .success()
        .unwrap();
    town.person("zoe", "Zoe the Second").await;
    let told = ear.hear(&source, &mut place).await;
    assert_eq!(told, ["cy", "gang +zoe", "gang -zoe", "zoe", "zoe is gone"]);
    assert_ne!(key(&ear, "zoe"), zoe);
}

#[tokio::test]
async fn a_key_outlives_a_new_name_and_ends_where_the_filter_ends() {
    let mut town = Town::new().await;
    let source = town.source("user_filter = \"(&(objectClass=inetOrgPerson)(!(title=gone)))\"\n");
    let (mut ear, mut place) = (Ear::default(), Place::Everything);
    ear.hear(&source, &mut place).await;
    town.admin
        .modifydn(&person("cy"), "uid=cyril", true, None)
        .await
        .unwrap()
        .success()
        .unwrap();
    set(
        &mut town.admin,
        &group("all"),
        "member",
        &[&person("cyril"), &group("gang")],
    )
    .await;
    assert_eq!(ear.hear(&source, &mut place).await, ["cyril"]);

    set(&mut town.admin, &person("bob"), "title", &["gone"]).await;
    assert_eq!(ear.hear(&source, &mut place).await, ["bob is gone"]);
    set(&mut town.admin, &person("bob"), "title", &[]).await;
    assert_eq!(
        ear.hear(&source, &mut place).await,
        ["bob"],
        "the membership was never ended"
    );
}

#[tokio::test]
async fn groups_in_groups_are_expanded_when_asked_for_even_in_a_circle() {
    let mut town = Town::new().await;
    set(
        &mut town.admin,
        &group("gang"),
        "member",
        &[&person("ada"), &person("bob"), &group("all")],
    )
    .await;
    let source = town.source("expand_nested_groups = true\n");
    let (mut ear, mut place) = (Ear::default(), Place::Everything);
    let told = ear.hear(&source, &mut place).await;
    assert_eq!(
        told,
        [
            "ada",
            "all",
            "all +ada +bob +cy",
            "bob",
            "cy",
            "gang",
            "gang +ada +bob +cy"
        ]
    );
    assert!(ear.hear(&source, &mut place).await.is_empty());

    set(
        &mut town.admin,
        &group("gang"),
        "member",
        &[&person("ada"), &group("all")],
    )
    .await;
    let told = ear.hear(&source, &mut place).await;
    assert_eq!(told, ["all -bob", "gang -bob"]);
    town.admin
        .delete(&group("gang"))
        .await
        .unwrap()
        .success()
        .unwrap();
    let told = ear.hear(&source, &mut place).await;
    assert_eq!(told, ["all -ada", "gang is gone"]);
}

#[tokio::test]
async fn members_are_found_in_every_kind_of_group() {
    let mut town = Town::new().await;
    let unique = [
        ("objectClass", "groupOfUniqueNames"),
        ("uniqueMember", &*format!("{}#'0101'B", person("ada"))),
        (
            "uniqueMember",
            &*person("bob").to_uppercase().replace(',', " , "),
        ),
    ];
    add(&mut town.admin, &group("unique"), &unique).await;
    let posix = [
        ("objectClass", "posixGroup"),
        ("gidNumber", "7"),
        ("memberUid", "cy"),
        ("memberUid", "nobody"),
    ];
    add(&mut town.admin, &group("posix"), &posix).await;
    let source = town.source("");
    let (mut ear, mut place) = (Ear::default(), Place::Everything);
    let told = ear.hear(&source, &mut place).await;
    for expected in ["unique +ada +bob", "posix +cy", "gang +ada +bob"] {
        assert!(
            told.contains(&expected.to_owned()),
            "{expected} in {told:?}"
        );
    }
    set(&mut town.admin, &group("posix"), "memberUid", &["ada"]).await;
    assert_eq!(
        ear.hear(&source, &mut place).await,
        ["posix +ada", "posix -cy"]
    );

    // On demand, with kinds and a limit.
    let all = source
        .find(Kind::Group, "cn", "all")
        .await
        .unwrap()
        .remove(0);
    let mut kinds: Vec<_> = source
        .members(&all.key, 5)
        .await
        .unwrap()
        .into_iter()
        .map(|member| member.kind)
        .collect();
    kinds.sort();
    assert_eq!(kinds, [Some(Kind::User), Some(Kind::Group)]);
    assert_eq!(source.members(&all.key, 1).await.unwrap().len(), 1);
    assert_eq!(source.members("no key", 1).await, Ok(vec![]));
    let nested = town.source("expand_nested_groups = true\n");
    assert_eq!(nested.members(&all.key, 9).await.unwrap().len(), 3);
}

#[tokio::test]
async fn people_may_name_their_groups_instead() {
    let mut town = Town::new().await;
    let source = town.source("membership = [\"memberOf\"]\n");
    let (mut ear, mut place) = (Ear::default(), Place::Everything);
    let told = ear.hear(&source, &mut place).await;
    assert_eq!(
        told,
        [
            "ada",
            "all",
            "all +cy",
            "bob",
            "cy",
            "gang",
            "gang +ada +bob"
        ]
    );
    set(
        &mut town.admin,
        &group("gang"),
        "member",
        &[&person("bob"), &person("cy")],
    )
    .await;
    let told = ear.hear(&source, &mut place).await;
    assert!(
        told.contains(&"gang +cy".to_owned()) && told.contains(&"gang -ada".to_owned()),
        "{told:?}"
    );
    assert!(ear.hear(&source, &mut place).await.is_empty());
    let gang = source
        .find(Kind::Group, "cn", "gang")
        .await
        .unwrap()
        .remove(0);
    assert_eq!(source.members(&gang.key, 5).await.unwrap().len(), 2);
    let mixed = town.settings("membership = [\"memberOf\", \"member\"]\n");
    assert!(matches!(town.try_source(&mixed), Err(Error::Unusable(_))));
}

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
    let refused = [
        (
            "an unknown authority",
            tls.clone(),
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
    ];
    for (name, settings, expected) in refused {
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

const GUID: [u8; 16] = [0xff, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

/// What a domain controller's root entry says, after so many updates.
fn controller(invocation: &str, updates: u32) -> String {
    format!(
        "supportedCapabilities: 1.2.840.113556.1.4.800\nsupportedControl: 1.2.840.113556.1.4.417\n\
         highestCommittedUSN: {updates}\ndsServiceName: uid={invocation},ou=people,{BASE}"
    )
}

impl Town {
    /// Three people with GUIDs and a group as Active Directory would have them, on a server that passes for one.
    async fn microsoft() -> Self {
        let mut town = Self::new().await;
        for (at, name) in ["dc1", "dc2"].into_iter().enumerate() {
            let id = [at as u8; 16];
            let attributes: [(&str, &[u8]); 5] = [
                ("objectClass", b"inetOrgPerson"),
                ("objectClass", b"user"),
                ("cn", name.as_bytes()),
                ("sn", name.as_bytes()),
                ("invocationId", &id),
            ];
            add_bytes(&mut town.admin, &person(name), &attributes).await;
        }
        for (at, uid) in ["ada", "bob", "cy"].into_iter().enumerate() {
            let mut guid = GUID;
            guid[15] = at as u8;
            let attributes: [(&str, &[u8]); 8] = [
                ("objectClass", b"inetOrgPerson"),
                ("objectClass", b"user"),
                ("cn", uid.as_bytes()),
                ("sn", uid.as_bytes()),
                ("objectGUID", &guid),
                ("objectCategory", b"person"),
                ("userAccountControl", b"512"),
                ("uSNChanged", b"100"),
            ];
            add_bytes(
                &mut town.admin,
                &format!("uid={uid},ou=groups,{BASE}"),
                &attributes,
            )
            .await;
        }
        let member = format!("uid=ada,ou=groups,{BASE}");
        let attributes: [(&str, &[u8]); 5] = [
            ("objectClass", b"groupOfNames"),
            ("objectClass", b"group"),
            ("member", member.as_bytes()),
            ("objectGUID", &[7; 16]),
            ("uSNChanged", b"100"),
        ];
        add_bytes(&mut town.admin, &group("domain"), &attributes).await;
        town.reboot("dc1", 100).await;
        town
    }

    async fn reboot(&mut self, invocation: &str, updates: u32) {
        self.slapd.restart(&controller(invocation, updates));
        self.admin = self.slapd.admin().await;
    }

    async fn update(&mut self, uid: &str, attribute: &str, values: &[&str], updates: u32) {
        let dn = format!("uid={uid},ou=groups,{BASE}");
        set(&mut self.admin, &dn, attribute, values).await;
        set(&mut self.admin, &dn, "uSNChanged", &[&updates.to_string()]).await;
    }
}

#[tokio::test]
async fn active_directory_is_read_by_guid_and_update_sequence() {
    let mut town = Town::microsoft().await;
    let source = town.source("");
    let said = source.check().await.unwrap();
    assert!(
        said.starts_with("Active Directory at")
            && said.ends_with("3 users and 1 groups; changes are found by uSNChanged"),
        "{said}"
    );
    let (mut ear, mut place) = (Ear::default(), Place::Everything);
    let told = ear.hear(&source, &mut place).await;
    assert_eq!(told, ["ada", "bob", "cy", "domain", "domain +ada"]);
    let key = "030201ff-0504-0706-0809-0a0b0c0d0e00";
    let ada = source.one(Kind::User, key).await.unwrap().unwrap();
    assert_eq!(
        (&ada.attributes["uid"], &ada.attributes["accountEnabled"]),
        (&json!("ada"), &json!(true))
    );

    town.update("bob", "userAccountControl", &["514"], 101)
        .await;
    assert_eq!(ear.hear(&source, &mut place).await, ["bob"]);
    let bob = source
        .find(Kind::User, "uid", "bob")
        .await
        .unwrap()
        .remove(0);
    assert_eq!(bob.attributes["accountEnabled"], json!(false));

    // Another controller has other numbers; the same people are no news.
    town.reboot("dc2", 9).await;
    assert_eq!(ear.hear(&source, &mut place).await, [""; 0]);
}

#[tokio::test]
async fn active_directory_s_deleted_objects_spare_the_listing() {
    let mut town = Town::microsoft().await;
    let source = town.source("deletions = \"deleted-objects\"\n");
    let (mut ear, mut place) = (Ear::default(), Place::Everything);
    ear.hear(&source, &mut place).await;

    town.update("bob", "title", &["Builder"], 101).await;
    town.update("cy", "objectCategory", &[], 102).await;
    town.update("cy", "isDeleted", &["TRUE"], 103).await;
    let member = format!("uid=bob,ou=groups,{BASE}");
    set(&mut town.admin, &group("domain"), "member", &[&member]).await;
    // Not above the last sequence number, so a listing alone would find it.
    town.update("ada", "title", &["Countess"], 99).await;
    town.reboot("dc1", 103).await;
    assert_eq!(ear.hear(&source, &mut place).await, ["bob", "cy is gone"]);

    set(&mut town.admin, &group("domain"), "uSNChanged", &["104"]).await;
    town.reboot("dc1", 104).await;
    assert_eq!(
        ear.hear(&source, &mut place).await,
        ["domain +bob", "domain -ada"]
    );

    // Another controller, or the same one restored from a backup: everything is listed again.
    town.reboot("dc2", 200).await;
    assert_eq!(ear.hear(&source, &mut place).await, ["ada"]);
}

/// What happens in a directory.
#[derive(Debug, Clone)]
enum Event {
    Come(u8),
    Go(u8),
    Retitle(u8, u8),
    Answer(u8, u8),
    Gather(u8, Vec<u8>),
    Disband(u8),
    Read,
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let who = || 0_u8..5;
    let event = prop_oneof![
        3 => who().prop_map(Event::Come),
        2 => who().prop_map(Event::Go),
        1 => (who(), any::<u8>()).prop_map(|(who, title)| Event::Retitle(who, title)),
        1 => (who(), who()).prop_map(|(who, manager)| Event::Answer(who, manager)),
        3 => (0_u8..3, prop::collection::vec(0_u8..8, 1..4)).prop_map(|(group, members)| Event::Gather(group, members)),
        1 => (0_u8..3).prop_map(Event::Disband),
        4 => Just(Event::Read),
    ];
    prop::collection::vec(event, 1..40)
}

impl Town {
    /// Makes an event happen; what cannot happen does not.
    async fn happen(&mut self, event: &Event) {
        let member = |at: &u8| match at {
            0..5 => person(&format!("p{at}")),
            _ => group(&format!("g{}", at - 5)),
        };
        use ldap3::Mod::Replace;
        let replace = |name, values: Vec<String>| vec![Replace(name, values.into_iter().collect())];
        let _ = match event {
            Event::Come(who) => {
                let name = format!("p{who}");
                let of = |value: &str| std::collections::HashSet::from([value.to_owned()]);
                let entry = [
                    ("objectClass", "inetOrgPerson"),
                    ("cn", &name),
                    ("sn", &name),
                ];
                let entry = entry.map(|(key, value)| (key.to_owned(), of(value)));
                self.admin.add(&person(&name), entry.to_vec()).await
            }
            Event::Go(who) => self.admin.delete(&person(&format!("p{who}"))).await,
            Event::Retitle(who, title) => {
                let change = replace("title".to_owned(), vec![title.to_string()]);
                self.admin.modify(&person(&format!("p{who}")), change).await
            }
            Event::Answer(who, manager) => {
                let change = replace("manager".to_owned(), vec![person(&format!("p{manager}"))]);
                self.admin.modify(&person(&format!("p{who}")), change).await
            }
            Event::Gather(name, members) => {
                let dn = group(&format!("g{name}"));
                let members: std::collections::HashSet<String> =
                    members.iter().map(member).collect();
                let class = std::collections::HashSet::from(["groupOfNames".to_owned()]);
                let entry = vec![
                    ("objectClass".to_owned(), class),
                    ("member".to_owned(), members.clone()),
                ];
                let added = self.admin.add(&dn, entry).await;
                match added {
                    Ok(result) if result.rc == 68 => {
                        let change = vec![Replace("member".to_owned(), members)];
                        self.admin.modify(&dn, change).await
                    }
                    other => other,
                }
            }
            Event::Disband(name) => self.admin.delete(&group(&format!("g{name}"))).await,
            Event::Read => return,
        }
        .unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    /// Whoever hears the changes knows what somebody knows who reads everything.
    #[test]
    fn changes_add_up_to_what_is_there(events in events(), nested in any::<bool>()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut town = Town::new().await;
            let more = format!("expand_nested_groups = {nested}\nkeep_at_least = 0\n");
            let source = town.source(&more);
            let (mut ear, mut place) = (Ear::default(), Place::Everything);
            for event in events.iter().chain([&Event::Read]) {
                town.happen(event).await;
                if matches!(event, Event::Read) {
                    ear.hear(&source, &mut place).await;
                    let afresh = tempfile::tempdir().unwrap();
                    let afresh = crate::reader::source(&town.settings(&more), afresh.path(), &town.time).unwrap();
                    let mut truth = Ear::default();
                    truth.hear(&afresh, &mut Place::Everything.clone()).await;
                    assert!(ear.told == truth.told, "after {event:?}");
                }
            }
        });
    }
}
