//! Attributes that no schema knows.

use crate::engine::{Engine, on_each_engine};
use crate::world::World;
use portreeve_directory::unknown::{self, LIMIT};

on_each_engine! {
    a_name_is_new_once
    the_limit_holds_within_one_request_and_over_many
    what_a_refused_change_came_with_is_not_remembered
}

fn note(world: &World, names: Vec<String>) -> Vec<String> {
    world
        .write(move |tx, call| unknown::note_all(tx, &call.directory.id, &names, call.at))
        .unwrap()
}

fn list(world: &World) -> Vec<String> {
    let directory = world.directory.id.clone();
    world.read(move |tx| unknown::list(tx, &directory)).unwrap()
}

fn a_name_is_new_once(on: Engine) {
    let world = World::new(on);
    for (name, given, new) in [
        ("nothing", vec![], vec![]),
        ("two", vec!["b", "a"], vec!["b", "a"]),
        ("twice in one request", vec!["c", "c"], vec!["c"]),
        ("one known, one new", vec!["a", "d"], vec!["d"]),
        ("all known", vec!["a", "b", "c", "d"], vec![]),
    ] {
        let given = given.into_iter().map(str::to_owned).collect();
        assert_eq!(note(&world, given), new, "{name}");
    }
    assert_eq!(list(&world), ["a", "b", "c", "d"]);
}

fn the_limit_holds_within_one_request_and_over_many(on: Engine) {
    let world = World::new(on);
    let limit = usize::try_from(LIMIT).unwrap();
    let names: Vec<String> = (0..limit + 50).map(|i| format!("x{i:04}")).collect();
    assert_eq!(note(&world, names.clone()), names[..limit]);
    assert!(note(&world, vec!["one more".into()]).is_empty());
    assert_eq!(list(&world), names[..limit]);
}

fn what_a_refused_change_came_with_is_not_remembered(on: Engine) {
    let world = World::new(on);
    let refused = world.write(|tx, call| {
        unknown::note_all(tx, &call.directory.id, &["a".to_owned()], call.at)?;
        portreeve_directory::users::discard(tx, call, "nobody")
    });
    assert!(refused.is_err());
    assert!(list(&world).is_empty());
}
