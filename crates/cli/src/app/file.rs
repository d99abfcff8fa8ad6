//! An application that lives in a file: its definition, and the folder beside it with everything it remembers.

use crate::environment;
use crate::failure::{Code, Failure};
use crate::machine::Machine;
use portreeve_directory::{Clock, Ids, SystemClock};
use portreeve_provisioning::application::standalone::{self, StandaloneError};
use portreeve_provisioning::application::{Application, Definition, Written, document, mappings};
use portreeve_provisioning::job::{Job, State, Target};
use portreeve_provisioning::source::file::Watch;
use portreeve_provisioning::source::{Home, Source};
use portreeve_provisioning::target::Client;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The id of the only application of a state folder.
const ID: &str = "local";

/// A definition that was read and checked.
pub(crate) struct File {
    pub(super) path: PathBuf,
    pub(super) definition: Definition,
    pub(super) application: Application,
    pub(super) home: Home,
}

impl File {
    /// Reads the definition and checks it as a whole.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        let home = home(path);
        let definition = definition(path)?;
        let application = compile(path, &definition, &home)?;
        Ok(Self {
            path: path.to_owned(),
            definition,
            application,
            home,
        })
    }

    /// What the application remembers. The folder is made where there is none.
    pub(super) async fn state(&self) -> Result<State, Failure> {
        let definition = self.spelt_out()?;
        let folder = state(&self.path);
        let now = SystemClock.now();
        let state = standalone::open_state(&folder, &self.application, &definition, now).await;
        state.map_err(|error| match error {
            StandaloneError::Busy => Failure::new(Code::Pending, wrong_text(&self.path, &error))
                .hint("Ctrl-C where portreeve app run was started stops it where it can go on"),
            other => Failure::plain(wrong_text(&self.path, &other)),
        })
    }

    /// The same, of an application that is running and was declared otherwise before.
    pub(super) async fn job_again(&self, state: &State) -> Result<Job, Failure> {
        let (source, target) = self.ends()?;
        let (definition, now) = (self.spelt_out()?, SystemClock.now());
        let declared = standalone::declare_again(state, &self.application, &definition, now);
        declared.await.map_err(Failure::plain)?;
        Ok(self.job_of(source, target, state.clone()))
    }

    /// Notices when the definition changes, or the file of its mappings.
    pub(super) fn watch(&self) -> Watch {
        let mut paths = vec![self.path.clone()];
        if let Some(Written::File(mappings)) = &self.definition.mappings {
            paths.push(self.home.folder.join(mappings));
        }
        Watch::new(paths, Arc::new(Machine))
    }

    /// The application with its two ends, ready to run.
    pub(crate) async fn job(&self) -> Result<Job, Failure> {
        let (source, target) = self.ends()?;
        Ok(self.job_of(source, target, self.state().await?))
    }

    fn spelt_out(&self) -> Result<Value, Failure> {
        let mut definition = document(&self.path)?;
        mappings::spell_out(&mut definition, &self.home.folder)
            .map_err(|error| wrong(&self.path, &error))?;
        Ok(definition)
    }

    fn ends(&self) -> Result<(Source, Client), Failure> {
        let cannot = |error: &dyn std::fmt::Display| wrong(&self.path, error);
        let source = self.definition.open_source(&self.application, &self.home);
        let source = source.map_err(|error| cannot(&error))?;
        let target = self.definition.open_target(&self.home);
        let target = target.map_err(|error| cannot(&error).hint(error.remedy()))?;
        Ok((source, target))
    }

    fn job_of(&self, source: Source, target: Client, state: State) -> Job {
        Job::new(
            Arc::new(self.application.clone()),
            source,
            Target::new(target),
            state,
            Arc::new(SystemClock),
            Arc::new(Ids::new()),
        )
    }
}

/// The definition as it was written.
pub(super) fn definition(path: &Path) -> Result<Definition, Failure> {
    let text = read(path)?;
    let definition = match is_json(path) {
        true => Definition::from_json(&json(path, &text)?),
        false => Definition::from_toml(&text),
    };
    definition.map_err(|error| wrong(path, &error))
}

/// The definition, checked as a whole.
pub(super) fn compile(
    path: &Path,
    definition: &Definition,
    home: &Home,
) -> Result<Application, Failure> {
    let application = definition.compile(ID, &home.folder);
    application.map_err(|error| wrong(path, &error))
}

/// The definition as the API would take it, whether or not it can work.
pub(super) fn document(path: &Path) -> Result<Value, Failure> {
    let text = read(path)?;
    match is_json(path) {
        true => json(path, &text),
        false => document::to_json(&text).map_err(|error| wrong(path, &error)),
    }
}

/// Where the application's files are.
pub(super) fn home(path: &Path) -> Home {
    let folder = path.parent().map_or_else(PathBuf::new, Path::to_owned);
    Home {
        folder,
        state: state(path).join("source"),
        surroundings: Arc::new(Machine),
        environment: environment::var,
        directories: None,
    }
}

/// The folder of what an application remembers: `smallstep.state` beside `smallstep.toml`.
pub(super) fn state(path: &Path) -> PathBuf {
    path.with_extension("state")
}

pub(super) fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            let file = path.display();
            Failure::new(Code::NotFound, format!("there is no file {file}"))
                .hint(format!("write one with: portreeve app create {file}"))
        }
        _ => Failure::usage(format!("{} cannot be read: {error}", path.display())),
    })
}

fn json(path: &Path, text: &str) -> Result<Value, Failure> {
    serde_json::from_str(text).map_err(|error| wrong(path, &error))
}

fn is_json(path: &Path) -> bool {
    path.extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("json"))
}

/// What is wrong with a definition.
pub(super) fn wrong(path: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::usage(wrong_text(path, error))
}

fn wrong_text(path: &Path, error: &dyn std::fmt::Display) -> String {
    format!("{}: {}", path.display(), error.to_string().trim_end())
}
