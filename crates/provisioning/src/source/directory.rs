//! A Portreeve directory as a source, read where it lives: in the database of the server that runs the application.
//!
//! Everything is read in the order of ids, and its watermark is the place that the team's change feed had reached when
//! the read began. What has changed since is read from the feed: it says which objects and memberships were touched, and
//! the database what they are now, so that nothing is told that a later change has undone already. A feed that is not
//! kept far enough back has [expired](Error::Expired).
//!
//! Suspended people are there, with `accountEnabled` false, whoever suspended them; members are those whom the directory
//! manages and those who were added here. A group that was deleted and is kept out of sight is gone.
//! Attributes are named in `attributes.rs` beside this file.

mod attributes;
mod changes;

use std::{fmt, slice};

use portreeve_directory::directories;
use portreeve_directory::list::{self, Groups, Request, Users};
use portreeve_directory::{Refusal, groups, memberships, suspensions, users};
use portreeve_scim::Filter;
use portreeve_scim::query::ListQuery;
use portreeve_store::{Store, Tx};
use serde::{Deserialize, Serialize};

pub use attributes::{group_shown, user_shown};

use super::{Change, Error, Home, Kind, Member, Next, Object, Page, Place};
use portreeve_directory::cursor::Place as Cursor;
use portreeve_directory::directories::Directory as Rules;

/// How much a page holds: objects, and members.
const PAGE: usize = 500;

/// The directories that a server has at hand for the applications of one team.
#[derive(Clone)]
pub struct Directories {
    /// The database that they are in.
    pub store: Store,
    /// The team. Directories of other teams do not exist for it.
    pub team_id: String,
}

impl fmt::Debug for Directories {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Directories")
            .field("team_id", &self.team_id)
            .finish_non_exhaustive()
    }
}

/// Which directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DirectorySettings {
    /// Its id, or its name in any letter case.
    pub directory: String,
}

/// People and groups of a Portreeve directory.
#[derive(Debug, Clone)]
pub struct Directory {
    named: String,
    directories: Directories,
}

/// The watermark: all changes up to a position in the feed are known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Mark {
    directory: String,
    position: i64,
}

/// A page of a read under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Spot {
    /// For a read of everything, where the feed was when it began; else the next place in the feed.
    mark: Mark,
    at: At,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum At {
    /// The users after one; all ids come after the empty one.
    Users { after: String, total: u64 },
    /// The members of that group after one of them, and then the groups after it.
    Groups {
        after: String,
        member: Option<String>,
        total: u64,
    },
    /// Changes up to a position.
    Changes { until: i64 },
}

impl Directory {
    /// A directory of the team; whether there is one of that name is found out when it is read.
    ///
    /// # Errors
    /// [`Error::Unusable`] outside of a server, which has directories.
    pub fn new(settings: &DirectorySettings, home: &Home) -> Result<Self, Error> {
        let directories = home.directories.clone().ok_or_else(|| {
            Error::Unusable(
                "a Portreeve directory is read by the server that has it, and this is a run without a server; make the \
                 application there (portreeve app create), or read another source"
                    .to_owned(),
            )
        })?;
        Ok(Self {
            named: settings.directory.trim().to_owned(),
            directories,
        })
    }

    /// Reads everything, what has changed, or the next page of such a read.
    ///
    /// # Errors
    /// [`Error::Unusable`] where there is no such directory, [`Error::Expired`] where the feed does not reach back so far,
    /// [`Error::Unavailable`] where the database cannot be asked now.
    pub async fn read(&self, from: &Place) -> Result<Page, Error> {
        let from = from.clone();
        self.ask(move |tx, directory| {
            let spot = match &from {
                Place::Everything => begin(tx, directory)?,
                Place::Page(at) => resume(at, directory)?,
                Place::Since(mark) => {
                    return changes::page(tx, directory, known(mark, directory)?, None);
                }
            };
            match spot.at {
                At::Users { after, total } => users_page(tx, directory, spot.mark, &after, total),
                At::Groups {
                    after,
                    member,
                    total,
                } => groups_page(tx, directory, spot.mark, (after, member), total),
                At::Changes { until } => changes::page(tx, directory, spot.mark, Some(until)),
            }
        })
        .await
    }

