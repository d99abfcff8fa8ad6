//! Hosts, grants, explanations, accounts, certificates and the authority.

use super::{actions, keeps_quiet, says};
use crate::browser::Browser;
use crate::estate::{Estate, STAFF};
use serde_json::json;

const ADA: &str = "ada@contoso.example";

async fn estate() -> (Estate, Browser) {
    let estate = Estate::start().await;
    let owner = Browser::of_owner(&estate.server, "olga").await;
    (estate, owner)
}

#[tokio::test]
async fn hosts_are_looked_for_by_name_and_by_tags() {
    let (estate, mut owner) = estate().await;
    estate.grant("role=web").await;
    for (query, shown, hidden) in [
        ("", vec!["web-1", "db-1", "env=prod", "2 hosts"], vec![]),
        ("web", vec!["web-1"], vec!["db-1"]),
        ("role%3Ddb", vec!["db-1"], vec![">web-1<"]),
        ("not%20role%3Ddb", vec!["web-1"], vec![">db-1<"]),
        ("role%3Dmail", vec!["No host found"], vec!["web-1"]),
        (
            "role%3Dweb%20and%20%29",
            vec!["stands where", "role=web and ", "<mark>"],
            vec!["1 host"],
        ),
    ] {
        let page = owner.page(&format!("/console/hosts?q={query}")).await;
        says(query, &page, &shown);
        keeps_quiet(query, &page, &hidden);
    }
    estate.server.stop().await;
}

#[tokio::test]
async fn a_host_is_made_and_shows_who_may_log_in() {
    let (estate, mut owner) = estate().await;
    let grant = estate.grant("role=web").await;
    let new = [
        ("name", "web-2"),
        ("tags", "role=web\r\nenv=test"),
        ("is_bastion", "true"),
    ];
    let page = owner.done("/console/hosts", &new).await;
    says(
        "made",
        &page,
        &[
            "web-2 is made",
            ADA,
            "<code>ada</code>",
            &format!("/console/access/{grant}"),
            "web-ops",
        ],
    );
    keeps_quiet("who may not", &page, &["bob@contoso.example"]);
    for (name, fields, said) in [
        ("twice", [("name", "WEB-2"), ("tags", "")], "already"),
        (
            "no tag",
            [("name", "web-3"), ("tags", "role")],
            "write key=value",
        ),
        (
            "no name",
            [("name", "-x"), ("tags", "a=b")],
            "cannot be the name of a host",
        ),
    ] {
        let page = owner.not_done("/console/hosts", &fields).await;
        says(name, &page, &["New host", said, fields[0].1]);
    }
    estate.server.stop().await;
}

#[tokio::test]
async fn a_host_is_changed_and_deleted_unless_others_are_behind_it() {
    let (estate, mut owner) = estate().await;
    let bastion = json!({"name": "web-2", "is_bastion": true});
    let found = estate.make("/hosts", bastion).await;
    let here = format!("/console/hosts/{}", found.id());
    let change = [
        ("name", "web-2"),
        ("tags", "role=mail"),
        ("is_bastion", "true"),
    ];
    let page = owner.done(&here, &change).await;
    says(
        "changed",
        &page,
        &["The changes are saved", "Nobody. A grant"],
    );

    let behind = [("name", "web-3"), ("tags", ""), ("bastion", "web-2")];
    owner.done("/console/hosts", &behind).await;
    let page = owner.not_done(&format!("{here}/delete"), &[]).await;
    says(
        "others are behind it",
        &page,
        &["web-3 is reached through web-2"],
    );
    let behind = estate.admin().get("/hosts/web-3").await;
    owner
        .done(&format!("/console/hosts/{}/delete", behind.id()), &[])
        .await;
    let page = owner.done(&format!("{here}/delete"), &[]).await;
    says("deleted", &page, &["web-2 is deleted"]);
    assert_eq!(
        actions(&estate.server, found.id()).await,
        ["create", "update", "delete"]
    );
    assert_eq!(owner.get(&here).await.status, 404);
    estate.server.stop().await;
}

#[tokio::test]
async fn a_grant_says_what_it_comes_to_before_it_is_made() {
    let (estate, mut owner) = estate().await;
    let of = |query: &str| format!("/console/access/new?{query}");
    for (name, query, shown, hidden) in [
        (
            "nothing",
            "",
            vec!["Say who is to have it"],
            vec!["Matches"],
        ),
        (
            "a group",
            "kind=group&subject=web-ops&hosts=role%3Dweb",
            vec![
                "Matches 1 host",
                "For 1 person",
                "Adds 1 person",
                "Removes 0 people",
                "in Staff",
            ],
            vec!["Every host"],
        ),
        (
            "every host",
            "kind=group&subject=web-ops&hosts=*",
            vec!["Matches 2 hosts", "Every host", "2 logins on 2 hosts"],
            vec![],
        ),
        (
            "no host",
            "kind=group&subject=web-ops&hosts=role%3Dmail",
            vec!["Matches 0 hosts", "No host is like that now"],
            vec![],
        ),
        (
            "nobody",
            "kind=group&subject=web-opps&hosts=role%3Dweb",
            vec!["There is no group web-opps", "Matches 1 host"],
            vec!["Adds"],
        ),
        (
            "a wrong expression",
            "kind=group&subject=web-ops&hosts=role%3D",
            vec!["role=", "ends where"],
            vec!["Matches"],
        ),
        (
            "who is offered",
            "kind=user&subject=ad",
            vec!["<option value=\"ada@contoso.example\">", "There is no user"],
            vec![],
        ),
    ] {
        let page = owner.page(&of(query)).await;
        says(name, &page, &shown);
        keeps_quiet(name, &page, &hidden);
    }
    estate.server.stop().await;
}

