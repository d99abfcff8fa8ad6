//! Search for screens.

use crate::engine::{Engine, on_each_engine};
use crate::world::{World, query};
use portreeve_directory::list::{Groups, Users};
use portreeve_directory::search;
use portreeve_store::{Tx, params};
use proptest::prelude::*;
use serde_json::json;
use std::time::{Duration, Instant};

on_each_engine! {
    what_begins_with_the_text_comes_first_and_each_once
    signs_that_mean_something_in_patterns_mean_themselves
    ids_are_found_as_well
    it_finds_what_a_filter_finds
    among_many_it_is_quick
}

fn people(world: &World, text: &str, limit: usize) -> Vec<String> {
    let (directory, text) = (world.directory.id.clone(), text.to_owned());
    let found = world.read(move |tx| search::users(tx, &directory, &text, limit));
    let found = found.unwrap();
    found.iter().map(|user| user.name().unwrap()).collect()
}

fn groups(world: &World, text: &str) -> Vec<String> {
    let (directory, text) = (world.directory.id.clone(), text.to_owned());
    let found = world.read(move |tx| search::groups(tx, &directory, &text, 10));
    let found = found.unwrap();
    found.into_iter().map(|group| group.display_name).collect()
}

fn person(world: &World, user_name: &str, display_name: &str, email: &str) -> String {
    let body =
        json!({"userName": user_name, "displayName": display_name, "emails": [{"value": email}]});
    world.user(body).id
}

fn what_begins_with_the_text_comes_first_and_each_once(on: Engine) {
    let world = World::new(on);
    person(&world, "x1", "Joanna Berg", "j.berg@contoso.example");
    person(&world, "anna", "Anna Ohm", "anna@contoso.example");
    person(&world, "annabel", "Belle", "b@contoso.example");
    person(&world, "x2", "Zoe", "annette@contoso.example");
    person(&world, "x3", "Hans Nobody", "hans@contoso.example");
    assert_eq!(
        people(&world, " ANN", 10),
        ["Anna Ohm", "Belle", "Zoe", "Joanna Berg"]
    );
    assert_eq!(people(&world, "ann", 2), ["Anna Ohm", "Belle"]);
    assert_eq!(people(&world, "berg", 10), ["Joanna Berg"]);
    assert_eq!(people(&world, "@contoso", 10).len(), 5);
    for nothing in ["", "   ", "nobody else", "ann ohm"] {
        assert_eq!(
            people(&world, nothing, 10),
            Vec::<String>::new(),
            "{nothing}"
        );
    }
    world.group("Sales", &[]);
    world.group("After sales", &[]);
    assert_eq!(groups(&world, "sales"), ["Sales", "After sales"]);
    assert_eq!(groups(&world, "x"), Vec::<String>::new());
}

fn signs_that_mean_something_in_patterns_mean_themselves(on: Engine) {
    let world = World::new(on);
    for name in ["a_b", "axb", "100%", "1000", r"back\slash"] {
        world.named(name);
    }
    for (text, expect) in [
        ("_", "a_b"),
        ("%", "100%"),
        (r"\", r"back\slash"),
        ("a_", "a_b"),
    ] {
        assert_eq!(people(&world, text, 10), [expect], "{text}");
    }
}

fn ids_are_found_as_well(on: Engine) {
    let world = World::new(on);
    let ann = world.user(json!({"userName": "ann", "externalId": "e-17"}));
    assert_eq!(people(&world, &ann.id, 10), ["ann"]);
    assert_eq!(people(&world, "e-17", 10), ["ann"]);
}

/// Search and the filters `co` agree on who is found.
fn it_finds_what_a_filter_finds(on: Engine) {
    let world = World::new(on);
    let names = ["Ada", "Adam", "Madame", "äda", "Bob", "b_b", "ÄDAM"];
    for (i, name) in names.into_iter().enumerate() {
        let email = format!("{}{i}@d.example", name.to_lowercase());
        person(&world, &format!("{name}{i}"), name, &email);
        world.group(&format!("{name} {i}"), &[]);
    }
    let text = proptest::sample::select(vec![
        "a", "ad", "ada", "am", "b", "_", "ä", "Ä", "d.", "@", "0", "dam", "zz", "%",
    ]);
    proptest!(ProptestConfig::with_cases(40), |(text in text)| {
        let quoted = json!(text);
        let filter = format!("userName co {quoted} or displayName co {quoted} or emails.value co {quoted}");
        let by_filter = world.page::<Users>(query(&[("filter", &filter)]), None).unwrap();
        let mut expect: Vec<_> = by_filter.items.iter().map(|it| it.name().unwrap()).collect();
        let mut found = people(&world, text, 100);
        expect.sort();
        found.sort();
        prop_assert_eq!(found, expect);
        let filter = format!("displayName co {quoted}");
        let by_filter = world.page::<Groups>(query(&[("filter", &filter)]), None).unwrap();
        let mut expect: Vec<_> = by_filter.items.into_iter().map(|it| it.display_name).collect();
        let mut found = groups(&world, text);
        expect.sort();
        found.sort();
        prop_assert_eq!(found, expect);
    });
}

/// How many there are in the test: a tenth of what it is to be quick with.
const MANY: i64 = 10_000;

/// A tenth of the people in a tenth of the time, and much of that again for a machine that has other things to do.
#[expect(
    clippy::disallowed_methods,
    reason = "how long it takes is the question"
)]
fn among_many_it_is_quick(on: Engine) {
    let world = World::new(on);
    world
        .write(|tx, call| {
            for i in 0..MANY {
                stranger(tx, &call.directory.id, i)?;
            }
            Ok(())
        })
        .unwrap();
    for (text, expect) in [
        ("person 77", 10),
        ("nobody there", 0),
        ("9@contoso", 10),
        ("n7777", 1),
    ] {
        let asked = Instant::now();
        let found = people(&world, text, 10);
        let took = asked.elapsed();
        assert_eq!(found.len(), expect, "{text}");
        assert!(took < Duration::from_millis(500), "{text}: {took:?}");
        println!("{text}: {took:?}");
    }
}

/// A row of its own, because ten thousand creations take their time.
fn stranger(tx: &mut Tx<'_>, directory: &str, i: i64) -> Result<(), portreeve_directory::Refusal> {
    let id = format!("id-{i:06}");
    let name = format!("person {i}");
    let email = format!("p{i}@contoso.example");
    let resource = json!({"userName": name, "displayName": name, "emails": [{"value": email}], "title": "x".repeat(800)});
    let resource = resource.to_string();
    let user_name = format!("n{i}");
    let row = params![directory, &id, &user_name, &name, &resource];
    tx.exec("INSERT INTO users (directory_id, id, user_name_key, display_name_key, status, level, version, created_at, updated_at, resource) VALUES ($1, $2, $3, $4, 'active', 'user', 1, 1, 1, $5)", &row)?;
    let row = params![directory, &email, &id];
    tx.exec(
        "INSERT INTO user_emails (directory_id, value_key, user_id) VALUES ($1, $2, $3)",
        &row,
    )?;
    Ok(())
}
