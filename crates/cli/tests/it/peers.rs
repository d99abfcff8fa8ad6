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
use shown::Shown;
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
    let definition = define(
        &source,
        &peer.tenant_url(),
        &peer.reader.token,
        folder.path(),
    );
    let first = Company::new();
    let second = first.a_week_later();
    let third = second.the_day_after();
    let (mut expected, mut shown) = (Expected::default(), Shown::default());
    for (day, company) in [("first", first), ("second", second), ("third", third)] {
        source.tell(&company, folder.path()).await;
        cycle(&definition).await;
        expected.follow(&company);
        let mut possible = expected.clone();
        (peer.limits)(&mut possible);
        shown = Shown::read(&peer.reader, &shown).await;
        shown.verify(&possible, &format!("{day} day, {}", peer.name));
        assert_eq!(failures(&definition).await, peer.failures, "{day} day");
        assert!(!peer.witness.seen().is_empty(), "{day} day");
    }
    cycle(&definition).await;
    let seen = peer.witness.seen();
    assert!(seen.is_empty(), "nothing has changed: {seen:#?}");
}

/// Writes the definition of an application, and gives back its path.
fn define(source: &Source, url: &str, token: &str, folder: &Path) -> String {
    file(folder, "mappings.toml", MAPPINGS);
    let source = source.settings();
    let definition = format!(
        r#"
        name = "Peer"
        mappings = "mappings.toml"

        [source]
        {source}

        [target]
        url = "{url}"
        authentication = {{ type = "bearer", token = "{token}" }}
        allow_private_addresses = true
        "#
    );
    file(folder, "application.toml", &definition)
}

/// Runs one cycle, and gives back its summary. It is no success when somebody failed.
async fn cycle(definition: &str) -> Value {
    let done = program(&["app", "run", definition]).await;
    let summary: Value = serde_json::from_str(&done.out).unwrap_or_else(|_| panic!("{done:?}"));
    let succeeded = summary["result"] == "Succeeded";
    assert_eq!(done.code, if succeeded { 0 } else { 1 }, "{done:?}");
    summary
}

/// Who ever failed, by name, and why.
async fn failures(definition: &str) -> Vec<(String, String)> {
    let logs = program(&["app", "logs", definition, "--status", "failure"]).await;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let logs = logs.json();
    let failures = logs.as_array().unwrap().iter().map(|record| {
        let why = &record["provisioningStatusInfo"]["errorInformation"]["errorCode"];
        (text(&record["sourceIdentity"]["displayName"]), text(why))
    });
    failures.collect()
}

async fn program(words: &[&str]) -> Done {
    let mut command = portreeve(words);
    command.args(["-o", "json"]);
    let run = move || Done::of(&mut command);
    tokio::task::spawn_blocking(run).await.unwrap()
}
