//! A server with people, groups, hosts and grants, whose certificate authority takes the tokens of the benchmark.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use hyper::{Method, StatusCode};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;
use tokio_rustls::TlsConnector;

use super::requests::{Provider, Provisioner, Signer};
use super::{Size, provider};
use crate::client::{Connection, Exchange, Target};
use crate::cycle::index;
use crate::load::{Amount, run as generate};
use crate::machine::processor_seconds;
use crate::requests;
use crate::scenario::say;
use crate::server::Server;

/// In how many groups everybody is.
const GROUPS: u64 = 10;

/// How often it is looked whether the server is at rest.
const LOOK: Duration = Duration::from_secs(2);
/// The share of one core that a server at rest uses at most.
const IDLE: f64 = 0.05;
/// How long is waited for that.
const PATIENCE: Duration = Duration::from_secs(900);

pub(super) struct Town {
    server: Server,
    /// The API that the `step` client speaks.
    pub(super) authority: Target,
    pub(super) provisioner: Provisioner,
    pub(super) provider: Provider,
}

#[derive(Deserialize)]
struct Status {
    url: String,
}

impl Town {
    /// Starts a server and fills it.
    pub(super) async fn start(program: &Path, data: &Path, size: Size) -> Result<Self> {
        std::fs::create_dir(data)?;
        let server = Server::portreeve(program, data, None).await?;
        let mut admin = Connection::local(data, "/api/v1").await?;
        let (address, roots) = authority(&mut admin, &server).await?;
        let authority = target(address, roots);
        let provisioner = Provisioner::new(Signer::new(Provisioner::NAME)?, &authority);
        let declared = json!({"name": Provisioner::NAME, "kind": "jwk", "key": provisioner.jwk()?});
        make(&mut admin, "/ca/provisioners", &declared).await?;
        let provider = provider::start().await?;
        connect(&mut admin, &server.target, &provider).await?;
        say(&format!("filling a server: {size:?}"))?;
        people(&server.target, size).await?;
        for number in 0..size.hosts {
            make(&mut admin, "/hosts", &host(number)).await?;
        }
        for number in 0..size.grants {
            make(&mut admin, "/grants", &grant(number)).await?;
        }
        let town = Self {
            server,
            authority,
            provisioner,
            provider,
        };
        town.rest().await?;
        Ok(town)
    }

    /// Waits until the server has done what so many changes leave to be done beside.
    async fn rest(&self) -> Result<()> {
        say("waiting until the server is at rest")?;
        let process = self.process()?;
        let begun = Instant::now();
        let mut before = processor_seconds(process)?;
        loop {
            tokio::time::sleep(LOOK).await;
            let now = processor_seconds(process)?;
            if now - before < IDLE * LOOK.as_secs_f64() {
                return Ok(());
            }
            before = now;
            ensure!(
                begun.elapsed() < PATIENCE,
                "the server is still busy after {PATIENCE:?}"
            );
        }
    }

    pub(super) fn process(&self) -> Result<u32> {
        self.server.process()
    }
}

/// Where the certificate authority is reached, and its roots.
pub(crate) async fn authority(
    admin: &mut Connection,
    server: &Server,
) -> Result<(SocketAddr, RootCertStore)> {
    let status = admin.send(&Method::GET, "/ca", Bytes::new()).await?;
    let status: Status = serde_json::from_slice(&status.body)?;
    let address = status.url.strip_prefix("https://");
    let plain = Target {
        base: String::new(),
        ..server.target.clone()
    };
    let mut plain = Connection::open(&plain).await?;
    let path = "/ca/roots.pem";
    let root = plain.send(&Method::GET, path, Bytes::new()).await?;
    ensure!(
        root.status == StatusCode::OK,
        "{path} answered {}",
        root.status
    );
    let address = address.context("an authority without TLS")?;
    Ok((address.parse()?, roots(&root.body)?))
}

/// Roots from PEM.
pub(crate) fn roots(pem: &[u8]) -> Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        roots.add(certificate?)?;
    }
    Ok(roots)
}

/// Something that speaks TLS below a root.
pub(crate) fn target(address: SocketAddr, roots: RootCertStore) -> Target {
    let config = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    Target {
        address,
        base: String::new(),
        authorization: None,
        tls: Some(TlsConnector::from(Arc::new(config))),
    }
}

