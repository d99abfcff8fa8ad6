//! Real servers' departures from SCIM: each is worked around where that is safe, and named.

use portreeve_provisioning::target::{
    Client, Created, Error, Patch, Quirk, ResourceId, ResourceKind,
};
use serde_json::{Value, json};

use crate::double::{Double, Reply};

const LOOKUP: &str = "GET /scim/Users?excludedAttributes=members&filter=userName+eq+%22ada%22";

fn list(resources: &[Value]) -> Reply {
    let schema = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
    Reply::scim(
        200,
        &json!({"schemas": [schema], "totalResults": resources.len(), "Resources": resources}),
    )
}

fn refusal(status: u16, scim_type: Option<&str>) -> Reply {
    Reply::scim(status, &json!({"scimType": scim_type, "detail": "no"}))
}

fn id(text: &str) -> ResourceId {
    ResourceId::new(text).unwrap()
}

async fn client(replies: Vec<Reply>, settings: &str) -> (Double, Client) {
    let double = Double::script(replies).await;
    let (client, _) = double.open(settings).unwrap();
    (double, client)
}

#[tokio::test]
async fn a_creation_counts_whatever_its_answer_lacks() {
    let ada = || json!({"id": "u1", "userName": "ada"});
    let post = "POST /scim/Users";
    let cases = [
        (
            "status 200",
            vec![Reply::scim(200, &ada())],
            vec![post],
            vec![Quirk::CreatedWithoutStatus],
        ),
        (
            "no id",
            vec![
                Reply::scim(201, &json!({"userName": "ada"})),
                list(&[ada()]),
            ],
            vec![post, LOOKUP],
            vec![Quirk::IdMissing],
        ),
        (
            "no body",
            vec![Reply::empty(201), list(&[ada()])],
            vec![post, LOOKUP],
            vec![Quirk::IdMissing, Quirk::EmptyAnswer],
        ),
        (
            "plain JSON",
            vec![Reply::with(201, "application/json", &ada().to_string())],
            vec![post],
            vec![],
        ),
        (
            "a number for an id",
            vec![Reply::scim(201, &json!({"id": 17, "userName": "ada"}))],
            vec![post],
            vec![Quirk::IdIsNumber],
        ),
    ];
    for (name, replies, lines, quirks) in cases {
        let (double, client) = client(replies, "").await;
        let body = json!({"userName": "ada"});
        let created = client.create(ResourceKind::User, &body).await.unwrap();
        let Created::Now(resource) = created else {
            panic!("{name}: {created:?}")
        };
        assert!(["u1", "17"].contains(&resource.id().as_str()), "{name}");
        assert_eq!(double.lines(), lines, "{name}");
        assert_eq!(client.quirks(), quirks, "{name}");
    }
}

#[tokio::test]
async fn a_creation_that_nothing_is_found_of_is_a_fault() {
    let nothing = vec![Reply::scim(201, &json!({"userName": "ada"})), list(&[])];
    let (_double, client) = client(nothing, "").await;
    let body = json!({"userName": "ada"});
    let refused = client.create(ResourceKind::User, &body).await.unwrap_err();
    assert!(refused.in_doubt);
    let error = refused.error;
    assert!(
        matches!(error, Error::NotScim { status: 201, .. }),
        "{error}"
    );
    let code = "SystemForCrossDomainIdentityManagementServiceIncompatible";
    assert_eq!(error.code(), code);
}

#[tokio::test]
async fn a_target_that_ignores_filters_is_reported_as_that() {
    let all = [
        json!({"id": "1", "userName": "ada"}),
        json!({"id": "2", "userName": "bob"}),
    ];
    let work = json!({"id": "1", "emails": [{"type": "work", "value": "bob@x"}, {"type": "home", "value": "ada@x"}]});
    let cases = [
        ("everybody", "userName", "ada", all.to_vec()),
        ("the wrong one", "userName", "ada", all[1..].to_vec()),
        (
            "the wrong address",
            r#"emails[type eq "work"].value"#,
            "ada@x",
            vec![work],
        ),
    ];
    for (name, attribute, value, found) in cases {
        let (_double, client) = client(vec![list(&found)], "").await;
        let outcome = client.find(ResourceKind::User, attribute, value, &[]).await;
        let error = outcome.unwrap_err();
        let code = "SystemForCrossDomainIdentityManagementServiceIncompatibleFiltering";
        assert_eq!(error.code(), code, "{name}: {error}");
    }
    let (_double, client) = client(vec![list(&all)], "").await;
    let probed = client.probe(ResourceKind::User).await;
    assert!(
        matches!(probed, Err(Error::FilterIgnored { count: 2, .. })),
        "{probed:?}"
    );
}

