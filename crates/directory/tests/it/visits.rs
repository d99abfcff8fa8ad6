//! Visits, where they take place, and the tablets at the door.

use crate::engine::{Engine, on_each_engine};
use crate::world::World;
use portreeve_directory::Refusal;
use portreeve_directory::bearer::{Kind, Presented};
use portreeve_directory::events::Cause;
use portreeve_directory::visit_devices::{self, Verdict};
use portreeve_directory::visit_locations::{self, Fallback, Location, Settings};
use portreeve_directory::visits::{self, Answer, Guest, New, State, Visit, Wanted};
use secrecy::ExposeSecret;

on_each_engine! {
    a_visitor_comes_is_fetched_and_leaves
    whoever_is_expected_is_listed_before_they_come
    what_visitors_say_is_checked
    visits_are_listed_by_what_is_asked_for
    old_visits_become_anonymous
    a_device_sees_its_own_location_until_it_is_revoked
    locations_are_checked
}

const TEAM: &str = "t1";
const DAY: i64 = 86_400_000_000;

/// A secret as it is presented. The team of the tests has no UUID for an id, which is all that a secret can tell.
fn presented(kind: Kind, secret: &str) -> Presented {
    Presented {
        team_id: TEAM.to_owned(),
        ..Presented::parse(kind, secret).unwrap()
    }
}

fn id(world: &World) -> String {
    world.call().new_id()
}

fn location(world: &World, name: &str) -> Location {
    let (id, name) = (id(world), name.to_owned());
    world
        .write(move |tx, call| {
            visit_locations::create(tx, TEAM, &id, (&name, &Settings::default()), call.at)
        })
        .unwrap()
}

/// A visit of that visitor with `host`; and its secret.
fn come(
    world: &World,
    location: &Location,
    visitor: &str,
    expected_at: Option<i64>,
) -> Result<(Visit, String), Refusal> {
    let (id, location, visitor) = (id(world), location.clone(), visitor.to_owned());
    world.write(move |tx, call| {
        let new = New {
            id: &id,
            location: (&location.id, &location.name),
            host: Some((&call.directory.id, "host")),
            host_name: "Ada King",
            expected_at,
        };
        let guest = Guest {
            name: &visitor,
            company: "Fabrikam",
            ..Guest::default()
        };
        let (visit, secrets) = visits::create(tx, &Cause::of(call), &new, &guest)?;
        Ok((visit, secrets.badge.expose_secret().to_owned()))
    })
}

fn open(world: &World, location: &Location) -> Vec<(String, State)> {
    let id = location.id.clone();
    let all = world.read(move |tx| visits::open(tx, TEAM, &id)).unwrap();
    all.into_iter()
        .map(|visit| (visit.visitor_name, visit.state))
        .collect()
}

fn leave(world: &World, visit: &Visit) -> bool {
    let visit = visit.clone();
    world
        .write(move |tx, call| visits::leave(tx, &Cause::of(call), (&visit, "Door")))
        .unwrap()
}

fn a_visitor_comes_is_fetched_and_leaves(on: Engine) {
    let world = World::new(on);
    let door = location(&world, "Door");
    let (visit, secret) = come(&world, &door, "Grace", None).unwrap();
    assert_eq!(open(&world, &door), [("Grace".to_owned(), State::Here)]);
    let presented = presented(Kind::Visit, &secret);
    let found = {
        let presented = presented.clone();
        world
            .read(move |tx| visits::verify(tx, &presented))
            .unwrap()
    };
    assert_eq!(found.as_ref().map(|visit| &visit.id), Some(&visit.id));
    let other = Presented {
        hash: [0; 32],
        ..presented
    };
    assert!(
        world
            .read(move |tx| visits::verify(tx, &other))
            .unwrap()
            .is_none()
    );
    let of = visit.clone();
    world
        .write(move |tx, call| visits::answer(tx, &Cause::of(call), (&of, "Door"), Answer::OnMyWay))
        .unwrap();
    let of = visit.id;
    let now = world.read(move |tx| visits::by_id(tx, TEAM, &of)).unwrap();
    assert_eq!(now.answer.map(|(answer, _)| answer), Some(Answer::OnMyWay));
    assert!(leave(&world, &now));
    assert!(open(&world, &door).is_empty());
    let told: Vec<_> = world
        .events()
        .into_iter()
        .filter(|event| event.category == "VISITOR")
        .collect();
    let actions: Vec<_> = told.iter().map(|event| event.action.as_str()).collect();
    assert_eq!(actions, ["sign_in", "answer", "sign_out"]);
    assert!(
        told.iter()
            .all(|event| !format!("{event:?}").contains("Grace")),
        "the log never forgets"
    );
}

