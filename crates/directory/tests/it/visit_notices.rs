//! Who is told of visitors, and what becomes of visits whose visitor host is gone.

use crate::engine::{Engine, on_each_engine};
use crate::world::World;
use portreeve_directory::directories::UserRemoval;
use portreeve_directory::events::Cause;
use portreeve_directory::mails::{self, Mail};
use portreeve_directory::users::User;
use portreeve_directory::visit_locations::{self, Fallback, Location, Settings};
use portreeve_directory::visit_notices::{self, Notice, Told};
use portreeve_directory::visitor_hosts::{self, Own};
use portreeve_directory::visits::{self, Guest, New, Visit};
use portreeve_directory::webhooks;
use serde_json::{Value, json};

on_each_engine! {
    whoever_is_visited_is_told_or_somebody_else_is
    a_program_is_told_of_everything
    visits_say_when_whoever_is_visited_is_gone_and_back
    whoever_stands_at_the_door_comes_first
    a_message_to_a_program_waits_until_it_was_taken
}

const TEAM: &str = "t1";
const BASE: &str = "https://roll.example";
const LATEST: i64 = i64::MAX - 1;

fn world(on: Engine) -> World {
    World::with(on, |settings| {
        settings.visitors = true;
        settings.users = UserRemoval::Hide;
    })
}

fn ada(world: &World) -> User {
    world.user(json!({
        "userName": "ada", "displayName": "Ada King",
        "emails": [{"type": "other", "value": "home@contoso.example"}, {"type": "work", "value": "ada@contoso.example"}],
    }))
}

fn fallback() -> Settings {
    Settings {
        fallback: Some(Fallback {
            name: "Reception".to_owned(),
            email: "desk@contoso.example".to_owned(),
        }),
        ..Settings::default()
    }
}

fn location(world: &World, name: &str, settings: &Settings) -> Location {
    let (id, name, settings) = (world.call().new_id(), name.to_owned(), settings.clone());
    world
        .write(move |tx, call| visit_locations::create(tx, TEAM, &id, (&name, &settings), call.at))
        .unwrap()
}

/// Grace comes, or is expected, and whoever is to be told is told.
fn come(
    world: &World,
    location: &Location,
    host: Option<&User>,
    (mails, expected_at): (bool, Option<i64>),
) -> (Visit, Told) {
    let (id, location) = (world.call().new_id(), location.clone());
    let host = host.map(|user| user.id.clone());
    world
        .write(move |tx, call| {
            let new = New {
                id: &id,
                location: (&location.id, &location.name),
                host: host.as_deref().map(|id| (call.directory.id.as_str(), id)),
                host_name: host.as_ref().map_or("", |_| "Ada King"),
                expected_at,
            };
            let guest = Guest {
                name: "Grace Hopper",
                company: "Navy",
                ..Guest::default()
            };
            let cause = Cause::of(call);
            let (visit, secrets) = visits::create(tx, &cause, &new, &guest)?;
            let notice = Notice {
                base: BASE,
                mails,
                location: &location,
                visit: &visit,
            };
            let told = match expected_at {
                Some(_) => visit_notices::expected(tx, &cause, &notice)?,
                None => visit_notices::arrived(tx, &cause, &notice, &secrets.answer)?,
            };
            Ok((visit, told))
        })
        .unwrap()
}

/// The mails that were written down since the last time.
fn mails(world: &World) -> Vec<Mail> {
    world
        .write(|tx, _| {
            let due = mails::due(tx, TEAM, (i64::MAX - 1, LATEST), 100)?;
            for mail in &due {
                mails::done(tx, TEAM, &mail.id)?;
            }
            Ok(due)
        })
        .unwrap()
}

fn recipients(world: &World) -> Vec<String> {
    mails(world)
        .into_iter()
        .map(|mail| mail.recipient)
        .collect()
}

