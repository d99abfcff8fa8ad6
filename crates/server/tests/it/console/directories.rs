//! Directories: the way from making one to people who arrive, its tokens and its rules.

use super::{directory_id, keeps_quiet, person, says};
use crate::browser::{Browser, html};
use portreeve_testbed::{Answer, Client, TestServer};

/// The secret that a page shows.
fn secret(answer: &Answer) -> String {
    assert_eq!(answer.status, 201, "{answer}");
    let page = html(answer);
    let (_, rest) = page.split_once("value=\"prv_scim_").expect("a secret");
    let (rest, _) = rest.split_once('"').unwrap();
    format!("prv_scim_{rest}")
}

/// A provider that was given what the console showed.
fn provider(server: &TestServer, directory: &str, secret: &str) -> Client {
    let base = format!("http://{}/scim/{directory}/v2", server.address());
    server.stranger().with_base(&base).with_token(Some(secret))
}

#[tokio::test]
async fn the_steps_are_done_as_the_provider_is_heard_of_and_people_arrive() {
    let server = TestServer::start().await;
    let mut owner = Browser::of_owner(&server, "olga").await;
    says(
        "nothing yet",
        &owner.page("/console/directories").await,
        &["No directory yet"],
    );
    let fields = [
        ("name", "Contoso"),
        ("provider", "entra"),
        ("users", "suspend"),
        ("groups", "delete"),
    ];
    let made = owner.submit("/console/directories", &fields).await;
    let secret = secret(&made);
    says(
        "made",
        &html(&made),
        &["Contoso is made", "/scim/", "Connect the provider"],
    );
    let id = directory_id(&server, "Contoso").await;
    let here = format!("/console/directories/{id}");
    let page = owner.page(&here).await;
    says(
        "waits",
        &page,
        &["Waits for its provider", "Mapping of users"],
    );
    keeps_quiet("shown once", &page, &[&secret]);
    let done = |page: &str| page.matches("<li class=\"done\"").count();
    assert_eq!(done(&page), 1, "{page}");

    let contoso = provider(&server, &id, &secret);
    let probe = "/Users?filter=userName%20eq%20%22nobody%22";
    assert_eq!(contoso.get(probe).await.status, 200);
    let heard = owner.page(&here).await;
    assert_eq!(done(&heard), 7, "{heard}");
    person(&contoso, "ada", true).await;
    let arrived = owner.page(&here).await;
    assert_eq!(done(&arrived), 8, "{arrived}");
    says("arrived", &arrived, &["Connected"]);

    server.stop().await;
}

#[tokio::test]
async fn the_latest_requests_are_shown_and_the_connection_is_tested() {
    let server = TestServer::start().await;
    let entra = server.directory("entra").await;
    person(&entra, "ada", true).await;
    assert_eq!(entra.get("/Users?count=1").await.status, 200);
    let id = directory_id(&server, "entra 1").await;
    let here = format!("/console/directories/{id}");
    let mut owner = Browser::of_owner(&server, "olga").await;
    let page = owner.page(&format!("{here}/requests")).await;
    says(
        "requests",
        &page,
        &[
            "POST /Users",
            "201 Created",
            "What it changed",
            "GET /Users",
        ],
    );
    let tested = owner.submit(&format!("{here}/test"), &[]).await;
    assert_eq!(tested.status, 200, "{tested}");
    says(
        "tested",
        &html(&tested),
        &[
            "A provider may be able to connect",
            "Only this machine reaches",
        ],
    );
    server.stop().await;
}

#[tokio::test]
async fn each_provider_is_connected_by_its_own_steps() {
    let server = TestServer::start().await;
    let mut owner = Browser::of_owner(&server, "olga").await;
    for (provider, heading, step) in [
        (
            "entra",
            "Connect Microsoft Entra ID",
            "Enterprise applications",
        ),
        ("okta", "Connect Okta", "Browse App Catalog"),
        ("google", "Connect Google Workspace", "Autoprovisioning"),
        ("generic", "Connect your provider", "a client of SCIM 2.0"),
        // There is nothing to connect.
        (
            "native",
            "Name and rules",
            "Two groups may not have the same name",
        ),
    ] {
        let made = owner
            .submit(
                "/console/directories",
                &[("name", provider), ("provider", provider)],
            )
            .await;
        assert_eq!(
            made.status,
            if provider == "native" { 303 } else { 201 },
            "{made}"
        );
        let id = directory_id(&server, provider).await;
        says(
            provider,
            &owner.page(&format!("/console/directories/{id}")).await,
            &[heading, step],
        );
    }
    server.stop().await;
}

