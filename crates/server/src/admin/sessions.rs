//! Sessions: who is signed in, and ending that.

use super::holders::{HolderView, Names};
use super::view::At;
use super::{Admin, change};
use crate::app::App;
use portreeve_directory::sessions::{self, Session};
use portreeve_directory::{Refusal, What};
use portreeve_store::Tx;
use schemars::JsonSchema;
use serde::Serialize;

/// A session as it is shown.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct SessionView {
    pub(crate) id: String,
    /// `browser` or `cli`.
    pub(crate) kind: &'static str,
    /// Who is signed in.
    pub(crate) holder: HolderView,
    /// How they signed in: `oidc`, `link`, `passkey`, or `browser` for the command line.
    pub(crate) method: String,
    /// The address that they signed in from.
    pub(crate) address: String,
    /// What their program called itself then.
    pub(crate) agent: String,
    pub(crate) created_at: At,
    /// The last request, to the minute.
    pub(crate) last_seen_at: At,
    /// When it ends without another request.
    pub(crate) idle_at: At,
    /// When it ends in any case.
    pub(crate) expires_at: At,
    /// Whether it is the one that asks.
    pub(crate) current: bool,
}

/// The most sessions of one holder that are looked at.
const OF_ONE: i64 = 1000;

/// The next live sessions of a team after an id, newest first; or those of one user, owner or service account.
pub(crate) async fn list(
    app: &App,
    admin: &Admin,
    team: Option<&str>,
    holder: Option<&str>,
    (after, limit): (Option<&str>, u64),
) -> Result<Vec<SessionView>, Refusal> {
    let (holder, after) = (holder.map(str::to_owned), after.map(str::to_owned));
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let read = admin.read(app, team, move |tx, admin, team| {
        let found = match &holder {
            Some(id) => live_of(tx, &team.id, id, admin.at)?,
            None => sessions::live(tx, &team.id, admin.at, after.as_deref(), limit)?,
        };
        views(tx, admin, &team.id, found)
    });
    read.await
}

/// The live sessions of whoever asks.
pub(crate) async fn own(app: &App, admin: &Admin) -> Result<Vec<SessionView>, Refusal> {
    let Some(holder) = admin.holder.clone() else {
        return Ok(Vec::new());
    };
    let read = admin.read(app, None, move |tx, admin, team| {
        let found = live_of(tx, &team.id, holder.id(), admin.at)?;
        views(tx, admin, &team.id, found)
    });
    read.await
}

/// Ends a session.
pub(crate) async fn end(
    app: &App,
    admin: &Admin,
    team: Option<&str>,
    id: &str,
) -> Result<(), Refusal> {
    let id = id.to_owned();
    let ended = admin.change(app, team, move |tx, admin, team| {
        let session = sessions::by_id(tx, &team.id, &id)?;
        cut(tx, admin, &team.id, &session)
    });
    ended.await
}

/// Ends one of the sessions of whoever asks.
pub(crate) async fn end_own(app: &App, admin: &Admin, id: &str) -> Result<(), Refusal> {
    let (admin, id) = (admin.clone(), id.to_owned());
    let ended = change(app, move |tx| {
        let missing = || Refusal::NotFound(What::Session, id.clone());
        let holder = admin.holder.as_ref().ok_or_else(missing)?;
        let team = admin.team(tx, None)?;
        let session = sessions::by_id(tx, &team.id, &id)?;
        match session.holder == *holder {
            true => cut(tx, &admin, &team.id, &session),
            false => Err(missing()),
        }
    });
    ended.await
}

/// Ends all sessions of a user or owner; how many there were.
pub(crate) async fn end_all(
    app: &App,
    admin: &Admin,
    team: Option<&str>,
    holder: &str,
) -> Result<usize, Refusal> {
    let holder = holder.to_owned();
    let ended = admin.change(app, team, move |tx, admin, team| {
        sessions::cut(tx, &admin.cause(&team.id, None), &holder, "revoked")
    });
    ended.await
}

/// One that has ended is left as it is.
fn cut(tx: &mut Tx<'_>, admin: &Admin, team_id: &str, session: &Session) -> Result<(), Refusal> {
    match session.is_live(admin.at) {
        true => sessions::cut_one(tx, &admin.cause(team_id, None), session, "revoked"),
        false => Ok(()),
    }
}

fn live_of(
    tx: &mut Tx<'_>,
    team_id: &str,
    holder_id: &str,
    now: i64,
) -> Result<Vec<Session>, Refusal> {
    let mut found = sessions::of_holder(tx, team_id, holder_id, OF_ONE)?;
    found.retain(|session| session.is_live(now));
    Ok(found)
}

fn views(
    tx: &mut Tx<'_>,
    admin: &Admin,
    team_id: &str,
    found: Vec<Session>,
) -> Result<Vec<SessionView>, Refusal> {
    let mut names = Names::default();
    let mut views = Vec::with_capacity(found.len());
    for session in found {
        views.push(SessionView {
            current: admin.session_id.as_deref() == Some(session.id.as_str()),
            kind: session.carrier.name(),
            holder: names.view(tx, team_id, &session.holder)?,
            created_at: At(session.created_at),
            last_seen_at: At(session.seen_at),
            idle_at: At(session.idle_at),
            expires_at: At(session.expires_at),
            id: session.id,
            method: session.method,
            address: session.address,
            agent: session.agent,
        });
    }
    Ok(views)
}
