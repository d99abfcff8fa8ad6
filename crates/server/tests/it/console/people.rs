//! Users and groups.

use super::{actions, directory_id, group, keeps_quiet, made, native, person, says};
use crate::browser::Browser;
use portreeve_testbed::TestServer;
use serde_json::json;

#[tokio::test]
async fn users_are_looked_for_and_narrowed_down() {
    let server = TestServer::start().await;
    let provider = server.directory("entra").await;
    for (name, active) in [
        ("ada@contoso.example", true),
        ("bob@contoso.example", false),
    ] {
        person(&provider, name, active).await;
    }
    let path = "/directories/entra%201/users/ada@contoso.example";
    server.admin().patch(path, json!({"level": "admin"})).await;
    let mut owner = Browser::of_owner(&server, "olga").await;
    let (ada, bob) = ("ada@contoso.example", "bob@contoso.example");
    for (query, shown, hidden) in [
        ("", vec![ada, bob, "2 users"], vec![]),
        ("?q=bob", vec![bob], vec![ada]),
        ("?status=active", vec![ada], vec![bob]),
        ("?status=suspended", vec![bob], vec![ada]),
        ("?q=ada&status=suspended", vec!["Nobody found"], vec![bob]),
        ("?level=admin", vec![ada], vec![bob]),
        ("?q=carol", vec!["Nobody found"], vec![ada, bob]),
    ] {
        let page = owner.page(&format!("/console/users{query}")).await;
        says(query, &page, &shown);
        keeps_quiet(query, &page, &hidden);
    }
    let page = owner.page("/console/users").await;
    assert_eq!(
        page.matches(ada).count(),
        1 + 1,
        "an address that is the user name is said once, beside the name: {page}"
    );
    server.stop().await;
}

#[tokio::test]
async fn a_provisioned_user_is_changed_at_the_source_and_kept_out_here() {
    let server = TestServer::start().await;
    let provider = server.directory("entra").await;
    let ada = person(&provider, "ada", true).await;
    let directory = directory_id(&server, "entra 1").await;
    let mut owner = Browser::of_owner(&server, "olga").await;
    let here = format!("/console/users/{directory}/{ada}");
    let page = owner.page(&here).await;
    says(
        "the page",
        &page,
        &["Managed by", "entra 1", "It is changed there", "Suspend…"],
    );
    keeps_quiet("the page", &page, &["Delete…", "<h2>Change</h2>"]);
    for (action, fields, said, then) in [
        (
            "level",
            vec![("level", "auditor")],
            "The level is changed",
            "Auditor",
        ),
        ("suspend", vec![], "They are suspended", "Reinstate…"),
        ("reinstate", vec![], "They are reinstated", "Suspend…"),
        (
            "sessions/end",
            vec![],
            "signed out everywhere",
            "Not signed in anywhere",
        ),
    ] {
        let page = owner.done(&format!("{here}/{action}"), &fields).await;
        says(action, &page, &[said, then]);
    }
    for (action, fields) in [("", vec![("user_name", "eve")]), ("/delete", vec![])] {
        let page = owner.not_done(&format!("{here}{action}"), &fields).await;
        says(action, &page, &["change it there"]);
    }
    let page = owner
        .not_done(&format!("{here}/level"), &[("level", "emperor")])
        .await;
    says("a level that there is not", &page, &["Choose a level"]);
    assert_eq!(
        actions(&server, &ada).await,
        ["create", "level", "suspend", "reinstate"]
    );
    server.stop().await;
}

#[tokio::test]
async fn a_native_user_is_made_changed_and_deleted() {
    let server = TestServer::start().await;
    let staff = native(&server).await;
    let mut owner = Browser::of_owner(&server, "olga").await;
    says(
        "the form",
        &owner.page("/console/users/new").await,
        &["New user", "Staff"],
    );
    let ada = [
        ("directory", staff.as_str()),
        ("user_name", "ada"),
        ("display_name", "Ada"),
    ];
    let page = owner.done("/console/users", &ada).await;
    says("made", &page, &["Ada is made", "<h2>Change</h2>"]);

    let again = [
        ("directory", staff.as_str()),
        ("user_name", "ada"),
        ("display_name", "Another Ada"),
    ];
    let page = owner.not_done("/console/users", &again).await;
    says(
        "twice",
        &page,
        &["New user", "already used", "value=\"Another Ada\""],
    );

    let found = server.admin().get("/directories/Staff/users/ada").await;
    let here = format!("/console/users/{staff}/{}", found.id());
    let change = [
        ("user_name", "ada"),
        ("display_name", "Ada Lovelace"),
        ("email", "ada@contoso.example"),
    ];
    let page = owner.done(&here, &change).await;
    says(
        "changed",
        &page,
        &[
            "The changes are saved",
            "Ada Lovelace",
            "ada@contoso.example",
        ],
    );
    let bob = json!({"user_name": "bob"});
    made(&server, "/directories/Staff/users", bob).await;
    let page = owner.not_done(&here, &[("user_name", "bob")]).await;
    says("another's name", &page, &["Ada Lovelace", "already used"]);
    let page = owner.done(&format!("{here}/delete"), &[]).await;
    says("deleted", &page, &["Ada Lovelace is deleted", "1 user"]);
    assert_eq!(
        actions(&server, found.id()).await,
        ["create", "replace", "delete"]
    );
    assert_eq!(owner.get(&here).await.status, 404);
    server.stop().await;
}

