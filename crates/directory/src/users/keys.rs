//! What of a user is looked up by index.

use portreeve_scim::Resource;
use portreeve_scim::schema::ENTERPRISE;
use portreeve_scim::text::{fold, user_name_key};
use std::collections::BTreeSet;

/// What of a resource is indexed.
#[derive(Debug, Clone)]
pub(super) struct Keys {
    pub(super) user_name: String,
    pub(super) display_name: Option<String>,
    pub(super) manager: Option<String>,
    pub(super) emails: BTreeSet<String>,
}

impl Keys {
    pub(super) fn of(resource: &Resource) -> Self {
        let manager = resource
            .as_map()
            .get(ENTERPRISE)
            .and_then(|e| e.get("manager")?.get("value")?.as_str());
        Self {
            user_name: user_name_key(resource.user_name().unwrap_or_default()),
            display_name: resource.display_name().map(|name| fold(name).into_owned()),
            manager: manager.map(str::to_owned),
            emails: resource
                .emails()
                .map(|email| fold(email).into_owned())
                .collect(),
        }
    }

    /// Whether all that is a column of the user's row is the same.
    pub(super) fn has_columns_of(&self, other: &Self) -> bool {
        (&self.user_name, &self.display_name, &self.manager)
            == (&other.user_name, &other.display_name, &other.manager)
    }
}
