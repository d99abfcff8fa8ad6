//! The secrets of a definition, taken out of its JSON to be kept apart and put back to be used.

use std::collections::BTreeMap;
use std::path::Path;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::secret::{Secret, SecretError};

/// Every setting that holds a [`Secret`].
const SECRETS: [&str; 7] = [
    "source.password",
    "source.client_secret",
    "source.certificate",
    "source.private_key",
    "target.authentication.token",
    "target.authentication.password",
    "target.authentication.client_secret",
];

/// Settings that may name a file of this machine, besides secrets. Those of sources that are files are not among them.
const FILES: [&str; 2] = ["mappings", "source.ca_file"];

/// Secrets by the setting that they are the value of, such as `target.authentication.token`.
pub type Secrets = BTreeMap<String, SecretString>;

/// Takes every secret that is given as text out of a definition. What remains may be stored and shown.
pub fn take(document: &mut Value) -> Secrets {
    let mut taken = Secrets::new();
    for setting in SECRETS {
        let Some((parent, name)) = parent_of(document, setting) else {
            continue;
        };
        if parent.get(name).is_some_and(Value::is_string)
            && let Some(Value::String(text)) = parent.shift_remove(name)
        {
            taken.insert(setting.to_owned(), SecretString::from(text));
        }
    }
    taken
}

/// Puts secrets back to where they were taken from. One that the definition has a newer value for is left out.
pub fn put(document: &mut Value, secrets: &Secrets) {
    for (setting, secret) in secrets {
        if let Some((parent, name)) = parent_of(document, setting) {
            let value = || Value::from(secret.expose_secret());
            parent.entry(name.to_owned()).or_insert_with(value);
        }
    }
}

/// Puts the secrets that are kept in files and variables of this machine into a definition, so that another machine can
/// use it. Relative paths begin in `folder`; `environment` looks up a variable.
///
/// # Errors
/// One of them cannot be had.
pub fn reveal(
    document: &mut Value,
    folder: &Path,
    environment: impl Fn(&str) -> Option<String>,
) -> Result<(), SecretError> {
    for setting in SECRETS {
        let Some((parent, name)) = parent_of(document, setting) else {
            continue;
        };
        let Some(value) = parent.get_mut(name).filter(|value| value.is_object()) else {
            continue;
        };
        // What is no secret is told when the definition is read.
        if let Ok(secret) = Secret::deserialize(&*value) {
            let text = secret.reveal(folder, &environment)?;
            *value = text.expose_secret().into();
        }
    }
    Ok(())
}

/// The settings of a definition that name a file or a variable of the machine that reads it: secrets that are kept
/// elsewhere, and files besides those of a source. Whoever may not see these must not name them.
#[must_use]
pub fn kept_elsewhere(document: &Value) -> Vec<&'static str> {
    let found = |setting: &str| {
        setting
            .split('.')
            .try_fold(document, |at, name| at.get(name))
    };
    let secrets = SECRETS
        .iter()
        .filter(|setting| found(setting).is_some_and(Value::is_object));
    let files = FILES
        .iter()
        .filter(|setting| found(setting).is_some_and(Value::is_string));
    secrets.chain(files).copied().collect()
}

/// The object that a setting is a member of, and the member's name.
fn parent_of<'d, 's>(
    document: &'d mut Value,
    setting: &'s str,
) -> Option<(&'d mut Map<String, Value>, &'s str)> {
    let (path, name) = setting.rsplit_once('.')?;
    let parent = path
        .split('.')
        .try_fold(document, |at, name| at.get_mut(name))?;
    Some((parent.as_object_mut()?, name))
}