#[tokio::test]
async fn what_comes_uncalled_for_or_in_the_wrong_form_is_put_right() {
    let group = json!({"id": "g1", "displayName": "Sales", "Members": [{"value": "u1"}]});
    let (_double, client) = client(
        vec![
            list(std::slice::from_ref(&group)),
            Reply::scim(200, &group),
            Reply::scim(
                200,
                &json!({"id": "u1", "active": "False", "roles": [{"primary": "true", "value": "True"}]}),
            ),
        ],
        "",
    )
    .await;
    let kind = ResourceKind::Group;
    let found = client
        .find(kind, "displayName", "Sales", &["members"])
        .await;
    assert_eq!(found.unwrap().unwrap().attribute("members"), None);
    let read = client.get(kind, &id("g1"), &["members"]).await;
    assert_eq!(read.unwrap().unwrap().attribute("members"), None);
    let user = client.get(ResourceKind::User, &id("u1"), &[]).await;
    let user = user.unwrap().unwrap();
    assert_eq!(user.attribute("active"), Some(&json!(false)));
    let roles = json!([{"primary": true, "value": "True"}]);
    assert_eq!(user.attribute("roles"), Some(&roles));
    assert_eq!(
        client.quirks(),
        [Quirk::ExcludedReturned, Quirk::BooleanIsText]
    );
}

#[tokio::test]
async fn a_404_to_a_search_means_nothing_where_the_endpoint_is_there() {
    let missing = || Reply::empty(404);
    let (double, client_of_one) =
        client(vec![missing(), list(&[json!({"id": "1"})]), missing()], "").await;
    client_of_one.probe(ResourceKind::User).await.unwrap();
    let found = client_of_one
        .find(ResourceKind::User, "userName", "ada", &[])
        .await;
    assert_eq!(found, Ok(None));
    let lines = double.lines();
    assert_eq!(lines[1], "GET /scim/Users?startIndex=1&count=1");
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert_eq!(client_of_one.quirks(), [Quirk::NotFoundForNothing]);

    let (_double, client) = client(vec![missing(), missing()], "").await;
    let probed = client.probe(ResourceKind::Group).await;
    assert!(
        matches!(probed, Err(Error::Refused { status: 404, .. })),
        "{probed:?}"
    );
}

#[tokio::test]
async fn a_page_is_no_answer_even_with_status_200() {
    let page = || Reply::with(200, "text/html", "<html>");
    let (_double, client) = client(vec![page(), page(), page()], "").await;
    let patch = Patch::new().replace("title", json!("CEO"));
    let found = client
        .find(ResourceKind::User, "userName", "ada", &[])
        .await;
    assert!(matches!(found, Err(Error::NotScim { .. })));
    let created = client
        .create(ResourceKind::User, &json!({"userName": "ada"}))
        .await;
    let created = created.map_err(|refused| refused.error);
    assert!(matches!(created, Err(Error::NotScim { .. })));
    let patched = client.patch(ResourceKind::User, &id("u1"), &patch).await;
    assert!(matches!(patched, Err(Error::NotScim { .. })));
}

#[tokio::test]
async fn an_empty_answer_with_status_200_counts_as_204() {
    let there = Reply::scim(200, &json!({"id": "u1", "title": "CEO"}));
    let (double, client) = client(vec![Reply::empty(200), Reply::empty(200), there], "").await;
    let patch = Patch::new().replace("title", json!("CEO"));
    let patched = client.patch(ResourceKind::User, &id("u1"), &patch).await;
    assert_eq!(patched, Ok(None));
    let replaced = client
        .replace(ResourceKind::User, &id("u1"), &json!({}))
        .await;
    assert_eq!(replaced.unwrap().attribute("title"), Some(&json!("CEO")));
    assert_eq!(client.quirks(), [Quirk::EmptyAnswer]);
    assert_eq!(
        double.lines()[2],
        "GET /scim/Users/u1?excludedAttributes=members"
    );
}

#[tokio::test]
async fn a_change_is_sent_with_the_version_where_the_target_insists() {
    let there = || Reply::scim(200, &json!({"id": "u1", "meta": {"version": "W/\"7\""}}));
    let patch = Patch::new().replace("title", json!("CEO"));
    for status in [412, 428] {
        let replies = vec![
            refusal(status, None),
            there(),
            Reply::empty(204),
            refusal(status, None),
            there().header("etag", "\"8\""),
            Reply::empty(204),
        ];
        let (double, client) = client(replies, "").await;
        let patched = client.patch(ResourceKind::User, &id("u1"), &patch).await;
        assert_eq!(patched, Ok(None), "{status}");
        let deleted = client.delete(ResourceKind::User, &id("u1")).await;
        assert_eq!(deleted, Ok(()), "{status}");
        let requests = double.requests();
        let versions: Vec<_> = requests
            .iter()
            .map(|seen| seen.if_match.as_deref())
            .collect();
        let expected = [None, None, Some("W/\"7\""), None, None, Some("\"8\"")];
        assert_eq!(versions, expected, "{status}");
        assert_eq!(client.quirks(), [Quirk::VersionWanted], "{status}");
    }
    let (double, client) = client(vec![refusal(412, None), there(), refusal(412, None)], "").await;
    let patched = client.patch(ResourceKind::User, &id("u1"), &patch).await;
    assert!(
        matches!(patched, Err(Error::Refused { status: 412, .. })),
        "{patched:?}"
    );
    assert_eq!(double.lines().len(), 3);
}

