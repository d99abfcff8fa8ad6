//! Pages of users and groups.

use super::Admin;
use crate::app::App;
use portreeve_directory::Refusal;
use portreeve_directory::directories::Directory;
use portreeve_directory::list::{self, Kind, Request};
use portreeve_scim::query::ListQuery;
use portreeve_store::Tx;
use serde_json::json;
use std::borrow::Cow;
use std::sync::Arc;

/// A part of a list.
#[derive(Debug, Clone)]
pub(crate) struct Page<T> {
    /// What is on it.
    pub(crate) items: Vec<T>,
    /// How many there are in all, where that is known.
    pub(crate) total: Option<i64>,
    /// The cursor of the next one.
    pub(crate) next: Option<String>,
}

/// Which users or groups, in which order, from where on.
#[derive(Debug, Clone)]
pub(crate) struct Listing {
    /// Filter, order and page with the parameters of SCIM; of what is searched for, the number alone counts.
    pub(crate) query: ListQuery,
    /// Only those with this text in their names or addresses, the likeliest first; there are no further pages of them.
    pub(crate) search: Option<String>,
}

impl Listing {
    /// From the parameters of a request.
    pub(crate) fn of<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Result<Self, Refusal> {
        let mut search = None;
        let mut rest = Vec::new();
        for (name, value) in pairs {
            match name {
                "search" => search = Some(value.to_owned()),
                _ => rest.push((Cow::Borrowed(name), Cow::Borrowed(value))),
            }
        }
        let query = ListQuery::from_pairs(rest.into_iter())?;
        let search = search.filter(|text| !text.trim().is_empty());
        if search.is_some()
            && (query.filter.is_some()
                || query.sort_by.is_some()
                || query
                    .cursor
                    .as_deref()
                    .is_some_and(|cursor| !cursor.is_empty()))
        {
            return Err(Refusal::Invalid {
                attribute: "search",
                reason: "what is searched for comes by itself, the likeliest first; leave filter, sortBy and cursor out, or use a filter such as `displayName co \"ann\"` instead".to_owned(),
            });
        }
        Ok(Self { query, search })
    }

    /// How many are searched for.
    pub(super) fn most(&self) -> usize {
        let count = self.query.count.unwrap_or(list::DEFAULT_PAGE);
        usize::try_from(count.min(list::MAX_PAGE)).unwrap_or(0)
    }
}

/// A page by filter, in order, by index or by cursor. `view` is given all that is on it at once.
pub(super) async fn page<K: Kind + 'static, V: Send + 'static>(
    app: &App,
    admin: &Admin,
    directory: Arc<Directory>,
    query: ListQuery,
    view: impl Fn(&mut Tx<'_>, &Directory, Vec<K::Item>) -> Result<Vec<V>, Refusal> + Send + 'static,
) -> Result<Page<V>, Refusal> {
    let (now, walk) = (admin.at, list::fingerprint::<K>(&directory, &query));
    let place = match query.cursor.as_deref() {
        None | Some("") => None,
        Some(cursor) => Some(app.cursors.open(cursor, &walk, now)?),
    };
    let read = app.store.read(move |tx| {
        let request = Request {
            directory: &directory,
            query: &query,
            place: place.as_ref(),
            derived: false,
            now,
        };
        let page = list::page::<K>(tx, &request)?;
        let items = view(tx, &directory, page.items)?;
        Ok::<_, Refusal>((items, page.total, page.next))
    });
    let (items, total, next) = read.await?;
    Ok(Page {
        items,
        total,
        next: next.map(|place| app.cursors.seal(&place, &walk)),
    })
}

/// The only resource whose `attribute` is `name`.
pub(super) fn named<K: Kind>(
    tx: &mut Tx<'_>,
    directory: &Directory,
    attribute: &'static str,
    name: &str,
    now: i64,
) -> Result<Option<K::Item>, Refusal> {
    let filter = format!("{attribute} eq {}", json!(name));
    let pairs = [("filter", filter.as_str()), ("count", "2")];
    let pairs = pairs.map(|(name, value)| (Cow::Borrowed(name), Cow::Borrowed(value)));
    let query = ListQuery::from_pairs(pairs.into_iter())?;
    let request = Request {
        directory,
        query: &query,
        place: None,
        derived: false,
        now,
    };
    let mut found = list::page::<K>(tx, &request)?.items;
    match (found.pop(), found.pop()) {
        (_, Some(_)) => Err(Refusal::Invalid {
            attribute,
            reason: format!("several are called \"{name}\"; say which by its id"),
        }),
        (found, None) => Ok(found),
    }
}
