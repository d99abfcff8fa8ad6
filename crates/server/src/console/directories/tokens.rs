//! The secret tokens of a directory.

use super::{detail, head, shown_once};
use crate::admin::directories::DirectoryDetail;
use crate::admin::tokens::{self, MadeToken, NewToken, Rotation, TokenStatus, TokenView};
use crate::console::happening::time;
use crate::console::trouble::Trouble;
use crate::console::visit::Visit;
use axum::body::Body;
use axum::response::Response;
use http::StatusCode;
use portreeve_console::Address;
use portreeve_console::pages::directories::{Made, Token, Tokens};
use portreeve_console::parts::{
    Alert, Badge, Choice, Confirm, Copyable, Field, Form as Input, Link, Tone,
};
use portreeve_directory::Permission;
use secrecy::ExposeSecret;

/// How long old tokens can go on when they are rotated: seconds, and what people call that.
const OVERLAPS: &[(u64, &str)] = &[
    (0, "Not at all: they end now"),
    (3600, "An hour"),
    (24 * 3600, "A day"),
    (7 * 24 * 3600, "A week"),
];

/// The tokens.
pub(in crate::console) async fn show(visit: Visit) -> Response {
    let shown = async {
        let detail = detail(&visit).await?;
        Ok(visit.page(&make(&visit, &detail, None).await?))
    };
    visit.or_trouble(shown.await)
}

async fn make(
    visit: &Visit,
    detail: &DirectoryDetail,
    problem: Option<Alert>,
) -> Result<Tokens, Trouble> {
    let views = tokens::list(&visit.app, &visit.admin, &detail.directory.id).await?;
    let head = head(visit, detail);
    let may = visit.may(Permission::TokenWrite);
    let here = head.href.clone().join("tokens");
    let works = |view: &&TokenView| view.status == TokenStatus::Active;
    let live = views.iter().filter(works).count();
    let row = |view: &TokenView| Token {
        name: match view.name.as_str() {
            "" => "without a name".to_owned(),
            name => name.to_owned(),
        },
        state: match view.status {
            TokenStatus::Active => Badge::new(Tone::Good, "Works"),
            TokenStatus::Expired => Badge::new(Tone::Neutral, "Ended"),
            TokenStatus::Revoked => Badge::new(Tone::Bad, "Revoked"),
        },
        created: time(view.created_at.0),
        last_used: view.last_used_at.map(|at| time(at.0)),
        ends: view.expires_at.map(|at| time(at.0)),
        revoke: (may && works(&view)).then(|| revoke_question(view, live == 1, &here)),
    };
    Ok(Tokens {
        shell: visit.shell(),
        problem,
        rows: views.iter().rev().map(row).collect(),
        create: may.then(|| create_question(&here)),
        rotate: (may && live > 0).then(|| rotate_question(&here)),
        head,
    })
}

fn revoke_question(view: &TokenView, is_last: bool, here: &Address) -> Confirm {
    let effect = match is_last {
        true => {
            "It is the only one that works: whatever the provider sends is refused from now on."
        }
        false => "Whoever uses it is refused from now on.",
    };
    Confirm {
        id: format!("revoke-{}", view.id),
        opener: "Revoke…".to_owned(),
        title: format!("Revoke the token “{}”?", view.name),
        effect: effect.to_owned(),
        action: here.clone().join(&view.id).join("revoke"),
        label: "Revoke".to_owned(),
        values: Vec::new(),
        fields: Vec::new(),
        danger: true,
    }
}

fn name_field(form: &'static str) -> Field {
    Field::line(form, "name", "Name", "")
        .example("2027")
        .help("To tell it from others.")
}

fn create_question(here: &Address) -> Confirm {
    Confirm {
        id: "create".to_owned(),
        opener: "New token…".to_owned(),
        title: "Make one more token?".to_owned(),
        effect: "It works beside the others, and is shown once.".to_owned(),
        action: here.clone(),
        label: "Make it".to_owned(),
        values: Vec::new(),
        fields: vec![name_field("create")],
        danger: false,
    }
}

