//! Directories.

use portreeve_console::pages::directories::{
    Account, Accounts, Connect, Forecast, Head, List, Made, Mapping, MappingRow, Probe, ProbeStep,
    Request, Requests, Row, Rules, SignIn, Token, Tokens, Trial, Verdict,
};
use portreeve_console::pages::new::{Kind, New};
use portreeve_console::parts::{
    Alert, Badge, Choice, Copyable, Count, Empty, Fact, Facts, Field, Form, Icon, Link, Pager,
    PostButton, Secret, Step, StepState, Steps, Tone,
};
use portreeve_console::{Address, Section};

use super::{Sample, Words, confirm, minutes_ago, shell};

pub(crate) fn samples(words: Words) -> Vec<Sample> {
    let mut none = list(words);
    none.rows.clear();
    vec![
        Sample::new("directories", &list(words)),
        Sample::new("directories-empty", &none),
        Sample::new("directory-new", &new(words)),
        Sample::new("directory-connect", &connect(words)),
        Sample::new("directory-tokens", &tokens(words)),
        Sample::new("directory-token-made", &made(words)),
        Sample::new("directory-requests", &requests(words)),
        Sample::new("directory-accounts", &accounts(words)),
        Sample::new("directory-rules", &rules(words)),
        Sample::new("directory-sign-in", &sign_in(words)),
        Sample::new("directory-sign-in-tried", &tried(words)),
    ]
}

fn here() -> Address {
    Section::Directories.address().join("0b7c")
}

fn head(words: Words) -> Head {
    Head {
        name: words.of("Contoso Entra"),
        href: here(),
        provider: "Microsoft Entra ID",
        state: Badge::new(Tone::Good, "Connected"),
        is_fed: true,
        shows_sign_in: true,
        shows_accounts: true,
    }
}

fn list(words: Words) -> List {
    let row = |id: &str, name: &str, provider, state, is_active: bool| Row {
        id: id.to_owned(),
        href: here(),
        name: words.of(name),
        provider,
        state,
        last_request: is_active.then(|| minutes_ago(3)),
        users: Count(12_480),
        groups: Count(311),
        is_active,
    };
    List {
        shell: shell(words),
        rows: vec![
            row(
                "a",
                "Contoso Entra",
                "Microsoft Entra ID",
                Badge::new(Tone::Good, "Connected"),
                true,
            ),
            row(
                "b",
                "Fabrikam",
                "Okta",
                Badge::new(Tone::Info, "Waits for its provider"),
                false,
            ),
        ],
        empty: Empty {
            icon: Icon::Directory,
            title: "No directory yet".to_owned(),
            text: "A directory is one source of people.".to_owned(),
            link: Some(Link::new(
                "New directory",
                Address::new("/console/directories/new"),
            )),
        },
        create: Some(Address::new("/console/directories/new")),
    }
}

fn problem(words: Words) -> Option<Alert> {
    Some(Alert::new(
        Tone::Bad,
        "This was not done",
        words.of("a directory named Contoso exists"),
    ))
}

fn fields(words: Words) -> Vec<Field> {
    let choices = vec![
        Choice::new("suspend", "Suspend them", true).help("Kept, with no access."),
        Choice::new("delete", "Delete them", false),
    ];
    vec![
        Field::line("directory", "name", "Name", words.of("Contoso Entra")).required(),
        Field::new(
            "directory",
            "users",
            "What becomes of leavers",
            Form::One(choices),
        ),
        Field::new(
            "directory",
            "unique",
            "Two groups may not have the same name",
            Form::Switch(true),
        ),
    ]
}

fn new(words: Words) -> New {
    New {
        shell: shell(words),
        kind: Kind::Directory,
        problem: problem(words),
        fields: fields(words),
    }
}

fn button(label: &str) -> PostButton {
    PostButton {
        action: here().join("test"),
        label: label.to_owned(),
        values: Vec::new(),
        class: "primary",
    }
}

