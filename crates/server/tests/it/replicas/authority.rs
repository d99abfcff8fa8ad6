//! The authority and the decisions about access of one team, on two servers.

use super::*;

/// The keys that sign. (Their database has a time of its own, by which some may have a successor at once.)
fn current(answer: &Answer) -> Vec<(&str, &str)> {
    assert_eq!(answer.status, 200, "{answer}");
    let keys = answer.json["keys"].as_array().expect("keys").iter();
    let current = keys.filter(|key| key["state"] == "current");
    current
        .map(|key| (text(key, "purpose"), text(key, "fingerprint")))
        .collect()
}

fn text<'a>(key: &'a Value, name: &str) -> &'a str {
    key[name].as_str().expect("text")
}

#[tokio::test]
async fn two_servers_that_need_the_first_keys_at_once_have_the_same_ones() {
    let harbour = Harbour::new();
    let (one, two) = (harbour.server().await, harbour.server().await);
    let (here, there) = tokio::join!(one.admin().get("/ca"), two.admin().get("/ca"));
    assert_eq!(current(&here), current(&there));
    let purposes: Vec<&str> = current(&here).iter().map(|(purpose, _)| *purpose).collect();
    assert_eq!(purposes, ["root", "intermediate", "user", "host"], "{here}");
    one.stop().await;
    two.stop().await;
}

#[tokio::test]
async fn a_grant_at_one_server_counts_at_another() {
    let harbour = Harbour::new();
    let (one, two) = (harbour.server().await, harbour.server().await);
    for (path, body) in [
        (
            "/directories",
            json!({"name": "Staff", "provider": "native"}),
        ),
        (
            "/directories/Staff/users",
            json!({"user_name": "ada@contoso.example"}),
        ),
        ("/hosts", json!({"name": "web-1", "tags": {"role": "web"}})),
    ] {
        let made = one.admin().post(path, body).await;
        assert_eq!(made.status, 201, "{made}");
    }
    let explain = "/explain?user=ada@contoso.example&host=web-1";
    let before = two.admin().get(explain).await;
    assert_eq!(before.json["allowed"], false, "{before}");

    let grant = json!({"user": "ada@contoso.example", "hosts": "role=web", "until": "2026-01-06T00:00:00Z"});
    let grant = one.admin().post("/grants", grant).await;
    assert_eq!(grant.status, 201, "{grant}");
    // Its clock stands still, so that only the notice can make it look again.
    until("access", two.admin(), explain, |answer| {
        answer.json["allowed"] == true
    })
    .await;
    let path = format!("/grants/{}", grant.id());
    assert_eq!(one.admin().delete(&path).await.status, 200);
    until("the end of access", two.admin(), explain, |answer| {
        answer.json["allowed"] == false
    })
    .await;
    one.stop().await;
    two.stop().await;
}
