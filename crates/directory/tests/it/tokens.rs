//! Secret tokens.

use crate::engine::{Engine, on_each_engine};
use crate::world::World;
use portreeve_directory::tokens::{self, Denied, PREFIX};
use secrecy::ExposeSecret;

on_each_engine! {
    a_token_opens_its_own_directory_until_it_ends
    a_token_cannot_end_before_it_begins
}

const DAY: i64 = 86_400_000_000;

#[expect(clippy::too_many_lines, reason = "most of it is a table of cases")]
fn a_token_opens_its_own_directory_until_it_ends(on: Engine) {
    let world = World::new(on);
    let directory = world.directory.id.clone();
    let at = directory.clone();
    let make = move |end: Option<i64>| {
        let at = at.clone();
        world_token(at, end)
    };
    let (token, secret) = world.write(make(Some(10 * DAY))).unwrap();
    let (second, second_secret) = world.write(make(None)).unwrap();
    let secret = secret.expose_secret().to_owned();
    assert!(secret.starts_with(PREFIX));
    let altered = format!("{}{}", &secret[..secret.len() - 2], "AA");
    let (revoked, of) = (second.id, directory.clone());
    world
        .write(move |tx, _| tokens::revoke(tx, &of, &revoked, 5))
        .unwrap();
    let ok = Ok(token.id);
    for (name, directory, presented, now, expect) in [
        ("right", directory.as_str(), secret.as_str(), 1, ok.clone()),
        (
            "the moment before the end",
            &directory,
            &secret,
            10 * DAY - 1,
            ok,
        ),
        (
            "at the end",
            &directory,
            &secret,
            10 * DAY,
            Err(Denied::Expired),
        ),
        (
            "another directory",
            "0190",
            &secret,
            1,
            Err(Denied::Unknown),
        ),
        (
            "altered secret",
            &directory,
            &altered,
            1,
            Err(Denied::Unknown),
        ),
        (
            "revoked",
            &directory,
            second_secret.expose_secret(),
            1,
            Err(Denied::Revoked),
        ),
        ("nothing", &directory, "", 1, Err(Denied::Malformed)),
        (
            "not ours",
            &directory,
            "Bearer abc",
            1,
            Err(Denied::Malformed),
        ),
        (
            "too short",
            &directory,
            "prv_scim_AAAA",
            1,
            Err(Denied::Malformed),
        ),
    ] {
        let (directory, presented) = (directory.to_owned(), presented.to_owned());
        let got = world
            .read(move |tx| tokens::verify(tx, &directory, &presented, now))
            .unwrap();
        assert_eq!(got.map(|token| token.id), expect, "{name}");
    }
}

type Made = Result<(tokens::Token, secrecy::SecretString), portreeve_directory::Refusal>;

fn world_token(
    directory: String,
    end: Option<i64>,
) -> impl Fn(&mut portreeve_store::Tx<'_>, &portreeve_directory::Call) -> Made {
    move |tx, call| tokens::create(tx, &directory, call.ids.next(1), "Entra", end, 0)
}

fn a_token_cannot_end_before_it_begins(on: Engine) {
    let world = World::new(on);
    let directory = world.directory.id.clone();
    assert!(world.write(world_token(directory, Some(0))).is_err());
}
