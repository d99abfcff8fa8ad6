//! From what a provider says of a person to a user.

use crate::engine::{Engine, on_each_engine};
use crate::world::World;
use portreeve_directory::connections::{Match, Settings};
use portreeve_directory::resolve::{self, Claims, Findable, Unresolved};
use serde_json::json;

on_each_engine! {
    a_person_is_found_by_the_strongest_key
    a_person_who_cannot_be_told_for_sure_is_refused
    a_subject_is_linked_once_and_follows_the_stronger_key
    whether_anybody_can_be_found_is_known_before_the_first_sign_in
}

const ADA: &str = "6b0b5b8e-7a3a-4a8e-9a53-2f9f3c1d1a01";
const BOB: &str = "6b0b5b8e-7a3a-4a8e-9a53-2f9f3c1d1a02";

/// Ada and Bob are provisioned with their object ids, Cleo with Entra's default mapping; the twins share an address.
fn populated(on: Engine) -> World {
    let world = World::new(on);
    let people = [
        ("ada@contoso.com", Some(ADA), "ada@contoso.com"),
        ("bob@contoso.com", Some(BOB), "bob@contoso.com"),
        ("cleo@contoso.com", Some("cleo"), "cleo.k@contoso.com"),
        ("twin1@contoso.com", None, "twins@contoso.com"),
        ("twin2@contoso.com", None, "twins@contoso.com"),
    ];
    for (name, external_id, email) in people {
        world.user(json!({
            "userName": name, "externalId": external_id, "displayName": name,
            "emails": [{"value": email, "type": "work"}],
        }));
    }
    world
}

fn claims() -> Claims {
    Claims {
        issuer: "https://id.example".into(),
        subject: "pairwise".into(),
        tenant_id: Some("t".into()),
        ..Claims::default()
    }
}

fn by(match_by: &[Match]) -> Settings {
    Settings {
        match_by: match_by.to_vec(),
        ..Settings::default()
    }
}

/// The name and the key, or the code of the refusal.
fn outcome(world: &World, settings: &Settings, claims: &Claims) -> String {
    let (settings, claims) = (settings.clone(), claims.clone());
    let directory = world.directory.clone();
    let found = world.read(move |tx| {
        resolve::resolve(tx, (&directory.team_id, &directory.id), &settings, &claims)
    });
    match found.unwrap() {
        Ok(resolved) => format!("{} by {}", resolved.name, resolved.by.name()),
        Err(unresolved) => unresolved.code().to_owned(),
    }
}

fn link(world: &World, claims: &Claims, user_name: &str) {
    let user = world.read({
        let (id, name) = (world.directory.id.clone(), user_name.to_owned());
        let by_name = by(&[Match::UserName]);
        let team = world.directory.team_id.clone();
        move |tx| {
            let claims = Claims {
                preferred_username: Some(name.clone()),
                ..Claims::default()
            };
            resolve::resolve(tx, (&team, &id), &by_name, &claims)
        }
    });
    let (user, claims) = (user.unwrap().unwrap().user_id, claims.clone());
    world
        .write(move |tx, call| resolve::link(tx, &call.directory.id, &claims, &user, 7))
        .unwrap();
}

/// What the provider says beside issuer and subject, by the names of its claims.
type Said = &'static [(&'static str, &'static str)];

fn person(said: Said) -> Claims {
    let mut claims = claims();
    for (name, value) in said {
        let value = Some((*value).to_owned()).filter(|value| !value.is_empty());
        match *name {
            "sub" => claims.subject = value.unwrap_or_default(),
            "tid" => claims.tenant_id = value,
            "oid" => claims.object_id = value,
            "email" => claims.email = value,
            "email_verified" => claims.email_verified = value.map(|value| value == "true"),
            "preferred_username" => claims.preferred_username = value,
            other => panic!("the claim {other}"),
        }
    }
    claims
}

const ANYHOW: &[Match] = &[Match::Subject, Match::Email, Match::UserName];

#[rustfmt::skip]
const FOUND: &[(&str, &[Match], Said, &str)] = &[
    ("by the object id, without an address", &[], &[("oid", ADA)], "ada@contoso.com by object_id"),
    ("the object id is stronger than an address", ANYHOW, &[("oid", ADA), ("email", "bob@contoso.com")], "ada@contoso.com by object_id"),
    ("an object id of no tenant is nobody's", &[], &[("oid", ADA), ("tid", "")], "unknown_user"),
    ("the subject, where it is allowed", &[Match::Subject], &[("sub", BOB)], "bob@contoso.com by subject"),
    ("the subject, where it is not", &[Match::Email], &[("sub", BOB), ("email", "x@y.example")], "unknown_user"),
    ("the address, where it is allowed", &[Match::Email], &[("email", "ADA@Contoso.com")], "ada@contoso.com by email"),
    ("the address, where it is not", &[Match::UserName], &[("email", "ada@contoso.com")], "no_user_name_claim"),
    ("the name, where it is allowed", &[Match::UserName], &[("preferred_username", "Bob@CONTOSO.com")], "bob@contoso.com by user_name"),
    ("one after the other", ANYHOW, &[("email", "nobody@contoso.com"), ("preferred_username", "bob@contoso.com")], "bob@contoso.com by user_name"),
    ("with another kind of externalId", &[Match::Email], &[("oid", ADA), ("tid", ""), ("email", "cleo.k@contoso.com")], "cleo@contoso.com by email"),
    ("nothing is allowed", &[], &[("email", "ada@contoso.com")], "unknown_user"),
];

