#![no_main]
//! Bulk requests: the plan runs or refuses every operation exactly once, and completes only what it ran before.

use std::collections::HashMap;

use libfuzzer_sys::fuzz_target;
use portreeve_scim::Catalog;
use portreeve_scim::bulk::{Request, Step, plan};
use portreeve_scim::json::{self, Limits};

const MAX_OPERATIONS: usize = 50;

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
                // Every operation succeeds here, so that every reference of the plan has to resolve.
                assert!(
                    operation.resolved(&omit, &ids).is_ok(),
                    "operation {index} before what it refers to"
                );
                if let Some(bulk_id) = &entry.bulk_id {
                    ids.insert(bulk_id.clone(), format!("id-{index}"));
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
