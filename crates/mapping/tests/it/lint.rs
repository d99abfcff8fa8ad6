//! The linter: mappings by themselves, and what becomes of a population.
#![expect(clippy::too_many_lines, reason = "tables of cases")]

use portreeve_mapping::lint::{self, Survey, posix_problem};
use portreeve_mapping::{Context, MappingSet, Mappings};
use portreeve_scim::Catalog;

use crate::case::{NOW, object};

const GOOD: [&str; 2] = [
    "target = 'userName'; attribute = 'upn'; matchingPriority = 1",
    "target = 'active'; expression = 'Not([IsSoftDeleted])'",
];

fn set(head: &str, rows: &[&str]) -> MappingSet {
    let rows = rows.iter().map(|row| {
        format!(
            "[[objectMappings.attributeMappings]]\n{}\n",
            row.replace("; ", "\n")
        )
    });
    let text = format!(
        "[[objectMappings]]\nsource = 'x'\n{head}\n{}",
        rows.collect::<String>()
    );
    toml::from_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn rules(set: &MappingSet) -> Vec<String> {
    let findings = lint::check(set, &Catalog::standard());
    findings
        .iter()
        .map(|it| format!("{} {}", it.severity.name(), it.rule))
        .collect()
}

#[test]
fn good_mappings_have_no_findings() {
    assert_eq!(rules(&set("target = 'User'", &GOOD)), Vec::<String>::new());
}

#[test]
fn mistakes_are_found() {
    let user = "target = 'User'";
    let extra = |row| vec![GOOD[0], GOOD[1], row];
    for (name, head, rows, expected) in [
        (
            "active not mapped",
            user,
            vec![GOOD[0]],
            "error active-not-mapped",
        ),
        (
            "active is a constant",
            user,
            vec![GOOD[0], "target = 'active'; constant = 'True'"],
            "error active-not-mapped",
        ),
        (
            "no updates",
            "target = 'User'\nflowTypes = ['Add']",
            GOOD.to_vec(),
            "error active-not-mapped",
        ),
        (
            "no matching",
            user,
            vec!["target = 'userName'; attribute = 'upn'", GOOD[1]],
            "error no-matching",
        ),
        (
            "no user name",
            user,
            vec![
                GOOD[1],
                "target = 'externalId'; attribute = 'id'; matchingPriority = 1",
            ],
            "error required-not-mapped",
        ),
        (
            "matching is not unique",
            user,
            extra("target = 'title'; attribute = 't'; matchingPriority = 2"),
            "warning matching-not-unique",
        ),
        (
            "no such object",
            "target = 'Printer'",
            vec![GOOD[0]],
            "error unknown-object",
        ),
        (
            "wrong expression",
            user,
            extra("target = 'title'; expression = 'Trim([t])'"),
            "error invalid",
        ),
        (
            "unreachable arm",
            user,
            extra("target = 'title'; expression = 'Switch([t], , \"a\", \"1\", \"a\", \"2\")'"),
            "warning doubtful-expression",
        ),
        (
            "arm that a truth never takes",
            user,
            extra("target = 'title'; expression = 'Switch(IsPresent([t]), , \"true\", \"1\")'"),
            "warning doubtful-expression",
        ),
        (
            "comparison with nothing",
            user,
            extra("target = 'title'; expression = 'IIF([t]=\"\", \"1\", \"2\")'"),
            "warning doubtful-expression",
        ),
        (
            "new random value each time",
            user,
            extra("target = 'title'; expression = 'Guid()'"),
            "warning random-always",
        ),
        (
            "default of another type",
            user,
            vec![
                GOOD[0],
                "target = 'active'; attribute = 'a'; defaultValue = 'yes'",
            ],
            "error default-type",
        ),
        (
            "nothing to write",
            user,
            extra("target = 'title'"),
            "warning no-source",
        ),
    ] {
        assert_eq!(rules(&set(head, &rows)), [expected], "{name}");
    }
}

#[test]
fn the_worst_comes_first() {
    let rows =
        ["target = 'userName'; expression = 'IIF([a]=\"\", [b], [c])'; matchingPriority = 1"];
    assert_eq!(
        rules(&set("target = 'User'", &rows)),
        ["error active-not-mapped", "warning doubtful-expression"]
    );
}

/// Everything a survey says about people with these principal names; nothing stands for none.
fn survey(expression: &str, people: &[&str]) -> Vec<String> {
    let row = format!("target = 'userName'; expression = '{expression}'; matchingPriority = 1");
    let set = set(
        "target = 'User'",
        &[&row, "target = 'title'; attribute = 'job'"],
    );
    let catalog = Catalog::standard();
    let mappings = Mappings::compile(&set.object_mappings[0], catalog.user()).unwrap();
    let mut survey = Survey::new("User", &mappings, Some("userName"));
    let context = Context::at(NOW.parse().unwrap());
    for upn in people {
        let attributes = match upn.is_empty() {
            true => r#""job": "x""#.to_owned(),
            false => format!(r#""job": "x", "upn": "{upn}""#),
        };
        survey.observe(upn, &object(&attributes), &context);
    }
    survey.findings().iter().map(ToString::to_string).collect()
}

const LOCAL: &str = r#"ToLower(Replace([upn], , "@.*", , "", , ))"#;

#[test]
fn a_population_without_problems_has_no_findings() {
    assert_eq!(
        survey(LOCAL, &["Ada@c.com", "Bob@c.com"]),
        Vec::<String>::new()
    );
}

#[test]
fn names_of_accounts_are_checked() {
    let findings = survey(
        LOCAL,
        &[
            "ada@c.com",
            "Root@c.com",
            "9live@c.com",
            "a.b@c.com",
            "x#EXT#@c.com",
        ],
    );
    for says in [
        r#"error: User userName: 1 of 5 names are no names of accounts: '#' cannot be in it; for example "x#ext#" [posix-name]"#,
        r#"'.' cannot be in it; for example "a.b""#,
        r#"does not start with a small letter or _; for example "9live""#,
        r#"it is reserved: systems have an account or a group of that name; for example "root""#,
    ] {
        assert!(
            findings.iter().any(|it| it.contains(says)),
            "{says} is not in {findings:#?}"
        );
    }
    assert_eq!(findings.len(), 4);
}

#[test]
fn two_people_with_one_name_are_found() {
    let findings = survey(LOCAL, &["ada@a.com", "ADA@b.com", "bob@a.com"]);
    assert_eq!(
        findings,
        [r#"error: User userName: 1 names of accounts come more than once: "ada" (2) [collision]"#]
    );
}

#[test]
fn people_without_a_value_for_matching_are_counted() {
    let findings = survey(LOCAL, &["ada@a.com", ""]);
    assert!(
        findings[0].contains("1 of 2 have no value for any matching attribute"),
        "{findings:?}"
    );
    assert!(
        findings[2].contains("has no value for 1 of 2"),
        "{findings:?}"
    );
}

/// Somebody exports a table with the columns that they have.
#[test]
fn an_attribute_that_nobody_has_is_named_with_the_mapping_that_would_do() {
    const UPN: &str = "target = 'userName'; attribute = 'userPrincipalName'; matchingPriority = 1";
    let of = |attributes: &str| {
        let set = set(
            "target = 'User'",
            &[UPN, "target = 'title'; attribute = 'jobTitle'"],
        );
        let catalog = Catalog::standard();
        let mappings = Mappings::compile(&set.object_mappings[0], catalog.user()).unwrap();
        let mut survey = Survey::new("User", &mappings, None);
        let context = Context::at(NOW.parse().unwrap());
        survey.observe("Ada", &object(attributes), &context);
        let findings = survey.findings();
        findings.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    for (name, attributes, says) in [
        (
            "another name",
            r#""id": "1", "email": "ada@x""#,
            r#"the source has email, id. Give it a column (or attribute) userPrincipalName, or map what it is called there: { target = "userName", attribute = "email", matchingPriority = 1 }"#,
        ),
        (
            "a slip of the pen",
            r#""userprincipalname": "ada@x""#,
            r#"attribute = "userprincipalname""#,
        ),
        ("no idea", r#""id": "1""#, "or map another attribute"),
    ] {
        let findings = of(attributes);
        let told = findings
            .iter()
            .find(|it| it.starts_with("error: User userName: nobody"));
        assert!(
            told.is_some_and(|it| it.contains(says)),
            "{name}: {findings:#?}"
        );
        let note = "note: User: nobody in the source has what these are mapped from, and they are left out: title from [jobTitle]";
        assert!(
            findings.iter().any(|it| it.starts_with(note)),
            "{name}: {findings:#?}"
        );
    }
    assert_eq!(
        of(r#""userPrincipalName": "ada@x", "jobTitle": "x""#),
        [""; 0]
    );
}

/// The published expression for an initial and the last name leaves short first names as they are.
#[test]
fn values_that_an_expression_leaves_unchanged_are_found() {
    let initial = r#"ToLower(Replace(Replace([upn], , "(?<=^.{1}).\\w+.\\.", "", "", , ), , "(@(.)*)","","" , ,))"#;
    let findings = survey(initial, &["Bill.Gates@c.com", "amy.lee@c.com"]);
    let says = r#"the Replace at position 17 finds nothing to replace in 1 of 2 values and leaves them as they are; for example the results "amy.lee""#;
    assert!(findings.iter().any(|it| it.contains(says)), "{findings:#?}");
}

#[test]
fn failures_are_counted_by_their_reason() {
    let findings = survey("CStr(CDate([upn]))", &["x", "y", "2026-01-01"]);
    let says = r#"fails for 1 of 3: CDate: "x" is not a date"#;
    assert!(findings.iter().any(|it| it.contains(says)), "{findings:#?}");
}

#[test]
fn who_is_out_of_scope_does_not_count() {
    let head = "target = 'User'\nscope.groups = [{ clauses = [{ attribute = 'in', operator = 'IS TRUE' }] }]";
    let set = set(head, &GOOD);
    let catalog = Catalog::standard();
    let mappings = Mappings::compile(&set.object_mappings[0], catalog.user()).unwrap();
    let mut survey = Survey::new("User", &mappings, None);
    let context = Context::at(NOW.parse().unwrap());
    survey.observe("a", &object(r#""in": true, "upn": "a""#), &context);
    survey.observe("b", &object(r#""in": false"#), &context);
    assert_eq!(survey.counts(), (1, 1));
    assert_eq!(survey.findings(), []);
}

#[test]
fn names_of_accounts() {
    for (name, good) in [
        ("ada", true),
        ("_svc-1", true),
        (&"a".repeat(32) as &str, true),
        (&"a".repeat(33), false),
        ("", false),
        ("Ada", false),
        ("-a", false),
        ("1a", false),
        ("a.b", false),
        ("zoë", false),
        ("root", false),
        ("docker", false),
    ] {
        assert_eq!(posix_problem(name).is_none(), good, "{name}");
    }
}
