//! The pages before one is signed in.

use portreeve_console::pages::cli::{Consent, Device, DeviceConsent, Request};
use portreeve_console::pages::message::Message;
use portreeve_console::pages::sign_in::{ByEmail, Provider, Refused, SignIn};
use portreeve_console::parts::{Alert, Level, Tone};
use portreeve_console::{Address, Plain};

use super::{Sample, Words, minutes_ago};

pub(crate) fn samples(words: Words) -> Vec<Sample> {
    [sign_in(words), command_line(words), messages(words)].concat()
}

fn plain(words: Words) -> Plain {
    Plain {
        team: Some(words.of("contoso")),
    }
}

fn sign_in(words: Words) -> Vec<Sample> {
    let provider = |name: &str| Provider {
        name: words.of(name),
        href: Address::new("/auth/openid/start").with("connection", words.of("0b7c")),
    };
    let page = SignIn {
        plain: plain(words),
        notice: Some(Alert::new(Tone::Good, "You have signed out", "")),
        providers: vec![provider("Contoso Entra"), provider("Keycloak")],
        by_email: None,
        passkey: true,
        return_to: words.of("/console/users"),
    };
    let by_email = SignIn {
        plain: Plain::default(),
        notice: None,
        providers: Vec::new(),
        by_email: Some(ByEmail {
            action: Address::new("/sign-in"),
            email: words.of("ada@contoso.example"),
            error: words.of("No team signs people of contoso.example in here. Ask your admin for the address of your team."),
        }),
        passkey: true,
        return_to: words.of("/console"),
    };
    let refused = Refused {
        plain: plain(words),
        why: words.of("Contoso Entra says that you are grace@fabrikam.example, and nobody of that name is in this team."),
        advice: vec![
            words.of("Were you signed in to Contoso Entra with another account? Sign out there and try again."),
            words.of("If you are new, your admin has to assign the application to you; it takes some minutes until you are known here."),
        ],
        reference: words.of("7QK2-M4TX"),
        at: minutes_ago(0),
        again: Address::new("/sign-in"),
    };
    vec![
        Sample::new("sign-in", &page),
        Sample::new("sign-in-by-email", &by_email),
        Sample::new("sign-in-refused", &refused),
    ]
}

fn command_line(words: Words) -> Vec<Sample> {
    let request = || Request {
        who: words.of("Ada Lovelace"),
        level: Level::Owner,
        client: words.of("portreeve 0.1.0 on ada-laptop"),
        address: words.of("192.0.2.7"),
        lasts: "30 days".to_owned(),
    };
    let consent = Consent {
        plain: plain(words),
        request: request(),
        action: Address::new("/auth/cli/authorize"),
        values: vec![("state", words.of("af0ifjsldkj"))],
    };
    let device = Device {
        plain: plain(words),
        action: Address::new("/auth/device"),
        code: words.of("BCDF-GHJ"),
        error: words.of("There is no such code, or it is older than 10 minutes."),
    };
    let device_consent = DeviceConsent {
        plain: plain(words),
        request: request(),
        code: words.of("BCDF-GHJK"),
        action: Address::new("/auth/device"),
    };
    vec![
        Sample::new("cli-consent", &consent),
        Sample::new("device", &device),
        Sample::new("device-consent", &device_consent),
    ]
}

fn messages(words: Words) -> Vec<Sample> {
    let done = Message::done(
        words.of("The command line is signed in"),
        "You can close this window.",
    );
    vec![
        Sample::new("message-not-found", &Message::not_found()),
        Sample::new(
            "message-forbidden",
            &Message::forbidden(&words.of("user:write")),
        ),
        Sample::new("message-too-many", &Message::too_many_requests(30)),
        Sample::new(
            "message-internal",
            &Message::internal(words.of("0199-77aa")),
        ),
        Sample::new("message-done", &done),
    ]
}