#[tokio::test]
async fn a_group_says_where_its_members_come_from_and_takes_some_for_a_while() {
    let server = TestServer::start().await;
    let provider = server.directory("entra").await;
    let ada = person(&provider, "ada", true).await;
    let bob = person(&provider, "bob", true).await;
    let inner = group(&provider, "inner", &[]).await;
    let sales = group(&provider, "Sales", &[&ada, &inner]).await;
    let directory = directory_id(&server, "entra 1").await;
    let mut owner = Browser::of_owner(&server, "olga").await;
    let here = format!("/console/groups/{directory}/{sales}");
    let page = owner.page(&here).await;
    says(
        "the page",
        &page,
        &["There are groups in this group", "Add a member…"],
    );
    keeps_quiet("the page", &page, &["Rename…", "Delete…", "Remove…"]);

    let members = format!("{here}/members");
    for (name, fields, said) in [
        (
            "nobody",
            [("id", "carol"), ("until", "")],
            "is nobody with that user name",
        ),
        (
            "no moment",
            [("id", "bob"), ("until", "soon")],
            "is no time",
        ),
        (
            "the past",
            [("id", "bob"), ("until", "2020-01-01T00:00")],
            "This was not done",
        ),
    ] {
        says(
            name,
            &owner.not_done(&members, &fields).await,
            &[said, "Sales"],
        );
    }
    let fields = [("id", "bob"), ("until", "2026-01-06T08:00")];
    let page = owner.done(&members, &fields).await;
    says(
        "added",
        &page,
        &["bob is a member now", "6 Jan 2026, 08:00 UTC", "Remove…"],
    );
    let page = owner.done(&format!("{members}/{bob}/remove"), &[]).await;
    says("removed", &page, &["The member is removed"]);
    keeps_quiet("removed", &page, &["6 Jan 2026, 08:00 UTC</time></td>"]);
    let foreign = format!("{members}/{ada}/remove");
    says(
        "of the provider",
        &owner.not_done(&foreign, &[]).await,
        &["change it there"],
    );
    server.stop().await;
}

#[tokio::test]
async fn a_native_group_is_made_renamed_and_deleted() {
    let server = TestServer::start().await;
    let staff = native(&server).await;
    let ada = made(
        &server,
        "/directories/Staff/users",
        json!({"user_name": "ada"}),
    )
    .await;
    let mut owner = Browser::of_owner(&server, "olga").await;
    let of = |name| [("directory", staff.as_str()), ("display_name", name)];
    let page = owner.done("/console/groups", &of("web-ops")).await;
    says("made", &page, &["web-ops is made", "Nobody yet"]);
    says(
        "nameless",
        &owner.not_done("/console/groups", &of(" ")).await,
        &["New group", "This was not done"],
    );
    let groups = server.admin().get("/directories/Staff/groups").await;
    let id = groups.json[0]["id"].as_str().unwrap();
    let here = format!("/console/groups/{staff}/{id}");
    says(
        "a member",
        &owner
            .done(&format!("{here}/members"), &[("id", "ada")])
            .await,
        &["is a member now"],
    );
    says(
        "gone again",
        &owner
            .done(&format!("{here}/members/{ada}/remove"), &[])
            .await,
        &["Nobody yet"],
    );
    says(
        "renamed",
        &owner.done(&here, &[("display_name", "web")]).await,
        &["another name now", ">web<"],
    );
    says(
        "deleted",
        &owner.done(&format!("{here}/delete"), &[]).await,
        &["web is deleted", "No groups yet"],
    );
    server.stop().await;
}
