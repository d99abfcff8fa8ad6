//! Which devices are let in, and how a tablet is set up.

use super::{House, code, with_desk};
use http::Method;
use serde_json::json;

const SAME: (&str, &str) = ("sec-fetch-site", "same-origin");
const JSON: (&str, &str) = ("content-type", "application/json");

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn a_device_sees_its_own_location_and_hears_nothing_of_others() {
    let house = House::start().await;
    let (door, other) = (
        house.door("Pier 7", with_desk()).await,
        house.door("Gate", with_desk()).await,
    );
    let api = house.server.stranger();
    let mut damaged = door.token.clone();
    damaged.replace_range(60..64, "AAAA");
    let revoked = house.door("Old", with_desk()).await;
    let path = format!(
        "/visit-locations/{}/devices/{}",
        revoked.id, revoked.device_id
    );
    let sent_away = house.server.admin().delete(&path).await;
    assert!(sent_away.status < 300, "{sent_away}");
    let (own, own_name) = (format!("/visit/{}", door.id), "/visit/pier%207".to_owned());
    let elsewhere = format!("/visit/{}", other.id);
    for (name, path, token, expected) in [
        ("its own", &own, Some(&door.token), (200, "")),
        ("by name", &own_name, Some(&door.token), (200, "")),
        ("none", &own, None, (401, "device_missing")),
        (
            "garbage",
            &own,
            Some(&"x".to_owned()),
            (401, "device_unknown"),
        ),
        (
            "another kind",
            &own,
            Some(&"prv_api_AAAA".to_owned()),
            (401, "device_unknown"),
        ),
        (
            "another secret",
            &own,
            Some(&damaged),
            (401, "device_unknown"),
        ),
        (
            "revoked",
            &own,
            Some(&revoked.token),
            (401, "device_revoked"),
        ),
        (
            "another location",
            &elsewhere,
            Some(&door.token),
            (401, "device_elsewhere"),
        ),
        (
            "no location",
            &"/visit/nowhere".to_owned(),
            Some(&door.token),
            (401, "device_elsewhere"),
        ),
    ] {
        let client = api.with_token(token.map(String::as_str));
        for (method, what, body) in [
            (Method::GET, "state", None),
            (Method::GET, "roll-call", None),
            (Method::GET, "people?q=ada", None),
            (
                Method::POST,
                "visits",
                Some(json!({"visitor_host": null, "name": "Mia"})),
            ),
            (Method::POST, "sign-out", Some(json!({"name": "Mia"}))),
        ] {
            let text = body.map(|body| body.to_string());
            let answer = client
                .send(method, &format!("{path}/{what}"), &[JSON, SAME], text)
                .await;
            let status = if answer.status < 400 {
                200
            } else {
                answer.status
            };
            // What it is let in to is said elsewhere; who is not let in hears why, and nothing of the location.
            let seen = match expected.0 {
                200 => (status, ""),
                _ => (status, code(&answer)),
            };
            assert_eq!(seen, expected, "{name}, {what}: {answer}");
            let said = answer.json.to_string();
            assert!(
                expected.0 == 200 || !said.contains("Gate"),
                "{name}: {said}"
            );
        }
    }
    assert!(
        house
            .visits()
            .await
            .iter()
            .all(|visit| visit["location"]["name"] == "Pier 7")
    );
    let refusals = house.refusals().await;
    for reason in ["device_unknown", "device_revoked", "device_elsewhere"] {
        assert!(
            refusals.iter().any(|it| it == reason),
            "{reason}: {refusals:?}"
        );
    }
    house.server.stop().await;
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn a_tablet_keeps_its_token_where_no_script_sees_it_and_no_other_site_uses_it() {
    let house = House::start().await;
    let door = house.door("Pier 7", with_desk()).await;
    let elsewhere = house.door("Gate", with_desk()).await;
    let tablet = door.tablet.with_token(None);
    let token = |token: &str| Some(json!({"token": token}).to_string());
    let cross = ("sec-fetch-site", "cross-site");
    for (name, headers, body, expected) in [
        (
            "from another site",
            vec![JSON, cross],
            token(&door.token),
            403,
        ),
        ("from who knows where", vec![JSON], token(&door.token), 403),
        (
            "a form",
            vec![("content-type", "text/plain"), SAME],
            token(&door.token),
            415,
        ),
        (
            "of another location",
            vec![JSON, SAME],
            token(&elsewhere.token),
            401,
        ),
        ("no token", vec![JSON, SAME], token("no token"), 401),
        (
            "something else",
            vec![JSON, SAME],
            Some("{}".to_owned()),
            400,
        ),
    ] {
        let answer = tablet.send(Method::POST, "/device", &headers, body).await;
        assert_eq!(answer.status, expected, "{name}: {answer}");
        assert_eq!(answer.header("set-cookie"), None, "{name}");
    }
    let kept = tablet
        .send(Method::POST, "/device", &[JSON, SAME], token(&door.token))
        .await;
    assert_eq!(kept.status, 204, "{kept}");
    let cookie = kept.header("set-cookie").unwrap().to_owned();
    for part in ["; HttpOnly", "; SameSite=Strict", "; Path=/visit;"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let cookie = ("cookie", cookie.split(';').next().unwrap());
    let state = tablet.send(Method::GET, "/state", &[cookie], None).await;
    assert_eq!(state.status, 200, "{state}");
    assert!(state.header("set-cookie").is_some(), "it is kept on");
    let mia = || Some(json!({"visitor_host": null, "name": "Mia"}).to_string());
    for (name, headers, expected) in [
        ("another site", vec![cookie, JSON, cross], 403),
        ("another site that says nothing", vec![cookie, JSON], 403),
        (
            "no media type",
            vec![cookie, ("content-type", "text/plain"), SAME],
            415,
        ),
        ("its own page", vec![cookie, JSON, SAME], 201),
    ] {
        let answer = tablet.send(Method::POST, "/visits", &headers, mia()).await;
        assert_eq!(answer.status, expected, "{name}: {answer}");
    }
    house.server.stop().await;
}

#[tokio::test]
async fn behind_tls_the_cookie_goes_nowhere_else() {
    let house = House::start_with(|config| {
        config.public_url = Some("https://portreeve.contoso.example".to_owned());
    })
    .await;
    let door = house.door("Pier 7", with_desk()).await;
    let body = Some(json!({"token": door.token}).to_string());
    let kept = door
        .tablet
        .with_token(None)
        .send(Method::POST, "/device", &[JSON, SAME], body)
        .await;
    let cookie = kept.header("set-cookie").unwrap();
    assert!(cookie.contains("; Secure;"), "{cookie}");
    house.server.stop().await;
}
