//! Visitors.

use portreeve_console::pages::new::{Kind, New};
use portreeve_console::pages::settings::{Block, Content, Row as Line, Table};
use portreeve_console::pages::visitors::{
    Location, LocationRow, Locations, Open, Part, People, Person, PersonRow, Present, RollCall,
    Row, Seen, Visit, Visited, Visits,
};
use portreeve_console::parts::{
    Alert, Badge, Choice, Count, Empty, Fact, Facts, Field, Filter, Form, Icon, Link, Pager,
    PostButton, Search, Secret, Shown, Source, Tone, Toolbar,
};
use portreeve_console::{Address, Section};

use super::users::history;
use super::{Sample, Words, confirm, minutes_ago, shell};

pub(crate) fn samples(words: Words) -> Vec<Sample> {
    let mut none = list(words);
    none.rows.clear();
    let mut nobody = roll_call(words);
    nobody.rows.clear();
    let mut no_location = locations(words);
    no_location.rows.clear();
    let new = New {
        shell: shell(words),
        kind: Kind::Location,
        problem: None,
        fields: vec![Field::line("location", "name", "Name", words.of("Vienna")).required()],
    };
    vec![
        Sample::new("visits", &list(words)),
        Sample::new("visits-empty", &none),
        Sample::new("visit", &visit(words)),
        Sample::new("roll-call", &roll_call(words)),
        Sample::new("roll-call-empty", &nobody),
        Sample::new("locations", &locations(words)),
        Sample::new("locations-empty", &no_location),
        Sample::new("location", &location(words)),
        Sample::new("location-new", &new),
        Sample::new("visitor-hosts", &people(words)),
        Sample::new("visitor-host", &person(words)),
    ]
}

fn page(path: &str, id: &str) -> Address {
    Section::Visitors.address().join(path).join(id)
}

fn person_page() -> Address {
    page("people", "0b7c").join("1")
}

fn visited(words: Words, note: Option<Badge>) -> Visited {
    Visited {
        name: words.of("Ada Lovelace"),
        href: Some(person_page()),
        note,
    }
}

fn empty() -> Empty {
    Empty {
        icon: Icon::Visitor,
        title: "No visits yet".to_owned(),
        text: "Visitors appear here as they sign in at the door.".to_owned(),
        link: Some(Link::new("Locations", page("locations", "1"))),
    }
}

fn waits(words: Words) -> Alert {
    let error = words.of("They are tried again. The last error: connection refused");
    Alert::new(Tone::Bad, "2 mails wait to be sent", error)
}

fn row(words: Words, id: &str, name: Option<&str>, state: (Tone, &str), seen: Visited) -> Row {
    Row {
        id: id.to_owned(),
        href: page("visits", id),
        visitor: name.map(|name| words.of(name)),
        company: words.of_some(name.map_or("", |_| "Analytical Engines")),
        state: Badge::new(state.0, state.1),
        visited: seen,
        location: words.of("Vienna, main entrance"),
        came: (state.1 != "Expected").then(|| minutes_ago(40)),
        expected: (state.1 == "Expected").then(|| minutes_ago(-40)),
        left: (state.1 == "Gone").then(|| minutes_ago(4)),
        sign_out: (state.1 != "Gone").then(|| PostButton {
            action: page("visits", id).join("sign-out"),
            label: "Sign out".to_owned(),
            values: vec![("state", words.of("here"))],
            class: "small",
        }),
    }
}

fn list(words: Words) -> Visits {
    let start = Section::Visitors.address().with("state", "here");
    let states = [("here", "Here"), ("expected", "Expected")];
    let states = states.map(|(value, label)| (value.to_owned(), label.to_owned()));
    let answer = Some(Badge::new(Tone::Good, "On my way"));
    Visits {
        shell: shell(words),
        alerts: vec![waits(words)],
        problem: Some(Alert::new(
            Tone::Bad,
            "This was not done",
            words.of("nobody is called that"),
        )),
        filters: vec![Filter::new("State", &start, "state", states)],
        fields: vec![Field::line(
            "visits",
            "visitor_host",
            "Comes to see",
            words.of("ada"),
        )],
        kept: vec![("state", words.of("here"))],
        is_narrowed: true,
        clear: Some(Section::Visitors.address()),
        rows: vec![
            row(
                words,
                "1",
                Some("Charles Babbage"),
                (Tone::Good, "Here"),
                visited(words, answer),
            ),
            row(
                words,
                "2",
                Some("Ivo"),
                (Tone::Info, "Expected"),
                Visited::default(),
            ),
            row(
                words,
                "3",
                None,
                (Tone::Neutral, "Gone"),
                Visited::default(),
            ),
        ],
        empty: empty(),
        pager: Pager {
            total: None,
            shown: 3,
            noun: ("visit", "visits"),
            previous: None,
            next: Some(start.with("after", words.of("1.2"))),
        },
        is_live: true,
        exports: vec![Link::new(
            "Export CSV",
            Address::new("/console/visitors.csv"),
        )],
        expect: Some(confirm(words, "expect")),
    }
}

