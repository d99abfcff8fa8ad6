use std::collections::BTreeSet;

use jiff::SignedDuration;
use proptest::prelude::*;

use super::*;
use crate::decision::{Directory, Membership, RemoteIdentity};
use crate::expression::tests::expression;
use crate::grant::Subject;
use crate::tags::Tags;
use crate::{Decision, may};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn hours(hours: i64) -> Timestamp {
    NOW + SignedDuration::from_hours(hours)
}

fn moment() -> impl Strategy<Value = Option<Timestamp>> {
    prop::option::of((-3_i64..4).prop_map(hours))
}

fn estate() -> impl Strategy<Value = Estate> {
    let tags = prop::collection::vec(("[abc]", "[xyz]"), 0..4);
    prop::collection::vec(tags, 0..90).prop_map(|all| {
        let host = |(n, tags): (usize, Vec<(String, String)>)| {
            let mut host = Host {
                id: n.to_string(),
                name: format!("h{n}"),
                tags: Tags::default(),
            };
            for (key, value) in tags {
                // A key that comes twice keeps its first value.
                let _ = host.tags.add(&key, &value);
            }
            host
        };
        Estate::new(all.into_iter().enumerate().map(host).collect())
    })
}

fn grant() -> impl Strategy<Value = Grant> {
    let to = prop_oneof![
        "g[0-5]".prop_map(Subject::Group),
        "u[0-1]".prop_map(Subject::User)
    ];
    let principals = prop::collection::vec("p[0-3]", 0..2);
    let level = prop_oneof![Just(Level::Login), Just(Level::LoginSudo)];
    let parts = (to, expression(), level, principals, moment(), moment());
    let parts = (parts, "[0-9a-f]{8}");
    parts.prop_map(|((to, hosts, level, principals, from, until), id)| Grant {
        id,
        to,
        hosts,
        level,
        posix_groups: Vec::new(),
        principals,
        from,
        until,
    })
}

fn person() -> impl Strategy<Value = Person> {
    let membership = ("g[0-5]", moment()).prop_map(|(group_id, until)| Membership {
        group: group_id.clone(),
        group_id,
        through: Vec::new(),
        until,
    });
    let remote = (expression(), "r[0-2]").prop_map(|(hosts, name)| RemoteIdentity { hosts, name });
    let account = prop_oneof![
        4 => Just(Account::Named("ada".to_owned())),
        1 => Just(Account::None("it is empty".to_owned())),
    ];
    let parts = (
        prop::collection::vec(membership, 0..5),
        prop::collection::vec(remote, 0..3),
        account,
        prop::bool::weighted(0.9),
        prop::option::of(prop::bool::weighted(0.9)),
    );
    parts.prop_map(
        |(memberships, remote_identities, account, active, directory)| Person {
            id: "u1".to_owned(),
            name: "ada".to_owned(),
            directory: directory.map(|is_active| Directory {
                id: "d1".to_owned(),
                name: "Contoso".to_owned(),
                is_active,
            }),
            standing: match active {
                true => Standing::Active,
                false => Standing::Suspended,
            },
            account,
            remote_identities,
            memberships,
        },
    )
}

fn grants() -> impl Strategy<Value = Vec<Grant>> {
    prop::collection::vec(grant(), 0..12)
}

/// What is decided about each host that the person may log in to.
fn decided<'e>(person: &Person, estate: &'e Estate, grants: &[Grant]) -> Vec<(&'e Host, Decision)> {
    let decide = |host: &'e Host| (host, may(person, host, grants, NOW));
    let all = estate.hosts().iter().map(decide);
    all.filter(|(_, decision)| decision.allowed).collect()
}

/// When somebody who does nothing but wait is out of a host.
fn out_at(person: &Person, host: &Host, grants: &[Grant]) -> Option<Timestamp> {
    let mut now = NOW;
    loop {
        let decision = may(person, host, grants, now);
        match decision.changes_at {
            _ if !decision.allowed => return Some(now),
            None => return None,
            Some(at) => now = at,
        }
    }
}

