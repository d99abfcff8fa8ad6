//! Passkeys of owners: keep, see and remove them. Browsers make them (`sso/passkey.rs`).

use super::view::At;
use super::{Admin, Object, change};
use crate::app::App;
use portreeve_directory::events::Category;
use portreeve_directory::holders::Holder;
use portreeve_directory::passkeys::{self, New, Passkey};
use portreeve_directory::{Refusal, What, sessions};
use portreeve_passkey::Credential;
use schemars::JsonSchema;
use serde::Serialize;

/// A passkey.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct PasskeyView {
    /// The credential's id.
    pub(crate) id: String,
    /// What its holder calls it.
    pub(crate) name: String,
    /// Whether it may be copied to other devices of its holder.
    pub(crate) backup_eligible: bool,
    /// When it was added.
    pub(crate) created_at: At,
    /// When somebody last signed in with it.
    pub(crate) last_used_at: Option<At>,
}

impl From<&Passkey> for PasskeyView {
    fn from(passkey: &Passkey) -> Self {
        Self {
            id: passkey.id.clone(),
            name: passkey.name.clone(),
            backup_eligible: passkey.backup_eligible,
            created_at: At(passkey.created_at),
            last_used_at: passkey.last_used_at.map(At),
        }
    }
}

/// The passkeys of a holder in the team of whoever asks, the first one first.
pub(crate) async fn of(app: &App, admin: &Admin, holder: &Holder) -> Result<Vec<Passkey>, Refusal> {
    let (admin, id) = (admin.clone(), holder.id().to_owned());
    let read = app.store.read(move |tx| {
        let team = admin.team(tx, None)?;
        passkeys::of_holder(tx, &team.id, &id)
    });
    read.await
}

/// Keeps a passkey whose registration was verified.
pub(crate) async fn add(
    app: &App,
    admin: &Admin,
    holder: Holder,
    made: Credential,
    name: String,
) -> Result<PasskeyView, Refusal> {
    let admin = admin.clone();
    change(app, move |tx| {
        let team = admin.team(tx, None)?;
        let new = New {
            credential_id: &made.id,
            holder: &holder,
            name: &name,
            public_key: &made.public_key,
            counter: made.counter,
            backup_eligible: made.backup_eligible,
        };
        let passkey = passkeys::add(tx, &team.id, &new, admin.at)?;
        let what = (Category::Auth, "passkey_added");
        admin.record_in(tx, &team.id, what, &object(&passkey), None)?;
        Ok(PasskeyView::from(&passkey))
    })
    .await
}

/// Removes a passkey of a holder. The sessions that go back to it end, but for the one in which it is asked for.
pub(crate) async fn remove(
    app: &App,
    admin: &Admin,
    holder: Option<&Holder>,
    id: &str,
) -> Result<(), Refusal> {
    let not_found = || Refusal::NotFound(What::Passkey, id.to_owned());
    let holder_id = holder.ok_or_else(not_found)?.id().to_owned();
    let (admin, id) = (admin.clone(), id.to_owned());
    change(app, move |tx| {
        let team = admin.team(tx, None)?;
        let passkey = passkeys::delete(tx, &team.id, &holder_id, &id)?;
        let what = (Category::Auth, "passkey_removed");
        admin.record_in(tx, &team.id, what, &object(&passkey), None)?;
        let cause = admin.cause(&team.id, passkey.holder.directory_id());
        let own = admin.session_id.as_deref();
        sessions::cut_of_passkey(tx, &cause, &holder_id, &id, own)
    })
    .await
}

fn object(passkey: &Passkey) -> Object<'_> {
    Object {
        kind: "Passkey",
        id: &passkey.id,
        name: &passkey.name,
    }
}
