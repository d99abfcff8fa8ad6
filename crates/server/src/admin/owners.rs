//! Local owners, and the links that sign them in.

use super::{Admin, Object};
use crate::app::App;
use portreeve_directory::events::Category;
use portreeve_directory::owners::{self, Owner};
use portreeve_directory::sign_ins::{self, Purpose};
use portreeve_directory::{Refusal, What, holders};
use portreeve_store::{Scope, Tx};
use secrecy::{ExposeSecret, SecretString};

/// A link that signs a local owner in, once.
pub(crate) struct Link {
    /// The owner whom it signs in.
    pub(crate) owner: Owner,
    /// The address; whoever follows it is in.
    pub(crate) url: SecretString,
    /// Until when (microseconds since 1970 UTC).
    pub(crate) expires_at: i64,
}

/// Makes a link that signs in the local owner of that name, who is made if need be.
pub(crate) async fn link(
    app: &App,
    admin: &Admin,
    team: Option<String>,
    name: Option<String>,
) -> Result<Link, Refusal> {
    let base = app.public_url();
    admin
        .change(app, team.as_deref(), move |tx, admin, team| {
            let name = name.as_deref().unwrap_or(owners::DEFAULT_NAME);
            let (owner, is_new) = owners::ensure(tx, &team.id, name, &admin.new_id(), admin.at)?;
            let object = object(&owner);
            if is_new {
                admin.record_in(tx, &team.id, (Category::Admin, "create"), &object, None)?;
            }
            let id = admin.new_id();
            let payload = owner.id.as_bytes();
            let secret = sign_ins::make(tx, &team.id, &id, Purpose::OwnerLink, payload, admin.at)?;
            admin.record_in(tx, &team.id, (Category::Auth, "link_made"), &object, None)?;
            let url = format!("{base}/auth/link/{}", secret.expose_secret());
            Ok(Link {
                owner,
                url: url.into(),
                expires_at: admin.at + Purpose::OwnerLink.lifetime(),
            })
        })
        .await
}

/// A link for the first owner of the first team, as long as it has none. They are made when they follow it, so that a server
/// which nobody has signed in to has nothing in its log.
pub(crate) async fn first_owner(app: &App) -> Result<Option<SecretString>, Refusal> {
    let (admin, base) = (Admin::system(app), app.public_url());
    let made = app.write(Scope::ALL, move |tx| {
        let team = admin.team(tx, None)?;
        if owners::has_any(tx, &team.id)? {
            return Ok(None);
        }
        let id = admin.new_id();
        let secret = sign_ins::make(tx, &team.id, &id, Purpose::OwnerLink, FIRST, admin.at)?;
        let url = format!("{base}/auth/link/{}", secret.expose_secret());
        Ok(Some(SecretString::from(url)))
    });
    made.await
}

/// What a link holds that makes the first owner: no id.
const FIRST: &[u8] = b"";

/// The local owner whom the link of that payload signs in.
pub(crate) fn of_link(
    tx: &mut Tx<'_>,
    admin: &Admin,
    team_id: &str,
    payload: &[u8],
) -> Result<Owner, Refusal> {
    if payload != FIRST {
        return owners::by_id(tx, team_id, &String::from_utf8_lossy(payload));
    }
    let (id, name) = (admin.new_id(), owners::DEFAULT_NAME);
    let (owner, is_new) = owners::ensure(tx, team_id, name, &id, admin.at)?;
    if is_new {
        let what = (Category::Admin, "create");
        admin.record_in(tx, team_id, what, &object(&owner), None)?;
    }
    Ok(owner)
}

/// The local owners of a team.
pub(crate) async fn owners(
    app: &App,
    admin: &Admin,
    team: Option<String>,
) -> Result<Vec<Owner>, Refusal> {
    let read = admin.read(app, team.as_deref(), move |tx, _, team| {
        owners::list(tx, &team.id)
    });
    read.await
}

/// Makes a local owner. Nobody can sign in as them before a link for them is made on the machine itself.
pub(crate) async fn create_owner(
    app: &App,
    admin: &Admin,
    team: Option<String>,
    name: String,
) -> Result<Owner, Refusal> {
    let made = admin.change(app, team.as_deref(), move |tx, admin, team| {
        let (owner, is_new) = owners::ensure(tx, &team.id, &name, &admin.new_id(), admin.at)?;
        if !is_new {
            return Err(Refusal::Conflict {
                what: What::Owner,
                attribute: "name",
            });
        }
        let what = (Category::Admin, "create");
        admin.record_in(tx, &team.id, what, &object(&owner), None)?;
        Ok(owner)
    });
    made.await
}

/// Removes a local owner, with their sessions, passkeys and API tokens; not the last owner of a team.
pub(crate) async fn remove_owner(
    app: &App,
    admin: &Admin,
    team: Option<String>,
    which: String,
) -> Result<(), Refusal> {
    let removed = admin.change(app, team.as_deref(), move |tx, admin, team| {
        let owner = owners::find(tx, &team.id, &which)?;
        holders::forget(tx, &admin.cause(&team.id, None), &owner.id)?;
        owners::delete(tx, &team.id, &owner.id)?;
        let what = (Category::Admin, "delete");
        admin.record_in(tx, &team.id, what, &object(&owner), None)
    });
    removed.await
}

fn object(owner: &Owner) -> Object<'_> {
    Object {
        kind: "Owner",
        id: &owner.id,
        name: &owner.name,
    }
}
