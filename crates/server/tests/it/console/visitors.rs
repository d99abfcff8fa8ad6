//! What concerns visitors: locations, devices, visits, and whom visitors find.

use super::{actions, keeps_quiet, made, says};
use crate::browser::{Browser, html};
use portreeve_testbed::{Client, TestServer};
use serde_json::{Value, json};

/// A little after the time at which servers of tests begin, by the clock of Vienna.
const SOON: &str = "2026-01-05T09:30";
const HIDDEN: &str = "Not visible: hidden by hand";

/// A server whose team has a directory for visitors; its provider, and an owner at the console.
async fn town() -> (TestServer, Client, Browser) {
    let server = TestServer::start().await;
    let preset = json!({"preset": "visitor-hosts"});
    let provider = server.directory_with("entra", preset).await;
    let owner = Browser::of_owner(&server, "olga").await;
    (server, provider, owner)
}

fn id_of(provider: &Client) -> String {
    let id = provider.base().rsplit('/').nth(1);
    id.expect("the id of a directory").to_owned()
}

/// Somebody whom a provider sends; their id.
async fn person(provider: &Client, first: &str, last: &str) -> String {
    let address = format!("{}@contoso.example", first.to_lowercase());
    let made = provider
        .post(
            "/Users",
            json!({
                "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
                "userName": address,
                "displayName": format!("{first} {last}"),
                "name": {"givenName": first, "familyName": last},
                "emails": [{"type": "work", "value": address}],
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"department": "Engines"},
            }),
        )
        .await;
    assert_eq!(made.status, 201, "{made}");
    made.id().to_owned()
}

async fn location(server: &TestServer, name: &str) -> String {
    let there = json!({"name": name, "time_zone": "Europe/Vienna"});
    made(server, "/visit-locations", there).await
}

/// The settings of a location as its form sends them, with some of them in place of the usual.
fn settings<'a>(other: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let usual = [
        ("name", "Vienna"),
        ("time_zone", "Europe/Vienna"),
        ("hours", ""),
        ("groups", ""),
        ("names", "full"),
        ("language", "en"),
    ];
    let usual = usual
        .into_iter()
        .filter(|(name, _)| !other.iter().any(|(given, _)| given == name));
    usual.chain(other.iter().copied()).collect()
}

