//! The connection doctor: goes the way of a sign-in step by step, as far as that can be done without a person, and says at
//! each step what is right, what is wrong, and what to do.

use super::providers::{Opened, now, redirect_uri};
use crate::app::App;
use portreeve_directory::connections::Match;
use portreeve_directory::directories::Provider as Source;
use portreeve_directory::resolve::{self, Findable};
use portreeve_directory::{Refusal, directories};
use portreeve_oidc::{ClientCheck, Error, Fetched, Metadata, Provider};
use schemars::JsonSchema;
use serde::Serialize;
use std::time::{Duration, SystemTime};
use url::{Host, Url};

/// How far the provider's clock may be off before its tokens may be refused.
const LEEWAY: Duration = Duration::from_secs(60);
/// How far it may be off before that is worth a word.
const NOTICEABLE: Duration = Duration::from_secs(10);

/// How a step went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verdict {
    /// As it should be.
    Ok,
    /// It may be right; a look is needed.
    Warn,
    /// Nobody can sign in like that.
    Fail,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Step {
    /// Of a connection `metadata`, `issuer`, `keys`, `clock`, `redirect_uri`, `client`, `matching`; of a directory `address`,
    /// `users`, `groups`.
    pub(crate) name: &'static str,
    /// How it went.
    pub(crate) verdict: Verdict,
    /// What was found.
    pub(crate) sentence: String,
    /// What to do, where there is something to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) remedy: Option<String>,
}

impl Step {
    pub(crate) fn new(name: &'static str, verdict: Verdict, sentence: impl Into<String>) -> Self {
        Self {
            name,
            verdict,
            sentence: sentence.into(),
            remedy: None,
        }
    }

    pub(crate) fn ok(name: &'static str, sentence: impl Into<String>) -> Self {
        Self::new(name, Verdict::Ok, sentence)
    }

    pub(crate) fn fail(name: &'static str, sentence: impl Into<String>) -> Self {
        Self::new(name, Verdict::Fail, sentence)
    }

    pub(crate) fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }
}

/// Examines a connection. Nothing that is remembered is used, and nothing that is found is kept.
pub(crate) async fn examine(app: &App, opened: &Opened) -> Result<Vec<Step>, Refusal> {
    let mut steps = Vec::new();
    let fresh = app.providers.fresh(&opened.connection.settings);
    let found = match fresh {
        Ok(provider) => match provider.fetch_metadata().await {
            Ok(metadata) => Ok((provider, metadata)),
            Err(error) => Err(error),
        },
        Err(error) => Err(error),
    };
    match &found {
        Ok((provider, metadata)) => {
            steps.push(Step::ok("metadata", "The metadata document can be read."));
            steps.push(issuer(&metadata.value));
            steps.push(keys(provider, &metadata.value).await);
            steps.push(clock(app, metadata));
        }
        Err(error) => steps.extend(unreadable(error)),
    }
    steps.push(callback(app));
    if let Ok((provider, metadata)) = &found {
        steps.push(client(app, opened, provider, &metadata.value).await);
    }
    steps.push(matching(app, opened).await?);
    Ok(steps)
}

/// The document was read and its issuer is wrong, or it was not read.
fn unreadable(error: &Error) -> Vec<Step> {
    match error.code() {
        "issuer_mismatch" | "tenant_not_pinned" => vec![
            Step::ok("metadata", "The metadata document can be read."),
            Step::fail("issuer", error.to_string()),
        ],
        _ => vec![Step::fail("metadata", error.to_string())],
    }
}

fn issuer(metadata: &Metadata) -> Step {
    let of_tenant = metadata.tenant_id.as_ref();
    let of_tenant = of_tenant.map(|id| format!(", and of the tenant {id}"));
    Step::ok(
        "issuer",
        format!(
            "ID tokens must be those of {}{}.",
            metadata.issuer,
            of_tenant.unwrap_or_default()
        ),
    )
}

async fn keys(provider: &Provider, metadata: &Metadata) -> Step {
    match provider.fetch_keys(metadata).await {
        Ok(keys) => Step::ok(
            "keys",
            format!(
                "The provider publishes {} keys for signatures.",
                keys.value.len()
            ),
        ),
        Err(error) => Step::fail("keys", error.to_string()),
    }
}

