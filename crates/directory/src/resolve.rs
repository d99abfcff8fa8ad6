//! From what an identity provider says of a person to a user of a directory.
//!
//! The user in the directory is the identity. A key that nobody can change comes first: Entra's `oid`, which is provisioned
//! as `externalId`, then issuer and subject once they were linked. Addresses and names find somebody only where the
//! connection allows it; what they find is linked, so that it is asked once.

use crate::Refusal;
use crate::connections::{Match, Settings};
use crate::holders::{self, Holder};
use portreeve_scim::text::{fold, user_name_key};
use portreeve_store::{Row, Tx, params, statements};
use uuid::Uuid;

statements! {
    BY_EXTERNAL_ID = "SELECT id, external_id FROM users WHERE directory_id = $1 AND external_id = $2 ORDER BY id LIMIT 2";
    BY_SUBJECT = "SELECT u.id, u.external_id FROM subjects s JOIN users u ON u.directory_id = s.directory_id AND u.id = s.user_id WHERE s.directory_id = $1 AND s.issuer = $2 AND s.subject = $3";
    BY_EMAIL = "SELECT u.id, u.external_id FROM user_emails e JOIN users u ON u.directory_id = e.directory_id AND u.id = e.user_id WHERE e.directory_id = $1 AND e.value_key = $2 ORDER BY u.id LIMIT 2";
    BY_USER_NAME = "SELECT id, external_id FROM users WHERE directory_id = $1 AND user_name_key = $2";
    LINKED = "SELECT user_id FROM subjects WHERE directory_id = $1 AND issuer = $2 AND subject = $3";
    LINK = "INSERT INTO subjects (directory_id, issuer, subject, user_id, linked_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (directory_id, issuer, subject) DO UPDATE SET user_id = excluded.user_id, linked_at = excluded.linked_at";
    UNLINK = "DELETE FROM subjects WHERE directory_id = $1 AND user_id = $2";
    SAMPLE = "SELECT external_id FROM users WHERE directory_id = $1 AND external_id IS NOT NULL ORDER BY external_id LIMIT $2";
    ANY = "SELECT 1 FROM users WHERE directory_id = $1 LIMIT 1";
}

/// What a provider says of a person, verified. The issuer is the connection's, and the tenant the pinned one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Claims {
    /// Who says it.
    pub issuer: String,
    /// The person's name there.
    pub subject: String,
    /// Entra's `tid`.
    pub tenant_id: Option<String>,
    /// Entra's `oid`.
    pub object_id: Option<String>,
    /// `email`.
    pub email: Option<String>,
    /// Whether the provider has seen that the address is the person's, where it says so.
    pub email_verified: Option<bool>,
    /// `preferred_username`.
    pub preferred_username: Option<String>,
}

/// By what a user was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// `oid` is the user's `externalId`.
    ObjectId,
    /// Issuer and subject signed in as this user before.
    Linked,
    /// The subject is the user's `externalId`.
    Subject,
    /// `email` is one of the user's addresses.
    Email,
    /// `preferred_username` is the user's `userName`.
    UserName,
}

impl Key {
    /// The name in events and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::ObjectId => "object_id",
            Self::Linked => "linked",
            Self::Subject => "subject",
            Self::Email => "email",
            Self::UserName => "user_name",
        }
    }
}

/// The user that somebody is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// The user.
    pub user_id: String,
    /// The name to show.
    pub name: String,
    /// By what.
    pub by: Key,
}

/// Why somebody is no user. The sentence is for the admin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unresolved {
    /// The only key that the connection has is one that the provider does not send.
    #[error(
        "the ID token has no {claim}, and nobody in the directory is found otherwise ({tried}); let the provider send the claim (Entra: Token configuration, optional claim {claim} of the ID token), or provision externalId with the id that the provider signs in with (Entra: objectId), which needs no {claim}"
    )]
    NoClaim {
        /// `email` or `preferred_username`.
        claim: &'static str,
        /// What was looked for.
        tried: String,
    },
    /// The provider says itself that the address may be another's.
    #[error(
        "the provider says that it has not verified the address {0}, so that it finds nobody; verify it there"
    )]
    EmailNotVerified(String),
    /// Nobody is found.
    #[error(
        "nobody in the directory is found by {0}; see that the person is in scope of provisioning, and by what the connection matches"
    )]
    Unknown(String),
    /// More than one is found.
    #[error("several users of the directory are found by {0}; make it unique at the source")]
    Ambiguous(String),
    /// The address or name is that of somebody else.
    #[error(
        "the user found by {0} has another externalId than the object id that signs in; perhaps the address was given to another person: correct it at the source"
    )]
    SomebodyElse(String),
    /// Neither address nor name says which domain somebody is from, and not every domain may sign in.
    #[error(
        "the ID token has neither an email nor a preferred_username with a domain, and only some domains may sign in; let the provider send one of them, or take the domains out of the connection"
    )]
    NoDomain,
    /// Another domain.
    #[error(
        "{0} is of a domain that may not sign in; add it to the connection's domains if it should"
    )]
    Domain(String),
    /// The user may not do anything now.
    #[error("the user is suspended, at the source or here; restore the user there")]
    Suspended {
        /// The user.
        user_id: String,
    },
}

