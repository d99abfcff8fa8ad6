//! Who can be found by visitors, by what, and why not.

use crate::engine::{Engine, on_each_engine};
use crate::world::World;
use portreeve_directory::directories::{self, UserRemoval};
use portreeve_directory::users::{Precondition, Status, User};
use portreeve_directory::visit_locations::{NameStyle, Settings};
use portreeve_directory::visitor_hosts::{self, Own, Visibility};
use portreeve_directory::{Refusal, suspensions};
use serde_json::{Value, json};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

on_each_engine! {
    people_are_found_by_the_beginning_of_any_of_their_words
    whoever_is_not_visible_is_not_found_and_it_is_said_why
    only_people_of_the_groups_are_found_where_groups_are_named
    visitors_see_as_much_as_the_location_says
    a_directory_that_is_turned_on_later_is_swept
    what_is_decided_here_is_checked
    what_finds_somebody_follows_what_is_said_of_them
}

fn world(on: Engine) -> World {
    World::with(on, |settings| {
        settings.visitors = true;
        settings.users = UserRemoval::Hide;
    })
}

fn person(name: &str, more: &Value) -> Value {
    let mut user = json!({"userName": name, "displayName": name});
    for (name, value) in more.as_object().unwrap() {
        user[name] = value.clone();
    }
    user
}

