//! Passkeys that are kept.

use crate::engine::{Engine, on_each_engine};
use crate::world::World;
use portreeve_directory::holders::Holder;
use portreeve_directory::passkeys::{self, Kept, MOST, New, Passkey};
use portreeve_directory::{Refusal, What};

on_each_engine! {
    a_passkey_is_kept_used_and_removed
    a_passkey_belongs_to_one_holder_of_one_team
    a_passkey_that_cannot_be_kept_is_refused
}

const TEAM: &str = "0192f7a0-0000-7000-8000-000000000001";
const OTHER_TEAM: &str = "0192f7a0-0000-7000-8000-000000000002";
const OWNER: &str = "0192f7a0-0000-7000-8000-00000000000a";

fn owner() -> Holder {
    Holder::Owner(OWNER.to_owned())
}

fn added(
    world: &World,
    holder: &Holder,
    credential_id: &[u8],
    name: &str,
    now: i64,
) -> Result<Passkey, Refusal> {
    let (holder, id, name) = (holder.clone(), credential_id.to_vec(), name.to_owned());
    world.write(move |tx, _| {
        let new = New {
            credential_id: &id,
            holder: &holder,
            name: &name,
            public_key: b"a key",
            counter: 7,
            backup_eligible: true,
        };
        passkeys::add(tx, TEAM, &new, now)
    })
}

fn kept(world: &World, team_id: &'static str, id: &str) -> Option<Kept> {
    let id = id.to_owned();
    world
        .read(move |tx| passkeys::by_id(tx, team_id, &id))
        .unwrap()
}

fn held(world: &World, holder_id: &'static str) -> Vec<String> {
    let held = world
        .read(move |tx| passkeys::of_holder(tx, TEAM, holder_id))
        .unwrap();
    held.into_iter().map(|passkey| passkey.name).collect()
}

fn a_passkey_is_kept_used_and_removed(on: Engine) {
    let world = World::new(on);
    let passkey = added(&world, &owner(), b"\xff\xfe", " Key on my ring ", 5).unwrap();
    let expected = Passkey {
        id: "__4".to_owned(),
        holder: owner(),
        name: "Key on my ring".to_owned(),
        backup_eligible: true,
        created_at: 5,
        last_used_at: None,
    };
    assert_eq!(passkey, expected);
    assert_eq!(passkey.credential_id(), b"\xff\xfe");
    let first = kept(&world, TEAM, "__4").unwrap();
    let expected = Kept {
        passkey: expected,
        public_key: b"a key".to_vec(),
        counter: 7,
    };
    assert_eq!(first, expected);

    // The second one was read before the first one was written.
    for (expected, now) in [(true, 10), (false, 11)] {
        let first = first.clone();
        let used = world.write(move |tx, _| passkeys::used(tx, TEAM, &first, 8, now));
        assert_eq!(used.unwrap(), expected);
    }
    let second = kept(&world, TEAM, "__4").unwrap();
    assert_eq!((second.counter, second.passkey.last_used_at), (8, Some(10)));

    added(&world, &owner(), b"another", "Another", 6).unwrap();
    assert_eq!(held(&world, OWNER), ["Key on my ring", "Another"]);
    let removed = world.write(|tx, _| passkeys::delete(tx, TEAM, OWNER, "__4"));
    assert_eq!(removed.unwrap().name, "Key on my ring");
    assert_eq!(held(&world, OWNER), ["Another"]);
    world
        .write(|tx, _| passkeys::delete_of_holder(tx, TEAM, OWNER))
        .unwrap();
    assert_eq!(held(&world, OWNER), [""; 0]);
    let used = world.write(move |tx, _| passkeys::used(tx, TEAM, &second, 9, 12));
    assert!(!used.unwrap(), "it is gone");
}

fn a_passkey_belongs_to_one_holder_of_one_team(on: Engine) {
    let world = World::new(on);
    let passkey = added(&world, &owner(), b"one", "One", 5).unwrap();
    assert_eq!(kept(&world, OTHER_TEAM, &passkey.id), None);
    for (team_id, holder_id) in [(OTHER_TEAM, OWNER), (TEAM, TEAM)] {
        let id = passkey.id.clone();
        let refused = world.write(move |tx, _| passkeys::delete(tx, team_id, holder_id, &id));
        assert!(matches!(refused, Err(Refusal::NotFound(What::Passkey, _))));
    }
    assert_eq!(held(&world, OWNER), ["One"]);
    let handle = passkeys::user_handle(TEAM, OWNER);
    assert_eq!(passkeys::team_of(&handle).as_deref(), Some(TEAM));
    for foreign in [&handle[..31], &handle[..16], &[]] {
        assert_eq!(passkeys::team_of(foreign), None);
    }
}

fn a_passkey_that_cannot_be_kept_is_refused(on: Engine) {
    let world = World::new(on);
    for name in ["", " ", "two\nlines", &"n".repeat(65)] {
        let refused = added(&world, &owner(), b"one", name, 5).unwrap_err();
        assert!(
            refused.to_string().starts_with("name: "),
            "{name:?}: {refused}"
        );
    }
    added(&world, &owner(), b"one", "One", 5).unwrap();
    let somebody = Holder::User {
        directory_id: world.directory.id.clone(),
        id: "u".to_owned(),
    };
    let twice = added(&world, &somebody, b"one", "One", 5).unwrap_err();
    assert!(matches!(
        twice,
        Refusal::Conflict {
            what: What::Passkey,
            ..
        }
    ));
    for n in 1..MOST {
        added(&world, &owner(), &[u8::try_from(n).unwrap()], "More", 5).unwrap();
    }
    let many = added(&world, &owner(), b"more", "More", 5).unwrap_err();
    assert!(many.to_string().contains("more than 20"), "{many}");
}
