//! Groups.

use portreeve_console::pages::groups::{Group, List, Member, Row};
use portreeve_console::pages::new::{Kind, New};
use portreeve_console::parts::{
    Alert, Count, Empty, Fact, Facts, Field, Icon, Pager, Search, Source, Tone, Toolbar,
};
use portreeve_console::{Address, Section};

use super::users::history;
use super::{Sample, Words, confirm, minutes_ago, shell};

pub(crate) fn samples(words: Words) -> Vec<Sample> {
    let mut none = list(words);
    none.rows.clear();
    let new = New {
        shell: shell(words),
        kind: Kind::Group,
        problem: Some(Alert::new(
            Tone::Bad,
            "This was not done",
            words.of("a group named web-ops exists"),
        )),
        fields: vec![Field::line("group", "name", "Name", words.of("web-ops")).required()],
    };
    vec![
        Sample::new("groups", &list(words)),
        Sample::new("groups-empty", &none),
        Sample::new("group", &group(words)),
        Sample::new("group-new", &new),
    ]
}

fn entra(words: Words) -> Source {
    Source::Directory(words.of("Contoso Entra"))
}

fn pager(shown: usize, noun: (&'static str, &'static str)) -> Pager {
    let address = Section::Groups.address();
    Pager {
        total: Some(311),
        shown,
        noun,
        previous: Some(address.clone()),
        next: Some(address.with("cursor", "b2Zmc2V0PTUw")),
    }
}

fn list(words: Words) -> List {
    let row = |id: &str, name: &str, source, members, nested| Row {
        id: id.to_owned(),
        href: Section::Groups.address().join("0b7c").join(id),
        name: words.of(name),
        source,
        members: Count(members),
        nested,
        changed: minutes_ago(600),
    };
    List {
        shell: shell(words),
        toolbar: Toolbar {
            search: Search {
                address: Section::Groups.address().with("q", words.of("ops")),
                label: "Name",
            },
            filters: Vec::new(),
            clear: None,
        },
        rows: vec![
            row("g1", "web-ops", entra(words), 12, false),
            row("g2", "Engineering", entra(words), 4_096, true),
            row("g3", "incident-4711", Source::Portreeve, 3, false),
        ],
        empty: Empty {
            icon: Icon::Groups,
            title: "No groups yet".to_owned(),
            text: "They arrive with the people of a directory.".to_owned(),
            link: None,
        },
        pager: pager(3, ("group", "groups")),
        create: Some(Address::new("/console/groups/new")),
    }
}

fn group(words: Words) -> Group {
    let member = |name: &str, is_group: bool, source, id: &str| Member {
        name: words.of(name),
        href: Section::Users.address().join("0b7c").join("0199-1"),
        is_group,
        source,
        until: is_group.then(|| minutes_ago(-600)),
        remove: Some(confirm(words, id)),
    };
    Group {
        shell: shell(words),
        name: words.of("web-ops"),
        source: entra(words),
        notes: vec![Alert::new(
            Tone::Warn,
            "A group is a member",
            words.of("Entra does not say who is in Engineering."),
        )],
        profile: Facts(vec![Fact::text("External id", words.of("8f2c"))]),
        members: vec![
            member("Ada Lovelace", false, entra(words), "remove-a"),
            member("Engineering", true, Source::Portreeve, "remove-b"),
        ],
        pager: pager(2, ("member", "members")),
        add: Some(confirm(words, "add")),
        rename: Some(confirm(words, "rename")),
        delete: Some(confirm(words, "delete")),
        history: history(words),
        all_history: Section::Logs.address().with("object", words.of("g1")),
    }
}
