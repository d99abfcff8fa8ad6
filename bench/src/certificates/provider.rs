//! An OpenID provider that everybody has signed in at already: its metadata and its keys.

use anyhow::Result;
use axum::Router;
use axum::routing::get;
use hyper::header::CONTENT_TYPE;
use serde_json::json;

use super::requests::{Provider, Signer};

/// Serves it as long as this program runs.
pub(super) async fn start() -> Result<Provider> {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
    let url = format!("http://{}", listener.local_addr()?);
    let signer = Signer::new("provider")?;
    let path = format!("/{}/v2.0", Provider::TENANT);
    let issuer = format!("{url}{path}");
    let metadata = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{url}/authorize"),
        "token_endpoint": format!("{url}/token"),
        "jwks_uri": format!("{url}/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["ES256"],
    });
    let keys = json!({"keys": [signer.jwk()?]});
    let document = |document: serde_json::Value| {
        let text = document.to_string();
        get(async move || ([(CONTENT_TYPE, "application/json")], text))
    };
    let app = Router::new()
        .route(&format!("{path}{METADATA}"), document(metadata))
        .route("/keys", document(keys));
    tokio::spawn(axum::serve(listener, app).into_future());
    Ok(Provider { signer, issuer })
}

/// Below an issuer (OpenID Connect Discovery 1.0 section 4).
pub(super) const METADATA: &str = "/.well-known/openid-configuration";
