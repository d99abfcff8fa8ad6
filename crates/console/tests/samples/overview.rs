//! The Overview.

use portreeve_console::pages::overview::{Happening, Overview, Tile, TileValue};
use portreeve_console::parts::{Alert, Bar, Chart, Link, Series, Step, StepState, Steps, Tone};
use portreeve_console::{Address, Section};

use super::{Sample, Words, minutes_ago, shell};

pub(crate) fn samples(words: Words) -> Vec<Sample> {
    let running = Overview {
        shell: shell(words),
        tiles: tiles(words),
        attention: attention(words),
        checklist: None,
        charts: charts(),
        recent: recent(words),
    };
    let mut new = Overview {
        shell: shell(words),
        tiles: tiles(words),
        attention: Vec::new(),
        checklist: Some(checklist()),
        charts: charts(),
        recent: Vec::new(),
    };
    new.shell.needs_attention = 0;
    for bar in new.charts.iter_mut().flat_map(|chart| &mut chart.bars) {
        bar.values.fill(0);
    }
    vec![
        Sample::new("overview", &running),
        Sample::new("overview-new", &new),
    ]
}

fn tiles(words: Words) -> Vec<Tile> {
    let tile = |label, value, detail: &str, tone, section: Section| Tile {
        label,
        value,
        detail: words.of(detail),
        tone,
        href: section.address(),
    };
    let text = |text: &str| TileValue::Text(words.of(text));
    vec![
        tile(
            "Last request of a provider",
            TileValue::Time(minutes_ago(3)),
            "Contoso Entra",
            Tone::Good,
            Section::Directories,
        ),
        tile(
            "People",
            text("12,480"),
            "311 suspended",
            Tone::Neutral,
            Section::Users,
        ),
        tile(
            "Next token to expire",
            text("in 9 days"),
            "Contoso Entra, “cutover”",
            Tone::Warn,
            Section::Directories,
        ),
        tile(
            "Sign-ins today",
            text("1,204"),
            "17 refused",
            Tone::Good,
            Section::Logs,
        ),
    ]
}

fn attention(words: Words) -> Vec<Alert> {
    vec![
        Alert::new(
            Tone::Bad,
            words.of("17 sign-ins of Contoso Entra were refused today"),
            words.of("The ID token has no `email`, and the directory finds people by e-mail only. Add the optional claim, or find people by `oid`."),
        )
        .link(Link::new("See them in the log", Section::Logs.address().with("category", "AUTH"))),
        Alert::new(
            Tone::Warn,
            words.of("The token “cutover” expires in 9 days"),
            "Make a second one now; both work until the old one is revoked.",
        )
        .link(Link::new("Tokens of Contoso Entra", Section::Directories.address().join("0b7c"))),
    ]
}

fn checklist() -> Steps {
    let step = |label: &str, detail: &str, state, href: &'static str| Step {
        label: label.to_owned(),
        detail: detail.to_owned(),
        state,
        href: Some(Address::new(href)),
    };
    Steps {
        label: "First steps".to_owned(),
        steps: vec![
            step(
                "Make a directory",
                "",
                StepState::Done,
                "/console/directories",
            ),
            step(
                "Paste tenant URL and token into your provider",
                "Then press “Test connection” there.",
                StepState::Current,
                "/console/directories/new",
            ),
            step(
                "Let people sign in",
                "Connect the provider's single sign-on.",
                StepState::Ahead,
                "/console/settings/sign-in",
            ),
            step(
                "Make a second owner",
                "So that nobody is locked out when you are away.",
                StepState::Ahead,
                "/console/settings/owners",
            ),
        ],
    }
}

fn charts() -> Vec<Chart> {
    let bars = |first: u64, second: u64, third: u64| {
        let day = move |day: u64| Bar {
            label: format!("{} Nov", day + 9),
            values: vec![(day * first) % 61, (day * second) % 17, (day * third) % 5],
        };
        (0..14).map(day).collect()
    };
    let series = |label, tone| Series { label, tone };
    vec![
        Chart {
            id: "provisioning",
            title: "Changes by providers".to_owned(),
            period: "Last 14 days",
            series: vec![
                series("changed", Tone::Info),
                series("created", Tone::Good),
                series("refused", Tone::Bad),
            ],
            bars: bars(37, 11, 7),
        },
        Chart {
            id: "sign-ins",
            title: "Sign-ins".to_owned(),
            period: "Last 14 days",
            series: vec![
                series("signed in", Tone::Good),
                series("by passkey", Tone::Neutral),
                series("refused", Tone::Bad),
            ],
            bars: bars(53, 3, 3),
        },
    ]
}

fn recent(words: Words) -> Vec<Happening> {
    let happened = |category: &str, text: &str, minutes, failed| Happening {
        href: Section::Logs.address().join("0199-4"),
        category: words.of(category),
        text: words.of(text),
        at: minutes_ago(minutes),
        failed,
    };
    vec![
        happened("SCIM_SYNC", "Contoso Entra suspended Jürgen Groß", 3, false),
        happened(
            "AUTH",
            "Somebody of Contoso Entra could not sign in: no_email_claim",
            9,
            true,
        ),
        happened(
            "SCIM_SYNC",
            "Contoso Entra added Linus Oduya to web-ops",
            31,
            false,
        ),
        happened(
            "ADMIN",
            "Ada Lovelace made Grace Hopper an admin",
            400,
            false,
        ),
        happened(
            "SESSION",
            "Ada Lovelace ended a session of Noor al-Huda",
            1_700,
            false,
        ),
    ]
}
