//! The schema that the migrations make: the same on every database, and one that can be distributed by tenant.

use crate::engine::Engine;
use crate::world::World;
use portreeve_store::{Error, Row, Tx};
use std::collections::BTreeSet;

/// Tables that belong to no tenant, and why that is right. A distributed database keeps a whole copy of them on each of its
/// servers ("reference tables").
const REFERENCE: &[(&str, &str)] = &[
    (
        "teams",
        "its key is the tenant, and other tables refer to it",
    ),
    (
        "directories",
        "its key is the tenant, and other tables refer to it",
    ),
    ("replicas", "servers, which work for all tenants"),
    ("installation", "one fact about the whole database"),
    (
        "step_settings",
        "which team a host name is for must be known before the team",
    ),
];

/// Whose key begins with one of these belongs to one tenant.
const OWNERS: &[&str] = &["team_id", "directory_id", "owner_id", "application_id"];

/// A table that each driver makes in its own words before any migration.
const DRIVERS: &str = "migrations";

/// What a database says of itself, in words that do not depend on which it is.
#[derive(Debug, Default, PartialEq, Eq)]
struct Schema {
    columns: BTreeSet<String>,
    /// (table, name, first column, all of it).
    keys: BTreeSet<(String, String, String, String)>,
    indexes: BTreeSet<String>,
    /// (table and column, table and column referred to).
    references: BTreeSet<(String, String)>,
}

/// The catalogue of one kind of database. Each query gives texts.
struct Catalogue {
    /// table, column, type, whether it may be null, default
    columns: &'static str,
    /// table, index, kind, columns, condition
    indexes: &'static str,
    /// table, column, table, column
    references: &'static str,
}

const SQLITE: Catalogue = Catalogue {
    columns: "SELECT t.name, c.name, CASE c.type WHEN 'BLOB' THEN 'BYTES' ELSE c.type END, CASE c.\"notnull\" WHEN 1 THEN ' NOT NULL' ELSE '' END, coalesce(c.dflt_value, '') \
              FROM sqlite_schema t JOIN pragma_table_info(t.name) c WHERE t.type = 'table'",
    indexes: "SELECT t.name, CASE i.origin WHEN 'pk' THEN t.name || '_pkey' ELSE i.name END, CASE i.\"unique\" WHEN 1 THEN 'unique' ELSE '' END, \
                     (SELECT group_concat(name, ', ') FROM (SELECT name FROM pragma_index_info(i.name) ORDER BY seqno)), \
                     coalesce((SELECT CASE instr(sql, ' WHERE ') WHEN 0 THEN '' ELSE substr(sql, instr(sql, ' WHERE ') + 7) END FROM sqlite_schema WHERE name = i.name), '') \
              FROM sqlite_schema t JOIN pragma_index_list(t.name) i WHERE t.type = 'table'",
    references: "SELECT t.name, r.\"from\", r.\"table\", r.\"to\" FROM sqlite_schema t JOIN pragma_foreign_key_list(t.name) r WHERE t.type = 'table'",
};

const POSTGRES: Catalogue = Catalogue {
    columns: "SELECT t.relname, c.attname, \
                     CASE format_type(c.atttypid, c.atttypmod) WHEN 'text' THEN CASE l.collname WHEN 'C' THEN 'TEXT' ELSE 'TEXT COLLATE ' || l.collname END WHEN 'bytea' THEN 'BYTES' ELSE upper(format_type(c.atttypid, c.atttypmod)) END, \
                     CASE WHEN c.attnotnull THEN ' NOT NULL' ELSE '' END, coalesce(replace(pg_get_expr(d.adbin, d.adrelid), '::text', ''), '') \
              FROM pg_class t JOIN pg_attribute c ON c.attrelid = t.oid AND c.attnum > 0 AND NOT c.attisdropped \
              LEFT JOIN pg_attrdef d ON d.adrelid = t.oid AND d.adnum = c.attnum LEFT JOIN pg_collation l ON l.oid = c.attcollation \
              WHERE t.relkind = 'r' AND t.relnamespace = current_schema()::regnamespace",
    indexes: "SELECT t.relname, i.relname, CASE WHEN x.indisunique THEN 'unique' ELSE '' END, \
                     (SELECT string_agg(c.attname, ', ' ORDER BY k.place) FROM unnest(x.indkey) WITH ORDINALITY k (number, place) JOIN pg_attribute c ON c.attrelid = t.oid AND c.attnum = k.number), \
                     coalesce(btrim(replace(pg_get_expr(x.indpred, x.indrelid), '::text', ''), '()'), '') \
              FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid \
              WHERE t.relnamespace = current_schema()::regnamespace",
    references: "SELECT t.relname, c.attname, o.relname, p.attname FROM pg_constraint f \
                 JOIN pg_class t ON t.oid = f.conrelid JOIN pg_attribute c ON c.attrelid = t.oid AND c.attnum = ANY (f.conkey) \
                 JOIN pg_class o ON o.oid = f.confrelid JOIN pg_attribute p ON p.attrelid = o.oid AND p.attnum = ANY (f.confkey) \
                 WHERE f.contype = 'f' AND t.relnamespace = current_schema()::regnamespace",
};

