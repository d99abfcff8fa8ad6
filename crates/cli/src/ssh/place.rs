//! Where this machine keeps what `portreeve ssh` needs of a server: a folder per context, for its owner alone.

use crate::client::Target;
use crate::contexts::{self, Contexts};
use crate::failure::Failure;
use crate::{Global, environment};
use reqwest::Url;
use secrecy::SecretString;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// The private key, where no agent keeps it; OpenSSH finds the others by its name.
pub(super) const KEY: &str = "id";
pub(super) const PUBLIC_KEY: &str = "id.pub";
pub(super) const CERTIFICATE: &str = "id-cert.pub";
/// The keys that certify hosts.
pub(super) const KNOWN_HOSTS: &str = "known_hosts";
/// The hosts that the person may log in to.
pub(super) const HOSTS: &str = "hosts.json";
/// What `~/.ssh/config` includes; there once `portreeve ssh setup` has run.
pub(super) const CONFIG: &str = "config";
/// What `portreeve ssh HOST` has OpenSSH read: the same, and after that what OpenSSH reads by itself.
pub(super) const WHOLE_CONFIG: &str = "whole_config";
/// As old as the last attempt to ask the server beside an `ssh`.
const ATTEMPT: &str = "attempt";
const LOCK: &str = "lock";

/// A server, and this machine's folder for it.
#[derive(Debug)]
pub(super) struct Place {
    /// The context, or the name of the host where the server has none.
    pub(super) name: String,
    pub(super) url: String,
    pub(super) token: Option<SecretString>,
    folder: PathBuf,
    is_context: bool,
}

/// Held by whoever gets a certificate, so that nobody else does at the same time.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Place {
    /// The place of the server that a command is for.
    pub(super) fn of(global: &Global) -> Result<Self, Failure> {
        let (name, url, token, is_context) = match Target::of(global)? {
            Target::Context(context) => (context.name, context.url, context.token, true),
            Target::Remote(url, token) => match by_address(&url)? {
                Some(name) => (name, url, token, true),
                None => (host(&url)?, url, token, false),
            },
            Target::Local(_) => {
                return Err(Failure::usage(
                    "certificates are for people, and at the socket of a server nobody is one",
                )
                .hint("sign in as yourself: portreeve login https://portreeve.example.com"));
            }
        };
        Ok(Self {
            folder: all()?.join(file_name(&name)),
            name,
            url,
            token,
            is_context,
        })
    }

    /// What leads back to this place on a command line.
    pub(super) fn flags(&self) -> [&str; 2] {
        match self.is_context {
            true => ["--context", &self.name],
            false => ["--url", &self.url],
        }
    }

    /// The context, where the server has one.
    pub(super) fn context(&self) -> Option<&str> {
        self.is_context.then_some(self.name.as_str())
    }

    /// Takes the token over that another process may have got meanwhile.
    pub(super) fn look_again(&mut self) -> Result<(), Failure> {
        if self.is_context && environment::var("PORTREEVE_TOKEN").is_none() {
            self.token = Contexts::load()?.named(&self.name)?.token;
        }
        Ok(())
    }

    pub(super) fn path(&self, file: &str) -> PathBuf {
        self.folder.join(file)
    }

    /// A file's text, where it is there.
    pub(super) fn read(&self, file: &str) -> Option<String> {
        fs::read_to_string(self.path(file)).ok()
    }

    /// Writes a file whole, readable for its owner alone; whoever reads it meanwhile sees the old one or the new one.
    pub(super) fn write(&self, file: &str, text: &str) -> Result<(), Failure> {
        if self.read(file).is_some_and(|now| now == text) {
            return Ok(());
        }
        self.make()
            .and_then(|()| {
                let mut new = NamedTempFile::new_in(&self.folder)?;
                new.write_all(text.as_bytes())?;
                new.persist(self.path(file)).map_err(|error| error.error)?;
                Ok(())
            })
            .map_err(|error| self.cannot(file, &error))
    }

    pub(super) fn remove(&self, file: &str) -> Result<(), Failure> {
        match fs::remove_file(self.path(file)) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(self.cannot(file, &error)),
            _ => Ok(()),
        }
    }

    /// Waits until nobody else gets a certificate; `waits` is called when that takes time.
    pub(super) fn lock(&self, waits: impl FnOnce()) -> Result<Lock, Failure> {
        let failed = |error: io::Error| self.cannot(LOCK, &error);
        let file = self.open(LOCK).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                waits();
                file.lock().map_err(failed)?;
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        Ok(Lock { _file: file })
    }

    /// As [`lock`](Self::lock), but waits for nobody.
    pub(super) fn try_lock(&self) -> Option<Lock> {
        let file = self.open(LOCK).ok()?;
        file.try_lock().ok()?;
        Some(Lock { _file: file })
    }

    /// Whether it is time to try again what is done beside an `ssh`; says so once in `seconds`.
    pub(super) fn is_time(&self, now: jiff::Timestamp, seconds: i64) -> bool {
        let last = self.read(ATTEMPT);
        let last = last.and_then(|text| text.trim().parse::<jiff::Timestamp>().ok());
        // A time to come is one from before the clock was set back.
        let is_recent = last.is_some_and(|last| {
            let ago = now.duration_since(last).as_secs();
            (0..seconds).contains(&ago)
        });
        !is_recent && self.write(ATTEMPT, &format!("{now}\n")).is_ok()
    }

    fn open(&self, file: &str) -> io::Result<File> {
        self.make()?;
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false).mode(0o600);
        options.open(self.path(file))
    }

    fn make(&self) -> io::Result<()> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.folder)
    }

    fn cannot(&self, file: &str, error: &io::Error) -> Failure {
        let path = self.path(file);
        Failure::plain(format!("{} cannot be written: {error}", path.display()))
    }
}

/// The folder of the places of all contexts.
pub(super) fn all() -> Result<PathBuf, Failure> {
    let folder = contexts::folder(environment::var).ok_or_else(|| {
        Failure::usage(
            "there is no place to keep this, because neither XDG_CONFIG_HOME nor HOME is set",
        )
    })?;
    Ok(folder.join("ssh"))
}

/// The name of the context of a server, where it has one.
fn by_address(url: &str) -> Result<Option<String>, Failure> {
    let (url, contexts) = (contexts::address(url)?, Contexts::load()?);
    let mut all = contexts.all();
    Ok(all
        .find(|context| context.url == url)
        .map(|context| context.name))
}

fn host(url: &str) -> Result<String, Failure> {
    let url = Url::parse(&contexts::address(url)?).map_err(Failure::usage)?;
    let host = url.host_str().unwrap_or_default();
    Ok(match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    })
}

/// A context's name as that of a folder, which `.` and `..` are not.
fn file_name(name: &str) -> PathBuf {
    match name.strip_prefix('.') {
        Some(rest) => Path::new(&format!("_{rest}")).to_owned(),
        None => Path::new(name).to_owned(),
    }
}
