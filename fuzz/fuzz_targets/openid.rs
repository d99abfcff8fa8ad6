#![no_main]
//! What identity providers send: metadata, key sets and ID tokens. Metadata that is accepted names only encrypted addresses
//! of the issuer that was asked; no key set makes a token good that its keys have not signed. The first byte says which of
//! them the rest is.

use libfuzzer_sys::fuzz_target;
use portreeve_oidc::{Expected, Keys, Metadata, MetadataUrl, verify};
use std::sync::LazyLock;

const ISSUER: &str = "https://id.example/contoso/v2.0";

/// The public keys of RFC 7515 appendices A.2 and A.3 and of RFC 8037 appendix A.2.
const KEYS: &str = r#"{"keys": [
    {"kty": "RSA", "kid": "r", "e": "AQAB", "n": "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"},
    {"kty": "EC", "kid": "e", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"},
    {"kty": "OKP", "kid": "o", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
]}"#;

static URL: LazyLock<MetadataUrl> = LazyLock::new(|| {
    let url = "https://id.example/organizations/v2.0/.well-known/openid-configuration";
    MetadataUrl::parse(url).expect("a constant")
});
static TRUSTED: LazyLock<Keys> =
    LazyLock::new(|| Keys::parse(KEYS.as_bytes()).expect("a constant"));

fuzz_target!(|bytes: &[u8]| {
    let Some((kind, rest)) = bytes.split_first() else {
        return;
    };
    match kind {
        b'm' => metadata(rest),
        b'k' => {
            if let Ok(keys) = Keys::parse(rest) {
                assert!(!keys.is_empty());
            }
        }
        b't' => token(rest),
        _ => {}
    }
});

fn metadata(body: &[u8]) {
    let Ok(metadata) = Metadata::parse(body, &URL, Some("contoso")) else {
        return;
    };
    let belongs = [ISSUER, "https://id.example/organizations/v2.0"];
    assert!(belongs.contains(&metadata.issuer.trim_end_matches('/')));
    let addresses = [
        Some(&metadata.authorization_endpoint),
        Some(&metadata.token_endpoint),
        Some(&metadata.jwks_uri),
        metadata.end_session_endpoint.as_ref(),
    ];
    for address in addresses.into_iter().flatten() {
        assert_eq!(address.scheme(), "https");
    }
}

fn token(text: &[u8]) {
    let Ok(text) = std::str::from_utf8(text) else {
        return;
    };
    let expected = Expected {
        issuer: ISSUER,
        client_id: "portreeve",
        tenant_id: Some("contoso"),
        nonce: Some("n"),
        access_token: Some("a"),
        now: 1_767_600_000,
    };
    let verified = verify(text, &TRUSTED, &expected);
    let error = verified.expect_err("nobody can sign with these keys");
    assert!(!error.to_string().contains('\n'));
}
