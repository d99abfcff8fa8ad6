//! The engine against programs that others wrote: a company is read from CSV files and from a real LDAP server and
//! provisioned into Portreeve, scim2-server and SCIMMY. What each shows afterwards is compared, attribute by attribute,
//! with what the company and the mappings demand, which is worked out here and not by the engine.

mod company;
mod expected;
mod killed;
mod server;
mod shown;
mod source;
mod target;
mod witness;

use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::program::{Done, file, portreeve};
use company::Company;
use expected::{Expected, MAPPINGS};
use server::Peer;
use shown::{Reader, Shown};
use source::Source;

#[tokio::test]
async fn from_csv_into_portreeve() {
    live_through(Source::Csv, Peer::portreeve().await).await;
}

#[tokio::test]
async fn from_csv_into_scim2_server() {
    live_through(Source::Csv, Peer::scim2_server().await).await;
}

#[tokio::test]
async fn from_csv_into_scimmy() {
    live_through(Source::Csv, Peer::scimmy().await).await;
}

#[tokio::test]
async fn from_slapd_into_portreeve() {
    live_through(Source::slapd().await, Peer::portreeve().await).await;
}

#[tokio::test]
async fn from_slapd_into_scim2_server() {
    live_through(Source::slapd().await, Peer::scim2_server().await).await;
}

#[tokio::test]
async fn from_slapd_into_scimmy() {
    live_through(Source::slapd().await, Peer::scimmy().await).await;
}

/// Provisions the company as it is on several days, and after each looks at what the target shows.
async fn live_through(mut source: Source, peer: Peer) {
    let folder = TempDir::new().unwrap();
    let definition = define(&source, &peer.witnessed(), folder.path());
    let first = Company::new();
    let second = first.a_week_later();
    let third = second.the_day_after();
    let mut expected = Expected::default();
    for (day, company) in [("first", first), ("second", second), ("third", third)] {
        source.tell(&company, folder.path()).await;
        run(&definition).await;
        expected.follow(&company);
        let mut possible = expected.clone();
        (peer.without)(&mut possible);
        let differences = Shown::read(&peer.reader).await.compare(&possible);
        assert!(
            differences.is_empty(),
            "{day} day, {}: {differences:#?}",
            peer.name
        );
    }
    peer.witness.seen();
    run(&definition).await;
    let seen = peer.witness.seen();
    assert!(
        seen.is_empty(),
        "a cycle in which nothing has changed: {seen:#?}"
    );
}

/// Writes the definition of an application, and gives back its path.
fn define(source: &Source, target: &Reader, folder: &Path) -> String {
    file(folder, "mappings.toml", MAPPINGS);
    let (url, token, source) = (&target.base, &target.token, source.settings());
    let definition = format!(
        r#"
        name = "Peer"
        mappings = "mappings.toml"

        [source]
        {source}

        [target]
        url = "{url}?aadOptscim062020"
        authentication = {{ type = "bearer", token = "{token}" }}
        allow_private_addresses = true
        "#
    );
    file(folder, "application.toml", &definition)
}

/// Runs one cycle, and gives back its summary.
async fn run(definition: &str) -> Value {
    let definition = definition.to_owned();
    let run = move || Done::of(&mut portreeve(&["app", "run", &definition, "-o", "json"]));
    tokio::task::spawn_blocking(run).await.unwrap().json()
}