#[tokio::test]
async fn the_area_is_there_once_visitors_are_received() {
    let server = TestServer::start().await;
    let mut owner = Browser::of_owner(&server, "olga").await;
    let entry = "<a href=\"/console/visitors\"";
    keeps_quiet("before", &owner.page("/console").await, &[entry]);
    let page = owner.page("/console/visitors").await;
    says("nowhere", &page, &["Nobody is received yet"]);
    let page = owner.page("/console/visitors/people").await;
    let make = "/console/directories/new?for=visitors";
    says("no directory", &page, &[make]);
    let page = owner.page(make).await;
    says("its form", &page, &["value=\"hide\" checked"]);

    let new = [
        ("name", "Contoso visitors"),
        ("provider", "entra"),
        ("visitors", "true"),
    ];
    let answer = owner.submit("/console/directories", &new).await;
    assert_eq!(answer.status, 201, "{answer}");
    says("after", &owner.page("/console").await, &[entry]);
    let found = server.admin().get("/directories/Contoso%20visitors").await;
    assert_eq!(found.json["visitors"], true, "{found}");
    let rules = format!("/console/directories/{}/rules", found.id());
    owner.done(&rules, &[("name", "Contoso visitors")]).await;
    keeps_quiet("turned off", &owner.page("/console").await, &[entry]);
    server.stop().await;
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one story")]
async fn a_location_is_made_decided_about_and_deleted() {
    let (server, provider, mut owner) = town().await;
    super::group(&provider, "Engineers", &[]).await;
    let new = [("name", "Vienna"), ("time_zone", "Europe/Vienna")];
    let page = owner.done("/console/visitors/locations", &new).await;
    says(
        "made",
        &page,
        &[
            "Vienna is made",
            "There is none: nobody can sign in",
            "Say below who is",
        ],
    );
    let page = owner.not_done("/console/visitors/locations", &new).await;
    says(
        "twice",
        &page,
        &["New location", "already", "value=\"Vienna\""],
    );

    let found = server.admin().get("/visit-locations/Vienna").await;
    let here = format!("/console/visitors/locations/{}", found.id());
    let all = settings(&[
        ("hours", "Mon-Fri 08:30-17:00\r\nsat 10:00-12:00"),
        ("groups", "engineers"),
        ("names", "short"),
        ("departments", "true"),
        ("language", "fr"),
        ("languages", "de"),
        ("ask_purpose", "true"),
        ("fallback_name", "Reception"),
        ("fallback_email", "desk@contoso.example"),
        ("photo_consent", "I agree."),
        ("webhook", "https://hooks.contoso.example/visits"),
    ]);
    let page = owner.done(&here, &all).await;
    says(
        "saved",
        &page,
        &[
            "The settings are saved",
            "Mon-Fri 08:30-17:00\nSat 10:00-12:00",
            "Engineers</textarea>",
            "I agree.",
        ],
    );
    let found = server.admin().get("/visit-locations/Vienna").await.json;
    let expected = json!([
        ["fr", "de"],
        "short",
        true,
        false,
        true,
        "desk@contoso.example",
        ["Engineers"]
    ]);
    let got = json!([
        found["languages"],
        found["names"],
        found["departments"],
        found["ask_company"],
        found["ask_purpose"],
        found["fallback"]["email"],
        found["group_names"],
    ]);
    assert_eq!(got, expected, "{found}");

    let secret = format!("{here}/webhook-secret");
    let shown = owner.submit(&secret, &[]).await;
    let known = "/visit-locations/Vienna/webhook-secret";
    let known = server.admin().get(known).await;
    says("the secret", &html(&shown), &[known.text("secret")]);
    let page = owner.page(&secret).await;
    keeps_quiet("asked for again", &page, &[known.text("secret")]);

    for (name, other, said) in [
        (
            "no such zone",
            ("time_zone", "Vienna"),
            "there is no time zone",
        ),
        ("no hours", ("hours", "always open"), "is no opening time"),
        ("no time", ("hours", "Mon 08:00-25:00"), "is no time of day"),
        (
            "no such group",
            ("groups", "Strangers"),
            "has a group “Strangers”",
        ),
        (
            "half a fallback",
            ("fallback_name", "Nobody's desk"),
            "is no mail address",
        ),
        (
            "no https",
            ("webhook", "http://hooks.example"),
            "begins with https",
        ),
    ] {
        let page = owner.not_done(&here, &settings(&[other])).await;
        let kept = other.1.replace('\'', "&#39;");
        says(name, &page, &[said, &kept]);
    }

    let page = owner.done(&format!("{here}/delete"), &[]).await;
    says("deleted", &page, &["Vienna is deleted", "No location yet"]);
    let id = found["id"].as_str().expect("an id");
    assert_eq!(actions(&server, id).await, ["create", "update", "delete"]);
    server.stop().await;
}

#[tokio::test]
async fn a_device_is_shown_its_token_once() {
    let (server, _, mut owner) = town().await;
    let id = location(&server, "Vienna").await;
    let here = format!("/console/visitors/locations/{id}");
    let devices = format!("{here}/devices");
    let answer = owner.submit(&devices, &[("name", "Tablet")]).await;
    assert_eq!(answer.status, 201, "{answer}");
    let page = html(&answer);
    let token = page
        .split("setup#")
        .nth(1)
        .and_then(|rest| rest.split('"').next());
    let token = token.expect("a token").to_owned();
    let setup = format!("/visit/{id}/setup#{token}");
    says(
        "made",
        &page,
        &["Tablet", &setup, &format!("value=\"{token}\"")],
    );
    let page = owner.page(&here).await;
    keeps_quiet("later", &page, &[&token]);
    says("later", &page, &["Tablet", "Works", "never"]);
    let page = owner.not_done(&devices, &[("name", " ")]).await;
    says("no name", &page, &["This was not done"]);

    let found = server
        .admin()
        .get(&format!("/visit-locations/{id}/devices"))
        .await;
    let device = found.json[0]["id"].as_str().expect("an id").to_owned();
    let page = owner.done(&format!("{devices}/{device}/revoke"), &[]).await;
    says("revoked", &page, &["“Tablet” is revoked", "Revoked"]);
    assert_eq!(actions(&server, &device).await, ["create", "revoke"]);
    server.stop().await;
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one story")]
async fn visitors_are_announced_found_and_taken_back() {
    let (server, provider, mut owner) = town().await;
    let ada = person(&provider, "Ada", "King").await;
    let (vienna, graz) = (
        location(&server, "Vienna").await,
        location(&server, "Graz").await,
    );
    let new = |name, place, whom| {
        [
            ("name", name),
            ("company", "Engines"),
            ("location", place),
            ("visitor_host", whom),
            ("expected_at", SOON),
        ]
    };
    let start = "/console/visitors/visits";
    let page = owner
        .done(
            start,
            &new("Charles =Babbage", &vienna, "ada@contoso.example"),
        )
        .await;
    says(
        "announced",
        &page,
        &[
            "Charles =Babbage is expected",
            "Ada King",
            "Vienna",
            "announced a visitor at Vienna",
        ],
    );
    owner.done(start, &new("=Ivo", &graz, "")).await;
    for (name, fields, said) in [
        (
            "nobody",
            new("X", &vienna, "eve@contoso.example"),
            "anybody with the user name “eve@contoso.example”",
        ),
        ("no name", new("", &vienna, ""), "This was not done"),
    ] {
        says(
            name,
            &owner.not_done(start, &fields).await,
            &[said, "Charles =Babbage"],
        );
    }

    for (query, shown, hidden) in [
        (
            String::new(),
            vec!["Charles =Babbage", "=Ivo", "nobody they knew", "2 visits"],
            vec![],
        ),
        (
            format!("?location={graz}"),
            vec!["=Ivo", "1 visit"],
            vec!["Charles"],
        ),
        (
            "?state=here".to_owned(),
            vec!["Nothing found"],
            vec!["Charles"],
        ),
        (
            format!("?visitor_host={ada}"),
            vec!["Charles"],
            vec!["=Ivo"],
        ),
        (
            "?visitor_host=ada@contoso.example".to_owned(),
            vec!["Charles"],
            vec!["=Ivo"],
        ),
        (
            "?from=2020-01-01T00:00&until=2020-01-02T00:00".to_owned(),
            vec!["Nothing found"],
            vec!["Charles"],
        ),
    ] {
        let page = owner.page(&format!("/console/visitors{query}")).await;
        says(&query, &page, &shown);
        keeps_quiet(&query, &page, &hidden);
    }
    for (query, said) in [
        ("visitor_host=eve", "anybody with the user name “eve”"),
        ("location=nowhere", "There is no such location"),
        ("from=yesterday", "is no moment"),
        ("after=x", "cursor"),
    ] {
        let answer = owner.get(&format!("/console/visitors?{query}")).await;
        assert_eq!(answer.status, 422, "{query}: {answer}");
        says(query, &html(&answer), &[said]);
    }

    let csv = owner
        .get(&format!("/console/visitors.csv?location={graz}"))
        .await;
    assert_eq!(csv.header("content-type"), Some("text/csv; charset=utf-8"));
    let csv = html(&csv);
    assert!(csv.contains(",'=Ivo,") && !csv.contains("Charles"), "{csv}");
    let json = owner.get("/console/visitors.json").await;
    assert_eq!(json.header("content-type"), Some("application/x-ndjson"));

    let all = server.admin().get("/visits").await;
    let of = |name: &str| {
        let all = all.json.as_array().expect("visits").iter();
        let found = all.clone().find(|visit| visit["visitor_name"] == name);
        found
            .and_then(|visit| visit["id"].as_str())
            .expect("a visit")
            .to_owned()
    };
    let charles = of("Charles =Babbage");
    let announced = server.admin().get(&format!("/visits/{charles}")).await;
    assert_eq!(
        announced.text("expected_at"),
        "2026-01-05T08:30:00.000000Z",
        "{announced}"
    );
    let out = format!("{start}/{charles}/sign-out");
    let page = owner.done(&out, &[("location", &vienna)]).await;
    says(
        "taken back",
        &page,
        &["Charles =Babbage is not expected any more", "Gone"],
    );
    keeps_quiet("still narrowed down", &page, &["=Ivo"]);
    assert_eq!(actions(&server, &charles).await, ["expect", "cancel"]);
    let photo = owner.get(&format!("{start}/{charles}/photo")).await;
    assert_eq!(photo.status, 404, "there is none: {photo}");
    server.stop().await;
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one story")]
async fn whoever_is_not_found_says_why() {
    let (server, provider, mut owner) = town().await;
    let directory = id_of(&provider);
    let ada = person(&provider, "Ada", "King").await;
    let bob = person(&provider, "Bob", "Hall").await;
    super::group(&provider, "Engineers", &[&ada]).await;
    let vienna = location(&server, "Vienna").await;
    let graz =
        json!({"name": "Graz", "groups": ["Engineers"], "names": "short", "departments": false});
    made(&server, "/visit-locations", graz).await;
    let out: Value = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [{"op": "Replace", "path": "active", "value": false}]});
    let gone = person(&provider, "Carol", "Moss").await;
    provider.patch(&format!("/Users/{gone}"), out).await;

    let of = |id: &str| format!("/console/visitors/people/{directory}/{id}");
    let page = owner.page(&of(&ada)).await;
    says(
        "ada",
        &page,
        &[
            "Visible",
            "Ada King",
            "Ada K.",
            "Engineers",
            "ada@contoso.example",
        ],
    );
    says(
        "bob",
        &owner.page(&of(&bob)).await,
        &["in none of the groups"],
    );
    says(
        "carol",
        &owner.page(&of(&gone)).await,
        &["Not visible: unassigned", "Assign them there again"],
    );
    let list = "/console/visitors/people";
    let page = owner.page(list).await;
    says(
        "all",
        &page,
        &[
            "Ada King",
            "Bob Hall",
            "Not visible: unassigned",
            "Engines",
            "3 people",
        ],
    );
    for (query, shown, hidden) in [
        ("ada", vec!["Ada King"], vec!["Bob Hall"]),
        (
            "carol",
            vec!["Carol Moss", "Not visible: unassigned"],
            vec!["Ada King"],
        ),
        ("nobody", vec!["Nobody found"], vec!["Ada King"]),
    ] {
        let page = owner.page(&format!("{list}?q={query}")).await;
        says(query, &page, &shown);
        keeps_quiet(query, &page, &hidden);
    }

    let own = [
        ("is_hidden", "true"),
        ("nicknames", "Addie"),
        ("alternates", "desk@contoso.example\r\n"),
    ];
    let page = owner.done(&of(&ada), &own).await;
    says(
        "hidden",
        &page,
        &[
            "The changes are saved",
            HIDDEN,
            "desk@contoso.example",
            "they are hidden from visitors",
        ],
    );
    for (name, fields, said) in [
        (
            "no address",
            [("alternates", "desk"), ("nicknames", "Ads")],
            "is no mail address",
        ),
        (
            "nobody",
            [("only_alternates", "true"), ("nicknames", "Ads")],
            "nobody would be told",
        ),
    ] {
        let page = owner.not_done(&of(&ada), &fields).await;
        says(name, &page, &[said, "value=\"Ads\""]);
    }
    let user = format!("/console/users/{directory}/{ada}");
    says("as a user", &owner.page(&user).await, &[HIDDEN, &of(&ada)]);
    let palette = owner.get("/console/palette?q=ada").await.json.to_string();
    says("the palette", &palette, &["Visitor host", &of(&ada)]);
    let palette = owner.get("/console/palette?q=vienn").await.json.to_string();
    says("the palette", &palette, &["Location"]);

    let new = [
        ("name", "Ivo"),
        ("location", &vienna),
        ("expected_at", "2020-01-01T00:00"),
        ("visitor_host", &ada),
        ("directory", &directory),
    ];
    let page = owner.not_done("/console/visitors/visits", &new).await;
    says(
        "where it was asked",
        &page,
        &["at most a year ahead", "What a visitor sees"],
    );
    server.stop().await;
}
