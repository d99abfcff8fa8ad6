//! Accounts on hosts: names by the rule, numbers from the pool or the provider.

use crate::engine::{Engine, on_each_engine};
use crate::world::World;
use portreeve_access::Expression;
use portreeve_access::RemoteIdentity;
use portreeve_access::posix::{Dots, NameRule};
use portreeve_directory::accounts::{self, Account, Problem};
use portreeve_directory::directories::{self, Directory, New, Provider, Settings};
use portreeve_directory::hosts::{self, Decided};
use portreeve_directory::users::User;
use portreeve_directory::{Permissions, holders::Holder};
use portreeve_directory::{Refusal, access, remote_identities, service_accounts, teams};
use serde_json::{Value, json};

on_each_engine! {
    names_follow_the_rule_and_numbers_rise
    what_cannot_be_a_name_is_reported_and_free_names_are_taken_by_whoever_needs_one
    a_name_follows_its_person_and_a_number_stays
    numbers_of_the_provider_are_taken_over_unless_somebody_has_them
    numbers_that_were_imported_are_passed_over
    an_empty_pool_is_followed_by_another
    the_same_person_in_another_directory_keeps_the_number
    people_are_given_accounts_as_they_come
    a_rule_is_tried_on_everybody_first
    remote_identities_count_in_their_order
}

const POSIX: &str = "urn:portreeve:params:scim:schemas:extension:posix:2.0:User";

fn ensure_in(world: &World, directory: Directory, user: &User) -> Result<Account, Refusal> {
    let user = user.clone();
    world
        .write(move |tx, call| accounts::ensure(tx, &directory.team_id, &directory, &user, call.at))
}

fn ensure(world: &World, user: &User) -> Account {
    ensure_in(world, (*world.directory).clone(), user).unwrap()
}

fn with_posix(world: &World, name: &str, posix: Value) -> User {
    let mut body = json!({"userName": name});
    body[POSIX] = posix;
    world.user(body)
}

fn host(world: &World, name: &str) {
    let name = name.to_owned();
    let made = world.write(move |tx, call| {
        let new = Decided {
            name: name.clone(),
            ..Decided::default()
        };
        hosts::create(tx, &call.directory.team_id, &call.new_id(), &new, call.at)
    });
    made.unwrap();
}

fn follow(world: &World) {
    while let Some(needing) = world.read(|tx| accounts::look(tx, "t1")).unwrap() {
        world
            .write(move |tx, call| accounts::settle(tx, &needing, call.at))
            .unwrap();
    }
}

/// Everybody of the directory with what they have been given.
fn given(world: &World) -> Vec<(String, Option<u32>)> {
    let directory = world.directory.clone();
    let page = world
        .read(move |tx| accounts::page(tx, &directory, "", 100))
        .unwrap();
    let mut all: Vec<_> = page
        .into_iter()
        .map(|one| {
            let name = one.user.parsed().unwrap().user_name().unwrap().to_owned();
            (name, one.account.numbers.map(|(uid, _)| uid))
        })
        .collect();
    all.sort();
    all
}

fn activate(world: &World, id: Option<&str>) {
    let id = id.map(str::to_owned);
    let done = world.write(move |tx, call| {
        let team = teams::by_id(tx, &call.directory.team_id)?;
        teams::activate(tx, &team, id.as_deref())
    });
    done.unwrap();
}

fn names_follow_the_rule_and_numbers_rise(on: Engine) {
    let world = World::with(on, |settings| settings.posix_names.dots = Dots::Hyphen);
    let ada = world.named("Ada.Lovelace@contoso.example");
    let bob = world.named("bob@contoso.example");
    let first = ensure(&world, &ada);
    assert_eq!(first.name.as_deref(), Ok("ada-lovelace"));
    assert_eq!((first.uid, first.gid), (65_536, 65_536));
    assert_eq!(ensure(&world, &bob).uid, 65_537);
    assert_eq!(ensure(&world, &ada), first, "once is enough");
}

fn what_cannot_be_a_name_is_reported_and_free_names_are_taken_by_whoever_needs_one(on: Engine) {
    let world = World::new(on);
    let root = world.named("root@contoso.example");
    let Err(Problem::Name { name, .. }) = ensure(&world, &root).name else {
        panic!("root is nobody's account");
    };
    assert_eq!(name, "root");
    let first = world.named("ada@contoso.example");
    let second = world.named("ada@fabrikam.example");
    assert_eq!(ensure(&world, &first).name.as_deref(), Ok("ada"));
    let taken = Problem::Taken {
        name: "ada".to_owned(),
        by: "ada@contoso.example".to_owned(),
    };
    assert_eq!(ensure(&world, &second).name, Err(taken.clone()));
    // Service accounts are of the whole team.
    let service = world.write(|tx, call| {
        let account = service_accounts::create(
            tx,
            &call.directory.team_id,
            "s1",
            "ada",
            Permissions::default(),
            call.at,
        )?;
        accounts::ensure_service(tx, &call.directory.team_id, &account, call.at)
    });
    assert_eq!(service.unwrap().name, Err(taken));
    world.delete_user(&first.id).unwrap();
    let second = ensure(&world, &second);
    assert_eq!(second.name.as_deref(), Ok("ada"), "the name is free");
    assert_eq!(second.uid, 65_538, "the number is not");
}

