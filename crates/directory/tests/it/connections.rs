//! How the people of a directory sign in.

use crate::engine::{Engine, on_each_engine};
use crate::world::World;
use portreeve_directory::connections::{self, Connection, Match, Settings};
use portreeve_directory::{Refusal, What};

on_each_engine! {
    a_connection_is_declared_replaced_and_removed
    an_address_leads_to_the_connections_that_name_its_domain
}

fn settings() -> Settings {
    Settings {
        metadata_url: " https://id.example/.well-known/openid-configuration ".into(),
        client_id: "portreeve".into(),
        domains: vec![
            "Contoso.com".into(),
            "@contoso.com".into(),
            "bücher.example".into(),
        ],
        match_by: vec![Match::Email],
        label: Some("  ".into()),
        ..Settings::default()
    }
}

fn put(world: &World, settings: &Settings, secret: Option<&'static [u8]>) -> bool {
    let settings = settings.clone().checked().unwrap();
    world
        .write(move |tx, call| connections::put(tx, &call.directory, &settings, secret, 5))
        .unwrap()
}

fn of(world: &World) -> Result<Connection, Refusal> {
    let id = world.directory.id.clone();
    world.read(move |tx| connections::of(tx, &id))
}

fn a_connection_is_declared_replaced_and_removed(on: Engine) {
    let world = World::new(on);
    let missing = of(&world).unwrap_err();
    assert!(matches!(missing, Refusal::NotFound(What::Connection, _)));

    assert!(put(&world, &settings(), Some(b"sealed")));
    let found = of(&world).unwrap();
    assert_eq!(found.label(), "People", "the directory's name");
    assert_eq!(
        found.settings.domains,
        ["bücher.example", "contoso.com"],
        "lower case, each once"
    );
    assert!(found.settings.metadata_url.starts_with("https"));
    assert!(found.has_secret);
    let id = world.directory.id.clone();
    let secret = world.read(move |tx| connections::secret(tx, &id)).unwrap();
    assert_eq!(secret.as_deref(), Some(&b"sealed"[..]));

    let named = Settings {
        label: Some("Contoso".into()),
        ..settings()
    };
    assert!(!put(&world, &named, None));
    let found = of(&world).unwrap();
    assert_eq!((found.label(), found.has_secret), ("Contoso", false));
    let team = found.team_id.clone();
    let listed = world
        .read(move |tx| connections::in_team(tx, &team))
        .unwrap();
    assert_eq!(listed, [found]);

    world
        .write(|tx, call| connections::delete(tx, &call.directory.id))
        .unwrap();
    assert!(of(&world).is_err());
}

fn an_address_leads_to_the_connections_that_name_its_domain(on: Engine) {
    let world = World::new(on);
    put(&world, &settings(), None);
    for (address, found) in [
        ("ada@contoso.com", 1),
        (" Ada@CONTOSO.COM ", 1),
        ("ada@BÜCHER.example", 1),
        ("ada@evil@contoso.com", 1),
        ("ada@sub.contoso.com", 0),
        ("ada@contoso.com.evil.example", 0),
        ("contoso.com", 0),
        ("ada@", 0),
        ("", 0),
    ] {
        let address_ = address.to_owned();
        let list = world.read(move |tx| connections::for_address(tx, &address_));
        assert_eq!(list.unwrap().len(), found, "{address}");
    }
}

#[test]
fn settings_that_say_nothing_are_refused_by_name() {
    type Spoil = fn(&mut Settings);
    let cases: [(&str, Spoil); 8] = [
        ("metadata_url", |it| it.metadata_url = " ".into()),
        ("client_id", |it| it.client_id = String::new()),
        ("client_id", |it| it.client_id = "a\nb".into()),
        ("label", |it| it.label = Some("x".repeat(2001))),
        ("tenant_id", |it| it.tenant_id = Some("x".repeat(2001))),
        ("domains", |it| it.domains = vec!["localhost".into()]),
        ("domains", |it| it.domains = vec!["a b.example".into()]),
        ("domains", |it| it.domains = vec!["a.example".into(); 101]),
    ];
    for (wrong, spoil) in cases {
        let mut settings = settings();
        spoil(&mut settings);
        match settings.checked() {
            Err(Refusal::Invalid { attribute, .. }) => assert_eq!(attribute, wrong),
            other => panic!("{wrong}: {other:?}"),
        }
    }
}
