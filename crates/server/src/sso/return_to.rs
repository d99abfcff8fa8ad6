//! Where somebody goes on after signing in: a place on this server, and nowhere else.

/// Where one goes on who did not want to go anywhere in particular.
pub(crate) const HOME: &str = "/console";

/// The longest place that is gone back to, in bytes.
const LONGEST: usize = 2_000;

/// The place, if it is a path on this server; else [`HOME`]. Browsers take `//` and `/\` at the beginning for another host,
/// and leave out tabs and line breaks.
pub(crate) fn local(place: Option<&str>) -> &str {
    place.filter(|place| is_local(place)).unwrap_or(HOME)
}

fn is_local(place: &str) -> bool {
    place.starts_with('/')
        && !place.starts_with("//")
        && place.len() <= LONGEST
        && place
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_goes_on_to_paths_of_this_server_only() {
        let long = format!("/{}", "x".repeat(LONGEST));
        for (place, is_right) in [
            ("/console", true),
            ("/console/users?filter=a%20b#x", true),
            ("/", true),
            ("", false),
            ("console", false),
            ("//evil.example", false),
            ("/\\evil.example", false),
            ("/a\\b", false),
            ("/\t/evil.example", false),
            ("/\n/evil.example", false),
            ("/a\r\nset-cookie: x=y", false),
            ("/a b", false),
            ("/ä", false),
            ("https://evil.example/", false),
            ("javascript:alert(1)", false),
            (long.as_str(), false),
        ] {
            let expected = if is_right { place } else { HOME };
            assert_eq!(local(Some(place)), expected, "{place:?}");
        }
        assert_eq!(local(None), HOME);
    }
}
