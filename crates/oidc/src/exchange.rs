//! The token endpoint: a code for tokens (OpenID Connect Core 1.0 section 3.1.3).

use crate::http::{Http, send};
use crate::{Asked, ClientAuthentication, Error, Metadata, shown};
use reqwest::{RequestBuilder, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::form_urlencoded::byte_serialize;

/// Who relies on the provider, as the provider knows it.
#[derive(Debug, Clone, Copy)]
pub struct Client<'a> {
    /// The client id.
    pub id: &'a str,
    /// The client secret. A public client has none.
    pub secret: Option<&'a SecretString>,
}

/// A code and what it is bound to.
#[derive(Debug, Clone, Copy)]
pub struct Code<'a> {
    /// The code that the person came back with.
    pub code: &'a str,
    /// The secret whose hash was sent along (RFC 7636 section 4.5).
    pub verifier: &'a str,
    /// Where the person was sent back to.
    pub redirect_uri: &'a str,
}

/// What a code is worth.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// Says who the person is.
    pub id_token: SecretString,
    /// Gives access to the provider's other services; used only to check that it belongs to the ID token.
    pub access_token: Option<SecretString>,
}

/// What a token endpoint thinks of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientCheck {
    /// It knows the client: what it does not like is the code that was made up.
    Known,
    /// It does not take id or secret; what it says.
    Refused(String),
    /// It says something else, from which nothing follows.
    Unclear(String),
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    id_token: Option<SecretString>,
    #[serde(default)]
    access_token: Option<SecretString>,
}

/// RFC 6749 section 5.2.
#[derive(Deserialize)]
struct Refusal {
    error: String,
    #[serde(default)]
    error_description: Option<String>,
}

pub(crate) async fn exchange(
    http: &Http,
    metadata: &Metadata,
    client: &Client<'_>,
    code: &Code<'_>,
) -> Result<Tokens, Error> {
    let answer = send(Asked::Token, request(http, metadata, client, code)).await?;
    match answer.status.as_u16() {
        200 => {}
        400..=499 => return Err(refusal(answer.status, &answer.body)),
        300..=399 => {
            return Err(Error::Redirected {
                asked: Asked::Token,
            });
        }
        status => {
            let asked = Asked::Token;
            return Err(Error::Status { asked, status });
        }
    }
    let answer: Answer = serde_json::from_slice(&answer.body)
        .map_err(|cause| Error::Answer(shown(&cause.to_string())))?;
    Ok(Tokens {
        id_token: answer.id_token.ok_or_else(|| {
            Error::Answer("it holds no ID token; the scope openid must be granted".to_owned())
        })?,
        access_token: answer.access_token,
    })
}

fn request(
    http: &Http,
    metadata: &Metadata,
    client: &Client<'_>,
    code: &Code<'_>,
) -> RequestBuilder {
    let mut form = vec![
        ("grant_type", "authorization_code"),
        ("code", code.code),
        ("redirect_uri", code.redirect_uri),
        ("code_verifier", code.verifier),
    ];
    let mut request = http.post(&metadata.token_endpoint);
    match (client.secret, metadata.client_authentication) {
        (None, _) => form.push(("client_id", client.id)),
        (Some(secret), ClientAuthentication::Post) => {
            form.push(("client_id", client.id));
            form.push(("client_secret", secret.expose_secret()));
        }
        (Some(secret), ClientAuthentication::Basic) => {
            // Form encoding comes first (RFC 6749 section 2.3.1).
            let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
            request = request.basic_auth(encoded(client.id), Some(encoded(secret.expose_secret())));
        }
    }
    request.form(&form)
}

/// What a refusal means. A client that is not known may be told so with 401 alone.
fn refusal(status: StatusCode, body: &[u8]) -> Error {
    let Ok(refusal) = serde_json::from_slice::<Refusal>(body) else {
        return if status == StatusCode::UNAUTHORIZED {
            Error::ClientRefused(format!("status {}", status.as_u16()))
        } else {
            let (asked, status) = (Asked::Token, status.as_u16());
            Error::Status { asked, status }
        };
    };
    // Entra's descriptions go on with identifiers of the request on further lines.
    let said = refusal.error_description.as_deref().unwrap_or_default();
    let said = said.lines().next().unwrap_or_default();
    let said = if said.is_empty() {
        shown(&refusal.error)
    } else {
        format!("{}: {}", shown(&refusal.error), shown(said))
    };
    match refusal.error.as_str() {
        "invalid_client" | "unauthorized_client" => Error::ClientRefused(said),
        "invalid_grant" => Error::CodeRefused(said),
        _ => Error::Refused(said),
    }
}

/// Asks with a code that was made up. Who is authenticated first is told that the code is wrong.
pub(crate) async fn check_client(
    http: &Http,
    metadata: &Metadata,
    client: &Client<'_>,
    redirect_uri: &str,
) -> Result<ClientCheck, Error> {
    let code = Code {
        code: "portreeve-connection-test",
        verifier: "portreeve-connection-test-portreeve-connection-test",
        redirect_uri,
    };
    match exchange(http, metadata, client, &code).await {
        Err(Error::CodeRefused(_)) => Ok(ClientCheck::Known),
        Err(Error::ClientRefused(said)) => Ok(ClientCheck::Refused(said)),
        Err(Error::Refused(said) | Error::Answer(said)) => Ok(ClientCheck::Unclear(said)),
        Err(error) => Err(error),
        Ok(_) => Ok(ClientCheck::Unclear(
            "it gave a token for a code that was made up".to_owned(),
        )),
    }
}
