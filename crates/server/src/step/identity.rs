//! X.509 certificates: those that come beside SSH certificates, by which people and hosts are known here, and those that
//! programs ask for.

use super::ask::{Ask, Peer};
use super::prove::{Person, Proof};
use super::reply::Refused;
use crate::ca::{self, By};
use jiff::Timestamp;
use portreeve_directory::certificates::Whose;
use portreeve_directory::holders;
use portreeve_directory::identities::{self, Identity};
use portreeve_store::Scope;
use portreeve_x509::authority::MAX_COMMON_NAME;
use portreeve_x509::chain::to_pem;
use portreeve_x509::{Details, Leaf, Name, Request, Usage};

/// A certificate that is to be made.
pub(crate) struct Wanted {
    /// Whose key (SubjectPublicKeyInfo, DER).
    pub(crate) public_key: Vec<u8>,
    pub(crate) subject: String,
    pub(crate) names: Vec<Name>,
    pub(crate) whose: Whose,
    pub(crate) provisioner: Option<String>,
    pub(crate) valid_after: Timestamp,
    pub(crate) valid_before: Timestamp,
}

/// A certificate, and what signed it (PEM).
pub(crate) struct Made {
    /// Hexadecimal, in lower case.
    pub(crate) serial: String,
    pub(crate) leaf: String,
    pub(crate) above: Vec<String>,
}

impl Made {
    /// The whole chain.
    pub(crate) fn chain(self) -> Vec<String> {
        let mut chain = vec![self.leaf];
        chain.extend(self.above);
        chain
    }
}

/// What a request for an identity certificate beside an SSH certificate gets. The names that it asks for count for nothing,
/// except for the id that a host gives itself.
pub(super) fn beside(
    request: Request,
    proof: &Proof,
    whose: Whose,
    provisioner: &str,
    (valid_after, valid_before): (Timestamp, Timestamp),
) -> Wanted {
    let (subject, mut names) = match proof {
        Proof::Person(person) => (person.name.clone(), names_of(person)),
        Proof::Word { claims, .. } => (claims.sub.clone(), vec![Name::of(&claims.sub)]),
        Proof::Certificate(shown) => {
            let key_id = shown.signed.key_id();
            (key_id.to_owned(), vec![Name::of(key_id)])
        }
    };
    let is_id = |name: &Name| matches!(name, Name::Uri(uri) if uri.starts_with("urn:uuid:"));
    names.extend(request.names.into_iter().filter(is_id).take(1));
    Wanted {
        public_key: request.public_key,
        subject,
        names,
        whose,
        provisioner: Some(provisioner.to_owned()),
        valid_after,
        valid_before,
    }
}

fn names_of(person: &Person) -> Vec<Name> {
    let claims = &person.claims;
    let email = claims.email.iter().filter(|email| email.contains('@'));
    let email = email.map(|email| Name::Email(email.clone()));
    let subject = Name::Uri(format!("{}#{}", claims.issuer, claims.subject));
    // What cannot stand in a certificate is left out; nothing rests on it.
    email
        .chain([subject])
        .filter(|name| name.to_string().is_ascii())
        .collect()
}

/// The same again for who has a certificate, and perhaps for another key: as long as before, from now.
pub(super) fn again(peer: Peer, public_key: Option<Vec<u8>>, now: Timestamp) -> Wanted {
    let Details {
        common_name,
        names,
        public_key: before,
        valid_after,
        valid_before,
        ..
    } = peer.details;
    let begins = now - jiff::SignedDuration::from_mins(1);
    Wanted {
        public_key: public_key.unwrap_or(before),
        subject: common_name,
        names,
        whose: peer.whose,
        provisioner: None,
        valid_after: begins,
        valid_before: begins
            .saturating_add(valid_before.duration_since(valid_after))
            .unwrap_or(begins),
    }
}

/// Makes a certificate and writes it down; it is given to nobody before.
pub(crate) async fn make(ask: &Ask, by: &By, wanted: Wanted) -> Result<Made, Refused> {
    let keyring = ask.app.keyring(&ask.team_id).await?;
    let issuer = keyring.issuer()?;
    let common_name: String = wanted.subject.chars().take(MAX_COMMON_NAME).collect();
    let leaf = issuer.leaf(&Leaf {
        public_key: &wanted.public_key,
        common_name: &common_name,
        names: &wanted.names,
        usage: Usage::Both,
        serial: ca::random()?,
        valid_after: wanted.valid_after,
        valid_before: wanted.valid_before,
    })?;
    let details = Details::read(&leaf)?;
    let identity = Identity {
        serial: details.serial,
        subject: common_name,
        whose: wanted.whose,
        provisioner: wanted.provisioner,
        issued_at: ask.at,
        not_after: details.valid_before.as_microsecond(),
        revoked_at: None,
    };
    let serial = identity.serial.clone();
    let (team_id, by) = (ask.team_id.clone(), by.clone());
    let scope = Scope::of(identity.whose.directory_id().unwrap_or(&ask.team_id));
    let written = ask.app.write(scope, move |tx| {
        // In the part of the database in which somebody is suspended, so that either is seen by the other.
        if let Whose::Holder(holder) = &identity.whose
            && holders::standing(tx, &team_id, holder)?.is_none()
        {
            return Ok(false);
        }
        let cause = by.cause(&team_id, identity.whose.directory_id());
        identities::record(tx, &cause, &identity)?;
        Ok(true)
    });
    if !written.await? {
        let why = "your account is suspended; ask an admin of your team";
        return Err(Refused::forbidden("suspended", why));
    }
    Ok(Made {
        serial,
        leaf: to_pem(&leaf),
        above: keyring.chain.iter().map(|one| to_pem(one)).collect(),
    })
}
