//! What decisions about access rest on: hosts, grants, and the facts about people.

use crate::engine::{Engine, on_each_engine};
use crate::world::World;
use portreeve_access::grant::{Level, Subject};
use portreeve_access::{Account, Grant, Standing, Tags};
use portreeve_directory::accounts::Problem;
use portreeve_directory::events::Cause;
use portreeve_directory::grants::{self, Ended, Record, To};
use portreeve_directory::holders::Holder;
use portreeve_directory::hosts::{self, Decided, Host};
use portreeve_directory::{
    Refusal, access, accounts, directories, local_members, suspensions, teams, users,
};
use serde_json::json;

on_each_engine! {
    hosts_are_found_by_name_tag_and_text
    a_bastion_leads_to_hosts_and_stays_as_long_as_it_does
    what_cannot_be_a_host_is_refused
    grants_are_kept_as_they_are_made
    what_cannot_be_a_grant_is_refused
    the_name_of_a_shared_account_is_nobodys
    an_end_is_told_once
    every_change_to_hosts_and_grants_is_a_new_version
    facts_say_by_which_groups_and_for_how_long
    whoever_is_suspended_is_so_in_the_facts
    those_whom_a_grant_concerns_are_found_through_groups
    nothing_is_left_of_a_directory_that_is_gone
}

const HOUR: i64 = 3_600_000_000;
const TEAM: &str = "t1";

fn decided(name: &str, tags: &[&str]) -> Decided {
    Decided {
        name: name.to_owned(),
        tags: Tags::parse(tags).unwrap(),
        ..Decided::default()
    }
}

fn make(world: &World, new: Decided) -> Result<Host, Refusal> {
    world.write(move |tx, call| hosts::create(tx, TEAM, &call.new_id(), &new, call.at))
}

fn names(world: &World, hosts: &str, text: &str, after: &str, limit: usize) -> Vec<String> {
    let (by, text, after) = (hosts.parse().unwrap(), text.to_owned(), after.to_owned());
    let found = world.read(move |tx| hosts::list(tx, TEAM, (&by, &text), &after, limit));
    found.unwrap().into_iter().map(|host| host.name).collect()
}

fn group(world: &World, id: &str) -> To {
    To::Group {
        directory_id: world.directory.id.clone(),
        id: id.to_owned(),
    }
}

fn user(world: &World, id: &str) -> To {
    To::User {
        directory_id: world.directory.id.clone(),
        id: id.to_owned(),
    }
}

fn record(world: &World, to: To, until: Option<i64>) -> Record {
    let call = world.call();
    Record {
        grant: Grant {
            id: call.new_id(),
            to: to.subject(),
            hosts: "env=prod and not legacy".parse().unwrap(),
            level: Level::LoginSudo,
            posix_groups: vec!["docker-users".into()],
            principals: vec!["deploy".into(), "web".into()],
            from: None,
            until: until.map(access::moment),
        },
        subject: to,
        note: "on call".into(),
        made_by: "Olga".into(),
        ended: None,
        version: 1,
        created_at: call.at,
        updated_at: call.at,
    }
}

fn give(world: &World, record: &Record) -> Result<Record, Refusal> {
    let record = record.clone();
    world.write(move |tx, _| {
        grants::create(tx, TEAM, &record, record.created_at)?;
        grants::by_id(tx, TEAM, &record.grant.id)
    })
}

fn tell(world: &World, now: i64) -> usize {
    let told = world.write(move |tx, call| {
        let cause = Cause {
            at: now,
            directory_id: None,
            ..Cause::of(call)
        };
        grants::tell_expired(tx, &cause, 10)
    });
    told.unwrap()
}

fn facts(world: &World, id: &str, now: i64) -> portreeve_access::Person {
    let holder = Holder::User {
        directory_id: world.directory.id.clone(),
        id: id.to_owned(),
    };
    world
        .read(move |tx| access::person(tx, TEAM, &holder, now))
        .unwrap()
}

