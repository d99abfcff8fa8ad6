//! The order of operations.
#![expect(clippy::too_many_lines, reason = "tables of cases")]

use std::collections::{BTreeSet, HashMap};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// A plan in few words: `0` runs, `0-b` runs without what mentions b, `+0` completes, `!0` refuses.
fn planned(operations: Value) -> String {
    let steps = plan(&read(operations).entries);
    let words = steps.iter().map(|step| match step {
        Step::Run { index, omit } => std::iter::once(index.to_string())
            .chain(omit.iter().cloned())
            .collect::<Vec<_>>()
            .join("-"),
        Step::Complete { index, .. } => format!("+{index}"),
        Step::Refuse { index, .. } => format!("!{index}"),
    });
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn plans_follow_the_references() {
    let user = |id: &str| post(id, json!({ "userName": id }));
    let managed = |id: &str, by: &str| {
        post(
            id,
            json!({ "userName": id, ENTERPRISE: { "manager": { "value": format!("bulkId:{by}") } } }),
        )
    };
    let delete = |id: &str| json!({ "method": "DELETE", "path": format!("/Users/{id}") });
    let cases = [
        (
            "in order",
            json!([user("a"), user("b"), delete("1")]),
            "0 1 2",
        ),
        ("backward", json!([user("a"), group("g", &["a"])]), "0 1"),
        (
            "forward",
            json!([group("g", &["b", "a"]), user("a"), user("b")]),
            "1 2 0",
        ),
        ("in a path", json!([delete("bulkId:a"), user("a")]), "1 0"),
        (
            "a chain",
            json!([
                managed("a", "b"),
                managed("b", "c"),
                managed("c", "d"),
                user("d")
            ]),
            "3 2 1 0",
        ),
        (
            "two groups in a circle",
            json!([group("a", &["b"]), group("b", &["a"])]),
            "1-a 0 +1",
        ),
        ("oneself", json!([managed("a", "a")]), "0-a +0"),
        (
            "three in a circle",
            json!([managed("a", "b"), managed("b", "c"), managed("c", "a")]),
            "2-a 1 0 +2",
        ),
        (
            "two circles in one",
            json!([
                group("a", &["b", "c"]),
                group("b", &["a"]),
                group("c", &["a", "b"])
            ]),
            "1-a 2-a 0 +1 +2",
        ),
        (
            "to two that come later",
            json!([
                group("a", &["b"]),
                group("b", &["c"]),
                group("c", &["a", "b"])
            ]),
            "2-a-b 1 0 +2",
        ),
        ("nobody", json!([group("g", &["x"]), user("a")]), "!0 1"),
        (
            "what is no POST",
            json!([group("g", &["d"]), { "method": "DELETE", "path": "/Users/1", "bulkId": "d" }]),
            "!0 1",
        ),
        (
            "to a refused one",
            json!([group("g", &["h"]), group("h", &["x"])]),
            "!1 0",
        ),
        (
            "ill-formed",
            json!([{ "method": "POST", "path": "/Cars", "bulkId": "c", "data": {} }, group("g", &["c"])]),
            "!0 !1",
        ),
    ];
    for (name, operations, expected) in cases {
        assert_eq!(planned(operations), expected, "{name}");
    }
}

#[test]
fn a_lost_reference_says_why() {
    let request = read(json!([
        group("g", &["x"]),
        { "method": "POST", "path": "/Cars", "bulkId": "c", "data": {} },
        group("h", &["c"]),
    ]));
    let refusals: Vec<_> = plan(&request.entries)
        .into_iter()
        .filter_map(|step| match step {
            Step::Refuse { refusal, .. } => Some((refusal.status, refusal.detail)),
            _ => None,
        })
        .collect();
    assert_eq!(
        refusals[0],
        (
            400,
            "The operation refers to bulkId:x, but no POST of this request has that bulkId".into()
        )
    );
    assert_eq!(refusals[1].0, 404);
    assert_eq!(refusals[2].0, 409);
    assert!(
        refusals[2].1.contains("bulkId:c, which was not created"),
        "{}",
        refusals[2].1
    );
}

/// Groups and deletions that refer to one another at random, to nobody, and to what cannot be made.
fn any_operations() -> impl Strategy<Value = Value> {
    let references = prop::collection::vec(0..14_usize, 0..4);
    prop::collection::vec((0..8, references), 0..12).prop_map(|operations| {
        let operations = operations.into_iter().enumerate().map(|(index, (kind, references))| {
            let names: Vec<_> = references.iter().map(ToString::to_string).collect();
            let names: Vec<_> = names.iter().map(String::as_str).collect();
            match kind {
                0 => json!({ "method": "GET", "path": "/Users", "bulkId": index.to_string() }),
                1 => json!({ "method": "DELETE", "path": format!("/Users/bulkId:{}", names.first().unwrap_or(&"0")) }),
                _ => group(&index.to_string(), &names),
            }
        });
        operations.collect()
    })
}

/// Runs a plan on nothing, with the operations of `failing` failing, and checks every law of plans on the way.
fn simulate(request: &Request, failing: &BTreeSet<usize>) -> Result<(), TestCaseError> {
    let mut ids = HashMap::new();
    let mut groups: HashMap<usize, Vec<String>> = HashMap::new();
    let mut reported = BTreeSet::new();
    for step in plan(&request.entries) {
        match step {
            Step::Refuse { index, .. } => prop_assert!(reported.insert(index), "{index} twice"),
            Step::Run { index, omit } => {
                prop_assert!(reported.insert(index), "{index} twice");
                let operation = request.entries[index].operation.as_ref().unwrap();
                let Ok((_, data)) = operation.resolved(&omit, &ids) else {
                    let failed = |id: &String| !ids.contains_key(id) && !omit.contains(id);
                    prop_assert!(operation.references().iter().any(failed));
                    continue;
                };
                prop_assert!(references(&data).is_empty(), "stored literally: {data}");
                if operation.method == Method::Post && !failing.contains(&index) {
                    ids.insert(index.to_string(), format!("id-{index}"));
                    groups.insert(index, members(&data["members"]));
                }
            }
            Step::Complete { index, mut patch } => {
                if groups.contains_key(&index) && substitute(&mut patch, &ids).is_ok() {
                    let added = members(&patch["Operations"][0]["value"]);
                    groups.get_mut(&index).unwrap().extend(added);
                } else {
                    groups.remove(&index);
                }
            }
        }
    }
    prop_assert_eq!(
        reported.len(),
        request.entries.len(),
        "an operation was lost"
    );
    for (index, mut had) in groups {
        let operation = request.entries[index].operation.as_ref().unwrap();
        let mut wanted = members(&operation.data["members"])
            .iter()
            .map(|m| m.replace("bulkId:", "id-"))
            .collect::<Vec<_>>();
        had.sort();
        wanted.sort();
        prop_assert_eq!(had, wanted, "group {} lacks members", index);
    }
    Ok(())
}

fn members(list: &Value) -> Vec<String> {
    let list = list.as_array().map_or(&[][..], Vec::as_slice);
    list.iter()
        .map(|m| m["value"].as_str().unwrap().to_owned())
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_plan_loses_nothing(operations in any_operations()) {
        simulate(&read(operations), &BTreeSet::new())?;
    }

    #[test]
    fn failures_spread_along_references_only(operations in any_operations(), failing in prop::collection::btree_set(0..12_usize, 0..4)) {
        simulate(&read(operations), &failing)?;
    }
}

#[test]
fn a_long_chain_is_planned_without_recursion() {
    let chain = (0..20_000)
        .map(|n| group(&n.to_string(), &[&(n + 1).to_string()]))
        .chain([group("20000", &[])]);
    let body = json!({ "schemas": [REQUEST], "Operations": chain.collect::<Vec<_>>() });
    let request = Request::parse(body, &Catalog::standard(), usize::MAX).unwrap();
    let order: Vec<_> = plan(&request.entries)
        .into_iter()
        .map(|step| match step {
            Step::Run { index, .. } => index,
            other => panic!("{other:?}"),
        })
        .collect();
    assert!(order.into_iter().eq((0..=20_000).rev()));
}
