//! Logs.

use portreeve_console::pages::logs::{Event, List, Row, View};
use portreeve_console::parts::{
    Alert, Copyable, Empty, Fact, Facts, Field, Filter, Icon, Link, Pager, PostButton, Shown, Tone,
};
use portreeve_console::{Address, Section};

use super::{Sample, Words, confirm, minutes_ago, shell};

pub(crate) fn samples(words: Words) -> Vec<Sample> {
    let mut none = list(words);
    none.rows.clear();
    none.views.clear();
    none.problem = Some(Alert::new(
        Tone::Bad,
        "That cannot be looked for",
        words.of("“yesterday” is no moment"),
    ));
    vec![
        Sample::new("logs", &list(words)),
        Sample::new("logs-empty", &none),
        Sample::new("event", &event(words)),
    ]
}

fn list(words: Words) -> List {
    let address = Section::Logs.address();
    let row = |id: &str, category: &str, text: &str, reason: &str| Row {
        id: id.to_owned(),
        href: address.clone().join(id),
        at: minutes_ago(3),
        category: words.of(category),
        text: words.of(text),
        reason: words.of_some(reason),
    };
    let chips = [("AUTH".to_owned(), "Sign-in".to_owned())];
    List {
        shell: shell(words),
        filters: vec![Filter::new("Category", &address, "category", chips)],
        fields: vec![Field::line("log", "object", "About", words.of("0199")).help("An id.")],
        kept: vec![("category".to_owned(), words.of("AUTH"))],
        is_narrowed: true,
        clear: Some(address.clone()),
        problem: None,
        rows: vec![
            row("1", "AUTH", "Ada Lovelace signed in", ""),
            row("2", "AUTH", "Grace Hopper was refused", "no_email_claim"),
        ],
        empty: Empty {
            icon: Icon::Log,
            title: "Nothing found".to_owned(),
            text: "Every change appears here.".to_owned(),
            link: None,
        },
        pager: Pager {
            total: None,
            shown: 2,
            noun: ("event", "events"),
            previous: None,
            next: Some(address.clone().with("before", "17")),
        },
        is_live: true,
        exports: vec![Link::new("CSV", address.clone().under("/console/logs.csv"))],
        views: vec![View {
            name: words.of("Refused sign-ins"),
            href: address.clone().with("outcome", "refused"),
            remove: Some(PostButton {
                action: address.join("views").join("1").join("remove"),
                label: "Remove".to_owned(),
                values: Vec::new(),
                class: "quiet small",
            }),
        }],
        save: Some(confirm(words, "save")),
    }
}

fn event(words: Words) -> Event {
    let request = Copyable::new("Request", words.of("0199-7"));
    Event {
        shell: shell(words),
        text: words.of("Contoso Entra changed Jürgen Groß"),
        refusal: Some(Alert::new(
            Tone::Bad,
            words.of("Refused: uniqueness"),
            words.of("Somebody else has that value."),
        )),
        facts: Facts(vec![
            Fact::new("When", Shown::Time(minutes_ago(4))),
            Fact::text("Category", words.of("SCIM_SYNC")),
            Fact::new("Request", Shown::Copyable(request)),
        ]),
        changes: vec![(words.of("title"), words.of("Engineer"), words.of("Lead"))],
        same_request: Some(Link::new(
            "Everything of the same request",
            Address::new("/console/logs").with("request", words.of("0199-7")),
        )),
    }
}
