//! What is printed, in every form; changing it changes a contract.

use crate::program::{Done, Server, portreeve};
use serde_json::{Value, json};

const FORMS: [&str; 5] = ["table", "json", "yaml", "csv", "name"];

const SHOWN: &[&str] = &[
    "directory get Contoso",
    "directory list",
    "token list",
    "user list",
    "user get ada@contoso.example",
    "group list",
    "group get Fleet",
    "group members Fleet",
    "version",
];

#[test]
fn objects_and_lists_in_every_form() {
    let server = Server::start();
    let mut seen = Seen::default();
    let directory = server.json(&[
        "directory",
        "create",
        "Contoso",
        "--provider",
        "entra",
        "--users",
        "suspend",
    ]);
    for (name, member) in [
        ("<directory>", "id"),
        ("<token>", "token_id"),
        ("<secret>", "secret_token"),
    ] {
        seen.is(&directory[member], name);
    }
    seen.is(&json!(server.address), "<address>");
    seen.is(&json!(env!("CARGO_PKG_VERSION")), "<version>");
    let ada = server
        .scim(
            &directory,
            "POST",
            "/Users",
            &user("ada@contoso.example", "Ada Lovelace"),
        )
        .1;
    let crew = server
        .scim(&directory, "POST", "/Groups", &group("Crew", &ada["id"]))
        .1;
    let fleet = server
        .scim(&directory, "POST", "/Groups", &group("Fleet", &crew["id"]))
        .1;
    for (id, name) in [
        (&ada["id"], "<ada>"),
        (&crew["id"], "<crew>"),
        (&fleet["id"], "<fleet>"),
    ] {
        seen.is(id, name);
    }
    for command in SHOWN {
        let mut text = String::new();
        for form in FORMS {
            let line = format!("{command} -o {form}");
            let done = server.run_line(&line);
            assert_eq!((done.code, &*done.err), (0, ""), "{line}");
            text += &format!("$ portreeve {line}\n{}\n", seen.stable(&done.out));
        }
        let words: Vec<_> = command.split(' ').take(2).collect();
        insta::assert_snapshot!(words.join("_"), text);
    }
}

#[test]
fn the_object_that_a_new_directory_is_printed_as() {
    let server = Server::start();
    let made = server.json(&["directory", "create", "Contoso"]);
    let url = format!(
        "http://{}/scim/{}/v2",
        server.address,
        made["id"].as_str().unwrap()
    );
    assert_eq!(
        (&made["name"], &made["tenant_url"]),
        (&json!("Contoso"), &json!(url))
    );
    assert!(
        made["secret_token"]
            .as_str()
            .unwrap()
            .starts_with("prv_scim_")
    );
    let own = server.json(&["directory", "create", "Own", "--provider", "native"]);
    assert_eq!(
        (&own["tenant_url"], &own["secret_token"]),
        (&Value::Null, &Value::Null),
        "nobody feeds it"
    );
}

#[test]
fn names_from_outside_cannot_steer_the_terminal_or_break_lines() {
    let server = Server::start();
    let directory = server.json(&["directory", "create", "Contoso"]);
    let made = server.scim(
        &directory,
        "POST",
        "/Users",
        &user("ada", "Ada\u{1b}[2J\nLovelace"),
    );
    assert_eq!(made.0, 201, "{}", made.1);
    let shown = server.run(&["user", "list"]).out;
    assert!(shown.contains("Ada\u{fffd}[2J\u{fffd}Lovelace"), "{shown}");
    assert_eq!(shown.lines().count(), 2, "{shown}");
    let exact = server.json(&["user", "list"]);
    assert_eq!(
        exact[0]["display_name"], "Ada\u{1b}[2J\nLovelace",
        "programs get what is there"
    );
}

#[test]
fn completions_are_printed_for_each_shell() {
    for (shell, words) in [
        ("bash", "_portreeve"),
        ("zsh", "#compdef portreeve"),
        ("fish", "--command portreeve"),
        ("powershell", "Register-ArgumentCompleter"),
    ] {
        let done = Done::of(&mut portreeve(&["completion", shell]));
        assert!(
            done.code == 0 && done.out.contains(words),
            "{shell}: {done:?}"
        );
    }
}

fn user(name: &str, display: &str) -> Value {
    json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name, "displayName": display, "active": true})
}

fn group(name: &str, member: &Value) -> Value {
    json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": name, "members": [{"value": member}]})
}

/// What differs from run to run, and what stands for it in a snapshot.
#[derive(Default)]
struct Seen(Vec<(String, &'static str)>);

impl Seen {
    fn is(&mut self, value: &Value, name: &'static str) {
        self.0.push((value.as_str().unwrap().to_owned(), name));
    }

    fn stable(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (value, name) in &self.0 {
            text = text.replace(value, name);
        }
        let ago = ["just now"].into_iter().map(str::to_owned);
        let ago = ago.chain(
            (1..120)
                .rev()
                .map(|n| format!("{n} second{} ago", if n == 1 { "" } else { "s" })),
        );
        for words in ago {
            text = text.replace(&words, "<ago>");
        }
        without_times(&text)
            .lines()
            .map(|line| {
                line.split_whitespace()
                    .fold((String::new(), line), |(done, rest), word| {
                        // Columns are as wide as what was replaced; two blanks stand for any number of them.
                        let at = rest.find(word).unwrap_or(0);
                        let gap = if done.is_empty() || at < 2 {
                            &rest[..at]
                        } else {
                            "  "
                        };
                        (done + gap + word, &rest[at + word.len()..])
                    })
                    .0
                    + "\n"
            })
            .collect()
    }
}

/// Replaces every RFC 3339 time.
fn without_times(text: &str) -> String {
    const FORM: &str = "0000-00-00T00:00:00.000000Z";
    let is_time = |at: &str| {
        at.len() == FORM.len()
            && at
                .chars()
                .zip(FORM.chars())
                .all(|(c, f)| if f == '0' { c.is_ascii_digit() } else { c == f })
    };
    let mut out = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        match rest.get(..FORM.len()) {
            Some(time) if is_time(time) => {
                out.push_str("<time>");
                rest = &rest[FORM.len()..];
            }
            _ => {
                out.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    out
}
