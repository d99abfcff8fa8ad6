//! Devices that somebody lets in with a code.

use crate::engine::{Engine, on_each_engine};
use crate::world::World;
use portreeve_directory::devices::{self, Approval, Asks, Codes, INTERVAL, Poll};
use portreeve_directory::holders::Holder;
use portreeve_directory::sign_ins::{Purpose, Spent};
use secrecy::ExposeSecret;

on_each_engine! {
    a_device_is_let_in_once
    a_device_that_is_turned_away_hears_so_once
    a_device_that_asks_too_often_is_slowed_down
    codes_end_with_their_time
}

const START: i64 = 1_700_000_000_000_000;

fn asks() -> Asks {
    Asks {
        device: "build-7".to_owned(),
        agent: "portreeve/0.1.0".to_owned(),
        address: "192.0.2.7".to_owned(),
        at: START,
    }
}

fn approval() -> Approval {
    Approval {
        team_id: "0192f7a0-0000-7000-8000-000000000001".to_owned(),
        holder: Holder::User {
            directory_id: "0192f7a0-0000-7000-8000-000000000002".to_owned(),
            id: "0192f7a0-0000-7000-8000-000000000003".to_owned(),
        },
        passkey_id: None,
        name: "Ada Lovelace".to_owned(),
    }
}

fn begun(world: &World) -> Codes {
    world
        .write(|tx, call| devices::begin(tx, &call.new_id(), asks()))
        .unwrap()
}

fn polled(world: &World, codes: &Codes, at: i64) -> Poll {
    let secret = codes.device.clone();
    world
        .write(move |tx, _| devices::poll(tx, secret.expose_secret(), at))
        .unwrap()
}

fn decided(world: &World, code: &str, approval: Option<Approval>, at: i64) -> Result<Asks, Spent> {
    let code = code.to_owned();
    world
        .write(move |tx, _| devices::decide(tx, &code, approval.as_ref(), at))
        .unwrap()
}

fn waiting(world: &World, code: &str, at: i64) -> Result<Asks, Spent> {
    let code = code.to_owned();
    world
        .read(move |tx| devices::waiting(tx, &code, at))
        .unwrap()
}

fn a_device_is_let_in_once(on: Engine) {
    let world = World::new(on);
    let (codes, other) = (begun(&world), begun(&world));
    assert_eq!(polled(&world, &codes, START), Poll::Pending);
    // As people type it.
    let typed = format!(" {} ", codes.user.to_lowercase().replace('-', " "));
    assert_eq!(waiting(&world, &typed, START), Ok(asks()));
    assert_eq!(decided(&world, &typed, Some(approval()), START), Ok(asks()));
    assert_eq!(waiting(&world, &codes.user, START), Err(Spent::Used));
    assert_eq!(decided(&world, &codes.user, None, START), Err(Spent::Used));

    let later = START + INTERVAL;
    assert_eq!(polled(&world, &codes, later), Poll::Approved(approval()));
    assert_eq!(polled(&world, &codes, later), Poll::Spent(Spent::Used));
    assert_eq!(polled(&world, &other, later), Poll::Pending, "another one");
    for wrong in ["", "BCDF-GHJK", "bcdfghjkl", "ä"] {
        assert_eq!(
            waiting(&world, wrong, START),
            Err(Spent::Unknown),
            "{wrong}"
        );
    }
}

fn a_device_that_is_turned_away_hears_so_once(on: Engine) {
    let world = World::new(on);
    let codes = begun(&world);
    assert_eq!(decided(&world, &codes.user, None, START), Ok(asks()));
    assert_eq!(polled(&world, &codes, START), Poll::Denied);
    assert_eq!(polled(&world, &codes, START), Poll::Spent(Spent::Used));
}

fn a_device_that_asks_too_often_is_slowed_down(on: Engine) {
    let world = World::new(on);
    let codes = begun(&world);
    let mut at = START;
    for (name, after, expected) in [
        ("first", 0, Poll::Pending),
        ("at once", 0, Poll::SlowDown(INTERVAL)),
        ("as before", INTERVAL, Poll::SlowDown(INTERVAL)),
        ("slower", 3 * INTERVAL, Poll::Pending),
    ] {
        at += after;
        assert_eq!(polled(&world, &codes, at), expected, "{name}");
    }
    // What somebody has decided is not held back.
    decided(&world, &codes.user, Some(approval()), at).unwrap();
    assert_eq!(polled(&world, &codes, at), Poll::Approved(approval()));
}

fn codes_end_with_their_time(on: Engine) {
    let world = World::new(on);
    let (codes, end) = (begun(&world), START + Purpose::Device.lifetime());
    assert_eq!(waiting(&world, &codes.user, end - 1), Ok(asks()));
    assert_eq!(waiting(&world, &codes.user, end), Err(Spent::Expired));
    assert_eq!(polled(&world, &codes, end), Poll::Spent(Spent::Expired));
}

#[test]
fn a_code_is_shown_in_two_halves() {
    for (typed, shown) in [
        ("bcdfghjk", "BCDF-GHJK"),
        (" b-c d_f\tGHJK\n", "BCDF-GHJK"),
        ("BCD", "BCD"),
        ("BCDFGHJKLMNP", "BCDF-GHJKL"),
        ("AEIOU 0123 ⓑ", ""),
    ] {
        assert_eq!(devices::canonical(typed), shown, "{typed}");
    }
}