fn whoever_is_expected_is_listed_before_they_come(on: Engine) {
    let world = World::new(on);
    let door = location(&world, "Door");
    let (visit, _) = come(&world, &door, "Grace", Some(2_000_000_000_000_000)).unwrap();
    assert_eq!(open(&world, &door), [("Grace".to_owned(), State::Expected)]);
    let arrive = |visit: &Visit| {
        let visit = visit.clone();
        world
            .write(move |tx, call| {
                let guest = Guest {
                    name: &visit.visitor_name,
                    ..Guest::default()
                };
                let arrived = visits::arrive(tx, &Cause::of(call), (&visit, "Door"), &guest)?;
                Ok(arrived.is_some())
            })
            .unwrap()
    };
    assert!(arrive(&visit));
    assert_eq!(open(&world, &door), [("Grace".to_owned(), State::Here)]);
    let of = visit.id;
    let now = world.read(move |tx| visits::by_id(tx, TEAM, &of)).unwrap();
    assert!(!arrive(&now), "they have come");
    let used = {
        let door = door.clone();
        world.write(move |tx, _| visit_locations::delete(tx, TEAM, &door.id))
    };
    assert!(
        matches!(used, Err(Refusal::Invalid { .. })),
        "somebody is there"
    );
    assert!(leave(&world, &now));
    world
        .write(move |tx, _| visit_locations::delete(tx, TEAM, &door.id))
        .unwrap();
}

fn what_visitors_say_is_checked(on: Engine) {
    let world = World::new(on);
    let door = location(&world, "Door");
    let long = "x".repeat(101);
    for (name, visitor, is_good) in [
        ("a name", "Grace Hopper", true),
        (
            "markup is a name like any other",
            "<script>alert(1)</script>",
            true,
        ),
        ("nothing", " ", false),
        ("too long", long.as_str(), false),
        ("two lines", "Grace\nHopper", false),
        ("what turns the writing", "Grace\u{202E}", false),
    ] {
        assert_eq!(
            come(&world, &door, visitor, None).is_ok(),
            is_good,
            "{name}"
        );
    }
    let big = [b"\xFF\xD8\xFF".to_vec(), vec![0; visits::LARGEST_PHOTO]].concat();
    for (name, photo, is_good) in [
        ("a picture", b"\xFF\xD8\xFF\xE0jpeg".to_vec(), true),
        ("no picture", b"<svg onload=alert(1)>".to_vec(), false),
        ("a giant", big, false),
    ] {
        let (id, door) = (id(&world), door.clone());
        let made = world.write(move |tx, call| {
            let new = New {
                id: &id,
                location: (&door.id, "Door"),
                host: None,
                host_name: "Reception",
                expected_at: None,
            };
            let guest = Guest {
                name: "Grace",
                photo: Some(&photo),
                ..Guest::default()
            };
            visits::create(tx, &Cause::of(call), &new, &guest)?;
            visits::photo(tx, TEAM, &id)
        });
        assert_eq!(made.is_ok_and(|kept| kept.is_some()), is_good, "{name}");
    }
}

#[expect(clippy::too_many_lines, reason = "a table")]
fn visits_are_listed_by_what_is_asked_for(on: Engine) {
    let world = World::new(on);
    let (door, gate) = (location(&world, "Door"), location(&world, "Gate"));
    let mut all: Vec<Visit> = ["a", "b", "c"]
        .into_iter()
        .map(|name| come(&world, &door, name, None).unwrap().0)
        .collect();
    all.push(come(&world, &gate, "d", None).unwrap().0);
    leave(&world, &all[0]);
    let listed = |wanted: Wanted<'_>, after: Option<&Visit>, limit| {
        let location = wanted.location_id.map(str::to_owned);
        let host = wanted.host_id.map(str::to_owned);
        let after = after.map(|visit| (visit.at, visit.id.clone()));
        let (state, from, until) = (wanted.state, wanted.from, wanted.until);
        let found = world.read(move |tx| {
            let wanted = Wanted {
                location_id: location.as_deref(),
                state,
                host_id: host.as_deref(),
                from,
                until,
            };
            let after = after.as_ref().map(|(at, id)| (*at, id.as_str()));
            visits::list(tx, TEAM, &wanted, after, limit)
        });
        let found = found.unwrap();
        found
            .into_iter()
            .map(|visit| visit.visitor_name)
            .collect::<String>()
    };
    let any = Wanted::default();
    let at = |location_id| Wanted { location_id, ..any };
    assert_eq!(listed(any, None, 10), "dcba");
    assert_eq!(listed(any, None, 2), "dc");
    assert_eq!(listed(any, Some(&all[2]), 10), "ba");
    assert_eq!(listed(at(Some(&gate.id)), None, 10), "d");
    let state = Some(State::Here);
    assert_eq!(
        listed(
            Wanted {
                state,
                ..at(Some(&door.id))
            },
            None,
            10
        ),
        "cb"
    );
    let between = Wanted {
        from: Some(all[1].at),
        until: Some(all[3].at),
        ..any
    };
    assert_eq!(listed(between, None, 10), "cb");
    assert_eq!(
        listed(
            Wanted {
                host_id: Some("nobody"),
                ..any
            },
            None,
            10
        ),
        ""
    );
    assert!(visits::is_named(&all[0], " A "));
    assert!(!visits::is_named(&all[0], " ") && !visits::is_named(&all[0], "a b"));
}

