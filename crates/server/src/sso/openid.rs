//! Signing in at an identity provider: out to it, and back with a code.
//!
//! What is remembered of a sign-in is in the database, sealed, under its `state`, which is good for once. A cookie binds it
//! to the browser that it began in.

use super::failed::Failed;
use super::providers::{Opened, now, random, redirect_uri};
use super::refused::{self, Why};
use super::start::{Verified, start as start_session};
use super::trial::{self, Trial};
use super::{page, return_to};
use crate::app::App;
use crate::limits::Visitor;
use crate::who::{SESSION, cookie, set_cookie};
use axum::extract::{Query, State};
use axum::response::Response;
use http::HeaderValue;
use http::request::Parts;
use portreeve_directory::bearer::{Kind, Presented};
use portreeve_directory::connections::{self, Connection};
use portreeve_directory::holders::Holder;
use portreeve_directory::resolve::{self, Claims};
use portreeve_directory::sessions::Carrier;
use portreeve_directory::sign_ins::{self, Purpose, Spent};
use portreeve_directory::{Refusal, tokens};
use portreeve_oidc::{AuthorizationRequest, Code, Metadata, Provider};
use portreeve_store::Scope;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use subtle::ConstantTimeEq;

/// What binds sign-ins under way to a browser.
const ATTEMPT: &str = "__Host-portreeve-signin";

/// How the nonces of these sign-ins begin, so that an ID token that was made for one is taken for nothing else: at sign-out
/// it travels back to the provider in an address.
pub(crate) const NONCE: &str = "portreeve-";

/// What is asked for: who somebody is, with names and address.
const SCOPE: &str = "openid profile email";

/// The longest hint that is passed on, in bytes.
const LONGEST_HINT: usize = 320;

/// What is remembered of a sign-in under way.
#[derive(Serialize, Deserialize)]
struct Attempt {
    directory_id: String,
    nonce: String,
    verifier: String,
    /// SHA-256 of the cookie.
    browser: [u8; 32],
    return_to: String,
    /// The admin's trial that it is, and then nobody is signed in.
    trial: Option<Trial>,
}

/// What a sign-in begins with.
#[derive(Deserialize)]
pub(super) struct Begin {
    /// The directory whose connection it is.
    #[serde(default)]
    connection: String,
    return_to: Option<String>,
    login_hint: Option<String>,
    trial: Option<String>,
}

/// Sends a person to the provider.
pub(super) async fn start(
    State(app): State<Arc<App>>,
    Query(begin): Query<Begin>,
    parts: Parts,
) -> Result<Response, Failed> {
    let trial = match &begin.trial {
        None => None,
        Some(secret) => match trial::look(&app, secret).await? {
            Ok(trial) => Some(trial),
            Err(spent) => return Ok(refused::stray(&app, &parts, state_code(spent))),
        },
    };
    let directory_id = trial
        .as_ref()
        .map_or(&begin.connection, |trial| &trial.directory_id);
    let connection = match connection(&app, directory_id).await {
        Err(Refusal::NotFound(..)) => {
            return Ok(refused::stray(&app, &parts, "unknown_connection"));
        }
        found => found?,
    };
    let provider = app
        .providers
        .provider(&connection.directory_id, &connection.settings);
    let asked = match provider {
        Ok(provider) => provider.metadata(now(&app)).await,
        Err(error) => Err(error),
    };
    match asked {
        Ok(metadata) => go(&app, &parts, &connection, &metadata, (begin, trial)).await,
        Err(error) => Ok(refused::answer(&app, &parts, &connection, &error.into()).await),
    }
}

async fn go(
    app: &App,
    parts: &Parts,
    connection: &Connection,
    metadata: &Metadata,
    (begin, trial): (Begin, Option<Trial>),
) -> Result<Response, Failed> {
    // Several sign-ins may be under way in one browser; they have the cookie in common.
    let browser = match cookie(&parts.headers, ATTEMPT) {
        Some(kept) if kept.len() == 43 => kept.to_owned(),
        _ => random()?,
    };
    let is_trial = trial.is_some();
    let attempt = Attempt {
        directory_id: connection.directory_id.clone(),
        nonce: format!("{NONCE}{}", random()?),
        verifier: random()?,
        browser: tokens::hash(&browser),
        return_to: return_to::local(begin.return_to.as_deref()).to_owned(),
        trial,
    };
    let state = remember(app, &connection.team_id, &attempt).await?;
    let hint = begin.login_hint.as_deref();
    let request = AuthorizationRequest {
        client_id: &connection.settings.client_id,
        redirect_uri: &redirect_uri(app),
        scope: SCOPE,
        state: state.expose_secret(),
        nonce: &attempt.nonce,
        verifier: &attempt.verifier,
        login_hint: hint.filter(|hint| hint.len() <= LONGEST_HINT),
        // Who tries a connection out wants to choose as whom. Some providers refuse `select_account`; all know `login`.
        prompt: is_trial.then_some("login"),
    };
    let seconds = Purpose::Openid.lifetime() / 1_000_000;
    let cookie = set_cookie(ATTEMPT, &browser, seconds);
    Ok(page::see(request.url(metadata).as_str(), cookie))
}