fn rotate_question(here: &Address) -> Confirm {
    let overlaps = OVERLAPS.iter().map(|(seconds, label)| {
        Choice::new(seconds.to_string(), *label, *seconds == tokens::OVERLAP_S)
    });
    Confirm {
        id: "rotate".to_owned(),
        opener: "Rotate…".to_owned(),
        title: "Rotate the secret token?".to_owned(),
        effect: "A new one is made and shown once. Those that work now end after the time that you choose, so that the provider can be given the new one without an interruption.".to_owned(),
        action: here.clone().join("rotate"),
        label: "Rotate".to_owned(),
        values: Vec::new(),
        fields: vec![
            name_field("rotate"),
            Field::new(
                "rotate",
                "overlap",
                "How long the others go on",
                Input::Select(overlaps.collect()),
            ),
        ],
        danger: false,
    }
}

/// Makes one more.
pub(in crate::console) async fn create(visit: Visit, body: Body) -> Response {
    let done = async {
        let form = visit.form(body).await?;
        let detail = detail(&visit).await?;
        let wanted = NewToken {
            name: form.filled("name"),
            expires_at: None,
        };
        match tokens::create(&visit.app, &visit.admin, &detail.directory.id, wanted).await {
            Ok(made) => Ok(is_made(&visit, &detail, made, String::new())),
            Err(refusal) => wrong(&visit, &detail, refusal.into()).await,
        }
    };
    visit.or_trouble(done.await)
}

/// Puts one in the place of the others.
pub(in crate::console) async fn rotate(visit: Visit, body: Body) -> Response {
    let done = async {
        let form = visit.form(body).await?;
        let detail = detail(&visit).await?;
        let wanted = Rotation {
            name: form.filled("name"),
            expires_at: None,
            overlap_seconds: form.text("overlap").parse().ok(),
        };
        match tokens::rotate(&visit.app, &visit.admin, &detail.directory.id, wanted).await {
            Ok(rotated) => {
                let follows = match rotated.ending.first() {
                    Some(first) => format!(
                        "The former ones end at {}.",
                        time(first.expires_at.0).text()
                    ),
                    None => String::new(),
                };
                Ok(is_made(&visit, &detail, rotated.made, follows))
            }
            Err(refusal) => wrong(&visit, &detail, refusal.into()).await,
        }
    };
    visit.or_trouble(done.await)
}

/// Ends one now.
pub(in crate::console) async fn revoke(visit: Visit) -> Response {
    let done = async {
        let (directory, id) = (visit.param("directory"), visit.param("token"));
        let view = tokens::revoke(&visit.app, &visit.admin, &directory, &id).await?;
        let detail = detail(&visit).await?;
        let back = head(&visit, &detail).href.join("tokens");
        Ok(visit.done(&back, &format!("The token “{}” is revoked.", view.name)))
    };
    visit.or_trouble(done.await)
}

async fn wrong(
    visit: &Visit,
    detail: &DirectoryDetail,
    trouble: Trouble,
) -> Result<Response, Trouble> {
    let problem = trouble.problem()?;
    Ok(visit.again(&make(visit, detail, Some(problem)).await?))
}

/// The secret of a token that was made.
fn is_made(visit: &Visit, detail: &DirectoryDetail, made: MadeToken, follows: String) -> Response {
    let page = Made {
        shell: visit.shell(),
        title: "New secret token".to_owned(),
        name: detail.directory.name.clone(),
        tenant_url: Copyable::new("tenant URL", made.tenant_url),
        secret: shown_once(made.secret_token.0.expose_secret()),
        follows,
        next: Link::new(
            "Back to the tokens",
            head(visit, detail).href.join("tokens"),
        ),
    };
    visit.page_as(StatusCode::CREATED, &page)
}
