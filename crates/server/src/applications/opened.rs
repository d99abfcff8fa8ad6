//! An application with its secrets, ready to be used: what jobs and the API's look at source and target begin with.

use super::SealedSecrets;
use super::declared::{Declared, Unusable, allowed_here, folder};
use crate::app::App;
use portreeve_directory::Clock;
use portreeve_directory::applications::Application as Row;
use portreeve_provisioning::application::{Application, Definition, secrets};
use portreeve_provisioning::job::{Job, State, Target};
use portreeve_provisioning::source::directory::Directories;
use portreeve_provisioning::source::{self, Home, Source};
use portreeve_provisioning::target::{self, Client, Surroundings};
use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// An application with its secrets.
#[derive(Debug, Clone)]
pub(crate) struct Opened {
    /// What was declared.
    pub(crate) definition: Definition,
    /// What a cycle needs of it.
    pub(crate) application: Arc<Application>,
    /// What its source and its target are given.
    pub(crate) home: Home,
}

impl Opened {
    /// Opens an application as it is stored.
    pub(crate) fn new(app: &App, row: &Row, sealed: &SealedSecrets) -> Result<Self, Unusable> {
        let kept = app.applications.open(&row.id, sealed);
        let kept = kept.map_err(|damaged| Unusable(damaged.to_string()))?;
        let mut document = super::document(row);
        secrets::put(&mut document, &kept);
        let definition = Definition::from_json(&document)?;
        let allowed = &app.config.applications;
        allowed_here(&definition, allowed)?;
        let application = definition.compile(&row.id, &folder(allowed))?;
        Ok(Self {
            home: home(app, &row.team_id, &row.id),
            application: Arc::new(application),
            definition,
        })
    }

    /// Refuses a definition whose source or target cannot even be opened. Nobody is asked.
    pub(crate) fn check(app: &App, declared: &Declared) -> Result<(), Unusable> {
        let application = Arc::new(declared.application.clone());
        let opened = Self {
            // Which team it is matters when its directories are read.
            home: home(app, "", &application.id),
            definition: declared.definition.clone(),
            application,
        };
        opened
            .source()
            .map_err(|error| unusable("source", &error))?;
        opened
            .target()
            .map_err(|error| unusable("target", &error))?;
        Ok(())
    }

    /// The same, whose source remembers what it must in another folder.
    pub(crate) fn with_state(mut self, folder: &Path) -> Self {
        self.home.state = folder.join("source");
        self
    }

    /// Its source. Nothing is asked yet.
    pub(crate) fn source(&self) -> Result<Source, source::Error> {
        self.definition.open_source(&self.application, &self.home)
    }

    /// Its target. Nothing is asked yet.
    pub(crate) fn target(&self) -> Result<Client, target::Error> {
        self.definition.open_target(&self.home)
    }

    /// The directory that is its source, if it is one: its name or id.
    pub(crate) fn directory(&self) -> Option<&str> {
        match &self.definition.source {
            source::Settings::Directory(settings) => Some(settings.directory.trim()),
            _ => None,
        }
    }

    /// Its job, which keeps what it knows in `state`.
    pub(crate) fn job(&self, app: &App, state: State) -> Result<Job, Unusable> {
        let source = self.source().map_err(|error| unusable("source", &error))?;
        let target = self.target().map_err(|error| unusable("target", &error))?;
        Ok(Job::new(
            self.application.clone(),
            source,
            Target::new(target),
            state,
            app.clock.clone(),
            app.ids.clone(),
        ))
    }
}

fn home(app: &App, team_id: &str, id: &str) -> Home {
    Home {
        folder: folder(&app.config.applications),
        state: state_folders(&app.config.data).join(id),
        surroundings: Arc::new(Around(app.clock.clone())),
        environment: |_| None,
        directories: Some(Directories {
            store: app.store.clone(),
            team_id: team_id.to_owned(),
        }),
    }
}

fn unusable(end: &str, error: &dyn fmt::Display) -> Unusable {
    Unusable(format!("{end}: {error}"))
}

/// Where sources keep what they must remember between reads.
pub(crate) fn state_folders(data: &Path) -> PathBuf {
    data.join("applications")
}

/// Time and chance of this server.
struct Around(Arc<dyn Clock>);

impl fmt::Debug for Around {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Around")
    }
}

impl Surroundings for Around {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_micros(u64::try_from(self.0.now()).unwrap_or_default())
    }

    /// The standard library seeds its hashers from the machine's randomness; that is enough for what is no secret.
    fn random(&self) -> u64 {
        RandomState::new().build_hasher().finish()
    }
}
