//! From a verified sign-in to a session, whichever way it came.

use crate::app::App;
use crate::http::RequestId;
use crate::limits::Visitor;
use crate::neighbours;
use crate::who::{SESSION, cookie};
use http::header::USER_AGENT;
use http::request::Parts;
use portreeve_directory::bearer::{Kind, Presented};
use portreeve_directory::events::{self, Category, Cause, New, Outcome};
use portreeve_directory::holders::Holder;
use portreeve_directory::sessions::{self, Carrier, Session};
use portreeve_directory::{Refusal, What, passkeys};
use portreeve_store::{Scope, Tx};
use secrecy::SecretString;

/// Proof that somebody is who they say: made only where a sign-in was verified.
#[derive(Debug, Clone)]
pub(crate) struct Verified {
    /// The team that they sign in to.
    pub(crate) team_id: String,
    /// Who they are.
    pub(crate) holder: Holder,
    /// Their name, for the log.
    pub(crate) name: String,
    /// How it was verified: `oidc`, `link`, `passkey`, `browser`.
    pub(crate) method: &'static str,
    /// The passkey that it goes back to.
    pub(crate) passkey_id: Option<String>,
    /// What signing out at the provider needs, sealed.
    pub(crate) provider: Option<Vec<u8>>,
}

/// Starts a session for somebody verified. A session that the browser had before ends, so that nobody who knew its secret
/// is signed in with them.
pub(crate) async fn start(
    app: &App,
    parts: &Parts,
    verified: Verified,
    carrier: Carrier,
) -> Result<(Session, SecretString), Refusal> {
    let before = cookie(&parts.headers, SESSION)
        .filter(|_| carrier == Carrier::Browser)
        .and_then(|secret| Presented::parse(Kind::Session, secret));
    let (clock, ids, now) = (app.clock.clone(), app.ids.clone(), app.clock.now());
    let request_id = parts.extensions.get::<RequestId>().map(|id| id.0.clone());
    let (address, agent) = (address(app, parts), agent(parts));
    let started = app.write(Scope::ALL, move |tx: &mut Tx<'_>| {
        if let Some(before) = &before
            && sessions::verify(tx, before, now)?.is_some()
        {
            sessions::end(tx, &before.team_id, &before.id, "rotated", now)?;
        }
        let passkey_id = verified.passkey_id.as_deref();
        if let Some(passkey_id) = passkey_id
            && passkeys::by_id(tx, &verified.team_id, passkey_id)?.is_none()
        {
            // It was removed between the sign-in and this moment.
            return Err(Refusal::NotFound(What::Passkey, passkey_id.to_owned()));
        }
        let id = ids.next(clock.now()).to_string();
        let new = sessions::New {
            id: &id,
            carrier,
            holder: &verified.holder,
            method: verified.method,
            passkey_id,
            address: &address,
            agent: &agent,
            provider: verified.provider.as_deref(),
        };
        let (session, secret) = sessions::start(tx, &verified.team_id, &new, now)?;
        let cause = Cause {
            team_id: &verified.team_id,
            directory_id: verified.holder.directory_id(),
            actor: &verified.holder.actor(),
            request_id: request_id.as_deref(),
            at: now,
            clock: &*clock,
            ids: &ids,
        };
        told(tx, &cause, &verified, &address)?;
        Ok((session, secret))
    });
    let started = started.await?;
    neighbours::tell_news(app);
    Ok(started)
}

/// Leaves the event of a sign-in.
fn told(
    tx: &mut Tx<'_>,
    cause: &Cause<'_>,
    verified: &Verified,
    address: &str,
) -> Result<(), Refusal> {
    let changes = serde_json::json!([
        {"attribute": "method", "new": verified.method},
        {"attribute": "address", "new": address},
    ]);
    let kind = match verified.holder {
        Holder::User { .. } => "User",
        Holder::Owner(_) => "Owner",
        Holder::Service(_) => "ServiceAccount",
    };
    let event = New {
        category: Category::Auth,
        action: "sign_in",
        outcome: Outcome::Ok,
        object_kind: Some(kind),
        object_id: Some(verified.holder.id()),
        object_name: Some(&verified.name),
        version: None,
        changes: Some(&changes.to_string()),
    };
    events::record_of(tx, cause, &event)
}

/// The address that a request counts on, as text; empty on the local socket.
pub(crate) fn address(app: &App, parts: &Parts) -> String {
    let visitor = parts.extensions.get::<Visitor>();
    visitor
        .map(|visitor| app.limits.origin(visitor.peer, &parts.headers).to_string())
        .unwrap_or_default()
}

pub(super) fn agent(parts: &Parts) -> String {
    let agent = parts.headers.get(USER_AGENT);
    agent
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
        .to_owned()
}
