//! `portreeve ssh status`, `hosts`, `login` and `logout`.

use super::certify::{self, Ask, Held};
use super::hosts::{self, Hosts};
use super::place::{HOSTS, KNOWN_HOSTS, Place, WHOLE_CONFIG};
use super::{key, setup};
use crate::contexts::{self, Contexts};
use crate::failure::{Code, Failure};
use crate::login::{self, Way};
use crate::output::{self, Column, Format, Shape};
use crate::{Global, time};
use jiff::Timestamp;
use serde_json::{Value, json};

const STATUS: Shape = Shape {
    columns: &[
        Column::text("Server", "url"),
        Column::text("Signed in", "signed_in"),
        Column::text("Certificate for", "certificate.principals"),
        Column::time("Good until", "certificate.valid_before", ""),
        Column::text("Serial", "certificate.serial"),
        Column::text("Key in", "key"),
        Column::text("Hosts", "hosts.count"),
        Column::time("Asked for", "hosts.asked_at", ""),
        Column::text("For plain ssh", "set_up"),
    ],
    name: "certificate.serial",
};

const HOSTS_LIST: Shape = Shape {
    columns: &[
        Column::text("NAME", "name"),
        Column::text("ACCOUNT", "account"),
        Column::text("SUDO", "sudo"),
        Column::text("THROUGH", "bastion"),
        Column::time("ENDS", "until", ""),
    ],
    name: "name",
};

/// `portreeve ssh login`.
pub(super) fn login(global: &Global, args: &login::Args) -> Result<(), Failure> {
    let mut place = Place::of(&server(global, args)?)?;
    let lock = place.lock(|| eprintln!("Waiting for the certificate that an ssh is getting."))?;
    place.look_again()?;
    let held = certify::renew(&mut place, Ask::Person(args.way()), &lock)?;
    // Those that are kept may be somebody else's.
    hosts::ask(&place)?;
    certify::write_files(&place, &held.0)?;
    output::one(global.output, &STATUS, &status_of(&place, Some(&held)))?;
    if !setup::is_done(&place) {
        output::say(
            global.output,
            "\nLog in with: portreeve ssh HOST\nLet plain ssh use the certificate, too: portreeve ssh setup",
        );
    }
    Ok(())
}

/// The server that a certificate is wanted of: somebody signs in there first, where nobody is by the name that was given.
fn server(global: &Global, args: &login::Args) -> Result<Global, Failure> {
    let contexts = Contexts::load()?;
    let is_signed_in = match (args.server(), global.context.as_deref()) {
        // Whoever is not is asked to when the certificate is.
        (None, _) => true,
        (Some(url), None) => contexts.token_for(url).is_some(),
        (Some(url), Some(name)) => {
            let url = contexts::address(url)?;
            let named = contexts.get(name).filter(|context| context.url == url);
            named.is_some_and(|context| context.token.is_some())
        }
    };
    let (url, context) = match is_signed_in && !args.has_token() {
        true => (args.server().map(str::to_owned), global.context.clone()),
        false => (None, Some(login::sign_in(global, args)?.context)),
    };
    Ok(match (url, context) {
        (None, None) => global.clone(),
        (url, context) => Global {
            // A name says more: several may be signed in at one address.
            url: url.filter(|_| context.is_none()),
            context,
            data: None,
            output: global.output,
        },
    })
}

/// `portreeve ssh status`: what this machine knows, without asking anybody.
pub(super) fn status(global: &Global) -> Result<(), Failure> {
    let place = Place::of(global)?;
    let held = key::usable(&place, time::now());
    output::one(global.output, &STATUS, &status_of(&place, held.as_ref()))?;
    match held {
        Some(_) => Ok(()),
        None => {
            output::say(
                global.output,
                "\nThere is no certificate that is good now; portreeve ssh login gets one.",
            );
            Err(Failure::told(Code::NotSignedIn))
        }
    }
}

fn status_of(place: &Place, held: Option<&Held>) -> Value {
    let now = time::now();
    let certificate = held.map(|(certificate, _)| {
        json!({
            "serial": certificate.serial().to_string(),
            "key_id": certificate.key_id(),
            "principals": certificate.valid_principals(),
            "valid_after": moment(certificate.valid_after()),
            "valid_before": moment(certificate.valid_before()),
        })
    });
    let hosts = Hosts::kept(place, now)
        .map(|hosts| json!({"count": hosts.iter().count(), "asked_at": hosts.asked_at()}));
    json!({
        "context": place.context(),
        "url": place.url,
        "signed_in": place.token.is_some(),
        "certificate": certificate,
        "key": held.map(|(_, keeper)| keeper.name()),
        "hosts": hosts,
        "set_up": setup::is_done(place),
    })
}

/// Seconds since 1970 UTC as a time; what is beyond all times is without end.
fn moment(seconds: u64) -> Option<String> {
    let seconds = i64::try_from(seconds).ok()?;
    Some(Timestamp::from_second(seconds).ok()?.to_string())
}

/// `portreeve ssh hosts`.
pub(super) fn hosts(global: &Global) -> Result<(), Failure> {
    let mut place = Place::of(global)?;
    let items = match hosts::ask(&place) {
        Err(failure) if failure.code == Code::NotSignedIn => {
            // Which gets the certificate that the person will want next, too.
            certify::ready(&mut place, Ask::Person(Way::best()))?;
            hosts::ask(&place)?
        }
        asked => asked?,
    };
    if let Some(certificate) = key::certificate(&place) {
        certify::write_files(&place, &certificate)?;
    }
    if items.is_empty() {
        output::say(
            global.output,
            "There is no host that you may log in to; whoever looks after access can grant it.",
        );
    }
    output::list(global.output, &HOSTS_LIST, &items)
}

/// `portreeve ssh logout`.
pub(super) fn logout(global: &Global) -> Result<(), Failure> {
    let place = Place::of(global)?;
    let had = forget(&place)?;
    if place.token.is_some() && place.context().is_some() {
        return crate::logout::run(global);
    }
    if !had {
        let message = format!("you are not signed in to {}", place.url);
        return Err(Failure::new(Code::NotSignedIn, message));
    }
    if global.output == Format::Table {
        eprintln!("The certificate for {} is forgotten.", place.url);
    }
    Ok(())
}

/// Forgets key, certificate and hosts. Whether there was a certificate.
pub(super) fn forget(place: &Place) -> Result<bool, Failure> {
    for file in [HOSTS, KNOWN_HOSTS, WHOLE_CONFIG] {
        place.remove(file)?;
    }
    key::forget(place)
}
