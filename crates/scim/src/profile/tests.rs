use std::collections::HashSet;

use super::*;

#[test]
fn every_leniency_has_a_name_of_its_own_in_kebab_case_and_a_description() {
    let names: HashSet<_> = Leniency::ALL
        .iter()
        .map(|leniency| leniency.name())
        .collect();
    assert_eq!(names.len(), Leniency::ALL.len());
    for leniency in Leniency::ALL {
        assert!(
            leniency
                .name()
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b == b'-'),
            "{leniency}"
        );
        assert!(leniency.description().len() > 10, "{leniency}");
    }
}

#[test]
fn a_profile_is_found_by_its_name() {
    for profile in Profile::ALL {
        assert_eq!(Profile::by_name(profile.name()), Some(profile));
    }
    assert_eq!(Profile::by_name("Entra"), None);
}

#[test]
fn strict_tolerates_nothing_entra_everything_and_the_default_what_breaks_no_rule() {
    assert_eq!(Profile::Strict.leniencies().count(), 0);
    assert_eq!(Profile::Entra.leniencies().count(), Leniency::ALL.len());
    assert_eq!(Profile::default(), Profile::Lenient);
    assert!(
        Profile::Lenient
            .leniencies()
            .all(|leniency| !leniency.contradicts_rfc())
    );
    assert!(!Profile::Lenient.allows(Leniency::CreateOnReplace));
    assert!(Profile::Okta.allows(Leniency::SameIdInPatch));
}
