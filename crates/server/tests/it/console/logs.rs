//! The log.

use super::{directory_id, keeps_quiet, person, says};
use crate::browser::Browser;
use http::Method;
use portreeve_testbed::TestServer;
use serde_json::Value;

#[tokio::test]
async fn the_log_is_narrowed_down_by_its_address() {
    let server = TestServer::start().await;
    let provider = server.directory("entra").await;
    let ada = person(&provider, "ada", true).await;
    let stranger = provider.with_token(Some("prv_scim_wrong"));
    assert_eq!(stranger.get("/Users").await.status, 401);
    let mut owner = Browser::of_owner(&server, "olga").await;
    let (made, came, wrong) = ("entra 1 created ada", "olga signed in", "token_malformed");
    for (query, shown, hidden) in [
        ("", vec![made, came, wrong], vec![]),
        ("?category=SCIM_SYNC", vec![made, wrong], vec![came]),
        ("?category=AUTH&outcome=ok", vec![came], vec![made, wrong]),
        ("?outcome=refused", vec![wrong], vec![made, came]),
        ("?reason=token_malformed", vec![wrong], vec![made]),
        ("?action=create&category=SCIM_SYNC", vec![made], vec![wrong]),
        ("?from=2026-01-05T09:00", vec!["Nothing found"], vec![made]),
        ("?to=2026-01-05T09:00", vec![made], vec!["Nothing found"]),
    ] {
        let page = owner.page(&format!("/console/logs{query}")).await;
        says(query, &page, &shown);
        keeps_quiet(query, &page, &hidden);
    }
    let about = owner.page(&format!("/console/logs?object={ada}")).await;
    says("about ada", &about, &[made, "1 event"]);
    let answer = owner.get("/console/logs?from=yesterday").await;
    assert_eq!(answer.status, 422, "{answer}");
    let page = crate::browser::html(&answer);
    says(
        "no moment",
        &page,
        &["“yesterday” is no moment", "value=\"yesterday\""],
    );
    server.stop().await;
}

#[tokio::test]
async fn an_event_leads_to_its_directory_and_to_all_of_its_request() {
    let server = TestServer::start().await;
    let provider = server.directory("entra").await;
    let ada = person(&provider, "ada", true).await;
    let directory = directory_id(&server, "entra 1").await;
    let mut owner = Browser::of_owner(&server, "olga").await;
    let events = server.admin().get(&format!("/events?object={ada}")).await;
    let event = &events.json[0];
    let here = format!("/console/logs/{}", event["id"].as_str().unwrap());
    let page = owner.page(&here).await;
    let link = format!("<a href=\"/console/directories/{directory}\"><bdi>entra 1</bdi></a>");
    let request = event["request_id"].as_str().unwrap();
    let all = format!("/console/logs?request={request}");
    says(
        "the event",
        &page,
        &["entra 1 created ada", &link, &all, "userName", "Position"],
    );
    says(
        "its request",
        &owner.page(&all).await,
        &["entra 1 created ada", "1 event"],
    );

    let removed = server
        .admin()
        .delete(&format!("/directories/{directory}"))
        .await;
    assert_eq!(removed.status, 204, "{removed}");
    let page = owner.page(&here).await;
    says(
        "afterwards",
        &page,
        &["A removed directory created ada", &directory],
    );
    keeps_quiet("afterwards", &page, &[&link]);
    assert_eq!(owner.get(&format!("/console/logs/{ada}")).await.status, 404);
    server.stop().await;
}