proptest! {
    #[test]
    fn all_hosts_at_once_come_out_as_one_by_one(
        person in person(), estate in estate(), grants in grants(),
    ) {
        let one_by_one = decided(&person, &estate, &grants);
        let Ok(reach) = Reach::of(&person, &estate, &grants, NOW) else {
            prop_assert!(one_by_one.is_empty());
            return Ok(());
        };
        prop_assert_eq!(reach.count(), one_by_one.len());
        for (reached, (host, decision)) in reach.hosts().zip(one_by_one) {
            prop_assert_eq!(reached.host, host);
            prop_assert_eq!(Some(reached.account), decision.account.as_deref());
            prop_assert_eq!(reached.sudo, decision.sudo);
        }
    }

    #[test]
    fn a_certificate_says_what_is_decided_about_the_hosts_together(
        person in person(), estate in estate(), grants in grants(),
    ) {
        let one_by_one = decided(&person, &estate, &grants);
        let Ok(said) = entitlement(&person, &estate, &grants, NOW) else {
            prop_assert!(one_by_one.is_empty());
            return Ok(());
        };
        let mut together: BTreeSet<&str> = BTreeSet::from(["u:u1"]);
        let mut by: BTreeSet<&str> = BTreeSet::new();
        for (_, decision) in &one_by_one {
            together.extend(decision.principals.iter().map(String::as_str));
            by.extend(decision.grants.iter().map(String::as_str));
        }
        prop_assert_eq!(said.principals.last().map(String::as_str), Some("u:u1"));
        prop_assert_eq!(said.principals.iter().map(String::as_str).collect::<BTreeSet<_>>(), together);
        prop_assert_eq!(said.principals.len(), said.principals.iter().collect::<BTreeSet<_>>().len());
        prop_assert_eq!(said.grants.iter().map(String::as_str).collect::<BTreeSet<_>>(), by);
        let own = one_by_one.iter().any(|(_, decision)| decision.account.as_deref() == Some("ada"));
        prop_assert_eq!(own, said.principals[0] == "ada");
    }

    #[test]
    fn access_lasts_as_long_as_it_is_said(
        mut person in person(), estate in estate(), mut grants in grants(),
    ) {
        // What begins later is not known of when it is said how long access lasts.
        grants.retain(|grant| grant.from.is_none_or(|from| from <= NOW));
        person.memberships.sort_by_key(|membership| membership.group_id.clone());
        let Ok(reach) = Reach::of(&person, &estate, &grants, NOW) else {
            return Ok(());
        };
        for reached in reach.hosts() {
            prop_assert_eq!(reached.until, out_at(&person, reached.host, &grants));
        }
        let never = |until: Option<Timestamp>| until.unwrap_or(Timestamp::MAX);
        let last = reach.hosts().map(|reached| never(reached.until)).max();
        prop_assert_eq!(last, Some(never(reach.entitlement(&person).until)));
    }

    #[test]
    fn one_more_grant_takes_nothing_away(
        person in person(), estate in estate(), grants in grants(), more in grant(),
    ) {
        let Ok(before) = entitlement(&person, &estate, &grants, NOW) else {
            return Ok(());
        };
        let mut all = grants;
        all.push(more);
        let after = entitlement(&person, &estate, &all, NOW).unwrap();
        prop_assert!(before.principals.iter().all(|one| after.principals.contains(one)));
        prop_assert!(before.grants.iter().all(|one| after.grants.contains(one)));
        let never = |until: Option<Timestamp>| until.unwrap_or(Timestamp::MAX);
        prop_assert!(never(after.until) >= never(before.until));
    }
}

/// Somebody with access to the only host, unless one thing is otherwise.
fn with(change: impl FnOnce(&mut Person, &mut Grant)) -> Result<Entitlement, NoAccess> {
    let mut person = Person {
        id: "u1".into(),
        name: "ada@contoso.example".into(),
        directory: Some(Directory {
            id: "d1".into(),
            name: "Contoso".into(),
            is_active: true,
        }),
        standing: Standing::Active,
        account: Account::Named("ada".into()),
        remote_identities: Vec::new(),
        memberships: vec![Membership {
            group_id: "g1".into(),
            group: "web-ops".into(),
            through: Vec::new(),
            until: None,
        }],
    };
    let mut grant = Grant {
        id: "gr1".into(),
        to: Subject::Group("g1".into()),
        hosts: "role=web".parse().unwrap(),
        level: Level::Login,
        posix_groups: Vec::new(),
        principals: vec!["deploy".into()],
        from: None,
        until: Some(hours(2)),
    };
    change(&mut person, &mut grant);
    let estate = Estate::new(vec![Host {
        id: "h1".into(),
        name: "web-1".into(),
        tags: Tags::parse(["role=web"]).unwrap(),
    }]);
    entitlement(&person, &estate, [&grant], NOW)
}

#[test]
fn a_certificate_names_the_account_then_what_grants_add_then_the_person() {
    let said = with(|_, _| ()).unwrap();
    assert_eq!(said.principals, ["ada", "deploy", "u:u1"]);
    assert_eq!(said.grants, ["gr1"]);
    assert_eq!(said.until, Some(hours(2)));
}

#[test]
fn whoever_gets_none_is_told_why() {
    type Case = (&'static str, fn(&mut Person, &mut Grant), &'static str);
    let cases: [Case; 6] = [
        (
            "suspended",
            |person, _| person.standing = Standing::Suspended,
            "whoever manages Contoso",
        ),
        (
            "another directory",
            |person, _| person.directory.as_mut().unwrap().is_active = false,
            "make Contoso the active SSH directory",
        ),
        (
            "no group",
            |person, _| person.memberships.clear(),
            "no group of yours",
        ),
        (
            "over",
            |_, grant| grant.until = Some(NOW),
            "no group of yours",
        ),
        (
            "no such host",
            |_, grant| grant.hosts = "role=db".parse().unwrap(),
            "the hosts role=db, and there is no such host",
        ),
        (
            "no name",
            |person, _| person.account = Account::None("\"root\" is reserved".into()),
            "\"root\" is reserved",
        ),
    ];
    for (name, change, told) in cases {
        let error = with(change).unwrap_err().to_string();
        assert!(error.contains(told), "{name}: {error}");
    }
}
