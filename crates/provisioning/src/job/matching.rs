//! Finding the resource that is an object already, by the matching attributes in order of precedence.

use portreeve_mapping::mapping::{Match, Scalar};
use serde_json::json;

use super::evaluation::Evaluation;
use super::failure::Failure;
use super::record::Log;
use super::target::{Shown, Target};
use crate::engine::codes::{Code, During};
use crate::engine::steps::{Status, Step, StepName};
use crate::source::Kind;

/// What a search found.
pub(super) struct Searched {
    /// The resource, if there is one.
    pub(super) found: Option<Shown>,
    /// The values by which one that is made now will be found.
    pub(super) keys: Vec<(String, String)>,
}

/// Looks for the resource that an object is, and tells each search.
pub(super) async fn search(
    target: &Target,
    kind: Kind,
    evaluation: &Evaluation<'_>,
    log: &mut Log<'_>,
) -> Result<Searched, Failure> {
    let matching = evaluation.matching()?;
    let keys: Vec<_> = matching.iter().map(key).collect();
    if keys.is_empty() {
        let detail = format!(
            "no matching attribute has a value ({}), so the object cannot be looked for",
            evaluation.matched_by().join(", ")
        );
        return Err(Failure::new(Code::ImportSkipped, detail));
    }
    for (attribute, value) in &keys {
        let found = target.find(kind, attribute, value).await;
        let (hits, status) = match &found {
            Ok(found) => (json!(u8::from(found.is_some())), Status::Success),
            Err(crate::target::Error::Ambiguous { count, .. }) => (json!(count), Status::Failure),
            Err(_) => (json!(null), Status::Failure),
        };
        let description = format!("{attribute} eq {}", json!(value));
        let step = Step::new(StepName::EntryMatching, status, description).with("hits", hits);
        log.step(step);
        match found {
            Ok(None) => {}
            Ok(found) => return Ok(Searched { found, keys }),
            Err(error) => return Err(Failure::of(target, kind, error, During::Find).await),
        }
    }
    Ok(Searched { found: None, keys })
}

fn key(matching: &Match<'_>) -> (String, String) {
    let value = match &matching.value {
        Scalar::Text(text) | Scalar::Reference(text) => text.clone(),
        other => other.to_json().to_string(),
    };
    (matching.target.canonical.clone(), value)
}
