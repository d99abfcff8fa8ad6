use jiff::SignedDuration;
use proptest::prelude::*;

use super::*;
use crate::estate::Estate;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn hours(hours: i64) -> Option<Timestamp> {
    Some(NOW + SignedDuration::from_hours(hours))
}

fn host(tags: &[&str]) -> Host {
    Host {
        id: "h1".into(),
        name: "web-1".into(),
        tags: Tags::parse(tags).unwrap(),
    }
}

fn member(group: &str) -> Membership {
    Membership {
        group_id: format!("id-{group}"),
        group: group.into(),
        through: Vec::new(),
        until: None,
    }
}

fn ada() -> Person {
    Person {
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
        memberships: vec![member("web-ops")],
    }
}

fn grant(id: &str, group: &str, hosts: &str, level: Level) -> Grant {
    Grant {
        id: id.into(),
        to: Subject::Group(format!("id-{group}")),
        hosts: hosts.parse().unwrap(),
        level,
        posix_groups: Vec::new(),
        principals: Vec::new(),
        from: None,
        until: None,
    }
}

fn steps(decision: &Decision) -> Vec<(Step, Verdict)> {
    decision
        .reasons
        .iter()
        .map(|reason| (reason.step, reason.verdict))
        .collect()
}

fn last(decision: &Decision) -> &str {
    &decision.reasons.last().unwrap().why
}

#[test]
fn a_group_with_a_grant_lets_its_people_in() {
    let grants = [
        Grant {
            principals: vec!["deploy".into(), "ada".into()],
            posix_groups: vec!["docker-users".into()],
            ..grant("g1", "web-ops", "role=web", Level::Login)
        },
        grant("g2", "dba", "*", Level::LoginSudo),
    ];
    let decision = may(&ada(), &host(&["role=web"]), &grants, NOW);
    assert!(decision.allowed && !decision.sudo);
    assert_eq!(decision.principals, ["ada", "deploy"]);
    assert_eq!(decision.posix_groups, ["docker-users"]);
    assert_eq!(decision.grants, ["g1"]);
    assert_eq!(decision.changes_at, None);
    use Step::{Directory, Grant as Granted, Group, Principals, Tags, User, Verdict as Last};
    let chain = [Directory, User, Group, Granted, Tags, Principals, Last];
    assert_eq!(steps(&decision), chain.map(|step| (step, Verdict::Yes)));
    assert_eq!(
        last(&decision),
        "ada@contoso.example may log in to web-1 as ada, without sudo."
    );
}

#[test]
fn the_most_that_any_grant_gives_counts() {
    let grants = [
        grant("g1", "web-ops", "role=web", Level::Login),
        grant("g2", "web-ops", "*", Level::LoginSudo),
        Grant {
            to: Subject::User("u1".into()),
            until: hours(2),
            ..grant("g3", "", "*", Level::Login)
        },
    ];
    let decision = may(&ada(), &host(&["role=web"]), &grants, NOW);
    assert!(decision.sudo);
    assert_eq!(decision.grants, ["g1", "g2", "g3"]);
    assert_eq!(decision.changes_at, hours(2));
}

/// Somebody who is refused: who, by which grant, at which step, and what would change it.
struct Refused {
    name: &'static str,
    person: Person,
    grant: Grant,
    step: Step,
    change: &'static str,
}

fn refused(name: &'static str, step: Step, change: &'static str) -> Refused {
    let grant = grant("g1", "web-ops", "role=web", Level::Login);
    Refused {
        name,
        person: ada(),
        grant,
        step,
        change,
    }
}

fn barred() -> Vec<Refused> {
    let mut suspended = refused(
        "suspended",
        Step::User,
        "Reactivate ada@contoso.example at the source of Contoso.",
    );
    suspended.person.standing = Standing::Suspended;
    let mut elsewhere = refused(
        "of a directory that is not active",
        Step::Directory,
        "Make Contoso the active SSH directory, or use an account of the active one.",
    );
    elsewhere.person.directory.as_mut().unwrap().is_active = false;
    let mut nameless = refused(
        "without an account name",
        Step::Principals,
        "Give ada@contoso.example an account name first: it is reserved.",
    );
    nameless.person.account = Account::None("it is reserved".into());
    vec![suspended, elsewhere, nameless]
}

