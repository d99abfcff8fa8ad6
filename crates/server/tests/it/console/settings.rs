//! Settings: who may come in, and by which means.

use super::{actions, keeps_quiet, made, says};
use crate::browser::{Browser, html};
use portreeve_testbed::{Client, TestServer};
use serde_json::json;

const SETTINGS: &str = "/console/settings";

/// The admin API for whoever has this secret.
fn api(server: &TestServer, secret: &str) -> Client {
    let base = format!("http://{}/api/v1", server.address());
    server.stranger().with_base(&base).with_token(Some(secret))
}

/// The id in the first address of that form on a page.
fn id_in<'a>(page: &'a str, before: &str, after: &str) -> &'a str {
    let found = page.match_indices(before).find_map(|(at, _)| {
        let rest = &page[at + before.len()..];
        let (id, rest) = rest.split_once('/')?;
        rest.starts_with(after).then_some(id)
    });
    found.unwrap_or_else(|| panic!("no {before}…/{after}: {page}"))
}

#[tokio::test]
async fn local_owners_are_made_and_removed_but_for_the_last() {
    let server = TestServer::start().await;
    let mut olga = Browser::of_owner(&server, "olga").await;
    let here = format!("{SETTINGS}/owners");
    let page = olga.page(&here).await;
    let own = id_in(&page, &format!("{here}/"), "remove").to_owned();
    let last = olga.not_done(&format!("{here}/{own}/remove"), &[]).await;
    says("the last", &last, &["This was not done", "last owner"]);
    let page = olga.done(&here, &[("name", "grace")]).await;
    says("made", &page, &["grace is a local owner now"]);
    for (name, field, said) in [
        ("twice", "Grace", "already used"),
        ("nameless", " ", "name"),
    ] {
        says(
            name,
            &olga.not_done(&here, &[("name", field)]).await,
            &["Local owners", said],
        );
    }
    let mut grace = Browser::of_owner(&server, "grace").await;
    let page = grace.done(&format!("{here}/{own}/remove"), &[]).await;
    says("removed", &page, &["The local owner is removed"]);
    assert_eq!(olga.get("/console").await.status, 303, "she is out");
    assert_eq!(
        actions(&server, &own).await.last().map(String::as_str),
        Some("delete")
    );
    server.stop().await;
}

#[tokio::test]
async fn service_accounts_have_tokens_that_stop_with_them() {
    let server = TestServer::start().await;
    let mut owner = Browser::of_owner(&server, "olga").await;
    let here = format!("{SETTINGS}/service-accounts");
    let fields = [
        ("name", "backup"),
        ("permissions", "user:read"),
        ("permissions", "group:read"),
    ];
    let page = owner.done(&here, &fields).await;
    says(
        "made",
        &page,
        &["backup is made", "user:read, group:read", "Active"],
    );
    says(
        "twice",
        &owner.not_done(&here, &fields).await,
        &["Service accounts", "already used"],
    );
    let id = id_in(&page, &format!("{here}/"), "status").to_owned();

    let tokens = format!("{SETTINGS}/api-tokens");
    let fields = [
        ("name", "nightly"),
        ("service_account", id.as_str()),
        ("days", "30"),
        ("permissions", "user:read"),
    ];
    let made = owner.submit(&tokens, &fields).await;
    assert_eq!(made.status, 201, "{made}");
    let page = html(&made);
    let (_, rest) = page.split_once("value=\"prv_api_").expect("a secret");
    let secret = format!("prv_api_{}", rest.split_once('"').unwrap().0);
    let page = owner.page(&tokens).await;
    says("the list", &page, &["nightly", "backup", "4 Feb 2026"]);
    keeps_quiet("shown once", &page, &[&secret]);
    let token = api(&server, &secret);
    assert_eq!(
        token.get("/me").await.status,
        403,
        "it may only what was chosen"
    );

    let status = format!("{here}/{id}/status");
    for (status_now, works) in [("suspended", 401), ("active", 403)] {
        let page = owner.done(&status, &[("status", status_now)]).await;
        says(status_now, &page, &["backup is changed"]);
        assert_eq!(token.get("/me").await.status, works, "{status_now}");
    }
    let page = owner.done(&format!("{here}/{id}/remove"), &[]).await;
    says("deleted", &page, &["The service account is deleted"]);
    assert_eq!(token.get("/me").await.status, 401);
    server.stop().await;
}

#[tokio::test]
async fn an_api_token_is_made_for_oneself_and_revoked() {
    let server = TestServer::start().await;
    let mut owner = Browser::of_owner(&server, "olga").await;
    let here = format!("{SETTINGS}/api-tokens");
    let long = "x".repeat(101);
    let fields = [("name", long.as_str()), ("permissions", "user:read")];
    let page = owner.not_done(&here, &fields).await;
    says(
        "a name too long",
        &page,
        &["API tokens", "This was not done", "100"],
    );
    let fields = [
        ("name", "mine"),
        ("days", "0"),
        ("permissions", "user:read"),
    ];
    let made = owner.submit(&here, &fields).await;
    assert_eq!(made.status, 201, "{made}");
    says(
        "made",
        &html(&made),
        &["API token “mine”", "This is shown only once", "no end"],
    );
    let page = owner.page(&here).await;
    let id = id_in(&page, &format!("{here}/"), "revoke").to_owned();
    let page = owner.done(&format!("{here}/{id}/revoke"), &[]).await;
    says(
        "revoked",
        &page,
        &["The token “mine” is revoked", "Revoked"],
    );
    assert_eq!(actions(&server, &id).await, ["create", "revoke"]);
    assert_eq!(
        owner
            .submit(&format!("{here}/{id}x/revoke"), &[])
            .await
            .status,
        404
    );
    server.stop().await;
}

