//! Changing a resource at a target that does not take PATCH: it is read, changed here, and put back whole (RFC 7644
//! section 3.5.1).

use std::sync::{Arc, OnceLock};

use reqwest::Method;
use serde_json::{Map, Value};

use super::answer::{Resource, ResourceId, member};
use super::client::Client;
use super::error::Error;
use super::patch::Patch;
use super::quirk::Quirk;
use super::settings::{PatchRefused, Settings};
use super::tenant_url::ResourceKind;
use super::transport::Request;

/// Attributes that only the target sets (RFC 7643 sections 3.1 and 4.1.2).
const READ_ONLY: [&str; 2] = ["meta", "groups"];

/// Whether and how far PUT stands in for PATCH.
#[derive(Debug, Clone, Default)]
pub(super) struct Replacement {
    allowed: bool,
    largest_group: usize,
    /// How the target refused PATCH altogether.
    refused: Arc<OnceLock<Error>>,
}

impl Replacement {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            allowed: settings.patch_refused == PatchRefused::Replace,
            largest_group: settings.largest_group_replaced,
            refused: Arc::default(),
        }
    }

    /// The refusal of an earlier PATCH that goes for every other one as well.
    pub(super) fn refusal(&self) -> Option<Error> {
        self.refused.get().cloned()
    }

    fn is_too_large(&self, kind: ResourceKind, whole: &Map<String, Value>) -> bool {
        let members = member(whole, "members").and_then(Value::as_array);
        kind == ResourceKind::Group && members.map_or(0, Vec::len) > self.largest_group
    }

    /// Whether this refusal is one of PATCH and not of what it would change. One with status 405 or 501 goes for every
    /// PATCH. A 400 that gives no reason is taken for one only where no member comes or goes: it may mean a member that
    /// the target does not know, and some targets empty a group before they find that out about a PUT.
    pub(super) fn applies(&self, error: &Error, patch: &Patch) -> bool {
        let Error::Refused {
            status, scim_type, ..
        } = error
        else {
            return false;
        };
        match status {
            405 | 501 if self.allowed => {
                self.refused.get_or_init(|| error.clone());
                true
            }
            400 => {
                let of_the_form = ["invalidSyntax", "invalidPath", "invalidFilter", "noTarget"];
                self.allowed
                    && match scim_type.as_deref() {
                        Some(word) => of_the_form.contains(&word),
                        None => !patch.concerns_members(),
                    }
            }
            _ => false,
        }
    }
}

impl Client {
    /// Makes the changes of a patch that was refused. The refusal itself is the error where that is not to be: the
    /// group is too large to be sent whole, or the target takes PUT no better.
    pub(super) async fn patch_by_replacing(
        &self,
        kind: ResourceKind,
        id: &ResourceId,
        patch: &Patch,
        refusal: Error,
    ) -> Result<Option<Resource>, Error> {
        let Some((there, whole)) = self.read_whole(kind, id).await? else {
            return Err(Error::Refused {
                status: 404,
                scim_type: None,
                detail: "what is to be changed is not there".to_owned(),
            });
        };
        if self.replacement.is_too_large(kind, &whole) {
            return Err(refusal);
        }
        let Some(body) = changed(whole, patch) else {
            return Err(refusal);
        };
        let url = self.base.resource(kind, id, &[]);
        let request = Request::with_body(Method::PUT, url, &Value::Object(body));
        // Whatever happened to the resource since it was read must not be undone, where the target can tell.
        let request = match there.version() {
            Some(version) => request.if_match(version),
            None => request,
        };
        match self.put(kind, id, request).await {
            Ok(resource) => {
                self.quirks.note(Quirk::PatchRefused);
                Ok(Some(resource))
            }
            Err(Error::Refused {
                status: 400 | 405 | 501,
                ..
            }) => Err(refusal),
            Err(error) => Err(error),
        }
    }

    /// A resource, and everything in it that a PUT would otherwise take away: some targets show the members of a group
    /// only when they are asked for them.
    async fn read_whole(
        &self,
        kind: ResourceKind,
        id: &ResourceId,
    ) -> Result<Option<(Resource, Map<String, Value>)>, Error> {
        let Some(there) = self.get(kind, id, &[]).await? else {
            return Ok(None);
        };
        let mut whole = there.attributes().clone();
        if kind == ResourceKind::Group && member(&whole, "members").is_none() {
            let asked = self.read(kind, id, &[("attributes", "members")]).await?;
            let members = asked.as_ref().and_then(|asked| asked.attribute("members"));
            if let Some(members) = members {
                whole.insert("members".to_owned(), members.clone());
            }
        }
        Ok(Some((there, whole)))
    }
}

/// The body of the PUT. `None` when the patch has a path of a form that no mapping has.
fn changed(mut whole: Map<String, Value>, patch: &Patch) -> Option<Map<String, Value>> {
    let is_read_only = |name: &str| READ_ONLY.iter().any(|own| own.eq_ignore_ascii_case(name));
    whole.retain(|name, _| !is_read_only(name));
    patch.apply(&mut whole)?;
    name_extensions(&mut whole);
    Some(whole)
}

/// Adds the URNs of extensions that have come in to `schemas` (RFC 7643 section 3).
fn name_extensions(whole: &mut Map<String, Value>) {
    let is_urn = |name: &&String| {
        let begins = name.get(..4);
        begins.is_some_and(|begins| begins.eq_ignore_ascii_case("urn:"))
    };
    let urns: Vec<String> = whole.keys().filter(is_urn).cloned().collect();
    let Some(Value::Array(schemas)) = whole.get_mut("schemas") else {
        return;
    };
    for urn in urns {
        let is_it = |known: &Value| {
            known
                .as_str()
                .is_some_and(|known| known.eq_ignore_ascii_case(&urn))
        };
        if !schemas.iter().any(is_it) {
            schemas.push(Value::String(urn));
        }
    }
}
