//! What tests share: a clock that stands still, a whole server in this process, actors that talk to it over HTTP, and
//! what people are read from: a tenant of Microsoft Entra ID ([`graph`]) and a real LDAP server ([`slapd`]); and where they
//! sign in: an OpenID provider ([`openid`]).
//!
//! ```no_run
//! # async fn example() {
//! use portreeve_testbed::TestServer;
//! use serde_json::json;
//!
//! let server = TestServer::start().await;
//! let entra = server.directory("entra").await;
//! let made = entra.post("/Users", json!({"userName": "ada@contoso.example"})).await;
//! assert_eq!(made.status, 201, "{made}");
//! # }
//! ```
#![warn(missing_docs)]
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot be set up has failed, and says so where it stands"
)]

mod actor;
mod clock;
mod database;
pub mod graph;
pub mod openid;
mod server;
pub mod slapd;

pub use actor::{Answer, Client};
pub use clock::TestClock;
pub use database::{embedded, fresh_database};
pub use server::TestServer;

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::time::Duration;

    #[tokio::test]
    async fn a_server_keeps_its_data_over_a_restart_and_its_clock_stands_still() {
        let server = TestServer::start().await;
        let entra = server.directory("entra").await;
        let made = entra
            .post("/Users", json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ada"}))
            .await;
        assert_eq!(made.status, 201, "{made}");
        assert_eq!(made.json["meta"]["created"], "2026-01-05T08:00:00.000000Z");

        server.clock().advance(Duration::from_secs(60));
        let server = server.restart().await;
        let users = server.admin().get("/directories/entra%201/users").await;
        assert_eq!(users.json[0]["user_name"], "ada", "{users}");
        assert_eq!(server.stranger().get("/api/v1/version").await.status, 401);
        server.stop().await;
    }
}