#[expect(clippy::too_many_lines, reason = "a table")]
fn whoever_is_visited_is_told_or_somebody_else_is(on: Engine) {
    let world = world(on);
    let user = ada(&world);
    let nobody = world.user(json!({"userName": "nobody", "displayName": "Without Mail"}));
    let door = location(&world, "Door", &fallback());
    let alone = location(&world, "Alone", &Settings::default());
    let own = |own: &Own| {
        let (id, own) = (user.id.clone(), own.clone());
        world
            .write(move |tx, call| {
                let user = visitor_hosts::find(tx, &call.directory, &id)?;
                visitor_hosts::decide(tx, &call.directory, &user, &own, call.at)
            })
            .unwrap();
    };
    let plain = Own::default();
    let also = Own {
        alternates: vec!["pa@contoso.example".to_owned()],
        ..Own::default()
    };
    let only = Own {
        only_alternates: true,
        ..also.clone()
    };
    let hidden = Own {
        is_hidden: true,
        ..Own::default()
    };
    let (now, later) = ((true, None), (true, Some(2_000_000_000_000_000)));
    for (name, decided, at, host, when, told, to) in [
        (
            "by name",
            &plain,
            &door,
            Some(&user),
            now,
            Told::VisitorHost,
            vec!["ada@contoso.example", "home@contoso.example"],
        ),
        (
            "and an assistant",
            &also,
            &door,
            Some(&user),
            now,
            Told::VisitorHost,
            vec![
                "ada@contoso.example",
                "home@contoso.example",
                "pa@contoso.example",
            ],
        ),
        (
            "only the assistant",
            &only,
            &door,
            Some(&user),
            now,
            Told::VisitorHost,
            vec!["home@contoso.example", "pa@contoso.example"],
        ),
        (
            "before",
            &plain,
            &door,
            Some(&user),
            later,
            Told::VisitorHost,
            vec!["ada@contoso.example", "home@contoso.example"],
        ),
        (
            "nobody named",
            &plain,
            &door,
            None,
            now,
            Told::Fallback,
            vec!["desk@contoso.example"],
        ),
        (
            "nobody named before",
            &plain,
            &door,
            None,
            later,
            Told::Fallback,
            vec!["desk@contoso.example"],
        ),
        (
            "no address",
            &plain,
            &door,
            Some(&nobody),
            now,
            Told::Fallback,
            vec!["desk@contoso.example"],
        ),
        (
            "hidden",
            &hidden,
            &door,
            Some(&user),
            now,
            Told::Fallback,
            vec!["desk@contoso.example"],
        ),
        (
            "no fallback",
            &plain,
            &alone,
            None,
            now,
            Told::Nobody,
            vec![],
        ),
        (
            "no mail server",
            &plain,
            &door,
            Some(&user),
            (false, None),
            Told::Nobody,
            vec![],
        ),
    ] {
        own(decided);
        let (_, is) = come(&world, at, host, when);
        assert_eq!(
            (is, recipients(&world)),
            (told, to.into_iter().map(str::to_owned).collect()),
            "{name}"
        );
    }
    own(&plain);
    come(&world, &door, Some(&user), now);
    let mail = mails(&world).remove(0);
    assert_eq!(mail.subject, "Grace Hopper (Navy) is here to see you");
    let link = mail.body.lines().find(|line| line.starts_with(BASE));
    assert!(
        link.is_some_and(|link| link.starts_with("https://roll.example/visit/answer/")),
        "{}",
        mail.body
    );
    come(&world, &door, Some(&user), later);
    let mail = mails(&world).remove(0);
    assert!(
        !mail.body.contains("/visit/answer/"),
        "nobody waits yet: {}",
        mail.body
    );
}

