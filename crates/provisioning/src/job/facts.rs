//! What speaks for and against each object that a cycle looks at, a page at a time.

use std::collections::HashMap;

use jiff::Timestamp;
use portreeve_directory::Refusal;
use portreeve_directory::applications::escrows;
use portreeve_directory::applications::links::{self, Link as Row};
use portreeve_mapping::Object;
use portreeve_store::Tx;
use serde_json::{Map, Value};

use super::import::listed;
use super::record::{self, Ending, Log};
use super::state::{JobError, Owner, State, link_of, presence_of, row_kind};
use super::status::time;
use super::subject::{Counted, Outcome, Stamp, Subject};
use crate::application::{Application, ObjectRules};
use crate::engine::codes::Code;
use crate::engine::escrow::Escrow;
use crate::engine::plan::Facts;
use crate::engine::steps::{RecordAction, StatusInfo};
use crate::log::word;
use crate::source::Kind;
use crate::target::ResourceId;

/// The source attribute that says whether somebody may sign in.
const ENABLED: &str = "accountEnabled";

/// Objects with what is known of them beside their own row.
#[derive(Debug, Default)]
pub(super) struct Page {
    rows: Vec<Row>,
    /// Roles of the assigned groups that people are in; nobody is here who is in none.
    roles: HashMap<String, Vec<String>>,
    /// How objects failed before.
    escrows: HashMap<String, Escrow>,
}

/// Which of the dirty objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    All,
    /// Those that can lose access.
    Linked,
}

/// An object that a cycle looks at.
#[derive(Debug)]
pub(super) enum Prepared {
    /// It is to be brought to the target.
    Subject(Box<Subject>),
    /// The input filter keeps it out: it is not even looked at.
    Unread(Box<Subject>),
    /// A scoping filter cannot be decided. Nothing is done about the object, above all nothing is taken from it.
    Undecided(Box<Subject>, String),
}

impl Page {
    /// The next dirty objects of a kind after a key.
    pub(super) async fn dirty(
        state: &State,
        kind: Kind,
        after: &str,
        which: Which,
        limit: i64,
    ) -> Result<Self, JobError> {
        let after = after.to_owned();
        state
            .read(move |tx, owner| {
                let id = &owner.application_id;
                let rows = match which {
                    Which::All => links::dirty(tx, id, row_kind(kind), &after, limit)?,
                    Which::Linked => links::dirty_linked(tx, id, row_kind(kind), &after, limit)?,
                };
                Self::around(tx, owner, kind, rows)
            })
            .await
    }

    /// One object, as far as it is known.
    pub(super) async fn one(state: &State, kind: Kind, key: &str) -> Result<Self, JobError> {
        let key = key.to_owned();
        state
            .read(move |tx, owner| {
                let rows = links::of(tx, &owner.application_id, row_kind(kind), &[&key])?;
                Self::around(tx, owner, kind, rows)
            })
            .await
    }

    fn around(tx: &mut Tx<'_>, owner: &Owner, kind: Kind, rows: Vec<Row>) -> Result<Self, Refusal> {
        let id = &owner.application_id;
        let mut page = Self::default();
        let keys: Vec<&str> = rows.iter().map(|row| row.source_key.as_str()).collect();
        if kind == Kind::User {
            for (key, roles) in links::roles_by_groups(tx, id, &keys)? {
                page.roles.entry(key).or_default().extend(listed(&roles));
            }
        }
        for kept in escrows::of(tx, id, row_kind(kind), &keys)? {
            if kept.attribute.is_empty()
                && let Some(escrow) = escrow(&kept)
            {
                page.escrows.insert(kept.source_key, escrow);
            }
        }
        page.rows = rows;
        Ok(page)
    }

    /// The key of the last object; `None` on an empty page.
    pub(super) fn last(&self) -> Option<&str> {
        self.rows.last().map(|row| row.source_key.as_str())
    }

    /// Its objects.
    pub(super) fn prepare(self, application: &Application, kind: Kind) -> Vec<Prepared> {
        let Self {
            rows,
            mut roles,
            mut escrows,
        } = self;
        let prepare = |row: Row| {
            let by_groups = roles.remove(&row.source_key);
            let escrow = escrows.remove(&row.source_key);
            prepared(application, kind, row, by_groups, escrow)
        };
        rows.into_iter().map(prepare).collect()
    }
}

