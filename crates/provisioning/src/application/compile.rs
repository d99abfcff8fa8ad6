//! From a definition to an application: everything that can be checked without asking anybody.

use std::collections::HashSet;
use std::path::Path;

use portreeve_mapping::lint::Finding;
use portreeve_mapping::mapping::{FlowAction, MappingError, TargetKind};
use portreeve_mapping::{MappingSet, Mappings, ObjectMapping};
use portreeve_scim::Catalog;

use super::{Application, Definition, ObjectRules, Scope};
use crate::engine::plan::{Rules, Soft};
use crate::source::{self, Kind, graph};
use crate::target::TenantUrl;

/// The longest name of an application, in characters.
const LONGEST_NAME: usize = 100;

/// The source attribute that stands for the members of a group.
const MEMBERS: &str = "members";

/// Why a definition cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DefinitionError {
    /// The text says something that cannot be read.
    #[error("{}{problem}", .line.map(|line| format!("line {line}: ")).unwrap_or_default())]
    Text {
        /// The line, from 1, where it is known.
        line: Option<usize>,
        /// What is wrong there, and what may be meant.
        problem: String,
    },
    /// A setting has a value that cannot work.
    #[error("{setting}: {problem}")]
    Setting {
        /// Its name, with dots between levels.
        setting: &'static str,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// A file that the definition names cannot be used.
    #[error("{file}: {problem}")]
    File {
        /// The file.
        file: String,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// Mappings cannot be used.
    #[error("{}", mistakes(.0))]
    Mappings(Vec<(String, MappingError)>),
}

fn mistakes(errors: &[(String, MappingError)]) -> String {
    let lines: Vec<String> = errors
        .iter()
        .map(|(object, error)| format!("mapping of {object}: {error}"))
        .collect();
    lines.join("; ")
}

impl DefinitionError {
    /// A setting whose value cannot work.
    pub(super) fn setting(setting: &'static str, problem: impl Into<String>) -> Self {
        Self::Setting {
            setting,
            problem: problem.into(),
        }
    }
}

impl Definition {
    /// Checks the definition and gives what a cycle needs. `folder` is where relative paths begin.
    ///
    /// # Errors
    /// The first setting that cannot work, or everything that is wrong with the mappings.
    pub fn compile(&self, id: &str, folder: &Path) -> Result<Application, DefinitionError> {
        let set = self.mapping_set(folder)?;
        let (users, groups) = self.objects(&set)?;
        if users.is_none() && groups.is_none() {
            return Err(DefinitionError::setting(
                "mappings",
                "neither users nor groups are mapped, so there is nothing to do; map one of them",
            ));
        }
        Ok(Application {
            id: id.to_owned(),
            name: self.checked_name()?,
            users,
            groups,
            assigned_only: self.assigned_only()?,
            required_roles: self.required_roles.clone(),
            late_references: self.late_references,
            expand_nested_groups: self.expand_nested_groups,
            drift: self.drift,
            guard_threshold: self
                .accidental_deletions
                .enabled
                .then_some(self.accidental_deletions.threshold),
            thresholds: self.quarantine,
            interval: self.interval,
            notify: self.checked_notify()?,
            source_name: self.source_name(),
            target_name: self.target_name()?,
            default_domain: self.default_domain.clone(),
        })
    }

    /// What is doubtful about the mappings, the worst first; see [`super::lint`].
    ///
    /// # Errors
    /// The mappings cannot be read.
    pub fn lint(&self, folder: &Path) -> Result<Vec<Finding>, DefinitionError> {
        let set = self.mapping_set(folder)?;
        Ok(portreeve_mapping::lint::check(&set, &Catalog::standard()))
    }

    fn objects(
        &self,
        set: &MappingSet,
    ) -> Result<(Option<ObjectRules>, Option<ObjectRules>), DefinitionError> {
        let catalog = Catalog::standard();
        let (mut users, mut groups) = (None, None);
        let mut errors = Vec::new();
        for object in set.object_mappings.iter().filter(|object| object.enabled) {
            let (kind, resource, place) = match object.target.to_ascii_lowercase().as_str() {
                "user" => (Kind::User, catalog.user(), &mut users),
                "group" => (Kind::Group, catalog.group(), &mut groups),
                _ => {
                    let problem = format!(
                        "there is no resource type {:?} to map to; there are User and Group",
                        object.target
                    );
                    return Err(DefinitionError::setting("mappings", problem));
                }
            };
            if place.is_some() {
                let problem = format!(
                    "{} is mapped twice; put all into one mapping, or set enabled = false on the other",
                    object.target
                );
                return Err(DefinitionError::setting("mappings", problem));
            }
            match Mappings::compile(object, resource) {
                Ok(mappings) => *place = Some(self.rules(kind, object, mappings)?),
                Err(found) => {
                    errors.extend(
                        found
                            .into_iter()
                            .map(|error| (object.target.clone(), error)),
                    );
                }
            }
        }
        match errors.is_empty() {
            true => Ok((users, groups)),
            false => Err(DefinitionError::Mappings(errors)),
        }
    }

    fn rules(
        &self,
        kind: Kind,
        object: &ObjectMapping,
        mappings: Mappings,
    ) -> Result<ObjectRules, DefinitionError> {
        let matching = mappings.iter().any(|mapping| mapping.matching_priority > 0);
        if !matching {
            let problem = format!(
                "no attribute of {} is used for matching, so nobody who is there already would be found; give one matchingPriority = 1",
                object.target
            );
            return Err(DefinitionError::setting("mappings", problem));
        }
        let may = |action| object.flow_types.contains(&action);
        let rules = Rules {
            add: may(FlowAction::Add),
            update: may(FlowAction::Update),
            delete: may(FlowAction::Delete),
            skip_out_of_scope: self.skip_out_of_scope_deletions,
            soft: self.soft(kind, &mappings)?,
            late_references: self.late_references,
        };
        let members = match kind {
            Kind::User => None,
            Kind::Group => members(&mappings),
        };
        Ok(ObjectRules {
            mappings,
            rules,
            members,
        })
    }

    fn soft(&self, kind: Kind, mappings: &Mappings) -> Result<Soft, DefinitionError> {
        let by_active = mappings
            .iter()
            .any(|mapping| mapping.target.canonical == "active" && mapping.source.is_some());
        match (kind, self.deprovisioning.users, self.deprovisioning.groups) {
            (Kind::User, None, _) if by_active => Ok(Soft::Disable),
            (Kind::User, None, _) => Ok(Soft::Keep),
            (Kind::User, Some(Soft::Disable), _) if !by_active => Err(DefinitionError::setting(
                "deprovisioning.users",
                "people can be disabled only where active is mapped; map Not([IsSoftDeleted]) to it, or take \"delete\" or \"keep\"",
            )),
            (Kind::User, Some(soft), _) => Ok(soft),
            (Kind::Group, _, None) => Ok(Soft::Delete),
            (Kind::Group, _, Some(Soft::Disable)) => Err(DefinitionError::setting(
                "deprovisioning.groups",
                "a group cannot be disabled; take \"delete\" or \"keep\"",
            )),
            (Kind::Group, _, Some(soft)) => Ok(soft),
        }
    }

    fn assigned_only(&self) -> Result<bool, DefinitionError> {
        match self.source() {
            source::Settings::Graph(graph) => Ok(graph.scope == graph::Scope::Assigned),
            _ if self.scope == Some(Scope::Assigned) => Err(DefinitionError::setting(
                "scope",
                "this source knows no assignments, so nobody would be provisioned; take \"all\" and choose people with a scoping filter in the mappings",
            )),
            _ if !self.required_roles.is_empty() => Err(DefinitionError::setting(
                "required_roles",
                "this source knows no assignments and so no roles, and nobody would be provisioned; leave it out",
            )),
            _ => Ok(false),
        }
    }

    fn checked_name(&self) -> Result<String, DefinitionError> {
        let name = self.name.trim();
        let plain = !name.chars().any(char::is_control);
        match !name.is_empty() && plain && name.chars().count() <= LONGEST_NAME {
            true => Ok(name.to_owned()),
            false => Err(DefinitionError::setting(
                "name",
                format!("a name has 1 to {LONGEST_NAME} characters on one line"),
            )),
        }
    }

    fn checked_notify(&self) -> Result<Vec<String>, DefinitionError> {
        let mut known = HashSet::new();
        let mut addresses = Vec::new();
        for address in &self.notify {
            let address = address.trim();
            let parts = address.rsplit_once('@');
            let whole = parts.is_some_and(|(local, domain)| {
                !local.is_empty() && !domain.is_empty() && !address.contains(char::is_whitespace)
            });
            if !whole {
                let problem = format!("{address:?} is no mail address");
                return Err(DefinitionError::setting("notify", problem));
            }
            if known.insert(address.to_lowercase()) {
                addresses.push(address.to_owned());
            }
        }
        Ok(addresses)
    }

    /// The name of the source for people.
    #[must_use]
    pub fn source_name(&self) -> String {
        let file = |path: &Path| {
            let name = path.file_name().unwrap_or(path.as_os_str());
            name.to_string_lossy().into_owned()
        };
        match &self.source {
            source::Settings::Csv(settings) => file(&settings.users),
            source::Settings::Jsonl(settings) => file(&settings.users),
            source::Settings::Ldap(settings) => settings.url.clone(),
            source::Settings::Directory(settings) => settings.directory.clone(),
            source::Settings::Graph(settings) => {
                format!("Microsoft Entra ID ({})", settings.tenant.trim())
            }
        }
    }

    /// The name of the target for people: the tenant URL without its query.
    ///
    /// # Errors
    /// It is no URL that a target can have.
    pub fn target_name(&self) -> Result<String, DefinitionError> {
        let url = TenantUrl::parse(&self.target.url)
            .map_err(|error| DefinitionError::setting("target.url", error.to_string()))?;
        let url = url.to_string();
        Ok(url.split('?').next().unwrap_or(&url).to_owned())
    }
}

/// What the members of a group are written to.
fn members(mappings: &Mappings) -> Option<String> {
    let from_members = mappings.iter().find(|mapping| {
        let source = mapping.source.as_ref().map(|it| it.attributes());
        let is_members = source.is_some_and(|names| names == [MEMBERS]);
        is_members && mapping.target.kind == TargetKind::Reference && mapping.target.multi_valued
    });
    from_members.map(|mapping| mapping.target.canonical.clone())
}
