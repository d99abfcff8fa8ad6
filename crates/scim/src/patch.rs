//! PATCH (RFC 7644 section 3.5.2): reading a request into checked changes, and applying them.
//!
//! Everything that can be known without the resource is decided while reading: paths are resolved, values checked
//! and made canonical, clients' quirks undone. What is left to [`Patch::apply`] depends on what is stored.
//!
//! The members of a group are not part of its [`Resource`]: a group may have a hundred thousand. Changes to them come
//! out as [`MemberStep`]s, which need none of the stored members.

use serde_json::{Map, Value};

use crate::filter::Filter;
use crate::resource::{MemberRef, Notes};
use crate::schema::ResourceType;
use crate::{Error, Leniency, Profile, Resource};

mod apply;
mod elements;
mod members;
mod read;
mod values;

/// URN of the message.
pub const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// How many changes one request may ask for. Each element in the `value` of a remove is one; members that are named
/// by their id do not count.
pub const MAX_CHANGES: usize = 1000;

/// A checked PATCH request.
#[derive(Debug, Clone, Default)]
pub struct Patch {
    changes: Vec<Change>,
    members: Vec<MemberStep>,
}

/// One step of a change to the members of a group. Adding a present member and removing an absent one do nothing.
#[derive(Debug, Clone, PartialEq)]
pub enum MemberStep {
    /// Take all members out.
    Clear,
    /// Put these in.
    Add(Vec<MemberRef>),
    /// Take those with these ids out.
    Remove(Vec<String>),
    /// Take those out that satisfy the filter, by [`Filter::check_elements`] on `members`.
    RemoveWhere(Filter),
}

impl Patch {
    /// Reads the body of a PATCH of the resource `id`. The id is needed because Okta repeats it in the body, where
    /// any other one is an error.
    ///
    /// # Errors
    /// The kinds of RFC 7644 table 9: `invalidSyntax` for a body that is no PATCH, `invalidPath`, `invalidFilter`,
    /// `invalidValue`, `mutability` for read-only attributes and for parts of members, `noTarget` for a `remove`
    /// without path. The detail starts with the number of the operation.
    pub fn parse(
        body: Value,
        resource_type: &ResourceType,
        id: &str,
        profile: Profile,
        notes: &mut Notes,
    ) -> Result<Self, Error> {
        let mut reader = read::Reader::new(resource_type, id, profile, notes);
        for (index, operation) in envelope(body)?.into_iter().enumerate() {
            let number = index + 1;
            Operation::read(operation, profile)
                .and_then(|operation| reader.operation(number, operation))
                .map_err(|error| numbered(number, error))?;
        }
        reader.patch.check_size()?;
        Ok(reader.patch)
    }

    /// Applies everything but the changes to members, in order and all or nothing: after an error `resource` is what
    /// it was. A request that changes nothing leaves the very same text.
    ///
    /// `resource_type` is the one the request was read for.
    ///
    /// # Errors
    /// `noTarget` when the filter of a `replace` selects nothing, `mutability` when a required value would be missing
    /// or an immutable one change, `invalidValue` when a new element lacks a required part.
    pub fn apply(
        &self,
        resource_type: &ResourceType,
        resource: &mut Resource,
    ) -> Result<(), Error> {
        if self.changes.is_empty() {
            return Ok(());
        }
        *resource = apply::apply(&self.changes, resource_type, resource)?;
        Ok(())
    }

    /// What to do to the members of a group, in order. Independent of [`Patch::apply`].
    pub fn members(&self) -> &[MemberStep] {
        &self.members
    }

    /// Whether [`Patch::apply`] has anything to do. A request may concern members alone, or only what is ignored.
    pub fn changes_attributes(&self) -> bool {
        !self.changes.is_empty()
    }

    /// Each of these is work over a whole list; many of them on a long one would be very much work.
    fn check_size(&self) -> Result<(), Error> {
        let passes = self.changes.iter().map(|change| match &change.action {
            Action::RemoveLike(given) => given.len(),
            _ => 1,
        });
        let is_search = |step: &&MemberStep| matches!(step, MemberStep::RemoveWhere(_));
        let changes = passes.sum::<usize>() + self.members.iter().filter(is_search).count();
        if changes <= MAX_CHANGES {
            return Ok(());
        }
        Err(Error::invalid_value(format!(
            "The request asks for {changes} changes; send at most {MAX_CHANGES} at once"
        )))
    }
}

/// One change to one attribute.
#[derive(Debug, Clone)]
struct Change {
    /// The operation it comes from, counted from 1, for errors.
    number: usize,
    /// URN of the extension the attribute belongs to.
    extension: Option<String>,
    /// Canonical name.
    attribute: String,
    action: Action,
}

