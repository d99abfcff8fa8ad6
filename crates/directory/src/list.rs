//! Lists: filter, order and page users or groups (RFC 7644 section 3.4.2, RFC 9865).
//!
//! What the indexes can answer is one statement; the rest is a bounded walk in index order over what they leave.
//! Both kinds of paging are places in the same order: a number of resources to skip, or the last resource seen.

mod kinds;
mod walk;

pub use kinds::{Groups, Kind, Users, version_tag};

use crate::Refusal;
use crate::cursor::Place;
use crate::directories::Directory;
use crate::filter_sql;
use portreeve_scim::query::ListQuery;
use portreeve_scim::{Error, Filter};
use portreeve_store::Tx;

/// The most resources that one page holds; announced as `filter.maxResults`.
pub const MAX_PAGE: u64 = 1000;
/// The page size where a client names none.
pub const DEFAULT_PAGE: u64 = 100;
/// The most resources a query walks over when no index answers it.
pub const MAX_SCAN: usize = 1_000_000;

/// One page.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// The resources.
    pub items: Vec<T>,
    /// `totalResults`, unless it is unknown in a walk by cursor.
    pub total: Option<i64>,
    /// Where a walk by cursor goes on; `None` at the end.
    pub next: Option<Place>,
}

/// What a page depends on besides the place in the walk.
pub struct Request<'a> {
    /// The directory.
    pub directory: &'a Directory,
    /// Filter, order, place and count.
    pub query: &'a ListQuery,
    /// Where to go on, in a walk by cursor.
    pub place: Option<&'a Place>,
    /// Whether what is derived from memberships (`groups` of a user) is wanted.
    pub derived: bool,
    /// The current time (microseconds since 1970 UTC).
    pub now: i64,
}

/// Everything a result depends on but the place: cursors are bound to it.
pub fn fingerprint<K: Kind>(directory: &Directory, query: &ListQuery) -> String {
    let filter = query
        .filter
        .as_ref()
        .map(ToString::to_string)
        .unwrap_or_default();
    let sort = query
        .sort_by
        .as_ref()
        .map(ToString::to_string)
        .unwrap_or_default();
    format!(
        "{}\n{}\n{filter}\n{sort}\n{}",
        directory.id,
        K::TABLE,
        query.descending
    )
}

/// Answers one page of users ([`Users`]) or groups ([`Groups`]).
pub fn page<K: Kind>(tx: &mut Tx<'_>, request: &Request<'_>) -> Result<Page<K::Item>, Refusal> {
    let Request {
        directory, query, ..
    } = request;
    let of = K::of(&directory.catalog);
    let checked = query
        .filter
        .as_ref()
        .map(|filter| filter.check(of, directory.profile))
        .transpose()?;
    let narrowed = filter_sql::compile(query.filter.as_ref(), of, directory.profile);
    let order = kinds::order::<K>(directory, query)?;
    let count = count(query, request.place)?;
    let walk = walk::Walk {
        request,
        narrowed: &narrowed,
        order: &order,
        count,
    };
    let mut page = match (&order, &checked) {
        (kinds::Order::Computed(path), _) => walk.sorted::<K>(tx, path, checked.as_ref())?,
        (_, Some(checked)) if !narrowed.exact => walk.scanned::<K>(tx, checked)?,
        _ => walk.indexed::<K>(tx)?,
    };
    if request.derived {
        K::derive(tx, directory, &mut page.items)?;
    }
    Ok(page)
}

/// The number of resources on a page. Within a walk it may not change (RFC 9865 section 2.1).
fn count(query: &ListQuery, place: Option<&Place>) -> Result<u64, Error> {
    let wanted = query.count.unwrap_or(DEFAULT_PAGE).min(MAX_PAGE);
    match place {
        Some(place) if query.count.is_some() && place.count != wanted => {
            Err(Error::invalid_count(format!(
                "this walk was begun with count={}; keep it, or start again with an empty cursor",
                place.count
            )))
        }
        Some(place) => Ok(place.count),
        None => Ok(wanted),
    }
}

/// Whether a filter looks at an attribute of that name.
fn mentions(filter: &Filter, name: &str) -> bool {
    let named = |path: &str| {
        let last = path.rsplit(':').next().unwrap_or(path);
        last.split('.')
            .next()
            .is_some_and(|first| first.eq_ignore_ascii_case(name))
    };
    match filter {
        Filter::And(parts) | Filter::Or(parts) => parts.iter().any(|part| mentions(part, name)),
        Filter::Not(inner) => mentions(inner, name),
        Filter::Compare { path, .. } | Filter::Present(path) | Filter::Value { path, .. } => {
            named(path.as_str())
        }
    }
}

/// Whether a query looks a resource up by a key, so that its answer is one resource or few and costs a few reads. The
/// others grow with the directory.
pub fn is_lookup<K: Kind>(directory: &Directory, query: &ListQuery) -> bool {
    let Some(filter) = query.filter.as_ref() else {
        return false;
    };
    // Conditions on memberships are exact, but walk along them.
    query.sort_by.is_none()
        && !mentions(filter, "groups")
        && !mentions(filter, "members")
        && filter_sql::is_lookup(
            filter,
            K::of(&directory.catalog),
            directory.profile,
            directory.settings.unique_group_names,
        )
}
