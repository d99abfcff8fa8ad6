//! What an application that is declared over the API may be.
//!
//! Whoever declares one need not be somebody who may read the files of this machine, see its variables or reach the
//! networks that it is in. Therefore secrets are given as text, files are only those of a folder that the server's admin
//! has chosen, and a secret that is kept is sent to nobody else than whom it was given for.

use crate::config;
use portreeve_provisioning::application::secrets::{self, Secrets};
use portreeve_provisioning::application::{Application, Definition, DefinitionError};
use portreeve_provisioning::source::Settings as Source;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use std::path::{Component, Path, PathBuf};

/// Settings that say whom the source's secrets are given to.
const SOURCE: &[&str] = &[
    "/source/type",
    "/source/url",
    "/source/tenant",
    "/source/cloud",
    "/source/login_url",
    "/source/graph_url",
];
/// The same for the target.
const TARGET: &[&str] = &[
    "/target/url",
    "/target/authentication/type",
    "/target/authentication/token_url",
];

/// A definition that was checked.
#[derive(Debug, Clone)]
pub(crate) struct Declared {
    /// What it says, without secrets; this is stored and shown.
    pub(crate) document: Value,
    /// Its secrets, by the settings that they are the values of.
    pub(crate) secrets: Secrets,
    /// What it means.
    pub(crate) definition: Definition,
    /// What a cycle needs of it.
    pub(crate) application: Application,
}

/// Why a definition cannot be used here, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Unusable(pub(super) String);

impl From<DefinitionError> for Unusable {
    fn from(error: DefinitionError) -> Self {
        Self(error.to_string())
    }
}

/// What was declared before, with its secrets; nothing for a new application.
#[derive(Debug, Default)]
pub(crate) struct Before {
    pub(crate) document: Value,
    pub(crate) secrets: Secrets,
}

impl Declared {
    /// Checks a definition. Secrets that it does not say stay those of `before`, where they are given to the same.
    pub(crate) fn check(
        mut document: Value,
        id: &str,
        before: &Before,
        allowed: &config::Applications,
    ) -> Result<Self, Unusable> {
        if let Some(setting) = secrets::kept_elsewhere(&document).first() {
            return Err(invalid(format!(
                "{setting}: a server reads no file and no variable that a definition names; write the text itself (a secret is stored encrypted)"
            )));
        }
        let mut given = secrets::take(&mut document);
        let withheld = before.lend(&document, &mut given);
        let mut whole = document.clone();
        secrets::put(&mut whole, &given);
        let definition = Definition::from_json(&whole).map_err(|error| match withheld {
            Some(setting) => invalid(format!(
                "{setting}: it goes to somebody else now, so the stored secret is not used any more; give it again ({error})"
            )),
            None => error.into(),
        })?;
        allowed_here(&definition, allowed)?;
        let application = definition.compile(id, &folder(allowed))?;
        Ok(Self {
            document,
            secrets: secrets::take(&mut whole),
            definition,
            application,
        })
    }
}

impl Declared {
    /// The settings whose secret is another one than before.
    pub(crate) fn new_secrets<'a>(&'a self, before: &'a Secrets) -> impl Iterator<Item = &'a str> {
        let same = |setting: &str, secret: &SecretString| {
            let kept = before.get(setting).map(ExposeSecret::expose_secret);
            kept == Some(secret.expose_secret())
        };
        let secrets = self.secrets.iter();
        secrets
            .filter(move |(setting, secret)| !same(setting, secret))
            .map(|(setting, _)| setting.as_str())
    }
}

impl Before {
    /// Adds the secrets that a new definition does not say to those that it gives. Returns one that it is not lent,
    /// because it would be shown to somebody else.
    fn lend<'a>(&'a self, document: &Value, given: &mut Secrets) -> Option<&'a str> {
        let same_source = same(&self.document, document, SOURCE);
        let same_target = same(&self.document, document, TARGET);
        let mut withheld = None;
        for (setting, secret) in &self.secrets {
            let same = match setting.starts_with("target.") {
                true => same_target,
                false => same_source,
            };
            if given.contains_key(setting) {
                continue;
            }
            if same {
                given.insert(setting.clone(), secret.clone());
            } else {
                withheld = Some(setting.as_str());
            }
        }
        withheld
    }
}

/// Whether two definitions agree in these settings.
fn same(one: &Value, other: &Value, settings: &[&str]) -> bool {
    let agree = |setting: &&str| {
        let said = |document: &Value| {
            document
                .pointer(setting)
                .filter(|it| !it.is_null())
                .cloned()
        };
        said(one) == said(other)
    };
    settings.iter().all(agree)
}

/// Where the paths of a source that is files begin. Without a folder that is allowed there is none that is read.
pub(super) fn folder(allowed: &config::Applications) -> PathBuf {
    allowed.files.clone().unwrap_or_default()
}

/// Refuses what only the admin of the machine may allow. To be asked again whenever files are opened, because links
/// among them may have changed.
pub(super) fn allowed_here(
    definition: &Definition,
    allowed: &config::Applications,
) -> Result<(), Unusable> {
    if definition.target.allow_private_addresses && !allowed.private_addresses {
        return Err(invalid(
            "target.allow_private_addresses: this server provisions into no private networks; leave it out, or have the server started with --applications-private-addresses yes",
        ));
    }
    if let Source::Graph(graph) = &definition.source
        && (graph.login_url.is_some() || graph.graph_url.is_some())
        && !allowed.private_addresses
    {
        return Err(invalid(
            "source: this server reads Microsoft Graph at Microsoft's addresses only; leave login_url and graph_url out, or have the server started with --applications-private-addresses yes",
        ));
    }
    let paths: Vec<&Path> = match &definition.source {
        Source::Csv(csv) => [
            Some(&csv.users),
            csv.groups.as_ref(),
            csv.memberships.as_ref(),
        ]
        .into_iter()
        .flatten()
        .map(PathBuf::as_path)
        .collect(),
        Source::Jsonl(lines) => [Some(&lines.users), lines.groups.as_ref()]
            .into_iter()
            .flatten()
            .map(PathBuf::as_path)
            .collect(),
        _ => return Ok(()),
    };
    let Some(folder) = &allowed.files else {
        return Err(invalid(
            "source: this server reads no files; have it started with --applications-files DIR and put them there, or run the application with portreeve app run FILE.toml where they are",
        ));
    };
    paths.into_iter().try_for_each(|path| below(folder, path))
}

/// Refuses a path that leads out of the folder, also through a link.
fn below(folder: &Path, path: &Path) -> Result<(), Unusable> {
    let plain = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
    let outside = || {
        invalid(format!(
            "source: {} is not below the folder whose files this server reads (--applications-files); give a path that is relative to it",
            path.display()
        ))
    };
    if path.as_os_str().is_empty() || !path.components().all(plain) {
        return Err(outside());
    }
    match (folder.canonicalize(), folder.join(path).canonicalize()) {
        (Ok(folder), Ok(file)) if !file.starts_with(&folder) => Err(outside()),
        // What is not there is told when it is read.
        _ => Ok(()),
    }
}

fn invalid(reason: impl Into<String>) -> Unusable {
    Unusable(reason.into())
}
