//! What concerns the driver for servers alone.

mod encryption;
mod faults;
mod flights;
mod notices;
mod scopes;

use crate::{Database, Options, Result, Store, params};

/// A second process on the same database.
fn replica(options: &Options) -> Store {
    Store::open(options).unwrap()
}

/// Ends every connection that the server has for a user of the same schema, as an administrator or a restart would.
async fn end_connections(store: &Store) {
    let others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
        WHERE pid <> pg_backend_pid() AND application_name = current_setting('application_name')";
    store.lookup(move |tx| tx.query(others, &[])).await.unwrap();
}

/// The same database, with a name for its connections that no other test uses.
fn named(database: &Database) -> Database {
    let Database::Postgres { url } = database else {
        panic!("not a server");
    };
    let mut url = url.clone();
    let schema = url.config().get_options().unwrap().to_string();
    url.config_mut().application_name(schema);
    Database::Postgres { url }
}

/// A connection that is no store's.
struct Stranger {
    client: tokio_postgres::Client,
}

impl Stranger {
    async fn on(options: &Options) -> Self {
        let Database::Postgres { url } = &options.database else {
            panic!("not a server");
        };
        let connected = url.config().connect(tokio_postgres::NoTls).await;
        let (client, connection) = connected.unwrap();
        tokio::spawn(connection);
        Self { client }
    }

    async fn run(&self, sql: &str) {
        self.client.batch_execute(sql).await.unwrap();
    }
}

async fn counter(store: &Store, name: &'static str) -> Result<i64> {
    let value = "SELECT value FROM counters WHERE name = $1";
    let read = store.lookup(move |tx| tx.query_one(value, &params![name]));
    read.await?.map_or(Ok(0), |row| row.int(0))
}
