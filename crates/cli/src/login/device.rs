//! Signing in with a browser elsewhere (RFC 8628): a code is shown here and written there.

use super::oauth::{Granted, Oauth, Refused};
use crate::failure::{Code, Failure};
use crate::time;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::time::Duration;

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// What is waited longer each time when the server says so, or does not answer (RFC 8628 section 3.5).
const SLOWER: Duration = Duration::from_secs(5);

/// The server's answer to a device that asks to be let in (RFC 8628 section 3.2).
#[derive(Deserialize)]
struct Codes {
    device_code: SecretString,
    user_code: String,
    verification_uri: String,
    verification_uri_complete: Option<String>,
    expires_in: u64,
    #[serde(default = "five")]
    interval: u64,
}

/// Where the server does not say how often to ask.
fn five() -> u64 {
    5
}

/// Shows a code and waits until somebody has written it into a browser.
pub(super) async fn sign_in(oauth: &Oauth) -> Result<SecretString, Failure> {
    let device = [("device", oauth.device.as_str())];
    let codes: Codes = oauth.post("/auth/device/code", &device).await?;
    show(&codes);
    let end = time::steady() + Duration::from_secs(codes.expires_in);
    let mut interval = Duration::from_secs(codes.interval);
    let form = [
        ("grant_type", GRANT),
        ("device_code", codes.device_code.expose_secret()),
    ];
    while time::steady() < end {
        tokio::time::sleep(interval).await;
        let refused = match oauth.post::<Granted>("/auth/cli/token", &form).await {
            Ok(granted) => return Ok(granted.access_token),
            Err(refused) => refused,
        };
        match &refused {
            Refused::Said { code, .. } => match code.as_str() {
                "authorization_pending" => {}
                "slow_down" | "temporarily_unavailable" => interval += SLOWER,
                "access_denied" => {
                    let said = "the sign-in was refused in the browser";
                    return Err(Failure::new(Code::Cancelled, said));
                }
                "expired_token" => break,
                _ => return Err(refused.into()),
            },
            Refused::Failed(failure) if failure.code == Code::Unreachable => interval += SLOWER,
            Refused::Failed(_) => return Err(refused.into()),
        }
    }
    Err(Failure::new(
        Code::NotSignedIn,
        "nobody wrote the code into a browser in time",
    )
    .hint("run portreeve login again for another code"))
}

/// On standard error, because it is no result.
fn show(codes: &Codes) {
    let Codes {
        user_code,
        verification_uri,
        ..
    } = codes;
    eprintln!(
        "Open {verification_uri} in a browser, sign in, and write this code:\n\n    {user_code}\n"
    );
    if let Some(complete) = &codes.verification_uri_complete {
        eprintln!("Or open {complete}");
    }
    eprintln!("It is good for {} minutes.", codes.expires_in / 60);
}
