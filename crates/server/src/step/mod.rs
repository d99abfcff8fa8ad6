//! The API that the stock `step` client speaks, as `step-ca` has it: over TLS on a listener of its own, at the root of its
//! host name and below `/1.0`. [`tls`] knows whom a client means and who it is, [`prove`] what a token proves; certificates
//! come from [`crate::ca`] and from nowhere else.

mod addresses;
mod ask;
mod bootstrap;
mod hosts;
mod identity;
mod open;
mod pop;
mod prove;
mod provisioners;
mod reply;
mod sign;
mod tls;
mod x509;

pub(crate) use addresses::Addresses;
pub(crate) use ask::Ask;
pub(crate) use bootstrap::router as bootstrap;
pub(crate) use identity::{Wanted as WantedIdentity, make as make_identity};
pub(crate) use provisioners::{Provisioners, is_free, kid};
pub(crate) use reply::{Refused, not_now};
pub(crate) use tls::{Secured, accept};

use crate::app::App;
use crate::hosts::router as agents;
use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::StatusCode;
use std::net::SocketAddr;
use std::sync::Arc;

/// What the server has for this API.
#[derive(Default)]
pub(crate) struct Step {
    /// Where it is listened for; `None`: nowhere.
    pub(crate) listening: Option<SocketAddr>,
    configs: tls::Configs,
    provisioners: provisioners::Loaded,
}

impl Step {
    pub(crate) fn new(listening: Option<SocketAddr>) -> Self {
        Self {
            listening,
            ..Self::default()
        }
    }

    /// An admin has changed something: what was read before is forgotten.
    pub(crate) fn look_again(&self) {
        self.provisioners.clear();
    }
}

/// All routes, for connections that are encrypted.
pub(crate) fn router(app: Arc<App>) -> Router {
    let routes = Router::new()
        .route("/version", get(open::version))
        .route("/health", get(open::health))
        .route("/root/{sha}", get(open::root))
        .route("/roots", get(open::roots))
        .route("/roots.pem", get(open::roots_pem))
        .route("/federation", get(open::roots))
        .route("/intermediates", get(open::intermediates))
        .route("/intermediates.pem", get(open::intermediates_pem))
        .route("/provisioners", get(open::provisioners))
        .route(
            "/provisioners/{kid}/encrypted-key",
            get(open::encrypted_key),
        )
        .route("/crl", get(open::crl))
        .route("/ssh/sign", post(sign::sign))
        .route("/sign-ssh", post(sign::sign))
        .route("/ssh/renew", post(pop::renew))
        .route("/ssh/rekey", post(pop::rekey))
        .route("/ssh/revoke", post(pop::revoke))
        .route("/ssh/roots", get(hosts::roots))
        .route("/ssh/federation", get(hosts::roots))
        .route("/ssh/config", post(hosts::config))
        .route("/ssh/config/{kind}", post(hosts::config_of))
        .route("/ssh/check-host", post(hosts::check))
        .route("/ssh/hosts", get(hosts::list))
        .route("/ssh/get-hosts", get(hosts::list))
        .route("/ssh/bastion", post(hosts::bastion))
        .route("/sign", post(x509::sign))
        .route("/renew", post(x509::renew))
        .route("/re-sign", post(x509::renew))
        .route("/rekey", post(x509::rekey))
        .route("/revoke", post(x509::revoke));
    let all = Router::new().merge(routes.clone()).nest("/1.0", routes);
    all.with_state(app.clone())
        .merge(bootstrap(app.clone()))
        .merge(agents(app))
        .fallback(nowhere)
}

/// As Go's own router says it.
async fn nowhere() -> Response {
    let kind = "text/plain; charset=utf-8";
    reply::text(StatusCode::NOT_FOUND, kind, "404 page not found\n").into_response()
}
