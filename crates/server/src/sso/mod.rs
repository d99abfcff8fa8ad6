//! Signing in and out: identity providers by OpenID Connect, passkeys and one-time links of local owners.

mod cli;
mod device;
pub(crate) mod doctor;
mod failed;
mod link;
mod openid;
pub(crate) mod page;
pub(crate) mod passkey;
pub(crate) mod providers;
mod refused;
pub(crate) mod return_to;
mod sign_in;
mod sign_out;
mod start;
pub(crate) mod trial;

pub(crate) use openid::NONCE;
pub(crate) use start::address;

use crate::app::App;
use crate::console::Needs;
use axum::routing::{MethodRouter, get, post};
use axum::{Extension, Router};
use portreeve_directory::Permission;
use std::sync::Arc;

/// The routes of everything under `/auth` and the sign-in pages.
pub(crate) fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/sign-in", get(sign_in::show))
        .route("/t/{team}", get(sign_in::of_team))
        .route("/auth/openid/start", get(openid::start))
        .route("/auth/openid/callback", get(openid::callback))
        .route("/auth/sign-out", post(sign_out::sign_out))
        .route("/auth/link/{secret}", get(link::follow))
        .route("/auth/passkey/options", post(passkey::options))
        .route("/auth/passkey/verify", post(passkey::verify))
        .route("/auth/cli/token", post(cli::exchange))
        .route("/auth/cli/revoke", post(cli::revoke))
        .route("/auth/device/code", post(device::code))
        .route(
            "/auth/cli/authorize",
            of_oneself(get(cli::ask).post(cli::answer)),
        )
        .route(
            "/auth/device",
            of_oneself(get(device::show).post(device::answer)),
        )
        .with_state(app)
}

/// Pages of whoever is signed in.
fn of_oneself(pages: MethodRouter<Arc<App>>) -> MethodRouter<Arc<App>> {
    pages.layer(Extension(Needs(Permission::Oneself)))
}
