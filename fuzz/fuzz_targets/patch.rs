#![no_main]
//! PATCH: a result is a resource that could have been posted; a refusal leaves the resource as it was.

use libfuzzer_sys::fuzz_target;
use portreeve_fuzz::{ID, assert_canonical, group, stored, user};
use portreeve_scim::json::{self, Limits};
use portreeve_scim::patch::{MemberStep, Patch};
use portreeve_scim::resource::Notes;
use portreeve_scim::{Catalog, Profile};

fuzz_target!(|bytes: &[u8]| {
    let Ok(body) = json::parse(bytes, Limits::default()) else {
        return;
    };
    let catalog = Catalog::standard();
    for (resource_type, before) in [(catalog.user(), user()), (catalog.group(), group())] {
        for profile in Profile::ALL {
            let parsed = Patch::parse(
                body.clone(),
                resource_type,
                ID,
                profile,
                &mut Notes::default(),
            );
            let Ok(patch) = parsed else { continue };
            let mut resource = stored(resource_type, before.clone());
            let text = resource.to_text();
            match patch.apply(resource_type, &mut resource) {
                Ok(()) => assert_canonical(resource_type, &resource, profile),
                Err(_) => assert_eq!(resource.to_text(), text),
            }
            for step in patch.members() {
                if let MemberStep::RemoveWhere(filter) = step {
                    let members = resource_type
                        .schema
                        .attribute("members")
                        .expect("only groups have members");
                    assert!(filter.check_elements(members, profile).is_ok());
                }
            }
        }
    }
});
