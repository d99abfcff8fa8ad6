//! Metadata: whose it may be, and what it may name.

use portreeve_oidc::{AddressError, ClientAuthentication, Error, Metadata, MetadataUrl};
use serde_json::{Value, json};

const TENANT: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";

fn document(issuer: &str) -> Value {
    json!({
        "issuer": issuer,
        "authorization_endpoint": "https://id.example/authorize?p=1",
        "token_endpoint": "https://id.example/token",
        "jwks_uri": "https://keys.example/keys",
    })
}

fn read(url: &str, tenant: Option<&str>, document: &Value) -> Result<Metadata, &'static str> {
    let url = MetadataUrl::parse(url).map_err(|cause| Error::from(cause).code())?;
    Metadata::parse(document.to_string().as_bytes(), &url, tenant)
        .map_err(|cause| Error::from(cause).code())
}

/// Name, address, pinned tenant, issuer named, and the issuer of tokens or the code of the refusal.
type Issuer = (
    &'static str,
    &'static str,
    Option<&'static str>,
    &'static str,
    Result<&'static str, &'static str>,
);

/// `NAME` stands for the well-known name, `ENTRA` for Entra's address, `CIAM` for External ID's domain, `ID` for a
/// tenant's id.
#[rustfmt::skip]
const ISSUERS: &[Issuer] = &[
    ("at the root", "https://id.example/NAME", None, "https://id.example", Ok("https://id.example")),
    ("with a slash at its end", "https://id.example/NAME", None, "https://id.example/", Ok("https://id.example/")),
    ("below a path", "https://id.example/realms/a/NAME", None, "https://id.example/realms/a", Ok("https://id.example/realms/a")),
    ("before the path (RFC 8414)", "https://id.example/NAME/realms/a", None, "https://id.example/realms/a", Ok("https://id.example/realms/a")),
    ("OAuth's own name (RFC 8414)", "https://id.example/.well-known/oauth-authorization-server/a", None, "https://id.example/a", Ok("https://id.example/a")),
    ("another host", "https://id.example/NAME", None, "https://evil.example", Err("issuer_mismatch")),
    ("another host and a tenant", "https://id.example/a/NAME", Some("a"), "https://evil.example/a", Err("issuer_mismatch")),
    ("another realm", "https://id.example/realms/a/NAME", Some("ID"), "https://id.example/realms/b", Err("issuer_mismatch")),
    ("not encrypted", "https://id.example/NAME", None, "http://id.example", Err("issuer_mismatch")),
    ("two differences", "https://id.example/a/b/NAME", Some("c"), "https://id.example/c/c", Err("issuer_mismatch")),
    ("Entra, one tenant by its id", "ENTRA/ID/v2.0/NAME", None, "ENTRA/ID/v2.0", Ok("ENTRA/ID/v2.0")),
    ("Entra, one tenant, pinned", "ENTRA/ID/v2.0/NAME", Some("ID"), "ENTRA/ID/v2.0", Ok("ENTRA/ID/v2.0")),
    ("Entra, one tenant by its domain, pinned", "ENTRA/contoso.example/v2.0/NAME", Some("ID"), "ENTRA/ID/v2.0", Ok("ENTRA/ID/v2.0")),
    ("Entra, one tenant by its domain, not pinned", "ENTRA/contoso.example/v2.0/NAME", None, "ENTRA/ID/v2.0", Err("tenant_not_pinned")),
    ("Entra, all, pinned", "ENTRA/organizations/v2.0/NAME", Some("72F988BF-86F1-41AF-91AB-2D7CD011DB47"), "ENTRA/{tenantid}/v2.0", Ok("ENTRA/ID/v2.0")),
    ("Entra, all, not pinned", "ENTRA/common/v2.0/NAME", None, "ENTRA/{tenantid}/v2.0", Err("tenant_not_pinned")),
    ("Entra, another tenant pinned", "ENTRA/contoso.example/v2.0/NAME", Some("other"), "ENTRA/ID/v2.0", Err("issuer_mismatch")),
    ("External ID, by the tenant's id", "https://ID.CIAM/ID/v2.0/NAME", None, "https://ID.CIAM/ID/v2.0", Ok("https://ID.CIAM/ID/v2.0")),
    ("External ID, by its name and its id", "https://contoso.CIAM/ID/v2.0/NAME", None, "https://ID.CIAM/ID/v2.0", Ok("https://ID.CIAM/ID/v2.0")),
    ("External ID, by its name and its id, pinned", "https://contoso.CIAM/ID/v2.0/NAME", Some("ID"), "https://ID.CIAM/ID/v2.0", Ok("https://ID.CIAM/ID/v2.0")),
    ("External ID, by its name and its id, another pinned", "https://contoso.CIAM/ID/v2.0/NAME", Some("other"), "https://ID.CIAM/ID/v2.0", Err("issuer_mismatch")),
    ("External ID, by its names, pinned", "https://contoso.CIAM/contoso.example/v2.0/NAME", Some("ID"), "https://ID.CIAM/ID/v2.0", Ok("https://ID.CIAM/ID/v2.0")),
    ("External ID, by its names, not pinned", "https://contoso.CIAM/contoso.example/v2.0/NAME", None, "https://ID.CIAM/ID/v2.0", Err("tenant_not_pinned")),
    ("External ID, by its names, another pinned", "https://contoso.CIAM/contoso.example/v2.0/NAME", Some("other"), "https://ID.CIAM/ID/v2.0", Err("issuer_mismatch")),
    ("External ID, with a place for the tenant, pinned", "https://contoso.CIAM/common/v2.0/NAME", Some("ID"), "https://{tenantid}.CIAM/{tenantid}/v2.0", Ok("https://ID.CIAM/ID/v2.0")),
    ("External ID, with a place for the tenant, not pinned", "https://contoso.CIAM/common/v2.0/NAME", None, "https://{tenantid}.CIAM/{tenantid}/v2.0", Err("tenant_not_pinned")),
    ("External ID, two tenants in one issuer", "https://contoso.CIAM/ID/v2.0/NAME", Some("ID"), "https://other.CIAM/ID/v2.0", Err("issuer_mismatch")),
    ("External ID, two tenants, not pinned", "https://contoso.CIAM/ID/v2.0/NAME", None, "https://other.CIAM/ID/v2.0", Err("issuer_mismatch")),
    ("External ID, another version", "https://contoso.CIAM/contoso.example/v2.0/NAME", Some("ID"), "https://ID.CIAM/ID/v1.0", Err("issuer_mismatch")),
    ("External ID, not encrypted", "https://contoso.CIAM/ID/v2.0/NAME", Some("ID"), "http://ID.CIAM/ID/v2.0", Err("issuer_mismatch")),
    ("External ID, of another address", "https://id.example/ID/v2.0/NAME", Some("ID"), "https://ID.CIAM/ID/v2.0", Err("issuer_mismatch")),
    ("External ID, its address, another issuer", "https://contoso.CIAM/ID/v2.0/NAME", Some("ID"), "https://ID.example/ID/v2.0", Err("issuer_mismatch")),
    ("nearly External ID", "https://contoso.CIAM.example/ID/v2.0/NAME", Some("ID"), "https://ID.CIAM/ID/v2.0", Err("issuer_mismatch")),
    ("Entra, version 1", "ENTRA/ID/NAME", Some("ID"), "https://sts.windows.net/ID/", Err("issuer_mismatch")),
];

