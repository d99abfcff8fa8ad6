//! Changes to the members of a group.

use serde_json::Value;

use super::read::Place;
use super::{MemberStep, Verb};
use crate::filter::{Filter, Literal, Op};
use crate::resource::MemberRef;
use crate::schema::{Attribute, GROUP, ResourceType};
use crate::{Error, Profile};

/// Whether this is the attribute that a group's [`Resource`](crate::Resource) does not have.
pub(super) fn are(resource_type: &ResourceType, place: Place<'_>) -> bool {
    resource_type.schema.id == GROUP
        && place.extension.is_none()
        && place.attribute.name == "members"
}

/// Steps for `members` without brackets; `listed` are checked elements, `None` when a remove names none.
pub(super) fn whole(verb: Verb, listed: Option<Vec<Value>>) -> Vec<MemberStep> {
    let Some(listed) = listed else {
        return vec![MemberStep::Clear];
    };
    let members: Vec<_> = listed
        .into_iter()
        .filter_map(MemberRef::from_element)
        .collect();
    let mut steps = Vec::with_capacity(2);
    if verb == Verb::Replace {
        steps.push(MemberStep::Clear);
    }
    if !members.is_empty() {
        steps.push(match verb {
            Verb::Remove => MemberStep::Remove(members.into_iter().map(|m| m.value).collect()),
            Verb::Add | Verb::Replace => MemberStep::Add(members),
        });
    }
    steps
}

/// Refuses members without an id. An element of nothing but unknown attributes counts as empty elsewhere; here it
/// would be a member that is silently not put in.
pub(super) fn refuse_anonymous(value: &Value) -> Result<(), Error> {
    let elements = value
        .as_array()
        .map_or(std::slice::from_ref(value), Vec::as_slice);
    let is_named = |element: &Value| {
        element
            .as_object()
            .is_none_or(|members| members.keys().any(|key| key.eq_ignore_ascii_case("value")))
    };
    if elements.iter().all(is_named) {
        return Ok(());
    }
    Err(Error::invalid_value(
        "members.value is required; it is the id of the member",
    ))
}

/// The step for `members[filter]`. A member is put in or taken out, never changed: its sub-attributes are immutable
/// (RFC 7643 section 4.2).
pub(super) fn at_filter(
    verb: Verb,
    filter: Option<Filter>,
    place: Place<'_>,
    sub: Option<&Attribute>,
    profile: Profile,
) -> Result<MemberStep, Error> {
    let (Verb::Remove, Some(filter), None) = (verb, filter, sub) else {
        return Err(Error::mutability(
            "a member cannot be changed, only put in (add to members) and taken out (remove members[value eq \"id\"])",
        ));
    };
    let checked = filter.check_elements(place.attribute, profile)?;
    if let Some(unknown) = checked.unknown().first() {
        return Err(Error::invalid_filter(format!(
            "a member has no attribute {unknown}"
        )));
    }
    Ok(match ids(&filter) {
        Some(ids) => MemberStep::Remove(ids),
        None => MemberStep::RemoveWhere(filter),
    })
}

/// The ids in `value eq "a" or value eq "b"`; the common case needs no look at the stored members.
fn ids(filter: &Filter) -> Option<Vec<String>> {
    match filter {
        Filter::Compare {
            path,
            op: Op::Eq,
            value: Literal::String(id),
        } if path.as_str().eq_ignore_ascii_case("value") => Some(vec![id.clone()]),
        Filter::Or(terms) => {
            let ids: Option<Vec<_>> = terms.iter().map(ids).collect();
            ids.map(|ids| ids.concat())
        }
        _ => None,
    }
}
