use proptest::prelude::*;

use super::*;
use crate::ErrorKind;

#[test]
fn paths_are_kept_as_they_were_sent() {
    for text in [
        "userName",
        "name.givenName",
        "$ref",
        "members.$ref",
        "urn:ietf:params:scim:schemas:core:2.0:User:name.familyName",
        "URN:ietf:params:scim:schemas:extension:enterprise:2.0:User",
        "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group",
        "x-custom_1",
    ] {
        assert_eq!(AttributePath::parse(text).unwrap().to_string(), text);
    }
}

#[test]
fn what_is_no_path_is_refused_with_its_place() {
    for (text, needle) in [
        ("", "empty"),
        ("1st", "'1'"),
        ("user name", "position 5"),
        ("nämé", "position 2"),
        ("name.", "lacks a name"),
        ("name..x", "lacks a name"),
        ("urn:", "lacks a name"),
        ("emails[0]", "position 7"),
        (&"a".repeat(513), "513 bytes"),
    ] {
        let error = AttributePath::parse(text).unwrap_err();
        assert_eq!(error.kind, ErrorKind::InvalidPath, "{text}");
        assert!(error.detail.contains(needle), "{text}: {error}");
    }
}

#[test]
fn patch_paths_have_an_attribute_a_filter_and_a_sub_attribute() {
    for (text, attribute, filter, sub) in [
        ("members", "members", None, None),
        ("name.givenName", "name.givenName", None, None),
        (
            "emails[type eq \"work\"]",
            "emails",
            Some("type eq \"work\""),
            None,
        ),
        (
            "emails[type eq \"work\"].value",
            "emails",
            Some("type eq \"work\""),
            Some("value"),
        ),
        (
            "members[value eq\"1\"]",
            "members",
            Some("value eq \"1\""),
            None,
        ),
        (
            "members[ value  EQ \"a]\\\".b\" ].$ref ",
            "members",
            Some("value eq \"a]\\\".b\""),
            Some("$ref"),
        ),
    ] {
        let path = PatchPath::parse(text).unwrap();
        assert_eq!(path.attribute.as_str(), attribute, "{text}");
        assert_eq!(
            path.filter.as_ref().map(ToString::to_string).as_deref(),
            filter,
            "{text}"
        );
        assert_eq!(path.sub.as_deref(), sub, "{text}");
    }
}

#[test]
fn a_broken_patch_path_is_an_invalid_path_and_inside_of_brackets_an_invalid_filter() {
    for (text, kind, needle) in [
        ("", ErrorKind::InvalidPath, "position 1"),
        (
            "emails[type eq \"work\"]x",
            ErrorKind::InvalidPath,
            "position 23",
        ),
        (
            "emails[type eq \"work\"].",
            ErrorKind::InvalidPath,
            "sub-attribute",
        ),
        (
            "emails[type eq \"work\"].a.b",
            ErrorKind::InvalidPath,
            "end of the path",
        ),
        ("emails[0]", ErrorKind::InvalidFilter, "position 8"),
        (
            "emails[type eq work]",
            ErrorKind::InvalidFilter,
            "double quotes",
        ),
        ("emails[type eq \"work\"", ErrorKind::InvalidFilter, "`]`"),
        ("emails[]", ErrorKind::InvalidFilter, "name of an attribute"),
        ("a[b[c eq 1]]", ErrorKind::InvalidFilter, "inside brackets"),
    ] {
        let error = PatchPath::parse(text).unwrap_err();
        assert_eq!(error.kind, kind, "{text}: {error}");
        assert!(error.detail.contains(needle), "{text}: {error}");
    }
}

#[test]
fn an_over_long_patch_path_is_refused() {
    let text = format!("members[value eq \"{}\"]", "x".repeat(MAX_PATCH_PATH_BYTES));
    assert_eq!(
        PatchPath::parse(&text).unwrap_err().kind,
        ErrorKind::InvalidPath
    );
}

proptest! {
    #[test]
    fn whatever_is_read_as_a_patch_path_prints_to_the_same_path(text in "[a-z$.:\\[\\]\" ()]{0,40}|[a-z]{1,5}\\[[a-z]{1,4} (eq|co|ne) \"[^\"\\\\\\x00-\\x1f]{0,9}\"\\](\\.[a-z]{1,5})?") {
        if let Ok(path) = PatchPath::parse(&text) {
            prop_assert_eq!(PatchPath::parse(&path.to_string()), Ok(path));
        }
    }
}
