//! Which database test servers use.

use portreeve_cluster::{Cluster, DATABASE};
use portreeve_server::Config;
use portreeve_store::Database;

/// A new database of the kind that the variable [`DATABASE`] names; `None` is the one in the data folder.
///
/// # Panics
/// When it names no kind, or PostgreSQL cannot be started.
pub fn fresh_database() -> Option<Database> {
    #[expect(
        clippy::disallowed_methods,
        reason = "a choice of the person who runs the tests, not a setting of the program"
    )]
    let kind = std::env::var(DATABASE).unwrap_or_default();
    match kind.as_str() {
        "" | "sqlite" => None,
        "postgres" => {
            let url = Cluster::shared().fresh_url();
            Some(Database::parse(&url, |_| None).expect("the URL of a throw-away PostgreSQL"))
        }
        other => panic!("{DATABASE} is \"{other}\": give sqlite or postgres"),
    }
}

/// Has a server use the database in its data folder, whatever the environment says.
pub fn embedded(config: &mut Config) {
    config.database = Config::local(config.data.clone()).database;
}
