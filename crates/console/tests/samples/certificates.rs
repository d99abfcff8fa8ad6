//! SSH certificates.

use portreeve_console::Section;
use portreeve_console::pages::certificates::{Certificate, List};
use portreeve_console::parts::{
    Alert, Badge, Copyable, Empty, Fact, Facts, Filter, Icon, Link, Pager, Search, Shown, Tone,
    Toolbar,
};

use super::hosts::certificates;
use super::{Sample, Words, confirm, minutes_ago, shell};

pub(crate) fn samples(words: Words) -> Vec<Sample> {
    let mut none = list(words);
    none.certificates.rows.clear();
    let mut wrong = list(words);
    wrong.problem = Some(Alert::new(
        Tone::Bad,
        "Nobody is called that",
        words.of("eve"),
    ));
    vec![
        Sample::new("certificates", &list(words)),
        Sample::new("certificates-empty", &none),
        Sample::new("certificates-wrong", &wrong),
        Sample::new("certificate", &certificate(words)),
    ]
}

fn list(words: Words) -> List {
    let address = Section::Certificates.address().with("q", words.of("ada"));
    let states = ["live", "expired", "revoked"].map(|state| (state.to_owned(), state.to_owned()));
    List {
        shell: shell(words),
        toolbar: Toolbar {
            filters: vec![Filter::new("State", &address, "state", states)],
            search: Search {
                address,
                label: "User name, host, serial number or key",
            },
            clear: Some(Section::Certificates.address()),
        },
        problem: None,
        certificates: certificates(words, Some("Ada Lovelace")),
        empty: Empty {
            icon: Icon::Certificate,
            title: "No certificates yet".to_owned(),
            text: "They appear as people log in.".to_owned(),
            link: None,
        },
        pager: Pager {
            total: None,
            shown: 3,
            noun: ("certificate", "certificates"),
            previous: None,
            next: None,
        },
    }
}

fn certificate(words: Words) -> Certificate {
    let key = "SHA256:3b8a0f5a6c7c8f9e0d1c2b3a495867564534231201f0e";
    Certificate {
        shell: shell(words),
        name: words.of("ada@contoso.example"),
        state: Badge::new(Tone::Good, "Live"),
        problem: Some(Alert::new(Tone::Bad, "This was not done", words.of("no"))),
        facts: Facts(vec![
            Fact::text("Principals", words.of("ada, deploy")),
            Fact::new("Key", Shown::Copyable(Copyable::new("key", words.of(key)))),
            Fact::new("Issued", Shown::Time(minutes_ago(30))).note(words.of("from 192.0.2.7")),
        ]),
        grants: Some(vec![Link::new(
            words.of("web-ops: login on role=web"),
            Section::Access.address().join("g1"),
        )]),
        revoke: Some(confirm(words, "revoke")),
    }
}