fn activate(world: &World) {
    let id = world.directory.id.clone();
    let done = world.write(move |tx, _| {
        let team = teams::by_id(tx, TEAM)?;
        teams::activate(tx, &team, Some(&id))
    });
    done.unwrap();
}

fn having(world: &World, subjects: Vec<Subject>, now: i64) -> Vec<String> {
    let found = world.read(move |tx| access::having(tx, TEAM, subjects.iter(), now));
    let mut names: Vec<_> = found
        .unwrap()
        .into_iter()
        .map(|who| who.person.name)
        .collect();
    names.sort();
    names
}

fn hosts_are_found_by_name_tag_and_text(on: Engine) {
    let world = World::new(on);
    let web = make(&world, decided("Web-1", &["env=prod", "role=web"])).unwrap();
    make(&world, decided("db-1", &["env=prod"])).unwrap();
    make(&world, decided("web-2", &["env=test", "role=web"])).unwrap();
    let again = make(&world, decided("WEB-1", &[]));
    assert!(matches!(again, Err(Refusal::Conflict { .. })));
    let (id, by_name) = (web.id.clone(), web.clone());
    let found =
        world.read(move |tx| Ok((hosts::find(tx, TEAM, "web-1")?, hosts::find(tx, TEAM, &id)?)));
    assert_eq!(found.unwrap(), (by_name.clone(), by_name));
    assert_eq!(names(&world, "*", "", "", 10), ["db-1", "Web-1", "web-2"]);
    assert_eq!(names(&world, "*", "", "DB-1", 1), ["Web-1"]);
    assert_eq!(
        names(&world, "role=web and env=prod", "", "", 10),
        ["Web-1"]
    );
    assert_eq!(names(&world, "env=prod", "WEB", "", 10), ["Web-1"]);
    let foreign = world.read(move |tx| hosts::find(tx, "t2", &web.id));
    assert!(matches!(foreign, Err(Refusal::NotFound(..))));
}

fn through(host: &Decided, bastion: &str) -> Decided {
    Decided {
        bastion: Some(bastion.to_owned()),
        ..host.clone()
    }
}

fn bastion(name: &str) -> Decided {
    Decided {
        is_bastion: true,
        ..decided(name, &[])
    }
}

fn update(world: &World, host: &Host, new: Decided) -> Result<Host, Refusal> {
    let host = host.clone();
    world.write(move |tx, call| hosts::update(tx, TEAM, &host, &new, call.at))
}

fn a_bastion_leads_to_hosts_and_stays_as_long_as_it_does(on: Engine) {
    let world = World::new(on);
    let behind = through(&decided("web-1", &[]), "jump");
    let nowhere = make(&world, behind.clone());
    assert!(matches!(nowhere, Err(Refusal::NotFound(..))));
    make(&world, decided("plain", &[])).unwrap();
    let jump = make(&world, bastion("jump")).unwrap();
    let web = make(&world, behind).unwrap();
    assert_eq!(web.bastion.as_deref(), Some("jump"));
    for (name, host, new) in [
        ("itself", &jump, through(&jump.decided(), "jump")),
        ("no bastion", &web, through(&web.decided(), "plain")),
        ("no more", &jump, decided("jump", &[])),
    ] {
        let refused = update(&world, host, new);
        assert!(matches!(refused, Err(Refusal::Invalid { .. })), "{name}");
    }
    let gone = jump.clone();
    let removed = world.write(move |tx, _| hosts::delete(tx, TEAM, &gone));
    let why = removed.unwrap_err().to_string();
    assert!(why.contains("web-1 is reached through jump"), "{why}");
    update(&world, &jump, bastion("door")).unwrap();
    let web = world
        .read(move |tx| hosts::by_id(tx, TEAM, &web.id))
        .unwrap();
    assert_eq!(
        web.bastion.as_deref(),
        Some("door"),
        "it is called otherwise"
    );
}

fn what_cannot_be_a_host_is_refused(on: Engine) {
    let world = World::new(on);
    let long = "x".repeat(254);
    for name in [
        "",
        "-oProxyCommand=x",
        "a b",
        "web*",
        "user@web",
        &long,
        "h\u{f6}st",
    ] {
        let refused = make(&world, decided(name, &[]));
        assert!(matches!(refused, Err(Refusal::Invalid { .. })), "{name:?}");
    }
}

