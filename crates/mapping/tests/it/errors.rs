//! What is refused, where, and with which advice.

use portreeve_mapping::Expression;

/// Name, expression, position in characters, and what the message says.
const REFUSALS: &[(&str, &str, usize, &str)] = &[
    ("nothing", " ", 1, "empty"),
    (
        "letter case of a function",
        "append([a], \"x\")",
        1,
        "did you mean Append?",
    ),
    (
        "misspelt function",
        "Append(ToLowr([a]), \"x\")",
        8,
        "did you mean ToLower?",
    ),
    (
        "unknown function",
        "Trim([a])",
        1,
        "there is no function Trim",
    ),
    (
        "parenthesis",
        "Append([a], \"x\"",
        16,
        "expected a comma or a closing parenthesis, found the end",
    ),
    (
        "one parenthesis too many",
        "Append([a], \"x\"))",
        17,
        "expected the end of the expression",
    ),
    (
        "text without end",
        "Append([a], \"x",
        13,
        "no closing quote",
    ),
    (
        "attribute without end",
        "Append([a, \"x\")",
        8,
        "no closing bracket",
    ),
    ("attribute never ends", "[a", 1, "no closing bracket"),
    ("attribute without name", "[]", 1, "no name of an attribute"),
    (
        "positions count characters",
        "Append(\"Zoë\", oops)",
        15,
        "[oops]",
    ),
    (
        "function without parentheses",
        "Append(ToLower, \"x\")",
        8,
        "needs parentheses",
    ),
    (
        "misspelt keyword",
        "InStr(\"a\", \"b\", 1, vbTextcompare)",
        20,
        "did you mean vbTextCompare?",
    ),
    (
        "missing parameter",
        "Append([a])",
        1,
        "at position 1; Append(source, suffix)",
    ),
    (
        "absent required parameter",
        "Append(, \"x\")",
        1,
        "lacks its parameter source",
    ),
    (
        "no branch for false",
        "IIF([a]=\"x\", \"y\")",
        1,
        "valueIfFalse",
    ),
    (
        "too many parameters",
        "ToLower([a], \"tr\", \"x\")",
        1,
        "at most 2 parameters, not 3",
    ),
    (
        "key without value",
        "Switch([x], \"d\", \"a\")",
        1,
        "the last key has no value",
    ),
    (
        "and",
        "IIF([a]=\"x\" AND [b]=\"y\", 1, 2)",
        13,
        "nest one IIF",
    ),
    ("ampersand", "[a] & [b]", 5, "use Join or Append"),
    (
        "curly quotes",
        "Append([a], “x”)",
        13,
        "straight double quotes",
    ),
    (
        "two comparisons",
        "IIF([a]=[b]=[c],1,2)",
        12,
        "expected a comma",
    ),
    (
        "hexadecimal without digits",
        "BitAnd(&HXY, 1)",
        8,
        "cannot be read",
    ),
    ("number with letters", "BitAnd(1x, 1)", 8, "cannot be read"),
    (
        "unique value inside",
        "ToLower(SelectUniqueValue(\"a\", \"b\"))",
        9,
        "outermost",
    ),
    (
        "one unique value",
        "SelectUniqueValue(\"a\")",
        1,
        "uniqueValueRule2",
    ),
    (
        "interval",
        "DateAdd(\"q\", 1, Now())",
        9,
        "it is one of yyyy, m, ww, d, h, n, s",
    ),
    (
        "source alone",
        "Replace([a])",
        1,
        "does not know what to do with a source alone",
    ),
    (
        "modes mixed",
        "Replace([a], \"x\", \"y\", , \"z\", , )",
        1,
        "oldValue, regexPattern and replacementValue together",
    ),
    (
        "nothing to replace with",
        "Replace([a], \"x\")",
        1,
        "oldValue alone",
    ),
    (
        "empty old value",
        "Replace([a], \"\", , , \"z\", , )",
        1,
        "oldValue of Replace cannot be \"\"",
    ),
    (
        "no such group",
        "Replace([a], , \"(?<Suffix>@.*)\", \"Sufix\", \"\", , )",
        34,
        "did you mean Suffix?",
    ),
    (
        "wrong pattern",
        "Replace([a], , \"(a\", , \"\", , )",
        16,
        "a parenthesis is not closed, at character 2 of it",
    ),
    (
        "date format",
        "FormatDateTime([a], , \"'yyyy\", \"yy\")",
        23,
        "not closed",
    ),
    (
        "no output format",
        "FormatDateTime([a], , \"yyyy\", )",
        1,
        "outputFormat",
    ),
    (
        "date style",
        "FormatDateTime([a], \"Loose\", \"yyyy\", \"yy\")",
        21,
        "cannot be \"Loose\"",
    ),
];

#[test]
fn refusals_say_where_and_what_to_do() {
    let wrong: Vec<String> = REFUSALS
        .iter()
        .filter_map(
            |(name, expression, position, says)| match Expression::parse(expression) {
                Ok(_) => Some(format!("{name}: {expression} is not refused")),
                Err(error) => {
                    let right = error.position == *position && error.to_string().contains(says);
                    (!right).then(|| format!("{name}: {error}"))
                }
            },
        )
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is .NET's, or somebody else's, and not ours.
#[test]
fn patterns_that_cannot_be_used_are_refused() {
    for (name, pattern, says) in [
        ("nothing to repeat", "*a", "nothing to repeat"),
        ("repeated twice", "a++", "follows another"),
        ("class without end", "[a", "not closed"),
        ("parenthesis", "a)", "without an opening one"),
        ("range backwards", "[z-a]", "reverse order"),
        ("range to a class", r"[a-\d]", "ends with a class"),
        ("escape", r"\q", r"unknown escape \q"),
        ("backslash", r"a\", "backslash at the end"),
        ("no such group", r"(a)\2", "there is no group 2"),
        ("no such name", r"\k<n>", "there is no group n"),
        ("category", r"\p{Xx}", "no category"),
        (
            "balancing",
            "(?<a-b>x)",
            "balancing groups are not supported",
        ),
        ("condition", "(?(a|b)c|d)", "is not supported"),
        ("option", "(?z)a", "unknown option"),
        ("right to left", "(?r)a", "unknown option"),
        ("group without name", "(?<>a)", "no proper name"),
        ("group 0", "(?<0>a)", "group 0"),
        ("subtraction not last", "[a-[b]c]", "the last thing"),
        ("too large", "(?:(?:(?:\\w{99}){99}){99}){99}", "too large"),
    ] {
        let pattern = Expression::quote(pattern);
        let expression = format!("Replace([a], , {pattern}, , \"\", , )");
        let Err(error) = Expression::parse(&expression) else {
            panic!("{name}: {pattern} is not refused");
        };
        let message = error.to_string();
        assert!(message.contains(says), "{name}: {message}");
    }
}
