//! What a handler knows of its request.

use super::reply::Refused;
use super::tls::Secured;
use crate::app::App;
use crate::body;
use crate::ca::By;
use crate::http::RequestId;
use crate::limits::Visitor;
use axum::body::Body;
use axum::extract::FromRequestParts;
use http::HeaderMap;
use http::request::Parts;
use jiff::Timestamp;
use portreeve_directory::events::{self, Category, New, Outcome};
use portreeve_directory::holders::{self, Holder};
use portreeve_directory::step_settings::{self, Mode, StepSettings};
use portreeve_directory::{Actor, Refusal, certificates::Whose, identities};
use portreeve_step::Fault;
use portreeve_store::Scope;
use portreeve_x509::Details;
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// The most bytes of a request. Tokens with certificates in them are the largest part.
const LIMIT: usize = 256 * 1024;

/// A request over an encrypted connection.
#[derive(Clone)]
pub(crate) struct Ask {
    pub(crate) app: Arc<App>,
    /// The team that the client means.
    pub(crate) team_id: Arc<str>,
    /// The certificate that the client has shown, with those above it (DER).
    pub(crate) certificate: Option<Arc<[Vec<u8>]>>,
    /// When it arrived (microseconds since 1970 UTC).
    pub(crate) at: i64,
    /// The address that it comes from, behind trusted proxies.
    pub(crate) address: String,
    request_id: String,
    pub(crate) headers: HeaderMap,
    visitor: Option<Visitor>,
}

/// Whoever is known by the certificate of their connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Peer {
    /// What its certificate says.
    pub(super) details: Details,
    /// Whose it is.
    pub(super) whose: Whose,
}

impl FromRequestParts<Arc<App>> for Ask {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Refused> {
        let secured = parts.extensions.get::<Secured>().cloned();
        // The router is behind TLS only.
        let secured = secured.ok_or_else(Fault::internal)?;
        let visitor = parts.extensions.get::<Visitor>().cloned();
        let origin = visitor.as_ref().map(|visitor| {
            let origin = app.limits.origin(visitor.peer, &parts.headers);
            origin.to_string()
        });
        let request_id = parts.extensions.get::<RequestId>();
        Ok(Self {
            app: app.clone(),
            team_id: secured.team_id,
            certificate: secured.certificate,
            at: app.clock.now(),
            address: origin.unwrap_or_default(),
            request_id: request_id.map(|id| id.0.clone()).unwrap_or_default(),
            headers: std::mem::take(&mut parts.headers),
            visitor,
        })
    }
}

impl Ask {
    /// The time of the request.
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_microsecond(self.at).unwrap_or_default()
    }

    /// The body as a `T`.
    pub(super) async fn body<T: DeserializeOwned>(&self, body: Body) -> Result<T, Refused> {
        let bytes = body::read(&self.app, &self.headers, body, LIMIT).await?;
        serde_json::from_slice(&bytes).map_err(|error| {
            tracing::debug!(%error, "a request of the step client cannot be read");
            Fault::bad_request("error decoding json").into()
        })
    }

    /// How the team is served.
    pub(super) async fn settings(&self) -> Result<StepSettings, Refused> {
        let team_id = self.team_id.clone();
        let read = self
            .app
            .store
            .lookup(move |tx| step_settings::of(tx, &team_id));
        Ok(read.await?)
    }

    /// Something was proven: the request counts on whoever proved it, and no longer on its address.
    pub(crate) fn let_in(&self, who: &str) -> Result<(), Refused> {
        if let Some(visitor) = &self.visitor {
            visitor.let_in();
        }
        Ok(self
            .app
            .limits
            .prover(&Arc::from(who), self.app.clock.steady())?)
    }

    /// Who is known by the certificate of the connection: it is good, was not revoked, and whoever has it may come in.
    pub(super) async fn peer(&self) -> Result<Option<Peer>, Refused> {
        let Some(leaf) = self.certificate.as_ref().and_then(|chain| chain.first()) else {
            return Ok(None);
        };
        let details = Details::read(leaf)?;
        let now = self.now();
        if !(details.valid_after..details.valid_before).contains(&now) {
            // The connection may be older than the end of the certificate.
            return Ok(None);
        }
        let (team_id, serial) = (self.team_id.clone(), details.serial.clone());
        let read = self.app.store.lookup(move |tx| -> Result<_, Refusal> {
            let found = identities::by_serial(tx, &team_id, &serial)?;
            let Some(identity) = found.filter(|found| found.revoked_at.is_none()) else {
                return Ok(None);
            };
            let is_in = match &identity.whose {
                Whose::Holder(holder) => holders::standing(tx, &team_id, holder)?.is_some(),
                Whose::Host(_) | Whose::Nobody => true,
            };
            Ok(is_in.then_some(identity.whose))
        });
        let Some(whose) = read.await? else {
            return Ok(None);
        };
        self.let_in(&details.serial)?;
        Ok(Some(Peer { details, whose }))
    }

    /// Refuses whoever has no certificate where the team asks for one; that refusal makes clients sign in.
    pub(super) async fn must_be_known(&self) -> Result<Option<Peer>, Refused> {
        let peer = self.peer().await?;
        match (peer.is_none(), self.settings().await?.mode) {
            (true, Mode::Managed) => Err(Fault::unauthorized(
                "sign in with step ssh login; only those who have a certificate of this authority are told",
            )
            .into()),
            _ => Ok(peer),
        }
    }

    /// Who causes an event, and when.
    pub(crate) fn by(&self, actor: Actor) -> By {
        By::new(&self.app, actor, &self.request_id)
    }

    /// Leaves an event of a refusal that has a reason code, as far as there are not too many, and passes it on.
    pub(super) async fn refused(&self, object: &str, refused: Refused) -> Refused {
        let Some(code) = refused.code else {
            return refused;
        };
        let Some(left_out) = self
            .app
            .strangers
            .came(&format!("step/{}", self.team_id), self.at)
        else {
            return refused;
        };
        let detail = match left_out {
            0 => refused.fault.message.clone(),
            more => format!(
                "{} And {more} more refusals since the last such event",
                refused.fault.message
            ),
        };
        let (by, team_id) = (self.by(Actor::Anonymous), self.team_id.clone());
        let object = object.to_owned();
        let written = self.app.write(Scope::of(&self.team_id), move |tx| {
            let event = New {
                category: Category::SshCert,
                action: "issue",
                outcome: Outcome::Refused {
                    reason: code,
                    detail: &detail,
                },
                object_kind: Some("Certificate"),
                object_id: None,
                object_name: Some(&object)
                    .filter(|name| !name.is_empty())
                    .map(String::as_str),
                version: None,
                changes: None,
            };
            events::record_of(tx, &by.cause(&team_id, None), &event)
        });
        if let Err(error) = written.await {
            tracing::error!(%error, "the event of a refused certificate was not written");
        }
        refused
    }
}

/// Who an event names for somebody who has a certificate.
pub(super) fn actor(whose: &Whose) -> Actor {
    match whose {
        Whose::Holder(holder) => holder.actor(),
        Whose::Host(_) | Whose::Nobody => Actor::Anonymous,
    }
}

/// The person or service account that somebody is.
pub(super) fn holder(whose: &Whose) -> Option<&Holder> {
    match whose {
        Whose::Holder(holder) => Some(holder),
        Whose::Host(_) | Whose::Nobody => None,
    }
}