fn prepared(
    application: &Application,
    kind: Kind,
    row: Row,
    by_groups: Option<Vec<String>>,
    escrow: Option<Escrow>,
) -> Prepared {
    let attributes: Map<String, Value> = serde_json::from_str(&row.attributes).unwrap_or_default();
    let is_assigned = row.roles.is_some() || by_groups.is_some();
    let mut roles = row.roles.as_deref().map_or_else(Vec::new, listed);
    roles.extend(by_groups.into_iter().flatten());
    roles.sort_unstable();
    roles.dedup();
    let required = &application.required_roles;
    let mut facts = Facts {
        kind,
        presence: presence_of(row.presence),
        assigned: is_assigned || !application.assigned_only,
        has_role: required.is_empty() || roles.iter().any(|role| required.contains(role)),
        passes_filters: true,
        enabled: attributes.get(ENABLED).is_none_or(|value| !is_false(value)),
    };
    let filtered = application
        .of(kind)
        .map(|rules| filter(rules, &attributes))
        .unwrap_or(Ok(Filtered::In));
    facts.passes_filters = filtered != Ok(Filtered::Out);
    let subject = Box::new(Subject {
        kind,
        key: row.source_key,
        attributes,
        roles,
        standing: facts.standing(),
        facts,
        link: link_of(row.state),
        target_id: row.target_id.as_deref().and_then(ResourceId::new),
        exported: row.exported,
        escrow,
    });
    match filtered {
        Ok(Filtered::In | Filtered::Out) => Prepared::Subject(subject),
        Ok(Filtered::Unread) => Prepared::Unread(subject),
        Err(why) => Prepared::Undecided(subject, why),
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Filtered {
    In,
    Out,
    Unread,
}

fn filter(rules: &ObjectRules, attributes: &Map<String, Value>) -> Result<Filtered, String> {
    let object = Object::from_json(attributes);
    let scope = rules.mappings.scope();
    let passes = scope.reads(&object).and_then(|is_read| match is_read {
        false => Ok(Filtered::Unread),
        true => scope.contains(&object).map(|is_in| match is_in {
            true => Filtered::In,
            false => Filtered::Out,
        }),
    });
    passes.map_err(|error| error.to_string())
}

/// A truth value, or the text that a table has for one.
fn is_false(value: &Value) -> bool {
    match value {
        Value::Bool(truth) => !truth,
        Value::String(text) => text.trim().eq_ignore_ascii_case("false"),
        _ => false,
    }
}

/// A failure as it was kept. One with a code that nobody knows any more counts as none.
pub(super) fn escrow(kept: &escrows::Escrow) -> Option<Escrow> {
    let code = serde_json::from_value(Value::from(kept.code.as_str())).ok()?;
    Some(Escrow {
        code,
        first_at: time(kept.first_at),
        attempts: u32::try_from(kept.attempts).unwrap_or(u32::MAX),
        next_at: kept.next_at.map(time),
    })
}

/// What is kept of a failure.
pub(super) fn kept(
    kind: Kind,
    key: &str,
    attribute: &str,
    escrow: &Escrow,
    detail: Option<&str>,
) -> escrows::Escrow {
    escrows::Escrow {
        kind: row_kind(kind),
        source_key: key.to_owned(),
        attribute: attribute.to_owned(),
        code: word(&escrow.code),
        detail: detail.unwrap_or_default().to_owned(),
        attempts: i64::from(escrow.attempts),
        first_at: escrow.first_at.as_microsecond(),
        next_at: escrow.next_at.map(Timestamp::as_microsecond),
    }
}

/// An object that is not looked at is as it was.
pub(super) fn unread(subject: &Subject) -> Outcome {
    Outcome {
        kind: subject.kind,
        key: subject.key.clone(),
        link: subject.link,
        target_id: subject.target_id.clone(),
        exported: subject.exported.clone(),
        references: None,
        shown_references: None,
        escrow: None,
        detail: None,
        record: None,
        counted: Counted::Skipped,
        stop: None,
    }
}

/// An object whose scope cannot be decided has failed.
pub(super) fn undecided(subject: &Subject, why: &str, stamp: &Stamp) -> Outcome {
    let code = Code::EntrySynchronizationError;
    let escrow = Escrow::failed(subject.escrow.as_ref(), code, stamp.now());
    let reason = match &escrow {
        Some(escrow) => escrow.describe(why),
        None => why.to_owned(),
    };
    let ending = Ending {
        action: RecordAction::Other,
        status: StatusInfo::of(code, reason),
        modified: Vec::new(),
        source: record::source_identity(subject),
        target: None,
    };
    let first = vec![record::import(subject, stamp)];
    Outcome {
        escrow,
        detail: Some(why.to_owned()),
        record: Some(Log::begin(stamp).record(first, ending)),
        counted: Counted::Failed,
        ..unread(subject)
    }
}
