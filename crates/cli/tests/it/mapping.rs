//! `portreeve mapping`: expressions and mappings tried out, without a server.

use crate::program::{Done, file, portreeve};
use std::io::Write;
use std::process::Stdio;
use tempfile::TempDir;

/// The command with a file of this content as its last word.
fn with_file(words: &[&str], name: &str, content: &str) -> Done {
    let folder = TempDir::new().unwrap();
    let path = file(folder.path(), name, content);
    Done::of(portreeve(words).arg(path))
}

#[test]
fn verify_counts_and_shows_what_is_not_as_expected() {
    let content = r#"[
        {"expr": "ToLower([a])", "attributes": {"a": "X"}, "expect": "x", "source": "derived"},
        {"expr": "ToLower([a])", "attributes": {"a": "X"}, "expect": "X"},
        {"expr": "Trim([a])", "attributes": {"a": "X"}, "expect": "X"},
        {"expr": "Trim([a])", "expect": "error"},
        {"expr": "SelectUniqueValue(\"a\", \"b\")", "expect": "b", "context": {"taken": ["a"]}},
        {"expr": "Split([a], \",\")", "attributes": {"a": "x,y"}, "expect": ["x", "y"]}
    ]"#;
    let done = with_file(&["mapping", "verify"], "v.json", content);
    assert_eq!(done.code, 1, "{done:?}");
    assert_eq!(
        done.out,
        "failed: ToLower([a])\n  expected \"X\", found \"x\"\n\
         failed: Trim([a])\n  expected \"X\", found an error\n  there is no function Trim, at position 1\n\
         4 passed, 2 failed\n"
    );
    assert_eq!(done.err, "");
}

#[test]
fn verify_is_content_when_all_is_as_expected() {
    let content = r#"[{"expr": "[a]", "expect": null}]"#;
    let done = with_file(&["mapping", "verify"], "v.json", content);
    assert_eq!((done.code, done.out.as_str()), (0, "1 passed, 0 failed\n"));
    let json = with_file(&["mapping", "verify", "-o", "json"], "v.json", content).json();
    assert_eq!(
        json,
        serde_json::json!({"passed": 1, "failed": 0, "failures": []})
    );
}

