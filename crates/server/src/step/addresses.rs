//! Where the API of a team is reached.

use crate::app::App;
use portreeve_directory::{Refusal, step_settings, teams};
use portreeve_store::Tx;
use std::net::SocketAddr;
use url::Url;

/// The addresses of a team's API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Addresses {
    /// Where clients are sent, without a slash at the end.
    pub(crate) url: String,
    /// The names that it answers by: the first one is that of the address.
    pub(crate) hosts: Vec<String>,
}

impl Addresses {
    /// Where the API of a team is reached, or would be if it were listened for.
    pub(crate) async fn of(app: &App, team_id: &str) -> Result<Self, Refusal> {
        let team = team_id.to_owned();
        let read = app.store.lookup(move |tx| own(tx, &team));
        let (ca_host, is_first) = read.await?;
        let config = &app.config.step;
        Ok(Self::new(
            app.step.listening.or(config.at.listen),
            config.url.as_deref(),
            ca_host.as_deref(),
            is_first,
        ))
    }

    /// Those of the first team, unless it has a name of its own beside.
    pub(crate) fn of_first(app: &App) -> Self {
        let config = &app.config.step;
        let listening = app.step.listening.or(config.at.listen);
        Self::new(listening, config.url.as_deref(), None, true)
    }

    /// Only the first team is reached by the server's own address; the others need a name each.
    fn new(
        listening: Option<SocketAddr>,
        configured: Option<&str>,
        ca_host: Option<&str>,
        is_first: bool,
    ) -> Self {
        let configured = configured.and_then(|url| Url::parse(url).ok());
        let port = match &configured {
            Some(url) => url.port(),
            None => listening.map(|address| address.port()),
        };
        let mut hosts = Vec::new();
        hosts.extend(ca_host.map(str::to_owned));
        if is_first {
            let named = configured.as_ref().and_then(|url| url.host_str());
            hosts.extend(named.map(|host| bare(host).to_owned()));
            let address = listening.map(|address| address.ip());
            let address = address.filter(|address| !address.is_unspecified());
            hosts.extend(address.map(|address| address.to_string()));
        }
        for local in ["localhost", "127.0.0.1", "::1"] {
            hosts.push(local.to_owned());
        }
        let mut seen = std::collections::HashSet::new();
        hosts.retain(|host| seen.insert(host.clone()));
        let first = hosts.first().map_or("localhost", String::as_str);
        let host = match first.contains(':') {
            true => format!("[{first}]"),
            false => first.to_owned(),
        };
        let url = match port {
            None | Some(443) => format!("https://{host}"),
            Some(port) => format!("https://{host}:{port}"),
        };
        Self { url, hosts }
    }
}

fn bare(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
}

/// The host name of a team, and whether it is the first one.
fn own(tx: &mut Tx<'_>, team_id: &str) -> Result<(Option<String>, bool), Refusal> {
    let settings = step_settings::of(tx, team_id)?;
    Ok((settings.ca_host, teams::first(tx)?.id == team_id))
}

/// The team that somebody means who names a host, in lower case, or only an address.
pub(super) async fn team_at(app: &App, host: Option<String>) -> Result<String, Refusal> {
    let read = app.store.lookup(move |tx| {
        let named = match &host {
            Some(host) => step_settings::team_at(tx, host)?,
            None => None,
        };
        match named {
            Some(team_id) => Ok(team_id),
            None => Ok(teams::first(tx)?.id),
        }
    });
    read.await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_api_is_where_it_is_said_to_be_else_where_it_listens() {
        let local = Some("127.0.0.1:8461".parse().unwrap());
        let everywhere = Some("0.0.0.0:443".parse().unwrap());
        let six = Some("[2001:db8::1]:8461".parse().unwrap());
        let public = Some("https://ca.example.com");
        for (name, address, expected) in [
            (
                "local",
                Addresses::new(local, None, None, true),
                "https://127.0.0.1:8461",
            ),
            (
                "everywhere",
                Addresses::new(everywhere, None, None, true),
                "https://localhost",
            ),
            (
                "IPv6",
                Addresses::new(six, None, None, true),
                "https://[2001:db8::1]:8461",
            ),
            (
                "said",
                Addresses::new(local, public, None, true),
                "https://ca.example.com",
            ),
            (
                "a team's",
                Addresses::new(local, public, Some("ca.acme.example"), false),
                "https://ca.acme.example",
            ),
            (
                "a team's, local",
                Addresses::new(local, None, Some("ca.acme.example"), true),
                "https://ca.acme.example:8461",
            ),
            (
                "not listened for",
                Addresses::new(None, None, None, true),
                "https://localhost",
            ),
        ] {
            assert_eq!(address.url, expected, "{name}");
        }
        let other = Addresses::new(local, public, Some("ca.acme.example"), false);
        assert!(
            !other.hosts.contains(&"ca.example.com".to_owned()),
            "it is another team's"
        );
    }
}