#[tokio::test]
async fn what_was_wrong_stands_on_the_form_with_what_was_sent() {
    let server = TestServer::start().await;
    let mut owner = Browser::of_owner(&server, "olga").await;
    owner
        .submit("/console/directories", &[("name", "Contoso")])
        .await;
    for (name, fields, said) in [
        (
            "taken",
            [("name", "contoso"), ("provider", "okta")],
            "already used",
        ),
        ("nameless", [("name", " "), ("provider", "okta")], "name"),
        (
            "a provider that there is not",
            [("name", "x"), ("provider", "mainframe")],
            "mainframe",
        ),
    ] {
        let page = owner.not_done("/console/directories", &fields).await;
        says(name, &page, &["New directory", "This was not done", said]);
        assert_eq!(
            page.contains("value=\"okta\" checked"),
            fields[1].1 == "okta",
            "{name}: {page}"
        );
    }
    server.stop().await;
}

#[tokio::test]
async fn tokens_are_made_rotated_and_revoked() {
    let server = TestServer::start().await;
    let first = server.directory("entra").await;
    let id = directory_id(&server, "entra 1").await;
    let mut owner = Browser::of_owner(&server, "olga").await;
    let here = format!("/console/directories/{id}/tokens");
    let made = owner.submit(&here, &[("name", "second")]).await;
    let second = provider(&server, &id, &secret(&made));
    let fields = [("name", "third"), ("overlap", "3600")];
    let rotated = owner.submit(&format!("{here}/rotate"), &fields).await;
    says(
        "rotated",
        &html(&rotated),
        &["The former ones end at 5 Jan 2026, 09:00 UTC"],
    );
    let third = provider(&server, &id, &secret(&rotated));
    for (name, client) in [("first", &first), ("second", &second), ("third", &third)] {
        assert_eq!(client.get("/Users").await.status, 200, "{name}");
    }
    let tokens = server
        .admin()
        .get(&format!("/directories/{id}/tokens"))
        .await;
    let last = tokens.json.as_array().unwrap().last().unwrap()["id"]
        .as_str()
        .unwrap();
    let page = owner.done(&format!("{here}/{last}/revoke"), &[]).await;
    says(
        "revoked",
        &page,
        &["The token “third” is revoked", "Revoked", "Works"],
    );
    assert_eq!(third.get("/Users").await.status, 401);
    assert_eq!(first.get("/Users").await.status, 200);
    let long = "x".repeat(101);
    says(
        "a name too long",
        &owner.not_done(&here, &[("name", &long)]).await,
        &["1 to 100 characters"],
    );
    let never = format!("{here}/{id}/revoke");
    assert_eq!(owner.submit(&never, &[]).await.status, 404);
    server.stop().await;
}

#[tokio::test]
async fn rules_are_changed_and_a_directory_is_removed_by_its_name() {
    let server = TestServer::start().await;
    server.directory("entra").await;
    let id = directory_id(&server, "entra 1").await;
    let mut owner = Browser::of_owner(&server, "olga").await;
    let here = format!("/console/directories/{id}");
    let rules = format!("{here}/rules");
    let fields = [
        ("name", "Contoso"),
        ("profile", "strict"),
        ("users", "hide"),
        ("groups", "keep"),
        ("unique_group_names", "true"),
    ];
    let page = owner.done(&rules, &fields).await;
    says(
        "saved",
        &page,
        &[
            "The rules are saved",
            "Contoso",
            "value=\"strict\" checked",
            "value=\"hide\" checked",
        ],
    );
    let view = server.admin().get("/directories/Contoso").await;
    assert_eq!(
        (view.text("users"), view.text("groups")),
        ("hide", "keep"),
        "{view}"
    );
    let page = owner
        .not_done(&rules, &[("name", "Contoso"), ("users", "explode")])
        .await;
    says("not saved", &page, &["This was not done", "explode"]);

    let delete = format!("{here}/delete");
    says(
        "another name",
        &owner.not_done(&delete, &[("name", "contoso ltd")]).await,
        &["is not that of the directory"],
    );
    says(
        "removed",
        &owner.done(&delete, &[("name", "Contoso")]).await,
        &["Contoso is removed", "No directory yet"],
    );
    assert_eq!(owner.get(&here).await.status, 404);
    server.stop().await;
}