/// What to do to an attribute. All values are checked and canonical.
#[derive(Debug, Clone)]
enum Action {
    /// Give a single value, or a whole list.
    Set(Value),
    /// Take the value away.
    Unset,
    /// Change parts of a single complex value.
    Merge(Vec<Part>),
    /// Add to a list what it does not have yet.
    Append(Vec<Value>),
    /// Take those elements out of a list that are like one of these.
    RemoveLike(Vec<Value>),
    /// Change elements of a list.
    Elements {
        /// Those that satisfy this, or all.
        which: Option<Filter>,
        profile: Profile,
        edit: Edit,
        /// What to do when there is none.
        otherwise: Otherwise,
    },
}

/// A new value of one sub-attribute.
#[derive(Debug, Clone, PartialEq)]
struct Part {
    /// Canonical name.
    name: String,
    /// `None` takes it away.
    value: Option<Value>,
    /// Whether the value is a list that is added to the present one.
    append: bool,
}

#[derive(Debug, Clone)]
enum Edit {
    Merge(Vec<Part>),
    Put(Value),
    Drop,
}

#[derive(Debug, Clone)]
enum Otherwise {
    /// Nothing to do is fine.
    Nothing,
    /// Refuse, with this sentence.
    NoTarget(String),
    /// Append an element of these parts, changed by the edit.
    Create(Vec<Part>),
}

/// `op` of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Add,
    Replace,
    Remove,
}

impl Verb {
    fn name(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Replace => "replace",
            Self::Remove => "remove",
        }
    }
}

/// An operation as it was sent. A `value` of `null` is there; that it means "no value" is the attribute's business.
struct Operation {
    verb: Verb,
    path: Option<String>,
    value: Option<Value>,
}

impl Operation {
    fn read(operation: Value, profile: Profile) -> Result<Self, Error> {
        let Value::Object(members) = operation else {
            return Err(Error::invalid_syntax("it is not a JSON object"));
        };
        let [verb, path, value] = take(members, ["op", "path", "value"])?;
        let path = match path {
            None | Some(Value::Null) => None,
            Some(Value::String(path)) => Some(path),
            Some(_) => return Err(Error::invalid_syntax("`path` is not a string")),
        };
        let Some(Value::String(name)) = verb else {
            return Err(Error::invalid_syntax(
                "it has no `op`; send add, replace or remove",
            ));
        };
        let known = [Verb::Add, Verb::Replace, Verb::Remove]
            .into_iter()
            .find(|verb| {
                verb.name() == name
                    || (profile.allows(Leniency::OpCase) && verb.name().eq_ignore_ascii_case(&name))
            });
        match known {
            Some(verb) => Ok(Self { verb, path, value }),
            None => Err(Error::invalid_syntax(format!(
                "there is no `op` {name:?}; send add, replace or remove"
            ))),
        }
    }
}

/// The operations of a PATCH message.
fn envelope(body: Value) -> Result<Vec<Value>, Error> {
    let Value::Object(members) = body else {
        return Err(Error::invalid_syntax(
            "The body of a PATCH is a JSON object",
        ));
    };
    let [schemas, operations] = take(members, ["schemas", "Operations"])?;
    let declared = schemas
        .as_ref()
        .and_then(Value::as_array)
        .is_some_and(|urns| {
            urns.iter()
                .filter_map(Value::as_str)
                .any(|urn| urn.eq_ignore_ascii_case(PATCH_OP))
        });
    if !declared {
        return Err(Error::invalid_syntax(format!(
            "`schemas` of a PATCH has to contain {PATCH_OP}"
        )));
    }
    match operations {
        Some(Value::Array(operations)) if !operations.is_empty() => Ok(operations),
        Some(Value::Array(_)) => Err(Error::invalid_syntax(
            "`Operations` is empty; a PATCH has at least one",
        )),
        _ => Err(Error::invalid_syntax("A PATCH has a list `Operations`")),
    }
}

/// Takes the members of these names, in any letter case, and drops the others.
fn take<const N: usize>(
    members: Map<String, Value>,
    names: [&str; N],
) -> Result<[Option<Value>; N], Error> {
    let mut found = [const { None }; N];
    for (key, value) in members {
        let Some(index) = names
            .iter()
            .position(|name| name.eq_ignore_ascii_case(&key))
        else {
            continue;
        };
        if found[index].replace(value).is_some() {
            return Err(Error::invalid_syntax(format!(
                "`{}` is there twice",
                names[index]
            )));
        }
    }
    Ok(found)
}

/// Says which operation an error is about.
fn numbered(number: usize, mut error: Error) -> Error {
    error.detail = format!("Operation {number}: {}", error.detail);
    error
}

#[cfg(test)]
mod tests;
