//! Grants and temporary access, through the admin API.

use crate::estate::{Estate, STAFF, assert_refused, column};
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test]
async fn a_grant_lets_in_until_it_is_changed_or_revoked() {
    let estate = Estate::start().await;
    let admin = estate.admin();
    let wanted = json!({
        "group": "WEB-OPS", "hosts": "role=web", "sudo": true, "posix_groups": ["docker-users"],
        "principals": ["deploy"], "note": "they run the shop",
    });
    let made = estate.make("/grants", wanted).await;
    assert_eq!(
        (
            made.text("level"),
            made.text("state"),
            &made.json["host_count"]
        ),
        ("login+sudo", "current", &json!(1)),
        "{made}"
    );
    assert_eq!(made.json["to"]["name"], "web-ops", "{made}");
    assert!(estate.may("ada", "web-1").await);
    assert!(!estate.may("ada", "db-1").await);
    assert!(!estate.may("bob", "web-1").await);

    let path = format!("/grants/{}", made.id());
    let changed = admin.patch(&path, json!({"hosts": "role=db"})).await;
    assert_eq!(changed.text("hosts"), "role=db", "{changed}");
    assert!(!estate.may("ada", "web-1").await);
    assert!(estate.may("ada", "db-1").await);

    let revoked = admin.delete(&path).await;
    assert_eq!((revoked.status, revoked.text("state")), (200, "revoked"));
    assert!(!estate.may("ada", "db-1").await);
    assert_eq!(admin.delete(&path).await.text("state"), "revoked");
    let late = admin.patch(&path, json!({"hosts": "*"})).await;
    assert_refused(&late, 400, "invalid", "has ended");
    assert_eq!(
        column(&admin.get("/grants").await, "id"),
        Vec::<Value>::new()
    );
    assert_eq!(
        column(&admin.get("/grants?ended=true").await, "id"),
        [made.id()]
    );

    let told = admin.get("/events?after=&category=ACCESS").await;
    assert_eq!(column(&told, "action"), ["granted", "changed", "revoked"]);
    let changes = &told.json[1]["changes"];
    assert_eq!(
        changes,
        &json!([{"attribute": "hosts", "old": "role=web", "new": "role=db"}])
    );
    estate.server.stop().await;
}

#[tokio::test]
async fn what_cannot_be_granted_is_refused_with_what_would_be_right() {
    let estate = Estate::start().await;
    for (name, body, status, says) in [
        ("nobody", json!({"hosts": "*"}), 400, "either a group"),
        (
            "both",
            json!({"group": "web-ops", "user": "ada@contoso.example", "hosts": "*"}),
            400,
            "either a group",
        ),
        (
            "no such group",
            json!({"group": "away", "hosts": "*"}),
            404,
            "away",
        ),
        (
            "no hosts",
            json!({"group": "web-ops", "hosts": ""}),
            400,
            "tag expression",
        ),
        (
            "endless",
            json!({"user": "ada@contoso.example", "hosts": "*"}),
            400,
            "needs an end",
        ),
        (
            "too long",
            json!({"user": "ada@contoso.example", "hosts": "*", "until": "2026-12-31T00:00:00Z"}),
            400,
            "90 days",
        ),
        (
            "over",
            json!({"group": "web-ops", "hosts": "*", "until": "2025-01-01T00:00:00Z"}),
            400,
            "before it begins",
        ),
        (
            "no time",
            json!({"group": "web-ops", "hosts": "*", "until": "soon"}),
            400,
            "until",
        ),
        (
            "a principal",
            json!({"group": "web-ops", "hosts": "*", "principals": ["a,b"]}),
            400,
            "principal",
        ),
    ] {
        let refused = estate.admin().post("/grants", body).await;
        assert_eq!(refused.status, status, "{name}: {refused}");
        assert!(refused.text("detail").contains(says), "{name}: {refused}");
    }
    estate.server.stop().await;
}

