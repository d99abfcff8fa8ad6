//! Hosts.

use portreeve_console::pages::hosts::{
    Agent, Conflict, Enrolment, Finding, Fleet, FleetRow, Host, List, Misread, Open, People,
    Person, Row,
};
use portreeve_console::pages::new::{Kind, New};
use portreeve_console::pages::settings::{Block, Content, Row as Line, Table};
use portreeve_console::parts::{
    Alert, Badge, Certificate, Certificates, Code, Count, Empty, Fact, Facts, Field, Filter, Form,
    Icon, Link, Pager, Search, Secret, Shown, Tags, Tone, Toolbar,
};
use portreeve_console::{Address, Section};

use super::users::history;
use super::{Sample, Words, confirm, minutes_ago, shell};

pub(crate) fn samples(words: Words) -> Vec<Sample> {
    let mut none = list(words);
    none.rows.clear();
    none.commands = Some(Code {
        what: "commands".to_owned(),
        text: words.of("portreeve host create web-1 --tag env=prod --tag role=web"),
    });
    let mut wrong = list(words);
    wrong.problem = Some(misread(words));
    let new = New {
        shell: shell(words),
        kind: Kind::Host,
        problem: None,
        fields: fields(words),
    };
    vec![
        Sample::new("hosts", &list(words)),
        Sample::new("hosts-empty", &none),
        Sample::new("hosts-misread", &wrong),
        Sample::new("host", &host(words)),
        Sample::new("host-new", &new),
        Sample::new("fleet", &fleet(words)),
        Sample::new("enrolment", &enrolment(words)),
    ]
}

/// An expression with something wrong in it.
pub(crate) fn misread(words: Words) -> Misread {
    Misread {
        before: words.of("env=prod and "),
        after: words.of(") or region=eu"),
        why: words.of("\")\" stands where a tag is expected"),
    }
}

/// Tags of a host.
pub(crate) fn tags(words: Words, all: &[&str]) -> Tags {
    let tag = |text: &&str| {
        let href = Section::Hosts.address().with("q", words.of(text));
        Link::new(words.of(text), href)
    };
    Tags(all.iter().map(tag).collect())
}

/// Certificates of somebody, or of a host.
pub(crate) fn certificates(words: Words, who: Option<&str>) -> Certificates {
    let one = |serial: &str, state: (Tone, &str), issued: i64, href: bool| Certificate {
        serial: serial.to_owned(),
        href: href.then(|| Section::Certificates.address().join(serial)),
        key_id: words.of("ada@contoso.example"),
        principals: words.of("ada, deploy, u:0199"),
        who: who.map(|who| {
            Link::new(
                words.of(who),
                Section::Users.address().join("0b7c").join("1"),
            )
        }),
        state: Badge::new(state.0, state.1),
        issued: minutes_ago(issued),
        ends: minutes_ago(issued - 960),
    };
    Certificates {
        caption: words.of("Certificates"),
        rows: vec![
            one("7093458345", (Tone::Good, "Live"), 30, true),
            one("7093458344", (Tone::Bad, "Revoked"), 600, true),
            one("7093458343", (Tone::Neutral, "Expired"), 3_000, false),
        ],
    }
}

fn list(words: Words) -> List {
    let row = |name: &str, note: &str, all: &[&str], people, seen: Option<i64>| Row {
        id: name.to_owned(),
        href: Section::Hosts.address().join(name),
        name: words.of(name),
        note: words.of_some(note),
        tags: tags(words, all),
        people: Some(Count(people)),
        is_more: people > 60,
        certificate: seen.map(|seen| minutes_ago(seen - 20_000)),
        contact: seen.map(minutes_ago),
    };
    List {
        shell: shell(words),
        search: Search {
            address: Section::Hosts.address().with("q", words.of("env=prod")),
            label: "Name, or tags: env=prod and not legacy",
        },
        problem: None,
        rows: vec![
            row("bastion-eu", "", &["env=prod", "role=bastion"], 61, Some(1)),
            row(
                "db-primary.eu-west-1.internal.contoso.example",
                "through bastion-eu",
                &[
                    "env=prod",
                    "region=eu-west-1",
                    "role=db",
                    "team=Data platform",
                    "legacy=yes",
                ],
                4,
                Some(3),
            ),
            row("web-1", "", &["env=prod", "role=web"], 12, Some(2)),
            row("web-2", "", &[], 0, None),
        ],
        empty: Empty {
            icon: Icon::Host,
            title: "No hosts yet".to_owned(),
            text: "A host is a machine that people log in to.".to_owned(),
            link: Some(Link::new("New host", Address::new("/console/hosts/new"))),
        },
        commands: None,
        pager: Pager {
            total: Some(10_000),
            shown: 4,
            noun: ("host", "hosts"),
            previous: None,
            next: Some(Section::Hosts.address().with("after", words.of("web-2"))),
        },
        create: Some(Address::new("/console/hosts/new")),
    }
}

fn fields(words: Words) -> Vec<Field> {
    vec![
        Field::line("host", "name", "Name", words.of("web-1")).required(),
        Field::new(
            "host",
            "tags",
            "Tags",
            Form::Text {
                value: words.of("env=prod\nrole=web"),
                rows: 4,
            },
        )
        .help("One in each line: key=value.")
        .code(),
        Field::line("host", "bastion", "Reached through", words.of("bastion-eu")),
    ]
}

