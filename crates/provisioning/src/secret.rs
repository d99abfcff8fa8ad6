//! Secrets in settings: the text itself, or the file or environment variable that holds it.

use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

/// A secret as settings give it: `"text"`, `{ file = "/run/secrets/graph" }` or `{ env = "GRAPH_SECRET" }`.
///
/// ```
/// use std::path::Path;
///
/// use portreeve_provisioning::secret::Secret;
/// use secrecy::ExposeSecret;
///
/// let secret: Secret = serde_json::from_str(r#"{"env": "GRAPH_SECRET"}"#)?;
/// let text = secret.reveal(Path::new("/etc/portreeve"), |name| (name == "GRAPH_SECRET").then(|| "hush".to_owned()))?;
/// assert_eq!(text.expose_secret(), "hush");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Deserialize)]
#[serde(
    untagged,
    expecting = "a secret is a text, { file = \"PATH\" } or { env = \"VARIABLE\" }"
)]
pub enum Secret {
    /// The secret itself.
    Text(SecretString),
    /// Where it is.
    Elsewhere(Elsewhere),
}

/// Where a secret is kept outside the settings.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Elsewhere {
    /// A file that holds nothing else. White space around it does not count; a relative path begins in the folder of
    /// the settings.
    File(PathBuf),
    /// A variable of the environment.
    Env(String),
}

/// Why a secret cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// The file cannot be read.
    #[error(
        "the secret's file {file} cannot be read ({cause}); make it readable for the user that runs this"
    )]
    Unreadable {
        /// The file.
        file: String,
        /// What the system says.
        cause: String,
    },
    /// The variable is not set.
    #[error("the environment variable {0}, which should hold the secret, is not set; set it")]
    Unset(String),
    /// There is nothing in it.
    #[error("the secret in {0} is empty; put it there")]
    Empty(String),
}

impl Secret {
    /// The secret itself. Relative paths begin in `folder`; `environment` looks up a variable.
    ///
    /// # Errors
    /// When the file or variable is not there, cannot be read or is empty.
    pub fn reveal(
        &self,
        folder: &Path,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<SecretString, SecretError> {
        let (text, place) = match self {
            Self::Text(secret) => (secret.clone(), "the settings".to_owned()),
            Self::Elsewhere(Elsewhere::File(path)) => {
                let path = folder.join(path);
                let file = path.display().to_string();
                let text =
                    std::fs::read_to_string(path).map_err(|cause| SecretError::Unreadable {
                        file: file.clone(),
                        cause: cause.to_string(),
                    })?;
                (SecretString::from(text.trim()), file)
            }
            Self::Elsewhere(Elsewhere::Env(name)) => {
                let text = environment(name).ok_or_else(|| SecretError::Unset(name.clone()))?;
                (SecretString::from(text), name.clone())
            }
        };
        if text.expose_secret().is_empty() {
            return Err(SecretError::Empty(place));
        }
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_where_the_settings_say_or_the_error_names_the_place() {
        let cases = [
            ("text", r#""hush""#, Ok("hush")),
            ("a variable", r#"{"env": "SET"}"#, Ok("from the variable")),
            (
                "a variable that is not set",
                r#"{"env": "UNSET"}"#,
                Err("the environment variable UNSET"),
            ),
            (
                "an empty variable",
                r#"{"env": "EMPTY"}"#,
                Err("the secret in EMPTY is empty"),
            ),
            (
                "a file that is not there",
                r#"{"file": "no/such"}"#,
                Err("/settings/no/such cannot be read"),
            ),
            (
                "an empty text",
                r#""""#,
                Err("the secret in the settings is empty"),
            ),
        ];
        let environment = |name: &str| match name {
            "SET" => Some("from the variable".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        };
        for (name, json, expected) in cases {
            let secret: Secret = serde_json::from_str(json).unwrap();
            let found = secret.reveal(Path::new("/settings"), environment);
            match (&found, expected) {
                (Ok(text), Ok(expected)) => assert_eq!(text.expose_secret(), expected, "{name}"),
                (Err(error), Err(expected)) => {
                    assert!(error.to_string().contains(expected), "{name}: {error}");
                }
                _ => panic!("{name}: {found:?}"),
            }
        }
    }

    #[test]
    fn a_secret_in_any_other_form_is_refused_with_the_forms_there_are() {
        for json in [
            "7",
            "[]",
            r#"{"vault": "x"}"#,
            r#"{"file": "a", "env": "b"}"#,
        ] {
            let error = serde_json::from_str::<Secret>(json).unwrap_err();
            assert!(error.to_string().contains("VARIABLE"), "{json}: {error}");
        }
    }
}
