//! Three ways to a page: by index alone, by index and evaluation, by collecting and sorting.

use super::kinds::{self, Kind, Order};
use super::{MAX_SCAN, Page, Request};
use crate::cursor::{Key, Place};
use crate::filter_sql::{Given, Narrowed};
use crate::{Refusal, members};
use portreeve_scim::Error;
use portreeve_scim::filter::Checked;
use portreeve_scim::path::AttributePath;
use portreeve_scim::query::{SortKey, sort_key};
use portreeve_store::{Param, Tx};
use std::collections::HashMap;

pub(super) struct Walk<'a> {
    pub(super) request: &'a Request<'a>,
    pub(super) narrowed: &'a Narrowed,
    pub(super) order: &'a Order<'a>,
    pub(super) count: u64,
}

/// A resource with its sort value.
type Found<T> = (T, Option<Key>);

/// Rows per statement of a walk.
const CHUNK: i64 = 256;

impl Walk<'_> {
    /// One statement for the page, one for the total where the page does not tell it.
    pub(super) fn indexed<K: Kind>(&self, tx: &mut Tx<'_>) -> Result<Page<K::Item>, Refusal> {
        let by_cursor = self.request.query.cursor.is_some();
        let skip = if by_cursor {
            0
        } else {
            as_i64(self.request.query.start_index - 1)
        };
        let limit = as_i64(self.count);
        let after = self
            .request
            .place
            .map(|place| (place.key.clone(), place.id.clone()));
        let mut found = if limit == 0 {
            Vec::new()
        } else {
            self.chunk::<K>(tx, after.as_ref(), limit + 1, skip)?
        };
        let more = found.len() as u64 > self.count;
        found.truncate(usize::try_from(self.count).unwrap_or(usize::MAX));
        let total = match self.request.place {
            Some(place) => place.total,
            None if limit > 0 && skip == 0 && !more => Some(as_i64(found.len() as u64)),
            None => Some(self.total::<K>(tx)?),
        };
        Ok(self.page::<K>(found, total, by_cursor && more))
    }

    /// Evaluates the filter on what the indexes leave, in order. A walk by cursor stops when its page is full; paging by
    /// number needs the total and goes to the end.
    pub(super) fn scanned<K: Kind>(
        &self,
        tx: &mut Tx<'_>,
        checked: &Checked<'_>,
    ) -> Result<Page<K::Item>, Refusal> {
        let by_cursor = self.request.query.cursor.is_some();
        let first = if by_cursor {
            0
        } else {
            self.request.query.start_index - 1
        };
        let (mut kept, mut matched) = (Vec::new(), 0_u64);
        let mut after = self
            .request
            .place
            .map(|place| (place.key.clone(), place.id.clone()));
        let mut seen = 0;
        loop {
            let chunk = self.chunk::<K>(tx, after.as_ref(), CHUNK, 0)?;
            let Some((last, key)) = chunk.last() else {
                break;
            };
            after = Some((key.clone(), K::id(last).to_owned()));
            seen += chunk.len();
            if seen > MAX_SCAN {
                return Err(too_many());
            }
            let (mut items, keys): (Vec<_>, Vec<_>) = chunk.into_iter().unzip();
            let maps = K::maps(
                tx,
                self.request.directory,
                self.request.query.filter.as_ref(),
                &mut items,
            )?;
            for ((item, key), map) in items.into_iter().zip(keys).zip(maps) {
                if checked.matches(&map) {
                    if matched >= first && kept.len() as u64 <= self.count {
                        kept.push((item, key));
                    }
                    matched += 1;
                }
            }
            if by_cursor && kept.len() as u64 > self.count {
                break;
            }
        }
        let more = kept.len() as u64 > self.count;
        kept.truncate(usize::try_from(self.count).unwrap_or(usize::MAX));
        Ok(self.page::<K>(
            kept,
            (!by_cursor).then(|| as_i64(matched)),
            by_cursor && more,
        ))
    }

    /// Collects the sort value of every match, sorts, and reads the page.
    pub(super) fn sorted<K: Kind>(
        &self,
        tx: &mut Tx<'_>,
        path: &AttributePath,
        checked: Option<&Checked<'_>>,
    ) -> Result<Page<K::Item>, Refusal> {
        let query = self.request.query;
        if query.cursor.is_some() {
            return Err(Error::invalid_value(format!("sortBy={path} works with startIndex only; with a cursor sort by id, userName, displayName, externalId, meta.created or meta.lastModified")).into());
        }
        let mut all: Vec<(Option<SortKey>, String)> = Vec::new();
        let mut after: Option<(Option<Key>, String)> = None;
        let of = K::of(&self.request.directory.catalog);
        let by_id = Walk {
            order: &Order::Id { descending: false },
            ..*self
        };
        loop {
            let chunk = by_id.chunk::<K>(tx, after.as_ref(), CHUNK, 0)?;
            let Some((last, _)) = chunk.last() else { break };
            after = Some((None, K::id(last).to_owned()));
            let mut items: Vec<_> = chunk.into_iter().map(|(item, _)| item).collect();
            let maps = K::maps(
                tx,
                self.request.directory,
                query.filter.as_ref(),
                &mut items,
            )?;
            for (item, map) in items
                .iter()
                .zip(&maps)
                .filter(|(_, map)| checked.is_none_or(|checked| checked.matches(map)))
            {
                all.push((sort_key(of, path, map), K::id(item).to_owned()));
            }
            if all.len() > MAX_SCAN {
                return Err(too_many());
            }
        }
        // Resources without a value come last, or first when descending (RFC 7644 section 3.4.2.3).
        all.sort_by(|(a, a_id), (b, b_id)| {
            a.is_none()
                .cmp(&b.is_none())
                .then_with(|| a.cmp(b))
                .then_with(|| a_id.cmp(b_id))
        });
        if query.descending {
            all.reverse();
        }
        let skip = usize::try_from(query.start_index - 1).unwrap_or(usize::MAX);
        let take = usize::try_from(self.count).unwrap_or(usize::MAX);
        let page = all.iter().skip(skip).take(take);
        let ids: Vec<&str> = page.map(|(_, id)| id.as_str()).collect();
        Ok(Page {
            items: self.named::<K>(tx, &ids)?,
            total: Some(as_i64(all.len() as u64)),
            next: None,
        })
    }

    /// Resources by their ids, in that order.
    fn named<K: Kind>(&self, tx: &mut Tx<'_>, ids: &[&str]) -> Result<Vec<K::Item>, Refusal> {
        let mut found = HashMap::new();
        for chunk in ids.chunks(members::CHUNK) {
            let mut given = vec![Param::Text(&self.request.directory.id)];
            let list = members::placeholders(chunk, &mut given);
            let sql = format!(
                "SELECT {} FROM {} t WHERE t.directory_id = $1 AND t.id IN ({list})",
                K::COLUMNS,
                K::TABLE
            );
            for row in tx.query(&sql, &given)? {
                let item = K::read(row)?;
                found.insert(K::id(&item).to_owned(), item);
            }
        }
        Ok(ids.iter().filter_map(|id| found.remove(*id)).collect())
    }

    fn page<K: Kind>(
        &self,
        found: Vec<Found<K::Item>>,
        total: Option<i64>,
        more: bool,
    ) -> Page<K::Item> {
        let next = found.last().filter(|_| more).map(|(item, key)| Place {
            key: key.clone(),
            id: K::id(item).to_owned(),
            total,
            count: self.count,
            at: self.request.now,
        });
        Page {
            items: found.into_iter().map(|(item, _)| item).collect(),
            total,
            next,
        }
    }

    fn total<K: Kind>(&self, tx: &mut Tx<'_>) -> Result<i64, Refusal> {
        let sql = format!(
            "SELECT count(*) FROM {} t WHERE t.directory_id = $1{}{}",
            K::TABLE,
            K::SEEN,
            self.narrowed.sql
        );
        Ok(tx
            .query_one(&sql, &self.given())?
            .map_or(Ok(0), |row| row.int(0))?)
    }

    fn given(&self) -> Vec<Param<'_>> {
        let mut given = vec![Param::Text(&self.request.directory.id)];
        given.extend(self.narrowed.given.iter().map(Given::param));
        given
    }

    /// The next resources after a place, in order.
    ///
    /// Resources without a value come last, or first when descending (RFC 7644 section 3.4.2.3). No index has them in
    /// that place, so those with a value and those without are read one after the other.
    fn chunk<K: Kind>(
        &self,
        tx: &mut Tx<'_>,
        after: Option<&(Option<Key>, String)>,
        limit: i64,
        skip: i64,
    ) -> Result<Vec<Found<K::Item>>, Refusal> {
        let Order::Column {
            nullable: true,
            descending,
            ..
        } = *self.order
        else {
            return self.stretch::<K>(tx, Part::All, after, limit, skip);
        };
        if skip > 0 {
            return self.stretch::<K>(tx, Part::All, after, limit, skip);
        }
        let unvalued = matches!(after, Some((Some(Key::Null), _)));
        let first = if unvalued || (descending && after.is_none()) {
            Part::Unvalued
        } else {
            Part::Valued
        };
        let mut found = self.stretch::<K>(tx, first, after, limit, 0)?;
        let second = match first {
            Part::Unvalued if descending => Some(Part::Valued),
            Part::Valued if !descending => Some(Part::Unvalued),
            _ => None,
        };
        let missing = limit - as_i64(found.len() as u64);
        if let Some(second) = second.filter(|_| missing > 0) {
            found.append(&mut self.stretch::<K>(tx, second, None, missing, 0)?);
        }
        Ok(found)
    }

    /// One statement: the next resources of a part after a place in it.
    fn stretch<K: Kind>(
        &self,
        tx: &mut Tx<'_>,
        part: Part,
        after: Option<&(Option<Key>, String)>,
        limit: i64,
        skip: i64,
    ) -> Result<Vec<Found<K::Item>>, Refusal> {
        let mut given = self.given();
        let place = after.map_or(String::new(), |(key, id)| {
            self.place(key.as_ref(), id, &mut given)
        });
        let (column, only, order) = self.order_by(part);
        given.push(Param::Int(limit));
        let mut sql = format!(
            "SELECT {}{column} FROM {} t WHERE t.directory_id = $1{}{}{only}{place} ORDER BY {order} LIMIT ${}",
            K::COLUMNS,
            K::TABLE,
            K::SEEN,
            self.narrowed.sql,
            given.len()
        );
        if skip > 0 {
            given.push(Param::Int(skip));
            sql.push_str(&format!(" OFFSET ${}", given.len()));
        }
        let key_at = K::COLUMNS.split(',').count();
        let number = matches!(self.order, Order::Column { number: true, .. });
        let keyed = !column.is_empty();
        tx.query(&sql, &given)?
            .into_iter()
            .map(|row| {
                let key = if keyed {
                    Some(kinds::key(&row, key_at, number)?)
                } else {
                    None
                };
                Ok((K::read(row)?, key))
            })
            .collect()
    }

    /// The extra column that carries the sort value, the condition of the part, and the ORDER BY list.
    fn order_by(&self, part: Part) -> (String, String, String) {
        let Order::Column {
            column,
            nullable,
            descending,
            ..
        } = *self.order
        else {
            let descending = matches!(self.order, Order::Id { descending: true });
            let order = if descending { "t.id DESC" } else { "t.id" };
            return (String::new(), String::new(), order.into());
        };
        let direction = if descending { " DESC" } else { "" };
        let carried = format!(", {column}");
        let by_value = format!("{column}{direction}, t.id{direction}");
        let (only, order) = match part {
            Part::Valued => (format!(" AND {column} IS NOT NULL"), by_value),
            Part::Unvalued => (format!(" AND {column} IS NULL"), format!("t.id{direction}")),
            Part::All if nullable => (
                String::new(),
                format!("{column} IS NULL{direction}, {by_value}"),
            ),
            Part::All => (String::new(), by_value),
        };
        (carried, only, order)
    }

    /// The condition "later in the order than this place", within its part.
    fn place<'p>(&self, key: Option<&'p Key>, id: &'p str, given: &mut Vec<Param<'p>>) -> String {
        given.push(Param::Text(id));
        let id = given.len();
        let (column, descending) = match *self.order {
            Order::Id { descending } => (None, descending),
            Order::Computed(_) => (None, false),
            Order::Column {
                column, descending, ..
            } => (Some(column), descending),
        };
        let sign = if descending { '<' } else { '>' };
        let value = key.and_then(|key| match key {
            Key::Null => None,
            Key::Int(number) => Some(Param::Int(*number)),
            Key::Text(text) => Some(Param::Text(text)),
        });
        let (Some(column), Some(value)) = (column, value) else {
            return format!(" AND t.id {sign} ${id}");
        };
        given.push(value);
        format!(" AND ({column}, t.id) {sign} (${}, ${id})", given.len())
    }
}

/// Which resources a statement is about, when they are sorted by an attribute that not all have.
#[derive(Debug, Clone, Copy)]
enum Part {
    All,
    Valued,
    Unvalued,
}

fn as_i64(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn too_many() -> Refusal {
    Error::too_many(format!("the query would look at more than {MAX_SCAN} resources; add a condition on userName, externalId, emails.value or meta.lastModified")).into()
}
