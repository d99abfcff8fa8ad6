//! What differs between lists of users and of groups.

use super::mentions;
use crate::Refusal;
use crate::cursor::Key;
use crate::directories::Directory;
use crate::groups::{self, Group};
use crate::members;
use crate::users::{self, Status, User};
use portreeve_scim::path::AttributePath;
use portreeve_scim::query::ListQuery;
use portreeve_scim::schema::{Catalog, ResourceType};
use portreeve_scim::{Error, Filter, time};
use portreeve_store::{Row, Tx};
use serde_json::{Map, Value, json};

/// A kind of resource that can be listed.
pub trait Kind {
    /// One resource.
    type Item: Clone + Send + 'static;
    /// Its table.
    const TABLE: &'static str;
    /// The columns that [`Kind::read`] takes.
    const COLUMNS: &'static str;
    /// Which rows are seen.
    const SEEN: &'static str;
    /// Attributes that are columns: (path in lower case, column, whether it can be NULL, whether it is a number).
    const SORTED: &'static [(&'static str, &'static str, bool, bool)];

    /// Its resource type.
    fn of(catalog: &Catalog) -> &ResourceType;
    /// Reads a row.
    fn read(row: Row) -> Result<Self::Item, Refusal>;
    /// Id of a resource.
    fn id(item: &Self::Item) -> &str;
    /// The representation that filters and sorting see; `meta` without `location`.
    fn map(item: &Self::Item) -> Result<Map<String, Value>, Refusal>;
    /// Adds what comes from memberships.
    fn derive(
        tx: &mut Tx<'_>,
        directory: &Directory,
        items: &mut [Self::Item],
    ) -> Result<(), Refusal>;
    /// The representations of some resources with all that this filter looks at.
    fn maps(
        tx: &mut Tx<'_>,
        directory: &Directory,
        filter: Option<&Filter>,
        items: &mut [Self::Item],
    ) -> Result<Vec<Map<String, Value>>, Refusal>;
}

/// Lists of users.
#[derive(Debug, Clone, Copy)]
pub struct Users;

impl Kind for Users {
    type Item = User;
    const TABLE: &'static str = "users";
    const COLUMNS: &'static str =
        "t.id, t.status, t.level, t.version, t.created_at, t.updated_at, t.resource";
    const SEEN: &'static str = "";
    const SORTED: &'static [(&'static str, &'static str, bool, bool)] = &[
        ("username", "t.user_name_key", false, false),
        ("displayname", "t.display_name_key", true, false),
        ("externalid", "t.external_id", true, false),
        ("meta.created", "t.created_at", false, true),
        ("meta.lastmodified", "t.updated_at", false, true),
    ];

    fn of(catalog: &Catalog) -> &ResourceType {
        catalog.user()
    }

    fn read(row: Row) -> Result<User, Refusal> {
        users::from_row(row)
    }

    fn id(item: &User) -> &str {
        &item.id
    }

    fn map(item: &User) -> Result<Map<String, Value>, Refusal> {
        let mut map = with_meta(
            &item.resource,
            "User",
            &item.id,
            item.version,
            (item.created_at, item.updated_at),
        )?;
        map.insert("active".into(), json!(item.status == Status::Active));
        if !item.groups.is_empty() {
            let group = |g: &users::InGroup| json!({"value": g.id, "display": g.display, "type": if g.direct { "direct" } else { "indirect" }});
            map.insert("groups".into(), item.groups.iter().map(group).collect());
        }
        Ok(map)
    }

    fn derive(tx: &mut Tx<'_>, directory: &Directory, items: &mut [User]) -> Result<(), Refusal> {
        if let [user] = items {
            user.groups = members::groups_of(tx, &directory.id, &user.id)?;
            return Ok(());
        }
        let ids: Vec<&str> = items.iter().map(|user| user.id.as_str()).collect();
        let mut groups = members::groups_of_all(tx, &directory.id, &ids)?;
        for user in items {
            user.groups = groups.remove(&user.id).unwrap_or_default();
        }
        Ok(())
    }

    fn maps(
        tx: &mut Tx<'_>,
        directory: &Directory,
        filter: Option<&Filter>,
        items: &mut [User],
    ) -> Result<Vec<Map<String, Value>>, Refusal> {
        if filter.is_some_and(|filter| mentions(filter, "groups")) {
            Self::derive(tx, directory, items)?;
        }
        items.iter().map(Self::map).collect()
    }
}

/// Lists of groups.
#[derive(Debug, Clone, Copy)]
pub struct Groups;

