//! How machines become hosts: enrolment tokens, and what is run on the machine.

use super::written_tags;
use crate::admin::host_tokens::{
    self, HostTokenStatus, HostTokenView, MadeHostToken, NewHostToken,
};
use crate::console::form::Form;
use crate::console::happening::time;
use crate::console::settings::{badge, question, text};
use crate::console::trouble::Trouble;
use crate::console::visit::Visit;
use axum::body::Body;
use axum::response::Response;
use http::StatusCode;
use portreeve_console::pages::hosts::Enrolment;
use portreeve_console::pages::settings::{Block, Content, Row, Table};
use portreeve_console::parts::{Choice, Confirm, Field, Form as Input, Secret, Shown, Tone};
use portreeve_console::{Address, Section};
use portreeve_directory::Permission;

/// How long a new token can live: hours, and what people call that.
const LIVES: &[(i64, &str)] = &[
    (1, "1 hour"),
    (24, "1 day"),
    (7 * 24, "7 days"),
    (30 * 24, "30 days"),
];

const HOUR: i64 = 3_600_000_000;

fn here() -> Address {
    Section::Hosts.address().join("enrolment")
}

/// The tokens of the team.
pub(in crate::console) async fn show(visit: Visit) -> Response {
    visit.answer(make(&visit).await)
}

async fn make(visit: &Visit) -> Result<Enrolment, Trouble> {
    let all = host_tokens::list(&visit.app, &visit.admin, None).await?;
    let may = visit.may(Permission::HostWrite);
    let tokens = Block {
        id: "tokens",
        title: "Enrolment tokens",
        lead: "A host that was made with the key of its machine enrols without one.".to_owned(),
        actions: may.then(new).into_iter().collect(),
        content: Content::Table(Table {
            head: vec!["Name", "For", "Tags", "State", "Used", "Ends"],
            rows: all.iter().rev().map(|token| row(token, may)).collect(),
            empty: "There is none.",
        }),
        live: "EnrolmentToken Host",
    };
    Ok(Enrolment {
        shell: visit.shell(),
        problem: None,
        command: None,
        tokens,
    })
}

fn new() -> Confirm {
    let mut new = question(
        "new".to_owned(),
        "New token…",
        "An enrolment token".to_owned(),
        "Whoever has it makes a machine a host of the team, of such a name and with these tags. It is shown once.",
        here(),
    );
    new.label = "Make the token".to_owned();
    new.danger = false;
    let lives = LIVES
        .iter()
        .map(|(hours, label)| Choice::new(hours.to_string(), *label, *hours == 1));
    let tags = Input::Text {
        value: String::new(),
        rows: 3,
    };
    new.fields = vec![
        Field::line("token", "name", "Name", "").example("Web servers"),
        Field::line("token", "name_pattern", "Names of the hosts", "")
            .example("web-*")
            .help("* stands for anything. Without it, any name."),
        Field::new("token", "tags", "Tags of the hosts", tags)
            .help("One in each line: key=value. By them grants choose who may log in.")
            .code(),
        Field::line("token", "uses", "How many may enrol", "1")
            .kind("number")
            .required(),
        Field::new(
            "token",
            "hours",
            "It works for",
            Input::Select(lives.collect()),
        ),
        Field::new(
            "token",
            "may_replace",
            "A machine may take the place of one that has enrolled",
            Input::Switch(false),
        )
        .help("For machines that are set up anew under the same name."),
    ];
    new
}

fn row(token: &HostTokenView, may: bool) -> Row {
    let state = match token.status {
        HostTokenStatus::Active => badge(Tone::Good, "Works"),
        HostTokenStatus::Expired => badge(Tone::Neutral, "Ended"),
        HostTokenStatus::UsedUp => badge(Tone::Neutral, "Used up"),
        HostTokenStatus::Revoked => badge(Tone::Bad, "Revoked"),
    };
    let pattern = match token.name_pattern.as_str() {
        "*" => "any name",
        pattern => pattern,
    };
    let tags = token
        .tags
        .iter()
        .map(|(key, value)| format!("{key}={value}"));
    let revoke = question(
        format!("revoke-{}", token.id),
        "Revoke…",
        format!("Revoke the token “{}”?", token.name),
        "No machine enrols with it any more. Hosts that have stay.",
        here().join(&token.id).join("revoke"),
    );
    let works = token.status == HostTokenStatus::Active;
    Row {
        cells: vec![
            text(token.name.clone()),
            text(match token.may_replace {
                true => format!("{pattern}, also in the place of another"),
                false => pattern.to_owned(),
            }),
            text(tags.collect::<Vec<_>>().join(", ")),
            state,
            text(format!("{} of {}", token.used, token.uses)),
            Shown::Time(time(token.expires_at.0)),
        ],
        actions: (may && works).then_some(revoke).into_iter().collect(),
    }
}

/// Makes one. What is run on the machine is on the page that answers, and nowhere else.
pub(in crate::console) async fn create(visit: Visit, body: Body) -> Response {
    let done = async {
        let form = visit.form(body).await?;
        match made(&visit, &form).await {
            Ok(made) => {
                let mut page = make(&visit).await?;
                page.command = Some(Secret {
                    id: "command",
                    label: format!("Run as root on the machine ({})", made.token.name),
                    value: made.command.text().to_owned(),
                    advice: "It needs the package portreeve-host. The token is good for what is said below, and for nothing else.".to_owned(),
                });
                Ok(visit.page_as(StatusCode::CREATED, &page))
            }
            Err(trouble) => {
                let problem = trouble.problem()?;
                let mut page = make(&visit).await?;
                page.problem = Some(problem);
                Ok(visit.again(&page))
            }
        }
    };
    visit.or_trouble(done.await)
}

async fn made(visit: &Visit, form: &Form) -> Result<MadeHostToken, Trouble> {
    let number = |name: &str, what: &str| {
        let number = form.text(name).parse::<u32>();
        number.map_err(|_| Trouble::Invalid(format!("{what} is a number")))
    };
    let hours = i64::from(number("hours", "how long it works")?);
    let wanted = NewHostToken {
        name: form.filled("name"),
        tags: written_tags(form.text("tags"))?,
        name_pattern: form.filled("name_pattern"),
        may_replace: form.is_on("may_replace"),
        uses: Some(number("uses", "how many may enrol")?),
        expires_at: Some(portreeve_scim::time::format(visit.admin.at + hours * HOUR)),
        team: None,
    };
    Ok(host_tokens::create(&visit.app, &visit.admin, wanted).await?)
}

/// Ends one now.
pub(in crate::console) async fn revoke(visit: Visit) -> Response {
    let done = async {
        let id = visit.param("token");
        let token = host_tokens::revoke(&visit.app, &visit.admin, None, &id).await?;
        Ok::<_, Trouble>(visit.done(&here(), &format!("The token “{}” is revoked.", token.name)))
    };
    visit.or_trouble(done.await)
}
