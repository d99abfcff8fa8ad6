//! Memberships that are added here, beside those that the provider manages.

use crate::engine::{Engine, on_each_engine};
use crate::world::World;
use portreeve_directory::directories::GroupRemoval;
use portreeve_directory::memberships::{self, InGroup, Member};
use portreeve_directory::{Refusal, local_members};
use serde_json::{Value, json};

on_each_engine! {
    both_kinds_count_and_each_says_where_it_is_from
    the_provider_neither_sees_nor_touches_local_ones
    one_that_has_ended_counts_no_longer_and_is_cleared_away_with_an_event
    adding_one_again_moves_its_end
    what_cannot_be_added_is_refused
    nested_groups_count_from_local_ones_on
    pages_of_members_have_everybody_once
    nothing_is_left_of_who_is_gone
    a_group_that_comes_back_has_its_local_members_again_and_says_so
}

const HOUR: i64 = 3_600_000_000;

fn add(world: &World, group: &str, user: &str, end: Option<i64>) -> Result<bool, Refusal> {
    let (group, user) = (group.to_owned(), user.to_owned());
    world.write(move |tx, call| Ok(local_members::add(tx, call, &group, &user, end)?.1))
}

fn groups_of(world: &World, user: &str, now: i64) -> Vec<InGroup> {
    let (directory, user) = (world.directory.id.clone(), user.to_owned());
    let found = world.read(move |tx| memberships::of_user(tx, &directory, &user, now));
    found.unwrap()
}

fn page(world: &World, group: &str, after: &str, limit: i64, now: i64) -> Vec<Member> {
    let (directory, group) = (world.directory.id.clone(), group.to_owned());
    let after = after.to_owned();
    let found =
        world.read(move |tx| memberships::page(tx, &directory, &group, &after, (limit, now)));
    found.unwrap()
}

fn count(world: &World, group: &str, now: i64) -> i64 {
    let (directory, group) = (world.directory.id.clone(), group.to_owned());
    let found = world.read(move |tx| memberships::count(tx, &directory, &group, now));
    found.unwrap()
}

fn now(world: &World) -> i64 {
    world.call().at
}

fn told(world: &World) -> (String, Value) {
    let event = world.events().pop().unwrap();
    (event.action, Value::Array(event.changes))
}

