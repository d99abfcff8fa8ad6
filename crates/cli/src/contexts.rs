//! Servers that somebody works with, by name, and how they are signed in there.
//!
//! What is no secret is in `contexts.toml`, tokens are in `secrets.toml` beside it, which only its owner may read. Both are
//! written whole, beside the old file and then in its place, so that a crash leaves one or the other.

use crate::environment;
use crate::failure::Failure;
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, DirBuilder};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

const DECLARED: &str = "contexts.toml";
const SECRETS: &str = "secrets.toml";

/// All contexts of whoever runs this.
#[derive(Debug)]
pub(crate) struct Contexts {
    folder: Option<PathBuf>,
    declared: Declared,
    secrets: BTreeMap<String, Secret>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Declared {
    #[serde(skip_serializing_if = "Option::is_none")]
    current: Option<String>,
    contexts: BTreeMap<String, Context>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Context {
    url: String,
}

/// A token, and the server that it is for: it is sent to no other one, whatever becomes of the context.
#[derive(Debug, Deserialize)]
struct Secret {
    url: String,
    token: SecretString,
}

/// A context that a command is to use.
#[derive(Debug, Clone)]
pub(crate) struct Chosen {
    pub(crate) name: String,
    pub(crate) url: String,
    pub(crate) token: Option<SecretString>,
}

impl Contexts {
    /// What is there; nothing where nothing was kept yet, or where there is no place to keep it.
    pub(crate) fn load() -> Result<Self, Failure> {
        let folder = folder(environment::var);
        let (declared, secrets) = match &folder {
            None => (Declared::default(), BTreeMap::new()),
            Some(folder) => (
                read(&folder.join(DECLARED))?,
                secrets(&folder.join(SECRETS))?,
            ),
        };
        Ok(Self {
            folder,
            declared,
            secrets,
        })
    }

    /// The context that is used unless a command says otherwise.
    pub(crate) fn current(&self) -> Option<&str> {
        self.declared.current.as_deref()
    }

    /// All of them, by name.
    pub(crate) fn all(&self) -> impl Iterator<Item = Chosen> {
        self.declared
            .contexts
            .keys()
            .filter_map(|name| self.get(name))
    }

    /// The context of that name.
    pub(crate) fn get(&self, name: &str) -> Option<Chosen> {
        let context = self.declared.contexts.get(name)?;
        let secret = self.secrets.get(name);
        let token = secret.filter(|secret| secret.url == context.url);
        Some(Chosen {
            name: name.to_owned(),
            url: context.url.clone(),
            token: token.map(|secret| secret.token.clone()),
        })
    }

    /// As [`get`](Self::get), for a name that somebody gave.
    pub(crate) fn named(&self, name: &str) -> Result<Chosen, Failure> {
        self.get(name).ok_or_else(|| {
            Failure::new(
                crate::failure::Code::NotFound,
                format!("there is no context with the name \"{name}\""),
            )
            .hint("portreeve context list shows those there are; portreeve login URL makes one")
        })
    }

    /// The token of a context with that address.
    pub(crate) fn token_for(&self, url: &str) -> Option<SecretString> {
        let url = address(url).ok()?;
        self.all()
            .find(|context| context.url == url)
            .and_then(|context| context.token)
    }

    /// Keeps a context. A token that it had for another server goes.
    pub(crate) fn set(&mut self, name: &str, url: &str) -> Result<(), Failure> {
        check_name(name)?;
        let url = address(url)?;
        if self
            .secrets
            .get(name)
            .is_some_and(|secret| secret.url != url)
        {
            self.secrets.remove(name);
        }
        let context = Context { url };
        self.declared.contexts.insert(name.to_owned(), context);
        Ok(())
    }

    /// Keeps the token of a context that is there.
    pub(crate) fn sign_in(&mut self, name: &str, token: SecretString) {
        if let Some(context) = self.declared.contexts.get(name) {
            let url = context.url.clone();
            self.secrets.insert(name.to_owned(), Secret { url, token });
        }
    }

    /// Forgets the token of a context.
    pub(crate) fn sign_out(&mut self, name: &str) {
        self.secrets.remove(name);
    }

    /// Chooses a context for the commands to come; `None`: the server on this machine.
    pub(crate) fn choose(&mut self, name: Option<&str>) {
        self.declared.current = name.map(str::to_owned);
    }

    /// Forgets a context and its token.
    pub(crate) fn remove(&mut self, name: &str) {
        self.declared.contexts.remove(name);
        self.secrets.remove(name);
        if self.current() == Some(name) {
            self.declared.current = None;
        }
    }

    /// Writes everything down.
    pub(crate) fn save(&self) -> Result<(), Failure> {
        let folder = self.folder.as_deref().ok_or_else(|| {
            Failure::usage(
                "there is no place to keep this, because neither XDG_CONFIG_HOME nor HOME is set",
            )
        })?;
        let failed = |error: std::io::Error| {
            Failure::plain(format!("{} cannot be written: {error}", folder.display()))
        };
        let mut private = DirBuilder::new();
        private.recursive(true).mode(0o700);
        private.create(folder).map_err(failed)?;
        let secrets: BTreeMap<_, _> = self
            .secrets
            .iter()
            .map(|(name, secret)| {
                let token = secret.token.expose_secret();
                (
                    name,
                    BTreeMap::from([("url", secret.url.as_str()), ("token", token)]),
                )
            })
            .collect();
        // Tokens first: a context without one is only not signed in.
        for (name, text) in [
            (SECRETS, toml::to_string(&secrets)),
            (DECLARED, toml::to_string(&self.declared)),
        ] {
            let text = text.map_err(Failure::plain)?;
            replace(folder, name, &text).map_err(failed)?;
        }
        Ok(())
    }
}

/// An address as it is kept and compared: `https://` or `http://`, a host, without a slash at the end.
pub(crate) fn address(url: &str) -> Result<String, Failure> {
    let parsed = Url::parse(url).ok().filter(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none()
    });
    let parsed = parsed.ok_or_else(|| {
        Failure::usage(format!(
            "\"{url}\" is no address of a server; write it as https://portreeve.example.com"
        ))
    })?;
    Ok(parsed.as_str().trim_end_matches('/').to_owned())
}

/// Whether what is sent to that address can be read on its way.
pub(crate) fn is_open_to_all(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else {
        return true;
    };
    let host = url.host_str().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let is_here = bare == "localhost"
        || bare
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback());
    url.scheme() != "https" && !is_here
}

