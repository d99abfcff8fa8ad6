//! The names that people give to things.

use crate::Refusal;

/// A name as it is kept: without blanks around it, in one line of 1 to `longest` characters. `what` is the thing in a
/// sentence, such as "a directory".
///
/// Characters that turn the direction of writing are refused: on a page they would turn what stands beside the name as well.
/// Names in scripts that are written from right to left do without them.
pub fn checked<'n>(what: &str, name: &'n str, longest: usize) -> Result<&'n str, Refusal> {
    let name = name.trim();
    let fits = (1..=longest).contains(&name.chars().count());
    if fits && !name.contains(turns_or_controls) {
        return Ok(name);
    }
    Err(Refusal::Invalid {
        attribute: "name",
        reason: format!(
            "{what} has a name of 1 to {longest} characters in one line, none of which turns the direction of writing"
        ),
    })
}

/// The same of a name that may be left out.
pub fn checked_if_any<'n>(what: &str, name: &'n str, longest: usize) -> Result<&'n str, Refusal> {
    match name.trim() {
        "" => Ok(""),
        name => checked(what, name, longest),
    }
}

/// Control characters, and those of the Unicode Bidirectional Algorithm that embed, override or isolate (UAX #9 section 2).
fn turns_or_controls(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_one_line_that_turns_nothing() {
        let long = "x".repeat(11);
        let cases = [
            ("plain", " Contoso ", Some("Contoso")),
            (
                "Hebrew",
                "\u{5D0}\u{5D1}\u{5D2}",
                Some("\u{5D0}\u{5D1}\u{5D2}"),
            ),
            ("the longest", &long[1..], Some(&long[1..])),
            ("too long", &long, None),
            ("nothing", "  ", None),
            ("two lines", "a\nb", None),
            ("an override", "a\u{202E}b", None),
            ("an isolate", "a\u{2067}b", None),
        ];
        for (case, name, kept) in cases {
            assert_eq!(checked("a thing", name, 10).ok(), kept, "{case}");
        }
        assert_eq!(checked_if_any("a thing", " ", 10).ok(), Some(""));
    }
}
