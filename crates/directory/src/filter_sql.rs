//! Turns a SCIM filter into a condition on indexed columns.
//!
//! What cannot be said in SQL narrows nothing; the caller then evaluates the filter itself on what is left
//! ([`Narrowed::exact`] tells). Either way the answer is that of [`portreeve_scim::filter::Checked::matches`].

use portreeve_scim::filter::{Filter, Literal, Op};
use portreeve_scim::path::AttributePath;
use portreeve_scim::schema::{ENTERPRISE, ResourceType};
use portreeve_scim::text::{fold, user_name_key};
use portreeve_scim::{Profile, time};
use portreeve_store::Param;

/// A condition on the table `t` of users or groups. `$1` is the directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Narrowed {
    /// Starts with ` AND `, or is empty.
    pub(crate) sql: String,
    /// The parameters from `$2` on.
    pub(crate) given: Vec<Given>,
    /// Whether the condition says all that the filter says.
    pub(crate) exact: bool,
}

/// A parameter of a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Given {
    Text(String),
    Int(i64),
}

impl Given {
    pub(crate) fn param(&self) -> Param<'_> {
        match self {
            Self::Text(text) => Param::Text(text),
            Self::Int(number) => Param::Int(*number),
        }
    }
}

/// Compiles a filter for a resource type.
pub(crate) fn compile(filter: Option<&Filter>, of: &ResourceType, profile: Profile) -> Narrowed {
    let Some(filter) = filter else {
        return Narrowed {
            sql: String::new(),
            given: Vec::new(),
            exact: true,
        };
    };
    let mut compiler = Compiler {
        of,
        profile,
        given: Vec::new(),
    };
    match compiler.piece(filter, false) {
        Some(piece) => Narrowed {
            sql: format!(" AND ({})", piece.sql),
            given: compiler.given,
            exact: piece.exact,
        },
        None => Narrowed {
            sql: String::new(),
            given: Vec::new(),
            exact: false,
        },
    }
}

/// Whether a filter asks for one value of a key (`id`, `userName`, `externalId`, an address; `displayName` of groups
/// where names are unique), with conditions beside it that are said exactly too. What it finds is a resource or few.
pub(crate) fn is_lookup(
    filter: &Filter,
    of: &ResourceType,
    profile: Profile,
    unique_group_names: bool,
) -> bool {
    let mut compiler = Compiler {
        of,
        profile,
        given: Vec::new(),
    };
    let key = compiler.is_key(filter, unique_group_names);
    // A key alone is exact.
    key && (!matches!(filter, Filter::And(_))
        || compiler
            .piece(filter, false)
            .is_some_and(|piece| piece.exact))
}

struct Piece {
    sql: String,
    exact: bool,
}

impl Piece {
    fn exact(sql: impl Into<String>) -> Option<Self> {
        Some(Self {
            sql: sql.into(),
            exact: true,
        })
    }
}

struct Compiler<'a> {
    of: &'a ResourceType,
    profile: Profile,
    given: Vec<Given>,
}

/// What an indexed path means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Id,
    UserName,
    ExternalId,
    UserDisplayName,
    GroupDisplayName,
    Email,
    Active,
    Created,
    LastModified,
    Manager,
    InGroup,
    Member,
}