fn check_name(name: &str) -> Result<(), Failure> {
    let good = |c: char| c.is_alphanumeric() || "-_.:@[]".contains(c);
    if (1..=100).contains(&name.chars().count()) && name.chars().all(good) {
        return Ok(());
    }
    Err(Failure::usage(
        "the name of a context has letters, digits and - _ . : @, 100 at most",
    ))
}

/// Where the command line keeps what it has to remember; `None` where there is no such place.
pub(crate) fn folder(var: impl Fn(&str) -> Option<String>) -> Option<PathBuf> {
    // A relative XDG_CONFIG_HOME is to be ignored (XDG Base Directory Specification).
    let shared = var("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| Some(PathBuf::from(var("HOME")?).join(".config")));
    Some(shared?.join("portreeve"))
}

fn read<T: Default + DeserializeOwned>(path: &Path) -> Result<T, Failure> {
    let wrong = |error: &dyn std::fmt::Display| {
        Failure::usage(format!("{} cannot be read: {error}", path.display()))
            .hint("mend it, or remove it and sign in again with: portreeve login URL")
    };
    match fs::read_to_string(path) {
        Ok(text) => toml::from_str(&text).map_err(|error| wrong(&error.message())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(T::default()),
        Err(error) => Err(wrong(&error)),
    }
}

fn secrets(path: &Path) -> Result<BTreeMap<String, Secret>, Failure> {
    if let Ok(metadata) = fs::metadata(path)
        && metadata.permissions().mode() & 0o077 != 0
    {
        return Err(Failure::usage(format!(
            "other users may read {}, which has the tokens that you are signed in with",
            path.display()
        ))
        .hint(format!("run: chmod 600 '{}'", path.display())));
    }
    read(path)
}

/// Temporary files are made for their owner alone.
fn replace(folder: &Path, name: &str, text: &str) -> std::io::Result<()> {
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(folder.join(name))
        .map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_kept_in_one_form() {
        for (text, expected) in [
            ("https://a.example", Some("https://a.example")),
            ("https://A.example/", Some("https://a.example")),
            (
                "https://a.example:443/roll/",
                Some("https://a.example/roll"),
            ),
            ("http://127.0.0.1:8460", Some("http://127.0.0.1:8460")),
            ("a.example", None),
            ("ftp://a.example", None),
            ("https://ada:x@a.example", None),
            ("https://a.example/?x", None),
        ] {
            assert_eq!(address(text).ok().as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn only_what_leaves_the_machine_in_clear_is_open_to_all() {
        for (url, expected) in [
            ("https://a.example", false),
            ("http://a.example", true),
            ("http://192.0.2.7", true),
            ("http://127.0.0.1:8460", false),
            ("http://[::1]:8460", false),
            ("http://localhost", false),
            ("http://localhost.evil.example", true),
        ] {
            assert_eq!(is_open_to_all(url), expected, "{url}");
        }
    }

    #[test]
    fn a_token_is_for_one_server() {
        let mut contexts = Contexts {
            folder: None,
            declared: Declared::default(),
            secrets: BTreeMap::new(),
        };
        contexts.set("a", "https://a.example/").unwrap();
        contexts.sign_in("a", SecretString::from("prv_cli_x"));
        assert!(contexts.token_for("https://a.example").is_some());
        assert!(contexts.token_for("https://b.example").is_none());
        contexts.set("a", "https://a.example").unwrap();
        assert!(
            contexts.get("a").unwrap().token.is_some(),
            "the same server"
        );
        contexts.set("a", "https://b.example").unwrap();
        assert!(contexts.get("a").unwrap().token.is_none(), "another one");
    }
}