impl Schema {
    fn of(on: Engine) -> Self {
        let catalogue = match on {
            Engine::Sqlite => &SQLITE,
            Engine::Postgres => &POSTGRES,
        };
        let world = World::new(on);
        let read = world.read(move |tx| Ok(Self::read(tx, catalogue)?));
        read.unwrap()
    }

    fn read(tx: &mut Tx<'_>, catalogue: &Catalogue) -> Result<Self, Error> {
        let mut schema = Self::default();
        for [table, column, kind, null, default] in texts(tx, catalogue.columns)? {
            let default = match &*default {
                "" => String::new(),
                value => format!(" DEFAULT {value}"),
            };
            schema
                .columns
                .insert(format!("{table}.{column} {kind}{null}{default}"));
        }
        for [table, name, unique, columns, only] in texts(tx, catalogue.indexes)? {
            let text = format!("{unique} {name} ON {table} ({columns}) WHERE {only}");
            if !unique.is_empty() {
                let first = columns.split(", ").next().unwrap().to_owned();
                schema.keys.insert((table, name, first, text.clone()));
            }
            schema.indexes.insert(text);
        }
        for [table, column, other, its] in texts(tx, catalogue.references)? {
            let (from, to) = (format!("{table}.{column}"), format!("{other}.{its}"));
            schema.references.insert((from, to));
        }
        Ok(schema)
    }
}

/// The rows of a query but for those about other people's tables.
fn texts<const N: usize>(tx: &mut Tx<'_>, sql: &str) -> Result<Vec<[String; N]>, Error> {
    let all = |mut row: Row| {
        let mut texts = [const { String::new() }; N];
        for (index, text) in texts.iter_mut().enumerate() {
            *text = row.take_text(index)?;
        }
        Ok(texts)
    };
    let rows: Result<Vec<_>, _> = tx.query(sql, &[])?.into_iter().map(all).collect();
    let ours = |texts: &[String; N]| texts[0] != DRIVERS && !texts[0].starts_with("sqlite_");
    Ok(rows?.into_iter().filter(ours).collect())
}

#[test]
fn every_database_gets_the_same_schema() {
    let (embedded, server) = (Schema::of(Engine::Sqlite), Schema::of(Engine::Postgres));
    assert!(embedded.columns.len() > 100 && embedded.indexes.len() > 25);
    let differences = |a: &BTreeSet<String>, b: &BTreeSet<String>| {
        a.symmetric_difference(b).cloned().collect::<Vec<_>>()
    };
    let none: &[String] = &[];
    assert_eq!(differences(&embedded.columns, &server.columns), none);
    assert_eq!(differences(&embedded.indexes, &server.indexes), none);
    assert_eq!(embedded, server);
}

#[test]
fn every_key_of_a_tenants_table_begins_with_the_tenant() {
    let schema = Schema::of(Engine::Postgres);
    let shared = |table: &str| REFERENCE.iter().any(|(name, _)| *name == table);
    let mut keyed = BTreeSet::new();
    for (table, name, first, all) in &schema.keys {
        keyed.insert(table.as_str());
        assert!(
            shared(table) || OWNERS.contains(&first.as_str()),
            "{name} does not begin with the tenant, so that {table} cannot be distributed: {all}"
        );
    }
    let tables = schema
        .columns
        .iter()
        .map(|column| column.split('.').next().unwrap());
    let without: Vec<_> = tables.filter(|table| !keyed.contains(table)).collect();
    assert_eq!(without, [""; 0], "every table has a key");
    for (name, why) in REFERENCE {
        assert!(keyed.contains(name), "{name} ({why}) is gone");
    }
    for (from, to) in &schema.references {
        let (table, _) = to.split_once('.').unwrap();
        assert!(
            shared(table),
            "{from} refers to {to}, which may be on another server"
        );
    }
}

/// A sequence is one for all tenants, and a place where all writers meet.
#[test]
fn nothing_is_counted_for_all_tenants_together() {
    let world = World::new(Engine::Postgres);
    let sequences = world.read(|tx| {
        let sql = "SELECT relname FROM pg_class WHERE relkind = 'S' AND relnamespace = current_schema()::regnamespace";
        Ok(tx.query(sql, &[])?.len())
    });
    assert_eq!(sequences.unwrap(), 0);
}
