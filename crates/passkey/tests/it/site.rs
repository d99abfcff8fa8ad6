//! The site of the other tests, and which sites can have passkeys.

use portreeve_passkey::{RelyingParty, Unfit};

pub(crate) const ORIGIN: &str = "https://portreeve.contoso.example";

pub(crate) fn site() -> RelyingParty {
    RelyingParty::at(ORIGIN, "Portreeve").unwrap()
}

#[test]
fn a_site_is_a_name_and_an_origin() {
    for (url, id, origin) in [
        (ORIGIN, "portreeve.contoso.example", ORIGIN),
        (
            "https://Portreeve.Contoso.example:443/console?x#y",
            "portreeve.contoso.example",
            ORIGIN,
        ),
        (
            "https://portreeve.contoso.example:8443/",
            "portreeve.contoso.example",
            "https://portreeve.contoso.example:8443",
        ),
        (
            "https://bücher.example",
            "xn--bcher-kva.example",
            "https://xn--bcher-kva.example",
        ),
        (
            "http://localhost:8460",
            "localhost",
            "http://localhost:8460",
        ),
        (
            "http://portreeve.localhost:8460",
            "portreeve.localhost",
            "http://portreeve.localhost:8460",
        ),
    ] {
        let site = RelyingParty::at(url, "Portreeve").unwrap();
        assert_eq!((site.id(), site.origin()), (id, origin), "{url}");
    }
}

#[test]
fn a_site_that_cannot_have_passkeys_is_told_what_to_do() {
    let loopback = |instead: &str| Unfit::Loopback {
        instead: instead.to_owned(),
    };
    for (url, expected) in [
        ("http://127.0.0.1:8460", loopback("http://localhost:8460")),
        (
            "http://[::1]:8460/console",
            loopback("http://localhost:8460"),
        ),
        ("https://127.0.0.1", loopback("https://localhost")),
        ("https://192.0.2.7", Unfit::Address),
        ("http://[2001:db8::7]", Unfit::Address),
        ("http://portreeve.contoso.example", Unfit::Insecure),
        ("http://localhost.evil.example", Unfit::Insecure),
        ("http://notlocalhost", Unfit::Insecure),
        (
            "ftp://localhost",
            Unfit::Unreadable("ftp://localhost".to_owned()),
        ),
        ("portreeve", Unfit::Unreadable("portreeve".to_owned())),
    ] {
        assert_eq!(RelyingParty::at(url, "Portreeve"), Err(expected), "{url}");
    }
    assert_eq!(
        loopback("http://localhost:8460").to_string(),
        "browsers accept no passkeys at an IP address; open http://localhost:8460 instead"
    );
}
