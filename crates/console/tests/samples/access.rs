//! Grants and why they let somebody in.

use portreeve_console::pages::access::{
    Answer, Editor, Effect, Explain, List, Matched, Preview, Row, Subject,
};
use portreeve_console::parts::{
    Alert, Badge, Chain, ChainStep, Choice, Code, Empty, Fact, Facts, Field, Filter, Form, Icon,
    Link, Pager, Sentence, Tone,
};
use portreeve_console::{Address, Section};

use super::hosts::misread;
use super::users::history;
use super::{Sample, Words, confirm, minutes_ago, shell};

pub(crate) fn samples(words: Words) -> Vec<Sample> {
    let mut none = list(words);
    none.grants.clear();
    none.temporary.clear();
    let mut wrong = editor(words);
    wrong.preview = Preview {
        subject: Subject::Unknown(words.of("there is no group of that name")),
        misread: Some(misread(words)),
        ..Preview::default()
    };
    wrong.problem = Some(Alert::new(Tone::Bad, "This was not done", words.of("no")));
    let mut unsaid = editor(words);
    unsaid.preview = Preview::default();
    vec![
        Sample::new("access", &list(words)),
        Sample::new("access-empty", &none),
        Sample::new("grant", &editor(words)),
        Sample::new("grant-misread", &wrong),
        Sample::new("grant-new", &unsaid),
        Sample::new("explain", &explain(words, false)),
        Sample::new("explain-yes", &explain(words, true)),
    ]
}

fn list(words: Words) -> List {
    let row = |id: &'static str, who: &str, hosts: &str, until: Option<i64>| Row {
        id: id.to_owned(),
        href: Section::Access.address().join(id),
        who: Link::new(
            words.of(who),
            Section::Groups.address().join("0b7c").join("g1"),
        ),
        hosts: words.of(hosts),
        sudo: until.is_some(),
        note: words.of("incident 4711"),
        state: until.is_none().then(|| Badge::new(Tone::Info, "Begins")),
        until: until.map(|minutes| minutes_ago(-minutes)),
        revoke: Some(confirm(words, &format!("revoke-{id}"))),
    };
    let states = [("", "In force"), ("over", "Over")];
    let states = states.map(|(value, label)| (value.to_owned(), label.to_owned()));
    List {
        shell: shell(words),
        filters: vec![Filter::new(
            "Show",
            &Section::Access.address(),
            "state",
            states,
        )],
        problem: None,
        grants: vec![
            row("g1", "web-ops", "role=web", None),
            row(
                "g2",
                "Finance and controlling, Europe, the Middle East and Africa",
                "env=prod and (region=eu or region=us) and not legacy",
                None,
            ),
        ],
        temporary: vec![row(
            "g3",
            "ada@contoso.example",
            "name=db-primary",
            Some(90),
        )],
        empty: Empty {
            icon: Icon::Shield,
            title: "No grants yet".to_owned(),
            text: "A grant says that a group may log in to hosts.".to_owned(),
            link: Some(Link::new("New grant", Address::new("/console/access/new"))),
        },
        pager: Pager {
            total: None,
            shown: 3,
            noun: ("grant", "grants"),
            previous: None,
            next: Some(Section::Access.address().with("cursor", "b2Zmc2V0PTUw")),
        },
        create: Some(Address::new("/console/access/new")),
    }
}

fn preview(words: Words) -> Preview {
    let link = |text: &str| Link::new(words.of(text), Section::Hosts.address().join(text));
    Preview {
        subject: Subject::Found {
            link: link("web-ops"),
            note: words.of("34 people"),
        },
        misread: None,
        hosts: Some(Matched {
            total: "12 hosts".to_owned(),
            first: vec![link("web-1"), link("web-2")],
            is_cut: true,
        }),
        effects: vec![
            Effect {
                text: "Adds 3 people".to_owned(),
                who: words.of("ada, grace, chiara.bianchi"),
            },
            Effect {
                text: "Removes 1".to_owned(),
                who: String::new(),
            },
        ],
        notes: vec![Alert::new(
            Tone::Warn,
            words.of("Every host"),
            words.of("All."),
        )],
    }
}

fn editor(words: Words) -> Editor {
    Editor {
        shell: shell(words),
        title: words.of("New grant"),
        state: Some(Badge::new(Tone::Good, "In force")),
        action: Address::new("/console/access/new"),
        problem: None,
        subject: Some(Facts(vec![Fact::text("Who", words.of("web-ops"))])),
        fields: vec![
            Field::new(
                "grant",
                "kind",
                "Who",
                Form::One(vec![
                    Choice::new("group", "A group", true),
                    Choice::new("user", "One person", false).help("For a limited time."),
                ]),
            ),
            Field::line("grant", "subject", "Name", words.of("web-ops"))
                .list("known")
                .required(),
            Field::line("grant", "hosts", "Hosts", words.of("role=web"))
                .code()
                .required(),
        ],
        more: vec![Field::line(
            "grant",
            "posix_groups",
            "POSIX groups",
            words.of("docker"),
        )],
        shows_more: true,
        save: "Grant",
        may_change: true,
        known: vec![words.of("web-ops"), words.of("web-dev")],
        preview: preview(words),
        revoke: Some(confirm(words, "revoke")),
        history: history(words),
    }
}

fn explain(words: Words, yes: bool) -> Explain {
    let step = |step, yes, why: &str| ChainStep {
        step,
        yes,
        why: Sentence(words.of(why)),
        href: (step != "Verdict").then(|| Section::Groups.address().join("0b7c").join("g1")),
    };
    let command = Code {
        what: "command".to_owned(),
        text: words.of("portreeve explain ada web-1"),
    };
    let details = Facts(vec![Fact::text("Account", words.of("ada"))]);
    Explain {
        shell: shell(words),
        fields: vec![
            Field::line("explain", "user", "Who", words.of("ada")).list("known-user"),
            Field::line("explain", "host", "Host", words.of("web-1")).list("known-host"),
        ],
        known: vec![
            ("known-user", vec![words.of("ada")]),
            ("known-host", vec![words.of("web-1")]),
        ],
        problem: (!yes).then(|| Alert::new(Tone::Bad, "There is no such host", words.of("web-9"))),
        answer: Some(Answer {
            verdict: Alert::new(
                if yes { Tone::Good } else { Tone::Bad },
                words.of("ada may not log in to web-1"),
                words.of("Put ada into a group that has a grant on role=web."),
            ),
            chain: Chain(vec![
                step(
                    "Directory",
                    true,
                    "ada is from the directory Contoso Entra, from which people reach hosts.",
                ),
                step("User", true, "ada is active."),
                step(
                    "Grant",
                    false,
                    "No group of ada has a grant, nor is there temporary access.",
                ),
                step("Principals", true, "The account of ada is ada."),
                step("Verdict", yes, "ada may not log in to web-1."),
            ]),
            details: yes.then_some(details),
            command,
        }),
    }
}