    /// One user or group by its id.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn one(&self, kind: Kind, key: &str) -> Result<Option<Object>, Error> {
        let key = key.to_owned();
        self.ask(move |tx, directory| now(tx, directory, kind, &key))
            .await
    }

    /// Users or groups whose attribute has this value, in either case of letters.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn find(
        &self,
        kind: Kind,
        attribute: &str,
        value: &str,
    ) -> Result<Vec<Object>, Error> {
        let filter = attributes::indexed(attribute).and_then(|path| {
            Filter::parse(&format!("{path} eq {}", serde_json::json!(value))).ok()
        });
        let value = value.to_lowercase();
        let (mut found, mut after) = (Vec::new(), String::new());
        loop {
            let (filter, from) = (filter.clone(), after.clone());
            let page = self
                .ask(move |tx, directory| page(tx, directory, kind, &from, PAGE, filter.clone()))
                .await?;
            let (Some(last), whole) = (page.last(), page.len() == PAGE) else {
                return Ok(found);
            };
            last.key.clone_into(&mut after);
            let matching = page
                .into_iter()
                .filter(|object| object.has(attribute, &value));
            found.extend(matching);
            if !whole {
                return Ok(found);
            }
        }
    }

    /// Up to `limit` members of a group.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn members(&self, group: &str, limit: usize) -> Result<Vec<Member>, Error> {
        let group = group.to_owned();
        self.ask(
            move |tx, directory| match groups::by_id(tx, &directory.id, &group) {
                Err(Refusal::NotFound(..)) => Ok(Vec::new()),
                Err(refusal) => Err(refusal.into()),
                Ok(_) => members_page(tx, directory, &group, "", limit),
            },
        )
        .await
    }

    /// Says how many people and groups there are.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn check(&self) -> Result<String, Error> {
        self.ask(|tx, directory| {
            let counts = directories::counts(tx, &directory.id)?;
            Ok(format!(
                "the directory \"{}\" has {} users, {} of them suspended, and {} groups",
                directory.name,
                counts.active_users + counts.suspended_users,
                counts.suspended_users,
                counts.groups
            ))
        })
        .await
    }

    /// Does something with the directory in one snapshot of the database.
    async fn ask<R: Send + 'static>(
        &self,
        work: impl Fn(&mut Tx<'_>, &Rules) -> Result<R, Error> + Send + 'static,
    ) -> Result<R, Error> {
        let (named, team) = (self.named.clone(), self.directories.team_id.clone());
        let read = self.directories.store.read(move |tx| {
            let directory = directory(tx, &team, &named)?;
            work(tx, &directory)
        });
        read.await
    }
}

fn directory(tx: &mut Tx<'_>, team_id: &str, named: &str) -> Result<Rules, Error> {
    let found = directories::find_in(tx, team_id, named);
    found.map_err(|refusal| match refusal {
        Refusal::NotFound(..) => Error::Unusable(format!(
            "this team has no directory \"{named}\"; see portreeve directory list"
        )),
        other => other.into(),
    })
}

/// Where a read of everything begins.
fn begin(tx: &mut Tx<'_>, directory: &Rules) -> Result<Spot, Error> {
    let counts = directories::counts(tx, &directory.id)?;
    let total = counts.active_users + counts.suspended_users + counts.groups;
    let mark = Mark {
        directory: directory.id.clone(),
        position: portreeve_directory::events::last(tx, &directory.team_id)?,
    };
    let at = At::Users {
        after: String::new(),
        total: u64::try_from(total).unwrap_or_default(),
    };
    Ok(Spot { mark, at })
}

fn resume(at: &str, directory: &Rules) -> Result<Spot, Error> {
    let spot: Spot = serde_json::from_str(at)
        .map_err(|_| Error::Expired(format!("\"{at}\" is no place in a directory")))?;
    let mark = of(spot.mark, directory)?;
    Ok(Spot { mark, ..spot })
}

fn known(mark: &str, directory: &Rules) -> Result<Mark, Error> {
    let mark = serde_json::from_str(mark)
        .map_err(|_| Error::Expired(format!("\"{mark}\" is no place in a change feed")))?;
    of(mark, directory)
}

/// A name can be given to another directory.
fn of(mark: Mark, directory: &Rules) -> Result<Mark, Error> {
    match mark.directory == directory.id {
        true => Ok(mark),
        false => Err(Error::Expired(
            "it was another directory that was read".to_owned(),
        )),
    }
}

fn users_page(
    tx: &mut Tx<'_>,
    directory: &Rules,
    mark: Mark,
    after: &str,
    total: u64,
) -> Result<Page, Error> {
    let users = page(tx, directory, Kind::User, after, PAGE, None)?;
    let at = match users.last() {
        Some(last) if users.len() == PAGE => At::Users {
            after: last.key.clone(),
            total,
        },
        _ => At::Groups {
            after: String::new(),
            member: None,
            total,
        },
    };
    Ok(Page {
        changes: users.into_iter().map(Change::Present).collect(),
        next: further(mark, at),
        total: Some(total),
    })
}