fn a_name_follows_its_person_and_a_number_stays(on: Engine) {
    let world = World::new(on);
    let ada = world.named("ada@contoso.example");
    let before = ensure(&world, &ada);
    let renamed = world
        .patch_user(
            &ada.id,
            json!([{"op": "replace", "path": "userName", "value": "countess@contoso.example"}]),
        )
        .unwrap();
    let after = ensure(&world, &renamed);
    assert_eq!(after.name.as_deref(), Ok("countess"));
    assert_eq!(after.uid, before.uid);
    let other = world.named("ada@contoso.example");
    let other = ensure(&world, &other);
    assert_eq!(other.name.as_deref(), Ok("ada"));
    assert_ne!(other.uid, before.uid);
}

fn numbers_of_the_provider_are_taken_over_unless_somebody_has_them(on: Engine) {
    let world = World::new(on);
    let ada = with_posix(&world, "ada", json!({"uid": 70_000, "gid": 5_000}));
    let ada = ensure(&world, &ada);
    assert_eq!((ada.uid, ada.gid, ada.number), (70_000, 5_000, None));
    for (name, posix, problem) in [
        ("somebody has it", json!({"uid": 70_000}), "number"),
        ("of the system", json!({"uid": 0}), "number"),
        ("no number of a user", json!({"uid": -7}), "number"),
    ] {
        let user = with_posix(&world, &name.replace(' ', ""), posix);
        let account = ensure(&world, &user);
        assert!((65_536..70_000).contains(&account.uid), "{name}");
        assert_eq!(account.uid, account.gid, "{name}");
        assert_eq!(account.number.map(|it| it.code()), Some(problem), "{name}");
    }
    let late = world.named("late");
    let given = ensure(&world, &late).uid;
    let path = format!("{POSIX}:uid");
    let late = world
        .patch_user(
            &late.id,
            json!([{"op": "add", "path": path, "value": 71_000}]),
        )
        .unwrap();
    let late = ensure(&world, &late);
    assert_eq!(late.uid, given, "files on hosts keep it");
    assert_eq!(
        late.number,
        Some(Problem::Other {
            number: 71_000,
            given
        })
    );
}

fn numbers_that_were_imported_are_passed_over(on: Engine) {
    let world = World::new(on);
    for number in 0..130 {
        let user = with_posix(
            &world,
            &format!("i{number}"),
            json!({"uid": 65_537 + number}),
        );
        ensure(&world, &user);
    }
    assert_eq!(ensure(&world, &world.named("first")).uid, 65_536);
    assert_eq!(ensure(&world, &world.named("second")).uid, 65_537 + 130);
}

fn an_empty_pool_is_followed_by_another(on: Engine) {
    let world = World::new(on);
    ensure(&world, &world.named("first"));
    let near_the_end = world.write(|tx, _| {
        let sql = "UPDATE posix_pools SET next = last WHERE team_id = $1";
        Ok(tx.exec(sql, &portreeve_store::params!["t1"])?)
    });
    near_the_end.unwrap();
    assert_eq!(ensure(&world, &world.named("last")).uid, 99_999);
    assert_eq!(ensure(&world, &world.named("next")).uid, 1_879_048_192);
    assert_eq!(ensure(&world, &world.named("on")).uid, 1_879_048_193);
}

fn the_same_person_in_another_directory_keeps_the_number(on: Engine) {
    let world = World::new(on);
    let ada = world.named("ada@contoso.example");
    let before = ensure(&world, &ada);
    let other = world.write(|tx, call| {
        let new = New {
            id: call.new_id(),
            team_id: call.directory.team_id.clone(),
            name: "New provider".into(),
            provider: Provider::Okta,
            settings: Settings::of(Provider::Okta),
        };
        directories::create(tx, &new, call.at)
    });
    let other = other.unwrap();
    let resource = world.parse(false, json!({"userName": "ADA@contoso.example"}));
    let of = other.clone();
    let user = world.write(move |tx, call| {
        let call = portreeve_directory::Call {
            directory: std::sync::Arc::new(of.clone()),
            ..call.clone()
        };
        let new = portreeve_directory::users::NewUser::of(&of, resource.clone())?;
        portreeve_directory::users::create(tx, &call, &new)
    });
    let after = ensure_in(&world, other, &user.unwrap()).unwrap();
    assert_eq!(after.name.as_deref(), Ok("ada"));
    assert_eq!(after.uid, before.uid);
}

