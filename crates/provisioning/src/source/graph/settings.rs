//! What an admin says about a tenant and how to sign in to it.

use reqwest::Url;
use serde::Deserialize;

use crate::secret::Secret;
use crate::source::Error;
use crate::target::is_loopback;

/// A tenant of Microsoft Entra ID as a source, and the app registration that reads it.
///
/// ```toml
/// tenant = "contoso.onmicrosoft.com"
/// client_id = "6731de76-14a6-49ae-97bc-6eba6914391e"
/// client_secret = { file = "/etc/portreeve/graph-secret" }
/// service_principal = "f3a8cc6e-8d4b-4a4a-9d1b-0c7c0f6d8f11"
/// ```
///
/// The app registration needs the application permissions `User.Read.All`, `Group.Read.All` and, with the scope
/// `assigned`, `Application.Read.All`, each with admin consent.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The tenant: its id, or one of its domains.
    pub tenant: String,
    /// The app registration's "Application (client) ID".
    pub client_id: String,
    /// A client secret's value. Either this or a certificate.
    pub client_secret: Option<Secret>,
    /// A certificate that the app registration knows, in PEM.
    pub certificate: Option<Secret>,
    /// Its private key in PEM (PKCS#8 or PKCS#1, RSA, not encrypted); without it, the text of the certificate holds the
    /// key as well.
    pub private_key: Option<Secret>,
    /// How the key signs.
    #[serde(default)]
    pub algorithm: Algorithm,
    /// Which of Microsoft's clouds the tenant is in.
    #[serde(default)]
    pub cloud: Cloud,
    /// Another address to sign in at, instead of the cloud's.
    pub login_url: Option<String>,
    /// Another address of Microsoft Graph, instead of the cloud's.
    pub graph_url: Option<String>,
    /// Who is provisioned.
    #[serde(default)]
    pub scope: Scope,
    /// The object id of the enterprise application whose assignments count; needed with the scope `assigned`.
    pub service_principal: Option<String>,
}

/// The signature of a client assertion (RFC 7518 section 3).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub enum Algorithm {
    /// RSASSA-PSS with SHA-256, which Microsoft asks for.
    #[default]
    PS256,
    /// RSASSA-PKCS1-v1_5 with SHA-256, for what knows nothing newer.
    RS256,
}

/// A cloud of Microsoft's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cloud {
    /// Everybody's.
    #[default]
    Global,
    /// The US government's, level 4.
    Usgov,
    /// The US Department of Defense's, level 5.
    UsgovDod,
    /// China's, run by 21Vianet.
    China,
}

/// Who is provisioned, in Entra's words.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// "Sync only assigned users and groups".
    #[default]
    Assigned,
    /// "Sync all users and groups".
    All,
}

/// Where to sign in, and where to read.
#[derive(Debug, Clone)]
pub(super) struct Hosts {
    /// The address that gives out tokens.
    pub(super) token: Url,
    /// The base of Microsoft Graph, without a path.
    pub(super) graph: Url,
}

impl Cloud {
    fn login(self) -> &'static str {
        match self {
            Self::Global => "https://login.microsoftonline.com",
            Self::Usgov | Self::UsgovDod => "https://login.microsoftonline.us",
            Self::China => "https://login.chinacloudapi.cn",
        }
    }

    fn graph(self) -> &'static str {
        match self {
            Self::Global => "https://graph.microsoft.com",
            Self::Usgov => "https://graph.microsoft.us",
            Self::UsgovDod => "https://dod-graph.microsoft.us",
            Self::China => "https://microsoftgraph.chinacloudapi.cn",
        }
    }
}

impl Settings {
    pub(super) fn hosts(&self) -> Result<Hosts, Error> {
        let tenant = self.tenant.trim();
        let plain = |character: char| character.is_ascii_alphanumeric() || ".-".contains(character);
        if tenant.is_empty() || !tenant.chars().all(plain) || tenant.starts_with('.') {
            return Err(Error::Unusable(format!(
                "the tenant {tenant:?} is neither an id nor a domain; it is on the overview page of Microsoft Entra ID"
            )));
        }
        let login = self.login_url.as_deref().unwrap_or(self.cloud.login());
        let graph = self.graph_url.as_deref().unwrap_or(self.cloud.graph());
        let mut token = address("login_url", login)?;
        token.set_path(&format!("/{tenant}/oauth2/v2.0/token"));
        Ok(Hosts {
            token,
            graph: address("graph_url", graph)?,
        })
    }

