//! Users.

use portreeve_console::pages::users::{List, Row};
use portreeve_console::parts::{
    Empty, Filter, Icon, Level, Link, Pager, Search, Source, Status, Toolbar,
};
use portreeve_console::{Address, Section};

use super::{Sample, Words, minutes_ago, shell};

pub(crate) fn samples(words: Words) -> Vec<Sample> {
    let mut nobody = list(words, Section::Users.address());
    nobody.rows.clear();
    nobody.pager.shown = 0;
    let found = Section::Users
        .address()
        .with("q", words.of("lo"))
        .with("status", "active")
        .with("sort", "-name");
    vec![
        Sample::new("users", &list(words, Section::Users.address())),
        Sample::new("users-found", &list(words, found)),
        Sample::new("users-empty", &nobody),
    ]
}

fn list(words: Words, address: Address) -> List {
    let statuses = [("active", "Active"), ("suspended", "Suspended")];
    let sources = [
        ("0b7c", words.of("Contoso Entra")),
        ("portreeve", "Portreeve".to_owned()),
    ];
    let levels = Level::ALL.map(|level| (level.value().to_owned(), level.label().to_owned()));
    let filters = vec![
        Filter::new(
            "Status",
            &address,
            "status",
            statuses.map(|(value, label)| (value.to_owned(), label.to_owned())),
        ),
        Filter::new(
            "Managed by",
            &address,
            "directory",
            sources.map(|(value, label)| (value.to_owned(), label)),
        ),
        Filter::new("Level", &address, "level", levels),
    ];
    let narrowed = address.others("sort").next().is_some();
    List {
        shell: shell(words),
        toolbar: Toolbar {
            search: Search {
                address: address.clone(),
                label: "Name, user name or e-mail",
            },
            filters,
            clear: narrowed.then(|| Section::Users.address()),
        },
        rows: rows(words),
        empty: Empty {
            icon: Icon::Users,
            title: "No users yet".to_owned(),
            text: "People arrive here when an identity provider is connected to a directory."
                .to_owned(),
            link: Some(Link::new(
                "Connect a provider",
                Address::new("/console/directories/new"),
            )),
        },
        pager: Pager {
            total: Some(12_480),
            shown: 7,
            noun: ("user", "users"),
            previous: None,
            next: Some(address.clone().with("cursor", "b2Zmc2V0PTUw")),
        },
        create: Some(Address::new("/console/users/new")),
        address,
    }
}

fn rows(words: Words) -> Vec<Row> {
    use {Level::*, Status::*};
    let people = [
        ("Ada Lovelace", "ada", Active, Owner, Some(4)),
        ("Grace Hopper", "grace", Active, Admin, Some(190)),
        (
            "Jürgen Groß",
            "juergen.gross",
            Suspended,
            User,
            Some(43_000),
        ),
        ("نور الهدى", "noor", Active, User, None),
        (
            "Build robot for the nightly pipeline",
            "nightly-pipeline",
            Active,
            User,
            None,
        ),
        (
            "Kateřina Nováková",
            "katerina.novakova",
            Active,
            Auditor,
            Some(1_500),
        ),
        ("Linus Oduya", "linus.oduya", Active, User, Some(30)),
    ];
    let row = |(index, (name, user_name, status, level, signed_in)): (usize, _)| Row {
        id: format!("0199-{index}"),
        href: Section::Users
            .address()
            .join("0b7c")
            .join(&format!("0199-{index}")),
        name: words.of(name),
        user_name: words.of(user_name),
        email: words.of(&format!("{user_name}@contoso.example")),
        source: match user_name {
            "nightly-pipeline" => Source::Portreeve,
            _ => Source::Directory(words.of("Contoso Entra")),
        },
        status,
        level,
        last_sign_in: Option::<i64>::map(signed_in, minutes_ago),
        changed: minutes_ago(i64::try_from(index).unwrap_or_default() * 333 + 7),
    };
    people.into_iter().enumerate().map(row).collect()
}