impl Compiler<'_> {
    /// Negation is pushed down to the leaves, because SQL's NOT of an unknown is unknown.
    fn piece(&mut self, filter: &Filter, negated: bool) -> Option<Piece> {
        match (filter, negated) {
            (Filter::And(parts), false) | (Filter::Or(parts), true) => self.all(parts, negated),
            (Filter::Or(parts), false) | (Filter::And(parts), true) => self.any(parts, negated),
            (Filter::Not(inner), _) => self.piece(inner, !negated),
            (Filter::Present(path), _) => self.present(self.field(path)?, negated),
            (Filter::Compare { path, op, value }, _) => {
                self.compare(self.field(path)?, *op, value, negated)
            }
            (Filter::Value { path, filter }, _) => self.element(path, filter, negated),
        }
    }

    fn all(&mut self, parts: &[Filter], negated: bool) -> Option<Piece> {
        let pieces: Vec<Option<Piece>> =
            parts.iter().map(|part| self.piece(part, negated)).collect();
        let exact = pieces
            .iter()
            .all(|piece| piece.as_ref().is_some_and(|piece| piece.exact));
        let said: Vec<String> = pieces
            .into_iter()
            .flatten()
            .map(|piece| piece.sql)
            .collect();
        (!said.is_empty()).then(|| Piece {
            sql: format!("({})", said.join(" AND ")),
            exact,
        })
    }

    fn any(&mut self, parts: &[Filter], negated: bool) -> Option<Piece> {
        let before = self.given.len();
        let pieces: Option<Vec<Piece>> =
            parts.iter().map(|part| self.piece(part, negated)).collect();
        let Some(pieces) = pieces else {
            self.given.truncate(before);
            return None;
        };
        let exact = pieces.iter().all(|piece| piece.exact);
        let said: Vec<String> = pieces.into_iter().map(|piece| piece.sql).collect();
        Some(Piece {
            sql: format!("({})", said.join(" OR ")),
            exact,
        })
    }

    fn field(&self, path: &AttributePath) -> Option<Field> {
        let found = self.of.resolve(path, self.profile)?;
        let name = found.attribute?.name.as_str();
        let sub = found.sub.map(|sub| sub.name.as_str());
        let user = self.of.name == "User";
        Some(
            match (found.extension.map(|schema| schema.id.as_str()), name, sub) {
                (None, "id", None) => Field::Id,
                (None, "externalId", None) => Field::ExternalId,
                (None, "meta", Some("created")) => Field::Created,
                (None, "meta", Some("lastModified")) => Field::LastModified,
                (None, "userName", None) if user => Field::UserName,
                (None, "displayName", None) if user => Field::UserDisplayName,
                (None, "displayName", None) => Field::GroupDisplayName,
                (None, "emails", None | Some("value")) if user => Field::Email,
                (None, "active", None) if user => Field::Active,
                (None, "groups", None | Some("value")) if user => Field::InGroup,
                (None, "members", None | Some("value")) if !user => Field::Member,
                (Some(ENTERPRISE), "manager", None | Some("value")) if user => Field::Manager,
                _ => return None,
            },
        )
    }

    fn is_key(&self, filter: &Filter, unique_group_names: bool) -> bool {
        let path = match filter {
            Filter::And(parts) => {
                return parts
                    .iter()
                    .any(|part| self.is_key(part, unique_group_names));
            }
            Filter::Compare {
                path,
                op: Op::Eq,
                value: Literal::String(_),
            } => path,
            _ => return false,
        };
        match self.field(path) {
            Some(Field::Id | Field::UserName | Field::ExternalId | Field::Email) => true,
            Some(Field::GroupDisplayName) => unique_group_names,
            _ => false,
        }
    }

    fn bind(&mut self, value: Given) -> usize {
        self.given.push(value);
        self.given.len() + 1
    }

    fn present(&mut self, field: Field, negated: bool) -> Option<Piece> {
        let column = match field {
            Field::Id
            | Field::UserName
            | Field::GroupDisplayName
            | Field::Active
            | Field::Created
            | Field::LastModified => {
                return Piece::exact(if negated { "1 = 0" } else { "1 = 1" });
            }
            Field::ExternalId => "t.external_id",
            Field::Manager => "t.manager_id",
            Field::UserDisplayName => "t.display_name_key",
            Field::Email | Field::InGroup | Field::Member => return None,
        };
        Piece::exact(format!(
            "{column} IS {}NULL",
            if negated { "" } else { "NOT " }
        ))
    }

    fn compare(&mut self, field: Field, op: Op, value: &Literal, negated: bool) -> Option<Piece> {
        match (field, op, value) {
            (Field::Created, op, Literal::String(text)) => {
                self.time("t.created_at", op, text, negated)
            }
            (Field::LastModified, op, Literal::String(text)) => {
                self.time("t.updated_at", op, text, negated)
            }
            (Field::Active, Op::Eq | Op::Ne, Literal::Bool(wanted)) => {
                let active = *wanted ^ (op == Op::Ne) ^ negated;
                Piece::exact(if active {
                    "t.status = 'active'"
                } else {
                    "t.status <> 'active'"
                })
            }
            (_, Op::Eq, Literal::String(text)) => self.equal(field, text, negated),
            // "Not equal" of a list asks for one element that differs, which no index answers.
            (Field::Email | Field::InGroup | Field::Member, Op::Ne, _) => None,
            (_, Op::Ne, Literal::String(text)) => self.equal(field, text, !negated),
            _ => None,
        }
    }

    fn equal(&mut self, field: Field, text: &str, negated: bool) -> Option<Piece> {
        let (column, value) = match field {
            Field::Id => ("t.id", text.to_owned()),
            Field::UserName => ("t.user_name_key", user_name_key(text)),
            Field::ExternalId => ("t.external_id", text.to_owned()),
            Field::UserDisplayName | Field::GroupDisplayName => {
                ("t.display_name_key", fold(text).into_owned())
            }
            Field::Manager => ("t.manager_id", text.to_owned()),
            Field::Email | Field::InGroup | Field::Member => {
                return self.listed(field, text, negated);
            }
            Field::Active | Field::Created | Field::LastModified => return None,
        };
        let n = self.bind(Given::Text(value));
        let nullable = matches!(
            field,
            Field::ExternalId | Field::UserDisplayName | Field::Manager
        );
        Piece::exact(match (negated, nullable) {
            (false, _) => format!("{column} = ${n}"),
            (true, false) => format!("{column} <> ${n}"),
            (true, true) => format!("({column} IS NULL OR {column} <> ${n})"),
        })
    }

    /// One element of a list equals a value; driven from the table that indexes the elements.
    fn listed(&mut self, field: Field, text: &str, negated: bool) -> Option<Piece> {
        let value = if field == Field::Email {
            fold(text).into_owned()
        } else {
            text.to_owned()
        };
        let n = self.bind(Given::Text(value));
        let ids = match field {
            Field::Email => format!(
                "SELECT user_id FROM user_emails WHERE directory_id = $1 AND value_key = ${n}"
            ),
            Field::Member => {
                format!("SELECT group_id FROM members WHERE directory_id = $1 AND member_id = ${n}")
            }
            // Only active groups are members of groups, so that the walk need not ask.
            Field::InGroup => format!(
                "WITH RECURSIVE below (id) AS (SELECT id FROM groups WHERE directory_id = $1 AND id = ${n} AND status = 'active' \
                 UNION SELECT m.member_id FROM below b CROSS JOIN members m WHERE m.directory_id = $1 AND m.group_id = b.id) SELECT id FROM below"
            ),
            _ => return None,
        };
        Piece::exact(format!(
            "t.id {}IN ({ids})",
            if negated { "NOT " } else { "" }
        ))
    }

    fn time(&mut self, column: &str, op: Op, text: &str, negated: bool) -> Option<Piece> {
        let sign = match (op, negated) {
            (Op::Eq, false) | (Op::Ne, true) => "=",
            (Op::Ne, false) | (Op::Eq, true) => "<>",
            (Op::Gt, false) | (Op::Le, true) => ">",
            (Op::Ge, false) | (Op::Lt, true) => ">=",
            (Op::Lt, false) | (Op::Ge, true) => "<",
            (Op::Le, false) | (Op::Gt, true) => "<=",
            _ => return None,
        };
        let n = self.bind(Given::Int(time::parse(text)?));
        Piece::exact(format!("{column} {sign} ${n}"))
    }

    /// `emails[type eq "work" and value eq "x"]`: the value narrows, the rest is for the evaluator.
    fn element(&mut self, path: &AttributePath, inner: &Filter, negated: bool) -> Option<Piece> {
        let field = self
            .field(path)
            .filter(|field| matches!(field, Field::Email | Field::Member | Field::InGroup))?;
        let (value, whole) = value_of(inner)?;
        if negated && !whole {
            return None;
        }
        let value = value.to_owned();
        self.listed(field, &value, negated).map(|piece| Piece {
            exact: piece.exact && whole,
            ..piece
        })
    }
}

/// The literal of a `value eq "…"` that an inner filter demands, and whether it demands nothing else.
fn value_of(inner: &Filter) -> Option<(&str, bool)> {
    match inner {
        Filter::Compare {
            path,
            op: Op::Eq,
            value: Literal::String(text),
        } if path.as_str().eq_ignore_ascii_case("value") => Some((text, true)),
        Filter::And(parts) => parts
            .iter()
            .find_map(value_of)
            .map(|(text, _)| (text, false)),
        _ => None,
    }
}