#[test]
fn the_issuer_belongs_to_the_address_or_to_the_pinned_tenant() {
    let full = |text: &str| {
        text.replace("NAME", ".well-known/openid-configuration")
            .replace("ENTRA", "https://login.microsoftonline.com")
            .replace("CIAM", "ciamlogin.com")
            .replace("ID", TENANT)
    };
    for (name, url, tenant, issuer, outcome) in ISSUERS {
        let tenant = tenant.map(full);
        let read = read(&full(url), tenant.as_deref(), &document(&full(issuer)));
        let issuer = read.map(|metadata| metadata.issuer);
        assert_eq!(issuer, outcome.map(full), "{name}");
    }
}

#[test]
fn addresses_are_encrypted_unless_the_provider_is_on_this_machine() {
    let cases = [
        ("https://id.example/.well-known/openid-configuration", None),
        ("http://127.0.0.1:9/.well-known/openid-configuration", None),
        (
            "http://localhost:9/.well-known/openid-configuration?appid=1",
            None,
        ),
        ("http://[::1]/.well-known/openid-configuration", None),
        (
            "http://id.example/.well-known/openid-configuration",
            Some(AddressError::Unprotected),
        ),
        (
            "http://10.0.0.1/.well-known/openid-configuration",
            Some(AddressError::Unprotected),
        ),
        (
            "http://localhost.example/.well-known/openid-configuration",
            Some(AddressError::Unprotected),
        ),
        (
            "file:///etc/passwd",
            Some(AddressError::Scheme("file".into())),
        ),
        (
            "https://a:b@id.example/.well-known/openid-configuration",
            Some(AddressError::Credentials),
        ),
        (
            "https://id.example/.well-known/openid-configuration#x",
            Some(AddressError::Fragment),
        ),
        ("https://id.example/", Some(AddressError::NotMetadata)),
        (
            "https://id.example/.well-known/openid-configurations",
            Some(AddressError::NotMetadata),
        ),
    ];
    for (url, refused) in cases {
        assert_eq!(MetadataUrl::parse(url).err(), refused, "{url}");
    }
}

