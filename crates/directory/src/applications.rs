//! Applications: the targets of outbound provisioning, and the state of their jobs.
//!
//! What a job does is decided elsewhere. Here is what it remembers: [`links`] between the objects of its source and the
//! resources of its target, [`references`] from one object to another, [`escrows`] of what failed, [`cycles`] with the
//! place that each has reached, and [`records`] of what was done. Whoever changes any of it writes in
//! [`Application::scope`], so that a lease on the application covers all of it.

pub mod cycles;
pub mod escrows;
pub mod links;
pub mod records;
pub mod references;
pub mod secrets;

use crate::{Refusal, What, leases, names};
use portreeve_scim::text::fold;
use portreeve_store::{Row, Scope, Tx, params, statements};

/// What [`from_row`] takes.
macro_rules! columns {
    () => {
        "id, team_id, name, definition, status, watermark, quarantine, reset, next_run_at, cycle, epoch, created_at, updated_at"
    };
}

statements! {
    INSERT = "INSERT INTO applications (team_id, id, name, name_key, definition, status, next_run_at, cycle, epoch, record, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, 'running', $6, 0, 0, 0, $6, $6)";
    BY_ID = concat!("SELECT ", columns!(), " FROM applications WHERE team_id = $1 AND id = $2");
    BY_NAME = concat!("SELECT ", columns!(), " FROM applications WHERE team_id = $1 AND name_key = $2");
    LIST = concat!("SELECT ", columns!(), " FROM applications WHERE team_id = $1 ORDER BY name_key");
    RUNNING = "SELECT team_id, id, next_run_at, quarantine IS NOT NULL FROM applications WHERE status = 'running' ORDER BY next_run_at, id";
    IDS = "SELECT id FROM applications";
    DECLARE = "UPDATE applications SET name = $3, name_key = $4, definition = $5, updated_at = $6 WHERE team_id = $1 AND id = $2";
    STATUS = "UPDATE applications SET status = $3, next_run_at = $4 WHERE team_id = $1 AND id = $2";
    RESET = "UPDATE applications SET reset = $3, next_run_at = $4 WHERE team_id = $1 AND id = $2";
    QUARANTINE = "UPDATE applications SET quarantine = $3 WHERE team_id = $1 AND id = $2";
    WATERMARK = "UPDATE applications SET watermark = $3 WHERE team_id = $1 AND id = $2";
    BEGIN_CYCLE = "UPDATE applications SET cycle = cycle + 1, reset = NULL WHERE team_id = $1 AND id = $2 RETURNING cycle";
    NEXT_EPOCH = "UPDATE applications SET epoch = epoch + 1 WHERE team_id = $1 AND id = $2 RETURNING epoch";
    FORGET = "DELETE FROM applications WHERE team_id = $1 AND id = $2";
    FORGET_LINKS = "DELETE FROM links WHERE application_id = $1";
    FORGET_REFERENCES = "DELETE FROM link_references WHERE application_id = $1";
    FORGET_ESCROWS = "DELETE FROM escrows WHERE application_id = $1";
    FORGET_CYCLES = "DELETE FROM cycles WHERE application_id = $1";
    FORGET_RECORDS = "DELETE FROM provisioning_records WHERE application_id = $1";
    FORGET_SECRETS = "DELETE FROM application_secrets WHERE application_id = $1";
}

/// User or group: what the objects of a source and the resources of a target are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A person.
    User,
    /// A group.
    Group,
}

impl Kind {
    /// Its name in the database.
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Group => "group",
        }
    }

    /// The kind of that name; `None` for any other text.
    pub fn by_name(name: &str) -> Option<Self> {
        [Self::User, Self::Group]
            .into_iter()
            .find(|kind| kind.name() == name)
    }
}

/// Whether the job of an application runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// Cycles run when their time has come.
    Running,
    /// Somebody has paused it, or an initial cycle has failed for too many objects.
    Paused,
    /// It was in quarantine for four weeks.
    Disabled,
}

impl Status {
    /// Its name in the database.
    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Disabled => "disabled",
        }
    }
}

