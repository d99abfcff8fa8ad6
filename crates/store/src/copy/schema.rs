//! What tables there are, as each database tells it.

use super::{CopyError, Stop};
use crate::store::Engine;
use crate::{Result, Tx, params};

/// The tables, those referred to before those that refer to them.
pub(super) struct Shape {
    pub(super) tables: Vec<Table>,
}

pub(super) struct Table {
    pub(super) name: String,
    pub(super) columns: Vec<Column>,
    /// The columns of the primary key, in its order.
    pub(super) key: Vec<String>,
}

pub(super) struct Column {
    pub(super) name: String,
    /// Whether the database has a type of its own for truth values here.
    pub(super) is_bool: bool,
}

/// How one kind of database tells of its schema.
struct Catalog {
    /// Name, and whether the database counts up a key.
    tables: &'static str,
    /// Name, place in the primary key or 0, whether it is of the type for truth values.
    columns: &'static str,
    /// Names of tables referred to.
    references: &'static str,
}

const SQLITE: Catalog = Catalog {
    tables: "SELECT name, sql LIKE '%AUTOINCREMENT%' FROM sqlite_schema
        WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
    columns: "SELECT name, pk, 0 FROM pragma_table_info($1) ORDER BY cid",
    references: "SELECT DISTINCT \"table\" FROM pragma_foreign_key_list($1)",
};

const POSTGRES: Catalog = Catalog {
    tables: "SELECT relname, EXISTS (SELECT 1 FROM pg_attribute WHERE attrelid = pg_class.oid AND attidentity <> '')
        FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
        WHERE nspname = current_schema() AND relkind IN ('r', 'p')",
    columns: "SELECT attname, coalesce(array_position(indkey::int2[], attnum) + 1, 0), atttypid = 'boolean'::regtype
        FROM pg_attribute LEFT JOIN pg_index ON indrelid = attrelid AND indisprimary
        WHERE attrelid = quote_ident($1)::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
    references: "SELECT DISTINCT relname FROM pg_constraint JOIN pg_class ON pg_class.oid = confrelid
        WHERE contype = 'f' AND conrelid = quote_ident($1)::regclass",
};

/// Each store keeps its own account of these.
const MIGRATIONS: &str = "migrations";

impl Shape {
    pub(super) fn read(tx: &mut Tx<'_>, engine: Engine) -> Result<Self, Stop> {
        let catalog = match engine {
            Engine::Sqlite => &SQLITE,
            Engine::Postgres => &POSTGRES,
        };
        let mut waiting = Vec::new();
        for row in tx.query(catalog.tables, &[])? {
            let (name, counts) = (row.text(0)?, row.bool(1)?);
            if name == MIGRATIONS {
                continue;
            }
            let table = Table::read(tx, catalog, name)?;
            if counts {
                return Err(table.refused("counts its keys up by itself").into());
            }
            if table.key.is_empty() {
                return Err(table.refused("has no primary key").into());
            }
            let references = tx.query(catalog.references, &params![name])?;
            let references = references.iter().map(|row| Ok(row.text(0)?.to_string()));
            waiting.push((table, references.collect::<Result<Vec<_>>>()?));
        }
        waiting.sort_by(|(one, _), (other, _)| one.name.cmp(&other.name));
        Ok(Self {
            tables: in_order(waiting)?,
        })
    }

    /// Refuses another shape.
    pub(super) fn same_as(&self, other: &Self) -> Result<(), CopyError> {
        let length = self.tables.len().max(other.tables.len());
        let of = |shape: &Self, place: usize| shape.tables.get(place).map(Table::names);
        let differs = (0..length).find(|place| of(self, *place) != of(other, *place));
        let Some(place) = differs else { return Ok(()) };
        let table = self.tables.get(place).or_else(|| other.tables.get(place));
        Err(CopyError::Different {
            table: table.map_or_else(String::new, |table| table.name.clone()),
        })
    }
}

impl Table {
    fn read(tx: &mut Tx<'_>, catalog: &Catalog, name: &str) -> Result<Self> {
        let mut columns = Vec::new();
        let mut key = Vec::new();
        for mut row in tx.query(catalog.columns, &params![name])? {
            let column = Column {
                name: row.take_text(0)?,
                is_bool: row.bool(2)?,
            };
            match row.int(1)? {
                0 => {}
                place => key.push((place, column.name.clone())),
            }
            columns.push(column);
        }
        key.sort();
        Ok(Self {
            name: name.to_string(),
            columns,
            key: key.into_iter().map(|(_, column)| column).collect(),
        })
    }

    /// All that has to be the same on both sides.
    fn names(&self) -> (String, Vec<String>, Vec<String>) {
        let columns = self.columns.iter().map(|column| column.name.clone());
        (self.name.clone(), columns.collect(), self.key.clone())
    }

    fn refused(&self, why: &'static str) -> CopyError {
        CopyError::Table {
            table: self.name.clone(),
            why,
        }
    }
}

/// Puts each table behind those it refers to; by name where that leaves a choice.
fn in_order(mut waiting: Vec<(Table, Vec<String>)>) -> Result<Vec<Table>, CopyError> {
    let mut placed: Vec<Table> = Vec::new();
    while !waiting.is_empty() {
        let ready = waiting.iter().position(|(_, references)| {
            let is_placed = |name: &String| placed.iter().any(|table| table.name == *name);
            references.iter().all(is_placed)
        });
        match ready {
            Some(place) => placed.push(waiting.remove(place).0),
            None => return Err(waiting[0].0.refused("is part of a circle of references")),
        }
    }
    Ok(placed)
}
