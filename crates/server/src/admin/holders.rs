//! Who holds a session or a token, as it is shown.

use portreeve_directory::Refusal;
use portreeve_directory::holders::{self, Holder};
use portreeve_store::Tx;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::HashMap;

/// A user, a local owner or a service account.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct HolderView {
    /// `user`, `owner` or `service`.
    pub(crate) kind: &'static str,
    pub(crate) id: String,
    /// The directory of a user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) directory_id: Option<String>,
    /// What people call them; who is gone has no name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
}

/// Names of holders, each looked up once.
#[derive(Debug, Default)]
pub(super) struct Names(HashMap<Holder, Option<String>>);

impl Names {
    /// A holder with the name.
    pub(super) fn view(
        &mut self,
        tx: &mut Tx<'_>,
        team_id: &str,
        holder: &Holder,
    ) -> Result<HolderView, Refusal> {
        let name = match self.0.get(holder) {
            Some(known) => known.clone(),
            None => {
                let name = holders::name(tx, team_id, holder)?;
                self.0.insert(holder.clone(), name.clone());
                name
            }
        };
        Ok(HolderView {
            kind: holder.kind(),
            id: holder.id().to_owned(),
            directory_id: holder.directory_id().map(str::to_owned),
            name,
        })
    }
}