fn grants_are_kept_as_they_are_made(on: Engine) {
    let world = World::new(on);
    let (ann, ops) = (world.named("ann"), world.group("Ops", &[]));
    let to_group = record(&world, group(&world, &ops.id), None);
    let kept = give(&world, &to_group).unwrap();
    assert_eq!(kept, to_group);
    let temporary = record(&world, user(&world, &ann.id), Some(world.call().at + HOUR));
    assert_eq!(give(&world, &temporary).unwrap(), temporary);
    let all = world.read(|tx| grants::list(tx, TEAM, "", 10)).unwrap();
    assert_eq!(all, [to_group.clone(), temporary.clone()]);
    let id = ann.id;
    let of_ann = world.read(move |tx| grants::of_subject(tx, TEAM, &id));
    assert_eq!(of_ann.unwrap(), [temporary]);
    let at = world.call().at;
    let revoked = world.write(move |tx, _| grants::revoke(tx, TEAM, &to_group, at));
    let revoked = revoked.unwrap().unwrap();
    assert_eq!(revoked.ended, Some(Ended::Revoked));
    assert_eq!(revoked.grant.until, Some(access::moment(at)));
    let again = world.write(move |tx, _| grants::revoke(tx, TEAM, &revoked, at + 1));
    assert_eq!(again.unwrap(), None);
}

fn what_cannot_be_a_grant_is_refused(on: Engine) {
    let world = World::new(on);
    let (ann, ops) = (world.named("ann"), world.group("Ops", &[]));
    let now = world.call().at;
    let nobody = record(&world, group(&world, &ann.id), None);
    assert!(matches!(give(&world, &nobody), Err(Refusal::NotFound(..))));
    let endless = record(&world, user(&world, &ann.id), None);
    assert!(matches!(
        give(&world, &endless),
        Err(Refusal::Invalid {
            attribute: "until",
            ..
        })
    ));
    let over = record(&world, group(&world, &ops.id), Some(now - HOUR));
    assert!(matches!(
        give(&world, &over),
        Err(Refusal::Invalid {
            attribute: "until",
            ..
        })
    ));
    let long = Record {
        note: "x".repeat(501),
        ..record(&world, group(&world, &ops.id), None)
    };
    assert!(matches!(
        give(&world, &long),
        Err(Refusal::Invalid {
            attribute: "note",
            ..
        })
    ));
    let ensured = ann;
    world
        .write(move |tx, call| accounts::ensure(tx, TEAM, &call.directory, &ensured, call.at))
        .unwrap();
    for name in ["ann", "root"] {
        let mut wrong = record(&world, group(&world, &ops.id), None);
        wrong.grant.principals = vec![name.to_owned()];
        assert!(
            matches!(
                give(&world, &wrong),
                Err(Refusal::Invalid {
                    attribute: "principals",
                    ..
                })
            ),
            "{name}"
        );
    }
    let elsewhere = To::Group {
        directory_id: "another".into(),
        id: ops.id,
    };
    assert!(give(&world, &record(&world, elsewhere, None)).is_err());
}

fn the_name_of_a_shared_account_is_nobodys(on: Engine) {
    let world = World::new(on);
    let ops = world.group("Ops", &[]);
    let before = world.named("web@contoso.example");
    let ensure = |user: &users::User| {
        let user = user.clone();
        let given = world
            .write(move |tx, call| accounts::ensure(tx, TEAM, &call.directory, &user, call.at));
        given.unwrap().name
    };
    let mut wanted = record(&world, group(&world, &ops.id), None);
    wanted.grant.principals = vec!["deployer".into(), "deploy".into()];
    let grant = give(&world, &wanted).unwrap();
    let (deploy, depl) = (
        world.named("deploy@contoso.example"),
        world.named("depl@contoso.example"),
    );
    let shared = Problem::Shared {
        name: "deploy".into(),
    };
    assert_eq!(ensure(&deploy), Err(shared));
    assert_eq!(ensure(&depl).as_deref(), Ok("depl"));
    assert_eq!(ensure(&before).as_deref(), Ok("web"));
    // It is free when the grant has ended.
    let ended = world.write(move |tx, call| grants::revoke(tx, TEAM, &grant, call.at));
    assert!(ended.unwrap().is_some());
    assert_eq!(ensure(&deploy).as_deref(), Ok("deploy"));
}

