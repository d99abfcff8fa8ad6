//! What programs ask, not people: `/auth/cli/token` trades a code for a session (RFC 6749 section 4.1.3, RFC 8628
//! section 3.4), `/auth/cli/revoke` ends one (RFC 7009).

use super::CLIENT;
use super::code::Code;
use crate::app::App;
use crate::body::{self, BodyError};
use crate::http::RequestId;
use crate::limits::NotNow;
use crate::neighbours;
use crate::sso::start::{Verified, start};
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::request::Parts;
use http::{HeaderValue, StatusCode};
use portreeve_directory::bearer::{Kind, Presented};
use portreeve_directory::devices::{self, Approval, Poll};
use portreeve_directory::events::{self, Category, Cause, New, Outcome};
use portreeve_directory::sessions::{self, Carrier};
use portreeve_directory::sign_ins::{self, Purpose, Spent};
use portreeve_directory::{Actor, Refusal, holders};
use portreeve_store::Scope;
use secrecy::ExposeSecret;
use serde_json::json;
use std::sync::Arc;

const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// The most bytes of a request.
const LIMIT: usize = 16 << 10;

/// A refusal (RFC 6749 section 5.2, RFC 8628 section 3.5).
#[derive(Debug)]
pub(in crate::sso) struct Refused {
    status: StatusCode,
    code: &'static str,
    description: String,
    retry_after: Option<u64>,
}

impl Refused {
    pub(in crate::sso) fn new(code: &'static str, description: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            code,
            description: description.into(),
            retry_after: None,
        }
    }

    /// It may be asked again after so many seconds.
    pub(in crate::sso) fn later(status: StatusCode, description: String, seconds: u64) -> Self {
        Self {
            status,
            retry_after: Some(seconds),
            ..Self::new("temporarily_unavailable", description)
        }
    }

    fn grant(description: impl Into<String>) -> Self {
        Self::new("invalid_grant", description)
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        if let Refusal::Store(error) = &refusal
            && let Some(not_now) = NotNow::of(error)
        {
            let seconds = not_now.retry_after().into();
            return Self::later(not_now.status(), not_now.to_string(), seconds);
        }
        tracing::error!(error = %refusal, "a command line could not be signed in");
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            ..Self::new(
                "server_error",
                "the server could not do this; its log has the cause",
            )
        }
    }
}

impl From<BodyError> for Refused {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge(limit) => Self {
                status: StatusCode::PAYLOAD_TOO_LARGE,
                ..Self::new(
                    "invalid_request",
                    format!("the request is larger than {limit} bytes"),
                )
            },
            BodyError::MediaType => Self::new(
                "invalid_request",
                "send the request as application/x-www-form-urlencoded",
            ),
            BodyError::TooSlow | BodyError::Busy | BodyError::Incomplete => {
                Self::new("invalid_request", "the request did not arrive whole")
            }
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let body = json!({"error": self.code, "error_description": self.description});
        let mut response = answer(self.status, &body);
        if let Some(seconds) = self.retry_after {
            response
                .headers_mut()
                .insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// The parameters of a request.
pub(in crate::sso) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads them. None may come twice (RFC 6749 section 3.2), and the client must be the one there is.
    pub(in crate::sso) async fn read(
        app: &App,
        parts: &Parts,
        body: Body,
    ) -> Result<Self, Refused> {
        let bytes = body::read_form(app, &parts.headers, body, LIMIT).await?;
        let pairs = url::form_urlencoded::parse(&bytes).into_owned();
        let form = Self(pairs.collect());
        let names = form.0.iter().map(|(name, _)| name);
        if names
            .clone()
            .any(|one| names.clone().filter(|name| *name == one).count() > 1)
        {
            return Err(Refused::new("invalid_request", "a parameter comes twice"));
        }
        if form.text("client_id") != CLIENT {
            return Err(Refused::new(
                "invalid_client",
                format!("the client_id must be {CLIENT}"),
            ));
        }
        Ok(form)
    }

    /// One of them; empty where it is not there.
    pub(in crate::sso) fn text(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(other, _)| other == name);
        found.map_or("", |(_, value)| value)
    }
}

/// Trades a code for a session.
pub(in crate::sso) async fn exchange(
    State(app): State<Arc<App>>,
    parts: Parts,
    body: Body,
) -> Result<Response, Refused> {
    let form = Form::read(&app, &parts, body).await?;
    let approval = match form.text("grant_type") {
        "authorization_code" => by_code(&app, &parts, &form).await?,
        DEVICE_GRANT => by_device(&app, &form).await?,
        _ => {
            return Err(Refused::new(
                "unsupported_grant_type",
                "the grant_type is neither authorization_code nor that of RFC 8628",
            ));
        }
    };
    session(&app, &parts, approval).await
}

async fn by_code(app: &App, parts: &Parts, form: &Form) -> Result<Approval, Refused> {
    let unknown = || Refused::grant(Spent::Unknown.to_string());
    let presented = Presented::parse(Kind::Once, form.text("code")).ok_or_else(unknown)?;
    let (team_id, now) = (presented.team_id.clone(), app.clock.now());
    // Whatever is wrong with the rest, the code is used up: nobody tries twice.
    let taken = app.write(Scope::ALL, move |tx| {
        sign_ins::take(tx, &presented, Purpose::CliCode, now)
    });
    let code = match taken.await? {
        Ok(payload) => Code::of_payload(&payload).ok_or_else(unknown)?,
        Err(Spent::Unknown) => return Err(unknown()),
        Err(spent) => {
            return Err(refuse(app, parts, &team_id, spent.code(), spent.to_string()).await);
        }
    };
    let wrong = if code.redirect_uri != form.text("redirect_uri") {
        Some(("redirect_uri", "the code was sent to another address"))
    } else if !code.is_proved_by(form.text("code_verifier")) {
        Some((
            "proof_key",
            "whoever has this code did not ask for it (PKCE)",
        ))
    } else {
        None
    };
    match wrong {
        Some((reason, detail)) => {
            Err(refuse(app, parts, &team_id, reason, detail.to_owned()).await)
        }
        None => Ok(code.approval),
    }
}

