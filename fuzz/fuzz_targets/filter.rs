#![no_main]
//! Filters: what is read prints to text that reads back the same; evaluation never fails, and `not` is its opposite.

use libfuzzer_sys::fuzz_target;
use portreeve_fuzz::{group, user};
use portreeve_scim::{Catalog, Filter, Profile};

fuzz_target!(|text: &str| {
    let Ok(filter) = Filter::parse(text) else {
        return;
    };
    assert_eq!(
        Filter::parse(&filter.to_string()).as_ref(),
        Ok(&filter),
        "{filter}"
    );

    let catalog = Catalog::standard();
    let opposite = Filter::Not(Box::new(filter.clone()));
    for (resource_type, resource) in [(catalog.user(), user()), (catalog.group(), group())] {
        let resource = resource.as_object().expect("a resource is an object");
        for profile in [Profile::Strict, Profile::Entra] {
            let checked = filter.check(resource_type, profile);
            let not = opposite.check(resource_type, profile);
            assert_eq!(checked.is_ok(), not.is_ok());
            if let (Ok(checked), Ok(not)) = (checked, not) {
                assert_ne!(checked.matches(resource), not.matches(resource), "{filter}");
            }
        }
    }
});
