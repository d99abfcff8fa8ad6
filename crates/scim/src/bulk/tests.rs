#![expect(
    clippy::too_many_lines,
    clippy::needless_pass_by_value,
    reason = "tables of cases, written down where they are used"
)]

use std::collections::{BTreeSet, HashMap};

use serde_json::{Value, json};

use super::*;
use crate::schema::{Catalog, ENTERPRISE};

mod plans;

const REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";

fn read(operations: Value) -> Request {
    let body = json!({ "schemas": [REQUEST], "Operations": operations });
    Request::parse(body, &Catalog::standard(), 1000).unwrap()
}

fn post(bulk_id: &str, data: Value) -> Value {
    let path = if data.get("members").is_some() {
        "/Groups"
    } else {
        "/Users"
    };
    json!({ "method": "POST", "path": path, "bulkId": bulk_id, "data": data })
}

fn group(bulk_id: &str, members: &[&str]) -> Value {
    let members: Vec<_> = members
        .iter()
        .map(|m| json!({ "value": format!("bulkId:{m}") }))
        .collect();
    post(
        bulk_id,
        json!({ "displayName": bulk_id, "members": members }),
    )
}

#[test]
fn reads_operations() {
    let request = Request::parse(
        json!({
            "schemas": [REQUEST], "failOnErrors": 2,
            "operations": [
                { "method": "POST", "path": "/Users", "bulkId": "u", "data": { "userName": "ada" } },
                { "Method": "put", "Path": "/Groups/g1", "version": "W/\"1\"", "data": {} },
                { "method": "PATCH", "path": "/Users/bulkId:u", "bulkId": null, "data": {} },
                { "method": "DELETE", "path": "/Users/1", "data": "ignored" },
            ],
        }),
        &Catalog::standard(),
        4,
    )
    .unwrap();
    let target = |endpoint: &str, id: Option<&str>| Target {
        endpoint: endpoint.into(),
        id: id.map(str::to_owned),
    };
    let operation = |method, target, data| Operation {
        method,
        target,
        version: None,
        data,
    };
    let expected = [
        operation(
            Method::Post,
            target("/Users", None),
            json!({ "userName": "ada" }),
        ),
        Operation {
            version: Some("W/\"1\"".into()),
            ..operation(Method::Put, target("/Groups", Some("g1")), json!({}))
        },
        operation(Method::Patch, target("/Users", Some("bulkId:u")), json!({})),
        operation(Method::Delete, target("/Users", Some("1")), Value::Null),
    ];
    assert_eq!(request.fail_on_errors, Some(2));
    let operations = request.entries.iter().map(|e| e.operation.clone().unwrap());
    assert_eq!(operations.collect::<Vec<_>>(), expected);
    assert_eq!(request.entries[0].bulk_id.as_deref(), Some("u"));
    assert_eq!(request.entries[1].method.as_deref(), Some("put"));
}