async fn by_device(app: &App, form: &Form) -> Result<Approval, Refused> {
    let (secret, now) = (form.text("device_code").to_owned(), app.clock.now());
    let polled = app.write(Scope::ALL, move |tx| devices::poll(tx, &secret, now));
    Err(match polled.await? {
        Poll::Approved(approval) => return Ok(approval),
        Poll::Pending => Refused::new("authorization_pending", "nobody has let this device in yet"),
        Poll::SlowDown(more) => Refused::new(
            "slow_down",
            format!("wait {} seconds longer between requests", more / 1_000_000),
        ),
        Poll::Denied => Refused::new("access_denied", "this device was refused in the browser"),
        Poll::Spent(Spent::Expired) => Refused::new(
            "expired_token",
            "nobody has let this device in in time; begin anew",
        ),
        Poll::Spent(spent) => Refused::grant(spent.to_string()),
    })
}

/// Starts the session of somebody who let a command line in, if they still may come in themselves.
async fn session(app: &App, parts: &Parts, approval: Approval) -> Result<Response, Refused> {
    let (team_id, holder) = (approval.team_id.clone(), approval.holder.clone());
    let standing = app
        .store
        .lookup(move |tx| holders::standing(tx, &team_id, &holder))
        .await?;
    if standing.is_none() {
        let detail = "whoever let this command line in was suspended";
        let refused = refuse(
            app,
            parts,
            &approval.team_id,
            "suspended",
            detail.to_owned(),
        );
        return Err(refused.await);
    }
    let verified = Verified {
        team_id: approval.team_id,
        holder: approval.holder,
        name: approval.name,
        method: "browser",
        passkey_id: approval.passkey_id,
        provider: None,
    };
    let (session, secret) = start(app, parts, verified, Carrier::Cli).await?;
    let body = json!({
        "access_token": secret.expose_secret(),
        "token_type": "Bearer",
        "expires_in": (session.expires_at - session.created_at) / 1_000_000,
    });
    Ok(answer(StatusCode::OK, &body))
}

/// Ends a session of the command line. What is none any more is as good as ended (RFC 7009 section 2.2).
pub(in crate::sso) async fn revoke(
    State(app): State<Arc<App>>,
    parts: Parts,
    body: Body,
) -> Result<Response, Refused> {
    let form = Form::read(&app, &parts, body).await?;
    if let Some(presented) = Presented::parse(Kind::Cli, form.text("token")) {
        end(&app, &parts, presented).await?;
    }
    Ok(answer(StatusCode::OK, &json!({})))
}

async fn end(app: &App, parts: &Parts, presented: Presented) -> Result<(), Refusal> {
    let (clock, ids, now) = (app.clock.clone(), app.ids.clone(), app.clock.now());
    let request_id = request_id(parts);
    let ended = app.write(Scope::ALL, move |tx| {
        let Some(session) = sessions::verify(tx, &presented, now)? else {
            return Ok(());
        };
        let team_id = &presented.team_id;
        let standing = holders::standing(tx, team_id, &session.holder)?;
        let name = standing.map(|standing| standing.name);
        sessions::end(tx, team_id, &session.id, "sign_out", now)?;
        let cause = Cause {
            team_id,
            directory_id: session.holder.directory_id(),
            actor: &session.holder.actor(),
            request_id: request_id.as_deref(),
            at: now,
            clock: &*clock,
            ids: &ids,
        };
        let event = New {
            category: Category::Auth,
            action: "sign_out",
            outcome: Outcome::Ok,
            object_kind: Some("Session"),
            object_id: Some(&session.id),
            object_name: name.as_deref(),
            version: None,
            changes: None,
        };
        events::record_of(tx, &cause, &event)
    });
    ended.await?;
    neighbours::tell_rules(app);
    Ok(())
}

/// A refusal that may be an attack: the log of the team has it.
async fn refuse(
    app: &App,
    parts: &Parts,
    team_id: &str,
    reason: &'static str,
    detail: String,
) -> Refused {
    let (clock, ids, now) = (app.clock.clone(), app.ids.clone(), app.clock.now());
    let (team_id, request_id, said) = (team_id.to_owned(), request_id(parts), detail.clone());
    let recorded = app.write(Scope::ALL, move |tx| {
        let cause = Cause {
            team_id: &team_id,
            directory_id: None,
            actor: &Actor::Anonymous,
            request_id: request_id.as_deref(),
            at: now,
            clock: &*clock,
            ids: &ids,
        };
        let event = New {
            category: Category::Auth,
            action: "sign_in_refused",
            outcome: Outcome::Refused {
                reason,
                detail: &said,
            },
            object_kind: Some("Device"),
            object_id: None,
            object_name: None,
            version: None,
            changes: None,
        };
        events::record_of(tx, &cause, &event)
    });
    match recorded.await {
        Ok(()) => Refused::grant(detail),
        Err(error) => error.into(),
    }
}

fn request_id(parts: &Parts) -> Option<String> {
    parts.extensions.get::<RequestId>().map(|id| id.0.clone())
}

/// An answer that no cache may keep.
pub(in crate::sso) fn answer(status: StatusCode, body: &serde_json::Value) -> Response {
    let mut response = (status, body.to_string()).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
