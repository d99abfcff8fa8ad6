//! The address of a target, and the addresses of what lies below it.

use std::fmt;
use std::net::IpAddr;

use reqwest::Url;

use super::answer::ResourceId;
use super::patch::Dialect;

/// The query flag with which an admin asks for RFC-conforming PATCH bodies.
const COMPLIANT_FLAG: &str = "aadOptscim062020";

/// The base of a SCIM service, as an admin enters it: scheme, host, any path, and a query that goes along with every
/// request (`https://app.example/scim/v2?aadOptscim062020`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantUrl(Url);

impl TenantUrl {
    /// Reads a tenant URL.
    ///
    /// # Errors
    /// When it is no `https` URL; plain `http` is taken for this machine alone, because every request carries the
    /// secret token. Also when it holds a user name, a password or a fragment.
    pub fn parse(text: &str) -> Result<Self, TenantUrlError> {
        let url = Url::parse(text.trim())
            .map_err(|cause| TenantUrlError::Malformed(cause.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(TenantUrlError::Scheme(url.scheme().to_owned()));
        }
        if url.scheme() == "http" && !is_loopback(&url) {
            return Err(TenantUrlError::Unprotected);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(TenantUrlError::Credentials);
        }
        if url.fragment().is_some() {
            return Err(TenantUrlError::Fragment);
        }
        Ok(Self(url))
    }

    /// Which PATCH dialect the URL asks for.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        let asked = self
            .0
            .query_pairs()
            .any(|(name, _)| name.eq_ignore_ascii_case(COMPLIANT_FLAG));
        if asked {
            Dialect::Compliant
        } else {
            Dialect::Classic
        }
    }

    pub(super) fn url(&self) -> &Url {
        &self.0
    }

    /// What describes the service itself, such as `ServiceProviderConfig` (RFC 7644 section 4).
    pub(super) fn discovery(&self, segments: &[&str]) -> Url {
        self.below(segments, &[])
    }

    /// Whether the target runs on this machine, so that no proxy can reach it.
    pub(super) fn is_local(&self) -> bool {
        is_loopback(&self.0)
    }

    /// The endpoint of a resource type, with query parameters in form encoding (a blank is a plus sign), as Entra
    /// sends them.
    pub(super) fn endpoint(&self, kind: ResourceKind, query: &[(&str, &str)]) -> Url {
        self.below(&[kind.endpoint()], query)
    }

    /// The address of one resource.
    pub(super) fn resource(
        &self,
        kind: ResourceKind,
        id: &ResourceId,
        query: &[(&str, &str)],
    ) -> Url {
        self.below(&[kind.endpoint(), id.as_str()], query)
    }

    fn below(&self, segments: &[&str], query: &[(&str, &str)]) -> Url {
        let mut url = self.0.clone();
        // Refused only by URLs without a host, which `parse` does not let in.
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }
}

impl fmt::Display for TenantUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Whether the host is this machine, so that nothing can be read on the way to it.
pub(crate) fn is_loopback(url: &Url) -> bool {
    let Some(host) = url.host_str() else {
        return false;
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

/// Why a text is no tenant URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TenantUrlError {
    /// The text is no URL.
    #[error("the tenant URL cannot be read ({0}); it looks like https://app.example/scim/v2")]
    Malformed(String),
    /// Another scheme than `http` and `https`.
    #[error("the tenant URL begins with {0}:, but SCIM is spoken over https")]
    Scheme(String),
    /// Plain `http` to another machine.
    #[error(
        "the tenant URL is not encrypted; the secret token would be readable on the way, so use https"
    )]
    Unprotected,
    /// A user name or password in the URL.
    #[error(
        "the tenant URL holds a user name or password; leave it out and enter the secret token instead"
    )]
    Credentials,
    /// Something after `#`.
    #[error("the tenant URL has a part after '#', which is never sent; leave it out")]
    Fragment,
}

/// A resource type of SCIM (RFC 7643 section 4) that the engine provisions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ResourceKind {
    /// A person.
    User,
    /// A set of users.
    Group,
}

