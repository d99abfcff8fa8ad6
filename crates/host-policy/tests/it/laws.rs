//! What holds for every document, whoever made it.

use std::collections::BTreeSet;

use portreeve_host_policy::{Access, Account, Group, Local, Shared, check};
use portreeve_ssh_cert::authority::KeyType;
use proptest::prelude::*;

use crate::sample::{GROUP, PASSWD, SHELLS, authority, document, shared, verified};

/// Names that collide, names that are none, and names that would be something else in a path or a file.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-d]",
        2 => prop::sample::select(vec![
            "root", "admin1", "deploy", "ops", "docker", "portreeve", "portreeve-sudo", "", "..", "a/b", "a:b", "a\nb",
        ]).prop_map(str::to_owned),
        1 => "\\PC{0,40}",
    ]
}

fn number() -> impl Strategy<Value = u32> {
    prop_oneof![
        6 => 65_534_u32..65_545,
        1 => Just(0_u32),
        1 => Just(70_900_u32),
        1 => any::<u32>(),
    ]
}

fn home() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "/home/[a-d]",
        1 => "(/home|/etc|)(/\\.\\.|/[a-c]|/){0,3}",
    ]
}

fn account() -> impl Strategy<Value = Account> {
    let access =
        (any::<bool>(), prop::collection::vec(name(), 0..4)).prop_map(|(sudo, groups)| Access {
            until: None,
            sudo,
            groups,
        });
    let texts = (name(), "[a-z:\\n-]{0,6}", "[A-Z:\\n ]{0,6}", home());
    (texts, number(), number(), prop::option::of(access)).prop_map(
        |((name, id, full_name, home), uid, gid, access)| Account {
            id,
            name,
            full_name,
            uid,
            gid,
            home,
            shell: "/bin/bash".to_owned(),
            access,
        },
    )
}

fn group() -> impl Strategy<Value = Group> {
    (name(), number()).prop_map(|(name, gid)| Group { name, gid })
}

fn shared_account() -> impl Strategy<Value = Shared> {
    (name(), "[a-z \\n:]{0,5}").prop_map(|(account, person)| shared(&account, &[&person]))
}

proptest! {
    #[test]
    fn what_is_followed_is_within_every_limit(
        accounts in prop::collection::vec(account(), 0..12),
        groups in prop::collection::vec(group(), 0..6),
        shared in prop::collection::vec(shared_account(), 0..4),
    ) {
        let mut document = document(&authority(KeyType::Ed25519));
        (document.accounts, document.groups, document.shared) = (accounts, groups, shared);
        let verified = verified(&document);
        let local = Local::parse(PASSWD, GROUP, SHELLS);
        let checked = check(&verified, &local);

        let (mut names, mut uids, mut gids, mut homes) =
            (BTreeSet::new(), BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for group in &checked.groups {
            prop_assert!(names.insert(&group.name) && gids.insert(group.gid));
            prop_assert!(local.group(&group.name).is_none());
        }
        for accepted in &checked.accept {
            let account = accepted.account;
            prop_assert!((65_536..=99_999).contains(&account.uid));
            prop_assert!((65_536..=99_999).contains(&account.gid));
            prop_assert!(local.account(&account.name).is_none() && !local.has_uid(account.uid));
            prop_assert!(names.insert(&account.name), "{}", account.name);
            prop_assert!(uids.insert(account.uid) && gids.insert(account.gid));
            prop_assert!(homes.insert(&account.home), "{}", account.home);
            prop_assert!(account.home.starts_with("/home/") && !account.home.contains(".."));
            for text in [&account.id, &account.name, &account.full_name, &account.home] {
                prop_assert!(!text.contains(['\n', ':', '\0']), "{text:?}");
            }
            let has_sudo = account.access.as_ref().is_some_and(|access| access.sudo);
            let in_sudo = accepted.groups.contains(&"portreeve-sudo");
            prop_assert!(in_sudo <= has_sudo, "sudo comes by no other way");
            let may_log_in = account.access.is_some();
            prop_assert_eq!(accepted.groups.contains(&"portreeve"), may_log_in);
        }
        for shared in &checked.shared {
            prop_assert!(local.account(&shared.account).is_some_and(|(uid, _)| uid != 0));
        }
        // What is not followed is reported.
        let followed = checked.accept.len() + checked.shared.len() + checked.groups.len() - 2;
        let asked = document.accounts.len() + document.shared.len() + document.groups.len();
        prop_assert!(asked - followed <= checked.conflicts.len());
    }
}
