//! Passkeys of owners, who sign in with them on the day on which no identity provider answers: `POST /auth/passkey/options`
//! begins, and `POST /auth/passkey/verify` takes the browser's answer.
//!
//! Each attempt has a challenge, which a cookie binds to one browser and which is good for one answer.

use super::return_to;
use super::start::{Verified, start};
use crate::admin::{self, Admin};
use crate::api::Problem;
use crate::app::App;
use crate::body;
use crate::http::RequestId;
use crate::limits::Visitor;
use crate::who::{self, SESSION, Stranger, cookie, is_own_page, set_cookie};
use aws_lc_rs::rand;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HOST, ORIGIN, SET_COOKIE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode};
use portreeve_directory::bearer::{Kind, Presented};
use portreeve_directory::events::{self, Category, Cause, New, Outcome};
use portreeve_directory::holders::{self, Holder, Standing};
use portreeve_directory::passkeys::{self, Kept};
use portreeve_directory::permissions::Level;
use portreeve_directory::sessions::Carrier;
use portreeve_directory::sign_ins;
use portreeve_directory::{Actor, Refusal};
use portreeve_passkey::registration::Person;
use portreeve_passkey::{
    CHALLENGE_BYTES, Challenge, Refused, RelyingParty, Unfit, assertion, registration,
};
use portreeve_store::Scope;
use secrecy::ExposeSecret;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;

/// What binds an attempt to a browser.
const ATTEMPT: &str = "__Host-portreeve-passkey";

/// What authenticators call this site.
const SITE_NAME: &str = "Portreeve";

/// Where attempts to sign in are kept: no team has this id.
const NO_TEAM: &str = "00000000-0000-0000-0000-000000000000";

/// The most bytes of an answer; the largest keys and identifiers are far below.
const LIMIT: usize = 32 << 10;

/// What a passkey is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Purpose {
    /// Somebody who is signed in adds one.
    Register,
    /// Somebody signs in with one.
    SignIn,
}

/// What is kept of an attempt.
#[derive(Debug, Serialize, Deserialize)]
struct Attempt {
    purpose: Purpose,
    challenge: Challenge,
    /// Whose passkey is being added, by their session.
    session_id: Option<String>,
}

/// Where passkeys can be used now: at the public URL. Whoever has opened this machine by its name instead of its address, as
/// [`Unfit::Loopback`] asks them to, is at the right place, too.
pub(crate) fn site(app: &App, headers: &HeaderMap) -> Result<RelyingParty, Unfit> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let is_at = |place: &str| match text(ORIGIN) {
        Some(origin) => origin == place,
        None => text(HOST).is_some_and(|host| place.ends_with(&format!("://{host}"))),
    };
    match RelyingParty::at(&app.public_url(), SITE_NAME) {
        Err(Unfit::Loopback { instead }) if is_at(&instead) => {
            RelyingParty::at(&instead, SITE_NAME)
        }
        found => found,
    }
}

/// Options for the browser's dialog.
pub(super) async fn options(
    State(app): State<Arc<App>>,
    parts: Parts,
    body: Body,
) -> Result<Response, Problem> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Wanted {
        purpose: Purpose,
    }
    let wanted: Wanted = sent(&app, &parts, body).await?;
    let site = site(&app, &parts.headers)?;
    let mut challenge = [0; CHALLENGE_BYTES];
    rand::fill(&mut challenge).map_err(|_| Problem::internal())?;
    let (options, team_id, session_id) = match wanted.purpose {
        Purpose::SignIn => {
            let options = assertion::options(&site, &challenge);
            // The passkey will tell which team it is for.
            (options, NO_TEAM.to_owned(), None)
        }
        Purpose::Register => {
            let owner = Registrant::of(&app, &parts).await?;
            let options = owner.options(&app, &site, &challenge).await?;
            (options, owner.team_id, Some(owner.session_id))
        }
    };
    let attempt = Attempt {
        purpose: wanted.purpose,
        challenge,
        session_id,
    };
    let cookie = begin(&app, team_id, &attempt).await?;
    Ok(reply(
        StatusCode::OK,
        &json!({ "publicKey": options }),
        [cookie],
    ))
}