#[test]
fn what_is_wrong_with_one_operation_stays_with_it() {
    let cases = [
        ("no object", json!(7), 400, "must be a JSON object"),
        ("no method", json!({ "path": "/Users" }), 400, "no `method`"),
        (
            "a method that is no string",
            json!({ "method": 7 }),
            400,
            "`method` must be a string",
        ),
        (
            "GET",
            json!({ "method": "GET", "path": "/Users/1" }),
            405,
            "not GET",
        ),
        ("no path", json!({ "method": "DELETE" }), 400, "no `path`"),
        (
            "a path without slash",
            json!({ "method": "DELETE", "path": "Users/1" }),
            400,
            "must start with a slash",
        ),
        (
            "an address",
            json!({ "method": "DELETE", "path": "https://x/Users/1" }),
            400,
            "must start with a slash",
        ),
        (
            "an unknown endpoint",
            json!({ "method": "DELETE", "path": "/Cars/1" }),
            404,
            "no endpoint /Cars",
        ),
        (
            "a nested bulk",
            json!({ "method": "POST", "path": "/Bulk", "bulkId": "x", "data": {} }),
            404,
            "no endpoint /Bulk",
        ),
        (
            "a POST without bulkId",
            json!({ "method": "POST", "path": "/Users", "data": {} }),
            400,
            "needs a `bulkId`",
        ),
        (
            "a POST without data",
            json!({ "method": "POST", "path": "/Users", "bulkId": "x" }),
            400,
            "needs an object as its `data`",
        ),
        (
            "a POST to a resource",
            json!({ "method": "POST", "path": "/Users/1", "bulkId": "x", "data": {} }),
            405,
            "goes to /Users",
        ),
        (
            "a PUT of a list",
            json!({ "method": "PUT", "path": "/Users", "data": {} }),
            405,
            "goes to one resource",
        ),
        (
            "a DELETE of everybody",
            json!({ "method": "DELETE", "path": "/Users/" }),
            405,
            "goes to one resource",
        ),
        (
            "a PATCH without data",
            json!({ "method": "PATCH", "path": "/Users/1", "data": [] }),
            400,
            "needs an object",
        ),
        (
            "a deeper path",
            json!({ "method": "DELETE", "path": "/Users/1/groups" }),
            404,
            "not the path of a resource",
        ),
        (
            "a query",
            json!({ "method": "DELETE", "path": "/Users/1?x=y" }),
            404,
            "not the path of a resource",
        ),
        (
            "a search",
            json!({ "method": "DELETE", "path": "/Users/.search" }),
            404,
            "not the path of a resource",
        ),
        (
            "a version that is no string",
            json!({ "method": "DELETE", "path": "/Users/1", "version": 1 }),
            400,
            "`version` must be a string",
        ),
        (
            "an empty bulkId",
            json!({ "method": "DELETE", "path": "/Users/1", "bulkId": "" }),
            400,
            "`bulkId` must not be empty",
        ),
    ];
    for (name, operation, status, part) in cases {
        let request = read(json!([operation, { "method": "DELETE", "path": "/Users/1" }]));
        let refusal = request.entries[0].operation.clone().expect_err(name);
        assert_eq!(refusal.status, status, "{name}: {refusal}");
        assert!(refusal.detail.contains(part), "{name}: {refusal}");
        assert!(
            request.entries[1].operation.is_ok(),
            "{name} spoils its neighbour"
        );
        assert_eq!(refusal.body()["status"], status.to_string());
    }
}

#[test]
fn a_request_that_is_none_is_refused() {
    let delete = json!({ "method": "DELETE", "path": "/Users/1", "bulkId": "x" });
    let cases = [
        ("a list", json!([]), "JSON object"),
        ("no URN", json!({ "Operations": [] }), "BulkRequest"),
        (
            "no operations",
            json!({ "schemas": [REQUEST] }),
            "`Operations` must be a list",
        ),
        (
            "failOnErrors 0",
            json!({ "schemas": [REQUEST], "failOnErrors": 0, "Operations": [] }),
            "`failOnErrors`",
        ),
        (
            "failOnErrors as text",
            json!({ "schemas": [REQUEST], "failOnErrors": "1", "Operations": [] }),
            "`failOnErrors`",
        ),
        (
            "a bulkId twice",
            json!({ "schemas": [REQUEST], "Operations": [delete, delete] }),
            "bulkId x is used twice",
        ),
    ];
    for (name, body, part) in cases {
        match Request::parse(body, &Catalog::standard(), 10) {
            Err(RequestError::Invalid(e)) => assert!(e.detail.contains(part), "{name}: {e}"),
            other => panic!("{name}: {other:?}"),
        }
    }
    let many = json!({ "schemas": [REQUEST], "Operations": [1, 2, 3] });
    let e = Request::parse(many, &Catalog::standard(), 2).unwrap_err();
    assert_eq!(e, RequestError::TooManyOperations { sent: 3, limit: 2 });
    assert!(e.to_string().contains("bulk.maxOperations = 2"));
}