fn visit(words: Words) -> Visit {
    Visit {
        shell: shell(words),
        visitor: words.of("Charles Babbage"),
        state: Badge::new(Tone::Good, "Here"),
        problem: None,
        alerts: vec![Alert::new(
            Tone::Warn,
            "Whom they come to see is gone",
            words.of("Visitors do not find them."),
        )],
        facts: Facts(vec![
            Fact::text("Company", words.of("Analytical Engines")),
            Fact::new("Came", Shown::Time(minutes_ago(40))),
        ]),
        photo: Some(page("visits", "1").join("photo")),
        history: history(words),
        sign_out: Some(PostButton {
            action: page("visits", "1").join("sign-out"),
            label: "Sign out".to_owned(),
            values: Vec::new(),
            class: "primary",
        }),
    }
}

fn roll_call(words: Words) -> RollCall {
    let address = page("roll-call", "1").with("location", "1");
    let places = [("1", "Vienna"), ("2", "Graz")];
    let places = places.map(|(id, name)| (id.to_owned(), words.of(name)));
    let present = |name: &str, company: &str| Present {
        visitor: words.of(name),
        company: words.of_some(company),
        visited: visited(words, None),
        came: "22 Nov 2026, 09:41".to_owned(),
    };
    RollCall {
        shell: shell(words),
        filters: vec![Filter::new("Location", &address, "location", places)],
        location: words.of("Vienna"),
        at: words.of("22 Nov 2026, 10:12 (Europe/Vienna)"),
        rows: vec![
            present("Charles Babbage", "Analytical Engines"),
            present("Ivo", ""),
        ],
        empty: empty(),
    }
}

fn locations(words: Words) -> Locations {
    let row = |id: &str, name: &str, state: (Tone, &str)| LocationRow {
        id: id.to_owned(),
        href: page("locations", id),
        name: words.of(name),
        state: Badge::new(state.0, state.1),
        time_zone: words.of("Europe/Vienna"),
        here: Count(12),
        expected: Count(3),
        devices: Count(1),
    };
    Locations {
        shell: shell(words),
        rows: vec![
            row("1", "Vienna, main entrance", (Tone::Good, "Open")),
            row("2", "Graz", (Tone::Neutral, "Closed")),
        ],
        empty: empty(),
        create: Some(page("locations", "new")),
    }
}

fn location(words: Words) -> Location {
    let secret = |id: &'static str, label: &str| Secret {
        id,
        label: words.of(label),
        value: words.of("https://contoso.example/visit/1/setup#pd_1"),
        advice: "Once.".to_owned(),
    };
    Location {
        shell: shell(words),
        name: words.of("Vienna, main entrance"),
        state: Badge::new(Tone::Good, "Open"),
        problem: Some(waits(words)),
        alerts: vec![waits(words)],
        secrets: vec![
            secret("setup", "Open this on Tablet"),
            secret("token", "Its token"),
        ],
        profile: Facts(vec![Fact::text("Time zone", words.of("Europe/Vienna"))]),
        show_secret: Some(PostButton {
            action: page("locations", "1").join("webhook-secret"),
            label: "Show the secret of the webhook".to_owned(),
            values: Vec::new(),
            class: "small",
        }),
        roll_call: Link::new("Roll call", page("roll-call", "1")),
        devices: devices(words),
        edit: Some((page("locations", "1"), settings(words))),
        history: history(words),
        all_history: Section::Logs.address().with("object", words.of("1")),
        delete: Some(confirm(words, "delete")),
    }
}