fn without_grant() -> Vec<Refused> {
    let join = "Put ada@contoso.example into a group that has a grant on role=web.";
    let mut tags = refused(
        "a host with other tags",
        Step::Tags,
        "Tag web-1 so that role=db, or widen the grant.",
    );
    tags.grant.hosts = "role=db".parse().unwrap();
    let mut group = refused("in another group", Step::Grant, join);
    group.person.memberships = vec![member("dba")];
    let mut left = refused("a membership that is over", Step::Grant, join);
    left.person.memberships[0].until = hours(0);
    let mut ahead = refused(
        "a grant that begins later",
        Step::Grant,
        "Wait until 1970-01-01T01:00:00Z, when a grant begins.",
    );
    ahead.grant.from = hours(1);
    let mut over = refused(
        "a grant that is over",
        Step::Grant,
        "Grant it anew: the grant has ended at 1969-12-31T23:00:00Z.",
    );
    over.grant.until = hours(-1);
    let mut none = refused(
        "no grant for this host",
        Step::Grant,
        "Grant a group of ada@contoso.example access to web-1.",
    );
    none.grant.to = Subject::User("u2".into());
    vec![tags, group, left, ahead, over, none]
}

#[test]
fn every_refusal_names_what_would_change_it() {
    for case in barred().into_iter().chain(without_grant()) {
        let decision = may(&case.person, &host(&["role=web"]), [&case.grant], NOW);
        assert!(!decision.allowed && !decision.sudo, "{}", case.name);
        assert!(
            decision.principals.is_empty() && decision.grants.is_empty(),
            "{}",
            case.name
        );
        let said_no = decision
            .reasons
            .iter()
            .find(|reason| reason.verdict == Verdict::No);
        assert_eq!(
            said_no.unwrap().step,
            case.step,
            "{}: {:#?}",
            case.name,
            decision.reasons
        );
        assert!(
            last(&decision).ends_with(case.change),
            "{}: {}",
            case.name,
            last(&decision)
        );
    }
}

#[test]
fn a_remote_identity_takes_the_place_of_the_name() {
    let mut ada = ada();
    ada.account = Account::None("it is reserved".into());
    ada.remote_identities = vec![
        RemoteIdentity {
            hosts: "os=windows".parse().unwrap(),
            name: "ALovelace".into(),
        },
        RemoteIdentity {
            hosts: "role=web".parse().unwrap(),
            name: "deployer".into(),
        },
        RemoteIdentity {
            hosts: Expression::all(),
            name: "other".into(),
        },
    ];
    let grants = [grant("g1", "web-ops", "*", Level::Login)];
    let decision = may(&ada, &host(&["role=web"]), &grants, NOW);
    assert_eq!(decision.principals, ["deployer"]);
}

#[test]
fn a_service_account_needs_no_directory() {
    let robot = Person {
        directory: None,
        ..ada()
    };
    let grants = [grant("g1", "web-ops", "*", Level::Login)];
    assert!(may(&robot, &host(&[]), &grants, NOW).allowed);
}

#[test]
fn a_way_through_groups_is_told() {
    let mut ada = ada();
    ada.memberships[0].through = vec!["eu".into(), "staff".into()];
    let decision = may(
        &ada,
        &host(&[]),
        &[grant("g1", "web-ops", "*", Level::Login)],
        NOW,
    );
    let told = decision
        .reasons
        .iter()
        .find(|reason| reason.step == Step::Group)
        .unwrap();
    assert_eq!(
        told.why,
        "ada@contoso.example is in the group web-ops through eu, staff."
    );
    assert_eq!(told.link, Some(Link::Group("id-web-ops".into())));
}