fn a_person_is_found_by_the_strongest_key(on: Engine) {
    let world = populated(on);
    for (name, match_by, said, expected) in FOUND {
        let found = outcome(&world, &by(match_by), &person(said));
        assert_eq!(found, *expected, "{name}");
    }
}

#[rustfmt::skip]
const UNSURE: &[(&str, &str, &[Match], Said, &str)] = &[
    ("no address, and nothing else to go by", "", &[Match::Email], &[], "no_email_claim"),
    ("two with that address", "", &[Match::Email], &[("email", "twins@contoso.com")], "ambiguous_user"),
    ("an address that nobody has verified", "", &[Match::Email], &[("email", "ada@contoso.com"), ("email_verified", "false")], "email_not_verified"),
    ("an address that was another's", "", &[Match::Email], &[("email", "ada@contoso.com"), ("oid", "6b0b5b8e-7a3a-4a8e-9a53-2f9f3c1d1aff")], "different_user"),
    ("another domain", "fabrikam.com", &[Match::Email], &[("email", "ada@contoso.com")], "domain_not_allowed"),
    ("another domain beside the right one", "contoso.com", &[Match::Email], &[("email", "ada@contoso.com"), ("preferred_username", "ada@evil.example")], "domain_not_allowed"),
    ("no domain at all, although known", "contoso.com", &[], &[("oid", ADA)], "domain_not_allowed"),
    ("a name without a domain", "contoso.com", &[], &[("oid", ADA), ("preferred_username", "ada")], "domain_not_allowed"),
    ("the right domain in a name", "contoso.com", &[], &[("oid", ADA), ("preferred_username", "Ada@Contoso.com")], "ada@contoso.com by object_id"),
];

fn a_person_who_cannot_be_told_for_sure_is_refused(on: Engine) {
    let world = populated(on);
    for (name, domain, match_by, said, expected) in UNSURE {
        let domains = [*domain].into_iter().filter(|domain| !domain.is_empty());
        let settings = Settings {
            domains: domains.map(str::to_owned).collect(),
            ..by(match_by)
        };
        assert_eq!(
            outcome(&world, &settings, &person(said)),
            *expected,
            "{name}"
        );
    }
    let sentence = Unresolved::NoClaim {
        claim: "email",
        tried: "a".into(),
    }
    .to_string();
    assert!(sentence.contains("optional claim email") && sentence.contains("objectId"));

    let known = person(&[("oid", ADA)]);
    let (team, directory) = (world.directory.team_id.clone(), world.directory.id.clone());
    let ada = known.clone();
    let found = world.read(move |tx| resolve::resolve(tx, (&team, &directory), &by(&[]), &ada));
    let id = found.unwrap().unwrap().user_id;
    let off = json!([{"op": "replace", "path": "active", "value": false}]);
    world.patch_user(&id, off).unwrap();
    assert_eq!(outcome(&world, &by(&[]), &known), "suspended");
}

fn a_subject_is_linked_once_and_follows_the_stronger_key(on: Engine) {
    let world = populated(on);
    link(&world, &claims(), "cleo@contoso.com");
    assert_eq!(
        outcome(&world, &by(&[]), &claims()),
        "cleo@contoso.com by linked"
    );
    let elsewhere = Claims {
        issuer: "https://other.example".into(),
        ..claims()
    };
    assert_eq!(outcome(&world, &by(&[]), &elsewhere), "unknown_user");
    let with_object = Claims {
        object_id: Some(BOB.into()),
        ..claims()
    };
    assert_eq!(
        outcome(&world, &by(&[]), &with_object),
        "bob@contoso.com by object_id"
    );
    link(&world, &claims(), "bob@contoso.com");
    assert_eq!(
        outcome(&world, &by(&[]), &claims()),
        "bob@contoso.com by linked"
    );
}

fn whether_anybody_can_be_found_is_known_before_the_first_sign_in(on: Engine) {
    let findable = |world: &World| {
        let id = world.directory.id.clone();
        world.read(move |tx| resolve::findable(tx, &id)).unwrap()
    };
    assert_eq!(findable(&World::new(on)), Findable::Nobody);
    assert_eq!(findable(&populated(on)), Findable::ByObjectId);
    let world = World::new(on);
    world.user(json!({"userName": "cleo", "externalId": "cleo"}));
    assert_eq!(findable(&world), Findable::NotByObjectId);
}