fn an_end_is_told_once(on: Engine) {
    let world = World::new(on);
    let ann = world.named("ann");
    let end = world.call().at + HOUR;
    let temporary = give(&world, &record(&world, user(&world, &ann.id), Some(end))).unwrap();
    let untold = |now: i64| world.read(move |tx| grants::untold(tx, now, 10)).unwrap();
    assert!(untold(end - 1).is_empty());
    assert_eq!(untold(end), [TEAM]);
    assert_eq!(tell(&world, end - 1), 0);
    assert_eq!(tell(&world, end), 1);
    assert_eq!(tell(&world, end + 1), 0);
    assert!(untold(end + 1).is_empty());
    let event = world.events().pop().unwrap();
    assert_eq!(
        (event.category.as_str(), event.action.as_str()),
        ("ACCESS", "expired")
    );
    assert_eq!(
        event.object_id.as_deref(),
        Some(temporary.grant.id.as_str())
    );
    assert_eq!(
        event.object_name.as_deref(),
        Some("ann: login and sudo on env=prod and not legacy")
    );
    world.write(move |tx, _| grants::prune(tx, end)).unwrap();
    assert_eq!(
        world
            .read(|tx| grants::list(tx, TEAM, "", 9))
            .unwrap()
            .len(),
        1
    );
    world
        .write(move |tx, _| grants::prune(tx, end + 1))
        .unwrap();
    assert!(
        world
            .read(|tx| grants::list(tx, TEAM, "", 9))
            .unwrap()
            .is_empty()
    );
}

fn every_change_to_hosts_and_grants_is_a_new_version(on: Engine) {
    let world = World::new(on);
    let version = || world.read(|tx| access::version(tx, TEAM)).unwrap();
    let mut last = version();
    let mut rises = |what: &str| {
        let now = version();
        assert!(now > last, "{what}");
        last = now;
    };
    let host = make(&world, decided("web-1", &[])).unwrap();
    rises("a host");
    let (before, mut new) = (host.clone(), host.decided());
    new.tags = Tags::parse(["env=prod"]).unwrap();
    let host = world
        .write(move |tx, call| hosts::update(tx, TEAM, &before, &new, call.at))
        .unwrap();
    rises("its tags");
    let ops = world.group("Ops", &[]);
    let grant = give(&world, &record(&world, group(&world, &ops.id), None)).unwrap();
    rises("a grant");
    world
        .write(move |tx, call| grants::revoke(tx, TEAM, &grant, call.at))
        .unwrap();
    rises("its end");
    world
        .write(move |tx, _| hosts::delete(tx, TEAM, &host))
        .unwrap();
    rises("no host");
    let all = world.read(|tx| access::of_team(tx, TEAM)).unwrap();
    assert_eq!((all.estate.hosts().len(), all.grants.len()), (0, 1));
}