fn any_grant() -> impl Strategy<Value = Grant> {
    let hosts = crate::expression::tests::expression();
    let time = || prop::option::of(-3_i64..4);
    let to = prop_oneof![
        "[pqr]".prop_map(|group| Subject::Group(format!("id-{group}"))),
        Just(Subject::User("u1".into())),
        Just(Subject::User("u2".into())),
    ];
    (to, hosts, any::<bool>(), time(), time()).prop_map(|(to, hosts, sudo, from, until)| Grant {
        id: "g".into(),
        to,
        hosts,
        level: if sudo { Level::LoginSudo } else { Level::Login },
        posix_groups: Vec::new(),
        principals: Vec::new(),
        from: from.and_then(hours),
        until: until.and_then(hours),
    })
}

fn any_person() -> impl Strategy<Value = Person> {
    let memberships = prop::collection::vec(("[pqr]", prop::option::of(-2_i64..3)), 0..4);
    (memberships, any::<bool>(), any::<bool>(), any::<bool>()).prop_map(
        |(memberships, suspended, is_active, named)| {
            let mut person = ada();
            person.memberships = memberships
                .into_iter()
                .map(|(group, until)| Membership {
                    until: until.and_then(hours),
                    ..member(&group)
                })
                .collect();
            if suspended {
                person.standing = Standing::Suspended;
            }
            person.directory.as_mut().unwrap().is_active = is_active;
            if !named {
                person.account = Account::None("it is empty".into());
            }
            person
        },
    )
}

fn any_host() -> impl Strategy<Value = Host> {
    prop::collection::btree_map("[abc]", "[xyz]", 0..3).prop_map(|tags| Host {
        tags: tags.try_into().unwrap(),
        ..host(&[])
    })
}

proptest! {
    #[test]
    fn nobody_gets_in_who_is_barred(person in any_person(), host in any_host(), grants in prop::collection::vec(any_grant(), 0..6)) {
        let decision = may(&person, &host, &grants, NOW);
        let barred = person.standing == Standing::Suspended || !person.directory.as_ref().unwrap().is_active || person.account == Account::None("it is empty".into());
        prop_assert!(!(barred && decision.allowed));
        prop_assert_eq!(decision.allowed, !decision.principals.is_empty());
        prop_assert_eq!(decision.allowed, !decision.grants.is_empty());
        prop_assert!(decision.allowed || !decision.sudo);
        prop_assert_eq!(decision.reasons.last().unwrap().verdict == Verdict::Yes, decision.allowed);
        prop_assert!(decision.allowed || decision.reasons.iter().filter(|reason| reason.verdict == Verdict::No).count() > 1);
    }

    #[test]
    fn more_grants_never_take_anything_away(person in any_person(), host in any_host(), grants in prop::collection::vec(any_grant(), 1..6)) {
        let fewer = may(&person, &host, &grants[1..], NOW);
        let all = may(&person, &host, &grants, NOW);
        prop_assert!(all.allowed >= fewer.allowed);
        prop_assert!(all.sudo >= fewer.sudo);
    }

    #[test]
    fn nothing_changes_before_it_is_said_to(person in any_person(), host in any_host(), grants in prop::collection::vec(any_grant(), 0..6)) {
        let now = may(&person, &host, &grants, NOW);
        let next = now.changes_at.unwrap_or(NOW + SignedDuration::from_hours(100));
        let before = next - SignedDuration::from_micros(1);
        let then = may(&person, &host, &grants, before);
        prop_assert_eq!((now.allowed, now.sudo, now.grants), (then.allowed, then.sudo, then.grants));
    }

    #[test]
    fn those_who_get_in_do_so_by_a_host_that_a_grant_of_theirs_chooses(person in any_person(), hosts in prop::collection::vec(any_host(), 1..20), grants in prop::collection::vec(any_grant(), 0..6)) {
        let estate = Estate::new(hosts);
        let theirs = grants.iter().filter(|grant| grant.phase(NOW) == Phase::Current);
        let chosen = estate.chosen_by_any(theirs.map(|grant| &grant.hosts)).count();
        let allowed = estate.hosts().iter().filter(|host| may(&person, host, &grants, NOW).allowed).count();
        prop_assert!(allowed <= chosen);
    }
}