fn old_visits_become_anonymous(on: Engine) {
    let world = World::new(on);
    let door = location(&world, "Door");
    let (old, secret) = come(&world, &door, "Grace", None).unwrap();
    let anonymise = |before: i64| {
        world
            .write(move |tx, _| visits::anonymise(tx, before, 100))
            .unwrap()
    };
    assert_eq!(anonymise(old.at), 0, "it is not older");
    assert_eq!(anonymise(old.at + DAY), 1);
    assert_eq!(anonymise(old.at + DAY), 0);
    let id = old.id.clone();
    let kept = world.read(move |tx| visits::by_id(tx, TEAM, &id)).unwrap();
    assert_eq!(
        (
            kept.visitor_name.as_str(),
            kept.company.as_str(),
            kept.host_name.as_str(),
            kept.host,
            kept.state
        ),
        ("", "", "", None, State::Gone)
    );
    assert_eq!(kept.came_at, old.came_at, "that somebody came stays");
    let presented = presented(Kind::Visit, &secret);
    assert!(
        world
            .read(move |tx| visits::verify(tx, &presented))
            .unwrap()
            .is_none()
    );
}

fn a_device_sees_its_own_location_until_it_is_revoked(on: Engine) {
    let world = World::new(on);
    let door = location(&world, "Door");
    let (device, secret) = {
        let (id, door) = (id(&world), door.clone());
        world
            .write(move |tx, call| visit_devices::create(tx, TEAM, (&id, &door), "Tablet", call.at))
            .unwrap()
    };
    let sees = || {
        let presented = presented(Kind::Device, secret.expose_secret());
        let found = world
            .read(move |tx| visit_devices::verify(tx, &presented))
            .unwrap();
        match found {
            Verdict::Good(device, location) => format!("{} at {}", device.name, location.name),
            Verdict::Revoked(device) => format!("{} is revoked", device.name),
            Verdict::Unknown => "unknown".to_owned(),
        }
    };
    assert_eq!(sees(), "Tablet at Door");
    let id = device.id;
    let revoked = world
        .write(move |tx, call| visit_devices::revoke(tx, TEAM, &id, call.at))
        .unwrap();
    assert_eq!(sees(), "Tablet is revoked");
    let of = door.id;
    let listed = world
        .read(move |tx| visit_devices::list(tx, TEAM, &of))
        .unwrap();
    assert_eq!(listed, [revoked]);
}

#[expect(clippy::too_many_lines, reason = "a table")]
fn locations_are_checked(on: Engine) {
    let world = World::new(on);
    location(&world, "Door");
    let plain = Settings::default();
    let fallback = |email: &str| Settings {
        fallback: Some(Fallback {
            name: "Reception".to_owned(),
            email: email.to_owned(),
        }),
        ..plain.clone()
    };
    for (name, of, settings, is_good) in [
        ("another", "Gate", plain.clone(), true),
        ("the same in other letters", "DOOR", plain.clone(), false),
        ("nobody to tell", "A", fallback("nobody"), false),
        (
            "somebody to tell",
            "B",
            fallback("desk@contoso.example"),
            true,
        ),
        (
            "no clock",
            "C",
            Settings {
                time_zone: "Mars".to_owned(),
                ..plain.clone()
            },
            false,
        ),
        (
            "no language",
            "D",
            Settings {
                languages: vec![],
                ..plain.clone()
            },
            false,
        ),
        (
            "an empty consent",
            "E",
            Settings {
                photo_consent: Some(" ".to_owned()),
                ..plain.clone()
            },
            false,
        ),
        (
            "a hook in the clear",
            "F",
            Settings {
                webhook: Some("http://x.example".to_owned()),
                ..plain.clone()
            },
            false,
        ),
    ] {
        let (id, of) = (id(&world), of.to_owned());
        let made = world.write(move |tx, call| {
            visit_locations::create(tx, TEAM, &id, (&of, &settings), call.at)
        });
        assert_eq!(made.is_ok(), is_good, "{name}: {made:?}");
    }
}
