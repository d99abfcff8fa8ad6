//! One's own page.

use portreeve_console::pages::me::{Access, Me, Membership, Passkey, Passkeys};
use portreeve_console::parts::{
    Code, Confirm, Copyable, Fact, Facts, Level, PostButton, Reached, ReachedHosts, Session,
    Sessions, Shown, Source,
};
use portreeve_console::{Address, Section};

use super::hosts::certificates;
use super::{Sample, Words, minutes_ago, shell};

pub(crate) fn samples(words: Words) -> Vec<Sample> {
    let mut person = me(words);
    person.shell.who.level = Level::User;
    person.shell.sections = vec![Section::Me];
    person.shell.needs_attention = 0;
    person.passkeys = None;
    person.groups.clear();
    person.end_others = None;
    if let Some(access) = &mut person.access {
        access.hosts.rows.clear();
        access.certificates.rows.clear();
        access.nowhere = words.of("No group of yours has access to any host now.");
    }
    vec![
        Sample::new("me", &me(words)),
        Sample::new("me-user", &person),
    ]
}

fn me(words: Words) -> Me {
    let entra = || Source::Directory(words.of("Contoso Entra"));
    let group = |name: &str, via: &str, source: Source, until| Membership {
        name: words.of(name),
        href: Some(Section::Groups.address().join("0b7c").join("0199-1")),
        source,
        via: words.of_some(via),
        until,
    };
    Me {
        shell: shell(words),
        profile: Facts(vec![
            Fact::text("User name", words.of("ada")),
            Fact::text("E-mail", words.of("ada@contoso.example")).note("primary"),
            Fact::text("Department", words.of("Analytical engines")),
            Fact::text("Manager", ""),
            Fact::new("Level", Shown::Level(Level::Owner)),
            Fact::new("Last changed", Shown::Time(minutes_ago(3_000))),
        ]),
        source: entra(),
        groups: vec![
            group("web-ops", "", entra(), None),
            group("Engineering", "web-ops", entra(), None),
            group(
                "incident-4711",
                "",
                Source::Portreeve,
                Some(minutes_ago(-90)),
            ),
        ],
        access: Some(access(words)),
        sessions: sessions(words),
        end_others: Some(Confirm {
            id: "end-others".to_owned(),
            opener: "Sign out elsewhere…".to_owned(),
            title: "Sign out everywhere else?".to_owned(),
            effect: words.of("One other session ends at once: Portreeve CLI on ada-laptop."),
            action: Address::new("/console/me/sessions/end-others"),
            label: "Sign out elsewhere".to_owned(),
            values: Vec::new(),
            fields: Vec::new(),
            danger: true,
        }),
        passkeys: Some(passkeys(words)),
    }
}

fn sessions(words: Words) -> Sessions {
    let row = |id: &str, command_line, device: &str, current, seen| Session {
        id: id.to_owned(),
        command_line,
        device: words.of(device),
        who: None,
        address: words.of("192.0.2.7"),
        started: minutes_ago(seen + 300),
        last_seen: minutes_ago(seen),
        ends: minutes_ago(-10_000),
        current,
        end: (!current).then(|| end(words)),
    };
    Sessions {
        caption: "Where you are signed in".to_owned(),
        rows: vec![
            row("a", false, "Firefox on Linux", true, 0),
            row("b", true, "portreeve 0.1.0 on ada-laptop", false, 47),
        ],
    }
}

fn end(words: Words) -> PostButton {
    PostButton {
        action: Address::new("/console/me/sessions/end"),
        label: "Sign out".to_owned(),
        values: vec![("session", words.of("b"))],
        class: "small",
    }
}

fn passkeys(words: Words) -> Passkeys {
    Passkeys {
        rows: vec![Passkey {
            name: words.of("Ada's laptop"),
            added: minutes_ago(90_000),
            last_used: None,
            remove: PostButton {
                action: Address::new("/console/me/passkeys/remove"),
                label: "Remove".to_owned(),
                values: vec![("passkey", words.of("p1"))],
                class: "small danger",
            },
        }],
        hindrance: String::new(),
    }
}

fn access(words: Words) -> Access {
    let host = |name: &str, sudo| Reached {
        name: words.of(name),
        href: Some(Section::Hosts.address().join(name)),
        account: words.of("ada"),
        sudo,
        until: sudo.then(|| minutes_ago(-90)),
        command: Some(Copyable::new("command", words.of(&format!("ssh {name}")))),
    };
    let code = |text: &str| Code {
        what: "commands".to_owned(),
        text: words.of(text),
    };
    Access {
        nowhere: String::new(),
        hosts: ReachedHosts {
            caption: "Your hosts".to_owned(),
            rows: vec![
                host("web-1", false),
                host("db-primary.eu-west-1.internal", true),
            ],
            more: 40,
        },
        commands: vec![
            ("With portreeve", code("portreeve ssh login\nssh web-1")),
            (
                "With step",
                code("step ca bootstrap --ca-url https://ca.contoso.example --fingerprint 0f1e"),
            ),
        ],
        certificates: certificates(words, None),
    }
}
