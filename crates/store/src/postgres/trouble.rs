//! PostgreSQL's errors in the store's words, and how much of the work each one takes down.

use std::error::Error as _;
use std::time::Duration;

use tokio_postgres::error::DbError;

use super::opener::STATEMENT;
use super::url::PostgresUrl;
use super::values::Mismatch;
use crate::Error;

/// An error and what it means for the transaction and the connection.
#[derive(Debug, Clone)]
pub(super) struct Trouble {
    pub(super) reach: Reach,
    pub(super) error: Error,
}

/// How far an error reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// One closure: its neighbours in the group go on.
    Closure,
    /// The whole transaction; the same will happen again.
    Transaction,
    /// The whole transaction, which may well succeed when run again.
    Again,
    /// As [`Again`](Self::Again), after preparing every statement anew: the schema has changed under them.
    Stale,
    /// The connection is gone, or not to be used any more.
    Connection,
}

impl Trouble {
    pub(super) fn unavailable(message: impl Into<String>) -> Self {
        Self {
            reach: Reach::Connection,
            error: Error::Unavailable {
                message: message.into(),
            },
        }
    }

    pub(super) fn closure(message: impl Into<String>) -> Self {
        Self {
            reach: Reach::Closure,
            error: Error::Failed(message.into()),
        }
    }

    /// `wait` is how long the server waits for locks.
    pub(super) fn new(error: &tokio_postgres::Error, wait: Duration) -> Self {
        if let Some(said) = error.as_db_error() {
            return said_by_server(said, wait);
        }
        let message = with_causes(error);
        // A value that does not fit was not even sent; everything else is the connection's end.
        if error.source().is_some_and(|cause| cause.is::<Mismatch>()) {
            Self::closure(message)
        } else {
            Self::unavailable(message)
        }
    }

    /// A refusal to let us in: the server is not there, or does not know us.
    pub(super) fn connecting(error: &tokio_postgres::Error, url: &PostgresUrl) -> Self {
        let (cause, remedy) = match error.as_db_error() {
            Some(said) => (sentence(said), remedy(said.code().code())),
            None => (with_causes(error), remedy_of_ours(error)),
        };
        Self::unavailable(format!("{url}: {cause}: {remedy}"))
    }

    /// What happened, without the advice around it.
    pub(super) fn message(&self) -> String {
        match &self.error {
            Error::Unavailable { message } => message.clone(),
            other => other.to_string(),
        }
    }
}

fn said_by_server(said: &DbError, wait: Duration) -> Trouble {
    let message = sentence(said);
    let (reach, error) = match said.code().code() {
        "23505" => {
            let index = said.constraint().unwrap_or_default().to_string();
            (Reach::Closure, Error::Conflict { index })
        }
        "23503" => (Reach::Closure, Error::ForeignKey),
        "40001" | "40P01" => (Reach::Again, Error::Busy { waited: wait }),
        "55P03" => (Reach::Transaction, Error::Busy { waited: wait }),
        "57014" => (Reach::Transaction, Error::Busy { waited: STATEMENT }),
        "53100" => (Reach::Transaction, Error::Full),
        "42501" => {
            let message = format!(
                "{message}: GRANT it to the user in the URL, or make that the owner of its schema"
            );
            (Reach::Closure, Error::Failed(message))
        }
        "25006" => (Reach::Closure, Error::ReadOnly),
        "XX001" | "XX002" => (Reach::Transaction, Error::Damaged(message)),
        "26000" => (Reach::Stale, Error::Failed(message)),
        "0A000" if said.message().contains("cached plan") => (Reach::Stale, Error::Failed(message)),
        // A server that has become a standby, and takes no writes.
        "0A000" if said.message().contains("during recovery") => {
            return Trouble::unavailable(message);
        }
        // 25P03, 25P04: a transaction that stood still or took too long. 53300: too many connections.
        "25P03" | "25P04" | "53300" | "57P01" | "57P02" | "57P03" | "57P05" => {
            return Trouble::unavailable(message);
        }
        code if code.starts_with("08") => return Trouble::unavailable(message),
        // Out of memory or of some other resource that is not this statement's fault.
        code if code.starts_with("53") => return Trouble::unavailable(message),
        _ => (Reach::Closure, Error::Failed(message)),
    };
    Trouble { reach, error }
}

/// What to do about a server's refusal to let us in.
fn remedy(code: &str) -> &'static str {
    match code {
        "28P01" => {
            "correct the password, which stands in the URL, in PGPASSWORD or in the file that PGPASSFILE names"
        }
        "28000" => {
            "make the user with CREATE ROLE … LOGIN, or let it in from here in the server's pg_hba.conf"
        }
        "3D000" => "make the database with CREATE DATABASE, or correct its name in the URL",
        "42501" => "GRANT CONNECT on the database to the user",
        "53300" => "raise max_connections of the server, or run fewer servers on it",
        _ => "look into the log of PostgreSQL",
    }
}

/// What to do when there is no server, or none that we could talk to.
fn remedy_of_ours(error: &tokio_postgres::Error) -> &'static str {
    if error
        .source()
        .is_some_and(|cause| cause.is::<std::io::Error>())
    {
        "start PostgreSQL, or correct host and port in the URL"
    } else {
        "correct the URL; user, password and certificates may also stand in the variables and files of libpq, such as PGPASSFILE"
    }
}

fn with_causes(error: &tokio_postgres::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}

/// The server's message with its detail, for a log and a person.
pub(super) fn sentence(said: &DbError) -> String {
    let mut text = format!("{} ({})", said.message(), said.code().code());
    for more in [said.detail(), said.hint()].into_iter().flatten() {
        text.push_str(": ");
        text.push_str(more);
    }
    text
}
