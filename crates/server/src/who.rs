//! Who asks: from a request to somebody with permissions.
//!
//! There are four ways in: the local socket (the machine's own administrator, over all teams), an API token, a session of
//! the command line (both as bearer tokens), and the session cookie of a browser. Nothing is remembered between requests,
//! so that whoever is suspended is out with the next one.

mod cookies;

pub(crate) use cookies::{SESSION, cookie, set_cookie};

use crate::app::App;
use crate::http::LocalPeer;
use crate::limits::NotNow;
use axum::http::Extensions;
use http::request::Parts;
use http::{HeaderMap, Method, header};
use portreeve_directory::bearer::{Kind, Presented};
use portreeve_directory::holders::{self, Holder, Standing};
use portreeve_directory::permissions::{Level, Permission, Permissions};
use portreeve_directory::sessions::{self, Session};
use portreeve_directory::tokens::Denied;
use portreeve_directory::{Actor, Refusal, api_tokens};
use portreeve_store::{Scope, Tx};
use std::sync::Arc;

/// After how long the last use of a session or token is written down again (microseconds).
const SEEN_EVERY: i64 = 60_000_000;

const SEC_FETCH_SITE: &str = "sec-fetch-site";

/// Somebody who is let in.
#[derive(Debug, Clone)]
pub(crate) struct Who {
    /// Who it is; `None` is the machine's own administrator.
    pub(crate) holder: Option<Holder>,
    /// For people.
    pub(crate) name: String,
    /// The level; neither service accounts nor the machine's administrator have one.
    pub(crate) level: Option<Level>,
    /// The team that everything they ask for is in; `None`: all teams.
    pub(crate) team_id: Option<String>,
    /// What they may do.
    pub(crate) permissions: Permissions,
    /// Who events name.
    pub(crate) actor: Actor,
    /// The session, where they came by one.
    pub(crate) session: Option<Arc<Session>>,
}

impl Who {
    /// The machine's own administrator.
    fn local(uid: u32) -> Self {
        Self {
            holder: None,
            name: "Administrator of the server".to_owned(),
            level: None,
            team_id: None,
            permissions: Permissions::ALL,
            actor: Actor::Local(uid),
            session: None,
        }
    }

    /// Whether they may do that.
    pub(crate) fn may(&self, one: Permission) -> bool {
        self.permissions.has(one)
    }
}

/// Why nobody is let in.
#[derive(Debug)]
pub(crate) enum Stranger {
    /// Nothing was presented.
    Missing,
    /// The token is no good.
    Token(Denied),
    /// The session has ended, or its holder was suspended.
    Session,
    /// A page of another site sent this with the cookie of the browser.
    CrossSite,
    /// Too many requests.
    NotNow(NotNow),
    /// The database failed.
    Failed(Refusal),
}

impl From<Refusal> for Stranger {
    fn from(refusal: Refusal) -> Self {
        Self::Failed(refusal)
    }
}

/// Who sends this request.
pub(crate) async fn identify(app: &App, parts: &Parts) -> Result<Who, Stranger> {
    if let Some(LocalPeer(uid)) = parts.extensions.get::<LocalPeer>().copied() {
        return Ok(Who::local(uid));
    }
    let who = match bearer(&parts.headers) {
        Some(secret) => by_bearer(app, secret).await?,
        None => by_cookie(app, parts).await?,
    };
    count(app, &parts.extensions, &who).map_err(Stranger::NotNow)?;
    Ok(who)
}

/// The request counts on its holder, and not on its address.
fn count(app: &App, request: &Extensions, who: &Who) -> Result<(), NotNow> {
    let id = who.holder.as_ref().map(Holder::id).unwrap_or_default();
    app.limits
        .token(request, &Arc::from(id), app.clock.steady())
}