#[test]
fn files_that_are_none_are_a_mistake_of_the_command() {
    for (name, verb, content, says) in [
        ("not JSON", "verify", "x", "no list of expectations"),
        ("no expectation", "verify", r#"[{"expr": "[a]"}]"#, "expect"),
        ("not TOML", "check", "objectMappings = 1", "line 1: "),
        (
            "other JSON",
            "check",
            r#"{"value": []}"#,
            "there is no setting value here; there are objectMappings",
        ),
        (
            "empty schema",
            "check",
            r#"{"synchronizationRules": []}"#,
            "no object mappings",
        ),
    ] {
        let done = with_file(&["mapping", verb], "f", content);
        assert_eq!(done.code, 2, "{name}: {done:?}");
        assert!(done.err.contains(says), "{name}: {done:?}");
    }
    let done = Done::of(&mut portreeve(&["mapping", "verify", "/nowhere/v.json"]));
    assert_eq!(done.code, 2, "{done:?}");
    assert!(
        done.err.contains("/nowhere/v.json cannot be read"),
        "{done:?}"
    );
}

const MAPPINGS: &str = r#"
[[objectMappings]]
source = "User"
target = "User"

[[objectMappings.attributeMappings]]
target = "userName"
attribute = "upn"
matchingPriority = 1

[[objectMappings.attributeMappings]]
target = "title"
expression = 'Switch([job], , "a", "1", "a", "2")'
"#;

#[test]
fn check_tells_mistakes_by_their_weight() {
    let done = with_file(&["mapping", "check"], "m.toml", MAPPINGS);
    assert_eq!(done.code, 1, "{done:?}");
    let lines: Vec<&str> = done.out.lines().collect();
    assert!(
        lines[0].starts_with("error: User active: active is not mapped"),
        "{done:?}"
    );
    assert!(
        lines[1].starts_with("warning: User title: the Switch arm \"a\" is never reached"),
        "{done:?}"
    );
    assert_eq!(lines[2..], ["1 errors, 1 warnings, 0 notes"]);

    let csv = with_file(&["mapping", "check", "-o", "csv"], "m.toml", MAPPINGS);
    assert!(
        csv.out.starts_with(
            "severity,object,target,rule,message\nerror,User,active,active-not-mapped,"
        ),
        "{csv:?}"
    );
}

#[test]
fn check_reads_what_entra_exports() {
    let schema = include_str!("../../../mapping/tests/vectors/synchronization-schema.json");
    let done = with_file(&["mapping", "check"], "schema.json", schema);
    assert_eq!(
        (done.code, done.out.as_str()),
        (0, "0 errors, 0 warnings, 0 notes\n"),
        "{done:?}"
    );
}

#[test]
fn one_object_gives_its_result() {
    for (name, expression, attributes, code, out) in [
        ("text", "ToUpper([a])", r#"{"a": "x"}"#, 0, "X\n"),
        ("list", "[a]", r#"{"a": ["x", "y"]}"#, 0, "x\ny\n"),
        ("null", "[a]", r#"{"a": null}"#, 0, "(null)\n"),
        (
            "left out",
            "IgnoreFlowIfNullOrEmpty([a])",
            r#"{"a": ""}"#,
            0,
            "(left out)\n",
        ),
        (
            "error",
            "CDate([a])",
            r#"{"a": "x"}"#,
            1,
            "error: CDate: \"x\" is not a date; give its format with FormatDateTime if it is one\n",
        ),
        ("time", "Now()", "{}", 0, "7/2/2021 3:33:38 PM\n"),
        ("domain", "DefaultDomain()", "{}", 0, "contoso.com\n"),
        ("chance", "Len(Guid())", "{}", 0, "36\n"),
        (
            "steers no terminal",
            "[a]",
            r#"{"a": "x\u001b[2J"}"#,
            0,
            "x\u{fffd}[2J\n",
        ),
    ] {
        let words = [
            "mapping",
            "test",
            expression,
            "--now",
            "2021-07-02T15:33:38Z",
            "--default-domain",
            "contoso.com",
            "--attributes",
        ];
        let done = with_file(&words, "a.json", attributes);
        assert_eq!(
            (done.code, done.out.as_str()),
            (code, out),
            "{name}: {done:?}"
        );
    }
}

#[test]
fn many_objects_give_a_distribution() {
    let people = r#"{"userPrincipalName": "Bill.Gates@c.com"}
{"userPrincipalName": "amy.lee@c.com"}
{"userPrincipalName": "BILL.GATES@d.com"}
{"displayName": "Nobody"}
"#;
    let expression = r#"ToLower(Replace(Replace([userPrincipalName], , "(?<=^.{1}).\w+.\.", "", "", , ), , "@.*", , "", , ))"#;
    let words = ["mapping", "test", expression, "--attributes"];
    let done = with_file(&words, "people.jsonl", people);
    assert_eq!(done.code, 0, "{done:?}");
    let lines: Vec<&str> = done.out.lines().collect();
    let cells: Vec<Vec<&str>> = lines
        .iter()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(cells[0], ["COUNT", "OUTCOME", "RESULT", "FOR", "EXAMPLE"]);
    assert_eq!(
        cells[1],
        [
            "2",
            "value",
            "bgates",
            "Bill.Gates@c.com,",
            "BILL.GATES@d.com"
        ]
    );
    assert_eq!(cells[2], ["1", "null", "Nobody"]);
    assert_eq!(cells[3], ["1", "value", "amy.lee", "amy.lee@c.com"]);
    assert_eq!(
        lines[4..],
        [
            "Replace at position 17 found nothing to replace for 1: amy.lee@c.com",
            "4 objects: 3 with a value (2 distinct), 1 null",
        ]
    );
    let mut limited = words.to_vec();
    limited.splice(3..3, ["--limit", "1"]);
    let limited = with_file(&limited, "people.jsonl", people);
    assert!(
        limited.out.contains("… and 2 more results\n"),
        "{limited:?}"
    );

    let mut json = words.to_vec();
    json.splice(3..3, ["-o", "json"]);
    let json = with_file(
        &json,
        "people.json",
        &format!("[{}]", people.trim().replace('\n', ",")),
    )
    .json();
    assert_eq!(json[0]["count"], 2);
    assert_eq!(
        json[0]["examples"],
        serde_json::json!(["Bill.Gates@c.com", "BILL.GATES@d.com"])
    );
}

#[test]
fn objects_come_from_standard_input_as_well() {
    let mut command = portreeve(&["mapping", "test", "[a]", "--attributes", "-"]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(b"{\"a\": \"x\"}")
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.stdout, b"x\n");
}

#[test]
fn a_wrong_expression_is_marked_where_it_is_wrong() {
    let words = [
        "mapping",
        "test",
        "Append([a],\n  Zoë([a]))",
        "--attributes",
    ];
    let done = with_file(&words, "a.json", "{}");
    assert_eq!(done.code, 2, "{done:?}");
    assert!(
        done.err
            .contains("there is no function Zoë, at position 15"),
        "{done:?}"
    );
    assert!(done.err.contains("\n    Zoë([a]))\n    ^"), "{done:?}");
}

#[test]
fn attributes_that_nobody_has_are_told() {
    let words = ["mapping", "test", "[Mail]", "--attributes"];
    let done = with_file(&words, "a.json", r#"{"mail": "x"}"#);
    assert_eq!(
        done.err,
        "note: no object has [Mail]; did you mean [mail]?\n"
    );
    for (name, attributes) in [("text", "\"x\""), ("nothing", ""), ("no JSON", "{")] {
        let done = with_file(&words, "a.json", attributes);
        assert_eq!(done.code, 2, "{name}: {done:?}");
    }
}

/// A folder with people and groups in tables, their source, an application that reads it, and mappings.
fn company() -> TempDir {
    let folder = TempDir::new().unwrap();
    let people = "objectId,userPrincipalName,accountEnabled\n1,Bill.Gates@c.com,true\n2,bill@c.com,true\n3,BILL@d.com,no\n4,,true\n5,root@c.com,perhaps\n";
    let source = "users = \"people.csv\"\ngroups = \"groups.csv\"\nkey = \"objectId\"\n";
    for (name, content) in [
        ("people.csv", people.to_owned()),
        ("groups.csv", "objectId,displayName\ng,Gang\n".to_owned()),
        ("source.toml", format!("type = \"csv\"\n{source}")),
        ("app.toml", format!("name = \"App\"\nscope = \"all\"\n[source]\ntype = \"csv\"\n{source}")),
        (
            "mappings.toml",
            r#"
            [[objectMappings]]
            source = "User"
            target = "User"
            [[objectMappings.attributeMappings]]
            target = "userName"
            expression = 'ToLower(Replace([userPrincipalName], , "(?<Suffix>@(.)*)", "Suffix", "", , ))'
            matchingPriority = 1
            [[objectMappings.attributeMappings]]
            target = "active"
            expression = 'Not([IsSoftDeleted])'
            [[objectMappings]]
            source = "Group"
            target = "Group"
            [[objectMappings.attributeMappings]]
            target = "displayName"
            attribute = "displayName"
            matchingPriority = 1
            [[objectMappings.attributeMappings]]
            target = "members"
            attribute = "members"
            "#
            .to_owned(),
        ),
    ] {
        file(folder.path(), name, &content);
    }
    folder
}

fn in_company(folder: &TempDir, words: &[&str]) -> Done {
    Done::of(portreeve(words).current_dir(folder.path()))
}

const ACCOUNT: &str =
    r#"ToLower(Replace([userPrincipalName], , "(?<Suffix>@(.)*)", "Suffix", "", , ))"#;

#[test]
fn an_expression_is_evaluated_for_everybody_in_a_source() {
    let folder = company();
    for source in ["source.toml", "app.toml"] {
        let words = ["mapping", "test", ACCOUNT, "--source", source, "--all"];
        let done = in_company(&folder, &words);
        assert_eq!(done.code, 0, "{done:?}");
        let lines: Vec<&str> = done.out.lines().collect();
        assert!(lines[1].contains("bill@c.com, BILL@d.com"), "{done:?}");
        assert_eq!(
            *lines.last().unwrap(),
            "4 objects: 3 with a value (2 distinct), 1 null"
        );
        assert!(
            done.err
                .contains("people.csv line 6: accountEnabled is \"perhaps\""),
            "{done:?}"
        );
    }
    let words = [
        "mapping",
        "test",
        "[IsSoftDeleted]",
        "--source",
        "app.toml",
        "--key",
    ];
    for (key, expected) in [("2", (0, "False\n")), ("3", (0, "True\n")), ("9", (6, ""))] {
        let done = in_company(&folder, &[&words[..], &[key]].concat());
        assert_eq!((done.code, done.out.as_str()), expected, "{key}: {done:?}");
    }
    let words = [
        "mapping",
        "test",
        "[displayName]",
        "--source",
        "app.toml",
        "--all",
        "--kind",
        "group",
    ];
    assert!(in_company(&folder, &words).out.contains("Gang"));
    assert!(
        !folder.path().join("app.state").exists(),
        "nothing is left behind"
    );
}

#[test]
fn names_of_accounts_that_cannot_be_come_first() {
    let folder = company();
    let words = [
        "mapping", "test", ACCOUNT, "--source", "app.toml", "--all", "--posix",
    ];
    let done = in_company(&folder, &words);
    assert_eq!(done.code, 1, "{done:?}");
    let lines: Vec<&str> = done.out.lines().collect();
    for (line, words) in [
        (1, ["2", "bill", "2 objects would have it"]),
        (2, ["1", "bill.gates", "'.' cannot be in it"]),
    ] {
        assert!(
            words.iter().all(|word| lines[line].contains(word)),
            "{done:?}"
        );
    }
    assert!(
        done.out.ends_with("1 null; no names of accounts: 2\n"),
        "{done:?}"
    );
    let done = in_company(&folder, &[&words[..], &["-o", "json"]].concat());
    let rows: serde_json::Value = serde_json::from_str(&done.out).unwrap();
    assert_eq!(rows[0]["problem"], "2 objects would have it");
    assert_eq!(rows[2]["problem"], serde_json::Value::Null);
}

#[test]
fn check_says_what_mappings_would_make_of_everybody() {
    let folder = company();
    let words = [
        "mapping",
        "check",
        "mappings.toml",
        "--source",
        "app.toml",
        "--posix",
    ];
    let done = in_company(&folder, &[&words[..], &["userName"]].concat());
    assert_eq!(done.code, 1, "{done:?}");
    for said in [
        "error: User: 1 of 4 have no value for any matching attribute and are skipped: \"4\" [unmatchable]",
        "error: User userName: 1 of 4 names are no names of accounts: '.' cannot be in it",
        "error: User userName: 1 names of accounts come more than once: \"bill\" (2) [collision]",
        "note: User userName: has no value for 1 of 4: \"4\" [null]",
    ] {
        assert!(done.out.contains(said), "{said}\nin {}", done.out);
    }
    assert!(
        !done.out.contains("Group members: has no value"),
        "{done:?}"
    );
    assert!(
        done.err.contains("note: User: 4 in scope, 0 not"),
        "{done:?}"
    );
    let done = in_company(&folder, &[&words[..], &["nickName"]].concat());
    assert_eq!(done.code, 2, "{done:?}");
}

#[test]
fn a_source_that_is_none_is_a_mistake_of_the_command() {
    let folder = company();
    for (name, content, more, says) in [
        ("neither all nor one", "", vec![], "--all"),
        ("both", "", vec!["--all", "--key", "1"], "--key"),
        (
            "no source",
            "name = \"App\"",
            vec!["--all"],
            "definition of an application",
        ),
        (
            "a Portreeve directory without a server",
            "type = \"directory\"\ndirectory = \"People\"",
            vec!["--all", "--data", "nowhere"],
            "no server is running",
        ),
        (
            "no file",
            "type = \"csv\"\nusers = \"nobody.csv\"",
            vec!["--all"],
            "nobody.csv",
        ),
    ] {
        file(folder.path(), "s.toml", content);
        let words = [&["mapping", "test", "[a]", "--source", "s.toml"], &more[..]].concat();
        let done = in_company(&folder, &words);
        assert_ne!(done.code, 0, "{name}: {done:?}");
        assert!(done.err.contains(says), "{name}: {done:?}");
    }
}
