//! Explanations: why somebody may log in somewhere, or may not, and what would change that.

use crate::browser::Browser;
use crate::estate::{Estate, STAFF, assert_refused, column};
use crate::sso::World;
use http::Method;
use serde_json::json;

const ADA: &str = "ada@contoso.example";

#[tokio::test]
async fn the_chain_leads_from_the_directory_to_the_verdict() {
    let estate = Estate::start().await;
    let grant = estate.grant("role=web").await;
    let path = format!("/explain?user={ADA}&host=web-1");
    let found = estate.admin().get(&path).await;
    assert_eq!(found.json["allowed"], true, "{found}");
    assert_eq!(found.json["sudo"], false, "{found}");
    assert_eq!(found.json["principals"], json!(["ada"]), "{found}");
    assert_eq!(found.json["grants"], json!([grant]), "{found}");
    let reasons = &found.json["reasons"];
    let steps: Vec<_> = reasons
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["step"])
        .collect();
    let all = [
        "directory",
        "user",
        "group",
        "grant",
        "tags",
        "principals",
        "verdict",
    ];
    assert_eq!(steps, all, "{found}");
    let staff = estate.admin().get(STAFF).await;
    let group = estate.admin().get(&format!("{STAFF}/groups/web-ops")).await;
    assert_eq!(
        reasons[0]["link"],
        format!("/console/directories/{}", staff.id())
    );
    assert_eq!(
        reasons[2]["link"],
        format!("/console/groups/{}/{}", staff.id(), group.id())
    );
    assert_eq!(reasons[3]["link"], format!("/console/access/{grant}"));
    assert_eq!(
        reasons[6]["why"],
        "ada@contoso.example may log in to web-1 as ada, without sudo."
    );
    estate.server.stop().await;
}

#[tokio::test]
async fn a_no_names_what_would_make_it_a_yes() {
    let estate = Estate::start().await;
    let none = estate.explain(ADA, "web-1").await;
    assert!(none.2.contains("Grant a group of"), "{}", none.2);
    estate.grant("role=web").await;
    let tags = estate.explain(ADA, "db-1").await;
    assert!(tags.1.contains(&"tags no".to_owned()), "{:?}", tags.1);
    assert!(tags.2.contains("Tag db-1 so that role=web"), "{}", tags.2);
    let group = estate.explain("bob@contoso.example", "web-1").await;
    assert!(
        group.2.contains("Put bob@contoso.example into a group"),
        "{}",
        group.2
    );

    let path = format!("{STAFF}/users/{ADA}");
    estate
        .admin()
        .patch(&path, json!({"status": "suspended"}))
        .await;
    let suspended = estate.explain(ADA, "web-1").await;
    assert!(!suspended.0 && suspended.1.contains(&"user no".to_owned()));
    assert!(suspended.2.contains("Reactivate"), "{}", suspended.2);
    // Memberships were kept and count again.
    estate
        .admin()
        .patch(&path, json!({"status": "active"}))
        .await;
    assert!(estate.may("ada", "web-1").await);

    let none = json!({"active_directory_id": null});
    estate.admin().patch("/teams/main", none).await;
    let inactive = estate.explain(ADA, "web-1").await;
    assert!(
        inactive.1.contains(&"directory no".to_owned()),
        "{:?}",
        inactive.1
    );
    assert!(
        inactive.2.contains("Make Staff the active SSH directory"),
        "{}",
        inactive.2
    );
    estate.server.stop().await;
}

#[tokio::test]
async fn membership_counts_through_groups_and_as_long_as_it_lasts() {
    let estate = Estate::start().await;
    estate.grant("role=web").await;
    let outer = format!("{STAFF}/groups");
    let inner = json!({"display_name": "night-shift"});
    let inner = estate.make(&outer, inner).await.id().to_owned();
    let members = format!("{STAFF}/groups/web-ops/members");
    estate.make(&members, json!({"id": inner})).await;
    assert!(!estate.may("bob", "web-1").await);
    let night = format!("{STAFF}/groups/night-shift/members");
    let bob = json!({"id": "bob@contoso.example", "expires_at": "2026-01-05T10:00:00Z"});
    estate.make(&night, bob).await;
    assert!(estate.may("bob", "web-1").await);
    let path = "/explain?user=bob@contoso.example&host=web-1";
    let found = estate.admin().get(path).await;
    let why = found.json["reasons"][2]["why"].as_str().unwrap();
    assert!(
        why.contains("through night-shift") && why.contains("2026-01-05T10:00:00Z"),
        "{why}"
    );
    let ten = std::time::Duration::from_secs(2 * 3600);
    estate.server.clock().advance(ten);
    assert!(!estate.may("bob", "web-1").await);
    estate.server.stop().await;
}

#[tokio::test]
async fn who_or_where_that_is_not_there_is_said() {
    let estate = Estate::start().await;
    let ask = async |query: &str| estate.admin().get(&format!("/explain?{query}")).await;
    assert_refused(&ask("user=ada").await, 400, "invalid", "host");
    assert_refused(&ask("user=zoe&host=web-1").await, 404, "not_found", "user");
    let nowhere = ask(&format!("user={ADA}&host=away")).await;
    assert_refused(&nowhere, 404, "not_found", "host");
    let own = estate.admin().get("/me/hosts").await;
    assert_refused(
        &own,
        400,
        "invalid",
        "administrator of the server's machine",
    );
    estate.server.stop().await;
}

#[tokio::test]
async fn everybody_sees_their_own_hosts_and_why() {
    let world = World::start().await;
    let admin = world.server.admin();
    let schemas = ["urn:ietf:params:scim:schemas:core:2.0:Group"];
    let users = admin
        .get(&format!("/directories/{}/users", world.directory_id))
        .await;
    let ada = users.json[0]["id"].clone();
    let group = json!({"schemas": schemas, "displayName": "web-ops", "members": [{"value": ada}]});
    assert_eq!(world.people.post("/Groups", group).await.status, 201);
    for (name, role) in [("web-1", "web"), ("web-2", "web"), ("db-1", "db")] {
        let host = json!({"name": name, "tags": {"role": role}});
        assert_eq!(admin.post("/hosts", host).await.status, 201);
    }
    let grant = json!({"group": "web-ops", "hosts": "role=web"});
    assert_eq!(admin.post("/grants", grant).await.status, 201);

    let mut browser = Browser::new(&world.server);
    let back = world.sign_in(&mut browser, "/console").await;
    assert_eq!(back.status, 303, "{back}");
    let mut ask = async |path: &str| {
        let path = format!("/api/v1{path}");
        browser.send(Method::GET, &path, &[], None).await
    };
    let hosts = ask("/me/hosts").await;
    assert_eq!(column(&hosts, "name"), ["web-1", "web-2"], "{hosts}");
    assert_eq!(column(&hosts, "account"), ["ada", "ada"], "{hosts}");
    let second = ask("/me/hosts?count=1&cursor=web-1").await;
    assert_eq!(column(&second, "name"), ["web-2"], "{second}");
    let explained = ask("/me/explain/web-1").await;
    assert_eq!(explained.json["allowed"], true, "{explained}");
    let other = ask("/explain?user=ada&host=web-1").await;
    assert_eq!(other.status, 403, "{other}");

    let out = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "replace", "path": "active", "value": false}],
    });
    let path = format!("/Users/{}", ada.as_str().unwrap());
    assert_eq!(world.people.patch(&path, out).await.status, 200);
    assert_eq!(ask("/me/hosts").await.status, 401, "she is out at once");
    world.server.stop().await;
}
