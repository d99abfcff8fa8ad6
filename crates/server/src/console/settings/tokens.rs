//! API tokens.

use super::{again, badge, chosen_permissions, permissions_field, question, settings, text};
use crate::admin::api_tokens::{self, ApiTokenView, NewApiToken};
use crate::admin::service_accounts;
use crate::admin::tokens::TokenStatus;
use crate::console::happening::time;
use crate::console::trouble::Trouble;
use crate::console::visit::Visit;
use axum::body::Body;
use axum::response::Response;
use http::StatusCode;
use portreeve_console::Address;
use portreeve_console::pages::settings::{Block, Content, Row, Settings, Table};
use portreeve_console::parts::{Choice, Field, Form as Input, Secret, Shown, Tone};
use portreeve_directory::Permission;

/// How long a new token can live: days, and what people call that.
const LIVES: &[(i64, &str)] = &[
    (30, "30 days"),
    (90, "90 days"),
    (365, "A year"),
    (0, "Until it is revoked"),
];

const DAY: i64 = 24 * 3_600_000_000;

fn here() -> Address {
    Address::new("/console/settings/api-tokens")
}

/// The tokens of the team.
pub(in crate::console) async fn show(visit: Visit) -> Response {
    visit.answer(make(&visit).await)
}

async fn make(visit: &Visit) -> Result<Settings, Trouble> {
    let all = api_tokens::list(&visit.app, &visit.admin, None, None).await?;
    let may = visit.may(Permission::ApiTokenWrite);
    let mut actions = Vec::new();
    if may {
        let mut new = question(
            "new".to_owned(),
            "New API token…",
            "An API token".to_owned(),
            "It acts for you, or for a service account, and may never do more than that may at the moment. It is shown once.",
            here(),
        );
        new.label = "Make the token".to_owned();
        new.danger = false;
        new.fields = fields(visit).await?;
        actions.push(new);
    }
    let block = Block {
        id: "tokens",
        title: "API tokens",
        lead: "For programs that use the admin API, and for the command line from elsewhere."
            .to_owned(),
        actions,
        content: Content::Table(Table {
            head: vec!["Name", "Acts for", "May", "State", "Last used", "Ends"],
            rows: all.iter().rev().map(|token| row(token, may)).collect(),
            empty: "There is none.",
        }),
        live: "ApiToken",
    };
    Ok(settings(visit, "API tokens", vec![block]))
}

async fn fields(visit: &Visit) -> Result<Vec<Field>, Trouble> {
    let mut holders = vec![Choice::new("", "Me", true)];
    if visit.may(Permission::ServiceAccountRead) {
        let accounts = service_accounts::list(&visit.app, &visit.admin, None).await?;
        holders.extend(
            accounts
                .into_iter()
                .map(|account| Choice::new(account.id, account.name, false)),
        );
    }
    let lives = LIVES
        .iter()
        .map(|(days, label)| Choice::new(days.to_string(), *label, *days == 90));
    Ok(vec![
        Field::line("token", "name", "Name", "")
            .example("Nightly export")
            .required(),
        Field::new(
            "token",
            "service_account",
            "It acts for",
            Input::Select(holders),
        ),
        Field::new(
            "token",
            "days",
            "It lives for",
            Input::Select(lives.collect()),
        ),
        permissions_field(visit, "token"),
    ])
}

fn row(token: &ApiTokenView, may: bool) -> Row {
    let state = match token.status {
        TokenStatus::Active => badge(Tone::Good, "Works"),
        TokenStatus::Expired => badge(Tone::Neutral, "Ended"),
        TokenStatus::Revoked => badge(Tone::Bad, "Revoked"),
    };
    let permissions: Vec<_> = token.permissions.iter().map(|one| one.name()).collect();
    let revoke = question(
        format!("revoke-{}", token.id),
        "Revoke…",
        format!("Revoke the token “{}”?", token.name),
        "Whoever uses it is refused from the next request on.",
        here().join(&token.id).join("revoke"),
    );
    let works = token.status == TokenStatus::Active;
    Row {
        cells: vec![
            text(token.name.clone()),
            text(
                token
                    .holder
                    .name
                    .clone()
                    .unwrap_or_else(|| "somebody who is gone".to_owned()),
            ),
            text(permissions.join(", ")),
            state,
            token
                .last_used_at
                .map_or_else(|| text("never"), |at| Shown::Time(time(at.0))),
            token
                .expires_at
                .map_or_else(|| text("no end"), |at| Shown::Time(time(at.0))),
        ],
        actions: (may && works).then_some(revoke).into_iter().collect(),
    }
}

/// Makes one. Its secret is on the page that answers, and nowhere else.
pub(in crate::console) async fn create(visit: Visit, body: Body) -> Response {
    let done = async {
        let form = visit.form(body).await?;
        let days: i64 = form.text("days").parse().unwrap_or(90);
        let end =
            (days > 0).then(|| portreeve_scim::time::format(visit.admin.at + days.min(3650) * DAY));
        let wanted = NewApiToken {
            name: form.filled("name"),
            permissions: chosen_permissions(&form),
            expires_at: end,
            service_account: form.filled("service_account"),
            team: None,
        };
        match api_tokens::create(&visit.app, &visit.admin, wanted).await {
            Ok(made) => {
                let mut page = make(&visit).await?;
                page.secret = Some(Secret {
                    id: "secret",
                    label: format!("API token “{}”", made.token.name),
                    value: made.secret.text().to_owned(),
                    advice: "Programs send it as Authorization: Bearer …; the command line takes it from PORTREEVE_TOKEN.".to_owned(),
                });
                Ok(visit.page_as(StatusCode::CREATED, &page))
            }
            Err(refusal) => again(&visit, refusal, make(&visit)).await,
        }
    };
    visit.or_trouble(done.await)
}

/// Ends one now.
pub(in crate::console) async fn revoke(visit: Visit) -> Response {
    let done = async {
        let token =
            api_tokens::revoke(&visit.app, &visit.admin, None, &visit.param("token")).await?;
        Ok::<_, Trouble>(visit.done(&here(), &format!("The token “{}” is revoked.", token.name)))
    };
    visit.or_trouble(done.await)
}
