//! Every part in its forms, on one page: what there is to build pages of.

use portreeve_console::pages::message::Message;
use portreeve_console::parts::{
    Alert, Badge, Choice, Code, Confirm, Copyable, Count, Empty, Fact, Facts, Field, Form, Icon,
    Level, Link, Menu, MenuItem, PostButton, Secret, Shown, Source, Status, Step, StepState, Steps,
    Tab, Tabs, Tone,
};
use portreeve_console::{Address, Page, Section};

use super::{Sample, Words, minutes_ago};

const TONES: [Tone; 5] = [Tone::Neutral, Tone::Info, Tone::Good, Tone::Warn, Tone::Bad];

pub(crate) fn samples(words: Words) -> Vec<Sample> {
    let around = Message::done("Parts", "What pages are made of.").html();
    let sections = [
        ("Badges", badges(words)),
        ("Alerts", alerts(words)),
        ("Values", values(words)),
        ("Actions", actions(words)),
        ("Fields", fields(words)),
        ("Ways", ways(words)),
    ];
    let mut inside = String::new();
    for (title, html) in sections {
        inside.push_str(&format!(
            "<section class=\"section\"><h2>{title}</h2>{html}</section>\n"
        ));
    }
    vec![Sample {
        name: "parts",
        html: around.replace("</main>", &format!("{inside}</main>")),
    }]
}

fn badges(words: Words) -> String {
    let badge = |tone| {
        Badge::new(tone, words.of("a word"))
            .icon(Icon::Clock)
            .to_string()
    };
    let statuses = [Status::Active, Status::Suspended].map(|status| status.to_string());
    let levels = Level::ALL.map(|level| level.to_string());
    let sources = [
        Source::Portreeve,
        Source::Directory(words.of("Contoso Entra")),
    ];
    let sources = sources.map(|source| source.to_string());
    [
        TONES.map(badge).join(" "),
        statuses.join(" "),
        levels.join(" "),
        sources.join(" "),
    ]
    .join("<br>")
}

fn alerts(words: Words) -> String {
    let alert = |tone| {
        let link = Link::new(words.of("See to it"), Section::Logs.address());
        let alert = Alert::new(
            tone,
            words.of("Something is so"),
            words.of("And this is what to do."),
        );
        alert.link(link).to_string()
    };
    TONES.map(alert).concat()
}

fn values(words: Words) -> String {
    let url = "https://portreeve.contoso.example/scim/01990b7c-5a2e-7c30-9b1e-0c5f9d1c2a33/v2";
    let facts = Facts(vec![
        Fact::new(
            "Tenant URL",
            Shown::Copyable(Copyable::new("tenant URL", words.of(url))),
        ),
        Fact::new("Status", Shown::Status(Status::Active)),
        Fact::new(
            "Kind",
            Shown::Badge(Badge::new(Tone::Info, words.of("Entra"))),
        ),
        Fact::new(
            "Group",
            Shown::Link(Link::new(words.of("web-ops"), Section::Groups.address())),
        ),
        Fact::new("Changed", Shown::Time(minutes_ago(5))).note(words.of("by Ada Lovelace")),
        Fact::text("Manager", ""),
    ]);
    let code = Code {
        what: "command".to_owned(),
        text: words.of("portreeve token create --directory 01990b7c-5a2e-7c30-9b1e-0c5f9d1c2a33 --expires 90d\nportreeve directory list"),
    };
    let secret = Secret {
        id: "token",
        label: words.of("Secret token"),
        value: words.of("prv_scim_AZkLfFouezCbHgxfnRwqM3Vn1d0cJmJ6y2rTz8p9"),
        advice: words.of("Paste it into your provider now. If it is lost, make another one; both work until you revoke one."),
    };
    format!("{facts}{code}{secret}")
}

