#![expect(
    clippy::too_many_lines,
    clippy::needless_pass_by_value,
    reason = "tables of cases, written down where they are used"
)]

use serde_json::{Value, json};

use super::*;
use crate::schema::{ENTERPRISE, POSIX};
use crate::{Catalog, ErrorKind};

mod laws;
mod matrix;
mod members;
mod quirks;
mod refusals;

const ID: &str = "2819c223";

fn message(operations: Value) -> Value {
    json!({ "schemas": [PATCH_OP], "Operations": operations })
}

fn resource(resource_type: &ResourceType, body: Value) -> Resource {
    Resource::parse(resource_type, body, Profile::Lenient, &mut Notes::default()).unwrap()
}

/// What a user is after these operations.
fn user(profile: Profile, before: &Value, operations: &Value) -> Result<Value, Error> {
    let catalog = Catalog::standard();
    patched(catalog.user(), profile, before, operations).map(|(after, _)| after)
}

/// What a resource is after these operations, and what was noted. After an error it is what it was.
fn patched(
    resource_type: &ResourceType,
    profile: Profile,
    before: &Value,
    operations: &Value,
) -> Result<(Value, Notes), Error> {
    let mut notes = Notes::default();
    let mut resource = resource(resource_type, before.clone());
    let text = resource.to_text();
    let patch = Patch::parse(
        message(operations.clone()),
        resource_type,
        ID,
        profile,
        &mut notes,
    )?;
    match patch.apply(resource_type, &mut resource) {
        Ok(()) => Ok((Value::Object(resource.into_map()), notes)),
        Err(error) => {
            assert_eq!(
                resource.to_text(),
                text,
                "a refused PATCH changed the resource"
            );
            Err(error)
        }
    }
}

/// A stored user with these attributes.
fn stored(attributes: &Value) -> Value {
    let catalog = Catalog::standard();
    Value::Object(resource(catalog.user(), attributes.clone()).into_map())
}

/// `userName` and these attributes.
fn ada(attributes: Value) -> Value {
    let mut body = json!({ "userName": "ada" });
    if let (Some(body), Value::Object(attributes)) = (body.as_object_mut(), attributes) {
        body.extend(attributes);
    }
    body
}

/// Checks that operations turn one user into another.
fn check(case: &str, profile: Profile, before: Value, operations: Value, after: Value) {
    let before = ada(before);
    match user(profile, &before, &operations) {
        Ok(result) => assert_eq!(result, stored(&ada(after)), "{case}"),
        Err(error) => panic!("{case}: {error}"),
    }
}

/// Checks that operations are refused.
fn check_refused(
    case: &str,
    profile: Profile,
    before: Value,
    operations: Value,
    kind: ErrorKind,
) -> String {
    match user(profile, &ada(before), &operations) {
        Ok(result) => panic!("{case}: accepted, giving {result}"),
        Err(error) => {
            assert_eq!(error.kind, kind, "{case}: {error}");
            error.detail
        }
    }
}