impl Unresolved {
    /// The reason code for events.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoClaim { claim: "email", .. } => "no_email_claim",
            Self::NoClaim { .. } => "no_user_name_claim",
            Self::EmailNotVerified(_) => "email_not_verified",
            Self::Unknown(_) => "unknown_user",
            Self::Ambiguous(_) => "ambiguous_user",
            Self::SomebodyElse(_) => "different_user",
            Self::NoDomain | Self::Domain(_) => "domain_not_allowed",
            Self::Suspended { .. } => "suspended",
        }
    }

    /// The user whom it is about, where that is known.
    pub fn user_id(&self) -> Option<&str> {
        match self {
            Self::Suspended { user_id } => Some(user_id),
            _ => None,
        }
    }
}

/// Finds the user of a directory that somebody is, or says why there is none who may sign in.
pub fn resolve(
    tx: &mut Tx<'_>,
    (team_id, directory_id): (&str, &str),
    settings: &Settings,
    claims: &Claims,
) -> Result<Result<Resolved, Unresolved>, Refusal> {
    if let Err(refused) = check_domain(settings, claims) {
        return Ok(Err(refused));
    }
    let (user_id, by) = match find(tx, directory_id, settings, claims)? {
        Ok(found) => found,
        Err(unresolved) => return Ok(Err(unresolved)),
    };
    let holder = Holder::User {
        directory_id: directory_id.to_owned(),
        id: user_id.clone(),
    };
    Ok(match holders::standing(tx, team_id, &holder)? {
        Some(standing) => Ok(Resolved {
            user_id,
            name: standing.name,
            by,
        }),
        None => Err(Unresolved::Suspended { user_id }),
    })
}

/// Every address and name that the token has must be of an allowed domain; one it must have.
fn check_domain(settings: &Settings, claims: &Claims) -> Result<(), Unresolved> {
    if settings.domains.is_empty() {
        return Ok(());
    }
    let named = [&claims.email, &claims.preferred_username];
    let mut named = named
        .into_iter()
        .flatten()
        .filter(|name| name.contains('@'))
        .peekable();
    if named.peek().is_none() {
        return Err(Unresolved::NoDomain);
    }
    match named.find(|name| !settings.allows(name)) {
        Some(other) => Err(Unresolved::Domain(other.clone())),
        None => Ok(()),
    }
}

type Found = Result<(String, Key), Unresolved>;

fn find(
    tx: &mut Tx<'_>,
    directory_id: &str,
    settings: &Settings,
    claims: &Claims,
) -> Result<Found, Refusal> {
    let mut search = Search {
        directory_id,
        claims,
        tried: Vec::new(),
    };
    // An object id is one's own only together with its tenant, which is pinned.
    if let (Some(object_id), Some(_)) = (&claims.object_id, &claims.tenant_id)
        && let Some(found) = search.by_external_id(tx, "oid", object_id, Key::ObjectId)?
    {
        return Ok(found);
    }
    let key = params![directory_id, &claims.issuer, &claims.subject];
    if let Some(row) = tx.query_one(BY_SUBJECT, &key)? {
        let what = "the subject linked before".to_owned();
        return search.accept(vec![row], what, Key::Linked);
    }
    search.tried.push("a subject linked before".to_owned());
    if settings.match_by.contains(&Match::Subject)
        && let Some(found) = search.by_external_id(tx, "sub", &claims.subject, Key::Subject)?
    {
        return Ok(found);
    }
    search.by_names(tx, settings)
}

/// A search that remembers what it has looked for.
struct Search<'a> {
    directory_id: &'a str,
    claims: &'a Claims,
    tried: Vec<String>,
}