/// What the program of the location was to be told since the last time.
fn messages(world: &World) -> Vec<Value> {
    let due = world
        .write(|tx, _| {
            let due = webhooks::due(tx, TEAM, (i64::MAX - 1, LATEST), 100)?;
            for message in &due {
                webhooks::done(tx, TEAM, &message.id)?;
            }
            Ok(due)
        })
        .unwrap();
    due.iter()
        .map(|message| serde_json::from_str(&message.body).unwrap())
        .collect()
}

fn a_program_is_told_of_everything(on: Engine) {
    let world = world(on);
    let user = ada(&world);
    let settings = Settings {
        webhook: Some("https://hooks.contoso.example/visits".to_owned()),
        ..Settings::default()
    };
    let door = location(&world, "Door", &settings);
    let (visit, told) = come(&world, &door, Some(&user), (false, None));
    assert_eq!(told, Told::Program);
    let message = messages(&world).remove(0);
    assert_eq!(
        [
            &message["event"],
            &message["told"],
            &message["location"]["name"],
            &message["visit"]["id"],
            &message["visit"]["visitor_host"]["name"]
        ],
        ["visit.arrived", "program", "Door", &visit.id, "Ada King"]
    );
    assert!(
        !message.to_string().contains("secret") && !message.to_string().contains("answer"),
        "only the mail says how to answer: {message}"
    );
    let (_, told) = come(&world, &door, Some(&user), (true, None));
    assert_eq!(
        told,
        Told::VisitorHost,
        "a person is told, and the program besides"
    );
    assert_eq!(messages(&world)[0]["told"], "visitor_host");
    come(&world, &door, None, (true, Some(2_000_000_000_000_000)));
    let message = messages(&world).remove(0);
    assert_eq!(
        [
            &message["event"],
            &message["visit"]["visitor_host"],
            &message["visit"]["expected_at"]
        ],
        [
            &json!("visit.expected"),
            &Value::Null,
            &json!("2033-05-18T03:33:20Z")
        ]
    );
}

/// Looks after open visits once; the ids of those of which something was written down.
fn follow(world: &World) -> Vec<String> {
    let now = world.call().at;
    let turned = world
        .read(move |tx| visit_notices::turned(tx, now))
        .unwrap();
    let mut done = Vec::new();
    for (team_id, id) in turned {
        assert_eq!(team_id, TEAM);
        let of = id.clone();
        let is = world
            .write(move |tx, call| visit_notices::follow(tx, &Cause::of(call), (BASE, true), &of));
        if is.unwrap() {
            done.push(id);
        }
    }
    done
}

fn gone_since(world: &World, id: &str) -> Option<i64> {
    let id = id.to_owned();
    let visit = world.read(move |tx| visits::by_id(tx, TEAM, &id)).unwrap();
    visit.host_gone_at
}

fn visits_say_when_whoever_is_visited_is_gone_and_back(on: Engine) {
    let world = world(on);
    let user = ada(&world);
    let door = location(&world, "Door", &fallback());
    let (here, _) = come(&world, &door, Some(&user), (true, None));
    let tomorrow = here.at + 86_400_000_000;
    let (later, _) = come(&world, &door, Some(&user), (true, Some(tomorrow)));
    come(
        &world,
        &door,
        Some(&user),
        (true, Some(here.at - 2 * 86_400_000_000)),
    );
    come(&world, &door, None, (true, None));
    mails(&world);
    assert!(follow(&world).is_empty(), "everybody is there");
    let active = |is: bool| {
        let operations = json!([{"op": "replace", "path": "active", "value": is}]);
        world.patch_user(&user.id, operations).unwrap();
    };
    active(false);
    let mut expected = vec![here.id.clone(), later.id];
    expected.sort();
    assert_eq!(follow(&world), expected, "not the one who never came");
    assert!(follow(&world).is_empty(), "once");
    let subjects: Vec<_> = mails(&world)
        .into_iter()
        .map(|mail| (mail.recipient, mail.subject))
        .collect();
    let desk = |subject: &str| ("desk@contoso.example".to_owned(), subject.to_owned());
    assert_eq!(
        subjects,
        [
            desk("Grace Hopper (Navy) is here to see Ada King, who is no longer available"),
            desk("Grace Hopper (Navy) is expected by Ada King, who is no longer available"),
        ]
    );
    assert!(gone_since(&world, &here.id).is_some_and(|since| since > here.at));
    active(true);
    assert_eq!(follow(&world), expected);
    assert_eq!(gone_since(&world, &here.id), None);
    assert!(mails(&world).is_empty(), "good news wakes nobody");
    let actions: Vec<_> = world
        .events()
        .into_iter()
        .filter(|event| event.category == "VISITOR" && event.action.starts_with("visitor_host"))
        .map(|event| event.action)
        .collect();
    assert_eq!(
        actions,
        [
            "visitor_host_gone",
            "visitor_host_gone",
            "visitor_host_back",
            "visitor_host_back"
        ]
    );
}