    /// The enterprise application whose assignments count, if they count.
    pub(super) fn assigned_to(&self) -> Result<Option<String>, Error> {
        let named = self.service_principal.as_deref().unwrap_or_default().trim();
        match self.scope {
            Scope::All => Ok(None),
            Scope::Assigned if named.is_empty() => Err(Error::Unusable(
                "service_principal is missing: it is the object id on the enterprise application's overview page; or set scope = \"all\" to provision everybody".to_owned(),
            )),
            Scope::Assigned => Ok(Some(named.to_owned())),
        }
    }
}

/// The root of a host.
fn address(setting: &str, text: &str) -> Result<Url, Error> {
    let unusable = |reason: &str| Error::Unusable(format!("{setting} {text} {reason}"));
    let url =
        Url::parse(text.trim()).map_err(|cause| unusable(&format!("is no address ({cause})")))?;
    if url.scheme() != "https" && !(url.scheme() == "http" && is_loopback(&url)) {
        return Err(unusable(
            "is not encrypted, and the credentials would be readable on the way; use https",
        ));
    }
    let has_more = url.path() != "/" || url.query().is_some() || url.fragment().is_some();
    if has_more || !url.username().is_empty() || url.password().is_some() {
        return Err(unusable(
            "has more than scheme, host and port; leave the rest out",
        ));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(more: &str) -> Settings {
        let text = format!(r#"{{"tenant": "contoso.example", "client_id": "c" {more}}}"#);
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn each_cloud_has_its_hosts_and_settings_may_name_others() {
        let cases = [
            (
                "",
                "https://login.microsoftonline.com/contoso.example/oauth2/v2.0/token",
                "https://graph.microsoft.com/",
            ),
            (
                r#", "cloud": "usgov""#,
                "https://login.microsoftonline.us/contoso.example/oauth2/v2.0/token",
                "https://graph.microsoft.us/",
            ),
            (
                r#", "cloud": "usgov-dod""#,
                "https://login.microsoftonline.us/contoso.example/oauth2/v2.0/token",
                "https://dod-graph.microsoft.us/",
            ),
            (
                r#", "cloud": "china""#,
                "https://login.chinacloudapi.cn/contoso.example/oauth2/v2.0/token",
                "https://microsoftgraph.chinacloudapi.cn/",
            ),
            (
                r#", "login_url": "http://127.0.0.1:1", "graph_url": "https://proxy.example:8443""#,
                "http://127.0.0.1:1/contoso.example/oauth2/v2.0/token",
                "https://proxy.example:8443/",
            ),
        ];
        for (more, token, graph) in cases {
            let hosts = settings(more).hosts().unwrap();
            assert_eq!(
                (hosts.token.as_str(), hosts.graph.as_str()),
                (token, graph),
                "{more}"
            );
        }
    }

    #[test]
    fn settings_that_cannot_work_are_refused_with_what_to_do() {
        let cases = [
            (r#", "graph_url": "http://graph.example""#, "use https"),
            (r#", "login_url": "ftp://127.0.0.1""#, "use https"),
            (r#", "login_url": "login""#, "is no address"),
            (
                r#", "graph_url": "https://graph.example/v1.0""#,
                "leave the rest out",
            ),
            (
                r#", "graph_url": "https://me@graph.example""#,
                "leave the rest out",
            ),
        ];
        for (more, expected) in cases {
            let error = settings(more).hosts().unwrap_err().to_string();
            assert!(error.contains(expected), "{more}: {error}");
        }
        for tenant in ["", "..", "a/b", "a?b"] {
            let error = Settings {
                tenant: tenant.to_owned(),
                ..settings("")
            };
            assert!(error.hosts().is_err(), "{tenant}");
        }
    }

    #[test]
    fn assignments_need_the_application_they_are_made_to() {
        assert!(settings("").assigned_to().is_err());
        let named = settings(r#", "service_principal": "sp""#);
        assert_eq!(named.assigned_to().unwrap().as_deref(), Some("sp"));
        let all = settings(r#", "scope": "all", "service_principal": "sp""#);
        assert_eq!(all.assigned_to().unwrap(), None);
    }

    #[test]
    fn a_setting_that_does_not_exist_is_refused() {
        let text = r#"{"tenant": "t", "client_id": "c", "clientsecret": "s"}"#;
        let error = serde_json::from_str::<Settings>(text).unwrap_err();
        assert!(error.to_string().contains("clientsecret"), "{error}");
    }
}