fn people_are_given_accounts_as_they_come(on: Engine) {
    let world = World::new(on);
    let early = world.named("early");
    follow(&world);
    assert_eq!(
        given(&world),
        [("early".to_owned(), None)],
        "there is no host"
    );
    host(&world, "web-1");
    activate(&world, Some(&world.directory.id));
    follow(&world);
    assert_eq!(given(&world), [("early".to_owned(), Some(65_536))]);
    world.named("late");
    let stale = world.read(|tx| accounts::look(tx, "t1")).unwrap().unwrap();
    follow(&world);
    let both = [
        ("early".to_owned(), Some(65_536)),
        ("late".to_owned(), Some(65_537)),
    ];
    assert_eq!(given(&world), both);
    world
        .patch_user(
            &early.id,
            json!([{"op": "replace", "path": "active", "value": false}]),
        )
        .unwrap();
    follow(&world);
    assert_eq!(given(&world), both);
    world
        .write(move |tx, call| accounts::settle(tx, &stale, call.at))
        .unwrap();
    let again = world.read(|tx| accounts::look(tx, "t1")).unwrap();
    assert!(again.is_none(), "whoever comes late does nothing");
}

fn a_rule_is_tried_on_everybody_first(on: Engine) {
    let world = World::new(on);
    let ada = world.named("ada.lovelace@contoso.example");
    ensure(&world, &ada);
    world.named("adalovelace@contoso.example");
    world.named("o'neill@contoso.example");
    let rule = |dots| NameRule {
        dots,
        ..NameRule::default()
    };
    let preview = |rule: NameRule| {
        let directory = world.directory.clone();
        world
            .read(move |tx| accounts::preview(tx, &directory, rule))
            .unwrap()
    };
    let now = preview(rule(Dots::Drop));
    assert_eq!((now.people, now.named, now.renamed), (3, 1, 0));
    let codes: Vec<_> = now.without.iter().map(|one| one.2.code()).collect();
    assert_eq!(codes, ["taken", "character"], "whoever has it keeps it");
    let then = preview(rule(Dots::Underscore));
    assert_eq!((then.people, then.named, then.renamed), (3, 2, 1));
    let renamed = (
        "ada.lovelace@contoso.example".to_owned(),
        "adalovelace".to_owned(),
        Some("ada_lovelace".to_owned()),
    );
    assert_eq!(then.renames, [renamed]);
    assert_eq!(then.without[0].2.code(), "character");
}

fn remote_identities_count_in_their_order(on: Engine) {
    let world = World::new(on);
    let ada = with_posix(&world, "ada", json!({"remoteIdentity": "adal"}));
    let own = |hosts: &str, name: &str| RemoteIdentity {
        hosts: hosts.parse::<Expression>().unwrap(),
        name: name.to_owned(),
    };
    let set = |wanted: Vec<RemoteIdentity>| {
        let (directory, id) = (world.directory.id.clone(), ada.id.clone());
        world.write(move |tx, call| {
            let holder = (Some(directory.as_str()), id.as_str());
            remote_identities::set(tx, &call.directory.team_id, holder, &wanted)
        })
    };
    ensure(&world, &world.named("bob"));
    for (name, wanted) in [
        ("root has sudo for that", vec![own("*", "root")]),
        ("no name", vec![own("*", "Ada L")]),
        ("too many", vec![own("*", "ada"); 21]),
        ("somebody else", vec![own("*", "bob")]),
    ] {
        assert!(set(wanted).is_err(), "{name}");
    }
    set(vec![own("os=ubuntu", "ubuntu"), own("legacy", "alovelace")]).unwrap();
    let facts = |world: &World, user: &User| {
        let holder = Holder::User {
            directory_id: world.directory.id.clone(),
            id: user.id.clone(),
        };
        let known = world.read(move |tx| access::person(tx, "t1", &holder, 0));
        known.unwrap().remote_identities
    };
    let known = facts(&world, &ada);
    let names: Vec<_> = known
        .iter()
        .map(|one| format!("{} on {}", one.name, one.hosts))
        .collect();
    assert_eq!(
        names,
        [
            "ubuntu on os=ubuntu",
            "alovelace on legacy",
            "adal on remote-identity"
        ]
    );
    let adal = world.named("adal");
    ensure(&world, &adal);
    let known = facts(&world, &ada);
    assert_eq!(
        known.len(),
        2,
        "what the provider sends is somebody else's by now"
    );
    world.delete_user(&ada.id).unwrap();
    let left = world.read(move |tx| remote_identities::list(tx, "t1", &ada.id));
    assert_eq!(left.unwrap(), []);
}