/// Keeps a sign-in under way; its state.
async fn remember(app: &App, team_id: &str, attempt: &Attempt) -> Result<SecretString, Failed> {
    let at = app.clock.now();
    let (id, team) = (app.ids.next(at).to_string(), team_id.to_owned());
    let sealed = app.providers.seal(&sealed_of(&id), attempt)?;
    let made = app.write(Scope::ALL, move |tx| {
        sign_ins::make(tx, &team, &id, Purpose::Openid, &sealed, at)
    });
    Ok(made.await?)
}

/// What a provider sends people back with: a code, or why there is none.
#[derive(Deserialize)]
pub(super) struct Back {
    #[serde(default)]
    state: String,
    code: Option<String>,
    iss: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
}

/// Takes a person back from the provider.
pub(super) async fn callback(
    State(app): State<Arc<App>>,
    Query(back): Query<Back>,
    parts: Parts,
) -> Result<Response, Failed> {
    let Some(state) = Presented::parse(Kind::Once, &back.state) else {
        return Ok(refused::stray(&app, &parts, "state_unknown"));
    };
    let attempt = match recall(&app, &state).await? {
        Ok(attempt) => attempt,
        Err(spent) => return Ok(refused::stray(&app, &parts, state_code(spent))),
    };
    let opened = match Opened::of(&app, &attempt.directory_id).await {
        Err(Refusal::NotFound(..)) => {
            return Ok(refused::stray(&app, &parts, "unknown_connection"));
        }
        found => found??,
    };
    let known = identify(&app, &parts, &opened, &attempt, &back).await?;
    if let Some(trial) = &attempt.trial {
        return trial::finish(&app, trial, known).await;
    }
    match known {
        Ok(known) => let_in(&app, &parts, known, &attempt).await,
        Err(why) => Ok(refused::answer(&app, &parts, &opened.connection, &why).await),
    }
}

/// The sign-in that a state belongs to, which is used up.
async fn recall(app: &App, state: &Presented) -> Result<Result<Attempt, Spent>, Failed> {
    let (presented, at) = (state.clone(), app.clock.now());
    let taken = app.write(Scope::ALL, move |tx| {
        sign_ins::take(tx, &presented, Purpose::Openid, at)
    });
    Ok(match taken.await? {
        Ok(sealed) => Ok(app.providers.open(&sealed_of(&state.id), &sealed)?),
        Err(spent) => Err(spent),
    })
}

/// Somebody whom the provider knows and who is a user.
pub(super) struct Known {
    pub(super) user: resolve::Resolved,
    pub(super) claims: Claims,
    /// Everything that the ID token says.
    pub(super) all: serde_json::Map<String, serde_json::Value>,
    connection: Connection,
    id_token: SecretString,
}

/// Who came back.
async fn identify(
    app: &App,
    parts: &Parts,
    opened: &Opened,
    attempt: &Attempt,
    back: &Back,
) -> Result<Result<Known, Why>, Failed> {
    let browser = cookie(&parts.headers, ATTEMPT).map(tokens::hash);
    let is_same = browser.is_some_and(|browser| bool::from(browser.ct_eq(&attempt.browser)));
    if !is_same {
        let detail = "the sign-in was begun in another browser, or the browser keeps no cookies; somebody may have sent the person a link to a sign-in of their own";
        return Ok(Err(Why::new("other_browser", detail)));
    }
    let code = match (&back.error, &back.code) {
        (None, Some(code)) => code,
        (error, _) => return Ok(Err(declined(error.as_deref(), back))),
    };
    let (claims, id_token) = match token(app, opened, attempt, (code, back.iss.as_deref())).await {
        Ok(verified) => verified,
        Err(error) => return Ok(Err(error.into())),
    };
    let all = claims.all;
    let claims = Claims {
        issuer: claims.issuer,
        subject: claims.subject,
        tenant_id: claims.tenant_id,
        object_id: claims.object_id,
        email: claims.email,
        email_verified: claims.email_verified,
        preferred_username: claims.preferred_username,
    };
    let (connection, wanted) = (opened.connection.clone(), claims.clone());
    let found = app.store.lookup(move |tx| {
        let place = (
            connection.team_id.as_str(),
            connection.directory_id.as_str(),
        );
        resolve::resolve(tx, place, &connection.settings, &wanted)
    });
    Ok(match found.await? {
        Ok(user) => Ok(Known {
            user,
            claims,
            all,
            connection: opened.connection.clone(),
            id_token,
        }),
        Err(unresolved) => Err(Why::unresolved(&unresolved, claims, all)),
    })
}

