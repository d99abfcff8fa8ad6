//! Levels and suspensions: what is decided here beside what the provider says.

use crate::engine::{Engine, on_each_engine};
use crate::world::World;
use portreeve_directory::holders::{self, Holder};
use portreeve_directory::permissions::{Level, Permissions};
use portreeve_directory::resolve::{self, Claims};
use portreeve_directory::sessions::{self, Carrier, New};
use portreeve_directory::users::{Precondition, Status, User};
use portreeve_directory::{Refusal, api_tokens, levels, owners, passkeys, suspensions, users};
use portreeve_store::params;
use serde_json::{Value, json};

on_each_engine! {
    a_level_holds_until_the_user_is_suspended
    a_team_keeps_an_owner
    somebody_suspended_here_stays_out_whatever_the_provider_sends
    sessions_end_with_their_holder
    nothing_is_kept_of_how_a_deleted_user_came_in
    a_change_that_was_worked_out_before_a_level_was_given_does_not_take_it_away
}

const ANY: Precondition = Precondition::None;

fn active(value: bool) -> Value {
    json!([{"op": "replace", "path": "active", "value": value}])
}

fn level(world: &World, user: &User, level: Level) -> Result<User, Refusal> {
    let id = user.id.clone();
    world.write(move |tx, call| Ok(levels::set(tx, call, &id, level, &ANY)?.now))
}

fn suspend(world: &World, user: &User) -> Result<User, Refusal> {
    let id = user.id.clone();
    world.write(move |tx, call| Ok(suspensions::suspend(tx, call, &id, &ANY)?.now))
}

fn reinstate(world: &World, user: &User) -> User {
    let id = user.id.clone();
    let done = world.write(move |tx, call| Ok(suspensions::reinstate(tx, call, &id, &ANY)?.now));
    done.unwrap()
}

fn of(world: &World, user: &User) -> Holder {
    Holder::User {
        directory_id: world.directory.id.clone(),
        id: user.id.clone(),
    }
}

/// What somebody may do now; nothing for who is out.
fn may(world: &World, user: &User) -> Permissions {
    let (team, holder) = (world.directory.team_id.clone(), of(world, user));
    let standing = world.read(move |tx| holders::standing(tx, &team, &holder));
    standing
        .unwrap()
        .map(|it| it.permissions)
        .unwrap_or_default()
}

/// An owner who belongs to no directory.
fn local_owner(world: &World) {
    world
        .write(|tx, call| owners::ensure(tx, &call.directory.team_id, "root", "o1", call.at))
        .unwrap();
}

/// The last event as action and changes.
fn told(world: &World) -> (String, Value) {
    let event = world.events().pop().unwrap();
    (event.action, Value::Array(event.changes))
}

fn a_level_holds_until_the_user_is_suspended(on: Engine) {
    let world = World::new(on);
    let ann = world.named("ann");
    assert_eq!(may(&world, &ann), Level::User.permissions());
    let admin = level(&world, &ann, Level::Admin).unwrap();
    assert_eq!((admin.level.as_str(), admin.version), ("admin", 2));
    assert_eq!(may(&world, &ann), Level::Admin.permissions());
    assert_eq!(
        told(&world),
        (
            "level".to_owned(),
            json!([{"attribute": "level", "old": "user", "new": "admin"}])
        )
    );
    let events = world.events().len();
    let again = level(&world, &ann, Level::Admin).unwrap();
    assert_eq!((again.version, world.events().len()), (2, events));

    world.patch_user(&ann.id, active(false)).unwrap();
    assert_eq!(may(&world, &ann), Permissions::default());
    let refused = level(&world, &ann, Level::Auditor);
    assert!(
        matches!(
            refused,
            Err(Refusal::Invalid {
                attribute: "level",
                ..
            })
        ),
        "{refused:?}"
    );
    world.patch_user(&ann.id, active(true)).unwrap();
    assert_eq!(may(&world, &ann), Level::User.permissions());
}

fn a_team_keeps_an_owner(on: Engine) {
    let world = World::new(on);
    let (ann, bob) = (world.named("ann"), world.named("bob"));
    level(&world, &ann, Level::Owner).unwrap();
    let last = |refused: Result<User, Refusal>| {
        let refused = refused.expect_err("the last owner");
        assert!(refused.to_string().contains("last owner"), "{refused}");
    };
    last(level(&world, &ann, Level::Admin));
    last(suspend(&world, &ann));
    assert_eq!(
        world.get(&ann.id).unwrap().level,
        "owner",
        "nothing was left behind"
    );

    level(&world, &bob, Level::Owner).unwrap();
    suspend(&world, &ann).unwrap();
    last(level(&world, &bob, Level::User));
    local_owner(&world);
    level(&world, &bob, Level::User).unwrap();
}

fn somebody_suspended_here_stays_out_whatever_the_provider_sends(on: Engine) {
    let world = World::new(on);
    let ann = world.named("ann");
    world.group("Sales", &[&ann.id]);
    level(&world, &ann, Level::Auditor).unwrap();
    let out = suspend(&world, &ann).unwrap();
    assert_eq!(
        (out.status, out.level.as_str()),
        (Status::Active, "auditor"),
        "what the provider said stands beside it"
    );
    assert_eq!(
        told(&world),
        (
            "suspend".to_owned(),
            json!([{"attribute": "status", "old": "active", "new": "suspended"}])
        )
    );
    for sent in [active(true), active(false), active(true)] {
        world.patch_user(&ann.id, sent.clone()).unwrap();
        assert_eq!(may(&world, &ann), Permissions::default(), "{sent}");
    }
    assert_eq!(world.groups_of(&ann.id), ["Sales"], "memberships are kept");
    let again = suspend(&world, &ann).unwrap();
    assert_eq!(again.version, world.get(&ann.id).unwrap().version);

    let back = reinstate(&world, &ann);
    assert_eq!(back.level, "user");
    assert_eq!(may(&world, &ann), Level::User.permissions());
    world.patch_user(&ann.id, active(false)).unwrap();
    suspend(&world, &ann).unwrap();
    reinstate(&world, &ann);
    assert_eq!(
        may(&world, &ann),
        Permissions::default(),
        "the provider keeps them out"
    );
}

