//! The parameters of queries. A route names those that it knows, and they are checked before anything else is done: any
//! other is refused by name, and so is a value that cannot be one.

use super::problem::Problem;
use super::visits;
use portreeve_directory::list::{DEFAULT_PAGE, MAX_PAGE};
use portreeve_scim::time;
use serde_json::{Value, json};

/// One parameter.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parameter {
    pub(super) name: &'static str,
    /// What it means, for people.
    pub(super) meaning: &'static str,
    kind: Kind,
    /// Whether it may be there more than once; any of the values is good then.
    many: bool,
}

/// What a value must be.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Text,
    /// A whole number from, to, and what it is without the parameter.
    Number(u64, u64, u64),
    /// A time (RFC 3339).
    Time,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A position in a log, or `now`.
    Position,
}

const fn of(name: &'static str, kind: Kind, meaning: &'static str) -> Parameter {
    Parameter {
        name,
        meaning,
        kind,
        many: false,
    }
}

const fn text(name: &'static str, meaning: &'static str) -> Parameter {
    of(name, Kind::Text, meaning)
}

const fn any_of(name: &'static str, kind: Kind, meaning: &'static str) -> Parameter {
    Parameter {
        many: true,
        ..of(name, kind, meaning)
    }
}

const fn number(
    name: &'static str,
    (from, to, usual): (u64, u64, u64),
    meaning: &'static str,
) -> Parameter {
    of(name, Kind::Number(from, to, usual), meaning)
}

const TEAM: Parameter = text(
    "team",
    "Name or id of a team; needed only where there are several",
);
const COUNT: Parameter = number(
    "count",
    (1, MAX_PAGE, DEFAULT_PAGE),
    "How many items a page has at most",
);
const CURSOR: Parameter = text(
    "cursor",
    "Where the page begins: as the header Link of the page before says, or empty for the first page",
);
const DIRECTORY: Parameter = text("directory", "Name or id of a directory");

const UP_TO_ALL: Parameter = number(
    "count",
    (1, MAX_PAGE, MAX_PAGE),
    "How many items a page has at most",
);

/// An object of one team.
pub(super) const OF_TEAM: &[Parameter] = &[TEAM];

/// A list that seldom has more than one page.
pub(super) const SHORT: &[Parameter] = &[UP_TO_ALL, CURSOR];

/// Such a list that may be asked of one team.
pub(super) const SHORT_OF_TEAM: &[Parameter] = &[TEAM, UP_TO_ALL, CURSOR];

/// API tokens.
pub(super) const API_TOKENS: &[Parameter] = &[
    TEAM,
    text(
        "service_account",
        "Only those of the service account with this name or id",
    ),
    UP_TO_ALL,
    CURSOR,
];

/// Whose sessions are to end.
pub(super) const ENDED_SESSIONS: &[Parameter] = &[TEAM, SESSIONS_OF];

/// Sessions.
pub(super) const SESSIONS: &[Parameter] = &[TEAM, SESSIONS_OF, COUNT, CURSOR];

const SESSIONS_OF: Parameter = text("user", "Only those of the user or local owner with this id");

/// Hosts.
pub(super) const HOSTS: &[Parameter] = &[
    TEAM,
    text(
        "hosts",
        "Only those that a tag expression chooses, such as `env=prod and not legacy`",
    ),
    text("search", "Only those with this text in their names"),
    COUNT,
    CURSOR,
];

/// Grants.
pub(super) const GRANTS: &[Parameter] = &[
    TEAM,
    text(
        "subject",
        "Only those of the group, user or service account with this id",
    ),
    of(
        "ended",
        Kind::Word(&["true", "false"]),
        "Whether those are listed that have ended lately",
    ),
    COUNT,
    CURSOR,
];

/// Who is to log in where.
pub(super) const EXPLAIN: &[Parameter] = &[
    TEAM,
    text(
        "user",
        "Id or user name of a user, or id or name of a service account",
    ),
    text("host", "Id or name of a host"),
];

/// A list that goes on page by page.
pub(super) const PAGED: &[Parameter] = &[COUNT, CURSOR];

/// SSH certificates.
pub(super) const CERTIFICATES: &[Parameter] = &[
    TEAM,
    text(
        "user",
        "Only those of the user or service account with this id or name",
    ),
    text("host", "Only those of the host with this id or name"),
    text(
        "key",
        "Only those for the key with this fingerprint, such as `SHA256:…`",
    ),
    of(
        "kind",
        Kind::Word(&["user", "host"]),
        "Only those of people, or of hosts",
    ),
    of(
        "state",
        Kind::Word(&["live", "expired", "revoked"]),
        "Only those that count, have run out, or were revoked",
    ),
    COUNT,
    CURSOR,
];