/// The user names of those who are found, in order.
fn found(world: &World, text: &str, groups: &[&str]) -> Vec<String> {
    let (id, text) = (world.directory.id.clone(), text.to_owned());
    let groups: Vec<String> = groups.iter().map(|id| (*id).to_owned()).collect();
    let people = world
        .read(move |tx| visitor_hosts::search(tx, &id, &text, (&groups, 1), 50))
        .unwrap();
    let mut names: Vec<String> = people
        .iter()
        .map(|user| user.parsed().unwrap().user_name().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

fn decide(world: &World, user: &User, own: &Own) -> Result<(), Refusal> {
    let (id, own) = (user.id.clone(), own.clone());
    world.write(move |tx, call| {
        let user = visitor_hosts::find(tx, &call.directory, &id)?;
        visitor_hosts::decide(tx, &call.directory, &user, &own, call.at)
    })
}

fn visibility(world: &World, user: &User) -> Visibility {
    let (directory, id) = (world.directory.clone(), user.id.clone());
    world
        .read(move |tx| {
            let status = portreeve_directory::users::by_id(tx, &directory.id, &id)?.status;
            visitor_hosts::visibility(tx, &directory, &id, status)
        })
        .unwrap()
}

fn people_are_found_by_the_beginning_of_any_of_their_words(on: Engine) {
    let world = world(on);
    world.user(person(
        "Jürgen Núñez",
        &json!({ENTERPRISE: {"department": "Engines"}}),
    ));
    world.user(person(
        "Robert King",
        &json!({"nickName": "Bob", "name": {"givenName": "Robert", "familyName": "King", "middleName": "Øivind"}, ENTERPRISE: {"department": "Engines"}}),
    ));
    world.user(person("Kingsley Ada", &json!({})));
    for (text, names) in [
        ("jurgen", vec!["Jürgen Núñez"]),
        ("JÜR", vec!["Jürgen Núñez"]),
        ("nun jur", vec!["Jürgen Núñez"]),
        ("king", vec!["Kingsley Ada", "Robert King"]),
        ("king engines", vec!["Robert King"]),
        ("bo", vec!["Robert King"]),
        ("oiv", vec!["Robert King"]),
        ("engines", vec!["Jürgen Núñez", "Robert King"]),
        ("ing", vec![]),
        ("king nobody", vec![]),
        ("%", vec![]),
        ("k", vec![]),
        ("k a", vec![]),
        ("", vec![]),
    ] {
        assert_eq!(found(&world, text, &[]), names, "{text:?}");
    }
}

fn whoever_is_not_visible_is_not_found_and_it_is_said_why(on: Engine) {
    let world = world(on);
    let ada = world.user(person("ada", &json!({})));
    assert_eq!(visibility(&world, &ada), Visibility::Visible);
    let active = |value: bool| json!([{"op": "replace", "path": "active", "value": value}]);
    let out = world.patch_user(&ada.id, active(false)).unwrap();
    assert_eq!(out.status, Status::Hidden);
    assert_eq!(
        (visibility(&world, &ada), found(&world, "ada", &[])),
        (Visibility::Unassigned, vec![])
    );
    world.patch_user(&ada.id, active(true)).unwrap();
    assert_eq!(found(&world, "ada", &[]), ["ada"]);
    let id = ada.id.clone();
    world
        .write(move |tx, call| suspensions::suspend(tx, call, &id, &Precondition::None).map(drop))
        .unwrap();
    assert_eq!(
        (visibility(&world, &ada), found(&world, "ada", &[])),
        (Visibility::Suspended, vec![])
    );
    let id = ada.id.clone();
    world
        .write(move |tx, call| suspensions::reinstate(tx, call, &id, &Precondition::None).map(drop))
        .unwrap();
    assert_eq!(found(&world, "ada", &[]), ["ada"]);
    let hidden = Own {
        is_hidden: true,
        ..Own::default()
    };
    decide(&world, &ada, &hidden).unwrap();
    assert_eq!(
        (visibility(&world, &ada), found(&world, "ada", &[])),
        (Visibility::HiddenByHand, vec![])
    );
    decide(&world, &ada, &Own::default()).unwrap();
    assert_eq!(found(&world, "ada", &[]), ["ada"]);
}

fn only_people_of_the_groups_are_found_where_groups_are_named(on: Engine) {
    let world = world(on);
    let ada = world.user(person("ada", &json!({})));
    world.user(person("adam", &json!({})));
    let front = world.group("front", &[&ada.id]).id;
    let other = world.group("other", &[]).id;
    for (name, groups, people) in [
        ("none named", vec![], vec!["ada", "adam"]),
        ("hers", vec![front.as_str()], vec!["ada"]),
        ("hers or another", vec![&other, &front], vec!["ada"]),
        ("another", vec![&other], vec![]),
    ] {
        assert_eq!(found(&world, "ada", &groups), people, "{name}");
        let (directory, id) = (world.directory.id.clone(), ada.id.clone());
        let groups: Vec<String> = groups.iter().map(|id| (*id).to_owned()).collect();
        let is_in = world.read(move |tx| visitor_hosts::is_in(tx, &directory, &id, (&groups, 1)));
        assert_eq!(is_in.unwrap(), people.contains(&"ada"), "{name}");
    }
}

fn visitors_see_as_much_as_the_location_says(on: Engine) {
    let world = world(on);
    let name = |given: &str, family: &str| json!({"name": {"givenName": given, "familyName": family}, ENTERPRISE: {"department": "Law"}});
    for (user_name, more, full, short) in [
        ("jane", name("Jane", "Doe"), "jane", "Jane D."),
        ("juan", name("Juan", "Ñandú Ruiz"), "juan", "Juan Ñ."),
        ("Jo van Dyck", json!({}), "Jo van Dyck", "Jo D."),
        ("Cher", json!({}), "Cher", "Cher"),
        (
            "cher@contoso.example",
            json!({"displayName": ""}),
            "cher",
            "cher",
        ),
        (
            "kim@contoso.example",
            json!({"displayName": "", "name": {"givenName": "Kim", "familyName": "Lee"}}),
            "Kim Lee",
            "Kim L.",
        ),
    ] {
        let user = world.user(person(user_name, &more)).parsed().unwrap();
        for (names, departments, seen) in [
            (NameStyle::Full, true, full),
            (NameStyle::Short, false, short),
        ] {
            let settings = Settings {
                names,
                departments,
                ..Settings::default()
            };
            let is = visitor_hosts::seen(&user, &settings);
            assert_eq!(is.name, seen, "{user_name}");
            let shown = departments && more.get(ENTERPRISE).is_some();
            assert_eq!(is.department.is_some(), shown, "{user_name}");
        }
    }
}

fn a_directory_that_is_turned_on_later_is_swept(on: Engine) {
    let world = World::new(on);
    for n in 0..3 {
        world.user(person(&format!("ada{n}"), &json!({})));
    }
    assert!(found(&world, "ada", &[]).is_empty());
    let turn = |on: bool| {
        world
            .write(move |tx, call| {
                let mut settings = call.directory.settings.clone();
                settings.visitors = on;
                let before = directories::by_id(tx, &call.directory.id)?;
                directories::update(tx, &before, "People", &settings, call.at)
            })
            .unwrap()
    };
    let directory = turn(true);
    assert_eq!(
        world.read(visitor_hosts::sweeps).unwrap(),
        [directory.id.as_str()]
    );
    let sweep = move |tx: &mut portreeve_store::Tx<'_>, _: &portreeve_directory::Call| {
        visitor_hosts::sweep(tx, &directory)
    };
    assert!(world.write(sweep.clone()).unwrap(), "there may be more");
    assert_eq!(found(&world, "ada", &[]).len(), 3);
    assert!(!world.write(sweep.clone()).unwrap());
    assert!(!world.write(sweep).unwrap(), "and again");
    assert!(world.read(visitor_hosts::sweeps).unwrap().is_empty());
    turn(false);
    assert!(found(&world, "ada", &[]).is_empty());
}

fn what_is_decided_here_is_checked(on: Engine) {
    let world = world(on);
    let ada = world.user(person("ada", &json!({})));
    let told = |addresses: &[&str], only_alternates| Own {
        alternates: addresses.iter().map(|one| (*one).to_owned()).collect(),
        only_alternates,
        ..Own::default()
    };
    for (name, own, is_good) in [
        ("an assistant", told(&["desk@contoso.example"], true), true),
        ("nobody left", told(&[], true), false),
        ("no address", told(&["desk"], false), false),
        (
            "two in one",
            told(&["a@b.example, c@d.example"], false),
            false,
        ),
        (
            "a header",
            told(&["a@b.example\r\nBcc: x@y.example"], false),
            false,
        ),
        ("too many", told(&["a@b.example"; 11], false), false),
    ] {
        assert_eq!(decide(&world, &ada, &own).is_ok(), is_good, "{name}");
    }
    let id = ada.id;
    let directory = world.directory.clone();
    let kept = world
        .read(move |tx| visitor_hosts::own(tx, &directory.id, &id))
        .unwrap();
    assert_eq!(kept.alternates, ["desk@contoso.example"]);
}

fn what_finds_somebody_follows_what_is_said_of_them(on: Engine) {
    let world = world(on);
    let ada = world.user(person("ada", &json!({})));
    let own = Own {
        nicknames: "Countess, Lovelace".to_owned(),
        ..Own::default()
    };
    decide(&world, &ada, &own).unwrap();
    assert_eq!(found(&world, "count", &[]), ["ada"]);
    world
        .patch_user(
            &ada.id,
            json!([{"op": "replace", "path": "displayName", "value": "Augusta"}]),
        )
        .unwrap();
    assert!(found(&world, "ada", &[]).is_empty());
    assert_eq!(found(&world, "aug lovel", &[]), ["ada"]);
    world.delete_user(&ada.id).unwrap();
    assert!(found(&world, "augusta", &[]).is_empty());
}
