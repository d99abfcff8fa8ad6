//! A certificate that says more than access does is revoked, without anybody asking for it.

use super::*;
use http::Method;

/// Waits until the certificate is on the list of what is revoked.
async fn is_soon_revoked(town: &Town, issued: &Issued) -> bool {
    for _ in 0..500 {
        if town.is_revoked(issued).await {
            return true;
        }
    }
    false
}

#[tokio::test]
async fn whoever_loses_what_a_certificate_rests_on_loses_it() {
    let group = "/directories/{directory}/users/ada@contoso.example/remote-identities";
    for (name, method, path, body) in [
        ("the grant", Method::DELETE, "/grants/{grant}", Value::Null),
        (
            "the hosts of the grant",
            Method::PATCH,
            "/grants/{grant}",
            json!({"hosts": "role=db"}),
        ),
        (
            "the tag of the host",
            Method::PATCH,
            "/hosts/web-1",
            json!({"tags": {}}),
        ),
        (
            "the name of the account",
            Method::PUT,
            group,
            json!([{"hosts": "*", "name": "ec2-user"}]),
        ),
    ] {
        let town = Town::with_grant().await;
        let issued = town.certificate().await;
        let grants = town.admin().get("/grants").await;
        let path = path
            .replace("{grant}", grants.json[0]["id"].as_str().unwrap())
            .replace("{directory}", &town.world.directory_id);
        let body = (!body.is_null()).then(|| body.to_string());
        let done = town.admin().send(method, &path, &[], body).await;
        assert!(done.status < 300, "{name}: {done}");
        assert!(is_soon_revoked(&town, &issued).await, "{name}");
        let path = format!("/certificates/{}", issued.serial);
        let kept = town.admin().get(&path).await;
        assert_eq!(kept.text("revoked_why"), "access_ended", "{name}: {kept}");
        town.world.server.stop().await;
    }
}

#[tokio::test]
async fn whoever_leaves_a_group_loses_the_certificate_and_nobody_else_does() {
    let town = Town::with_grant().await;
    let until = jiff::Timestamp::try_from(town.server().clock().time()).unwrap()
        + jiff::SignedDuration::from_hours(1);
    let issued = town.certificate().await;
    // What somebody else gets is no matter of theirs, nor is what they get besides.
    let more =
        json!({"user": "ada@contoso.example", "hosts": "role=web", "until": until.to_string()});
    made(town.admin(), "/grants", more).await;
    let both = town.certificate().await;
    let groups = format!("/directories/{}/groups", town.world.directory_id);
    let group = town.admin().get(&groups).await;
    let group = group.json[0]["id"].as_str().unwrap().to_owned();
    let path = format!("members[value eq \"{}\"]", town.ada_id);
    let change = json!({"schemas": [PATCH_OP], "Operations": [{"op": "remove", "path": path}]});
    assert!(!town.is_revoked(&issued).await);
    let people = &town.world.people;
    let patched = people.patch(&format!("/Groups/{group}"), change).await;
    assert!(patched.status < 300, "{patched}");
    for issued in [&issued, &both] {
        assert!(is_soon_revoked(&town, issued).await);
    }
    let last = town.certificate().await;
    assert!(!town.is_revoked(&last).await);
    town.world.server.stop().await;
}
