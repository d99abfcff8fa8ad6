//! A tenant of Microsoft Entra ID in this process: an address that gives out tokens and a Microsoft Graph that is read
//! with them. It answers as Microsoft documents, and looks closely at what it is sent.
//!
//! ```no_run
//! # async fn example() {
//! use portreeve_testbed::graph::{CLIENT_ID, CLIENT_SECRET, Fault, GraphServer, SERVICE_PRINCIPAL, TENANT};
//! use serde_json::json;
//!
//! let graph = GraphServer::start().await;
//! let ada = graph.directory(|directory| {
//!     let ada = directory.add_user("ada");
//!     directory.set(&ada, "jobTitle", json!("Harbour master"));
//!     directory.assign(&ada, None);
//!     ada
//! });
//! // The settings of a source: tenant TENANT, client_id CLIENT_ID, client_secret CLIENT_SECRET,
//! // service_principal SERVICE_PRINCIPAL, login_url graph.login_url(), graph_url graph.url().
//! graph.manner(|manner| manner.page_size = 2);
//! graph.fail("/users/delta", 1, Fault::Throttled(7));
//! // … read, and look at what was asked; this fails when Graph would have objected to something.
//! assert!(graph.requests().iter().any(|request| request.contains("/users/delta")));
//! # }
//! ```

mod certificate;
mod directory;
mod filter;
mod http;
mod login;
mod pages;
mod reply;
mod routes;
mod server;

pub use certificate::Certificate;
pub use directory::Directory;
pub use pages::Manner;
pub use reply::Fault;

use crate::TestClock;
use server::State;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;

/// The tenant.
pub const TENANT: &str = "contoso.example";

/// The app registration that may read.
pub const CLIENT_ID: &str = "6731de76-14a6-49ae-97bc-6eba6914391e";

/// Its secret, unless a certificate is registered.
pub const CLIENT_SECRET: &str = "the~client.secret";

/// The enterprise application to which users and groups are assigned.
pub const SERVICE_PRINCIPAL: &str = "f3a8cc6e-8d4b-4a4a-9d1b-0c7c0f6d8f11";

/// A running double. It stops with the test's runtime.
pub struct GraphServer {
    url: String,
    clock: TestClock,
    state: Arc<Mutex<State>>,
}

impl GraphServer {
    /// Starts a tenant with nobody in it.
    pub async fn start() -> Self {
        Self::start_at(TestClock::default()).await
    }

    /// Starts a tenant that goes by the clock of others.
    pub async fn start_at(clock: TestClock) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0))
            .await
            .expect("a free port");
        let address = listener.local_addr().expect("an address");
        let url = format!("http://{address}");
        let state = Arc::new(Mutex::new(State::new(url.clone(), clock.clone())));
        tokio::spawn(http::serve(listener, Arc::clone(&state)));
        Self { url, clock, state }
    }

    /// Where Graph is: the setting `graph_url`.
    #[must_use]
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// The clock by which tokens and links end.
    #[must_use]
    pub fn clock(&self) -> &TestClock {
        &self.clock
    }
}