impl Search<'_> {
    fn by_external_id(
        &mut self,
        tx: &mut Tx<'_>,
        claim: &str,
        value: &str,
        key: Key,
    ) -> Result<Option<Found>, Refusal> {
        let rows = tx.query(BY_EXTERNAL_ID, &params![self.directory_id, value])?;
        let what = format!("externalId = {claim} {value}");
        if rows.is_empty() {
            self.tried.push(what);
            return Ok(None);
        }
        self.accept(rows, what, key).map(Some)
    }

    /// By what the admin allows, which is not a key.
    fn by_names(&mut self, tx: &mut Tx<'_>, settings: &Settings) -> Result<Found, Refusal> {
        let claims = self.claims;
        let mut missing = None;
        for wanted in &settings.match_by {
            let (claim, value) = match wanted {
                Match::Subject => continue,
                Match::Email => ("email", &claims.email),
                Match::UserName => ("preferred_username", &claims.preferred_username),
            };
            let Some(value) = value else {
                missing = missing.or(Some(claim));
                continue;
            };
            let (rows, key) = match wanted {
                Match::Email if claims.email_verified == Some(false) => {
                    return Ok(Err(Unresolved::EmailNotVerified(value.clone())));
                }
                Match::Email => {
                    let by = fold(value);
                    let found = tx.query(BY_EMAIL, &params![self.directory_id, by.as_ref()])?;
                    (found, Key::Email)
                }
                _ => {
                    let by = user_name_key(value);
                    let found = tx.query(BY_USER_NAME, &params![self.directory_id, &by])?;
                    (found, Key::UserName)
                }
            };
            let what = format!("{claim} {value}");
            if !rows.is_empty() {
                return self.accept(rows, what, key);
            }
            self.tried.push(what);
        }
        let tried = self.tried.join(", ");
        Ok(Err(match missing {
            Some(claim) => Unresolved::NoClaim { claim, tried },
            None => Unresolved::Unknown(tried),
        }))
    }

    /// The one user found, unless somebody else has only the same address or name.
    fn accept(&self, mut rows: Vec<Row>, what: String, key: Key) -> Result<Found, Refusal> {
        let (Some(mut row), true) = (rows.pop(), rows.is_empty()) else {
            return Ok(Err(Unresolved::Ambiguous(what)));
        };
        let is_key = matches!(key, Key::ObjectId | Key::Subject);
        let external_id = row.opt_text(1)?.and_then(|id| Uuid::parse_str(id).ok());
        let object_id = self.claims.object_id.as_deref();
        let object_id = object_id.and_then(|id| Uuid::parse_str(id).ok());
        // Both are ids of objects: the provider tells the two people apart, although they have a name in common.
        if !is_key && external_id.is_some() && object_id.is_some() && external_id != object_id {
            return Ok(Err(Unresolved::SomebodyElse(what)));
        }
        Ok(Ok((row.take_text(0)?, key)))
    }
}

/// Remembers that issuer and subject are this user.
pub fn link(
    tx: &mut Tx<'_>,
    directory_id: &str,
    claims: &Claims,
    user_id: &str,
    now: i64,
) -> Result<(), Refusal> {
    let key = params![directory_id, &claims.issuer, &claims.subject];
    if let Some(row) = tx.query_one(LINKED, &key)?
        && row.text(0)? == user_id
    {
        return Ok(());
    }
    let row = params![directory_id, &claims.issuer, &claims.subject, user_id, now];
    Ok(tx.exec(LINK, &row)?)
}

/// Forgets with which accounts a user has signed in.
pub(crate) fn unlink(tx: &mut Tx<'_>, directory_id: &str, user_id: &str) -> Result<(), Refusal> {
    Ok(tx.exec(UNLINK, &params![directory_id, user_id])?)
}

/// What the users of a directory could be found by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Findable {
    /// There are no users yet.
    Nobody,
    /// By `oid`: those that were looked at have an `externalId` in the form of Entra's object ids.
    ByObjectId,
    /// Not by `oid`: their `externalId` is something else, such as Entra's default mapping of `mailNickname`, or missing.
    NotByObjectId,
}

/// Looks at some users of a directory, to say before the first sign-in whether `oid` can find anybody.
pub fn findable(tx: &mut Tx<'_>, directory_id: &str) -> Result<Findable, Refusal> {
    const LOOKED_AT: i64 = 20;
    if tx.query_one(ANY, &params![directory_id])?.is_none() {
        return Ok(Findable::Nobody);
    }
    let rows = tx.query(SAMPLE, &params![directory_id, LOOKED_AT])?;
    let mut ids = rows.len();
    for row in &rows {
        ids -= usize::from(Uuid::parse_str(row.text(0)?).is_err());
    }
    Ok(if ids > 0 && ids * 2 >= rows.len() {
        Findable::ByObjectId
    } else {
        Findable::NotByObjectId
    })
}
