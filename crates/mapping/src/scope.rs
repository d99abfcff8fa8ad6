//! Scoping filters: which objects of the source are provisioned.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::object::Object;
use crate::pattern::{Exhausted, Pattern, PatternError, Work};
use crate::suggest::closest;
use crate::value::{Number, Value};

/// A filter: an object is in scope when all clauses of at least one group hold, or when there is no group.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Scope {
    /// An object that no longer passes these is deprovisioned.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<Group>,
    /// An object that does not pass these is not read at all, and so is never deprovisioned for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub input_filter_groups: Vec<Group>,
}

/// Clauses that must all hold.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Group {
    /// A title for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The clauses.
    pub clauses: Vec<Clause>,
}

/// One condition on an attribute of the source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Clause {
    /// The attribute.
    #[serde(alias = "sourceOperandName")]
    pub attribute: String,
    /// The operator's name, such as `EQUALS`.
    #[serde(alias = "operatorName")]
    pub operator: String,
    /// What the attribute is compared with; operators about being null or true have none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
}

/// An operator of scoping filters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ScopeOperator {
    /// The same text, with case.
    Equals,
    /// Another text.
    NotEquals,
    /// A text with this in it.
    Includes,
    /// A text that ends with this.
    EndsWith,
    /// A text in which the regular expression finds something; it is not anchored.
    RegexMatch,
    /// A text in which it finds nothing.
    NotRegexMatch,
    /// A greater whole number.
    GreaterThan,
    /// A greater or equal whole number.
    GreaterThanOrEquals,
    /// No value.
    IsNull,
    /// A value.
    IsNotNull,
    /// The boolean True.
    IsTrue,
    /// The boolean False.
    IsFalse,
    /// A text that is part of this one.
    PartOf,
    /// A text that is no part of this one.
    NotPartOf,
}

impl ScopeOperator {
    /// All operators with the names that Entra gives them.
    pub const ALL: [(&'static str, Self); 14] = [
        ("EQUALS", Self::Equals),
        ("NOT EQUALS", Self::NotEquals),
        ("INCLUDES", Self::Includes),
        ("ENDS_WITH", Self::EndsWith),
        ("REGEX MATCH", Self::RegexMatch),
        ("NOT REGEX MATCH", Self::NotRegexMatch),
        ("Greater_Than", Self::GreaterThan),
        ("Greater_Than_OR_EQUALS", Self::GreaterThanOrEquals),
        ("IS NULL", Self::IsNull),
        ("IS NOT NULL", Self::IsNotNull),
        ("IS TRUE", Self::IsTrue),
        ("IS FALSE", Self::IsFalse),
        ("&", Self::PartOf),
        ("!&", Self::NotPartOf),
    ];

    /// The operator of that name; letter case does not matter, nor whether words are parted by blanks or `_`.
    pub fn by_name(name: &str) -> Option<Self> {
        let plain = |name: &str| name.to_ascii_uppercase().replace(['_', ' '], "");
        let wanted = plain(name);
        let mut all = Self::ALL.iter();
        all.find_map(|(known, operator)| (plain(known) == wanted).then_some(*operator))
    }

    fn takes_value(self) -> bool {
        !matches!(
            self,
            Self::IsNull | Self::IsNotNull | Self::IsTrue | Self::IsFalse
        )
    }
}

/// A scoping filter that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScopeError {
    /// No such operator.
    #[error("the scoping filter on {attribute} has the operator {name:?}, which does not exist{}", .suggestion.map(|name| format!(" (did you mean {name}?)")).unwrap_or_default())]
    Operator {
        /// The attribute of the clause.
        attribute: String,
        /// What was written.
        name: String,
        /// What may be meant.
        suggestion: Option<&'static str>,
    },
    /// A value where the operator takes none, or none where it takes one.
    #[error("the scoping filter {0} {rest}", rest = if *.1 { "lacks the value to compare with" } else { "takes no value" })]
    Values(String, bool),
    /// Greater than something that is no whole number.
    #[error("the scoping filter {0} compares with what is no whole number")]
    NotAnInteger(String),
    /// The regular expression.
    #[error("the scoping filter {clause} has a regular expression that is wrong: {error}")]
    Pattern {
        /// The clause.
        clause: String,
        /// What is wrong.
        error: PatternError,
    },
}

