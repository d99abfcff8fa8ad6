//! Settings.

use portreeve_console::Address;
use portreeve_console::pages::settings::{Block, Content, Row, Settings, Table};
use portreeve_console::parts::{
    Alert, Badge, Fact, Facts, Link, Secret, Session, Sessions, Shown, Tone,
};

use super::{Sample, Words, confirm, minutes_ago, shell};

pub(crate) fn samples(words: Words) -> Vec<Sample> {
    let start = Address::new("/console/settings");
    let settings = Settings {
        shell: shell(words),
        pages: vec![
            ("Sign-in", start.clone().join("sign-in")),
            ("API tokens", start.clone().join("api-tokens")),
        ],
        shown: "API tokens",
        problem: Some(Alert::new(
            Tone::Bad,
            "This was not done",
            words.of("the name is taken"),
        )),
        secret: Some(Secret {
            id: "secret",
            label: words.of("API token “Nightly export”"),
            value: words.of("prv_api_0199"),
            advice: "Programs send it as Authorization: Bearer ….".to_owned(),
        }),
        blocks: vec![table(words, &start), facts(words), sessions(words)],
    };
    vec![Sample::new("settings", &settings)]
}

fn table(words: Words, start: &Address) -> Block {
    let owner = Link::new(words.of("Ada Lovelace"), start.clone().join("owners"));
    Block {
        id: "tokens",
        title: "API tokens",
        lead: words.of("For programs."),
        actions: vec![confirm(words, "new")],
        content: Content::Table(Table {
            head: vec!["Name", "Acts for", "State", "Ends"],
            rows: vec![Row {
                cells: vec![
                    Shown::Text(words.of("Nightly export")),
                    Shown::Link(owner),
                    Shown::Badge(Badge::new(Tone::Good, "Works")),
                    Shown::Time(minutes_ago(-600)),
                ],
                actions: vec![confirm(words, "revoke")],
            }],
            empty: "There is none.",
        }),
        live: "ApiToken",
    }
}

fn facts(words: Words) -> Block {
    Block {
        id: "team",
        title: "Team",
        lead: String::new(),
        actions: Vec::new(),
        content: Content::Facts(Facts(vec![Fact::text("Name", words.of("contoso"))])),
        live: "Team",
    }
}

fn sessions(words: Words) -> Block {
    let session = Session {
        id: "0199".to_owned(),
        command_line: false,
        device: words.of("Firefox on Linux"),
        who: None,
        address: words.of("192.0.2.7"),
        started: minutes_ago(90),
        last_seen: minutes_ago(2),
        ends: minutes_ago(-600),
        current: true,
        end: None,
    };
    Block {
        id: "sessions",
        title: "Who is signed in",
        lead: String::new(),
        actions: Vec::new(),
        content: Content::Sessions(Sessions {
            caption: "Sessions".to_owned(),
            rows: vec![session],
        }),
        live: "AUTH SESSION",
    }
}