/// A switch of the active directory.
pub(super) const SWITCH: &[Parameter] = &[text(
    "active_directory_id",
    "Id or name of the directory that would be the active one; empty for none",
)];

const FILTER: Parameter = text(
    "filter",
    "Which to list, in the filter grammar of SCIM (RFC 7644 section 3.4.2.2), such as `userName sw \"ann\"`",
);
const SEARCH: Parameter = text(
    "search",
    "Which to list: those with this text in their names or e-mail addresses, the likeliest first",
);
const SORT_BY: Parameter = text("sortBy", "The attribute to sort by, such as `userName`");
const SORT_ORDER: Parameter = of(
    "sortOrder",
    Kind::Word(&["ascending", "descending"]),
    "The order",
);
const START_INDEX: Parameter = number(
    "startIndex",
    (1, i64::MAX.unsigned_abs(), 1),
    "The first item of the page by number; `cursor` is the better way to go on",
);
const LEVEL: Parameter = of(
    "level",
    Kind::Word(&["auditor", "admin", "owner"]),
    "Only users of this level, all at once; not together with the other parameters",
);

/// Groups, as SCIM lists them.
pub(super) const GROUPS: &[Parameter] = &[
    FILTER,
    SEARCH,
    SORT_BY,
    SORT_ORDER,
    START_INDEX,
    COUNT,
    CURSOR,
];

/// Users, as SCIM lists them.
pub(super) const USERS: &[Parameter] = &[
    FILTER,
    SEARCH,
    LEVEL,
    SORT_BY,
    SORT_ORDER,
    START_INDEX,
    COUNT,
    CURSOR,
];

/// Members of a group.
pub(super) const MEMBERS: &[Parameter] = &[
    COUNT,
    CURSOR,
    number("limit", (1, MAX_PAGE, MAX_PAGE), "The same as `count`"),
    text("after", "The id that the page before ended with"),
];

/// The log.
pub(super) const EVENTS: &[Parameter] = &[
    TEAM,
    DIRECTORY,
    text("object", "Only events of the object with this id"),
    text("category", "Only events of this category, such as `ADMIN`"),
    text("action", "Only events of this action, such as `create`"),
    of(
        "outcome",
        Kind::Word(&["ok", "refused"]),
        "Only what was done, or only what was refused",
    ),
    text(
        "after",
        "Oldest first, after the event with this position or id",
    ),
    text(
        "before",
        "Newest first, before the event with this position or id",
    ),
    number(
        "limit",
        (1, MAX_PAGE, 50),
        "How many events a page has at most",
    ),
    number(
        "wait",
        (0, 300, 0),
        "How many seconds to wait for an event where there is none; needs `after`",
    ),
];

/// Visits.
pub(super) const VISITS: &[Parameter] = &[
    TEAM,
    AT_LOCATION,
    IN_STATE,
    WITH_VISITOR_HOST,
    FROM,
    UNTIL,
    number(
        "limit",
        (1, MAX_PAGE, 50),
        "How many visits a page has at most",
    ),
    CURSOR,
];

/// All visits at once.
pub(super) const VISITS_FILE: &[Parameter] = &[
    TEAM,
    AT_LOCATION,
    IN_STATE,
    WITH_VISITOR_HOST,
    FROM,
    UNTIL,
    of(
        "format",
        Kind::Word(visits::FORMS),
        "CSV, or JSON with a visit on each line, which is usual",
    ),
];

const AT_LOCATION: Parameter = text(
    "location",
    "Only those at the location with this id or name",
);
const IN_STATE: Parameter = of(
    "state",
    Kind::Word(visits::STATES),
    "Only those in this state",
);
const WITH_VISITOR_HOST: Parameter = text(
    "visitor_host",
    "Only those with the person with this id or user name",
);
const FROM: Parameter = of("from", Kind::Time, "Only those from this time on");
const UNTIL: Parameter = of("until", Kind::Time, "Only those before this time");

/// What visitors see of somebody.
pub(super) const PREVIEW: &[Parameter] = &[text(
    "location",
    "The location, by id or name; it must be there",
)];

