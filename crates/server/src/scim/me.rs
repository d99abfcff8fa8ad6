//! `/Me` (RFC 7644 section 3.11): the token of a provisioning client stands for no user.

use super::context::Ctx;
use super::error::Failure;
use axum::response::Response;
use http::StatusCode;

pub(super) async fn not_implemented(ctx: Ctx) -> Response {
    let failure = Failure::plain(
        StatusCode::NOT_IMPLEMENTED,
        "no_user",
        "a directory's secret token stands for no user, so there is no /Me; look users up with /Users?filter=userName eq \"…\"".into(),
    );
    ctx.answer("get", (None, None), Err(failure)).await
}
