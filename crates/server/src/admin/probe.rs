//! Testing a directory's connection: asks what Entra's Test Connection asks, over the network and at the public address, so
//! that what fails there fails here, with the remedy.

use super::directories::tenant_url;
use super::{Admin, Object, change};
use crate::app::App;
use crate::sso::doctor::{Step, Verdict};
use portreeve_directory::directories::Directory;
use portreeve_directory::{Refusal, tokens};
use reqwest::{Client, StatusCode, Url, redirect};
use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde_json::Value;
use std::error::Error;
use std::time::Duration;

/// How long each answer may take; Entra waits longer, but nobody should.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long the token of a test would live if it could not be revoked (microseconds).
const TOKEN_LIFE: i64 = 300_000_000;

/// An id that nobody has.
const NOBODY: &str = "00000000-0000-0000-0000-000000000000";

/// What a test found.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Probed {
    /// The worst of the steps.
    pub(crate) verdict: Verdict,
    /// The address that was asked.
    pub(crate) tenant_url: String,
    pub(crate) steps: Vec<Step>,
}

/// Tests the connection of a directory with a token that lives as long as the test.
pub(crate) async fn test(app: &App, admin: &Admin, which: &str) -> Result<Probed, Refusal> {
    let directory = super::directories::find(app, admin, which).await?;
    if !directory.is_fed() {
        return Err(Refusal::Invalid {
            attribute: "directory",
            reason: format!(
                "\"{}\" is edited in Portreeve itself, so no provider connects to it",
                directory.name
            ),
        });
    }
    let tenant_url = tenant_url(&directory, &app.public_url());
    let (id, secret) = token(app, admin, &directory).await?;
    let steps = ask(&tenant_url, &secret).await;
    let of = directory.id.clone();
    change(app, move |tx| tokens::forget(tx, &of, &id)).await?;
    Ok(Probed {
        verdict: steps
            .iter()
            .map(|step| step.verdict)
            .max()
            .unwrap_or(Verdict::Ok),
        tenant_url,
        steps,
    })
}

async fn token(
    app: &App,
    admin: &Admin,
    directory: &Directory,
) -> Result<(String, SecretString), Refusal> {
    let (admin, directory) = (admin.clone(), directory.clone());
    change(app, move |tx| {
        let id = admin.ids.next(admin.at);
        let end = admin.at + TOKEN_LIFE;
        let secret = tokens::create_test(tx, &directory.id, id, end, admin.at)?;
        let object = Object {
            kind: "Directory",
            id: &directory.id,
            name: &directory.name,
        };
        admin.record(tx, &directory, "test", &object, None)?;
        Ok((id.to_string(), secret))
    })
    .await
}

async fn ask(tenant_url: &str, secret: &SecretString) -> Vec<Step> {
    let mut steps = vec![address(tenant_url)];
    let client = Client::builder()
        .timeout(PATIENCE)
        .connect_timeout(PATIENCE)
        .redirect(redirect::Policy::none())
        .build();
    let Ok(client) = client else {
        steps.push(Step::fail(
            "network",
            "HTTP cannot be set up on this machine.",
        ));
        return steps;
    };
    for (name, what, filter) in [
        ("users", "Users", "userName"),
        ("groups", "Groups", "displayName"),
    ] {
        let step = list(&client, tenant_url, secret, (name, what, filter)).await;
        let failed = step.verdict == Verdict::Fail;
        steps.push(step);
        if failed {
            return steps;
        }
    }
    steps
}

/// What can be said of the address without asking.
fn address(tenant_url: &str) -> Step {
    let url = Url::parse(tenant_url).ok();
    let scheme = url.as_ref().map(Url::scheme);
    let host = url
        .as_ref()
        .and_then(Url::host_str)
        .unwrap_or_default()
        .to_owned();
    let here = matches!(host.as_str(), "localhost" | "127.0.0.1" | "[::1]");
    let found = format!("Providers are told {tenant_url}");
    if here {
        return Step::new("address", Verdict::Warn, found).remedy(
            "Only this machine reaches that address. Start the server with --public-url https://… for a provider elsewhere.",
        );
    }
    match scheme {
        Some("https") => Step::ok("address", found),
        _ => Step::new("address", Verdict::Warn, found).remedy(
            "It is not encrypted, and Entra accepts https only. Put a reverse proxy with a certificate before the server, and start it with --public-url https://…",
        ),
    }
}

