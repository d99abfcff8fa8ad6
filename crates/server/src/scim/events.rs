//! Security events of a directory (RFC 9967): changes told to receivers as signed tokens, and requests answered later.
//!
//! Both are off until an admin turns security events on for the directory; until then nothing of them can be seen.
//! The tokens are made from the log of committed changes when they are delivered, so that a change costs the same
//! with receivers and without.

mod keys;
mod later;
mod outcome;
mod poll;
mod push;
mod receiver;
mod set;

pub(super) use later::{Answer, Asked, now_or_later};
pub(super) use outcome::get as outcome;
pub(super) use poll::poll;
pub(crate) use push::run as push;
pub(crate) use receiver::{authorization, endpoint};

use crate::app::App;
use crate::keys::MasterKey;
use crate::vault::Vault;
use axum::extract::State;
use axum::response::Response;
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use keys::Signer;
use portreeve_directory::directories::Directory;
use portreeve_directory::{Actor, Call};
use portreeve_scim::discovery::{AsyncRequest, Events};
use std::io;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// The URIs of all events that are sent.
const URIS: &[&str] = &[
    "urn:ietf:params:scim:event:prov:create:notice",
    "urn:ietf:params:scim:event:prov:create:full",
    "urn:ietf:params:scim:event:prov:patch:notice",
    "urn:ietf:params:scim:event:prov:patch:full",
    "urn:ietf:params:scim:event:prov:put:notice",
    "urn:ietf:params:scim:event:prov:put:full",
    "urn:ietf:params:scim:event:prov:delete",
    "urn:ietf:params:scim:event:prov:activate",
    "urn:ietf:params:scim:event:prov:deactivate",
    "urn:ietf:params:scim:event:misc:asyncresp",
];

/// Where receivers find the key that verifies the tokens.
pub(crate) const JWKS_PATH: &str = "/.well-known/jwks.json";

/// How many requests may be under way whose clients are not waiting. One more is carried out while its client waits.
const ACCEPTED: u32 = 32;

/// What security events need while a server runs.
pub(crate) struct SecurityEvents {
    signer: Signer,
    pub(crate) vault: Vault,
    /// A permit for each accepted request that is not finished.
    room: Arc<Semaphore>,
}

impl SecurityEvents {
    /// With keys derived from the installation's own.
    pub(crate) fn new(master: &MasterKey) -> io::Result<Self> {
        Ok(Self {
            signer: Signer::new(&master.derive("security events: signature")?)?,
            vault: Vault::new(master, "security events: authorization")?,
            room: Arc::new(Semaphore::new(ACCEPTED as usize)),
        })
    }

    /// Ends when every accepted request is finished. New ones are not accepted any more.
    pub(crate) async fn finish(&self) {
        // Each gives its permit back at its end, so whoever has all of them has seen all of them end.
        if let Ok(all) = self.room.acquire_many(ACCEPTED).await {
            all.forget();
        }
    }
}

/// What ServiceProviderConfig says of events; nothing while they are off.
pub(super) fn features(directory: &Directory) -> Option<Events> {
    directory.settings.security_events.then(|| Events {
        async_request: AsyncRequest::Request,
        event_uris: URIS.iter().map(|uri| (*uri).to_owned()).collect(),
    })
}

/// The public key of the tokens (RFC 7517). It is the same for every directory of the installation.
pub(super) async fn jwks(State(app): State<Arc<App>>) -> Response {
    let mut response = Response::new(app.security_events.signer.jwks().to_string().into());
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/jwk-set+json"),
    );
    headers.insert(
        CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=3600"),
    );
    response
}

/// The `iss` claim: the tenant URL.
fn issuer(app: &App, directory_id: &str) -> String {
    format!("{}/scim/{directory_id}/v2", app.public_url())
}

/// Where the receiver of a polled stream asks.
pub(crate) fn poll_url(app: &App, directory_id: &str, stream_id: &str) -> String {
    format!(
        "{}/scim/{directory_id}/streams/{stream_id}",
        app.public_url()
    )
}

/// What Portreeve does by itself, without a request.
fn own_call(app: &App, directory: Arc<Directory>) -> Call {
    Call {
        directory,
        actor: Actor::System,
        request_id: app.ids.next(app.clock.now()).to_string(),
        at: app.clock.now(),
        clock: app.clock.clone(),
        ids: app.ids.clone(),
    }
}
