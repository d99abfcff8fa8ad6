//! What hosts are told of people: it follows what access says, and nobody else is told.

mod estate;
mod laws;

use crate::engine::{Engine, on_each_engine};
use estate::{DAY, Estate, HOUR, NOW, TEAM};
use portreeve_access::grant::Level;
use portreeve_directory::host_accounts::{Extra, HostAccount, Own};
use portreeve_directory::host_policies::{self, Issued, Settings};
use portreeve_directory::{Refusal, certificates, host_accounts, revocations};
use std::collections::BTreeSet;

on_each_engine! {
    whoever_is_deactivated_is_denied_and_what_they_had_stays
    only_hosts_that_a_change_concerns_get_another_version
    a_group_within_a_group_is_followed
    grants_begin_and_end_as_time_passes
    whoever_is_renamed_keeps_number_and_home
    nobody_gets_the_home_of_somebody_else
    a_name_that_is_free_again_goes_to_whoever_waits_for_it
    accounts_of_the_hosts_own_are_shared
    groups_and_further_accounts_are_those_of_the_grants_on_that_host
    certificates_that_say_more_than_access_does_are_revoked
    a_certificate_that_was_on_its_way_is_found_a_moment_later
    whoever_is_named_by_a_change_comes_before_a_crowd
    the_place_is_kept_over_a_restart
    where_changes_are_lost_everybody_is_looked_at
    what_concerns_nobody_writes_nothing
    nothing_is_kept_for_hosts_that_do_not_ask
    a_host_hears_nothing_before_its_people_are_worked_out
    a_document_is_written_down_once_for_each_version
    other_keys_and_other_rules_are_another_version_for_all
    a_host_that_is_gone_has_no_policy
    groups_that_are_made_keep_their_numbers
}

fn own(name: &str, uid: u32, home: &str) -> Option<Own> {
    Some(Own {
        name: name.to_owned(),
        uid,
        gid: uid,
        home: home.to_owned(),
    })
}

/// The names of those who may log in to a host.
fn active(estate: &Estate, host: &str) -> Vec<String> {
    let rows = estate.on(host).into_iter();
    rows.filter(|row| row.is_active)
        .map(|row| row.account)
        .collect()
}

fn whoever_is_deactivated_is_denied_and_what_they_had_stays(on: Engine) {
    let estate = Estate::new(on);
    let (ada, ops) = estate.ada_in_ops();
    estate.grant_to(&ops, "role=web", |grant| grant.level = Level::LoginSudo);
    estate.follow(NOW);
    let before = estate.of(&ada, "web-1");
    assert!(before.is_active && before.sudo);
    assert_eq!(before.own, own("ada", 65_538, "ada"));
    assert_eq!((before.since_at, before.denied_at), (NOW, None));

    estate.set_active(&ada, false);
    estate.follow(NOW + HOUR);
    let left = HostAccount {
        is_active: false,
        denied_at: Some(NOW + HOUR),
        ..before.clone()
    };
    let after = estate.of(&ada, "web-1");
    assert_eq!(after.version, estate.version("web-1"));
    assert_eq!(
        HostAccount {
            version: left.version,
            ..after
        },
        left
    );

    estate.set_active(&ada, true);
    estate.follow(NOW + DAY);
    let again = estate.of(&ada, "web-1");
    assert_eq!(again.own, before.own);
    assert_eq!((again.since_at, again.denied_at), (NOW + DAY, None));

    estate.world.delete_user(&ada).unwrap();
    estate.follow(NOW + 2 * DAY);
    let gone = estate.of(&ada, "web-1");
    assert_eq!((gone.is_active, gone.own), (false, before.own));
}

