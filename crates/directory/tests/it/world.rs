//! A store with one team and one directory, and short words for what tests do with them.

use crate::engine::{Engine, Place};
use portreeve_directory::directories::{self, Directory, New, Provider, Settings};
use portreeve_directory::events::{self, Event};
use portreeve_directory::groups::{self, Group};
use portreeve_directory::list::{self, Page, Request};
use portreeve_directory::users::{self, NewUser, Planned, Precondition, User};
use portreeve_directory::{Actor, Call, Clock, Ids, Refusal, members, roll, teams};
use portreeve_scim::query::ListQuery;
use portreeve_scim::resource::Notes;
use portreeve_scim::{Patch, Resource};
use portreeve_store::{Database, Options, Scope, Store, Tx};
use serde_json::{Value, json};
use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// A clock that moves a millisecond with each look, so that the order of events is the order of times.
#[derive(Debug)]
pub(crate) struct Ticking(AtomicI64);

impl Clock for Ticking {
    fn now(&self) -> i64 {
        self.0.fetch_add(1000, Ordering::Relaxed)
    }
}

pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) directory: Arc<Directory>,
    clock: Arc<Ticking>,
    ids: Arc<Ids>,
    runtime: tokio::runtime::Runtime,
    place: Place,
}

impl World {
    pub(crate) fn new(on: Engine) -> Self {
        Self::with(on, |_| {})
    }

    pub(crate) fn with(on: Engine, change: impl Fn(&mut Settings)) -> Self {
        let place = on.place();
        let store = open(&place);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let ids = Arc::new(Ids::new());
        let mut settings = Settings::of(Provider::Entra);
        change(&mut settings);
        let id = ids.next(1).to_string();
        let directory = runtime
            .block_on(store.write(Scope::ALL, move |tx| {
                let team = teams::ensure(tx, "acme", "t1", 1)?;
                let new = New {
                    id: id.clone(),
                    team_id: team.id,
                    name: "People".into(),
                    provider: Provider::Entra,
                    settings: settings.clone(),
                };
                directories::create(tx, &new, 1)
            }))
            .unwrap();
        let clock = Arc::new(Ticking(AtomicI64::new(1_700_000_000_000_000)));
        Self {
            store,
            directory: Arc::new(directory),
            clock,
            ids,
            runtime,
            place,
        }
    }

    /// Closes the database and opens it again, as a restart does.
    pub(crate) fn reopen(&mut self) {
        self.store.clone().close();
        self.store = open(&self.place);
    }

    /// The database as another server has it open. An embedded one has no other server, so there it is the same store.
    pub(crate) fn neighbour(&self) -> Store {
        match self.place.database {
            Database::Sqlite { .. } => self.store.clone(),
            _ => open(&self.place),
        }
    }

    pub(crate) fn call(&self) -> Call {
        Call {
            directory: self.directory.clone(),
            actor: Actor::Token("tok".into()),
            request_id: "req".into(),
            at: self.clock.now(),
            clock: self.clock.clone(),
            ids: self.ids.clone(),
        }
    }

    pub(crate) fn write<R: Send + 'static>(
        &self,
        work: impl Fn(&mut Tx<'_>, &Call) -> Result<R, Refusal> + Send + 'static,
    ) -> Result<R, Refusal> {
        let call = self.call();
        self.runtime
            .block_on(self.store.write(Scope::ALL, move |tx| work(tx, &call)))
    }

    pub(crate) fn read<R: Send + 'static>(
        &self,
        work: impl Fn(&mut Tx<'_>) -> Result<R, Refusal> + Send + 'static,
    ) -> Result<R, Refusal> {
        self.runtime.block_on(self.store.read(work))
    }

    pub(crate) fn parse(&self, group: bool, body: Value) -> Resource {
        let catalog = &self.directory.catalog;
        let of = if group {
            catalog.group()
        } else {
            catalog.user()
        };
        Resource::parse(of, body, self.directory.profile, &mut Notes::default()).unwrap()
    }

    pub(crate) fn try_user(&self, body: Value) -> Result<User, Refusal> {
        let resource = self.parse(false, body);
        self.write(move |tx, call| {
            let new = NewUser::of(&call.directory, resource.clone())?;
            users::create(tx, call, &new)
        })
    }

    pub(crate) fn user(&self, body: Value) -> User {
        self.try_user(body).unwrap()
    }

    pub(crate) fn named(&self, name: &str) -> User {
        self.user(json!({"userName": name}))
    }

    pub(crate) fn try_group(&self, name: &str, ids: &[&str]) -> Result<Group, Refusal> {
        self.try_group_of(name, ids.iter().map(|id| json!({"value": id})).collect())
    }

    /// As [`World::try_group`], with members as a client writes them.
    pub(crate) fn try_group_of(&self, name: &str, list: Value) -> Result<Group, Refusal> {
        let mut body = json!({"displayName": name});
        body["members"] = list;
        let mut resource = self.parse(true, body);
        let first = resource.take_members().unwrap_or_default();
        self.write(move |tx, call| groups::create(tx, call, &resource, &first))
    }