/// A regular expression of a scoping filter takes too many steps on a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the scoping filter {0} takes too many steps on this value; make its regular expression more specific"
)]
pub struct TooManySteps(pub String);

impl Scope {
    /// Whether everything passes.
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty() && self.input_filter_groups.is_empty()
    }

    /// Checks the filter.
    ///
    /// # Errors
    /// The first clause that cannot be used, and why.
    pub fn compile(&self) -> Result<CompiledScope, ScopeError> {
        let all = |groups: &[Group]| groups.iter().map(compile_group).collect::<Result<_, _>>();
        Ok(CompiledScope {
            groups: all(&self.groups)?,
            input: all(&self.input_filter_groups)?,
        })
    }
}

/// A filter ready to be asked.
#[derive(Debug, Clone, Default)]
pub struct CompiledScope {
    groups: Vec<CompiledGroup>,
    input: Vec<CompiledGroup>,
}

#[derive(Debug, Clone)]
struct CompiledGroup {
    name: String,
    clauses: Vec<CompiledClause>,
}

#[derive(Debug, Clone)]
struct CompiledClause {
    attribute: String,
    operator: ScopeOperator,
    values: Vec<String>,
    patterns: Vec<Pattern>,
    /// `department EQUALS Sales`
    text: String,
}

/// How one clause came out, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// `{title} {attribute} {operator} {value}`, as Entra shows it.
    pub clause: String,
    /// What the object has.
    pub value: String,
    /// Whether the clause holds.
    pub holds: bool,
}

impl CompiledScope {
    /// Whether an object is in scope.
    ///
    /// # Errors
    /// A regular expression that takes too long.
    pub fn contains(&self, object: &Object) -> Result<bool, TooManySteps> {
        passes(&self.groups, object)
    }

    /// Whether an object is read at all.
    ///
    /// # Errors
    /// A regular expression that takes too long.
    pub fn reads(&self, object: &Object) -> Result<bool, TooManySteps> {
        passes(&self.input, object)
    }

    /// Every clause with its result, group by group.
    ///
    /// # Errors
    /// A regular expression that takes too long.
    pub fn explain(&self, object: &Object) -> Result<Vec<Checked>, TooManySteps> {
        let clauses = self.groups.iter().flat_map(|group| {
            group
                .clauses
                .iter()
                .map(|clause| (group.name.as_str(), clause))
        });
        clauses
            .map(|(title, clause)| {
                Ok(Checked {
                    clause: format!("{title} {}", clause.text).trim_start().to_owned(),
                    value: object.get(&clause.attribute).to_string(),
                    holds: clause.holds(object)?,
                })
            })
            .collect()
    }

    /// The attributes that are read, as often as they are.
    pub fn attributes(&self) -> impl Iterator<Item = &str> {
        let groups = self.groups.iter().chain(&self.input);
        let clauses = groups.flat_map(|group| &group.clauses);
        clauses.map(|clause| clause.attribute.as_str())
    }
}

fn passes(groups: &[CompiledGroup], object: &Object) -> Result<bool, TooManySteps> {
    for group in groups {
        let mut all = true;
        for clause in &group.clauses {
            all = all && clause.holds(object)?;
        }
        if all {
            return Ok(true);
        }
    }
    Ok(groups.is_empty())
}

fn compile_group(group: &Group) -> Result<CompiledGroup, ScopeError> {
    let clauses = group.clauses.iter().map(compile_clause);
    Ok(CompiledGroup {
        name: group.name.clone(),
        clauses: clauses.collect::<Result<_, _>>()?,
    })
}