impl ResourceKind {
    /// The attribute that identifies a resource to people, unique at the target: Entra's first matching attribute.
    #[must_use]
    pub fn matching_attribute(self) -> &'static str {
        match self {
            Self::User => "userName",
            Self::Group => "displayName",
        }
    }

    /// The name of its endpoint (RFC 7644 section 3.2).
    pub(super) fn endpoint(self) -> &'static str {
        match self {
            Self::User => "Users",
            Self::Group => "Groups",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_keep_the_prefix_and_the_query_of_the_tenant_url() {
        let id = ResourceId::new("a/b c?").unwrap();
        let cases = [
            (
                "plain",
                "https://app.example",
                "https://app.example/Users",
                "https://app.example/Users/a%2Fb%20c%3F",
            ),
            (
                "prefix",
                "https://app.example/scim/v2",
                "https://app.example/scim/v2/Users",
                "https://app.example/scim/v2/Users/a%2Fb%20c%3F",
            ),
            (
                "slash",
                "https://app.example/scim/",
                "https://app.example/scim/Users",
                "https://app.example/scim/Users/a%2Fb%20c%3F",
            ),
            (
                "flag",
                "https://app.example/v2?aadOptscim062020",
                "https://app.example/v2/Users?aadOptscim062020",
                "https://app.example/v2/Users/a%2Fb%20c%3F?aadOptscim062020",
            ),
        ];
        for (name, base, users, user) in cases {
            let base = TenantUrl::parse(base).unwrap();
            assert_eq!(
                base.endpoint(ResourceKind::User, &[]).as_str(),
                users,
                "{name}"
            );
            assert_eq!(
                base.resource(ResourceKind::User, &id, &[]).as_str(),
                user,
                "{name}"
            );
        }
    }

    #[test]
    fn a_filter_follows_the_query_of_the_tenant_url() {
        let base = TenantUrl::parse("https://app.example/v2?aadOptscim062020").unwrap();
        let url = base.endpoint(
            ResourceKind::User,
            &[("filter", r#"userName eq "a+b&c@d.e""#)],
        );
        assert_eq!(
            url.as_str(),
            "https://app.example/v2/Users?aadOptscim062020&filter=userName+eq+%22a%2Bb%26c%40d.e%22"
        );
    }

    #[test]
    fn the_flag_chooses_the_dialect() {
        let dialect = |text| TenantUrl::parse(text).unwrap().dialect();
        assert_eq!(dialect("https://app.example/v2"), Dialect::Classic);
        assert_eq!(
            dialect("https://app.example/v2?x=1&aadoptscim062020"),
            Dialect::Compliant
        );
    }

    #[test]
    fn an_address_that_would_give_the_token_away_is_refused() {
        let cases = [
            (
                "no URL",
                "app.example/scim",
                TenantUrlError::Malformed("relative URL without a base".into()),
            ),
            (
                "no web address",
                "ftp://app.example/",
                TenantUrlError::Scheme("ftp".into()),
            ),
            (
                "unencrypted",
                "http://app.example/",
                TenantUrlError::Unprotected,
            ),
            (
                "unencrypted on a private network",
                "http://10.0.0.1/",
                TenantUrlError::Unprotected,
            ),
            (
                "a name that only begins like this machine's",
                "http://localhost.example/",
                TenantUrlError::Unprotected,
            ),
            (
                "credentials",
                "https://ada:pw@app.example/",
                TenantUrlError::Credentials,
            ),
            (
                "fragment",
                "https://app.example/#top",
                TenantUrlError::Fragment,
            ),
        ];
        for (name, text, error) in cases {
            assert_eq!(TenantUrl::parse(text), Err(error), "{name}");
        }
        for local in [
            "http://127.0.0.1:8460/scim",
            "http://[::1]:8460/scim",
            "http://localhost:8460/scim",
        ] {
            assert!(TenantUrl::parse(local).unwrap().is_local(), "{local}");
        }
    }
}