fn whoever_stands_at_the_door_comes_first(on: Engine) {
    let world = world(on);
    let user = ada(&world);
    let door = location(&world, "Door", &fallback());
    let come = |expected_at| come(&world, &door, Some(&user), (true, expected_at)).0;
    let (here, hour) = (come(None), 3_600_000_000);
    let [soon, later, tomorrow] = [1, 2, 24].map(|hours| come(Some(here.at + hours * hour)));
    let notable = |since: i64, limit: i64| -> Vec<String> {
        let (at, until) = (door.id.clone(), here.at + 12 * hour);
        let found = world.read(move |tx| visits::notable(tx, TEAM, &at, (since, until), limit));
        found.unwrap().into_iter().map(|visit| visit.id).collect()
    };
    assert!(notable(0, 6).is_empty(), "whoever is visited is there");
    let operations = json!([{"op": "replace", "path": "active", "value": false}]);
    world.patch_user(&user.id, operations).unwrap();
    assert!(follow(&world).contains(&tomorrow.id));
    assert_eq!(notable(0, 6), [here.id.clone(), later.id, soon.id]);
    assert_eq!(
        notable(0, 1),
        [here.id],
        "they stay where there is little room"
    );
    assert!(notable(LATEST, 6).is_empty(), "news is not news for ever");
}

fn a_message_to_a_program_waits_until_it_was_taken(on: Engine) {
    let world = World::new(on);
    let waiting = || {
        let waiting = world.read(|tx| webhooks::waiting(tx, TEAM)).unwrap();
        (waiting.waiting, waiting.oldest_at, waiting.last_error)
    };
    assert_eq!(waiting(), (0, None, None));
    for (id, at) in [("a", 7), ("b", 8)] {
        world
            .write(move |tx, _| {
                let new = webhooks::New {
                    id,
                    location_id: "door",
                    url: "https://hooks.contoso.example",
                    body: "{}",
                };
                webhooks::add(tx, TEAM, &new, at)
            })
            .unwrap();
    }
    assert_eq!(world.read(webhooks::teams).unwrap(), [TEAM]);
    world
        .write(|tx, _| webhooks::failed(tx, TEAM, "a", "nobody answers", 500))
        .unwrap();
    let due = |now: i64| {
        let due = world
            .read(move |tx| webhooks::due(tx, TEAM, (now, 1000), 10))
            .unwrap();
        due.into_iter()
            .map(|it| (it.id, it.attempts))
            .collect::<Vec<_>>()
    };
    assert_eq!(due(499), [("b".to_owned(), 0)]);
    assert_eq!(due(500), [("a".to_owned(), 1), ("b".to_owned(), 0)]);
    assert_eq!(waiting(), (2, Some(7), Some("nobody answers".to_owned())));
    for id in ["a", "b"] {
        world
            .write(move |tx, _| webhooks::done(tx, TEAM, id))
            .unwrap();
    }
    assert_eq!(waiting(), (0, None, None));
    assert!(world.read(webhooks::teams).unwrap().is_empty());
}