#[tokio::test]
async fn sessions_of_others_are_seen_and_ended() {
    let server = TestServer::start().await;
    let mut olga = Browser::of_owner(&server, "olga").await;
    let mut grace = Browser::of_owner(&server, "grace").await;
    let page = olga.page(&format!("{SETTINGS}/sessions")).await;
    says("the list", &page, &["olga", "grace", "This one"]);
    let id = id_in(&page, "/console/sessions/", "end").to_owned();
    let page = olga.done(&format!("/console/sessions/{id}/end"), &[]).await;
    says("ended", &page, &["The session has ended"]);
    assert_eq!(grace.get("/console").await.status, 303, "she is out");
    server.stop().await;
}

#[tokio::test]
async fn who_is_more_than_a_user_is_listed() {
    let server = TestServer::start().await;
    made(
        &server,
        "/directories",
        json!({"name": "Staff", "provider": "native"}),
    )
    .await;
    for (name, level) in [("ada", "admin"), ("bob", "user")] {
        made(
            &server,
            "/directories/Staff/users",
            json!({"user_name": name}),
        )
        .await;
        let path = format!("/directories/Staff/users/{name}");
        server.admin().patch(&path, json!({"level": level})).await;
    }
    let mut owner = Browser::of_owner(&server, "olga").await;
    let page = owner.page(&format!("{SETTINGS}/levels")).await;
    says("levels", &page, &[">ada<", "Admin", "owner:write"]);
    keeps_quiet("levels", &page, &[">bob<"]);
    server.stop().await;
}

#[tokio::test]
async fn a_team_is_renamed_and_its_active_directory_switched_with_a_preview() {
    let server = TestServer::start().await;
    let mut ids = Vec::new();
    for (directory, people) in [("Old", ["ann", "bob"]), ("New", ["bob", "zoe"])] {
        ids.push(
            made(
                &server,
                "/directories",
                json!({"name": directory, "provider": "native"}),
            )
            .await,
        );
        for name in people {
            let path = format!("/directories/{directory}/users");
            made(&server, &path, json!({"user_name": name})).await;
        }
    }
    let mut owner = Browser::of_owner(&server, "olga").await;
    let here = format!("{SETTINGS}/team");
    let switch = format!("{here}/active");
    let page = owner.done(&switch, &[("directory", &ids[0])]).await;
    let preview = [
        "1 would lose what it gives them: ann.",
        "1 would gain it: zoe.",
    ];
    says(
        "Old decides",
        &page,
        &[
            "The directory is switched",
            "Let New decide",
            preview[0],
            preview[1],
        ],
    );
    let page = owner.done(&switch, &[("directory", &ids[1])]).await;
    says(
        "New decides",
        &page,
        &["Let Old decide", "1 would lose what it gives them: zoe."],
    );
    let team = server.admin().get("/teams/main").await;
    assert_eq!(team.json["active_directory"]["name"], "New", "{team}");
    assert_eq!(
        owner
            .submit(&switch, &[("directory", "nowhere")])
            .await
            .status,
        404
    );

    says(
        "renamed",
        &owner.done(&here, &[("name", "contoso")]).await,
        &["another name now", "contoso"],
    );
    says(
        "no name",
        &owner.not_done(&here, &[("name", "a b/c")]).await,
        &["Team and server", "This was not done"],
    );
    server.stop().await;
}

#[tokio::test]
async fn provisioners_are_declared_and_removed() {
    let server = TestServer::start().await;
    let mut owner = Browser::of_owner(&server, "olga").await;
    let here = format!("{SETTINGS}/authority");
    let page = owner.page(&here).await;
    says("by itself", &page, &["sshpop", "there by itself"]);

    let provisioners = format!("{here}/provisioners");
    let key = json!({"kty": "EC", "crv": "P-256", "kid": "of-mine",
        "x": "axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY", "y": "T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU"});
    let key = key.to_string();
    let installer = [
        ("kind", "jwk"),
        ("name", "installer"),
        ("key", key.as_str()),
    ];
    let page = owner.done(&provisioners, &installer).await;
    says(
        "made",
        &page,
        &["installer is a provisioner now", "of-mine"],
    );
    for (name, fields, said) in [
        ("twice", &installer[..], "already used"),
        ("no kind", &[("name", "x")][..], "Say which kind"),
        ("no key", &[("kind", "jwk"), ("name", "x")], "password"),
        (
            "no JSON",
            &[("kind", "jwk"), ("name", "x"), ("key", "{")],
            "no JSON",
        ),
        (
            "a short password",
            &[("kind", "jwk"), ("name", "x"), ("password", "short")],
            "12 characters",
        ),
        (
            "no roots",
            &[("kind", "x5c"), ("name", "x"), ("roots", "no PEM")],
            "roots",
        ),
    ] {
        let page = owner.not_done(&provisioners, fields).await;
        says(name, &page, &["This was not done", said]);
    }
    let page = owner.page(&here).await;
    let id = id_in(&page, &format!("{provisioners}/"), "remove").to_owned();
    let page = owner
        .done(&format!("{provisioners}/{id}/remove"), &[])
        .await;
    says("removed", &page, &["The provisioner is removed"]);
    keeps_quiet("removed", &page, &["of-mine"]);
    assert_eq!(actions(&server, &id).await, ["create", "delete"]);
    server.stop().await;
}