fn clock(app: &App, metadata: &Fetched<Metadata>) -> Step {
    let Some(theirs) = metadata.date else {
        let said = "The provider does not say what time it is.";
        return Step::new("clock", Verdict::Warn, said)
            .remedy("See that the clock of this server is right.");
    };
    let seconds = u64::try_from(now(app).unix).unwrap_or_default();
    let ours = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    let apart = match ours.duration_since(theirs) {
        Ok(ahead) => ahead,
        Err(behind) => behind.duration(),
    };
    let verdict = match apart {
        apart if apart > LEEWAY => Verdict::Fail,
        apart if apart > NOTICEABLE => Verdict::Warn,
        _ => return Step::ok("clock", "The clocks agree."),
    };
    let direction = if ours > theirs { "ahead of" } else { "behind" };
    let said = format!(
        "The clock of this server is {} seconds {direction} the provider's.",
        apart.as_secs()
    );
    Step::new("clock", verdict, said).remedy(
        "Let this machine's clock be set over the network (timedatectl set-ntp true); one minute is tolerated.",
    )
}

/// Whether people can come back.
fn callback(app: &App) -> Step {
    const NAME: &str = "redirect_uri";
    let uri = redirect_uri(app);
    let register = format!("Register {uri} as a redirect URI (type Web) at the provider.");
    let Ok(url) = Url::parse(&uri) else {
        return Step::fail(NAME, format!("The public URL makes no address: {uri}."))
            .remedy("Correct --public-url.");
    };
    let is_local = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    match (url.scheme(), is_local) {
        ("https", false) => Step::ok(NAME, format!("People come back to {uri}.")).remedy(register),
        (_, true) => {
            let said = format!(
                "People come back to {uri}, which is this machine: only browsers on it get there."
            );
            Step::new(NAME, Verdict::Warn, said).remedy(format!(
                "{register} Before others are to sign in, start the server with --public-url and its https address."
            ))
        }
        _ => {
            let said = format!(
                "People come back to {uri}, which is not encrypted: browsers keep no session there, and providers refuse it."
            );
            Step::fail(NAME, said).remedy("Put a proxy with a certificate in front of the server, and start it with --public-url and the https address.")
        }
    }
}

async fn client(app: &App, opened: &Opened, provider: &Provider, metadata: &Metadata) -> Step {
    const NAME: &str = "client";
    let checked = provider
        .check_client(metadata, &opened.client(), &redirect_uri(app))
        .await;
    match checked {
        Ok(ClientCheck::Known) if opened.secret.is_none() => Step::new(
            NAME,
            Verdict::Warn,
            "The provider answers this client id without a secret.",
        )
        .remedy("Give the client secret, unless the client is registered as a public one."),
        Ok(ClientCheck::Known) => Step::ok(
            NAME,
            "The provider knows the client: it refuses only the code that was made up.",
        ),
        Ok(ClientCheck::Refused(said)) => Step::fail(
            NAME,
            format!("The provider does not take the client id or secret: {said}."),
        )
        .remedy("Enter the secret's value, not its id; make a new one if it has expired; compare the client id."),
        Ok(ClientCheck::Unclear(said)) => Step::new(
            NAME,
            Verdict::Warn,
            format!("The provider does not let on whether it takes the client id and secret: {said}."),
        )
        .remedy("Run the trial sign-in."),
        Err(error) => Step::fail(NAME, error.to_string()),
    }
}

/// Whether those who come back can be found in the directory.
async fn matching(app: &App, opened: &Opened) -> Result<Step, Refusal> {
    const NAME: &str = "matching";
    let id = opened.connection.directory_id.clone();
    let read = app.store.lookup(move |tx| -> Result<_, Refusal> {
        let source = directories::by_id(tx, &id)?.provider;
        Ok((source, resolve::findable(tx, &id)?))
    });
    let (source, findable) = read.await?;
    let match_by = &opened.connection.settings.match_by;
    let by_names: Vec<&str> = match_by
        .iter()
        .map(|wanted| match wanted {
            Match::Subject => "subject (sub = externalId)",
            Match::Email => "e-mail address",
            Match::UserName => "user name (preferred_username = userName)",
        })
        .collect();
    let also = by_names.join(", ");
    Ok(match findable {
        Findable::Nobody => Step::new(NAME, Verdict::Warn, "There are no users yet, so nobody can be found.")
            .remedy("Let the provider send people first, or make users."),
        Findable::ByObjectId if source == Source::Entra => Step::ok(
            NAME,
            "The users have object ids as externalId: people are found by tid and oid, whatever their address is.",
        ),
        _ if !match_by.is_empty() => Step::ok(NAME, format!("People are found by {also}, and by their subject from then on.")),
        Findable::NotByObjectId if source == Source::Entra => Step::fail(
            NAME,
            "The users' externalId is not Entra's object id (the default mapping sends mailNickname), and nothing else may find them: nobody can sign in.",
        )
        .remedy("Map objectId to externalId in Entra's provisioning, or let the connection match by email or user_name."),
        _ => Step::new(
            NAME,
            Verdict::Warn,
            "Nothing but a subject linked before or Entra's object id may find a user.",
        )
        .remedy("Let the connection match by subject, email or user_name, unless the provider is Microsoft Entra ID."),
    })
}