fn devices(words: Words) -> Block {
    let row = Line {
        cells: [
            words.of("Tablet"),
            "Works".to_owned(),
            "1 minute".to_owned(),
        ]
        .map(Shown::Text)
        .into(),
        actions: vec![confirm(words, "revoke")],
    };
    Block {
        id: "devices",
        title: "Devices",
        lead: String::new(),
        actions: vec![confirm(words, "new")],
        content: Content::Table(Table {
            head: vec!["Name", "State", "Last used"],
            rows: vec![row],
            empty: "There is none.",
        }),
        live: "Device",
    }
}

fn settings(words: Words) -> Vec<Part> {
    let hours = Form::Text {
        value: words.of("Mon-Fri 08:30-17:00"),
        rows: 4,
    };
    let names = vec![
        Choice::new("full", "In full", true).help("Jane Doe"),
        Choice::new("short", "First name and a letter", false),
    ];
    vec![
        Part {
            title: "Where and when",
            fields: vec![
                Field::line("location", "name", "Name", words.of("Vienna")).required(),
                Field::new("location", "hours", "Opening hours", hours).help("A line each."),
            ],
        },
        Part {
            title: "Whom visitors find",
            fields: vec![Field::new(
                "location",
                "names",
                "Names are shown",
                Form::One(names),
            )],
        },
    ]
}

fn people(words: Words) -> People {
    let address = page("people", "all").with("q", words.of("ada"));
    let row = |id: &str, name: &str, seen: (Tone, &str), groups: &[&str]| PersonRow {
        id: id.to_owned(),
        href: person_page(),
        name: words.of(name),
        user_name: words.of_some("ada@contoso.example"),
        visibility: Badge::new(seen.0, seen.1),
        department: words.of_some(if groups.is_empty() { "" } else { "Engines" }),
        groups: groups.iter().map(|group| words.of(group)).collect(),
        told: groups
            .iter()
            .map(|_| words.of("ada@contoso.example"))
            .collect(),
        source: Source::Directory(words.of("Contoso visitors")),
    };
    People {
        shell: shell(words),
        toolbar: Some(Toolbar {
            search: Search {
                address: address.clone(),
                label: "Name, nickname, department or address",
            },
            filters: Vec::new(),
            clear: None,
        }),
        rows: vec![
            row(
                "1",
                "Ada Lovelace",
                (Tone::Good, "Visible"),
                &["Vienna", "Graz"],
            ),
            row("2", "Bob", (Tone::Warn, "Not visible: hidden by hand"), &[]),
        ],
        empty: empty(),
        pager: Pager {
            total: Some(100_000),
            shown: 2,
            noun: ("person", "people"),
            previous: None,
            next: Some(address.with("cursor", words.of("abc"))),
        },
    }
}

fn person(words: Words) -> Person {
    let seen = |name: Option<&str>| Seen {
        location: Link::new(words.of("Vienna"), page("locations", "1")),
        name: name.map(|name| words.of(name)),
        department: words.of_some(name.map_or("", |_| "Engines")),
        why: "they are in none of the groups of the location".to_owned(),
    };
    Person {
        shell: shell(words),
        name: words.of("Ada Lovelace"),
        visibility: Badge::new(Tone::Neutral, "Not visible: unassigned"),
        source: Source::Directory(words.of("Contoso visitors")),
        problem: Some(waits(words)),
        why: Some(Alert::new(
            Tone::Warn,
            "Visitors do not find them",
            "Their provider has deactivated them.",
        )),
        profile: Facts(vec![Fact::text(
            "User name",
            words.of("ada@contoso.example"),
        )]),
        seen: vec![seen(Some("Ada L.")), seen(None)],
        groups: vec![Link::new(words.of("Vienna"), Section::Groups.address())],
        open: vec![Open {
            href: page("visits", "1"),
            visitor: words.of("Charles Babbage"),
            company: words.of("Analytical Engines"),
            state: Badge::new(Tone::Good, "Here"),
            location: words.of("Vienna"),
            at: minutes_ago(12),
        }],
        visits: Section::Visitors.address().with("visitor_host", "1"),
        edit: Some((
            person_page(),
            vec![Field::new(
                "person",
                "is_hidden",
                "Hidden from visitors",
                Form::Switch(true),
            )],
        )),
        expect: Some(confirm(words, "expect")),
        user: Some(Section::Users.address()),
        history: history(words),
        all_history: Section::Logs.address().with("object", words.of("1")),
    }
}