#[tokio::test]
async fn groups_are_looked_for_in_the_active_directory_first() {
    let estate = Estate::start().await;
    for name in ["Other", "Third"] {
        let directory = json!({"name": name, "provider": "native"});
        estate.make("/directories", directory).await;
        for group in ["web-ops", "guests"] {
            let path = format!("/directories/{name}/groups");
            estate.make(&path, json!({"display_name": group})).await;
        }
    }
    let staff = estate.admin().get(STAFF).await;
    let found = json!({"group": "web-ops", "hosts": "*"});
    let found = estate.make("/grants", found).await;
    assert_eq!(found.json["to"]["directory_id"], staff.id(), "{found}");
    let several = json!({"group": "guests", "hosts": "*"});
    let several = estate.admin().post("/grants", several).await;
    assert_refused(&several, 400, "invalid", "Other and Third both have");
    let said = json!({"group": "guests", "directory": "Third", "hosts": "*"});
    estate.make("/grants", said).await;
    estate.server.stop().await;
}

#[tokio::test]
async fn temporary_access_ends_by_itself_and_that_is_told() {
    let estate = Estate::start().await;
    let admin = estate.admin();
    let until = "2026-01-05T09:00:00Z";
    let wanted = json!({"user": "bob@contoso.example", "hosts": "env=prod", "from": "2026-01-05T08:30:00Z", "until": until});
    let made = estate.make("/grants", wanted).await;
    assert_eq!(made.text("state"), "ahead", "{made}");
    assert!(!estate.may("bob", "db-1").await);
    estate.server.clock().advance(Duration::from_secs(1800));
    assert!(estate.may("bob", "db-1").await);
    let path = "/explain?user=bob@contoso.example&host=db-1";
    let explained = admin.get(path).await;
    assert_eq!(explained.json["changes_at"], "2026-01-05T09:00:00.000000Z");
    estate.server.clock().advance(Duration::from_secs(1800));
    assert!(!estate.may("bob", "db-1").await);
    let shown = admin.get(&format!("/grants/{}", made.id())).await;
    assert_eq!(shown.text("state"), "expired", "{shown}");
    estate.server.stop().await;
}

#[tokio::test]
async fn a_preview_says_whom_a_grant_would_let_in_where() {
    let estate = Estate::start().await;
    let admin = estate.admin();
    estate
        .host("web-2", json!({"role": "web", "env": "test"}))
        .await;
    let preview = async |body: Value| {
        let found = admin.post("/grants/preview", body).await;
        assert_eq!(found.status, 200, "{found}");
        found.json
    };
    let new = preview(json!({"group": "web-ops", "hosts": "role=web"})).await;
    assert_eq!(
        new["hosts"],
        json!({"count": 2, "names": ["web-1", "web-2"]})
    );
    assert_eq!(new["people"]["names"], json!(["ada@contoso.example"]));
    assert_eq!(new["adds"], json!({"people": 1, "hosts": 2, "logins": 2}));
    assert_eq!(
        new["removes"],
        json!({"people": 0, "hosts": 0, "logins": 0})
    );

    let grant = estate.grant("role=web").await;
    let again = preview(json!({"group": "web-ops", "hosts": "role=web"})).await;
    assert_eq!(again["adds"]["logins"], 0, "she gets in already");
    let changed = preview(json!({"grant": grant, "hosts": "env=prod"})).await;
    assert_eq!(
        changed["adds"],
        json!({"people": 1, "hosts": 1, "logins": 1})
    );
    assert_eq!(
        changed["removes"],
        json!({"people": 1, "hosts": 1, "logins": 1})
    );
    let wrong = admin
        .post(
            "/grants/preview",
            json!({"group": "web-ops", "hosts": "env=prod and"}),
        )
        .await;
    assert_refused(&wrong, 400, "invalid", "at character");
    estate.server.stop().await;
}

#[tokio::test]
async fn a_service_account_gets_temporary_access() {
    let estate = Estate::start().await;
    let robot = json!({"name": "robot", "permissions": ["self"]});
    estate.make("/service-accounts", robot).await;
    let wanted = json!({"user": "robot", "hosts": "role=db", "until": "2026-01-06T00:00:00Z"});
    let made = estate.make("/grants", wanted).await;
    assert_eq!(made.json["to"]["kind"], "service", "{made}");
    assert!(estate.explain("robot", "db-1").await.0);
    let suspended = json!({"status": "suspended"});
    estate
        .admin()
        .patch("/service-accounts/robot", suspended)
        .await;
    assert!(!estate.explain("robot", "db-1").await.0);
    estate.server.stop().await;
}
