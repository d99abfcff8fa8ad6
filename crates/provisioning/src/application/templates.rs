//! Mappings for applications that we know, as their makers' set-up guides for Entra ask for them.

use std::fmt;
use std::str::FromStr;

use portreeve_mapping::{MappingSet, closest};
use serde::{Deserialize, Serialize};

use super::{DefinitionError, mappings};

/// An application whose mappings are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Template {
    /// Smallstep SSH: POSIX accounts named after the part of the sign-in name before the `@`.
    Smallstep,
    /// StrongDM: groups become its roles.
    Strongdm,
    /// Sign In Enterprise: people who receive visitors.
    SignInEnterprise,
    /// Any application: what Entra maps for an application that is in no gallery.
    Generic,
    /// Portreeve itself: all that Entra maps, and values that are gone at the source are taken away.
    Portreeve,
}

impl Template {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Smallstep,
        Self::Strongdm,
        Self::SignInEnterprise,
        Self::Generic,
        Self::Portreeve,
    ];

    /// What definitions call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Smallstep => "smallstep",
            Self::Strongdm => "strongdm",
            Self::SignInEnterprise => "sign-in-enterprise",
            Self::Generic => "generic",
            Self::Portreeve => "portreeve",
        }
    }

    /// Its mappings in TOML, with remarks for the admin who wants to change them.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Smallstep => include_str!("../../templates/smallstep.toml"),
            Self::Strongdm => include_str!("../../templates/strongdm.toml"),
            Self::SignInEnterprise => include_str!("../../templates/sign-in-enterprise.toml"),
            Self::Generic => include_str!("../../templates/generic.toml"),
            Self::Portreeve => include_str!("../../templates/portreeve.toml"),
        }
    }

    /// Its mappings.
    ///
    /// # Errors
    /// Never with the texts that this program is built with.
    pub fn mapping_set(self) -> Result<MappingSet, DefinitionError> {
        mappings::read(self.text()).map(|read| read.set)
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Template {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|it| it.name() == name);
        found.ok_or_else(|| {
            let names = Self::ALL.map(Self::name);
            match closest(name, names) {
                Some(meant) => format!("there is no template {name}; did you mean {meant}?"),
                None => format!(
                    "there is no template {name}; there are {}",
                    names.join(", ")
                ),
            }
        })
    }
}

#[cfg(test)]
mod tests;
