#![no_main]
//! List queries, from a query string or from the body of a `.search`: reading, sorting and projecting never fail.

use std::borrow::Cow;

use libfuzzer_sys::fuzz_target;
use portreeve_fuzz::user;
use portreeve_scim::json::{self, Limits};
use portreeve_scim::query::{ListQuery, pairs, sort_key};
use portreeve_scim::{Catalog, Profile};

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let from_string = pairs(text).ok().and_then(|pairs| {
        let pairs = pairs
            .iter()
            .map(|(name, value)| (Cow::from(name), Cow::from(value)));
        ListQuery::from_pairs(pairs).ok()
    });
    let from_body = json::parse(bytes, Limits::default())
        .ok()
        .and_then(|body| ListQuery::from_search(body).ok());

    let catalog = Catalog::standard();
    for query in from_string.into_iter().chain(from_body) {
        assert!(query.start_index >= 1);
        let mut full = user().as_object().expect("a resource is an object").clone();
        if let Some(path) = &query.sort_by {
            sort_key(catalog.user(), path, &full);
        }
        if let Some(Ok(filter)) = query
            .filter
            .as_ref()
            .map(|filter| filter.check(catalog.user(), Profile::Lenient))
        {
            filter.matches(&full);
        }
        query.projection.apply(catalog.user(), &mut full);
        assert!(full.contains_key("id") && full.contains_key("schemas"));
        let once = full.clone();
        query.projection.apply(catalog.user(), &mut full);
        assert_eq!(full, once, "a projection of a projection");
    }
});