    pub(crate) fn group(&self, name: &str, ids: &[&str]) -> Group {
        self.try_group(name, ids).unwrap()
    }

    pub(crate) fn patch_user(&self, id: &str, operations: Value) -> Result<User, Refusal> {
        let patch = self.patch(false, id, operations);
        let id = id.to_owned();
        self.write(
            move |tx, call| Ok(users::patch(tx, call, &id, &patch, &Precondition::None)?.now),
        )
    }

    /// As [`patch_user`](Self::patch_user), worked out before the transaction.
    pub(crate) fn plan_and_write(&self, id: &str, operations: Value) -> Result<User, Refusal> {
        let patch = self.patch(false, id, operations);
        let before = self.get(id)?;
        match users::plan_patch(&self.call(), before, &patch, &Precondition::None)? {
            Planned::Same(user) => Ok(user),
            Planned::Change(change) => self.write(move |tx, call| users::write(tx, call, &change)),
        }
    }

    pub(crate) fn patch_group(&self, id: &str, operations: Value) -> Result<Group, Refusal> {
        let patch = self.patch(true, id, operations);
        let id = id.to_owned();
        self.write(move |tx, call| {
            Ok(groups::patch(tx, call, &id, &patch, &Precondition::None)?.now)
        })
    }

    fn patch(&self, group: bool, id: &str, operations: Value) -> Patch {
        let catalog = &self.directory.catalog;
        let of = if group {
            catalog.group()
        } else {
            catalog.user()
        };
        let mut body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"]});
        body["Operations"] = operations;
        Patch::parse(body, of, id, self.directory.profile, &mut Notes::default()).unwrap()
    }

    pub(crate) fn delete_user(&self, id: &str) -> Result<(), Refusal> {
        let id = id.to_owned();
        self.write(move |tx, call| users::delete(tx, call, &id, &Precondition::None))
    }

    pub(crate) fn delete_group(&self, id: &str) -> Result<(), Refusal> {
        let id = id.to_owned();
        self.write(move |tx, call| groups::delete(tx, call, &id, &Precondition::None))
    }

    pub(crate) fn get(&self, id: &str) -> Result<User, Refusal> {
        let (directory, id) = (self.directory.id.clone(), id.to_owned());
        self.read(move |tx| users::by_id(tx, &directory, &id))
    }

    pub(crate) fn get_group(&self, id: &str) -> Result<Group, Refusal> {
        let (directory, id) = (self.directory.id.clone(), id.to_owned());
        self.read(move |tx| groups::by_id(tx, &directory, &id))
    }

    /// Ids of a group's members in order.
    pub(crate) fn members(&self, group: &str) -> Vec<String> {
        let (directory, id) = (self.directory.id.clone(), group.to_owned());
        self.read(move |tx| members::page(tx, &directory, &id, "", 10_000))
            .unwrap()
            .into_iter()
            .map(|member| member.id)
            .collect()
    }

    /// The groups of a user, as `name` or `name (indirect)`.
    pub(crate) fn groups_of(&self, user: &str) -> Vec<String> {
        let (directory, id) = (self.directory.id.clone(), user.to_owned());
        let groups = self
            .read(move |tx| members::groups_of(tx, &directory, &id))
            .unwrap();
        let mut names: Vec<_> = groups
            .iter()
            .map(|g| {
                if g.direct {
                    g.display.clone()
                } else {
                    format!("{} (indirect)", g.display)
                }
            })
            .collect();
        names.sort();
        names
    }

    /// Events, oldest first.
    pub(crate) fn events(&self) -> Vec<Event> {
        let team = self.directory.team_id.clone();
        let query = events::Query {
            after: Some(events::Place::Position(0)),
            limit: 1000,
            ..Default::default()
        };
        self.read(move |tx| events::list(tx, &team, &query))
            .unwrap()
    }

    pub(crate) fn page<K: list::Kind + 'static>(
        &self,
        query: ListQuery,
        place: Option<portreeve_directory::cursor::Place>,
    ) -> Result<Page<K::Item>, Refusal> {
        let directory = self.directory.clone();
        self.read(move |tx| {
            list::page::<K>(
                tx,
                &Request {
                    directory: &directory,
                    query: &query,
                    place: place.as_ref(),
                    derived: false,
                    now: 0,
                },
            )
        })
    }
}

fn open(place: &Place) -> Store {
    let options = Options::new(place.database.clone(), roll::MIGRATIONS, 0);
    Store::open(&options).unwrap()
}

pub(crate) fn query(pairs: &[(&str, &str)]) -> ListQuery {
    ListQuery::from_pairs(
        pairs
            .iter()
            .map(|(n, v)| (Cow::Borrowed(*n), Cow::Borrowed(*v))),
    )
    .unwrap()
}
