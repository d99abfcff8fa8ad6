//! `/ca`: the certificate authority of a team.

use super::ask::Ask;
use super::problem::Problem;
use super::reply;
use crate::admin::ca::{self, RotationRequest};
use crate::admin::version;
use crate::ca::{Error, SettingsChange};
use axum::body::Body;
use axum::response::Response;
use http::StatusCode;

/// Keys and where they are in their lives.
pub(super) async fn status(ask: Ask) -> Result<Response, Problem> {
    let status = ca::status(&ask.app, &ask.admin, ask.query("team")).await?;
    Ok(reply::object(StatusCode::OK, &status))
}

/// Puts a new key in the place of another one.
pub(super) async fn rotate(ask: Ask, body: Body) -> Result<Response, Problem> {
    let wanted: RotationRequest = ask.body(body).await?;
    let status = ca::rotate(&ask.app, &ask.admin, wanted).await?;
    Ok(reply::object(StatusCode::OK, &status))
}

/// What is decided about certificates.
pub(super) async fn policy(ask: Ask) -> Result<Response, Problem> {
    let policy = ca::policy(&ask.app, &ask.admin, ask.query("team")).await?;
    reply::tagged(&ask, &version(&policy), &policy)
}

/// Decides something else about certificates.
pub(super) async fn change_policy(ask: Ask, body: Body) -> Result<Response, Problem> {
    let wanted: SettingsChange = ask.body(body).await?;
    let policy = ca::change_policy(&ask.app, &ask.admin, ask.query("team"), wanted).await?;
    reply::changed(&version(&policy), &policy)
}

/// The list of what is revoked.
pub(super) async fn krl(ask: Ask) -> Result<Response, Problem> {
    let list = ca::krl(&ask.app, &ask.admin, ask.query("team")).await?;
    Ok(reply::object(StatusCode::OK, &list))
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused { code, detail } if code == "rotation_under_way" => {
                Self::new(StatusCode::CONFLICT, code, detail)
            }
            Error::Refused { code, detail } => Self::new(StatusCode::FORBIDDEN, code, detail),
            Error::Keys(detail) => {
                tracing::error!(detail, "the certificate authority cannot be used");
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "ca_unavailable", detail)
            }
            Error::Failed(refusal) => refusal.into(),
        }
    }
}