fn host(words: Words) -> Host {
    let person = |name: &str, sudo, by: &[&str]| Person {
        name: words.of(name),
        href: Address::new("/console/access/explain").with("user", words.of(name)),
        account: words.of("ada"),
        sudo,
        by: by
            .iter()
            .map(|by| Link::new(words.of(by), Section::Access.address().join("g1")))
            .collect(),
        until: sudo.then(|| minutes_ago(-90)),
    };
    Host {
        shell: shell(words),
        name: words.of("web-1"),
        problem: Some(Alert::new(
            Tone::Bad,
            "This was not done",
            words.of("the name is taken"),
        )),
        profile: Facts(vec![
            Fact::new("Tags", Shown::Tags(tags(words, &["env=prod", "role=web"]))),
            Fact::text("Reached through", words.of("bastion-eu")),
        ]),
        edit: Some((Section::Hosts.address().join("web-1"), fields(words))),
        people: Some(People {
            rows: vec![
                person("ada@contoso.example", true, &["web-ops", "sre"]),
                person("grace@contoso.example", false, &["web-ops"]),
            ],
            total: Count(12),
            too_many: None,
            grant: Some(Address::new("/console/access/new").with("hosts", "name=web-1")),
        }),
        explain: Some(vec![Field::line("explain", "user", "Who", "").required()]),
        agent: agent(words),
        certificates: Some(certificates(words, None)),
        history: history(words),
        all_history: Section::Logs.address().with("object", words.of("h1")),
        delete: Some(confirm(words, "delete")),
    }
}

fn agent(words: Words) -> Agent {
    Agent {
        state: Badge::new(Tone::Warn, "Behind"),
        facts: Facts(vec![
            Fact::text("System", words.of("Debian GNU/Linux 12 (bookworm)")),
            Fact::text("Policy in force", "11 of 12"),
            Fact::new("Lease until", Shown::Time(minutes_ago(-4_000))),
        ]),
        enrol: Some(Section::Hosts.address().join("enrolment")),
        conflicts: vec![Conflict {
            account: words.of("backup"),
            why: "The machine has an account of that name".to_owned(),
            detail: words.of("/etc/passwd has it with the number 34"),
            remedy: "Remove or rename the account on the machine.",
        }],
        findings: vec![Finding {
            check: words.of("nscd"),
            verdict: Badge::new(Tone::Bad, "Wrong"),
            detail: words.of("nscd keeps memberships for an hour"),
        }],
        sessions: Some(vec![Open {
            account: words.of("ada"),
            who: Some(Link::new(
                words.of("Ada Lovelace"),
                Section::Users.address().join("0b7c").join("1"),
            )),
            address: words.of("192.0.2.7"),
            certificate: Some(Link::new(
                "7093458345",
                Section::Certificates.address().join("7093458345"),
            )),
            began: minutes_ago(12),
        }]),
    }
}

fn fleet(words: Words) -> Fleet {
    let here = Section::Hosts.address().join("fleet");
    let address = here.clone().with("q", words.of("web")).with("sort", "lag");
    let states = [("behind", "Behind"), ("never", "Never reported")];
    let row = |name: &str, state: (Tone, &str), lag: &str| FleetRow {
        id: name.to_owned(),
        href: Section::Hosts.address().join(name),
        name: words.of(name),
        state: Badge::new(state.0, state.1),
        agent: words.of_some(if lag.is_empty() { "" } else { "0.3.0" }),
        policy: "11 of 12".to_owned(),
        lag: lag.to_owned(),
        lease: (!lag.is_empty()).then(|| minutes_ago(-4_000)),
        reported: (!lag.is_empty()).then(|| minutes_ago(3)),
        conflicts: lag.len(),
    };
    Fleet {
        shell: shell(words),
        toolbar: Toolbar {
            search: Search {
                address: address.clone(),
                label: "Name of a host",
            },
            filters: vec![Filter::new(
                "State",
                &address,
                "state",
                states.map(|(value, label)| (value.to_owned(), label.to_owned())),
            )],
            clear: Some(here),
        },
        address,
        summary: "2 hosts: 1 behind, 1 never reported.".to_owned(),
        rows: vec![
            row("web-1", (Tone::Warn, "Behind"), "3 min"),
            row("web-2", (Tone::Warn, "Never reported"), ""),
        ],
        empty: Empty {
            icon: Icon::Host,
            title: "No host found".to_owned(),
            text: "No host is like that.".to_owned(),
            link: None,
        },
        pager: Pager {
            total: Some(2),
            shown: 2,
            noun: ("host", "hosts"),
            previous: None,
            next: None,
        },
    }
}

fn enrolment(words: Words) -> Enrolment {
    Enrolment {
        shell: shell(words),
        problem: Some(Alert::new(
            Tone::Bad,
            "This was not done",
            words.of("tags: no equals sign"),
        )),
        command: Some(Secret {
            id: "command",
            label: words.of("Run as root on the machine (Web servers)"),
            value: words.of("portreeve-host enroll --token pe_eyJ1cmwi"),
            advice: "It needs the package portreeve-host.".to_owned(),
        }),
        tokens: Block {
            id: "tokens",
            title: "Enrolment tokens",
            lead: String::new(),
            actions: vec![confirm(words, "new")],
            content: Content::Table(Table {
                head: vec!["Name", "For", "Tags", "Used"],
                rows: vec![Line {
                    cells: [
                        words.of("Web servers"),
                        words.of("web-*"),
                        words.of("role=web"),
                    ]
                    .into_iter()
                    .map(Shown::Text)
                    .chain([Shown::Text("1 of 10".to_owned())])
                    .collect(),
                    actions: vec![confirm(words, "revoke")],
                }],
                empty: "There is none.",
            }),
            live: "EnrolmentToken Host",
        },
    }
}