#[test]
fn what_the_document_names_is_encrypted() {
    let url = "https://id.example/.well-known/openid-configuration";
    for name in [
        "authorization_endpoint",
        "token_endpoint",
        "jwks_uri",
        "end_session_endpoint",
    ] {
        for address in [
            "http://id.example/x",
            "http://127.0.0.1/x",
            "javascript:alert(1)",
            "",
            "/x",
        ] {
            let mut document = document("https://id.example");
            document[name] = address.into();
            assert_eq!(
                read(url, None, &document).err(),
                Some("metadata_unusable"),
                "{name} {address}"
            );
        }
    }
}

#[test]
fn a_provider_that_cannot_do_what_is_needed_is_refused() {
    let url = "https://id.example/.well-known/openid-configuration";
    let methods = "token_endpoint_auth_methods_supported";
    use ClientAuthentication::{Basic, Post};
    let cases = [
        ("nothing said", json!({}), Ok(Basic)),
        (
            "both",
            json!({methods: ["client_secret_basic", "client_secret_post"]}),
            Ok(Post),
        ),
        (
            "the header",
            json!({methods: ["private_key_jwt", "client_secret_basic"]}),
            Ok(Basic),
        ),
        (
            "neither",
            json!({methods: ["private_key_jwt"]}),
            Err("provider_unsupported"),
        ),
        (
            "no code",
            json!({"response_types_supported": ["id_token"]}),
            Err("provider_unsupported"),
        ),
        (
            "only shared secrets",
            json!({"id_token_signing_alg_values_supported": ["HS256", "none"]}),
            Err("provider_unsupported"),
        ),
        (
            "an issuer that is no text",
            json!({"issuer": 1}),
            Err("metadata_unusable"),
        ),
    ];
    for (name, members, outcome) in cases {
        let mut document = document("https://id.example");
        for (name, value) in members.as_object().unwrap() {
            document[name] = value.clone();
        }
        let read = read(url, None, &document).map(|metadata| metadata.client_authentication);
        assert_eq!(read, outcome, "{name}");
    }
}

#[test]
fn the_answer_comes_from_who_was_asked() {
    let url = "https://id.example/.well-known/openid-configuration";
    let mut document = document("https://id.example");
    let silent = read(url, None, &document).unwrap();
    document["authorization_response_iss_parameter_supported"] = true.into();
    let speaking = read(url, None, &document).unwrap();
    let cases = [
        ("as it said", &speaking, Some("https://id.example"), true),
        ("nothing, as it said", &silent, None, true),
        (
            "more than it said",
            &silent,
            Some("https://id.example"),
            true,
        ),
        ("less than it said", &speaking, None, false),
        (
            "somebody else",
            &silent,
            Some("https://evil.example"),
            false,
        ),
        (
            "somebody else, with a line break",
            &speaking,
            Some("https://id.example\r\nx"),
            false,
        ),
    ];
    for (name, metadata, got, is_right) in cases {
        assert_eq!(
            metadata.check_response_issuer(got).is_ok(),
            is_right,
            "{name}"
        );
    }
}
