//! Who is told of visitors, and what: mails and webhooks, written in the transaction of what they tell of.
//!
//! Whoever is visited is told at the addresses that are theirs. Where nobody is known, or nobody can be told, the fallback
//! of the location is. The program of a location hears of everything besides.

mod follow;
mod text;

pub(crate) use follow::ALL;
pub use follow::{follow, turned};

use crate::Refusal;
use crate::directories;
use crate::events::Cause;
use crate::mails;
use crate::users::User;
use crate::visit_locations::{Location, zone};
use crate::visitor_hosts::{self, Visibility};
use crate::visits::Visit;
use crate::webhooks;
use jiff::Timestamp;
use portreeve_store::Tx;
use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde_json::json;
use text::{Facts, Occasion};

/// A visit that somebody is to be told of.
#[derive(Debug, Clone, Copy)]
pub struct Notice<'a> {
    /// Where people reach this server, without a slash at the end: links in mails begin with it.
    pub base: &'a str,
    /// Whether mails can be sent. Without a mail server none is written down.
    pub mails: bool,
    /// Where.
    pub location: &'a Location,
    /// The visit as it is after what is told.
    pub visit: &'a Visit,
}

/// Who is told of a visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// Whoever is visited.
    VisitorHost,
    /// Whoever the location has for those who cannot be told.
    Fallback,
    /// No person; only the program of the location.
    Program,
    /// Nobody.
    Nobody,
}

/// A visitor has signed in. `answer` is the secret by which whoever reads the mail answers.
pub fn arrived(
    tx: &mut Tx<'_>,
    cause: &Cause<'_>,
    notice: &Notice<'_>,
    answer: &SecretString,
) -> Result<Told, Refusal> {
    let link = format!("{}/visit/answer/{}", notice.base, answer.expose_secret());
    let addresses = addresses(tx, cause.team_id, notice.visit)?;
    let occasion = match (&notice.visit.host, addresses.is_empty()) {
        (None, _) => Occasion::NobodyNamed,
        (Some(_), true) => Occasion::NotReached,
        (Some(_), false) => Occasion::Arrived,
    };
    tell(tx, cause, notice, (occasion, &addresses), Some(&link))
}

/// A visitor is expected, as somebody else has said.
pub fn expected(tx: &mut Tx<'_>, cause: &Cause<'_>, notice: &Notice<'_>) -> Result<Told, Refusal> {
    let addresses = addresses(tx, cause.team_id, notice.visit)?;
    let occasion = match notice.visit.host {
        Some(_) => Occasion::Expected,
        None => Occasion::ExpectedByNobody,
    };
    tell(tx, cause, notice, (occasion, &addresses), None)
}

/// The addresses of whoever is visited; none where they cannot be found any more.
fn addresses(tx: &mut Tx<'_>, team_id: &str, visit: &Visit) -> Result<Vec<String>, Refusal> {
    let Some((directory_id, user_id)) = &visit.host else {
        return Ok(Vec::new());
    };
    let Some(user) = visible(tx, team_id, (directory_id, user_id))? else {
        return Ok(Vec::new());
    };
    let own = visitor_hosts::own(tx, directory_id, user_id)?;
    Ok(visitor_hosts::told(&user.parsed()?, &own))
}

/// Somebody of a directory of the team, if visitors can find them.
fn visible(
    tx: &mut Tx<'_>,
    team_id: &str,
    (directory_id, user_id): (&str, &str),
) -> Result<Option<User>, Refusal> {
    let found = directories::find_in(tx, team_id, directory_id).and_then(|directory| {
        let user = visitor_hosts::find(tx, &directory, user_id)?;
        let visibility = visitor_hosts::visibility(tx, &directory, user_id, user.status)?;
        Ok((visibility == Visibility::Visible).then_some(user))
    });
    match found {
        Err(Refusal::NotFound(..)) => Ok(None),
        found => found,
    }
}

fn tell(
    tx: &mut Tx<'_>,
    cause: &Cause<'_>,
    notice: &Notice<'_>,
    (occasion, addresses): (Occasion, &[String]),
    link: Option<&str>,
) -> Result<Told, Refusal> {
    let settings = &notice.location.settings;
    let (whom, recipients): (Told, Vec<&str>) = match (addresses, &settings.fallback) {
        _ if !notice.mails => (Told::Nobody, Vec::new()),
        ([], None) => (Told::Nobody, Vec::new()),
        ([], Some(fallback)) => (Told::Fallback, vec![&fallback.email]),
        (all, _) => (Told::VisitorHost, all.iter().map(String::as_str).collect()),
    };
    if !recipients.is_empty() {
        let facts = facts(notice, link)?;
        let said = text::compose(occasion, &facts);
        for recipient in recipients {
            let now = cause.clock.now();
            let new = mails::New {
                id: &cause.ids.next(now).to_string(),
                recipient,
                subject: &said.subject,
                body: &said.body,
            };
            mails::add(tx, cause.team_id, &new, now)?;
        }
    }
    let Some(url) = &settings.webhook else {
        return Ok(whom);
    };
    let whom = match whom {
        Told::Nobody => Told::Program,
        person => person,
    };
    let now = cause.clock.now();
    let new = webhooks::New {
        id: &cause.ids.next(now).to_string(),
        location_id: &notice.location.id,
        url,
        body: &message(notice, occasion, whom, cause.at),
    };
    webhooks::add(tx, cause.team_id, &new, now)?;
    Ok(whom)
}

fn facts<'a>(notice: &'a Notice<'_>, link: Option<&'a str>) -> Result<Facts<'a>, Refusal> {
    let (location, visit) = (notice.location, notice.visit);
    let zone = zone(&location.settings.time_zone)?;
    let when = time(visit.at)
        .to_zoned(zone)
        .strftime("%Y-%m-%d %H:%M (%Z)");
    Ok(Facts {
        language: location.settings.languages.first().copied(),
        visitor: &visit.visitor_name,
        company: &visit.company,
        purpose: &visit.purpose,
        visitor_host: &visit.host_name,
        location: &location.name,
        when: when.to_string(),
        link,
    })
}

/// What a program is told.
fn message(notice: &Notice<'_>, occasion: Occasion, told: Told, at: i64) -> String {
    let (location, visit) = (notice.location, notice.visit);
    let host = visit.host.as_ref().map(
        |(directory, id)| json!({"id": id, "directory_id": directory, "name": visit.host_name}),
    );
    json!({
        "event": occasion.event(),
        "at": time(at).to_string(),
        "location": {"id": location.id, "name": location.name},
        "visit": {
            "id": visit.id,
            "state": visit.state,
            "visitor_name": visit.visitor_name,
            "company": visit.company,
            "purpose": visit.purpose,
            "visitor_host": host,
            "expected_at": visit.expected_at.map(|at| time(at).to_string()),
            "came_at": visit.came_at.map(|at| time(at).to_string()),
        },
        "told": told,
    })
    .to_string()
}

fn time(at: i64) -> Timestamp {
    Timestamp::from_microsecond(at).unwrap_or(Timestamp::UNIX_EPOCH)
}