impl Kind for Groups {
    type Item = Group;
    const TABLE: &'static str = "groups";
    const COLUMNS: &'static str =
        "t.id, t.display_name, t.version, t.created_at, t.updated_at, t.resource";
    const SEEN: &'static str = " AND t.status = 'active'";
    const SORTED: &'static [(&'static str, &'static str, bool, bool)] = &[
        ("displayname", "t.display_name_key", false, false),
        ("externalid", "t.external_id", true, false),
        ("meta.created", "t.created_at", false, true),
        ("meta.lastmodified", "t.updated_at", false, true),
    ];

    fn of(catalog: &Catalog) -> &ResourceType {
        catalog.group()
    }

    fn read(row: Row) -> Result<Group, Refusal> {
        groups::from_row(row)
    }

    fn id(item: &Group) -> &str {
        &item.id
    }

    fn map(item: &Group) -> Result<Map<String, Value>, Refusal> {
        with_meta(
            &item.resource,
            "Group",
            &item.id,
            item.version,
            (item.created_at, item.updated_at),
        )
    }

    /// Members are read while the answer is sent, because there may be very many.
    fn derive(_: &mut Tx<'_>, _: &Directory, _: &mut [Group]) -> Result<(), Refusal> {
        Ok(())
    }

    fn maps(
        tx: &mut Tx<'_>,
        directory: &Directory,
        filter: Option<&Filter>,
        items: &mut [Group],
    ) -> Result<Vec<Map<String, Value>>, Refusal> {
        let wanted = filter.is_some_and(|filter| mentions(filter, "members"));
        let mut maps = items.iter().map(Self::map).collect::<Result<Vec<_>, _>>()?;
        for (item, map) in items.iter().zip(&mut maps).filter(|_| wanted) {
            let mut all = Vec::new();
            let mut after = String::new();
            loop {
                let page = members::page(tx, &directory.id, &item.id, &after, 1000)?;
                let Some(last) = page.last() else { break };
                after.clone_from(&last.id);
                all.extend(page.iter().map(|m| json!({"value": m.id, "type": m.kind})));
            }
            if !all.is_empty() {
                map.insert("members".into(), Value::Array(all));
            }
        }
        Ok(maps)
    }
}

fn with_meta(
    resource: &str,
    kind: &str,
    id: &str,
    version: i64,
    (created, modified): (i64, i64),
) -> Result<Map<String, Value>, Refusal> {
    let mut map = users::stored_map(resource)?;
    map.insert("id".into(), json!(id));
    let meta = json!({"resourceType": kind, "created": time::format(created), "lastModified": time::format(modified), "version": version_tag(version)});
    map.insert("meta".into(), meta);
    Ok(map)
}

/// The version as `meta.version` and the `ETag` header show it.
pub fn version_tag(version: i64) -> String {
    format!("W/\"{version}\"")
}

/// In what order a list goes.
#[derive(Debug)]
pub(crate) enum Order<'a> {
    /// By id, which is the order of creation.
    Id { descending: bool },
    /// By an indexed or stored column, then id.
    Column {
        column: &'static str,
        nullable: bool,
        number: bool,
        descending: bool,
    },
    /// By any other attribute: the values are collected and sorted.
    Computed(&'a AttributePath),
}

/// The order a query asks for. An attribute that no schema knows is refused, so that nobody believes a list is sorted.
pub(crate) fn order<'a, K: Kind>(
    directory: &Directory,
    query: &'a ListQuery,
) -> Result<Order<'a>, Refusal> {
    let descending = query.descending;
    let Some(path) = &query.sort_by else {
        return Ok(Order::Id { descending: false });
    };
    let found = K::of(&directory.catalog).resolve(path, directory.profile);
    let Some((found, attribute)) =
        found.and_then(|found| found.attribute.map(|attribute| (found, attribute)))
    else {
        return Err(Error::invalid_path(format!(
            "sortBy: there is no attribute \"{path}\"; see /Schemas for those there are"
        ))
        .into());
    };
    let mut name = attribute.name.to_ascii_lowercase();
    if let Some(sub) = found.sub {
        name = format!("{name}.{}", sub.name.to_ascii_lowercase());
    }
    if found.extension.is_none() && name == "id" {
        return Ok(Order::Id { descending });
    }
    let column = K::SORTED
        .iter()
        .find(|(path, ..)| found.extension.is_none() && *path == name);
    Ok(match column {
        Some(&(_, column, nullable, number)) => Order::Column {
            column,
            nullable,
            number,
            descending,
        },
        None => Order::Computed(path),
    })
}

/// The sort value in the last column of a row.
pub(crate) fn key(row: &Row, at: usize, number: bool) -> Result<Key, Refusal> {
    Ok(if number {
        Key::Int(row.int(at)?)
    } else {
        row.opt_text(at)?
            .map_or(Key::Null, |text| Key::Text(text.to_owned()))
    })
}
