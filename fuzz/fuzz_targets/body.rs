#![no_main]
//! Bodies of POST and PUT: what is accepted is accepted again, and is then the same.

use libfuzzer_sys::fuzz_target;
use portreeve_fuzz::assert_canonical;
use portreeve_scim::json::{self, Limits};
use portreeve_scim::resource::Notes;
use portreeve_scim::{Catalog, Profile, Resource};

fuzz_target!(|bytes: &[u8]| {
    let Ok(body) = json::parse(bytes, Limits::default()) else {
        return;
    };
    let catalog = Catalog::standard();
    for resource_type in catalog.types() {
        for profile in Profile::ALL {
            let parsed =
                Resource::parse(resource_type, body.clone(), profile, &mut Notes::default());
            if let Ok(resource) = parsed {
                assert_canonical(resource_type, &resource, profile);
            }
        }
    }
});