/// An application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Application {
    /// UUID.
    pub id: String,
    /// Whose it is.
    pub team_id: String,
    /// What admins call it, unique in the team whatever the letter case.
    pub name: String,
    /// What they have declared, as JSON without secrets.
    pub definition: String,
    /// Whether its job runs.
    pub status: Status,
    /// Where the next incremental cycle begins to read the source; `None`: everything is read.
    pub watermark: Option<String>,
    /// The quarantine that the job is in, as JSON.
    pub quarantine: Option<String>,
    /// The scopes of a restart that the next cycle takes up.
    pub reset: Option<String>,
    /// Not before this time (microseconds since 1970 UTC) does the next cycle begin.
    pub next_run_at: Option<i64>,
    /// The number of the latest cycle; 0 when there was none.
    pub cycle: i64,
    /// The number of the latest full read, or telling anew of all assignments.
    pub epoch: i64,
    /// Microseconds since 1970 UTC.
    pub created_at: i64,
    /// When the definition was last changed (microseconds since 1970 UTC).
    pub updated_at: i64,
}

impl Application {
    /// What everything that changes it or its state may touch.
    pub fn scope(&self) -> Scope {
        Scope::of(&self.id)
    }
}

/// A new application; its job runs at once.
#[derive(Debug, Clone)]
pub struct New {
    /// UUID, made by the caller.
    pub id: String,
    /// Whose it is.
    pub team_id: String,
    /// What admins call it.
    pub name: String,
    /// What they declare, as JSON without secrets.
    pub definition: String,
}

/// Makes an application. `now` is in microseconds since 1970 UTC.
///
/// # Errors
/// [`Refusal::Conflict`] where the team has one of that name.
pub fn create(tx: &mut Tx<'_>, new: &New, now: i64) -> Result<Application, Refusal> {
    let name = names::checked("an application", &new.name, 100)?;
    let key = fold(name);
    let row = params![&new.team_id, &new.id, name, &*key, &new.definition, now];
    tx.exec(INSERT, &row)?;
    by_id(tx, &new.team_id, &new.id)
}

/// The application with that id.
///
/// # Errors
/// [`Refusal::NotFound`].
pub fn by_id(tx: &mut Tx<'_>, team_id: &str, id: &str) -> Result<Application, Refusal> {
    tx.query_one(BY_ID, &params![team_id, id])?
        .map_or_else(|| Err(missing(id)), from_row)
}

/// The application with that id or name.
///
/// # Errors
/// [`Refusal::NotFound`].
pub fn find(tx: &mut Tx<'_>, team_id: &str, id_or_name: &str) -> Result<Application, Refusal> {
    if let Some(row) = tx.query_one(BY_ID, &params![team_id, id_or_name])? {
        return from_row(row);
    }
    tx.query_one(BY_NAME, &params![team_id, &*fold(id_or_name)])?
        .map_or_else(|| Err(missing(id_or_name)), from_row)
}

/// The applications of a team by name.
pub fn list(tx: &mut Tx<'_>, team_id: &str) -> Result<Vec<Application>, Refusal> {
    let rows = tx.query(LIST, &params![team_id])?;
    rows.into_iter().map(from_row).collect()
}

/// The ids of all applications.
pub fn ids<C: FromIterator<String>>(tx: &mut Tx<'_>) -> Result<C, Refusal> {
    let rows = tx.query(IDS, &params![])?;
    rows.into_iter()
        .map(|mut row| Ok(row.take_text(0)?))
        .collect()
}

/// A job that runs, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scheduled {
    /// Whose it is.
    pub team_id: String,
    /// The application.
    pub id: String,
    /// Not before this time (microseconds since 1970 UTC) does its next cycle begin.
    pub next_run_at: i64,
    /// Whether it is in quarantine, where nothing but time makes it run.
    pub is_quarantined: bool,
}

/// The jobs of all teams that run, by the time of their next cycle.
pub fn running(tx: &mut Tx<'_>) -> Result<Vec<Scheduled>, Refusal> {
    tx.query(RUNNING, &params![])?
        .into_iter()
        .map(|mut row| {
            Ok(Scheduled {
                next_run_at: row.opt_int(2)?.unwrap_or_default(),
                is_quarantined: row.bool(3)?,
                team_id: row.take_text(0)?,
                id: row.take_text(1)?,
            })
        })
        .collect()
}