/// Groups with their members, a page full of both.
fn groups_page(
    tx: &mut Tx<'_>,
    directory: &Rules,
    mark: Mark,
    (mut group, mut member): (String, Option<String>),
    total: u64,
) -> Result<Page, Error> {
    let (mut changes, mut room) = (Vec::new(), PAGE);
    let mut coming = Vec::new().into_iter();
    let next = loop {
        if let Some(after) = &member {
            let added = members_page(tx, directory, &group, after, room)?;
            room -= added.len();
            member = added
                .last()
                .filter(|_| room == 0)
                .map(|last| last.key.clone());
            if !added.is_empty() {
                changes.push(Change::Members {
                    group: group.clone(),
                    added,
                    removed: Vec::new(),
                });
            }
        }
        if room == 0 {
            let after = group;
            break further(
                mark,
                At::Groups {
                    after,
                    member,
                    total,
                },
            );
        }
        let next = match coming.next() {
            Some(next) => Some(next),
            None => {
                coming = page(tx, directory, Kind::Group, &group, room, None)?.into_iter();
                coming.next()
            }
        };
        let Some(object) = next else {
            break Next::Watermark(text(&mark));
        };
        group.clone_from(&object.key);
        member = Some(String::new());
        room -= 1;
        changes.push(Change::Present(object));
    };
    Ok(Page {
        changes,
        next,
        total: Some(total),
    })
}

/// The next users or groups by id, those of a filter if there is one.
fn page(
    tx: &mut Tx<'_>,
    directory: &Rules,
    kind: Kind,
    after: &str,
    limit: usize,
    filter: Option<Filter>,
) -> Result<Vec<Object>, Error> {
    let query = ListQuery {
        filter,
        sort_by: None,
        descending: false,
        start_index: 1,
        count: Some(limit as u64),
        cursor: Some(String::new()),
        projection: Default::default(),
    };
    let place = Cursor {
        key: None,
        id: after.to_owned(),
        total: None,
        count: limit as u64,
        at: 0,
    };
    let request = Request {
        directory,
        query: &query,
        place: Some(&place),
        derived: false,
        now: 0,
    };
    match kind {
        Kind::User => {
            let mut users = list::page::<Users>(tx, &request)?.items;
            suspensions::apply(tx, &directory.id, &mut users)?;
            let objects = users
                .iter()
                .map(|user| attributes::of_user(directory, user));
            objects.collect()
        }
        Kind::Group => list::page::<Groups>(tx, &request)?
            .items
            .iter()
            .map(|group| attributes::of_group(directory, group))
            .collect(),
    }
}

/// A membership that was added here for a time counts until it is cleared away: an event tells of that, and not of the
/// moment at which it ends.
const WHENEVER: i64 = i64::MIN;

fn members_page(
    tx: &mut Tx<'_>,
    directory: &Rules,
    group: &str,
    after: &str,
    limit: usize,
) -> Result<Vec<Member>, Error> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let place = (limit, WHENEVER);
    let found = memberships::page(tx, &directory.id, group, after, place)?;
    let members = found.into_iter().map(|it| member(&it.kind, it.id));
    Ok(members.collect())
}

fn member(kind: &str, key: String) -> Member {
    let kind = match kind {
        "Group" => Kind::Group,
        _ => Kind::User,
    };
    Member {
        kind: Some(kind),
        key,
    }
}

/// A user or group as it is now, if it is there.
fn now(tx: &mut Tx<'_>, directory: &Rules, kind: Kind, key: &str) -> Result<Option<Object>, Error> {
    let object = match kind {
        Kind::User => users::by_id(tx, &directory.id, key).and_then(|mut user| {
            suspensions::apply(tx, &directory.id, slice::from_mut(&mut user))?;
            Ok(attributes::of_user(directory, &user))
        }),
        Kind::Group => groups::by_id(tx, &directory.id, key)
            .map(|group| attributes::of_group(directory, &group)),
    };
    match object {
        Ok(object) => object.map(Some),
        Err(Refusal::NotFound(..)) => Ok(None),
        Err(refusal) => Err(refusal.into()),
    }
}

fn further(mark: Mark, at: At) -> Next {
    Next::Page(text(&Spot { mark, at }))
}

fn text<T: Serialize>(place: &T) -> String {
    serde_json::json!(place).to_string()
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Store(error) => error.into(),
            other => Self::Unusable(other.to_string()),
        }
    }
}

impl From<portreeve_store::Error> for Error {
    fn from(error: portreeve_store::Error) -> Self {
        Self::Unavailable {
            reason: error.to_string(),
            retry_after: None,
        }
    }
}