/// The provider has sent somebody back without a code.
fn declined(error: Option<&str>, back: &Back) -> Why {
    let shown =
        |text: &str| -> String { text.chars().filter(|c| !c.is_control()).take(300).collect() };
    let Some(error) = error else {
        return Why::new(
            "provider_error",
            "the provider sent neither a code nor an error",
        );
    };
    let code = match error {
        "access_denied" | "login_required" | "interaction_required" => "access_denied",
        _ => "provider_error",
    };
    let said = back.error_description.as_deref().unwrap_or_default();
    Why::new(
        code,
        format!("the provider says {}: {}", shown(error), shown(said)),
    )
}

/// What the provider says of whoever has this code, verified.
async fn token(
    app: &App,
    opened: &Opened,
    attempt: &Attempt,
    (code, issuer): (&str, Option<&str>),
) -> Result<(portreeve_oidc::Claims, SecretString), portreeve_oidc::Error> {
    let connection = &opened.connection;
    let provider: Arc<Provider> = app
        .providers
        .provider(&connection.directory_id, &connection.settings)?;
    let metadata = provider.metadata(now(app)).await?;
    metadata.check_response_issuer(issuer)?;
    let code = Code {
        code,
        verifier: &attempt.verifier,
        redirect_uri: &redirect_uri(app),
    };
    let tokens = provider
        .exchange(&metadata, &opened.client(), &code)
        .await?;
    let client_id = &connection.settings.client_id;
    let claims = provider
        .verify(&metadata, &tokens, client_id, &attempt.nonce, now(app))
        .await?;
    Ok((claims, tokens.id_token))
}

/// Starts a session, and goes on to where the person wanted.
async fn let_in(
    app: &App,
    parts: &Parts,
    known: Known,
    attempt: &Attempt,
) -> Result<Response, Failed> {
    let connection = known.connection;
    let (directory_id, user_id, at) =
        (connection.directory_id, known.user.user_id, app.clock.now());
    let (directory, user, claims) = (directory_id.clone(), user_id.clone(), known.claims);
    app.write(Scope::ALL, move |tx| {
        resolve::link(tx, &directory, &claims, &user, at)
    })
    .await?;
    // Whoever is signed in is no stranger.
    if let Some(visitor) = parts.extensions.get::<Visitor>() {
        visitor.let_in();
    }
    let hint = known.id_token.expose_secret();
    let verified = Verified {
        team_id: connection.team_id,
        provider: Some(
            app.providers
                .seal(&super::sign_out::sealed_of(&user_id), &hint)?,
        ),
        holder: Holder::User {
            directory_id,
            id: user_id,
        },
        name: known.user.name,
        method: "oidc",
        passkey_id: None,
    };
    let (_, secret) = start_session(app, parts, verified, Carrier::Browser).await?;
    let seconds = Carrier::Browser.lifetime() / 1_000_000;
    let cookies = [
        set_cookie(SESSION, secret.expose_secret(), seconds),
        set_cookie(ATTEMPT, "", 0),
    ];
    let cookies: Vec<HeaderValue> = cookies.into_iter().flatten().collect();
    Ok(page::see(&attempt.return_to, cookies))
}

async fn connection(app: &App, directory_id: &str) -> Result<Connection, Refusal> {
    let id = directory_id.to_owned();
    app.store.lookup(move |tx| connections::of(tx, &id)).await
}

fn sealed_of(id: &str) -> String {
    format!("sign-in/{id}")
}

fn state_code(spent: Spent) -> &'static str {
    match spent {
        Spent::Unknown => "state_unknown",
        Spent::Used => "state_used",
        Spent::Expired => "state_expired",
    }
}
