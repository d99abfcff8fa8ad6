//! Servers that take no mail, each in its own way: the error says which, and whether to try again.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Duration;

use portreeve_mail::{Error, Mailer, Settings};
use secrecy::SecretString;

use crate::sink::{Certificate, Sink, Wire, mail};

async fn refused(settings: &Settings, to: &str) -> Error {
    let mailer = Mailer::new(settings).unwrap();
    mailer.send(&mail(to)).await.unwrap_err()
}

#[tokio::test]
async fn who_is_refused_is_told_why_and_whether_to_try_again() {
    let sink = Sink::start(Wire::Plain, &[]);
    let stranger = Settings {
        from: "stranger@contoso.example".to_owned(),
        ..sink.settings("")
    };
    let hurried = Settings {
        timeout: Duration::from_millis(300),
        ..sink.settings("")
    };
    let usual = sink.settings("");
    let cases = [
        (
            &usual,
            "nobody@contoso.example",
            true,
            "550 5.1.1 there is no such person",
        ),
        (
            &usual,
            "spam@contoso.example",
            true,
            "554 5.7.1 this looks like",
        ),
        (
            &usual,
            "greylisted@contoso.example",
            false,
            "451 4.7.1 come again later",
        ),
        (
            &stranger,
            "grace@contoso.example",
            false,
            "553 5.7.1 this address is not yours",
        ),
        (
            &hurried,
            "slow@contoso.example",
            false,
            "within 0.3 seconds",
        ),
        (&usual, "no address", true, "\"no address\" is no address"),
        (&usual, "a@b, c@d", true, "is no address"),
        (
            &usual,
            "grace@contoso.example\r\nBcc: eve@contoso.example",
            true,
            "is no address",
        ),
    ];
    for (settings, to, permanent, expected) in cases {
        let error = refused(settings, to).await;
        assert!(error.to_string().contains(expected), "{to}: {error}");
        assert_eq!(error.is_permanent(), permanent, "{to}: {error}");
    }
    assert_eq!(sink.taken(), Vec::<serde_json::Value>::new());
}

#[tokio::test]
async fn a_password_goes_only_where_it_belongs() {
    let with = |settings: Settings, password: &str| Settings {
        password: Some(SecretString::from(password)),
        ..settings
    };
    let only_ada = ["--user", "ada:lovelace"];
    let guarded = Sink::start(Wire::StartTls, &only_ada);
    let plain = Sink::start(Wire::Plain, &only_ada);
    let cases = [
        (
            "a wrong password",
            with(guarded.settings("ada"), "byron"),
            "does not let ada in (535",
        ),
        (
            "no user",
            guarded.settings(""),
            "takes no mail from portreeve@contoso.example (530",
        ),
        (
            "encryption that is not offered",
            Settings {
                encrypted: Some(true),
                ..with(plain.settings("ada"), "lovelace")
            },
            "offers no encryption (STARTTLS)",
        ),
        (
            "no encryption where the server wants it",
            Settings {
                encrypted: Some(false),
                ..with(guarded.settings("ada"), "lovelace")
            },
            "neither PLAIN nor LOGIN",
        ),
    ];
    for (name, settings, expected) in cases {
        let error = refused(&settings, "grace@contoso.example").await;
        assert!(error.to_string().contains(expected), "{name}: {error}");
        assert!(!error.is_permanent(), "{name}: {error}");
        assert!(!error.to_string().contains("lovelace"), "{name}: {error}");
    }
    for sink in [guarded, plain] {
        assert_eq!(sink.taken(), Vec::<serde_json::Value>::new());
    }
}

#[tokio::test]
async fn a_certificate_must_be_good() {
    for wire in [Wire::StartTls, Wire::Tls] {
        let good = Sink::start(wire, &[]);
        let cases = [
            (
                "of another name",
                Certificate::OtherName,
                None,
                "not valid for name",
            ),
            ("expired", Certificate::Expired, None, "expired"),
            (
                "of somebody else's authority",
                Certificate::Good,
                Some(good.ca_file()),
                "",
            ),
        ];
        for (name, certificate, ca_file, expected) in cases {
            let sink = Sink::start_with(wire, certificate, &[]);
            let mut settings = sink.settings("");
            if ca_file.is_some() {
                settings.ca_file = ca_file;
            }
            let error = refused(&settings, "grace@contoso.example").await;
            let Error::Encryption { cause, .. } = &error else {
                panic!("{name}, {wire:?}: {error}");
            };
            assert!(cause.contains(expected), "{name}, {wire:?}: {error}");
            assert!(!error.is_permanent(), "{name}: {error}");
            assert_eq!(
                sink.taken(),
                Vec::<serde_json::Value>::new(),
                "{name}, {wire:?}"
            );
        }
    }
}

#[tokio::test]
async fn what_is_no_mail_server_is_not_waited_for_and_not_believed() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = closed.local_addr().unwrap();
    drop(closed);
    let cases = [
        ("nobody there", nobody, "cannot be reached"),
        (
            "a web server",
            answering("HTTP/1.1 400 Bad Request\r\n\r\n"),
            "cannot be reached",
        ),
        ("one that hangs up", answering(""), "cannot be reached"),
        (
            "one that is closed",
            answering("554 no service here\r\n"),
            "554 no service here",
        ),
        (
            "one that is busy",
            answering("421 too many connections\r\n"),
            "does not take mail now (421",
        ),
        (
            "one that says nothing",
            silent.local_addr().unwrap(),
            "within 0.3 seconds",
        ),
    ];
    for (name, address, expected) in cases {
        let settings = Settings {
            timeout: Duration::from_millis(300),
            ..Settings::new(format!("smtp://{address}"), "portreeve@contoso.example")
        };
        let error = refused(&settings, "grace@contoso.example").await;
        assert!(error.to_string().contains(expected), "{name}: {error}");
        assert!(
            error.to_string().contains(&address.to_string()),
            "{name}: {error}"
        );
        assert!(!error.is_permanent(), "{name}: {error}");
    }
}

/// A server that greets with these bytes, and hangs up when it hears something.
fn answering(greeting: &'static str) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(greeting.as_bytes()).unwrap();
        if !greeting.is_empty() {
            let _ = stream.read(&mut [0; 64]);
        }
    });
    address
}
