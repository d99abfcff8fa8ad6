//! Conversations with the server as data: `cases/*.json`.
//!
//! A case has a name and steps; each case has a directory of its own. A step sends `do` with `body` (JSON), `ops` (a
//! PatchOp) or `raw` (text) and the headers of `send`, and says what must come back: `status`; `expect`, which the
//! answer must contain; `absent` members; a word of `detail`; `header`s. `save` keeps members of the answer for later
//! steps, which use them as `{name}`. A case that is `unchanged` must leave the directory empty.

use crate::talk::{Answer, Directory, Server};
use serde_json::{Value, json};
use std::collections::BTreeMap;

#[test]
fn entra_default_dialect() {
    run(include_str!("cases/entra_default.json"), "entra");
}

#[test]
fn entra_with_the_compliance_flag() {
    run(include_str!("cases/entra_flag.json"), "entra");
}

#[test]
fn rules_of_the_rfc_and_other_clients() {
    run(include_str!("cases/rfc.json"), "generic");
}

#[test]
fn bad_input() {
    run(include_str!("cases/bad_input.json"), "generic");
}

fn run(text: &str, provider: &str) {
    let server = Server::start();
    let cases: Vec<Value> = serde_json::from_str(text).unwrap();
    for case in &cases {
        let provider = case["provider"].as_str().unwrap_or(provider);
        let directory = server.directory(provider, case["profile"].as_str());
        let other = server.directory(provider, None);
        let mut saved = BTreeMap::from([
            ("base".to_owned(), directory.base.clone()),
            ("token".to_owned(), directory.token.clone()),
            ("other_token".to_owned(), other.token.clone()),
            ("basic".to_owned(), directory.basic()),
        ]);
        let name = case["case"].as_str().unwrap();
        for (i, step) in case["steps"].as_array().unwrap().iter().enumerate() {
            let place = format!("{name}, step {}: {}", i + 1, step["do"]);
            check(&directory, step, &mut saved, &place);
        }
        if case["unchanged"] == true {
            let left = directory.send("GET", "/", &[], None);
            assert_eq!(left.json["totalResults"], 0, "{name}: something was stored");
        }
    }
}

fn check(
    directory: &Directory<'_>,
    step: &Value,
    saved: &mut BTreeMap<String, String>,
    place: &str,
) {
    let filled = |value: &Value, saved: &BTreeMap<String, String>| -> Value {
        let mut text = value.to_string();
        for (name, value) in saved {
            text = text.replace(&format!("{{{name}}}"), value);
        }
        serde_json::from_str(&text).unwrap()
    };
    let step_filled = filled(
        &json!({"do": step["do"], "body": step["body"], "ops": step["ops"], "send": step["send"]}),
        saved,
    );
    let (method, path) = step_filled["do"].as_str().unwrap().split_once(' ').unwrap();
    let body = match (&step_filled["body"], &step_filled["ops"], step["raw"].as_str()) {
        (Value::Null, Value::Null, raw) => raw.map(str::to_owned),
        (Value::Null, ops, _) => Some(json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": ops}).to_string()),
        (body, ..) => Some(body.to_string()),
    };
    let headers: Vec<(String, String)> = step_filled["send"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(n, v)| (n.clone(), v.as_str().unwrap().to_owned()))
        .collect();
    let headers: Vec<(&str, &str)> = headers
        .iter()
        .map(|(n, v)| (n.as_str(), v.as_str()))
        .collect();
    let answer = directory.send(method, path, &headers, body.as_deref());
    for (name, member) in step["save"].as_object().into_iter().flatten() {
        let value = answer.json[member.as_str().unwrap()]
            .as_str()
            .unwrap_or_else(|| panic!("{place}: nothing to save in {}", answer.json));
        saved.insert(name.clone(), value.to_owned());
    }
    compare(
        step,
        &filled(
            &json!({"expect": step["expect"], "header": step["header"]}),
            saved,
        ),
        &answer,
        place,
    );
}

fn compare(step: &Value, filled: &Value, answer: &Answer, place: &str) {
    assert_eq!(
        u64::from(answer.status),
        step["status"].as_u64().unwrap(),
        "{place}: {}",
        answer.json
    );
    contains(&answer.json, &filled["expect"], place);
    for absent in step["absent"].as_array().into_iter().flatten() {
        assert!(
            answer.json.get(absent.as_str().unwrap()).is_none(),
            "{place}: {absent} is there: {}",
            answer.json
        );
    }
    for absent in step["absent_in_first"].as_array().into_iter().flatten() {
        assert!(
            answer.json["Resources"][0]
                .get(absent.as_str().unwrap())
                .is_none(),
            "{place}: {absent} is there: {}",
            answer.json
        );
    }
    if let Some(word) = step["detail"].as_str() {
        assert!(
            answer.json["detail"]
                .as_str()
                .unwrap_or_default()
                .contains(word),
            "{place}: no {word:?} in {}",
            answer.json
        );
    }
    for (name, value) in filled["header"].as_object().into_iter().flatten() {
        assert_eq!(
            answer.header(name),
            value.as_str(),
            "{place}: header {name}"
        );
    }
    if answer.status >= 400 {
        assert_eq!(
            answer.json["status"],
            answer.status.to_string(),
            "{place}: an error has a SCIM body"
        );
        assert_eq!(
            answer.header("content-type"),
            Some("application/scim+json"),
            "{place}"
        );
    }
}

/// Whether everything in `want` is in `have`; lists must have the same length.
fn contains(have: &Value, want: &Value, place: &str) {
    match (have, want) {
        (_, Value::Null) => {}
        (Value::Object(have_map), Value::Object(want)) => {
            for (name, value) in want {
                let found = have_map
                    .get(name)
                    .unwrap_or_else(|| panic!("{place}: no {name} in {have}"));
                contains(found, value, &format!("{place} {name}"));
            }
        }
        (Value::Array(have_list), Value::Array(want)) => {
            assert_eq!(have_list.len(), want.len(), "{place}: {have}");
            for (have, want) in have_list.iter().zip(want) {
                contains(have, want, place);
            }
        }
        _ => assert_eq!(have, want, "{place}"),
    }
}
