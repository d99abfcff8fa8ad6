//! What is to become of an object at the target: Entra's deprovisioning matrix as a function.

use serde::{Deserialize, Serialize};

use super::codes::Code;
use crate::source::Kind;

/// What a source, the assignments and the scoping filters say of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// User or group.
    pub kind: Kind,
    /// Whether the source still has it.
    pub presence: Presence,
    /// Whether it is assigned to the application, itself or by a group. True for all where the scope is everybody.
    pub assigned: bool,
    /// Whether the assignment gives a role that the application admits. True where no role is asked for.
    pub has_role: bool,
    /// Whether the scoping filters let it through.
    pub passes_filters: bool,
    /// Whether a person may sign in at the source: Entra's `accountEnabled`. Groups have no such thing.
    pub enabled: bool,
}

/// Whether a source has an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Presence {
    /// It is there.
    Present,
    /// It can come back with the same key: Entra's recycle bin.
    Suspended,
    /// It is gone for good.
    Gone,
}

/// Where an object stands, the weightiest fact first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Standing {
    /// It is to be at the target, and active there.
    InScope,
    /// In scope, and may not sign in.
    Disabled,
    /// It is not, or no longer, to be managed.
    OutOfScope(Outside),
    /// In the recycle bin of the source.
    Suspended,
    /// Gone for good.
    Gone,
}

/// Why an object is not in scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outside {
    /// Not assigned to the application.
    Unassigned,
    /// Assigned without a role that the application admits.
    WithoutRole,
    /// A scoping filter keeps it out.
    Filtered,
}

impl Facts {
    /// Where the object stands.
    #[must_use]
    pub fn standing(&self) -> Standing {
        match self.presence {
            Presence::Gone => Standing::Gone,
            Presence::Suspended => Standing::Suspended,
            Presence::Present if !self.assigned => Standing::OutOfScope(Outside::Unassigned),
            Presence::Present if !self.has_role => Standing::OutOfScope(Outside::WithoutRole),
            Presence::Present if !self.passes_filters => Standing::OutOfScope(Outside::Filtered),
            Presence::Present if self.kind == Kind::User && !self.enabled => Standing::Disabled,
            Presence::Present => Standing::InScope,
        }
    }
}

impl Standing {
    /// The computed source attribute `IsSoftDeleted`, from which the default mappings make `active`.
    #[must_use]
    pub fn is_soft_deleted(self) -> bool {
        self != Self::InScope
    }
}

/// What is known of the object at the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Link {
    /// Nothing there is known to be this object.
    None,
    /// A request to make its resource was sent, or about to be, and nobody knows what came of it. Only looking for it by
    /// the matching attributes tells.
    Sent,
    /// Its resource was disabled when all links were dropped. Looking for it finds it again.
    Dropped,
    /// There is a resource, and it follows the object.
    Managed {
        /// Whether it was last written as disabled.
        disabled: bool,
    },
    /// There is a resource, and it is left alone since the object went out of scope.
    Released,
}

/// What may be done, for the objects of one mapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rules {
    /// Flow type `Add`: whether resources are made.
    pub add: bool,
    /// Flow type `Update`: whether they are changed, and so whether they are disabled.
    pub update: bool,
    /// Flow type `Delete`: whether they are deleted.
    pub delete: bool,
    /// `SkipOutOfScopeDeletions`: who goes out of scope keeps access.
    pub skip_out_of_scope: bool,
    /// How access is taken away while the object may come back.
    pub soft: Soft,
    /// Whether a reference to an object that the target does not have yet is written once it has. Entra forgets it.
    pub late_references: bool,
}

/// How access is taken away while an object may come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Soft {
    /// By `active`, which is mapped.
    Disable,
    /// By deleting the resource. What is always done with groups.
    Delete,
    /// Not at all: `active` is not mapped, and resources are kept.
    Keep,
}

/// What is to be done with an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Action {
    /// Look for it by the matching attributes, and make it where there is none.
    Create,
    /// Take what is linked or matches under management, and make nothing.
    Adopt,
    /// Bring the resource up to date.
    Update,
    /// Write the resource with `IsSoftDeleted`, so that `active` becomes false.
    Disable {
        /// Whether it is left alone from then on.
        release: bool,
    },
    /// Delete the resource.
    Delete,
    /// Leave the resource alone from now on, without a request.
    Release,
    /// Do nothing.
    Skip(Code),
}

/// Decides what is to become of an object.
#[must_use]
pub fn plan(standing: Standing, link: Link, rules: &Rules) -> Action {
    match (standing, link) {
        (Standing::InScope, Link::None | Link::Sent | Link::Dropped) => match rules.add {
            true => Action::Create,
            false => Action::Adopt,
        },
        (Standing::InScope, _) if rules.update => Action::Update,
        (Standing::InScope, Link::Released) => Action::Adopt,
        (Standing::InScope, Link::Managed { .. }) => {
            Action::Skip(Code::EntrySynchronizationSkipped)
        }
        // Nobody who may not sign in is made, and nothing is taken from those whom the target never had.
        (_, Link::None) => Action::Skip(Code::NotEffectivelyEntitled),
        (Standing::Disabled, link) => disabled(link, rules),
        (_, Link::Released) => Action::Skip(Code::NotEffectivelyEntitled),
        (standing, Link::Dropped) => dropped(standing, rules),
        (Standing::OutOfScope(_), link) => out_of_scope(link.is_disabled(), rules),
        (Standing::Suspended, link) => suspended(link.is_disabled(), rules),
        (Standing::Gone, _) if rules.delete => Action::Delete,
        (Standing::Gone, _) => Action::Release,
    }
}