fn both_kinds_count_and_each_says_where_it_is_from(on: Engine) {
    let world = World::new(on);
    let (ann, bob) = (world.named("ann"), world.named("bob"));
    let (sales, night) = (world.group("Sales", &[&ann.id]), world.group("Night", &[]));
    let end = now(&world) + HOUR;
    assert!(add(&world, &night.id, &ann.id, Some(end)).unwrap());
    assert!(add(&world, &sales.id, &bob.id, None).unwrap());
    assert!(
        add(&world, &sales.id, &ann.id, None).unwrap(),
        "beside the provider's"
    );
    let at = now(&world);
    let seen: Vec<_> = groups_of(&world, &ann.id, at)
        .into_iter()
        .map(|it| {
            (
                it.display,
                it.direct,
                it.managed,
                it.local.map(|l| l.expires_at),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("Sales".to_owned(), true, true, Some(None)),
            ("Night".to_owned(), true, false, Some(Some(end))),
        ]
    );
    let who: Vec<_> = page(&world, &sales.id, "", 10, at)
        .into_iter()
        .map(|it| (it.name.unwrap(), it.managed, it.local.is_some()))
        .collect();
    assert_eq!(
        who,
        [
            ("ann".to_owned(), true, true),
            ("bob".to_owned(), false, true)
        ]
    );
    assert_eq!(
        (count(&world, &sales.id, at), count(&world, &night.id, at)),
        (2, 1)
    );
}

fn the_provider_neither_sees_nor_touches_local_ones(on: Engine) {
    let world = World::new(on);
    let (ann, bob) = (world.named("ann"), world.named("bob"));
    let sales = world.group("Sales", &[&ann.id]);
    add(&world, &sales.id, &bob.id, None).unwrap();
    assert_eq!(world.members(&sales.id), std::slice::from_ref(&ann.id));
    assert_eq!(world.groups_of(&bob.id), Vec::<String>::new());
    assert_eq!(world.get_group(&sales.id).unwrap().version, sales.version);
    world
        .patch_group(&sales.id, json!([{"op": "remove", "path": "members"}]))
        .unwrap();
    let at = now(&world);
    let left: Vec<_> = page(&world, &sales.id, "", 10, at)
        .into_iter()
        .map(|it| it.id)
        .collect();
    assert_eq!(left, [bob.id]);
}

fn one_that_has_ended_counts_no_longer_and_is_cleared_away_with_an_event(on: Engine) {
    let world = World::new(on);
    let ann = world.named("ann");
    let night = world.group("Night", &[]);
    let end = now(&world) + HOUR;
    add(&world, &night.id, &ann.id, Some(end)).unwrap();
    for (at, counts) in [(end - 1, true), (end, false), (end + 1, false)] {
        assert_eq!(groups_of(&world, &ann.id, at).len() == 1, counts, "{at}");
        assert_eq!(
            page(&world, &night.id, "", 10, at).len() == 1,
            counts,
            "{at}"
        );
        assert_eq!(count(&world, &night.id, at) == 1, counts, "{at}");
    }
    let due = |at| {
        world
            .read(move |tx| local_members::ended(tx, at, 10))
            .unwrap()
    };
    assert_eq!(due(end - 1), Vec::<String>::new());
    assert_eq!(due(end), std::slice::from_ref(&world.directory.id));
    let clear = || {
        let cleared = world.write(move |tx, call| {
            let mut call = call.clone();
            call.at = end;
            local_members::clear_ended(tx, &call, 10)
        });
        cleared.unwrap()
    };
    assert_eq!((clear(), clear()), (1, 0));
    assert_eq!(
        told(&world),
        (
            "expire_member".to_owned(),
            json!([{"attribute": "members", "old": [ann.id]}])
        )
    );
    assert_eq!(due(end), Vec::<String>::new());
}

fn adding_one_again_moves_its_end(on: Engine) {
    let world = World::new(on);
    let ann = world.named("ann");
    let night = world.group("Night", &[]);
    let end = now(&world) + HOUR;
    assert!(add(&world, &night.id, &ann.id, Some(end)).unwrap());
    let events = world.events().len();
    assert!(!add(&world, &night.id, &ann.id, Some(end)).unwrap());
    assert_eq!(world.events().len(), events);
    assert!(add(&world, &night.id, &ann.id, Some(end + HOUR)).unwrap());
    assert!(add(&world, &night.id, &ann.id, None).unwrap());
    assert_eq!(groups_of(&world, &ann.id, end + 9 * HOUR).len(), 1);
    let (group, user) = (night.id, ann.id);
    let remove = move || {
        let (group, user) = (group.clone(), user.clone());
        let removed = world.write(move |tx, call| local_members::remove(tx, call, &group, &user));
        removed.unwrap()
    };
    assert_eq!((remove(), remove()), (true, false));
}

fn what_cannot_be_added_is_refused(on: Engine) {
    let world = World::new(on);
    let ann = world.named("ann");
    let night = world.group("Night", &[]);
    let later = Some(now(&world) + HOUR);
    for (name, group, user, end, says) in [
        (
            "an end that has passed",
            &night.id,
            &ann.id,
            Some(5),
            "future",
        ),
        ("nobody", &night.id, &night.id, later, "no user"),
        ("no group", &ann.id, &ann.id, later, "no group"),
    ] {
        let refused = add(&world, group, user, end).expect_err(name).to_string();
        assert!(refused.contains(says), "{name}: {refused}");
    }
}

fn nested_groups_count_from_local_ones_on(on: Engine) {
    let world = World::new(on);
    let ann = world.named("ann");
    let inner = world.group("Inner", &[]);
    world.group("Outer", &[&inner.id]);
    add(&world, &inner.id, &ann.id, None).unwrap();
    let seen: Vec<_> = groups_of(&world, &ann.id, now(&world))
        .into_iter()
        .map(|it| (it.display, it.direct))
        .collect();
    assert_eq!(
        seen,
        [("Inner".to_owned(), true), ("Outer".to_owned(), false)]
    );
}

fn pages_of_members_have_everybody_once(on: Engine) {
    let world = World::new(on);
    let people: Vec<_> = (0..9).map(|i| world.named(&format!("u{i}")).id).collect();
    let managed: Vec<&str> = people.iter().step_by(2).map(String::as_str).collect();
    let all = world.group("All", &managed);
    for (i, id) in people.iter().enumerate() {
        // Every third is a local member: some of them are both.
        if i % 2 == 1 || i % 3 == 0 {
            add(&world, &all.id, id, None).unwrap();
        }
    }
    let at = now(&world);
    for limit in 1..=10 {
        let (mut seen, mut after) = (Vec::new(), String::new());
        loop {
            let part = page(&world, &all.id, &after, limit, at);
            let Some(last) = part.last() else { break };
            after.clone_from(&last.id);
            seen.extend(part.into_iter().map(|it| it.id));
        }
        assert_eq!(seen, people, "{limit} at a time");
    }
    assert_eq!(count(&world, &all.id, at), 9);
}

fn nothing_is_left_of_who_is_gone(on: Engine) {
    let world = World::new(on);
    let (ann, bob) = (world.named("ann"), world.named("bob"));
    let (sales, night) = (world.group("Sales", &[]), world.group("Night", &[]));
    for group in [&sales.id, &night.id] {
        add(&world, group, &ann.id, None).unwrap();
        add(&world, group, &bob.id, None).unwrap();
    }
    world.delete_user(&ann.id).unwrap();
    world.delete_group(&sales.id).unwrap();
    let at = now(&world);
    assert_eq!(count(&world, &night.id, at), 1);
    assert_eq!(count(&world, &sales.id, at), 0);
    assert_eq!(groups_of(&world, &bob.id, at).len(), 1);
    let directory = world.directory.id.clone();
    let kept = world.read(move |tx| {
        let ann = local_members::find(tx, &directory, &night.id, &ann.id)?;
        let sales = local_members::find(tx, &directory, &sales.id, &bob.id)?;
        Ok((ann, sales))
    });
    assert_eq!(kept.unwrap(), (None, None));
}

fn a_group_that_comes_back_has_its_local_members_again_and_says_so(on: Engine) {
    let world = World::with(on, |settings| settings.groups = GroupRemoval::Keep);
    let (ann, bob, eve) = (world.named("ann"), world.named("bob"), world.named("eve"));
    let sales = world.group("Sales", &[&ann.id]);
    let end = now(&world) + 1_000_000;
    add(&world, &sales.id, &bob.id, None).unwrap();
    add(&world, &sales.id, &eve.id, Some(end)).unwrap();
    let all = json!([ann.id, bob.id, eve.id]);
    world.delete_group(&sales.id).unwrap();
    let lost = json!([{"attribute": "members", "old": all}]);
    assert_eq!(told(&world), ("delete".to_owned(), lost));
    for user in [&ann, &bob, &eve] {
        let left = groups_of(&world, &user.id, now(&world));
        assert!(left.is_empty(), "{left:?}");
    }

    // Asking for the time makes it go on.
    while now(&world) < end {}
    let back = world.group("Sales", &[]);
    assert_eq!(back.id, sales.id);
    let come = json!([{"attribute": "members", "new": [bob.id]}]);
    assert_eq!(told(&world), ("create".to_owned(), come));
    let names = |user: &str| groups_of(&world, user, end).len();
    assert_eq!(names(&ann.id), 0, "the provider has not sent her again");
    assert_eq!(names(&bob.id), 1, "what was decided here holds");
    assert_eq!(names(&eve.id), 0, "it ended meanwhile");
}
