//! What is sent arrives as it was written, on each kind of connection.

use portreeve_mail::{Mailer, Message, Settings};
use secrecy::SecretString;
use serde_json::json;

use crate::sink::{Sink, Wire, mail};

#[tokio::test]
async fn a_mail_arrives_on_each_kind_of_connection() {
    let user = "ada@contoso.example";
    let words = ["--user", "ada@contoso.example:p:ss wörd"];
    let in_url = "ada%40contoso.example";
    let cases = [
        ("plain", Wire::Plain, false, false),
        ("plain, signed in", Wire::Plain, true, false),
        ("STARTTLS", Wire::StartTls, false, false),
        ("STARTTLS, signed in", Wire::StartTls, true, false),
        ("TLS", Wire::Tls, false, false),
        ("TLS, signed in", Wire::Tls, true, false),
        ("TLS, signed in with LOGIN", Wire::Tls, true, true),
    ];
    for (name, wire, signed_in, login) in cases {
        let mut all = Vec::new();
        if signed_in {
            all.extend(words);
        }
        if login {
            all.push("--login-only");
        }
        let sink = Sink::start(wire, &all);
        let settings = match signed_in {
            true => Settings {
                password: Some(SecretString::from("p:ss wörd")),
                ..sink.settings(in_url)
            },
            false => sink.settings(""),
        };
        let mailer = Mailer::new(&settings).unwrap();
        let message = mail("Grace Hopper <grace@fabrikam.example>");
        mailer.send(&message).await.expect(name);
        mailer.send(&message).await.expect(name);
        let taken = sink.taken();
        assert_eq!(taken.len(), 2, "{name}");
        assert_eq!(taken[0]["from"], "portreeve@contoso.example", "{name}");
        assert_eq!(taken[0]["to"], json!(["grace@fabrikam.example"]), "{name}");
        assert_eq!(taken[0]["hello"], "contoso.example", "{name}");
        assert_eq!(taken[0]["encrypted"], wire != Wire::Plain, "{name}");
        let expected = if signed_in { json!(user) } else { json!(null) };
        assert_eq!(taken[0]["user"], expected, "{name}");
    }
}

#[tokio::test]
async fn what_is_written_is_what_is_read() {
    let long = "wide ".repeat(500);
    let texts = [
        ("plain", "Hello", "Good morning.\n"),
        (
            "letters of all kinds",
            "Quarantäne für Ærø: 名前 🚢",
            "Søren, 名前, 🚢\n\nTwo\n",
        ),
        ("dots at the start of lines", "Dots", ".\n..\n.hidden\n"),
        ("a long subject", long.trim(), "short\n"),
        ("a long line", "Long", &format!("{long}end\n")),
        ("no text", "Empty", "\n"),
        ("looks encoded", "=?utf-8?q?=41?= ", "=41 =\n"),
    ];
    let sink = Sink::start(Wire::Plain, &[]);
    let mailer = Mailer::new(&sink.settings("")).unwrap();
    for (name, subject, text) in texts {
        let message = Message {
            subject: subject.to_owned(),
            text: text.to_owned(),
            ..mail("grace@fabrikam.example")
        };
        mailer.send(&message).await.expect(name);
    }
    let taken = sink.taken();
    assert_eq!(taken.len(), texts.len());
    for ((name, subject, text), mail) in texts.into_iter().zip(&taken) {
        let read = mail["text"].as_str().expect(name);
        assert_eq!(read.trim_end(), text.trim_end(), "{name}");
        let expected = if name == "looks encoded" {
            "A"
        } else {
            subject
        };
        assert_eq!(mail["headers"]["Subject"], expected, "{name}");
    }
    let headers = &taken[0]["headers"];
    for (header, expected) in [
        ("From", "Portreeve <portreeve@contoso.example>"),
        ("To", "grace@fabrikam.example"),
        ("Date", "Sun, 22 Nov 2026 08:00:00 +0000"),
        (
            "Message-ID",
            "<0194d2c0-0000-7000-8000-000000000001@contoso.example>",
        ),
        ("Auto-Submitted", "auto-generated"),
    ] {
        assert_eq!(headers[header], expected, "{header}");
    }
}

#[tokio::test]
async fn a_subject_cannot_add_headers_or_end_them() {
    let sink = Sink::start(Wire::Plain, &[]);
    let mailer = Mailer::new(&sink.settings("")).unwrap();
    let message = Message {
        subject: "Hello\r\nBcc: eve@fabrikam.example\r\n\r\nother text".to_owned(),
        ..mail("grace@fabrikam.example")
    };
    mailer.send(&message).await.unwrap();
    let taken = sink.taken();
    assert_eq!(
        taken[0]["headers"]["Subject"],
        "Hello  Bcc: eve@fabrikam.example    other text"
    );
    assert_eq!(taken[0]["headers"].get("Bcc"), None);
    assert_eq!(taken[0]["to"], json!(["grace@fabrikam.example"]));
    assert_eq!(taken[0]["text"], "Good morning.\n");
}
