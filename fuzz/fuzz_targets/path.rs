#![no_main]
//! Paths: what is read prints to text that reads back the same, and means the same in its canonical spelling.

use libfuzzer_sys::fuzz_target;
use portreeve_scim::path::{AttributePath, PatchPath};
use portreeve_scim::{Catalog, Profile};

fuzz_target!(|text: &str| {
    if let Ok(path) = PatchPath::parse(text) {
        assert_eq!(
            PatchPath::parse(&path.to_string()).as_ref(),
            Ok(&path),
            "{path}"
        );
    }
    let Ok(path) = AttributePath::parse(text) else {
        return;
    };
    assert_eq!(path.as_str(), text);

    let catalog = Catalog::standard();
    for resource_type in catalog.types() {
        for profile in Profile::ALL {
            if let Some(found) = resource_type.resolve(&path, profile) {
                let canonical =
                    AttributePath::parse(&found.canonical()).expect("a canonical path is a path");
                let again = resource_type.resolve(&canonical, Profile::Strict);
                assert_eq!(
                    again.map(|again| again.canonical()),
                    Some(found.canonical())
                );
            }
        }
    }
});