fn compile_clause(clause: &Clause) -> Result<CompiledClause, ScopeError> {
    let text = clause.to_string();
    let Some(operator) = ScopeOperator::by_name(&clause.operator) else {
        return Err(ScopeError::Operator {
            attribute: clause.attribute.clone(),
            name: clause.operator.clone(),
            suggestion: closest(&clause.operator, ScopeOperator::ALL.map(|(name, _)| name)),
        });
    };
    // The portal sends an empty value along with operators that take none.
    let values: Vec<String> = match operator.takes_value() {
        true => clause.values.clone(),
        false => Vec::new(),
    };
    let given = clause.values.iter().any(|value| !value.is_empty());
    let wrong = match operator.takes_value() {
        true => values.is_empty(),
        false => given,
    };
    if wrong {
        return Err(ScopeError::Values(text, operator.takes_value()));
    }
    let mut patterns = Vec::new();
    match operator {
        ScopeOperator::RegexMatch | ScopeOperator::NotRegexMatch => {
            for value in &values {
                let pattern = Pattern::new(value);
                patterns.push(pattern.map_err(|error| ScopeError::Pattern {
                    clause: text.clone(),
                    error,
                })?);
            }
        }
        ScopeOperator::GreaterThan | ScopeOperator::GreaterThanOrEquals
            if values.iter().any(|value| integer(value).is_none()) =>
        {
            return Err(ScopeError::NotAnInteger(text));
        }
        _ => {}
    }
    Ok(CompiledClause {
        attribute: clause.attribute.clone(),
        operator,
        values,
        patterns,
        text,
    })
}

impl CompiledClause {
    /// Without a value nothing holds but `IS NULL`. All values of a list must satisfy the clause, and each of them
    /// at least one of the values that are given (for the negations: none of them).
    fn holds(&self, object: &Object) -> Result<bool, TooManySteps> {
        let value = object.get(&self.attribute);
        match self.operator {
            ScopeOperator::IsNull => return Ok(value.is_null_or_empty()),
            ScopeOperator::IsNotNull => return Ok(!value.is_null_or_empty()),
            _ if value.is_null_or_empty() => return Ok(false),
            _ => {}
        }
        let work = Work::default();
        for item in value.into_items() {
            let fits = self
                .fits(&item, &work)
                .map_err(|Exhausted| TooManySteps(self.text.clone()))?;
            if !fits {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn fits(&self, item: &Value<'_>, work: &Work) -> Result<bool, Exhausted> {
        let text = item.borrowed().into_text().unwrap_or_default();
        let any = |test: &dyn Fn(&str) -> bool| self.values.iter().any(|value| test(value));
        let number = |test: &dyn Fn(i64, i64) -> bool| {
            any(&|value| match (integer(&text), integer(value)) {
                (Some(own), Some(other)) => test(own, other),
                _ => false,
            })
        };
        let matches = || -> Result<bool, Exhausted> {
            for pattern in &self.patterns {
                if pattern.is_match(&text, work)? {
                    return Ok(true);
                }
            }
            Ok(false)
        };
        Ok(match self.operator {
            ScopeOperator::Equals => any(&|value| text == value),
            ScopeOperator::NotEquals => !any(&|value| text == value),
            ScopeOperator::Includes => any(&|value| text.contains(value)),
            ScopeOperator::EndsWith => any(&|value| text.ends_with(value)),
            ScopeOperator::RegexMatch => matches()?,
            ScopeOperator::NotRegexMatch => !matches()?,
            ScopeOperator::GreaterThan => number(&|own, other| own > other),
            ScopeOperator::GreaterThanOrEquals => number(&|own, other| own >= other),
            ScopeOperator::IsTrue => text.eq_ignore_ascii_case("true"),
            ScopeOperator::IsFalse => text.eq_ignore_ascii_case("false"),
            ScopeOperator::PartOf => any(&|value| value.contains(&*text)),
            ScopeOperator::NotPartOf => !any(&|value| value.contains(&*text)),
            ScopeOperator::IsNull | ScopeOperator::IsNotNull => true,
        })
    }
}

fn integer(text: &str) -> Option<i64> {
    Number::parse(text)?.as_integer()
}

impl fmt::Display for Clause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.attribute, self.operator)?;
        match self.values.is_empty() {
            true => Ok(()),
            false => write!(f, " {}", self.values.join(", ")),
        }
    }
}