/// The browser's answer.
pub(super) async fn verify(
    State(app): State<Arc<App>>,
    parts: Parts,
    body: Body,
) -> Result<Response, Problem> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sent {
        purpose: Purpose,
        credential: Value,
        /// What the person calls a new passkey.
        name: Option<String>,
        /// Where to go on after a sign-in.
        return_to: Option<String>,
    }
    let sent: Sent = sent(&app, &parts, body).await?;
    let site = site(&app, &parts.headers)?;
    let attempt = end(&app, &parts).await?;
    if attempt.purpose != sent.purpose {
        return Err(Refused::Ceremony.into());
    }
    match attempt.purpose {
        Purpose::Register => {
            let owner = Registrant::of(&app, &parts).await?;
            if attempt.session_id.as_ref() != Some(&owner.session_id) {
                return Err(Refused::Challenge.into());
            }
            let answer = read(sent.credential)?;
            let made = registration::verify(&site, &attempt.challenge, &answer)?;
            let name = sent.name.unwrap_or_else(|| SITE_NAME.to_owned());
            let passkey =
                admin::passkeys::add(&app, &owner.admin, owner.holder, made, name).await?;
            Ok(reply(StatusCode::CREATED, &json!(passkey), [forget()]))
        }
        Purpose::SignIn => {
            let answer = read(sent.credential)?;
            let verified = recognise(&app, &parts, &site, &attempt, &answer).await?;
            // Whoever has a good passkey is no stranger.
            if let Some(visitor) = parts.extensions.get::<Visitor>() {
                visitor.let_in();
            }
            let (_, secret) = start(&app, &parts, verified, Carrier::Browser).await?;
            let seconds = Carrier::Browser.lifetime() / 1_000_000;
            let session = set_cookie(SESSION, secret.expose_secret(), seconds);
            let place = return_to::local(sent.return_to.as_deref());
            let body = json!({ "location": place });
            Ok(reply(StatusCode::OK, &body, [session, forget()]))
        }
    }
}

/// An owner who adds a passkey.
struct Registrant {
    team_id: String,
    holder: Holder,
    name: String,
    session_id: String,
    admin: Admin,
}

impl Registrant {
    async fn of(app: &App, parts: &Parts) -> Result<Self, Problem> {
        let who = who::identify(app, parts).await?;
        let admin = Admin::new(app, &who, parts);
        let is_owner = who.level == Some(Level::Owner);
        match (who.holder, who.team_id, who.session) {
            (Some(holder), Some(team_id), Some(session))
                if is_owner && session.carrier == Carrier::Browser =>
            {
                Ok(Self {
                    team_id,
                    holder,
                    name: who.name,
                    session_id: session.id.clone(),
                    admin,
                })
            }
            _ => Err(Problem::new(
                StatusCode::FORBIDDEN,
                "forbidden",
                "passkeys are for owners who are signed in with a browser; everybody else signs in at their identity provider",
            )),
        }
    }

    async fn options(
        &self,
        app: &App,
        site: &RelyingParty,
        challenge: &Challenge,
    ) -> Result<Value, Problem> {
        let known = admin::passkeys::of(app, &self.admin, &self.holder).await?;
        let known: Vec<_> = known
            .iter()
            .map(|passkey| passkey.credential_id())
            .collect();
        let person = Person {
            handle: &passkeys::user_handle(&self.team_id, self.holder.id()),
            name: &self.name,
            display_name: &self.name,
        };
        Ok(registration::options(site, challenge, &person, &known))
    }
}

/// Why a passkey that is known does not sign anybody in.
#[derive(Debug, thiserror::Error)]
enum Denied {
    #[error(transparent)]
    Passkey(#[from] Refused),
    #[error("this account is suspended; ask an owner of the team")]
    Suspended,
    #[error("passkeys sign in owners only; sign in at your identity provider")]
    NotOwner,
}

impl Denied {
    /// The reason code of the event.
    fn code(&self) -> &'static str {
        match self {
            Self::Passkey(refused) => refused.code(),
            Self::Suspended => "suspended",
            Self::NotOwner => "not_owner",
        }
    }
}

/// Whom an answer signs in. Whoever is refused with a passkey that is known finds the reason in the log.
async fn recognise(
    app: &App,
    parts: &Parts,
    site: &RelyingParty,
    attempt: &Attempt,
    answer: &assertion::Answer,
) -> Result<Verified, Problem> {
    let team_id = answer.user_handle().and_then(passkeys::team_of);
    let team_id = team_id.ok_or(Refused::UserHandle)?;
    let (team, id) = (team_id.clone(), passkeys::id_of(answer.credential_id()));
    let found = app.store.lookup(move |tx| -> Result<_, Refusal> {
        let Some(kept) = passkeys::by_id(tx, &team, &id)? else {
            return Ok(None);
        };
        let standing = holders::standing(tx, &team, &kept.passkey.holder)?;
        Ok(Some((kept, standing)))
    });
    let (kept, standing) = found.await?.ok_or(Refused::Credential)?;
    let holder = kept.passkey.holder.clone();
    let checked = check(site, attempt, answer, &team_id, &kept, standing);
    let (counter, name) = match checked {
        Ok(checked) => checked,
        Err(denied) => return Err(refuse(app, parts, team_id, &kept, &denied).await),
    };
    let (team, now, before) = (team_id.clone(), app.clock.now(), kept.clone());
    let used = app.write(Scope::ALL, move |tx| {
        passkeys::used(tx, &team, &before, counter, now)
    });
    if !used.await? {
        let denied = Refused::Counter {
            known: counter,
            sent: counter,
        };
        return Err(refuse(app, parts, team_id, &kept, &denied.into()).await);
    }
    Ok(Verified {
        team_id,
        holder,
        name,
        method: "passkey",
        passkey_id: Some(kept.passkey.id),
        provider: None,
    })
}