/// The feed.
pub(super) const CHANGES: &[Parameter] = &[
    TEAM,
    DIRECTORY,
    of(
        "after",
        Kind::Position,
        "The position to go on from, or `now`; without it from the beginning of what is kept",
    ),
    number(
        "limit",
        (1, MAX_PAGE, 100),
        "How many changes a page has at most",
    ),
    number(
        "wait",
        (0, 60, 0),
        "How many seconds to wait for a change where there is none",
    ),
];

/// The provisioning log of an application.
pub(super) const PROVISIONING: &[Parameter] = &[
    any_of(
        "status",
        Kind::Word(&["success", "failure", "skipped", "warning"]),
        "Only entries with this status",
    ),
    any_of(
        "action",
        Kind::Word(&[
            "create",
            "update",
            "delete",
            "disable",
            "stagedDelete",
            "other",
        ]),
        "Only entries with this action",
    ),
    any_of(
        "code",
        Kind::Text,
        "Only entries with this code, such as `DuplicateTargetEntries`",
    ),
    text(
        "object",
        "Only entries of this object: an id or a name, at the source or at the target",
    ),
    text("source", "Only entries of this object at the source"),
    text("target", "Only entries of this object at the target"),
    of("since", Kind::Time, "Only entries from this time on"),
    of("until", Kind::Time, "Only entries before this time"),
    of(
        "after",
        Kind::Position,
        "Oldest first, after this position, or `now`",
    ),
    of(
        "before",
        Kind::Position,
        "Newest first, before this position",
    ),
    number(
        "limit",
        (1, MAX_PAGE, 50),
        "How many entries a page has at most",
    ),
    number(
        "wait",
        (0, 300, 0),
        "How many seconds to wait for an entry where there is none; needs `after`",
    ),
];

/// Whether a query has the parameters that a route knows, and no other.
pub(super) fn check(known: &[Parameter], pairs: &[(String, String)]) -> Result<(), Problem> {
    for (at, (name, value)) in pairs.iter().enumerate() {
        let Some(parameter) = known.iter().find(|one| one.name == name) else {
            return Err(unknown(known, name));
        };
        if !parameter.many && pairs[..at].iter().any(|(earlier, _)| earlier == name) {
            return Err(Problem::invalid(format!("{name}: it is there twice")));
        }
        parameter.check(value)?;
    }
    Ok(())
}

fn unknown(known: &[Parameter], name: &str) -> Problem {
    let names: Vec<&str> = known.iter().map(|one| one.name).collect();
    Problem::invalid(match names.as_slice() {
        [] => format!("there is no parameter \"{name}\"; there are none here"),
        names => format!(
            "there is no parameter \"{name}\"; the parameters are: {}",
            names.join(", ")
        ),
    })
}

impl Parameter {
    fn check(&self, value: &str) -> Result<(), Problem> {
        let wrong = match self.kind {
            Kind::Text => return Ok(()),
            Kind::Number(from, to, _) => {
                let fits = value.parse().is_ok_and(|it: u64| (from..=to).contains(&it));
                (!fits).then(|| format!("is no number from {from} to {to}"))
            }
            Kind::Time => time::parse(value)
                .is_none()
                .then(|| "is no time; write it as 2027-01-31T00:00:00Z".to_owned()),
            Kind::Word(words) => {
                (!words.contains(&value)).then(|| format!("is none of: {}", words.join(", ")))
            }
            Kind::Position => {
                let fits = value == "now" || value.parse().is_ok_and(|it: i64| it >= 0);
                (!fits)
                    .then(|| "is no position; give one that an answer had, or \"now\"".to_owned())
            }
        };
        match wrong {
            None => Ok(()),
            Some(wrong) => Err(Problem::invalid(format!(
                "{}: \"{value}\" {wrong}",
                self.name
            ))),
        }
    }

    /// The parameter as an OpenAPI document has it.
    pub(super) fn described(&self) -> Value {
        let schema = match self.kind {
            Kind::Text => json!({"type": "string"}),
            Kind::Number(from, to, usual) => {
                json!({"type": "integer", "minimum": from, "maximum": to, "default": usual})
            }
            Kind::Time => json!({"type": "string", "format": "date-time"}),
            Kind::Word(words) => json!({"type": "string", "enum": words}),
            Kind::Position => json!({"type": "string", "pattern": "^(now|[0-9]{1,18})$"}),
        };
        let schema = match self.many {
            true => json!({"type": "array", "items": schema}),
            false => schema,
        };
        json!({"name": self.name, "in": "query", "description": self.meaning, "schema": schema})
    }
}