#[test]
fn references_are_found_and_replaced() {
    let mut data = json!({
        "displayName": "not a bulkId:x", "members": [{ "value": "bulkId:a", "$ref": "../Users/bulkId:a" }, { "value": "7" }],
        ENTERPRISE: { "manager": { "value": "bulkId:b" } },
        "Operations": [{ "op": "add", "path": "manager", "value": "bulkId:c" }],
        "profileUrl": "https://example.com/bulkId:d",
    });
    assert_eq!(
        references(&data),
        BTreeSet::from(["a", "b", "c"].map(str::to_owned))
    );
    let ids: HashMap<_, _> = [("a", "1"), ("b", "2"), ("c", "3")]
        .map(|(k, v)| (k.to_owned(), v.to_owned()))
        .into();
    substitute(&mut data, &ids).unwrap();
    let expected = json!({
        "displayName": "not a bulkId:x", "members": [{ "value": "1", "$ref": "../Users/1" }, { "value": "7" }],
        ENTERPRISE: { "manager": { "value": "2" } },
        "Operations": [{ "op": "add", "path": "manager", "value": "3" }],
        "profileUrl": "https://example.com/bulkId:d",
    });
    assert_eq!(data, expected);

    let lost = substitute(&mut json!([{ "value": "bulkId:a" }, "bulkId:z"]), &ids).unwrap_err();
    assert_eq!(lost.bulk_id, "z");
    assert_eq!(Refusal::from(lost).status, 409);
}

#[test]
fn leaving_out_gives_the_patch_that_puts_back() {
    let mut data = json!({
        "displayName": "A",
        "members": [{ "value": "bulkId:b" }, { "value": "7" }, { "value": "bulkId:c" }],
        "name": { "formatted": "bulkId:b" },
        ENTERPRISE: { "manager": { "value": "bulkId:b" } },
    });
    let patch = leave_out(&mut data, &BTreeSet::from(["b".to_owned()]));
    assert_eq!(
        data,
        json!({ "displayName": "A", "members": [{ "value": "7" }, { "value": "bulkId:c" }] })
    );
    let expected = json!([
        { "op": "add", "path": "members", "value": [{ "value": "bulkId:b" }] },
        { "op": "add", "path": "name", "value": { "formatted": "bulkId:b" } },
        { "op": "add", "path": format!("{ENTERPRISE}:manager"), "value": { "value": "bulkId:b" } },
    ]);
    assert_eq!(patch["Operations"], expected);
}

#[test]
fn operations_are_resolved_before_they_run() {
    let request = read(json!([
        { "method": "PATCH", "path": "/Groups/bulkId:g", "data": { "value": "bulkId:u" } },
        group("g", &["u", "v"]),
        post("u", json!({ "userName": "u" })),
        post("v", json!({ "userName": "v" })),
    ]));
    let ids = HashMap::from([
        ("g".to_owned(), "1".to_owned()),
        ("u".to_owned(), "2".to_owned()),
    ]);
    let resolved = |index: usize, omit: BTreeSet<String>| {
        request.entries[index]
            .operation
            .as_ref()
            .unwrap()
            .resolved(&omit, &ids)
    };
    let (target, data) = resolved(0, BTreeSet::new()).unwrap();
    assert_eq!(
        (target.id.as_deref(), data),
        (Some("1"), json!({ "value": "2" }))
    );
    assert_eq!(resolved(1, BTreeSet::new()).unwrap_err().bulk_id, "v");
    let (_, data) = resolved(1, BTreeSet::from(["v".to_owned()])).unwrap();
    assert_eq!(data["members"], json!([{ "value": "2" }]));
}

#[test]
fn the_answer_has_a_result_for_every_entry() {
    let request = read(json!([post("u", json!({ "userName": "ada" })), 7]));
    let good = Outcome {
        status: 201,
        location: Some("https://example.com/v2/Users/1".into()),
        version: Some("W/\"1\"".into()),
        response: None,
    };
    let refusal = request.entries[1].operation.clone().unwrap_err();
    let bad = Outcome {
        status: refusal.status,
        location: None,
        version: None,
        response: Some(refusal.body()),
    };
    let answer = response(request.entries.iter().zip([good, bad]));
    let expected = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkResponse"],
        "Operations": [
            { "method": "POST", "bulkId": "u", "location": "https://example.com/v2/Users/1", "version": "W/\"1\"", "status": "201" },
            { "status": "400", "response": {
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"], "status": "400",
                "scimType": "invalidSyntax", "detail": "An operation must be a JSON object",
            } },
        ],
    });
    assert_eq!(answer, expected);
}