/// Has people of the directory sign in at the provider.
async fn connect(admin: &mut Connection, directory: &Target, provider: &Provider) -> Result<()> {
    let id = directory
        .base
        .split('/')
        .nth(2)
        .context("a tenant URL without a directory")?;
    let connection = json!({
        "label": "Bench",
        "metadata_url": format!("{}{}", provider.issuer, provider::METADATA),
        "client_id": Provider::CLIENT,
        "client_secret": "a secret that nobody asks for",
        "tenant_id": Provider::TENANT,
    });
    let put = Exchange {
        method: Method::PUT,
        path: format!("/directories/{id}/connection"),
        body: connection.to_string().into(),
        status: StatusCode::OK,
        contains: String::new(),
    };
    admin.exchange(&put).await?;
    Ok(())
}

/// Brings people and groups over SCIM. Each is in as many groups, a group to a grant.
async fn people(directory: &Target, size: Size) -> Result<()> {
    let people = created(directory, size.people, requests::create).await?;
    let groups = created(directory, size.grants, |number| {
        requests::create_group(&group_name(number))
    })
    .await?;
    for (number, group) in groups.iter().enumerate() {
        let number = number as u64;
        let is_in =
            |person: &u64| (0..GROUPS).any(|nth| group_of(*person, nth, size.grants) == number);
        let members: Vec<Arc<str>> = (0..size.people)
            .filter(is_in)
            .map(|person| people[index(person)].clone())
            .collect();
        if !members.is_empty() {
            let add = requests::add_members(group, &members);
            Connection::open(directory).await?.exchange(&add).await?;
        }
    }
    Ok(())
}

/// The groups of somebody, spread over all.
fn group_of(person: u64, nth: u64, groups: u64) -> u64 {
    (person + nth * (groups / GROUPS).max(1)) % groups.max(1)
}

/// Creates resources; their ids by number.
async fn created(
    directory: &Target,
    count: u64,
    make: impl Fn(u64) -> Exchange + Send + Sync + 'static,
) -> Result<Vec<Arc<str>>> {
    let ids = Arc::new(Mutex::new(vec![Arc::<str>::from(""); index(count)]));
    let made = Arc::clone(&ids);
    let note = move |number: u64, body: &Bytes| {
        let answer: Value = serde_json::from_slice(body)?;
        let id = answer["id"].as_str().context("a resource without an id")?;
        made.lock().unwrap_or_else(PoisonError::into_inner)[index(number)] = id.into();
        Ok(())
    };
    generate(directory, 16, Amount::Requests(count), make, note).await?;
    Ok(std::mem::take(
        &mut *ids.lock().unwrap_or_else(PoisonError::into_inner),
    ))
}

async fn make(admin: &mut Connection, path: &str, body: &Value) -> Result<()> {
    let make = Exchange {
        method: Method::POST,
        path: path.to_owned(),
        body: body.to_string().into(),
        status: StatusCode::CREATED,
        contains: String::new(),
    };
    admin.exchange(&make).await?;
    Ok(())
}

pub(super) fn host_name(number: u64) -> String {
    format!("host-{number}")
}

fn group_name(number: u64) -> String {
    format!("Group {number}")
}

/// Hosts are in 40 roles, 5 environments and 20 regions.
fn host(number: u64) -> Value {
    let (role, environment, region) = (number % 40, number % 5, number % 20);
    json!({
        "name": host_name(number),
        "tags": {"role": format!("r{role}"), "env": format!("e{environment}"), "region": format!("g{region}")},
    })
}

fn grant(number: u64) -> Value {
    let (role, environment, region) = (number % 40, number % 5, (number + 1) % 20);
    json!({
        "group": group_name(number),
        "hosts": format!("role=r{role} and (env=e0 or env=e{environment}) and not region=g{region}"),
        "sudo": number.is_multiple_of(3),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_is_in_as_many_groups_and_every_group_has_somebody() {
        const ALL: u64 = 1_000;
        let mut members = vec![0; index(ALL)];
        for person in 0..ALL {
            let mut groups: Vec<u64> = (0..GROUPS).map(|nth| group_of(person, nth, ALL)).collect();
            groups.sort_unstable();
            groups.dedup();
            assert_eq!(groups.len() as u64, GROUPS, "person {person}");
            for group in groups {
                members[index(group)] += 1;
            }
        }
        assert!(members.iter().all(|members| *members > 0));
    }
}