#[expect(clippy::too_many_lines, reason = "it is a table")]
fn only_hosts_that_a_change_concerns_get_another_version(on: Engine) {
    let estate = Estate::new(on);
    let (ada, ops) = estate.ada_in_ops();
    let bea = estate.world.named("bea").id;
    let web = estate.grant_to(&ops, "role=web", |_| {});
    let dbas = estate.world.group("dbas", &[&bea]).id;
    estate.grant_to(&dbas, "role=db", |_| {});
    estate.follow(NOW);
    type Case<'a> = (&'a str, Box<dyn Fn(&Estate) + 'a>, &'a [&'a str]);
    let cases: [Case<'_>; 10] = [
        ("nobody", Box::new(|_| {}), &[]),
        (
            "somebody joins a group",
            Box::new(|estate| estate.join(&dbas, &ada)),
            &["db-1"],
        ),
        (
            "a person without access changes",
            Box::new(|estate| drop(estate.world.named("carl"))),
            &[],
        ),
        (
            "what hosts do not show changes",
            Box::new(|estate| estate.set(&ada, "title", "Countess")),
            &[],
        ),
        (
            "what hosts show changes",
            Box::new(|estate| estate.set(&ada, "displayName", "Ada Lovelace")),
            &["db-1", "web-1", "web-2"],
        ),
        (
            "a host gets another tag",
            Box::new(|estate| estate.tag("web-2", &["role=db"])),
            &["web-2"],
        ),
        (
            "a tag that nothing goes by",
            Box::new(|estate| estate.tag("web-2", &["role=db", "rack=7"])),
            &[],
        ),
        (
            "a host is called otherwise",
            Box::new(|estate| estate.rename_host("db-1", "db-9")),
            &["db-9"],
        ),
        (
            "a grant is revoked",
            Box::new(|estate| estate.revoke(&web)),
            &["web-1"],
        ),
        (
            "another directory reaches hosts",
            Box::new(|estate| estate.activate(false)),
            &["db-9", "web-2"],
        ),
    ];
    for (name, change, told) in cases {
        let before = estate.versions();
        change(&estate);
        estate.follow(NOW + HOUR);
        let after = estate.versions();
        let changed: Vec<&str> = after
            .iter()
            .filter(|(host, version)| before.get(*host) != Some(*version))
            .map(|(host, _)| host.as_str())
            .collect();
        assert_eq!(changed, told, "{name}");
    }
    assert_eq!(active(&estate, "db-9"), [""; 0]);
}

fn a_group_within_a_group_is_followed(on: Engine) {
    let estate = Estate::new(on);
    let (ada, inner) = estate.ada_in_ops();
    let outer = estate.world.group("outer", &[]).id;
    estate.grant_to(&outer, "*", |_| {});
    estate.follow(NOW);
    assert!(active(&estate, "web-1").is_empty());
    estate.nest(&outer, &inner);
    estate.follow(NOW);
    assert_eq!(active(&estate, "web-1"), ["ada"]);
    estate.leave(&inner, &ada);
    estate.follow(NOW);
    assert!(active(&estate, "web-1").is_empty());
    estate.join(&inner, &ada);
    estate.follow(NOW);
    estate.world.delete_group(&inner).unwrap();
    estate.follow(NOW);
    assert!(active(&estate, "web-1").is_empty());
}

fn grants_begin_and_end_as_time_passes(on: Engine) {
    let estate = Estate::new(on);
    let (_, ops) = estate.ada_in_ops();
    estate.grant_to(&ops, "role=web", |grant| {
        grant.from = Some(estate::at(NOW + HOUR));
        grant.until = Some(estate::at(NOW + 3 * HOUR));
    });
    let expected = [
        (NOW, false),
        (NOW + HOUR, true),
        (NOW + 2 * HOUR, true),
        (NOW + 3 * HOUR, false),
        // A clock that was set is taken for right.
        (NOW + 2 * HOUR, true),
    ];
    for (now, has_access) in expected {
        estate.follow(now);
        let names = active(&estate, "web-1");
        assert_eq!(!names.is_empty(), has_access, "{}", (now - NOW) / HOUR);
    }
    let row = estate.on("web-1").remove(0);
    assert_eq!(row.until_at, Some(NOW + 3 * HOUR));
}

fn whoever_is_renamed_keeps_number_and_home(on: Engine) {
    let estate = Estate::new(on);
    let (ada, ops) = estate.ada_in_ops();
    estate.grant_to(&ops, "role=web", |_| {});
    estate.follow(NOW);
    estate.set(&ada, "userName", "countess");
    estate.follow(NOW);
    let row = estate.of(&ada, "web-1");
    assert_eq!(row.account, "countess");
    assert_eq!(row.own, own("countess", 65_538, "ada"));
}

fn nobody_gets_the_home_of_somebody_else(on: Engine) {
    let estate = Estate::new(on);
    let (ada, ops) = estate.ada_in_ops();
    estate.grant_to(&ops, "role=web", |_| {});
    estate.follow(NOW);
    estate.world.delete_user(&ada).unwrap();
    let other = estate.world.named("ada").id;
    estate.join(&ops, &other);
    estate.follow(NOW);
    let rows = estate.on("web-1");
    let own_of = |id: &str| {
        let row = rows.iter().find(|row| row.holder.id() == id).unwrap();
        (row.is_active, row.own.clone())
    };
    assert_eq!(own_of(&ada), (false, own("ada", 65_538, "ada")));
    assert_eq!(own_of(&other), (true, own("ada", 65_539, "ada-65539")));
}

fn a_name_that_is_free_again_goes_to_whoever_waits_for_it(on: Engine) {
    let estate = Estate::new(on);
    let first = estate.world.named("ada@one.example").id;
    let second = estate.world.named("ada@two.example").id;
    let ops = estate.world.group("ops", &[&first, &second]).id;
    estate.grant_to(&ops, "role=web", |_| {});
    estate.follow(NOW);
    let rows = estate.on("web-1");
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].holder.id(), first);
    estate.set(&first, "userName", "countess@one.example");
    estate.follow(NOW);
    assert_eq!(active(&estate, "web-1"), ["ada", "countess"]);
}