/// The count to keep, and the name of the owner.
fn check(
    site: &RelyingParty,
    attempt: &Attempt,
    answer: &assertion::Answer,
    team_id: &str,
    kept: &Kept,
    standing: Option<Standing>,
) -> Result<(u32, String), Denied> {
    let known = assertion::Known {
        id: &kept.passkey.credential_id(),
        user_handle: &passkeys::user_handle(team_id, kept.passkey.holder.id()),
        public_key: &kept.public_key,
        counter: kept.counter,
        backup_eligible: kept.passkey.backup_eligible,
    };
    let counter = assertion::verify(site, &attempt.challenge, answer, &known)?;
    match standing {
        None => Err(Denied::Suspended),
        Some(standing) if standing.level != Some(Level::Owner) => Err(Denied::NotOwner),
        Some(standing) => Ok((counter, standing.name)),
    }
}

/// Leaves an event of a refused sign-in, which the answer names.
async fn refuse(
    app: &App,
    parts: &Parts,
    team_id: String,
    kept: &Kept,
    denied: &Denied,
) -> Problem {
    let (clock, ids, now) = (app.clock.clone(), app.ids.clone(), app.clock.now());
    let request_id = parts.extensions.get::<RequestId>().map(|id| id.0.clone());
    let (passkey, code, detail) = (kept.passkey.clone(), denied.code(), denied.to_string());
    let reference = ids.next(now).to_string();
    let problem = Problem::new(
        StatusCode::UNAUTHORIZED,
        code,
        format!("{detail} (reference {reference})"),
    );
    let written = app.write(Scope::ALL, move |tx| {
        let cause = Cause {
            team_id: &team_id,
            directory_id: passkey.holder.directory_id(),
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
                reason: code,
                detail: &detail,
            },
            object_kind: Some("Passkey"),
            object_id: Some(&passkey.id),
            object_name: Some(&passkey.name),
            version: None,
            changes: None,
        };
        events::record_as(tx, &reference, &cause, &event)
    });
    // The refusal stands whether or not it can be written down.
    if let Err(error) = written.await {
        tracing::warn!(%error, code, "a sign-in was refused");
    }
    problem
}

/// Keeps a new attempt; the cookie that names it.
async fn begin(
    app: &App,
    team_id: String,
    attempt: &Attempt,
) -> Result<Option<HeaderValue>, Problem> {
    let payload = serde_json::to_vec(attempt).map_err(|_| Problem::internal())?;
    let (id, now) = (app.ids.next(app.clock.now()).to_string(), app.clock.now());
    let made = app.write(Scope::ALL, move |tx| {
        sign_ins::make(tx, &team_id, &id, sign_ins::Purpose::Passkey, &payload, now)
    });
    let secret = made.await?;
    let seconds = sign_ins::Purpose::Passkey.lifetime() / 1_000_000;
    Ok(set_cookie(ATTEMPT, secret.expose_secret(), seconds))
}

/// The attempt of this browser, which is over with that, however it ends.
async fn end(app: &App, parts: &Parts) -> Result<Attempt, Problem> {
    let presented = cookie(&parts.headers, ATTEMPT)
        .and_then(|secret| Presented::parse(Kind::Once, secret))
        .ok_or(Refused::Challenge)?;
    let now = app.clock.now();
    let taken = app.write(Scope::ALL, move |tx| {
        sign_ins::take(tx, &presented, sign_ins::Purpose::Passkey, now)
    });
    let payload = taken.await?.map_err(|_| Refused::Challenge)?;
    serde_json::from_slice(&payload).map_err(|_| Problem::internal())
}

/// The body of a request that a page of this server has sent.
async fn sent<T: DeserializeOwned>(app: &App, parts: &Parts, body: Body) -> Result<T, Problem> {
    if !is_own_page(app, &parts.headers) {
        return Err(Stranger::CrossSite.into());
    }
    let bytes = body::read(app, &parts.headers, body, LIMIT).await?;
    serde_json::from_slice(&bytes)
        .map_err(|error| Problem::invalid(format!("the body cannot be read: {error}")))
}

/// The part of an answer that the authenticator made.
fn read<T: DeserializeOwned>(credential: Value) -> Result<T, Problem> {
    serde_json::from_value(credential)
        .map_err(|error| Problem::invalid(format!("credential: {error}")))
}

fn reply<const N: usize>(
    status: StatusCode,
    body: &Value,
    cookies: [Option<HeaderValue>; N],
) -> Response {
    let mut response = (status, body.to_string()).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    for cookie in cookies.into_iter().flatten() {
        headers.append(SET_COOKIE, cookie);
    }
    response
}

/// Takes the cookie of the attempt away.
fn forget() -> Option<HeaderValue> {
    set_cookie(ATTEMPT, "", 0)
}

impl From<Unfit> for Problem {
    fn from(unfit: Unfit) -> Self {
        Self::new(StatusCode::CONFLICT, "passkey_site", unfit.to_string())
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        Self::new(StatusCode::BAD_REQUEST, refused.code(), refused.to_string())
    }
}