#[tokio::test]
async fn what_is_shown_is_saved_under_a_name_and_forgotten() {
    let server = TestServer::start().await;
    let mut owner = Browser::of_owner(&server, "olga").await;
    keeps_quiet(
        "all",
        &owner.page("/console/logs").await,
        &["Save this view…"],
    );
    let query = "category=AUTH&outcome=refused";
    let page = owner.page(&format!("/console/logs?{query}")).await;
    says("narrowed down", &page, &["Save this view…"]);
    let fields = [("name", "Refused sign-ins"), ("query", query)];
    let page = owner.done("/console/logs/views", &fields).await;
    let link = "/console/logs?category=AUTH&#38;outcome=refused";
    says(
        "saved",
        &page,
        &["The view “Refused sign-ins” is saved", link],
    );
    for (name, fields, said) in [
        ("twice", fields, "already used"),
        ("nameless", [("name", " "), ("query", query)], "name"),
    ] {
        says(
            name,
            &owner.not_done("/console/logs/views", &fields).await,
            &[said],
        );
    }
    let (_, rest) = page
        .split_once("action=\"/console/logs/views/")
        .expect("a button");
    let (id, _) = rest.split_once('/').unwrap();
    let page = owner
        .done(&format!("/console/logs/views/{id}/remove"), &[])
        .await;
    says("removed", &page, &["The view is removed"]);
    keeps_quiet("removed", &page, &[link]);
    server.stop().await;
}

#[tokio::test]
async fn the_log_is_exported_as_far_as_it_is_shown() {
    let server = TestServer::start().await;
    let provider = server.directory("entra").await;
    for name in ["=ada", "bob"] {
        person(&provider, name, true).await;
    }
    let mut owner = Browser::of_owner(&server, "olga").await;
    let csv = owner.get("/console/logs.csv?category=SCIM_SYNC").await;
    assert_eq!(csv.header("content-type"), Some("text/csv; charset=utf-8"));
    assert_eq!(
        csv.header("content-disposition"),
        Some("attachment; filename=\"events.csv\"")
    );
    let text = csv.json.as_str().unwrap();
    let lines: Vec<_> = text.split("\r\n").filter(|line| !line.is_empty()).collect();
    assert_eq!(lines.len(), 1 + 2, "{text}");
    assert!(lines[0].starts_with("time,category,action,"), "{text}");
    assert!(
        lines[1].contains(",bob,") && lines[2].contains(",'=ada,"),
        "the newest first, and no formula: {text}"
    );

    // As browsers ask.
    let packed = [("accept-encoding", "gzip, deflate, br, zstd")];
    let packed = owner
        .send(Method::GET, "/console/logs.csv", &packed, None)
        .await;
    assert_eq!(packed.status, 200, "and it comes whole");
    assert!(packed.header("content-encoding").is_some(), "{packed}");

    let json = owner.get("/console/logs.json").await;
    assert_eq!(json.header("content-type"), Some("application/x-ndjson"));
    let text = json.json.as_str().unwrap();
    let events: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("an event"))
        .collect();
    let all = server.admin().get("/events?after=").await;
    let positions = |events: &[Value]| {
        events
            .iter()
            .map(|event| event["position"].clone())
            .collect::<Vec<_>>()
    };
    let mut shown = positions(&events);
    shown.reverse();
    assert_eq!(shown, positions(all.json.as_array().unwrap()));
    assert_eq!(owner.get("/console/logs.csv?to=never").await.status, 422);
    server.stop().await;
}

/// A page is made, comes and begins to listen: what happens meanwhile is not lost.
#[tokio::test]
async fn a_page_hears_what_has_happened_since_it_was_made() {
    let server = TestServer::start().await;
    let provider = server.directory("entra").await;
    let mut owner = Browser::of_owner(&server, "olga").await;
    let page = owner.page("/console/users").await;
    let (_, rest) = page.split_once("data-live-url=\"").expect("it listens");
    let (here, _) = rest.split_once('"').unwrap();
    let ada = person(&provider, "ada", true).await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let long_ago = format!("/console/live?after={}", i64::MIN);
    for (name, path, hears) in [
        ("since it was made", here, true),
        ("from now on", "/console/live", false),
        ("since long ago", &long_ago, false),
        ("since no time", "/console/live?after=noon", false),
    ] {
        let live = http.get(format!("{}{path}", owner.origin));
        let live = live.header("cookie", owner.session()).send().await;
        let first = live.unwrap().chunk().await.unwrap().expect("something");
        let first = String::from_utf8_lossy(&first);
        assert_eq!(first.contains(&ada), hears, "{name}: {first}");
    }
    server.stop().await;
}