fn accounts_of_the_hosts_own_are_shared(on: Engine) {
    let estate = Estate::new(on);
    let (ada, ops) = estate.ada_in_ops();
    estate.grant_to(&ops, "role=web", |_| {});
    estate.follow(NOW);
    estate.remote(&ada, &[("name=web-1", "ec2-user")]);
    estate.follow(NOW);
    let row = estate.of(&ada, "web-1");
    assert_eq!((row.account.as_str(), row.is_shared), ("ec2-user", true));
    // The account of before is still there, so that files keep their owner.
    assert_eq!(row.own, own("ada", 65_538, "ada"));
    assert_eq!(estate.of(&ada, "web-2").account, "ada");
    estate.remote(&ada, &[]);
    estate.follow(NOW);
    assert!(!estate.of(&ada, "web-1").is_shared);
}

fn groups_and_further_accounts_are_those_of_the_grants_on_that_host(on: Engine) {
    let estate = Estate::new(on);
    let (ada, ops) = estate.ada_in_ops();
    estate.grant_to(&ops, "role=web", |grant| {
        grant.posix_groups = vec!["video".into(), "floppy".into()];
        grant.principals = vec!["deploy".into()];
        grant.until = Some(estate::at(NOW + HOUR));
    });
    estate.grant_to(&ops, "name=web-2", |grant| {
        grant.posix_groups = vec!["audio".into()];
        grant.principals = vec!["deploy".into(), "backup-user".into()];
    });
    estate.follow(NOW);
    let said = |host: &str| {
        let row = estate.of(&ada, host);
        (row.posix_groups, row.principals, row.until_at)
    };
    let extra = |name: &str, until_at| Extra {
        name: name.to_owned(),
        until_at,
    };
    let end = Some(NOW + HOUR);
    assert_eq!(
        said("web-1"),
        (
            vec!["floppy".to_owned(), "video".to_owned()],
            vec![extra("deploy", end)],
            end
        )
    );
    assert_eq!(
        said("web-2"),
        (
            vec!["audio".to_owned(), "floppy".to_owned(), "video".to_owned()],
            vec![extra("backup-user", None), extra("deploy", None)],
            None
        )
    );
}

