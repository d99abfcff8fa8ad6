//! Letting the command line in through the browser (RFC 8252): `/auth/cli/authorize` asks whoever is signed in here, and
//! sends a code to the port of this machine on which the command line waits. [`token`] trades it for a session.

mod code;
mod token;

pub(super) use token::{Form, Refused, answer as said, exchange, revoke};

use super::page;
use crate::admin::Object;
use crate::console::{Trouble, Visit, shown};
use axum::body::Body;
use axum::response::Response;
use code::Code;
use http::StatusCode;
use portreeve_console::pages::cli::{Consent, Request};
use portreeve_console::pages::message::Message;
use portreeve_console::{Address, Page, Plain};
use portreeve_directory::Level;
use portreeve_directory::devices::Approval;
use portreeve_directory::events::Category;
use portreeve_directory::sessions::Carrier;
use portreeve_directory::sign_ins::{self, Purpose};
use secrecy::ExposeSecret;

/// The one client there is.
pub(super) const CLIENT: &str = "portreeve-cli";
/// The most characters of a machine's name that are shown.
const NAME: usize = 100;

/// What a command line asks for.
#[derive(Debug, PartialEq, Eq)]
struct Wanted {
    /// The port of this machine on which it waits.
    port: u16,
    /// What it knows its request by (RFC 6749 section 4.1.1).
    state: String,
    /// SHA-256 of what it will prove itself with (RFC 7636 section 4.2).
    challenge: String,
    /// What it calls its machine.
    device: String,
}

/// Asks the person.
pub(super) async fn ask(visit: Visit) -> Response {
    if !is_in_browser(&visit) {
        return only_in_browser();
    }
    let wanted = match Wanted::of(&visit.pairs) {
        Ok(wanted) => wanted,
        Err(wrong) => return unusable(wrong),
    };
    let consent = Consent {
        plain: Plain {
            team: Some(visit.team.name.clone()),
        },
        request: request(&visit, &wanted.device, "this machine".to_owned()),
        action: Address::new("/auth/cli/authorize"),
        values: wanted.values(),
    };
    let mut response = visit.page(&consent);
    page::let_lead_to(&mut response, &format!("http://127.0.0.1:{}", wanted.port));
    response
}

/// Takes the person's answer to the command line.
pub(super) async fn answer(visit: Visit, body: Body) -> Response {
    if !is_in_browser(&visit) {
        return only_in_browser();
    }
    let answered = answered(&visit, body).await;
    visit.or_trouble(answered)
}

async fn answered(visit: &Visit, body: Body) -> Result<Response, Trouble> {
    let form = visit.form(body).await?;
    let wanted = match Wanted::of(form.pairs()) {
        Ok(wanted) => wanted,
        Err(wrong) => return Ok(unusable(wrong)),
    };
    let Some(approval) = approval(visit).filter(|_| form.text("decision") == "approve") else {
        return Ok(wanted.redirect("error", "access_denied"));
    };
    let (admin, id) = (visit.admin.clone(), visit.admin.new_id());
    let code = Code {
        approval,
        redirect_uri: wanted.redirect_uri(),
        challenge: wanted.challenge.clone(),
    };
    let device = wanted.device.clone();
    let secret = visit.change(move |tx| {
        let team_id = &code.approval.team_id;
        let payload = code.to_payload();
        let secret = sign_ins::make(tx, team_id, &id, Purpose::CliCode, &payload, admin.at)?;
        let object = Object {
            kind: "Device",
            id: &id,
            name: &device,
        };
        let what = (Category::Auth, "device_let_in");
        admin.record_in(tx, team_id, what, &object, None)?;
        Ok(secret)
    });
    Ok(wanted.redirect("code", secret.await?.expose_secret()))
}

/// Who lets something in: whoever is signed in to the browser.
pub(super) fn approval(visit: &Visit) -> Option<Approval> {
    Some(Approval {
        team_id: visit.team.id.clone(),
        holder: visit.who.holder.clone()?,
        name: visit.who.name.clone(),
        passkey_id: visit
            .who
            .session
            .as_ref()
            .and_then(|own| own.passkey_id.clone()),
    })
}

/// What is shown of something that asks to be let in.
pub(super) fn request(visit: &Visit, device: &str, address: String) -> Request {
    const DAY: i64 = 24 * 3_600_000_000;
    Request {
        who: visit.who.name.clone(),
        level: shown(visit.who.level.unwrap_or(Level::User)),
        client: match device {
            "" => "portreeve".to_owned(),
            device => format!("portreeve on {device}"),
        },
        address,
        lasts: format!("{} days", Carrier::Cli.lifetime() / DAY),
    }
}

/// Whether somebody is there who can read the page. A token is for a program, and may allow less than its holder may do;
/// it must not become a session that allows everything.
pub(super) fn is_in_browser(visit: &Visit) -> bool {
    let session = visit.who.session.as_ref();
    session.is_some_and(|session| session.carrier == Carrier::Browser)
}

pub(super) fn only_in_browser() -> Response {
    let message = Message::failed(
        "This was not done",
        "A command line is let in by somebody who is signed in to this server in a browser, not with a token.",
    );
    page::html(StatusCode::FORBIDDEN, message.html())
}

