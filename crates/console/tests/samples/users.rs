//! Users.

use portreeve_console::pages::new::{Kind, New};
use portreeve_console::pages::users::{
    Access, Account, Change, Edit, Identity, List, Membership, Offboarding, Removal, Row, User,
};
use portreeve_console::parts::{
    Alert, Badge, Empty, Fact, Facts, Field, Filter, Icon, Level, Link, Pager, Reached,
    ReachedHosts, Search, Session, Sessions, Source, Status, Tone, Toolbar,
};
use portreeve_console::{Address, Section};

use super::hosts::certificates;
use super::{Sample, Words, confirm, minutes_ago, shell};

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
        Sample::new("user", &user(words)),
        Sample::new("user-new", &new(words)),
        Sample::new("offboarding", &offboarding(words)),
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

fn access(words: Words) -> Access {
    let identity = |name: &str, may: bool| Identity {
        name: words.of(name),
        hosts: words.of("role=db"),
        remove: may.then(|| confirm(words, "remove-identity")),
    };
    Access {
        nowhere: String::new(),
        hosts: ReachedHosts {
            caption: words.of("Hosts of Ada Lovelace"),
            rows: vec![Reached {
                name: words.of("web-1"),
                href: Some(Section::Hosts.address().join("web-1")),
                account: words.of("ada"),
                sudo: true,
                until: None,
                command: None,
            }],
            more: 3,
        },
        explain: Address::new("/console/access/explain").with("user", words.of("ada")),
        grant: Some(Address::new("/console/access/new").with("subject", words.of("ada"))),
        account: Facts(vec![
            Fact::text("Name", words.of("ada")).note(words.of("from the user name")),
            Fact::text("Numbers", "65537"),
        ]),
        identities: vec![identity("deploy", true), identity("dba", false)],
        add: Some(confirm(words, "add-identity")),
        offboarding: Section::Users
            .address()
            .join("0b7c")
            .join("1")
            .join("offboarding"),
    }
}

fn session(words: Words) -> Session {
    Session {
        id: "s1".to_owned(),
        command_line: false,
        device: words.of("Firefox on Linux"),
        who: None,
        address: words.of("192.0.2.7"),
        started: minutes_ago(300),
        last_seen: minutes_ago(2),
        ends: minutes_ago(-10_000),
        current: false,
        end: None,
    }
}

fn user(words: Words) -> User {
    let entra = || Source::Directory(words.of("Contoso Entra"));
    let membership = |name: &str, nested: bool| Membership {
        name: words.of(name),
        href: Section::Groups.address().join("0b7c").join("0199-7"),
        source: entra(),
        nested,
        until: nested.then(|| minutes_ago(-90)),
    };
    User {
        shell: shell(words),
        name: words.of("Ada Lovelace"),
        status: Status::Active,
        level: Level::Owner,
        source: entra(),
        problem: Some(Alert::new(
            Tone::Bad,
            "This was not done",
            words.of("the last owner stays"),
        )),
        profile: Facts(vec![
            Fact::text("userName", words.of("ada")),
            Fact::text(words.of("urn:contoso:badge"), words.of("4711"))
                .note(words.of("sent by Contoso Entra")),
        ]),
        edit: Some(Edit {
            action: Address::new("/console/users"),
            fields: vec![Field::line(
                "edit",
                "name",
                "Name",
                words.of("Ada Lovelace"),
            )],
        }),
        groups: vec![
            membership("web-ops", false),
            membership("Engineering", true),
        ],
        sessions: Some(Sessions {
            caption: words.of("Sessions of Ada Lovelace"),
            rows: vec![session(words)],
        }),
        end_sessions: Some(confirm(words, "end-sessions")),
        access: Some(access(words)),
        certificates: Some(certificates(words, None)),
        history: history(words),
        all_history: Section::Logs.address().with("object", words.of("0199-1")),
        change_level: Some(confirm(words, "level")),
        change_status: Some(confirm(words, "status")),
        delete: Some(confirm(words, "delete")),
        visitors: Some((
            Badge::new(Tone::Good, "Visible"),
            Section::Visitors
                .address()
                .join("people")
                .join("0b7c")
                .join("1"),
        )),
    }
}

/// What happened to somebody or something.
pub(crate) fn history(words: Words) -> Vec<Change> {
    let change = |text: &str, values, failed| Change {
        href: Section::Logs.address().join("0199-4"),
        text: words.of(text),
        at: minutes_ago(31),
        values,
        failed,
    };
    let value =
        |name: &str, before: &str, after: &str| (words.of(name), words.of(before), words.of(after));
    vec![
        change(
            "Contoso Entra changed Ada Lovelace",
            vec![value("title", "Analyst", "Countess")],
            false,
        ),
        change(
            "Contoso Entra could not rename Ada Lovelace",
            Vec::new(),
            true,
        ),
    ]
}

fn new(words: Words) -> New {
    New {
        shell: shell(words),
        kind: Kind::User,
        problem: Some(Alert::new(
            Tone::Bad,
            "This was not done",
            words.of("the user name ada is taken"),
        )),
        fields: vec![Field::line("user", "user_name", "User name", words.of("ada")).required()],
    }
}

fn offboarding(words: Words) -> Offboarding {
    let account = |host: &str, state: (Tone, &str), known: bool| Account {
        host: Link::new(words.of(host), Section::Hosts.address().join("h1")),
        name: words.of("ada"),
        state: Badge::new(state.0, state.1),
        denied: Some(minutes_ago(30)),
        acknowledged: known.then(|| minutes_ago(29)),
        left: known.then(|| "home directory, 1 process".to_owned()),
        had_sudo: known,
        removal: known.then(|| Removal {
            said: Badge::new(Tone::Neutral, "Would be removed"),
            at: minutes_ago(2),
            lines: vec![words.of("/home/ada"), words.of("/var/spool/cron/ada")],
        }),
        reported: known.then(|| minutes_ago(1)),
    };
    Offboarding {
        shell: shell(words),
        name: words.of("Ada Lovelace"),
        user: Section::Users.address().join("0b7c").join("1"),
        problem: Some(Alert::new(
            Tone::Bad,
            "This was not done",
            words.of("choose a host"),
        )),
        summary: Alert::new(
            Tone::Warn,
            "Shut out; not every host has said so",
            words.of("Denied on 2 of 2 hosts, acknowledged by 1. db-3 has never reported."),
        ),
        rows: vec![
            account("db-3", (Tone::Warn, "Denied"), false),
            account("web-1", (Tone::Good, "Denied there"), true),
        ],
        actions: vec![confirm(words, "look"), confirm(words, "remove")],
    }
}