fn certificates_that_say_more_than_access_does_are_revoked(on: Engine) {
    let estate = Estate::new(on);
    let (ada, ops) = estate.ada_in_ops();
    let web = estate.grant_to(&ops, "role=web", |_| {});
    let db = estate.grant_to(&ops, "role=db", |grant| {
        grant.principals = vec!["deploy".into()]
    });
    estate.follow(NOW);
    let own = format!("u:{ada}");
    estate.certify(1, &ada, &["ada", &own], &[&web]);
    estate.certify(2, &ada, &["ada", &own], &[&web, &db]);
    estate.certify(3, &ada, &["ada", "deploy", &own], &[&web]);
    estate.follow(NOW);
    assert_eq!(estate.revoked(), [0; 0]);
    estate.revoke(&db);
    estate.follow(NOW);
    assert_eq!(estate.revoked(), [2, 3]);
    let why = estate.world.read(|tx| certificates::by_serial(tx, TEAM, 2));
    assert_eq!(why.unwrap().revoked_why.as_deref(), Some("access_ended"));
    estate.leave(&ops, &ada);
    estate.follow(NOW);
    assert_eq!(estate.revoked(), [1, 2, 3]);
    let listed = estate.world.read(|tx| revocations::after(tx, TEAM, 0));
    assert_eq!(listed.unwrap().len(), 3);
}

fn a_certificate_that_was_on_its_way_is_found_a_moment_later(on: Engine) {
    let estate = Estate::new(on);
    let (ada, ops) = estate.ada_in_ops();
    let web = estate.grant_to(&ops, "role=web", |_| {});
    estate.follow(NOW);
    estate.revoke(&web);
    estate.follow(NOW);
    // Decided on by what another server knew a moment ago.
    estate.certify(1, &ada, &["ada"], &[&web]);
    estate.follow(NOW);
    assert_eq!(estate.revoked(), [0; 0]);
    estate.follow(NOW + 5_000_000);
    assert_eq!(estate.revoked(), [1]);
}

fn whoever_is_named_by_a_change_comes_before_a_crowd(on: Engine) {
    let estate = Estate::new(on);
    let crowd: Vec<String> = (0..150)
        .map(|n| estate.world.named(&format!("p{n:03}")).id)
        .collect();
    let ids: Vec<&str> = crowd.iter().map(String::as_str).collect();
    let all = estate.world.group("all", &ids).id;
    estate.follow(NOW);
    estate.grant_to(&all, "name=web-1", |_| {});
    // The very last of them, who would be out of turn.
    let last = crowd.iter().max().unwrap();
    estate.set(last, "displayName", "Last");
    let first = estate.look(NOW).unwrap();
    assert!(first.people.keys().any(|(_, id)| id == last));
    assert_eq!(first.people.len() + first.later.len(), 150);
    assert!(!first.later.is_empty());
    estate.follow(NOW);
    assert_eq!(active(&estate, "web-1").len(), 150);
}

fn the_place_is_kept_over_a_restart(on: Engine) {
    let mut estate = Estate::new(on);
    let (ada, ops) = estate.ada_in_ops();
    estate.grant_to(&ops, "role=web", |_| {});
    estate.follow(NOW);
    let before = estate.versions();
    estate.world.reopen();
    assert_eq!(estate.look(NOW).unwrap().people.len(), 0);
    estate.set_active(&ada, false);
    estate.follow(NOW);
    assert!(active(&estate, "web-1").is_empty());
    let after = estate.versions();
    assert_eq!(after["web-1"], before["web-1"] + 1);
    assert_eq!(after["db-1"], before["db-1"]);
}

fn where_changes_are_lost_everybody_is_looked_at(on: Engine) {
    let estate = Estate::new(on);
    let (ada, ops) = estate.ada_in_ops();
    estate.grant_to(&ops, "role=web", |_| {});
    estate.follow(NOW);
    estate.set_active(&ada, false);
    estate.forget_events();
    estate.follow(NOW);
    assert!(active(&estate, "web-1").is_empty());
}

