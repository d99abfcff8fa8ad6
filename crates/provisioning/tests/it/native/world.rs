//! A team with two directories in a database of its own.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use portreeve_directory::directories::{self, Directory, New, Provider, Settings as Rules};
use portreeve_directory::users::{self, NewUser, Precondition};
use portreeve_directory::{Actor, Call, Clock, Ids, Refusal, groups, roll, teams};
use portreeve_provisioning::source::directory::Directories;
use portreeve_provisioning::source::{Error, Home, Place, Settings, Source};
use portreeve_scim::Resource;
use portreeve_scim::resource::Notes;
use portreeve_store::{Database, Options, Scope, Store, Tx};
use portreeve_testbed::fresh_database;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::reader::{Time, Told, read};

#[derive(Debug)]
struct Ticking(AtomicI64);

impl Clock for Ticking {
    fn now(&self) -> i64 {
        self.0.fetch_add(1000, Ordering::Relaxed)
    }
}

/// A directory "People" of the team "acme".
pub(super) struct Office {
    pub(super) store: Store,
    pub(super) directory: Arc<Directory>,
    clock: Arc<Ticking>,
    ids: Arc<Ids>,
    folder: Arc<TempDir>,
}

impl Office {
    pub(super) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(super) async fn with(change: impl FnOnce(&mut Rules)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("db.sqlite");
        let database = fresh_database().unwrap_or(Database::Sqlite { path });
        let store = Store::open(&Options::new(database, roll::MIGRATIONS, 0)).unwrap();
        let ids = Arc::new(Ids::new());
        let mut rules = Rules::of(Provider::Native);
        change(&mut rules);
        let clock = Arc::new(Ticking(AtomicI64::new(1_795_000_000_000_000)));
        let directory = make(&store, &ids, ("acme", "People"), rules).await;
        Self {
            store,
            directory: Arc::new(directory),
            clock,
            ids,
            folder: Arc::new(folder),
        }
    }

    /// Another directory in the same database, of a team that may be new.
    pub(super) async fn another(&self, team: &'static str, name: &'static str) -> Self {
        let rules = Rules::of(Provider::Native);
        let directory = make(&self.store, &self.ids, (team, name), rules).await;
        Self {
            directory: Arc::new(directory),
            store: self.store.clone(),
            clock: Arc::clone(&self.clock),
            ids: Arc::clone(&self.ids),
            folder: Arc::clone(&self.folder),
        }
    }

    pub(super) fn source(&self) -> Source {
        self.source_named("people").unwrap()
    }

    /// What an application of the team reads that names this directory.
    pub(super) fn source_named(&self, name: &str) -> Result<Source, Error> {
        let directories = Directories {
            store: self.store.clone(),
            team_id: self.directory.team_id.clone(),
        };
        source(name, Some(directories))
    }

    pub(super) async fn write<R: Send + 'static>(
        &self,
        work: impl Fn(&mut Tx<'_>, &Call) -> Result<R, Refusal> + Send + 'static,
    ) -> Result<R, Refusal> {
        let call = Call {
            directory: Arc::clone(&self.directory),
            actor: Actor::Token("token".into()),
            request_id: "request".into(),
            at: self.clock.now(),
            clock: self.clock.clone(),
            ids: Arc::clone(&self.ids),
        };
        self.store
            .write(Scope::ALL, move |tx| work(tx, &call))
            .await
    }

    /// Adds a user and gives back its id.
    pub(super) async fn user(&self, body: Value) -> Result<String, Refusal> {
        let user = resource(&self.directory, false, body);
        let made = self.write(move |tx, call| {
            users::create(tx, call, &NewUser::of(&call.directory, user.clone())?)
        });
        Ok(made.await?.id)
    }

    /// Puts another user in the place of one.
    pub(super) async fn put_user(&self, id: &str, body: Value) -> Result<(), Refusal> {
        let user = resource(&self.directory, false, body);
        let id = id.to_owned();
        let put =
            self.write(move |tx, call| users::replace(tx, call, &id, &user, &Precondition::None));
        put.await.map(drop)
    }

    /// Adds a group and gives back its id.
    pub(super) async fn group(&self, name: &str, members: &[&str]) -> Result<String, Refusal> {
        let mut group = resource(&self.directory, true, group(name, members));
        let first = group.take_members().unwrap_or_default();
        let made = self.write(move |tx, call| groups::create(tx, call, &group, &first));
        Ok(made.await?.id)
    }

    /// Puts another group in the place of one.
    pub(super) async fn put_group(
        &self,
        id: &str,
        name: &str,
        members: &[&str],
    ) -> Result<(), Refusal> {
        let mut group = resource(&self.directory, true, group(name, members));
        let all = group.take_members().unwrap_or_default();
        let id = id.to_owned();
        let put = self.write(move |tx, call| {
            groups::replace(tx, call, &id, &group, &all, &Precondition::None)
        });
        put.await.map(drop)
    }

    pub(super) async fn drop_user(&self, id: &str) -> Result<(), Refusal> {
        let id = id.to_owned();
        self.write(move |tx, call| users::delete(tx, call, &id, &Precondition::None))
            .await
    }

    pub(super) async fn drop_group(&self, id: &str) -> Result<(), Refusal> {
        let id = id.to_owned();
        self.write(move |tx, call| groups::delete(tx, call, &id, &Precondition::None))
            .await
    }

    /// What somebody knows who reads everything now.
    pub(super) async fn truth(&self) -> Told {
        let mut told = Told::default();
        let (changes, _) = read(&self.source(), &Place::Everything).await.unwrap();
        told.hear(&changes);
        told
    }
}

/// A source of type `directory`, in a home with these directories.
pub(super) fn source(name: &str, directories: Option<Directories>) -> Result<Source, Error> {
    let settings = json!({"type": "directory", "directory": name});
    let settings: Settings = serde_json::from_value(settings).unwrap();
    let home = Home {
        folder: PathBuf::new(),
        state: PathBuf::new(),
        surroundings: Arc::<Time>::default(),
        environment: |_| None,
        directories,
    };
    Source::new(&settings, &home)
}

async fn make(
    store: &Store,
    ids: &Ids,
    (team, name): (&'static str, &'static str),
    rules: Rules,
) -> Directory {
    let (id, team_id) = (ids.next(1).to_string(), ids.next(1).to_string());
    let made = store.write(Scope::ALL, move |tx| {
        let new = New {
            id: id.clone(),
            team_id: teams::ensure(tx, team, &team_id, 1)?.id,
            name: name.to_owned(),
            provider: Provider::Native,
            settings: rules.clone(),
        };
        directories::create(tx, &new, 1)
    });
    made.await.unwrap()
}

fn group(name: &str, members: &[&str]) -> Value {
    let members: Vec<Value> = members.iter().map(|id| json!({"value": id})).collect();
    json!({"displayName": name, "members": members})
}

fn resource(directory: &Directory, group: bool, body: Value) -> Resource {
    let of = match group {
        true => directory.catalog.group(),
        false => directory.catalog.user(),
    };
    Resource::parse(of, body, directory.profile, &mut Notes::default()).unwrap()
}