fn unusable(wrong: &str) -> Response {
    let text = format!(
        "{wrong}. Run portreeve login again; if it stays so, its version does not fit this server."
    );
    let message = Message::failed("This request to sign in cannot be used", text);
    page::html(StatusCode::BAD_REQUEST, message.html())
}

impl Wanted {
    /// Reads a request (RFC 6749 section 4.1.1, RFC 7636 section 4.3). Nothing wrong is told to its port: whether something
    /// waits there is known only once it is right.
    fn of(pairs: &[(String, String)]) -> Result<Self, &'static str> {
        let one = |name: &str| {
            let mut found = pairs.iter().filter(|(other, _)| other == name);
            match (found.next(), found.next()) {
                (Some((_, value)), None) => value.as_str(),
                _ => "",
            }
        };
        if one("client_id") != CLIENT || one("response_type") != "code" {
            return Err("It does not come from the command line of Portreeve");
        }
        let port = port(one("redirect_uri")).ok_or("It does not lead back to this machine")?;
        let (challenge, state) = (one("code_challenge"), one("state"));
        if one("code_challenge_method") != "S256" || !code::is_challenge(challenge) {
            return Err("It has no proof key (PKCE with S256)");
        }
        if !(8..=512).contains(&state.len()) || !state.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("It has no state");
        }
        Ok(Self {
            port,
            state: state.to_owned(),
            challenge: challenge.to_owned(),
            device: device_name(one("device")),
        })
    }

    fn redirect_uri(&self) -> String {
        format!("http://127.0.0.1:{}/callback", self.port)
    }

    /// What the form sends again.
    fn values(&self) -> Vec<(&'static str, String)> {
        vec![
            ("client_id", CLIENT.to_owned()),
            ("response_type", "code".to_owned()),
            ("redirect_uri", self.redirect_uri()),
            ("state", self.state.clone()),
            ("code_challenge", self.challenge.clone()),
            ("code_challenge_method", "S256".to_owned()),
            ("device", self.device.clone()),
        ]
    }

    fn redirect(&self, name: &str, value: &str) -> Response {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair(name, value)
            .append_pair("state", &self.state)
            .finish();
        page::see(&format!("{}?{query}", self.redirect_uri()), None)
    }
}

/// The port of `http://127.0.0.1:PORT/callback`, the only form of address that a code is sent to (RFC 8252 section 7.3).
fn port(redirect_uri: &str) -> Option<u16> {
    let text = redirect_uri
        .strip_prefix("http://127.0.0.1:")?
        .strip_suffix("/callback")?;
    let port: u16 = text.parse().ok()?;
    (port != 0 && port.to_string() == text).then_some(port)
}

/// What a machine calls itself, as far as it can be shown.
pub(super) fn device_name(text: &str) -> String {
    let shown = text.chars().filter(|c| !c.is_control()).take(NAME);
    shown.collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    fn pairs(change: &[(&str, &str)]) -> Vec<(String, String)> {
        let own = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let mut pairs: Vec<_> = [
            ("client_id", CLIENT),
            ("response_type", "code"),
            ("redirect_uri", "http://127.0.0.1:4711/callback"),
            ("state", "0123456789"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
            ("device", "ada's laptop\n"),
        ]
        .map(|(name, value)| own(name, value))
        .into();
        for (name, value) in change {
            match name.strip_prefix('+') {
                Some(name) => pairs.push(own(name, value)),
                None => {
                    pairs.retain(|(other, _)| other != name);
                    pairs.push(own(name, value));
                }
            }
        }
        pairs
    }

    #[test]
    fn a_request_is_read_or_refused() {
        let good = Wanted {
            port: 4711,
            state: "0123456789".to_owned(),
            challenge: CHALLENGE.to_owned(),
            device: "ada's laptop".to_owned(),
        };
        assert_eq!(Wanted::of(&pairs(&[])), Ok(good));
        let redirect = "redirect_uri";
        for (name, change) in [
            ("another client", ("client_id", "other")),
            ("a token at once", ("response_type", "token")),
            (
                "another machine",
                (redirect, "http://192.0.2.7:4711/callback"),
            ),
            ("a name", (redirect, "http://localhost:4711/callback")),
            (
                "a name that begins so",
                (redirect, "http://127.0.0.1:4711.evil.example/callback"),
            ),
            (
                "somebody at another machine",
                (redirect, "http://127.0.0.1:4711@evil.example/callback"),
            ),
            ("another path", (redirect, "http://127.0.0.1:4711/other")),
            ("a query", (redirect, "http://127.0.0.1:4711/callback?x")),
            ("encrypted", (redirect, "https://127.0.0.1:4711/callback")),
            ("no port", (redirect, "http://127.0.0.1:/callback")),
            ("port 0", (redirect, "http://127.0.0.1:0/callback")),
            (
                "a port with a sign",
                (redirect, "http://127.0.0.1:+80/callback"),
            ),
            (
                "two addresses",
                ("+redirect_uri", "http://127.0.0.1:4712/callback"),
            ),
            ("no proof key", ("code_challenge", "")),
            ("a proof key in clear", ("code_challenge_method", "plain")),
            ("half a proof key", ("code_challenge", &CHALLENGE[1..])),
            ("no state", ("state", "")),
            ("a state that breaks lines", ("state", "01234567\r\nx")),
        ] {
            assert!(Wanted::of(&pairs(&[change])).is_err(), "{name}");
        }
    }
}