fn what_concerns_nobody_writes_nothing(on: Engine) {
    let estate = Estate::new(on);
    estate.ada_in_ops();
    estate.follow(NOW);
    estate.world.named("carl");
    let look = estate.look(NOW).unwrap();
    assert_eq!(look.people.len(), 1);
    let chunks = estate.chunks(look, NOW);
    assert!(chunks.iter().all(host_policies::Chunk::is_idle));
}

fn nothing_is_kept_for_hosts_that_do_not_ask(on: Engine) {
    let estate = Estate::new(on);
    let (ada, ops) = estate.ada_in_ops();
    estate.add_host("silent", &["role=mail"]);
    let mail = estate.grant_to(&ops, "role=mail", |_| {});
    estate.follow(NOW);
    assert_eq!(estate.on("silent"), []);
    assert_eq!(estate.version("silent"), 0);

    // Nobody needs to know who could log in there to find the certificates that say too much.
    estate.certify(1, &ada, &["ada"], &[&mail]);
    estate.tag("silent", &["role=web"]);
    estate.follow(NOW);
    assert_eq!(estate.revoked(), [1]);
    estate.tag("silent", &["role=mail"]);
    estate.follow(NOW);
    estate.certify(2, &ada, &["ada"], &[&mail]);
    estate.delete_host("silent");
    estate.follow(NOW);
    assert_eq!(estate.revoked(), [1, 2]);
}

fn a_host_hears_nothing_before_its_people_are_worked_out(on: Engine) {
    let estate = Estate::new(on);
    // More than one transaction writes.
    let crowd: Vec<String> = (0..600)
        .map(|n| estate.world.named(&format!("p{n:03}")).id)
        .collect();
    let ids: Vec<&str> = crowd.iter().map(String::as_str).collect();
    let all = estate.world.group("all", &ids).id;
    estate.grant_to(&all, "name=late or name=web-1", |_| {});
    estate.follow(NOW);
    estate.add_host("late", &[]);
    estate.follow(NOW);
    let before = estate.versions();
    estate.ask("late");
    assert_eq!(estate.version("late"), 0);
    let look = estate.look(NOW).unwrap();
    let chunks = estate.chunks(look, NOW);
    let (last, first) = chunks.split_last().unwrap();
    estate.write(first, NOW);
    assert!(!active(&estate, "late").is_empty());
    assert_eq!(estate.version("late"), 0, "not all are written down");
    estate.write(std::slice::from_ref(last), NOW);
    assert_eq!(active(&estate, "late").len(), 600);
    let mut after = estate.versions();
    assert_eq!(after.insert("late".into(), 0), Some(1));
    assert_eq!(after, before, "nobody else is told");
}

fn a_document_is_written_down_once_for_each_version(on: Engine) {
    let estate = Estate::new(on);
    estate.follow(NOW);
    let id = estate.host_id("web-1");
    let state = {
        let id = id.clone();
        move |estate: &Estate| {
            let id = id.clone();
            let read = estate
                .world
                .read(move |tx| host_policies::state(tx, TEAM, &id));
            read.unwrap().unwrap()
        }
    };
    let before = state(&estate);
    assert_eq!((before.version, before.issued_version), (1, 0));
    assert_eq!(before.lease, Some(72 * 3600));
    let issued = |text: &str| Issued {
        version: 1,
        envelope: text.to_owned(),
        at: NOW,
        lease_until: None,
    };
    let write = |before: host_policies::State, issued: Issued| {
        let id = id.clone();
        let written = estate
            .world
            .write(move |tx, _| host_policies::issued(tx, TEAM, &id, &before, &issued));
        written.unwrap()
    };
    assert!(write(before.clone(), issued("one")));
    // Another server has made one of the same version.
    assert!(!write(before, issued("two")));
    assert_eq!(state(&estate).envelope.as_deref(), Some("one"));
}

