//! Bodies that are larger than anybody needs.

use super::{api, filled};
use crate::browser::Browser;
use http::Method;
use portreeve_server::pages;
use portreeve_testbed::TestServer;

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const JSON: (&str, &str) = ("content-type", "application/json");

/// More than any form may have.
const LARGE_FORM: usize = 100 << 10;
/// More than any request of the API may have.
const LARGE: usize = (1 << 20) + 1;

#[tokio::test]
async fn a_form_that_is_too_large_is_not_read() {
    let server = TestServer::start().await;
    let mut owner = Browser::of_owner(&server, "ada").await;
    let others = [
        "/auth/cli/authorize",
        "/auth/cli/token",
        "/auth/cli/revoke",
        "/auth/device",
        "/auth/device/code",
    ];
    let others = others.map(str::to_owned).into_iter();
    let of_console = pages()
        .into_iter()
        .filter(|(method, _, _)| method == Method::POST);
    // What there is not cannot be done, whatever is sent.
    let of_console = of_console.filter(|(_, path, _)| !path.contains('{'));
    let of_console = of_console.map(|(_, path, _)| filled(path, "x"));
    for path in of_console.chain(others) {
        let body = format!("a={}", "x".repeat(LARGE_FORM));
        let answer = owner.send(Method::POST, &path, &[FORM], Some(body)).await;
        assert_eq!(answer.status, 413, "{path}: {answer}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_body_that_is_too_large_for_the_api_is_not_read() {
    let server = TestServer::start().await;
    let mut owner = Browser::of_owner(&server, "ada").await;
    let large = format!("{{\"name\":\"{}\"}}", "x".repeat(LARGE));
    for route in api(&server).await {
        let takes_body = [Method::POST, Method::PUT, Method::PATCH].contains(&route.method);
        if !takes_body || route.only_here {
            continue;
        }
        let path = route.with("x");
        let answer = owner
            .send(route.method.clone(), &path, &[JSON], Some(large.clone()))
            .await;
        assert!(
            [404, 413].contains(&answer.status),
            "{} {path}: {}",
            route.method,
            answer.status
        );
        assert!(
            route.path.contains('{') || answer.status == 413,
            "{} {path}: {}",
            route.method,
            answer.status
        );
    }
    server.stop().await;
}