/// Looks for an object that does not exist, and expects an empty list: Entra's Test Connection.
async fn list(
    client: &Client,
    base: &str,
    secret: &SecretString,
    (name, what, attribute): (&'static str, &str, &str),
) -> Step {
    let filter = format!("{attribute} eq \"{NOBODY}\"");
    let url = Url::parse_with_params(&format!("{base}/{what}"), [("filter", filter.as_str())]);
    let Ok(url) = url else {
        return Step::fail(name, format!("{base} is no address."));
    };
    let asked = client
        .get(url)
        .bearer_auth(secret.expose_secret())
        .send()
        .await;
    let answer = match asked {
        Ok(answer) => answer,
        Err(error) => return unreachable(name, &error),
    };
    let (status, server) = (
        answer.status(),
        answer.headers().contains_key("x-request-id"),
    );
    let body: Option<Value> = match answer.bytes().await {
        Ok(bytes) => serde_json::from_slice(&bytes).ok(),
        Err(error) => return unreachable(name, &error),
    };
    let total = body.as_ref().and_then(|body| body["totalResults"].as_i64());
    let asked = format!("GET /{what}?filter={filter} was answered with {status}");
    match (status, total) {
        (StatusCode::OK, Some(_)) => Step::ok(name, format!("{asked} and an empty list, as the provider expects.")),
        (StatusCode::OK, None) => Step::fail(name, format!("{asked}, but not with a list of SCIM.")).remedy(
            "Something else than Portreeve answers at this address: look at the reverse proxy.",
        ),
        (StatusCode::UNAUTHORIZED, _) => Step::fail(name, format!("{asked}.")).remedy(
            "A token that is good did not arrive. Does the reverse proxy take the header Authorization away?",
        ),
        (StatusCode::FORBIDDEN, _) => Step::fail(name, format!("{asked}.")).remedy(
            "Portreeve does not answer so: a proxy or web application firewall before it refuses the request. Let /scim/ pass.",
        ),
        (StatusCode::NOT_FOUND, _) if server => Step::fail(name, format!("{asked}.")).remedy(
            "The request arrived at a Portreeve that does not know this path: look at how the reverse proxy rewrites paths.",
        ),
        (StatusCode::NOT_FOUND, _) => Step::fail(name, format!("{asked}.")).remedy(
            "Something else answers at this address: look at DNS and at the reverse proxy.",
        ),
        (status, _) if status.is_redirection() => Step::fail(name, format!("{asked}.")).remedy(
            "Providers do not follow redirects. Give the address that the redirect leads to as --public-url.",
        ),
        (StatusCode::TOO_MANY_REQUESTS, _) => Step::new(name, Verdict::Warn, format!("{asked}.")).remedy("Too many requests come from the address of the proxy. Name it with --trusted-proxy."),
        _ => Step::fail(name, format!("{asked}.")).remedy("Look into the log of the server and of the reverse proxy."),
    }
}

/// Why nothing came back, by where it failed.
fn unreachable(name: &'static str, error: &reqwest::Error) -> Step {
    let mut text = error.to_string();
    let mut cause: Option<&dyn Error> = error.source();
    while let Some(inner) = cause {
        text = inner.to_string();
        cause = inner.source();
    }
    let lower = text.to_lowercase();
    let remedy = if lower.contains("dns")
        || lower.contains("lookup")
        || lower.contains("name or service")
    {
        "The name has no address: look at DNS."
    } else if lower.contains("certificate") || lower.contains("tls") || lower.contains("handshake")
    {
        "The certificate is not accepted. It must be of a public authority, for this name, and not expired; the chain must be complete."
    } else if error.is_timeout() {
        "Nothing answered in time: look at firewall and reverse proxy."
    } else {
        "The connection was refused or broke: does the reverse proxy run, and does it reach this server?"
    };
    Step::fail(name, format!("The address cannot be reached: {text}.")).remedy(remedy)
}