#[expect(clippy::too_many_lines, reason = "it is one story")]
fn other_keys_and_other_rules_are_another_version_for_all(on: Engine) {
    let estate = Estate::new(on);
    let common = |hash: &'static str| {
        let set = estate
            .world
            .write(move |tx, _| host_policies::set_common(tx, TEAM, hash));
        set.unwrap();
    };
    let rules = |settings: Settings| {
        let set = estate
            .world
            .write(move |tx, _| host_policies::set_settings(tx, TEAM, &settings));
        set.map(drop)
    };
    let all = |version: i64| -> BTreeSet<i64> {
        let versions: BTreeSet<i64> = estate.versions().into_values().collect();
        assert_eq!(versions, BTreeSet::from([version]));
        versions
    };
    common("first");
    all(0);
    estate.follow(NOW);
    all(1);
    common("second");
    all(2);
    common("second");
    all(2);
    let zsh = Settings {
        shell: "/bin/zsh".into(),
        ..Settings::default()
    };
    rules(zsh.clone()).unwrap();
    all(3);
    let wrong = [
        Settings {
            shell: "zsh".into(),
            ..zsh.clone()
        },
        Settings {
            home_prefix: "/home/../etc".into(),
            ..zsh.clone()
        },
        Settings {
            home_prefix: "/home/".into(),
            ..zsh.clone()
        },
        Settings {
            lease: Some(1),
            ..zsh
        },
    ];
    for settings in wrong {
        assert!(matches!(rules(settings), Err(Refusal::Invalid { .. })));
    }
    all(3);
    let id = estate.host_id("web-1");
    let set = estate
        .world
        .write(move |tx, _| host_policies::set_lease(tx, TEAM, &id, None));
    set.unwrap();
    assert_eq!(estate.version("web-1"), 4);
    assert_eq!(estate.version("web-2"), 3);
}

fn a_host_that_is_gone_has_no_policy(on: Engine) {
    let estate = Estate::new(on);
    let (ada, ops) = estate.ada_in_ops();
    estate.grant_to(&ops, "*", |_| {});
    estate.follow(NOW);
    let id = estate.host_id("web-1");
    let version = |id: &str| {
        let id = id.to_owned();
        let read = estate
            .world
            .read(move |tx| host_policies::version(tx, TEAM, &id));
        read.unwrap().0
    };
    let before = version(&id);
    estate.delete_host("web-1");
    estate.follow(NOW);
    // Whoever waits for another version hears that there is one, and that the host is gone.
    assert!(version(&id) > before);
    estate.delete_host("db-1");
    estate.follow(NOW);
    assert_eq!(version(&id), 0);
    // What somebody had there is still known.
    let rows = estate
        .world
        .read(move |tx| host_accounts::of_holder(tx, TEAM, &ada));
    let rows = rows.unwrap();
    let gone = rows.iter().find(|row| row.host_id == id).unwrap();
    assert!(!gone.is_active);
    assert_eq!(rows.iter().filter(|row| row.is_active).count(), 1);
}

fn groups_that_are_made_keep_their_numbers(on: Engine) {
    let estate = Estate::new(on);
    let set = |names: &[&str]| {
        let names: BTreeSet<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let set = estate
            .world
            .write(move |tx, _| host_policies::set_managed_groups(tx, TEAM, &names));
        set.map(drop)
    };
    let groups = || {
        let id = estate.host_id("web-1");
        let read = estate
            .world
            .read(move |tx| host_policies::material(tx, TEAM, &id));
        read.unwrap().unwrap().groups
    };
    set(&["web-users", "db-users"]).unwrap();
    let first = groups();
    assert_eq!(first.len(), 2);
    set(&["web-users"]).unwrap();
    assert_eq!(groups().len(), 1);
    set(&["web-users", "db-users", "others"]).unwrap();
    let last = groups();
    assert!(first.iter().all(|group| last.contains(group)));
    let numbers: BTreeSet<u32> = last.iter().map(|(_, gid)| *gid).collect();
    assert_eq!(numbers.len(), 3);
    for wrong in ["docker", "portreeve", "a b", ""] {
        assert!(set(&[wrong]).is_err(), "{wrong:?}");
    }
}
