//! Receivers of security events: what they are told, and that they are told until they say that they have it.

use crate::engine::{Engine, on_each_engine};
use crate::world::World;
use portreeve_directory::events::{self, Category, Event, Outcome};
use portreeve_directory::streams::{self, Content, New, NewDelivery, Pending, Sealed, Stream};
use portreeve_directory::{Refusal, directories};
use proptest::collection::vec;
use proptest::prelude::*;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

on_each_engine! {
    every_event_is_told_until_it_is_acknowledged_and_never_after
    a_stream_begins_with_the_next_change_and_skips_what_is_none
    what_does_not_concern_a_stream_is_passed_once
    a_secret_opens_its_own_polled_stream_alone
    a_sealed_value_is_kept_as_it_is_and_never_printed
    failures_are_counted_until_a_delivery_succeeds
    what_cannot_be_a_stream_is_refused
    a_deleted_directory_takes_its_streams_along
}

type Made = (Stream, Option<SecretString>);

fn try_stream(
    world: &World,
    id: &str,
    delivery: NewDelivery,
    audience: &str,
) -> Result<Made, Refusal> {
    let new = New {
        id: id.to_owned(),
        delivery,
        audience: audience.to_owned(),
        content: Content::Notice,
    };
    world.write(move |tx, call| streams::create(tx, &call.directory, &new, call.at))
}

fn stream(world: &World, id: &str) -> Made {
    try_stream(world, id, NewDelivery::Poll, "receiver").unwrap()
}

fn push(authorization: Option<Sealed>) -> NewDelivery {
    NewDelivery::Push {
        endpoint: "https://receiver.example.com/".into(),
        authorization,
    }
}

fn pending(world: &World, id: &str, limit: usize) -> Pending {
    let (directory, id) = (world.directory.clone(), id.to_owned());
    world
        .read(move |tx| {
            let stream = streams::by_id(tx, &directory.id, &id)?;
            streams::pending(tx, &directory, &stream, None, limit)
        })
        .unwrap()
}

fn ack(world: &World, id: &str, events: Vec<String>) {
    let id = id.to_owned();
    world
        .write(move |tx, call| streams::settle(tx, &call.directory, &id, &events))
        .unwrap();
}

fn ids(events: &[Event]) -> Vec<String> {
    events.iter().map(|event| event.id.clone()).collect()
}

/// An event that no receiver is told of.
fn refused(world: &World) {
    world
        .write(|tx, call| {
            let event = events::New {
                category: Category::ScimSync,
                action: "create",
                outcome: Outcome::Refused {
                    reason: "invalidValue",
                    detail: "no",
                },
                object_kind: None,
                object_id: None,
                object_name: None,
                version: None,
                changes: None,
            };
            events::record(tx, call, &event)
        })
        .unwrap();
}

fn a_stream_begins_with_the_next_change_and_skips_what_is_none(on: Engine) {
    let world = World::new(on);
    world.named("before");
    stream(&world, "s");
    refused(&world);
    assert_eq!(pending(&world, "s", 10).events, []);
    let ann = world.named("ann");
    refused(&world);
    world
        .patch_user(
            &ann.id,
            json!([{"op": "replace", "path": "title", "value": "x"}]),
        )
        .unwrap();
    let told = pending(&world, "s", 10).events;
    let told: Vec<_> = told
        .iter()
        .map(|event| (event.action.as_str(), event.object_id.as_deref()))
        .collect();
    let id = Some(ann.id.as_str());
    assert_eq!(told, [("create", id), ("patch", id)]);
}

fn what_does_not_concern_a_stream_is_passed_once(on: Engine) {
    let world = World::new(on);
    let (made, _) = stream(&world, "s");
    refused(&world);
    let end = pending(&world, "s", 10).end.unwrap();
    assert!(end > made.position);
    ack(&world, "s", Vec::new());
    let directory = world.directory.id.clone();
    let now = world
        .read(move |tx| streams::by_id(tx, &directory, "s"))
        .unwrap();
    assert_eq!(now.position, end);
}

fn a_secret_opens_its_own_polled_stream_alone(on: Engine) {
    let world = World::new(on);
    let (_, secret) = stream(&world, "a");
    let (_, other) = stream(&world, "b");
    let secret = secret.unwrap().expose_secret().to_owned();
    let other = other.unwrap().expose_secret().to_owned();
    assert!(secret.starts_with(streams::PREFIX));
    let hash = portreeve_directory::tokens::hash(&secret).to_vec();
    try_stream(&world, "p", push(Some(Sealed(hash))), "x").unwrap();
    try_stream(&world, "q", push(None), "x").unwrap();
    let own = world.directory.id.clone();
    for (name, directory, id, presented, opens) in [
        ("its own", own.as_str(), "a", secret.as_str(), true),
        ("of another stream", &own, "a", &other, false),
        ("altered", &own, "a", &secret[..secret.len() - 1], false),
        ("nothing", &own, "a", "", false),
        ("another directory", "0190", "a", &secret, false),
        ("no such stream", &own, "z", &secret, false),
        ("a pushed stream", &own, "p", &secret, false),
        ("a pushed stream without a value", &own, "q", "", false),
    ] {
        let given = (directory.to_owned(), id.to_owned(), presented.to_owned());
        let found = world.read(move |tx| streams::open(tx, &given.0, &given.1, &given.2));
        assert_eq!(found.unwrap().is_some(), opens, "{name}");
    }
}