fn actions(words: Words) -> String {
    let button = |label: &str, class| PostButton {
        action: Address::new("/console/users"),
        label: words.of(label),
        values: vec![("user", words.of("0199"))],
        class,
    };
    let confirm = Confirm {
        id: "suspend".to_owned(),
        opener: words.of("Suspend…"),
        title: words.of("Suspend Ada Lovelace?"),
        effect: words.of("Two sessions end at once, and no new certificate is issued."),
        action: Address::new("/console/users"),
        label: "Suspend".to_owned(),
        values: vec![("user", words.of("0199"))],
        fields: vec![Field::line("suspend", "reason", "Reason", words.of("")).help("For the log.")],
        danger: true,
    };
    let menu = Menu {
        label: words.of("Actions for Ada Lovelace"),
        items: vec![
            MenuItem::Link {
                label: words.of("Show in the log"),
                href: Section::Logs.address(),
            },
            MenuItem::Post(button("Sign out", "")),
            MenuItem::Ask {
                label: words.of("Suspend…"),
                id: "suspend".to_owned(),
                danger: true,
            },
        ],
    };
    let buttons = [
        ("Save", "primary"),
        ("Test", ""),
        ("Cancel", "quiet"),
        ("Remove", "danger"),
        ("Copy", "small"),
    ];
    let buttons = buttons.map(|(label, class)| button(label, class).to_string());
    format!(
        "<div class=\"buttons\">{}{}{menu}</div>{confirm}",
        buttons.concat(),
        confirm.opener()
    )
}

fn fields(words: Words) -> String {
    let choices = || {
        vec![
            Choice::new("suspend", words.of("Suspend"), true)
                .help(words.of("The user stays and may do nothing.")),
            Choice::new("delete", words.of("Delete"), false).help(words.of("The user is gone.")),
        ]
    };
    let fields = [
        Field::line(
            "sample",
            "name",
            words.of("Name"),
            words.of("Contoso Entra"),
        )
        .help(words.of("As people know it."))
        .required(),
        Field::line("sample", "url", "Metadata URL", words.of("contoso"))
            .kind("url")
            .error(words.of("This is no URL: it begins with https://.")),
        Field::new("sample", "secret", "Client secret", Form::Password).required(),
        Field::new(
            "sample",
            "domains",
            "Domains",
            Form::Text {
                value: words.of("contoso.example"),
                rows: 3,
            },
        )
        .help("One in each line."),
        Field::new(
            "sample",
            "leavers",
            "What becomes of leavers",
            Form::One(choices()),
        ),
        Field::new("sample", "permissions", "Permissions", Form::Any(choices()))
            .help("What the token may do.")
            .error("Choose one at least."),
        Field::new("sample", "provider", "Provider", Form::Select(choices())),
        Field::new(
            "sample",
            "by-email",
            words.of("Find people by e-mail"),
            Form::Switch(true),
        )
        .help(words.of("Only with a pinned tenant.")),
    ];
    let fields = fields.map(|field| field.to_string());
    format!(
        "<form method=\"post\" action=\"/console\">{}<div class=\"form-actions\"><button class=\"primary\">Save</button></div></form>",
        fields.concat()
    )
}

fn ways(words: Words) -> String {
    let step = |label: &str, state| Step {
        label: words.of(label),
        detail: words.of("A few words more."),
        state,
        href: Some(Address::new("/console/directories/new").with("step", words.of("2"))),
    };
    let steps = Steps {
        label: words.of("Connect a provider"),
        steps: vec![
            step("Name it", StepState::Done),
            step("Copy the tenant URL", StepState::Current),
            step("Test the connection", StepState::Ahead),
        ],
    };
    let tab = |label, current, count| Tab {
        label,
        href: Section::Directories.address(),
        current,
        count,
    };
    let tabs = Tabs {
        label: words.of("Contoso Entra"),
        tabs: vec![
            tab("Connect", true, None),
            tab("Tokens", false, Some(Count(2))),
            tab("Requests", false, Some(Count(12_480))),
            tab("Rules", false, None),
            tab("Sign-in", false, None),
        ],
    };
    let empty = Empty {
        icon: Icon::Directory,
        title: words.of("No directory yet"),
        text: words.of("A directory is where your provider puts people."),
        link: Some(Link::new(
            words.of("Connect a provider"),
            Section::Directories.address(),
        )),
    };
    format!("{tabs}{steps}{empty}")
}
