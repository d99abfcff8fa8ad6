//! Settings that cannot work are refused before a mail is due.

use std::path::Path;

use portreeve_mail::{Mailer, Settings};
use secrecy::SecretString;

fn settings(server: &str) -> Settings {
    Settings::new(server, "portreeve@contoso.example")
}

fn with_password(server: &str) -> Settings {
    Settings {
        password: Some(SecretString::from("hush")),
        ..settings(server)
    }
}

#[test]
fn settings_that_work() {
    for (server, expected) in [
        ("smtp://mail.contoso.example", "mail.contoso.example:587"),
        ("smtps://mail.contoso.example", "mail.contoso.example:465"),
        (
            "smtps://mail.contoso.example:2465/",
            "mail.contoso.example:2465",
        ),
        ("smtp://localhost:25", "localhost:25"),
        ("smtp://[::1]:2525", "[::1]:2525"),
        (" smtp://10.0.0.7 ", "10.0.0.7:587"),
    ] {
        let mailer = Mailer::new(&settings(server)).expect(server);
        let shown = format!("{mailer:?}");
        assert!(
            shown.contains(&format!("{expected:?}")),
            "{server}: {shown}"
        );
    }
    let mailer = Mailer::new(&with_password(
        "smtp://ada%40contoso.example@mail.contoso.example",
    ));
    let shown = format!("{:?}", mailer.unwrap());
    assert!(shown.contains("\"ada@contoso.example\""), "{shown}");
    assert!(!shown.contains("hush"), "{shown}");
}

#[test]
fn an_address_must_be_one_and_have_no_password_in_it() {
    refused([
        (
            "no scheme",
            settings("mail.contoso.example:587"),
            "smtp://user@host:587",
        ),
        (
            "of the web",
            settings("https://mail.contoso.example"),
            "smtp://user@host:587",
        ),
        ("no host", settings("smtp://"), "smtp://user@host:587"),
        (
            "no port",
            settings("smtp://mail.contoso.example:0"),
            "smtp://user@host:587",
        ),
        (
            "a path",
            settings("smtp://mail.contoso.example/inbox"),
            "smtp://user@host:587",
        ),
        (
            "a password in it",
            settings("smtp://ada:hush@mail.contoso.example"),
            "give it by itself",
        ),
        (
            "a password in what is none",
            settings("smtp://ada:hush@"),
            "smtp://user@host:587",
        ),
        (
            "a password in another",
            settings("imap://ada:hush@mail.contoso.example"),
            "give it by itself",
        ),
    ]);
}

#[test]
fn what_does_not_go_together_is_refused() {
    refused([
        (
            "a user without password",
            settings("smtp://ada@mail.contoso.example"),
            "password of ada",
        ),
        (
            "a password without user",
            with_password("smtp://mail.contoso.example"),
            "smtp://user@host",
        ),
        (
            "a user that is no text",
            with_password("smtp://%ff@mail.contoso.example"),
            "percent-encode",
        ),
        (
            "encrypted and not",
            Settings {
                encrypted: Some(false),
                ..settings("smtps://mail.contoso.example")
            },
            "smtps:// is always encrypted",
        ),
        (
            "from nobody",
            Settings::new("smtp://localhost", "Portreeve"),
            "Name <address>",
        ),
    ]);
}

#[test]
fn authorities_must_be_in_their_file() {
    let empty = tempfile::NamedTempFile::new().unwrap();
    let with = |path: &Path| Settings {
        ca_file: Some(path.to_owned()),
        ..settings("smtps://mail.contoso.example")
    };
    refused([
        (
            "no such file",
            with(Path::new("/no/such/ca.pem")),
            "/no/such/ca.pem",
        ),
        (
            "no certificate",
            with(empty.path()),
            "there is no certificate in it",
        ),
    ]);
}

fn refused<const N: usize>(cases: [(&str, Settings, &str); N]) {
    for (name, settings, expected) in cases {
        let error = Mailer::new(&settings).unwrap_err().to_string();
        assert!(error.contains(expected), "{name}: {error}");
        assert!(!error.contains("hush"), "{name}: {error}");
    }
}