fn probe(words: Words) -> Probe {
    let step = |label: &str, verdict, remedy: &str| ProbeStep {
        label: words.of(label),
        verdict,
        found: words.of("answered 200 in 12 ms"),
        remedy: words.of_some(remedy),
    };
    Probe {
        summary: Alert::new(
            Tone::Bad,
            "The provider would not get through",
            words.of("See step 3."),
        ),
        steps: vec![
            step("Find the host", Verdict::Good, ""),
            step(
                "Encrypt the connection",
                Verdict::Doubtful,
                "Renew the certificate within 5 days.",
            ),
            step(
                "Look for a user",
                Verdict::Failed,
                "The proxy cuts the query off; let it pass.",
            ),
        ],
    }
}

fn connect(words: Words) -> Connect {
    let step = |label: &str, state| Step {
        label: words.of(label),
        detail: words.of("Under Enterprise applications."),
        state,
        href: Some(here().join("tokens")),
    };
    let row = |from: &str, to: &str, note| MappingRow {
        from: Copyable::new("attribute", from),
        to: Copyable::new("attribute", to),
        note,
    };
    Connect {
        shell: shell(words),
        head: head(words),
        attention: vec![Alert::new(
            Tone::Warn,
            words.of("No active seen in 500 requests"),
            "Leavers stay until the mapping is there.",
        )],
        heading: "Connect Microsoft Entra ID".to_owned(),
        steps: Steps {
            label: words.of("Connect Microsoft Entra ID"),
            steps: vec![
                step("Make the application", StepState::Done),
                step("Paste tenant URL and secret token", StepState::Current),
                step("Start provisioning", StepState::Ahead),
            ],
        },
        tenant_url: Copyable::new(
            "tenant URL",
            words.of("https://portreeve.contoso.example/scim/0b7c/v2"),
        ),
        mappings: vec![Mapping {
            title: "Users",
            rows: vec![
                row("userPrincipalName", "userName", ""),
                row(
                    "Switch([IsSoftDeleted], , \"False\", \"True\", \"True\", \"False\")",
                    "active",
                    "Without it leavers stay.",
                ),
            ],
        }],
        test: Some(button("Test the connection")),
        probe: Some(probe(words)),
        unknown: vec![words.of("urn:contoso:badge")],
    }
}

fn tokens(words: Words) -> Tokens {
    let token = |name: &str, state, id: &str| Token {
        name: words.of(name),
        state,
        created: minutes_ago(40_000),
        last_used: Some(minutes_ago(3)),
        ends: Some(minutes_ago(-13_000)),
        revoke: Some(confirm(words, id)),
    };
    Tokens {
        shell: shell(words),
        head: head(words),
        problem: problem(words),
        rows: vec![
            token("cutover", Badge::new(Tone::Good, "Works"), "revoke-a"),
            token("first", Badge::new(Tone::Neutral, "Ended"), "revoke-b"),
        ],
        create: Some(confirm(words, "create")),
        rotate: Some(confirm(words, "rotate")),
    }
}

fn made(words: Words) -> Made {
    Made {
        shell: shell(words),
        title: words.of("Token “cutover” made"),
        name: words.of("Contoso Entra"),
        tenant_url: Copyable::new(
            "tenant URL",
            words.of("https://portreeve.contoso.example/scim/0b7c/v2"),
        ),
        secret: Secret {
            id: "secret",
            label: "Secret token".to_owned(),
            value: words.of("prv_scim_AZkLfFouezCbHgxfnRwqM3Vn1d0cJmJ6y2rTz8p9"),
            advice: "Paste it into the provider now.".to_owned(),
        },
        follows: words.of("“first” works for 24 hours more."),
        next: Link::new("To the directory", here()),
    }
}

