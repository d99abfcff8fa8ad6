#![no_main]
//! Bulk requests: the plan runs or refuses every operation exactly once, and completes only what it ran before.

use std::collections::HashMap;

use libfuzzer_sys::fuzz_target;
use portreeve_scim::Catalog;
use portreeve_scim::bulk::{Request, Step, plan};
use portreeve_scim::json::{self, Limits};

const MAX_OPERATIONS: usize = 50;

/// The operation that gives this `bulkId` its meaning.
fn made_by(request: &Request, bulk_id: &str) -> Option<usize> {
    request
        .entries
        .iter()
        .position(|entry| entry.bulk_id.as_deref() == Some(bulk_id))
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(body) = json::parse(bytes, Limits::default()) else {
        return;
    };
    let Ok(request) = Request::parse(body, &Catalog::standard(), MAX_OPERATIONS) else {
        return;
    };
    assert!(request.entries.len() <= MAX_OPERATIONS);

    let mut done = vec![false; request.entries.len()];
    let mut ids = HashMap::new();
    for step in plan(&request.entries) {
        match step {
            Step::Run { index, omit } => {
                assert!(
                    !std::mem::replace(&mut done[index], true),
                    "operation {index} twice"
                );
                let entry = &request.entries[index];
                let operation = entry
                    .operation
                    .as_ref()
                    .expect("what cannot be read is refused");
                // Every operation that runs succeeds here, so that only the refusal of another one can be in the way.
                match operation.resolved(&omit, &ids) {
                    Ok(_) => {
                        if let Some(bulk_id) = &entry.bulk_id {
                            ids.insert(bulk_id.clone(), format!("id-{index}"));
                        }
                    }
                    Err(missing) => assert!(
                        made_by(&request, &missing.bulk_id).is_some_and(|maker| done[maker]),
                        "operation {index} comes before what it refers to"
                    ),
                }
            }
            Step::Complete { index, .. } => {
                assert!(done[index], "operation {index} completed before it ran")
            }
            Step::Refuse { index, .. } => assert!(
                !std::mem::replace(&mut done[index], true),
                "operation {index} twice"
            ),
        }
    }
    assert!(done.iter().all(|done| *done), "an operation was forgotten");
});