fn sessions_end_with_their_holder(on: Engine) {
    for (how, why) in [
        ("deactivated by the provider", "suspended"),
        ("suspended here", "suspended"),
        ("deleted", "removed"),
    ] {
        let world = World::new(on);
        let ann = world.named("ann");
        let (team, holder) = (world.directory.team_id.clone(), of(&world, &ann));
        let session = world
            .write(move |tx, call| {
                let new = New {
                    id: "0190f6f0-0000-7000-8000-000000000001",
                    carrier: Carrier::Browser,
                    holder: &holder,
                    method: "oidc",
                    passkey_id: None,
                    address: "192.0.2.1",
                    agent: "Firefox",
                    provider: None,
                };
                Ok(sessions::start(tx, &team, &new, call.at)?.0)
            })
            .unwrap();
        let id = ann.id.clone();
        match how {
            "deleted" => world.delete_user(&id).unwrap(),
            "suspended here" => drop(suspend(&world, &ann).unwrap()),
            _ => drop(world.patch_user(&id, active(false)).unwrap()),
        }
        let team = world.directory.team_id.clone();
        let (one, at) = (session.id.clone(), session.created_at);
        let ended = world
            .read(move |tx| {
                Ok((
                    sessions::by_id(tx, &team, &one).ok(),
                    sessions::live(tx, &team, at, None, 9)?,
                ))
            })
            .unwrap();
        let kept = ended.0.map(|session| session.ended_why);
        let expected = (how != "deleted").then(|| Some(why.to_owned()));
        assert_eq!(kept, expected, "{how}");
        assert!(ended.1.is_empty(), "{how}");
        let events = world.events();
        let event = events
            .iter()
            .find(|event| event.object_id.as_ref() == Some(&session.id));
        let event = event.expect("an event of the session");
        assert_eq!(
            (event.category.as_str(), event.action.as_str()),
            ("SESSION", "end"),
            "{how}"
        );
        assert_eq!(event.changes[0]["new"], why, "{how}");
    }
}

#[expect(
    clippy::too_many_lines,
    reason = "a table of what is looked for, and where"
)]
fn nothing_is_kept_of_how_a_deleted_user_came_in(on: Engine) {
    let world = World::new(on);
    let (ann, bob) = (world.named("ann"), world.named("bob"));
    for (user, credential) in [(&ann, b"a"), (&bob, b"b")] {
        let (team, holder) = (world.directory.team_id.clone(), of(&world, user));
        let made = world.write(move |tx, call| {
            let (id, at) = (call.new_id(), call.at);
            let session = New {
                id: &id,
                carrier: Carrier::Cli,
                holder: &holder,
                method: "browser",
                passkey_id: None,
                address: "192.0.2.1",
                agent: "portreeve",
                provider: None,
            };
            sessions::start(tx, &team, &session, at)?;
            let token = api_tokens::New {
                id: &id,
                name: "t",
                holder: &holder,
                permissions: Level::User.permissions(),
                expires_at: None,
            };
            api_tokens::create(tx, &team, &token, at)?;
            let passkey = passkeys::New {
                credential_id: credential,
                holder: &holder,
                name: "k",
                public_key: b"key",
                counter: 0,
                backup_eligible: false,
            };
            passkeys::add(tx, &team, &passkey, at)?;
            let claims = Claims {
                issuer: "https://id.example".to_owned(),
                subject: holder.id().to_owned(),
                ..Claims::default()
            };
            resolve::link(tx, &call.directory.id, &claims, holder.id(), at)
        });
        made.unwrap();
    }
    let rows = |user: &User| {
        let id = user.id.clone();
        let counted = world.read(move |tx| {
            let of = [
                ("sessions", "holder_id"),
                ("api_tokens", "holder_id"),
                ("passkeys", "holder_id"),
                ("subjects", "user_id"),
            ];
            let count = of.map(|(table, column)| {
                let sql = format!("SELECT count(*) FROM {table} WHERE {column} = $1");
                let row = tx.query_one(&sql, &params![&id])?;
                row.map_or(Ok(0), |row| Ok(row.int(0)?))
            });
            count.into_iter().collect::<Result<Vec<i64>, Refusal>>()
        });
        counted.unwrap()
    };
    assert_eq!(rows(&ann), [1, 1, 1, 1]);
    world.delete_user(&ann.id).unwrap();
    assert_eq!(rows(&ann), [0, 0, 0, 0]);
    assert_eq!(rows(&bob), [1, 1, 1, 1], "somebody else");
}

fn a_change_that_was_worked_out_before_a_level_was_given_does_not_take_it_away(on: Engine) {
    let world = World::new(on);
    let ann = world.named("ann");
    let resource = world.parse(false, json!({"userName": "ann", "displayName": "Ann"}));
    let id = ann.id.clone();
    level(&world, &ann, Level::Admin).unwrap();
    let stale = Precondition::Version(vec![ann.version]);
    let refused =
        world.write(move |tx, call| users::replace(tx, call, &id, &resource, &stale).map(drop));
    assert!(
        matches!(refused, Err(Refusal::Changed { .. })),
        "{refused:?}"
    );
    assert_eq!(world.get(&ann.id).unwrap().level, "admin");
}