async fn by_bearer(app: &App, secret: &str) -> Result<Who, Stranger> {
    if let Some(presented) = Presented::parse(Kind::Cli, secret) {
        return by_session(app, presented).await;
    }
    let presented =
        Presented::parse(Kind::Api, secret).ok_or(Stranger::Token(Denied::Malformed))?;
    let (team_id, now) = (presented.team_id.clone(), app.clock.now());
    let found = app.store.lookup(move |tx| -> Result<_, Refusal> {
        let token = match api_tokens::verify(tx, &presented, now)? {
            Ok(token) => token,
            Err(denied) => return Ok(Err(denied)),
        };
        let standing = holders::standing(tx, &presented.team_id, &token.holder)?;
        Ok(standing
            .map(|standing| (token, standing))
            .ok_or(Denied::Revoked))
    });
    let (token, standing) = found.await?.map_err(Stranger::Token)?;
    if token.last_used_at.is_none_or(|at| at < now - SEEN_EVERY) {
        let (team, id) = (team_id.clone(), token.id.clone());
        note(app, move |tx| api_tokens::used(tx, &team, &id, now));
    }
    let allowed = standing.permissions.and(token.permissions);
    let mut who = holding(team_id, token.holder, standing);
    who.permissions = allowed;
    Ok(who)
}

async fn by_cookie(app: &App, parts: &Parts) -> Result<Who, Stranger> {
    let secret = cookie(&parts.headers, SESSION).ok_or(Stranger::Missing)?;
    let presented = Presented::parse(Kind::Session, secret).ok_or(Stranger::Session)?;
    let safe = matches!(parts.method, Method::GET | Method::HEAD);
    if !safe && !is_own_page(app, &parts.headers) {
        return Err(Stranger::CrossSite);
    }
    by_session(app, presented).await
}

async fn by_session(app: &App, presented: Presented) -> Result<Who, Stranger> {
    let (team_id, now) = (presented.team_id.clone(), app.clock.now());
    let found = app.store.lookup(move |tx| -> Result<_, Refusal> {
        let Some(session) = sessions::verify(tx, &presented, now)? else {
            return Ok(None);
        };
        let standing = holders::standing(tx, &presented.team_id, &session.holder)?;
        Ok(standing.map(|standing| (session, standing)))
    });
    let (session, standing) = found.await?.ok_or(Stranger::Session)?;
    if session.seen_at < now - SEEN_EVERY {
        let (team, id, carrier) = (team_id.clone(), session.id.clone(), session.carrier);
        note(app, move |tx| sessions::seen(tx, &team, &id, carrier, now));
    }
    let mut who = holding(team_id, session.holder.clone(), standing);
    who.session = Some(Arc::new(session));
    Ok(who)
}

fn holding(team_id: String, holder: Holder, standing: Standing) -> Who {
    Who {
        name: standing.name,
        level: standing.level,
        team_id: Some(team_id),
        permissions: standing.permissions,
        actor: holder.actor(),
        holder: Some(holder),
        session: None,
    }
}

/// Writes down beside the request that somebody was here; nobody waits for it, and a crash may lose it.
pub(crate) fn note(
    app: &App,
    work: impl Fn(&mut Tx<'_>) -> Result<(), Refusal> + Send + Sync + 'static,
) {
    let store = app.store.clone();
    tokio::spawn(async move {
        if let Err(error) = store.write(Scope::ALL, work).await {
            tracing::debug!(%error, "the time of last use was not written");
        }
    });
}

/// Whether the request was sent by a page of this server, or by its user directly. Browsers say where a request comes from
/// in `Sec-Fetch-Site`; older ones name the page's origin.
pub(crate) fn is_own_page(app: &App, headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text(SEC_FETCH_SITE) {
        return matches!(site, "same-origin" | "none");
    }
    let Some(origin) = text(header::ORIGIN.as_str()) else {
        return false;
    };
    let host = text(header::HOST.as_str()).unwrap_or_default();
    origin == app.public_url()
        || [format!("http://{host}"), format!("https://{host}")].contains(&origin.to_owned())
}

/// What was presented as a bearer token; empty, if it was presented otherwise.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, secret) = value.split_once(' ').unwrap_or((value, ""));
    // Whatever else was presented is presented in vain; it does not fall back on the cookie.
    Some(if scheme.eq_ignore_ascii_case("bearer") {
        secret.trim()
    } else {
        ""
    })
}