/// Gives an application another name and definition. What its job must do anew for that is a restart
/// ([`ask_reset`]).
///
/// # Errors
/// [`Refusal::NotFound`], or [`Refusal::Conflict`] where another one has the name.
pub fn declare(
    tx: &mut Tx<'_>,
    earlier: &Application,
    name: &str,
    definition: &str,
    now: i64,
) -> Result<Application, Refusal> {
    let (team_id, id) = (&earlier.team_id, &earlier.id);
    let name = names::checked("an application", name, 100)?;
    let key = fold(name);
    tx.exec(DECLARE, &params![team_id, id, name, &*key, definition, now])?;
    by_id(tx, team_id, id)
}

/// Removes an application with all that its job knows. Nothing is changed at its target.
///
/// # Errors
/// The database fails.
pub fn delete(tx: &mut Tx<'_>, application: &Application) -> Result<(), Refusal> {
    let id = &application.id;
    for statement in [
        FORGET_LINKS,
        FORGET_REFERENCES,
        FORGET_ESCROWS,
        FORGET_CYCLES,
        FORGET_RECORDS,
        FORGET_SECRETS,
    ] {
        tx.exec(statement, &params![id])?;
    }
    leases::forget(tx, id)?;
    Ok(tx.exec(FORGET, &params![&application.team_id, id])?)
}

/// Lets the job run, or not. `next_run_at` is when the next cycle begins (microseconds since 1970 UTC).
pub fn set_status(
    tx: &mut Tx<'_>,
    team_id: &str,
    id: &str,
    status: Status,
    next_run_at: Option<i64>,
) -> Result<(), Refusal> {
    let row = params![team_id, id, status.name(), next_run_at];
    Ok(tx.exec(STATUS, &row)?)
}

/// Puts the job into a quarantine, as JSON, or takes it out.
pub fn set_quarantine(
    tx: &mut Tx<'_>,
    team_id: &str,
    id: &str,
    quarantine: Option<&str>,
) -> Result<(), Refusal> {
    Ok(tx.exec(QUARANTINE, &params![team_id, id, quarantine])?)
}

/// Notes the scopes of a restart for the next cycle, in place of those that were noted, and when it begins.
pub fn ask_reset(
    tx: &mut Tx<'_>,
    team_id: &str,
    id: &str,
    scopes: &str,
    next_run_at: i64,
) -> Result<(), Refusal> {
    Ok(tx.exec(RESET, &params![team_id, id, scopes, next_run_at])?)
}

/// Where the next incremental cycle begins to read the source.
pub fn set_watermark(
    tx: &mut Tx<'_>,
    team_id: &str,
    id: &str,
    watermark: Option<&str>,
) -> Result<(), Refusal> {
    Ok(tx.exec(WATERMARK, &params![team_id, id, watermark])?)
}

/// Counts another cycle, which has taken up the restart that was asked for, and returns its number.
///
/// # Errors
/// [`Refusal::NotFound`] where the application was deleted.
pub fn begin_cycle(tx: &mut Tx<'_>, team_id: &str, id: &str) -> Result<i64, Refusal> {
    counted(tx, BEGIN_CYCLE, team_id, id)
}

/// Counts another full read, or another telling of all assignments, and returns its number.
///
/// # Errors
/// [`Refusal::NotFound`] where the application was deleted.
pub fn next_epoch(tx: &mut Tx<'_>, team_id: &str, id: &str) -> Result<i64, Refusal> {
    counted(tx, NEXT_EPOCH, team_id, id)
}

fn counted(tx: &mut Tx<'_>, statement: &str, team_id: &str, id: &str) -> Result<i64, Refusal> {
    let row = tx.query_one(statement, &params![team_id, id])?;
    Ok(row.ok_or_else(|| missing(id))?.int(0)?)
}

fn missing(id: &str) -> Refusal {
    Refusal::NotFound(What::Application, id.to_owned())
}

fn from_row(mut row: Row) -> Result<Application, Refusal> {
    let status = match row.text(4)? {
        "paused" => Status::Paused,
        "disabled" => Status::Disabled,
        _ => Status::Running,
    };
    Ok(Application {
        status,
        next_run_at: row.opt_int(8)?,
        cycle: row.int(9)?,
        epoch: row.int(10)?,
        created_at: row.int(11)?,
        updated_at: row.int(12)?,
        id: row.take_text(0)?,
        team_id: row.take_text(1)?,
        name: row.take_text(2)?,
        definition: row.take_text(3)?,
        watermark: row.take_opt_text(5)?,
        quarantine: row.take_opt_text(6)?,
        reset: row.take_opt_text(7)?,
    })
}