fn user() -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "id": "u1",
        "userName": "ada",
        "emails": [{"type": "home", "value": "h@x"}],
        "groups": [{"value": "g1"}],
        "meta": {"version": "\"3\""},
    })
}

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn promotion() -> Patch {
    Patch::new()
        .replace("active", json!(false))
        .add(r#"emails[type eq "work"].value"#, json!("w@x"))
        .add(&format!("{ENTERPRISE}:department"), json!("R&D"))
}

#[tokio::test]
async fn where_patch_is_refused_the_resource_is_read_and_replaced() {
    let put = || Reply::scim(200, &user());
    let cases = [
        ("not implemented", refusal(501, None), "GET"),
        ("not allowed", Reply::empty(405), "GET"),
        (
            "not understood",
            refusal(400, Some("invalidSyntax")),
            "PATCH",
        ),
        ("not said why", refusal(400, None), "PATCH"),
    ];
    for (name, refused, next) in cases {
        let replies = vec![refused, Reply::scim(200, &user()), put()];
        let (double, client) = client(replies, "").await;
        let patched = client
            .patch(ResourceKind::User, &id("u1"), &promotion())
            .await;
        assert!(patched.unwrap().is_some(), "{name}");
        let requests = double.requests();
        let put = &requests[2];
        assert_eq!(put.line(), "PUT /scim/Users/u1", "{name}");
        assert_eq!(put.if_match.as_deref(), Some("\"3\""), "{name}");
        let expected = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE],
            "id": "u1",
            "userName": "ada",
            "emails": [{"type": "home", "value": "h@x"}, {"type": "work", "value": "w@x"}],
            "active": false,
            ENTERPRISE: {"department": "R&D"},
        });
        assert_eq!(put.body.as_ref(), Some(&expected), "{name}");
        assert_eq!(client.quirks(), [Quirk::PatchRefused], "{name}");
        // A target that has no PATCH is not asked for it again.
        client
            .patch(ResourceKind::User, &id("u1"), &promotion())
            .await
            .unwrap_err();
        assert_eq!(double.requests()[0].method, next, "{name}");
    }
}

#[tokio::test]
async fn a_refused_patch_stays_refused_where_replacing_would_not_help() {
    let group = |members: usize| {
        let members: Vec<_> = (0..members)
            .map(|n| json!({"value": n.to_string()}))
            .collect();
        Reply::scim(200, &json!({"id": "g1", "members": members}))
    };
    let no = || refusal(501, None);
    let cases = [
        (
            "a value that is refused",
            vec![refusal(400, Some("invalidValue"))],
            "",
            1,
        ),
        ("a missing right", vec![refusal(403, None)], "", 1),
        ("a member, perhaps", vec![refusal(400, None)], "", 1),
        ("a setting", vec![no()], "patch_refused = \"fail\"", 1),
        (
            "a large group",
            vec![no(), group(3)],
            "largest_group_replaced = 2",
            2,
        ),
        ("a large group by default", vec![no(), group(501)], "", 2),
        (
            "no PUT either",
            vec![no(), group(1), refusal(405, None)],
            "",
            3,
        ),
    ];
    for (name, replies, settings, requests) in cases {
        let Reply::Answer {
            status: refused, ..
        } = replies[0]
        else {
            panic!("{name}")
        };
        let (double, client) = client(replies, settings).await;
        let patch = Patch::new().add_members([id("u1")]);
        let outcome = client.patch(ResourceKind::Group, &id("g1"), &patch).await;
        let Err(Error::Refused { status, .. }) = outcome else {
            panic!("{name}: {outcome:?}")
        };
        assert_eq!(status, refused, "{name}");
        assert_eq!(double.lines().len(), requests, "{name}");
        assert_eq!(client.quirks(), [], "{name}");
    }
}

#[tokio::test]
async fn a_group_is_replaced_with_all_its_members_even_those_shown_only_on_request() {
    let replies = vec![
        Reply::empty(405),
        Reply::scim(200, &json!({"id": "g1", "displayName": "Sales"})),
        Reply::scim(
            200,
            &json!({"id": "g1", "members": [{"value": "u1"}, {"value": "u2"}]}),
        ),
        Reply::empty(204),
        Reply::scim(200, &json!({"id": "g1"})),
    ];
    let (double, client) = client(replies, "").await;
    let patch = Patch::new()
        .add_members([id("u3")])
        .remove_members([id("u1")]);
    client
        .patch(ResourceKind::Group, &id("g1"), &patch)
        .await
        .unwrap();
    let requests = double.requests();
    assert_eq!(requests[2].line(), "GET /scim/Groups/g1?attributes=members");
    let members = json!([{"value": "u2"}, {"value": "u3"}]);
    assert_eq!(requests[3].body.as_ref().unwrap()["members"], members);
}