fn a_sealed_value_is_kept_as_it_is_and_never_printed(on: Engine) {
    let world = World::new(on);
    let sealed = Sealed(b"sealed bytes".to_vec());
    let printed = format!("{:?}", push(Some(sealed.clone())));
    assert!(printed.contains("authorization: Some(Sealed)"), "{printed}");
    try_stream(&world, "p", push(Some(sealed.clone())), "x").unwrap();
    try_stream(&world, "q", push(None), "x").unwrap();
    for (id, expect) in [("p", Some(sealed)), ("q", None)] {
        let directory = world.directory.id.clone();
        let got = world.read(move |tx| streams::authorization(tx, &directory, id));
        assert_eq!(got.unwrap(), expect, "{id}");
    }
}

fn failures_are_counted_until_a_delivery_succeeds(on: Engine) {
    let world = World::new(on);
    try_stream(&world, "p", push(None), "x").unwrap();
    let now = |world: &World| world.read(streams::pushes).unwrap().remove(0).0;
    for (n, error) in [(1, "refused"), (2, "timed out")] {
        world
            .write(move |tx, call| streams::failed(tx, &call.directory.id, "p", error, 99))
            .unwrap();
        let stream = now(&world);
        assert_eq!((stream.failures, stream.next_attempt_at), (n, 99));
        assert_eq!(stream.last_error.as_deref(), Some(error));
    }
    world
        .write(|tx, call| streams::delivered(tx, &call.directory.id, "p", 7))
        .unwrap();
    let stream = now(&world);
    assert_eq!((stream.failures, stream.next_attempt_at), (0, 0));
    assert_eq!(
        (stream.last_error, stream.last_delivered_at),
        (None, Some(7))
    );
}

fn what_cannot_be_a_stream_is_refused(on: Engine) {
    let world = World::new(on);
    let long = "x".repeat(501);
    for audience in ["", "a\nb", &long] {
        let made = try_stream(&world, "s", NewDelivery::Poll, audience);
        assert!(matches!(made, Err(Refusal::Invalid { .. })), "{audience:?}");
    }
    for i in 0..streams::LIMIT {
        stream(&world, &i.to_string());
    }
    let made = try_stream(&world, "more", NewDelivery::Poll, "x");
    assert!(matches!(made, Err(Refusal::Invalid { .. })));
}

fn a_deleted_directory_takes_its_streams_along(on: Engine) {
    let world = World::new(on);
    stream(&world, "s");
    let users = [world.named("ann"), world.named("bob")];
    let told = ids(&pending(&world, "s", 10).events);
    ack(&world, "s", vec![told[1].clone()]);
    world
        .write(|tx, call| directories::delete(tx, &call.directory.id))
        .unwrap();
    let directory = world.directory.id.clone();
    let left = world.read(move |tx| streams::list(tx, &directory)).unwrap();
    assert_eq!(left, []);
    assert_eq!(users.len(), told.len());
}

/// What a receiver, a provider and an admin can do.
#[derive(Debug, Clone)]
enum Step {
    Change,
    Refusal,
    /// Look at so many.
    Poll(usize),
    /// Acknowledge some of what there ever was, by place, in that order.
    Ack(Vec<prop::sample::Index>),
    /// Acknowledge what is no event of this directory.
    AckNonsense,
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Change),
        1 => Just(Step::Refusal),
        3 => (1..5_usize).prop_map(Step::Poll),
        4 => vec(any::<prop::sample::Index>(), 1..4).prop_map(Step::Ack),
        1 => Just(Step::AckNonsense),
        1 => Just(Step::Restart),
    ]
}

/// Whatever the order of polls, acknowledgements and restarts: what is told is exactly the oldest of what was not
/// acknowledged, in the order of the feed.
fn every_event_is_told_until_it_is_acknowledged_and_never_after(on: Engine) {
    proptest!(on.cases(40), |(steps in vec(step(), 1..40))| {
        let mut world = World::new(on);
        world.named("before");
        stream(&world, "s");
        let first = world.events().len();
        let mut acknowledged: Vec<String> = Vec::new();
        for (n, step) in steps.into_iter().enumerate() {
            let feed: Vec<String> = ids(&world.events().split_off(first))
                .into_iter()
                .zip(world.events().split_off(first))
                .filter(|(_, event)| event.outcome == "ok")
                .map(|(id, _)| id)
                .collect();
            match step {
                Step::Change => drop(world.named(&format!("user{n}"))),
                Step::Refusal => refused(&world),
                Step::Restart => world.reopen(),
                Step::AckNonsense => {
                    let foreign = world.events()[0].id.clone();
                    ack(&world, "s", vec!["nonsense".into(), foreign, "ffffffff".into()]);
                }
                Step::Ack(places) if !feed.is_empty() => {
                    let chosen: Vec<_> = places.iter().map(|i| i.get(&feed).clone()).collect();
                    acknowledged.extend(chosen.iter().cloned());
                    ack(&world, "s", chosen);
                }
                Step::Ack(_) => {}
                Step::Poll(limit) => {
                    let mut expect: Vec<_> =
                        feed.into_iter().filter(|id| !acknowledged.contains(id)).collect();
                    let more = expect.len() > limit;
                    expect.truncate(limit);
                    let got = pending(&world, "s", limit);
                    prop_assert_eq!(ids(&got.events), expect);
                    prop_assert_eq!(got.more, more);
                }
            }
        }
    });
}