#[tokio::test]
async fn a_grant_is_made() {
    let (estate, mut owner) = estate().await;
    let new = [
        ("kind", "group"),
        ("subject", "web-ops"),
        ("hosts", "role=web"),
        ("sudo", "true"),
        ("note", "they run it"),
    ];
    let page = owner.done("/console/access/new", &new).await;
    says(
        "made",
        &page,
        &[
            "web-ops may log in to the hosts role=web",
            "they run it",
            "sudo",
            "no end",
        ],
    );
    assert!(estate.may("ada", "web-1").await);
    for (name, changed, said) in [
        (
            "nobody",
            ("subject", "web-opps"),
            "There is nobody of that name",
        ),
        ("no expression", ("hosts", "role="), "wrong at character"),
        ("no host", ("hosts", ""), "wrong at character"),
    ] {
        let fields = new.map(|field| if field.0 == changed.0 { changed } else { field });
        let page = owner.not_done("/console/access/new", &fields).await;
        says(
            name,
            &page,
            &["New grant", said, "aria-invalid=\"true\"", "they run it"],
        );
    }
    estate.server.stop().await;
}

#[tokio::test]
async fn a_grant_is_changed_and_revoked() {
    let (estate, mut owner) = estate().await;
    let id = estate.grant("role=web").await;
    let here = format!("/console/access/{id}");
    let draft = owner.page(&format!("{here}?hosts=role%3Ddb")).await;
    says(
        "a draft",
        &draft,
        &["Adds 1 person", "Removes 1 person", "value=\"role=db\""],
    );
    let change = [("hosts", "role=db"), ("lasts", "8"), ("note", "")];
    let page = owner.done(&here, &change).await;
    says(
        "changed",
        &page,
        &["The grant is changed", "In force", "web-ops: role=db"],
    );
    assert!(estate.may("ada", "db-1").await && !estate.may("ada", "web-1").await);
    let page = owner.done(&format!("{here}/revoke"), &[]).await;
    says(
        "revoked",
        &page,
        &["The access of web-ops is revoked", "No grants yet"],
    );
    says(
        "all",
        &owner.page("/console/access?state=all").await,
        &["Revoked", "role=db"],
    );
    let page = owner.page(&here).await;
    says(
        "over",
        &page,
        &["<fieldset class=\"plain\" disabled>", "Revoked"],
    );
    assert_eq!(
        actions(&estate.server, &id).await,
        ["granted", "changed", "revoked"]
    );
    estate.server.stop().await;
}

#[tokio::test]
async fn temporary_access_counts_down_and_needs_an_end() {
    let (estate, mut owner) = estate().await;
    let new = [
        ("kind", "user"),
        ("subject", "bob@contoso.example"),
        ("hosts", "name=db-1"),
        ("lasts", ""),
    ];
    let page = owner.not_done("/console/access/new", &new).await;
    says("for ever", &page, &["a grant to one person needs an end"]);
    let fields = new.map(|field| {
        if field.0 == "lasts" {
            ("lasts", "4")
        } else {
            field
        }
    });
    let page = owner.done("/console/access/new", &fields).await;
    says(
        "made",
        &page,
        &[
            "Temporary access",
            "<time data-countdown ",
            "Revoke…",
            "bob",
        ],
    );
    assert!(estate.may("bob", "db-1").await);
    let bob = estate
        .admin()
        .get(&format!("{STAFF}/users/bob@contoso.example"))
        .await;
    let staff = estate.admin().get(STAFF).await;
    let page = owner
        .page(&format!("/console/users/{}/{}", staff.id(), bob.id()))
        .await;
    says(
        "bob",
        &page,
        &["Hosts they may log in to", "db-1", "<code>bob</code>"],
    );
    estate.server.stop().await;
}