fn requests(words: Words) -> Requests {
    let request = |id: &str, method: &str, path: &str, query: &str, status| Request {
        id: id.to_owned(),
        at: minutes_ago(2),
        method: method.to_owned(),
        path: words.of(path),
        query: words.of_some(query),
        status,
        took: "0.8 ms".to_owned(),
        events: Some(Link::new(
            "What it changed",
            Section::Logs.address().with("request", words.of(id)),
        )),
    };
    Requests {
        shell: shell(words),
        head: head(words),
        rows: vec![
            request(
                "r1",
                "GET",
                "/Users",
                "filter=userName eq \"ada@contoso.example\"",
                Badge::new(Tone::Good, "200 OK"),
            ),
            request(
                "r2",
                "PATCH",
                "/Groups/0199-1",
                "",
                Badge::new(Tone::Bad, "400 invalidValue"),
            ),
        ],
        kept: 200,
    }
}

fn rules(words: Words) -> Rules {
    Rules {
        shell: shell(words),
        head: head(words),
        problem: problem(words),
        fields: fields(words),
        may_change: true,
        delete: Some(confirm(words, "delete-directory")),
    }
}

fn sign_in(words: Words) -> SignIn {
    SignIn {
        shell: shell(words),
        head: head(words),
        problem: None,
        is_connected: true,
        redirect_uri: Copyable::new(
            "redirect URI",
            words.of("https://portreeve.contoso.example/auth/openid/callback"),
        ),
        sign_in_url: Some(Copyable::new(
            "address",
            words.of("https://portreeve.contoso.example/t/main"),
        )),
        fields: fields(words),
        may_change: true,
        test: Some(button("Examine the connection")),
        probe: Some(probe(words)),
        trial: Some(Trial::Begin {
            url: Copyable::new(
                "address",
                words.of("https://portreeve.contoso.example/auth/openid/start?trial=1"),
            ),
            look: button("Look"),
        }),
        delete: Some(confirm(words, "delete-directory")),
    }
}

fn tried(words: Words) -> SignIn {
    SignIn {
        problem: problem(words),
        probe: None,
        trial: Some(Trial::Done {
            summary: Alert::new(
                Tone::Good,
                words.of("This is Ada Lovelace"),
                words.of("By oid."),
            ),
            claims: Facts(vec![Fact::text(
                words.of("email"),
                words.of("ada@contoso.example"),
            )]),
        }),
        ..sign_in(words)
    }
}

fn somebody(words: Words, name: &str) -> Link {
    Link::new(
        words.of(name),
        Section::Users.address().join("0b7c").join("1"),
    )
}

fn forecast(words: Words) -> Forecast {
    Forecast {
        summary: vec![Alert::new(
            Tone::Warn,
            "2 of 16 people would have no account",
            "",
        )],
        renames: vec![
            (
                words.of("ada.lovelace@contoso.example"),
                words.of("adalovelace"),
                words.of("ada-lovelace"),
            ),
            (words.of("eve"), words.of("eve"), String::new()),
        ],
        without: vec![(
            somebody(words, "root@contoso.example"),
            words.of("\"root\" cannot be an account name"),
        )],
    }
}

fn accounts(words: Words) -> Accounts {
    let user = |name: &str| somebody(words, name);
    let row = |user_name: &str, name: &str, problem: &str| Account {
        who: user(user_name),
        name: words.of_some(name),
        numbers: if problem.is_empty() {
            "65537".to_owned()
        } else {
            String::new()
        },
        problem: words.of_some(problem),
        state: match problem {
            "" => Badge::new(Tone::Good, "Given"),
            _ => Badge::new(Tone::Bad, "No account"),
        },
    };
    Accounts {
        shell: shell(words),
        head: head(words),
        problem: None,
        fields: vec![Field::new(
            "names",
            "dots",
            "Dots",
            Form::One(vec![
                Choice::new("drop", "Leave them out", true).help("ada.lovelace is adalovelace"),
                Choice::new("hyphen", "A hyphen", false),
            ]),
        )],
        may_change: true,
        forecast: Some(forecast(words)),
        rows: vec![
            row("ada@contoso.example", "ada", ""),
            row(
                "root@contoso.example",
                "",
                "\"root\" cannot be an account name: it is reserved",
            ),
        ],
        pager: Pager {
            total: None,
            shown: 2,
            noun: ("person", "people"),
            previous: None,
            next: Some(here().join("accounts").with("after", "1")),
        },
    }
}