/// Whoever can come back is found again, so that the link is there then. Nobody else is worth a search: the links were
/// dropped because they were not to be trusted.
fn dropped(standing: Standing, rules: &Rules) -> Action {
    match standing {
        Standing::Suspended if rules.update => Action::Update,
        Standing::Suspended => Action::Skip(Code::EntrySynchronizationSkipped),
        _ => Action::Release,
    }
}

/// In scope and linked, and may not sign in. Other attributes go on flowing.
fn disabled(link: Link, rules: &Rules) -> Action {
    match rules.soft {
        Soft::Delete if rules.delete => Action::Delete,
        Soft::Disable if rules.update && !link.is_disabled() => Action::Disable { release: false },
        Soft::Disable | Soft::Keep if rules.update => Action::Update,
        _ => Action::Skip(Code::EntrySynchronizationSkipped),
    }
}

/// Whoever goes out of scope is not managed any more, whatever is sent: a later purge sends nothing.
fn out_of_scope(disabled: bool, rules: &Rules) -> Action {
    match rules.soft {
        _ if rules.skip_out_of_scope => Action::Release,
        Soft::Delete if rules.delete => Action::Delete,
        Soft::Disable if rules.update && !disabled => Action::Disable { release: true },
        _ => Action::Release,
    }
}

fn suspended(disabled: bool, rules: &Rules) -> Action {
    match rules.soft {
        Soft::Delete if rules.delete => Action::Delete,
        Soft::Disable if rules.update && !disabled => Action::Disable { release: false },
        _ => Action::Skip(Code::EntrySynchronizationSkipped),
    }
}

impl Link {
    /// Whether only looking for its resource tells whether there is one.
    #[must_use]
    pub fn is_in_doubt(self) -> bool {
        matches!(self, Self::Sent | Self::Dropped)
    }

    /// Whether its resource was last written as disabled, and follows it.
    #[must_use]
    pub fn is_disabled(self) -> bool {
        matches!(self, Self::Managed { disabled: true } | Self::Dropped)
    }
}

impl Action {
    /// Whether somebody loses access: what the guard against accidental deletions counts.
    #[must_use]
    pub fn takes_access(self) -> bool {
        matches!(self, Self::Disable { .. } | Self::Delete)
    }

    /// What is known of the object once this is done. `standing` is what the action was decided for.
    #[must_use]
    pub fn settled(self, standing: Standing, link: Link) -> Link {
        match self {
            Self::Create | Self::Adopt => Link::Managed { disabled: false },
            Self::Update => Link::Managed {
                disabled: link.is_disabled() && standing.is_soft_deleted(),
            },
            Self::Disable { release: false } => Link::Managed { disabled: true },
            // Nothing that nobody has found can be left alone.
            Self::Release if link.is_in_doubt() => Link::None,
            Self::Disable { release: true } | Self::Release => Link::Released,
            Self::Delete => Link::None,
            Self::Skip(_) => link,
        }
    }

    /// The request that an object without a link takes, now that its match was looked for.
    #[must_use]
    pub fn matched(self, found: bool, rules: &Rules) -> Matched {
        match (self, found) {
            (Self::Create | Self::Adopt, true) if rules.update => Matched::Change,
            (Self::Create | Self::Adopt, true) => Matched::Link,
            (Self::Create, false) => Matched::Make,
            _ => Matched::Skip(Code::EntrySynchronizationSkipped),
        }
    }
}

/// What follows from looking for a match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Matched {
    /// Link what was found and bring it up to date.
    Change,
    /// Link what was found and leave it as it is.
    Link,
    /// Make the resource.
    Make,
    /// Do nothing.
    Skip(Code),
}

/// What is to become of a member or a manager.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reference {
    /// Write it, or take it away.
    Write,
    /// Keep it until the target has what it refers to.
    Wait,
    /// Do not come back to it.
    Forget(Code),
}

/// Decides about a reference: `wanted` or to be taken away, to an object with this link.
#[must_use]
pub fn reference(wanted: bool, other: Link, rules: &Rules) -> Reference {
    match (wanted, other) {
        (true, Link::Managed { .. }) | (false, Link::Managed { .. } | Link::Released) => {
            Reference::Write
        }
        (true, _) if rules.late_references => Reference::Wait,
        (true, _) => Reference::Forget(Code::UnableToResolveReferenceAttributeValue),
        (false, Link::None | Link::Sent | Link::Dropped) => {
            Reference::Forget(Code::RedundantExport)
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