#[tokio::test]
async fn it_is_explained_why_somebody_may_and_why_not() {
    let (estate, mut owner) = estate().await;
    estate.grant("role=web").await;
    let of = |user: &str, host: &str| format!("/console/access/explain?user={user}&host={host}");
    let page = owner.page("/console/access/explain").await;
    keeps_quiet("nothing asked", &page, &["class=\"alert"]);
    let page = owner.page(&of(ADA, "web-1")).await;
    says(
        "yes",
        &page,
        &[
            "Yes: ada@contoso.example may log in to web-1",
            "Group: yes",
            "Verdict: yes",
            "portreeve explain ada@contoso.example web-1",
            "/console/groups/",
        ],
    );
    keeps_quiet("yes", &page, &[": no<"]);
    let page = owner.page(&of(ADA, "db-1")).await;
    says(
        "no",
        &page,
        &["No: ", "Tags: no", "Tag db-1 so that role=web"],
    );
    for (user, host, said) in [
        ("carol", "web-1", "There is nobody called carol"),
        (ADA, "web-9", "There is no host web-9"),
    ] {
        says(said, &owner.page(&of(user, host)).await, &[said]);
    }
    estate.server.stop().await;
}

#[tokio::test]
async fn account_names_follow_a_rule_that_is_tried_first() {
    let (estate, mut owner) = estate().await;
    let user = json!({"user_name": "eve.adams@contoso.example"});
    estate.make(&format!("{STAFF}/users"), user).await;
    let root = json!({"user_name": "root@contoso.example"});
    estate.make(&format!("{STAFF}/users"), root).await;
    let staff = estate.admin().get(STAFF).await;
    let here = format!("/console/directories/{}/accounts", staff.id());
    let page = owner.page(&here).await;
    says(
        "now",
        &page,
        &["eveadams", "No account", "reserved", "Accounts on hosts"],
    );
    keeps_quiet("now", &page, &["would have an account"]);
    let page = owner.page(&format!("{here}?part=local&dots=hyphen")).await;
    says(
        "tried",
        &page,
        &["3 of 4 people would have an account", "eveadams"],
    );
    let page = owner
        .done(&here, &[("part", "local"), ("dots", "hyphen")])
        .await;
    says("saved", &page, &["eve-adams", "from now on"]);

    let ada = estate.admin().get(&format!("{STAFF}/users/{ADA}")).await;
    let user = format!("/console/users/{}/{}", staff.id(), ada.id());
    let identity = [("name", "deploy"), ("hosts", "role=db")];
    let page = owner.done(&format!("{user}/identities"), &identity).await;
    says(
        "another name",
        &page,
        &["The name is added", "<code>deploy</code>", "role=db"],
    );
    for (fields, said) in [
        ([("name", "root"), ("hosts", "role=db")], "root"),
        ([("name", "dba"), ("hosts", "role=")], "wrong at character"),
    ] {
        let page = owner.not_done(&format!("{user}/identities"), &fields).await;
        says(said, &page, &["This was not done", said]);
    }
    let page = owner
        .done(&format!("{user}/identities/remove"), &identity)
        .await;
    keeps_quiet("removed", &page, &["<code>deploy</code>"]);
    estate.server.stop().await;
}

#[tokio::test]
async fn the_authority_shows_its_keys_and_is_given_new_ones() {
    let (estate, mut owner) = estate().await;
    let here = "/console/settings/authority";
    let page = owner.page(here).await;
    let status = estate.admin().get("/ca").await;
    let fingerprint = status.text("fingerprint").to_owned();
    says(
        "the page",
        &page,
        &[
            &fingerprint,
            "SSH, people",
            "X.509 root",
            "Signs",
            "16 hours",
            "permit-pty",
        ],
    );
    keeps_quiet("the page", &page, &["Announced"]);
    let rotate = format!("{here}/rotate");
    let page = owner
        .done(&rotate, &[("purpose", "user"), ("overlap", "3600")])
        .await;
    says(
        "announced",
        &page,
        &["The new key is made", "Announced", "Let it sign now…"],
    );
    let page = owner
        .not_done(&rotate, &[("purpose", "user"), ("overlap", "3600")])
        .await;
    says("twice", &page, &["is announced already"]);
    let page = owner
        .done(&rotate, &[("purpose", "user"), ("overlap", "0")])
        .await;
    says("now", &page, &["Still trusted"]);
    keeps_quiet("now", &page, &["Announced"]);
    owner.not_done(&rotate, &[("purpose", "moon")]).await;

    estate.server.stop().await;
}

#[tokio::test]
async fn the_policy_of_the_authority_is_changed() {
    let (estate, mut owner) = estate().await;
    let here = "/console/settings/authority";
    let policy = [
        ("user_default", "8"),
        ("user_longest", "12"),
        ("host_default", "720"),
        ("host_longest", "1440"),
        ("extensions", "permit-pty"),
        ("options", "source-address=10.0.0.0/8"),
    ];
    let page = owner.done(&format!("{here}/policy"), &policy).await;
    says(
        "the policy",
        &page,
        &["8 hours", "source-address=10.0.0.0/8"],
    );
    for (field, said) in [
        (
            ("user_default", "24"),
            "between the shortest and the longest",
        ),
        (("user_default", "soon"), "whole numbers"),
        (("options", "colour=blue"), "knows no critical option"),
    ] {
        let fields = policy.map(|one| if one.0 == field.0 { field } else { one });
        let page = owner.not_done(&format!("{here}/policy"), &fields).await;
        says(said, &page, &[said]);
    }
    estate.server.stop().await;
}
