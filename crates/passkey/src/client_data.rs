//! What the browser says about a ceremony (WebAuthn section 5.8.1).

use serde::Deserialize;

use crate::bytes::Bytes;
use crate::{Challenge, Refused, RelyingParty};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClientData {
    #[serde(rename = "type")]
    ceremony: String,
    challenge: Bytes,
    origin: String,
    #[serde(default)]
    cross_origin: bool,
    top_origin: Option<String>,
}

/// Checks that this is an answer of that ceremony to that challenge, made on the site itself.
pub(crate) fn check(
    json: &[u8],
    ceremony: &str,
    challenge: &Challenge,
    site: &RelyingParty,
) -> Result<(), Refused> {
    let said: ClientData =
        serde_json::from_slice(json).map_err(|_| Refused::Malformed("client data"))?;
    if said.ceremony != ceremony {
        return Err(Refused::Ceremony);
    }
    if said.challenge.0 != challenge {
        return Err(Refused::Challenge);
    }
    if said.origin != site.origin() {
        return Err(Refused::Origin {
            found: said.origin,
            expected: site.origin().to_owned(),
        });
    }
    if said.cross_origin || said.top_origin.is_some() {
        return Err(Refused::Framed);
    }
    Ok(())
}