fn facts_say_by_which_groups_and_for_how_long(on: Engine) {
    let world = World::new(on);
    let ann = world.named("ann");
    let inner = world.group("Inner", &[&ann.id]);
    let middle = world.group("Middle", &[&inner.id]);
    let outer = world.group("Outer", &[&middle.id]);
    let end = world.call().at + HOUR;
    let (group_id, user_id) = (outer.id, ann.id.clone());
    world
        .write(move |tx, call| local_members::add(tx, call, &group_id, &user_id, Some(end)))
        .unwrap();
    let brief = world.group("Brief", &[]);
    let around = world.group("Around", &[&brief.id]);
    let (group_id, user_id) = (brief.id, ann.id.clone());
    world
        .write(move |tx, call| local_members::add(tx, call, &group_id, &user_id, Some(end)))
        .unwrap();
    let now = world.call().at;
    let mut memberships = facts(&world, &ann.id, now).memberships;
    memberships.sort_by(|one, other| one.group.cmp(&other.group));
    let shown: Vec<_> = memberships
        .iter()
        .map(|it| (it.group.as_str(), it.through.join(" > "), it.until))
        .collect();
    let ends = Some(access::moment(end));
    assert_eq!(
        shown,
        [
            ("Around", "Brief".to_owned(), ends),
            ("Brief", String::new(), ends),
            ("Inner", String::new(), None),
            ("Middle", "Inner".to_owned(), None),
            // The way that lasts longest is told.
            ("Outer", "Inner > Middle".to_owned(), None),
        ]
    );
    assert_eq!(facts(&world, &ann.id, end).memberships.len(), 3);
    assert_eq!(around.display_name, "Around");
}

fn whoever_is_suspended_is_so_in_the_facts(on: Engine) {
    let world = World::new(on);
    let ann = world.named("ann");
    let before = facts(&world, &ann.id, 0);
    assert_eq!(before.standing, Standing::Active);
    assert_eq!(before.account, Account::Named("ann".into()));
    assert!(!before.directory.unwrap().is_active);
    activate(&world);
    assert!(facts(&world, &ann.id, 0).directory.unwrap().is_active);
    let id = ann.id.clone();
    world
        .write(move |tx, call| suspensions::suspend(tx, call, &id, &users::Precondition::None))
        .unwrap();
    assert_eq!(facts(&world, &ann.id, 0).standing, Standing::Suspended);
    let bob = world.user(json!({"userName": "bob", "active": false}));
    assert_eq!(facts(&world, &bob.id, 0).standing, Standing::Suspended);
    let owner = world.read(|tx| access::person(tx, TEAM, &Holder::Owner("o".into()), 0));
    assert!(matches!(owner, Err(Refusal::Invalid { .. })));
    let foreign = Holder::User {
        directory_id: world.directory.id.clone(),
        id: ann.id,
    };
    let foreign = world.read(move |tx| access::person(tx, "t2", &foreign, 0));
    assert!(matches!(foreign, Err(Refusal::NotFound(..))));
}

fn those_whom_a_grant_concerns_are_found_through_groups(on: Engine) {
    let world = World::new(on);
    let (ann, bob, cat) = (world.named("ann"), world.named("bob"), world.named("cat"));
    let out = world.user(json!({"userName": "out", "active": false}));
    let inner = world.group("Inner", &[&bob.id, &out.id]);
    let outer = world.group("Outer", &[&ann.id, &inner.id]);
    let end = world.call().at + HOUR;
    let (group_id, user_id) = (inner.id.clone(), cat.id);
    world
        .write(move |tx, call| local_members::add(tx, call, &group_id, &user_id, Some(end)))
        .unwrap();
    let now = world.call().at;
    let of = |to: &str| vec![Subject::Group(to.to_owned())];
    assert!(
        having(&world, of(&outer.id), now).is_empty(),
        "nobody reaches hosts"
    );
    activate(&world);
    assert_eq!(having(&world, of(&outer.id), now), ["ann", "bob", "cat"]);
    assert_eq!(having(&world, of(&outer.id), end), ["ann", "bob"]);
    assert_eq!(having(&world, of(&inner.id), now), ["bob", "cat"]);
    let both = vec![
        Subject::User(ann.id),
        Subject::Group(inner.id),
        Subject::User(out.id),
    ];
    assert_eq!(having(&world, both, now), ["ann", "bob", "cat"]);
}

fn nothing_is_left_of_a_directory_that_is_gone(on: Engine) {
    let world = World::new(on);
    let ops = world.group("Ops", &[]);
    give(&world, &record(&world, group(&world, &ops.id), None)).unwrap();
    let id = world.directory.id.clone();
    world
        .write(move |tx, _| directories::delete(tx, &id))
        .unwrap();
    assert!(
        world
            .read(|tx| grants::list(tx, TEAM, "", 9))
            .unwrap()
            .is_empty()
    );
}
