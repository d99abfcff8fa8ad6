//! Signing in and out.

use super::{Door, House, JPEG, code, with_desk};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use serde_json::{Value, json};

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn what_a_visitor_says_is_checked_and_kept_as_text() {
    let house = House::start().await;
    let jane = house.person("Jane", "Doe", "Engines").await;
    let plain = house.door("Plain", json!({})).await;
    let mut settings = with_desk();
    settings["photo_consent"] = json!("Is that all right?");
    let door = house.door("Pier 7", settings).await;
    let script = "<script>alert('x')</script>";
    let picture = STANDARD.encode(JPEG);
    let giant = STANDARD.encode([JPEG, &vec![0; 500_000]].concat());
    let beyond = "A".repeat(2_000_000);
    for (name, door, visitor, more, expected) in [
        ("plain", &door, "Mia", json!({}), (201, "")),
        (
            "a script",
            &door,
            script,
            json!({"company": script, "purpose": script}),
            (201, ""),
        ),
        ("no name", &door, " ", json!({}), (400, "invalid")),
        (
            "a long name",
            &door,
            &"x".repeat(101),
            json!({}),
            (400, "invalid"),
        ),
        (
            "lines",
            &door,
            "Mia\nBcc: x@y.example",
            json!({}),
            (400, "invalid"),
        ),
        (
            "turned letters",
            &door,
            "Mia \u{202E}retsuM",
            json!({}),
            (400, "invalid"),
        ),
        ("NUL", &door, "Mia\0", json!({}), (400, "invalid")),
        (
            "a long purpose",
            &door,
            "Mia",
            json!({"purpose": "x".repeat(201)}),
            (400, "invalid"),
        ),
        (
            "something else",
            &door,
            "Mia",
            json!({"state": "gone"}),
            (400, "invalid"),
        ),
        (
            "nobody to tell",
            &plain,
            "Mia",
            json!({}),
            (409, "nobody_to_tell"),
        ),
        (
            "somebody to tell",
            &plain,
            "Mia",
            json!({"visitor_host": jane}),
            (201, ""),
        ),
        (
            "a picture",
            &door,
            "Mia",
            json!({"photo": picture, "consents": true}),
            (201, ""),
        ),
        (
            "without consent",
            &door,
            "Mia",
            json!({"photo": picture}),
            (400, "no_consent"),
        ),
        (
            "where none is taken",
            &plain,
            "Mia",
            json!({"visitor_host": jane, "photo": picture, "consents": true}),
            (400, "no_consent"),
        ),
        (
            "no base64",
            &door,
            "Mia",
            json!({"photo": "!", "consents": true}),
            (400, "invalid"),
        ),
        (
            "no picture",
            &door,
            "Mia",
            json!({"photo": STANDARD.encode("<svg/>"), "consents": true}),
            (400, "invalid"),
        ),
        (
            "a giant",
            &door,
            "Mia",
            json!({"photo": giant, "consents": true}),
            (400, "invalid"),
        ),
        (
            "beyond it",
            &door,
            "Mia",
            json!({"photo": beyond, "consents": true}),
            (413, "too_large"),
        ),
    ] {
        let before = house.visits().await.len();
        let answer = door.sign_in(visitor, more).await;
        assert_eq!((answer.status, code(&answer)), expected, "{name}: {answer}");
        let after = house.visits().await.len();
        assert_eq!(after - before, usize::from(answer.status == 201), "{name}");
        if answer.status == 201 {
            assert_eq!(answer.json["badge"]["name"], visitor, "{name}: {answer}");
            assert_eq!(answer.header("cache-control"), Some("no-store"), "{name}");
            let qr = answer.json["badge"]["qr"].as_str().unwrap();
            assert!(
                qr.starts_with("<svg ") && !qr.contains("script"),
                "{name}: {qr}"
            );
        }
    }
    let visits = house.visits().await;
    let pictured = visits.iter().filter(|visit| visit["has_photo"] == true);
    assert_eq!(pictured.count(), 1);
    house.server.stop().await;
}

#[tokio::test]
async fn a_double_tap_signs_in_once() {
    let house = House::start().await;
    let door = house.door("Pier 7", with_desk()).await;
    let other = house.door("Gate", with_desk()).await;
    let send = async |door: &Door, key: &str, name: &str| {
        let body = json!({"visitor_host": null, "name": name}).to_string();
        let headers = [("idempotency-key", key)];
        door.tablet
            .send(Method::POST, "/visits", &headers, Some(body))
            .await
    };
    let first = send(&door, "k1", "Mia").await;
    assert_eq!(first.status, 201, "{first}");
    let again = send(&door, "k1", "Mia").await;
    assert_eq!((again.status, &again.json), (201, &first.json));
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    let different = send(&door, "k1", "Kai").await;
    assert_eq!(different.status, 422, "{different}");
    assert_ne!(
        send(&other, "k1", "Mia").await.id(),
        first.id(),
        "another tablet"
    );
    assert_ne!(
        send(&door, "k2", "Mia").await.id(),
        first.id(),
        "another tap"
    );
    assert_eq!(house.visits().await.len(), 3);
    house.server.stop().await;
}

#[tokio::test]
async fn whoever_is_expected_arrives_on_the_visit_that_was_announced() {
    let house = House::start().await;
    let jane = house.person("Jane", "Doe", "Engines").await;
    let adam = house.person("Adam", "Smith", "Law").await;
    let door = house.door("Pier 7", with_desk()).await;
    let announce = async |name: &str, host: Option<&str>, at: &str| {
        let mut visit =
            json!({"location": "Pier 7", "name": name, "company": "Fabrikam", "expected_at": at});
        if let Some(host) = host {
            visit["visitor_host"] = json!(host);
        }
        let made = house.server.admin().post("/visits", visit).await;
        assert_eq!(made.status, 201, "{made}");
        made.id().to_owned()
    };
    let today = "2026-01-05T09:00:00Z";
    let with_jane = announce("Zoë Muster", Some(&jane), today).await;
    let with_nobody = announce("Kai", None, today).await;
    let tomorrow = announce("Noa", Some(&jane), "2026-01-06T09:00:00Z").await;
    assert!(
        door.roll_call().await.is_empty(),
        "they are not in the house yet"
    );
    for (name, visitor, host, expected) in [
        ("with somebody else", "Zoë Muster", Some(&adam), None),
        ("of another name", "Zoë Mustermann", Some(&jane), None),
        ("as announced", "zoe  MUSTER", Some(&jane), Some(&with_jane)),
        ("a second of that name", "Zoë Muster", Some(&jane), None),
        (
            "with whom they say now",
            "Kai",
            Some(&adam),
            Some(&with_nobody),
        ),
        ("a day early", "Noa", Some(&jane), None),
    ] {
        let (id, _) = door.come(visitor, json!({"visitor_host": host})).await;
        match expected {
            Some(expected) => assert_eq!(&id, expected, "{name}"),
            None => assert!(
                ![&with_jane, &with_nobody, &tomorrow].contains(&&id),
                "{name}"
            ),
        }
    }
    let visits = house.visits().await;
    let of = |id: &str| visits.iter().find(|visit| visit["id"] == id).unwrap();
    assert_eq!(
        (&of(&with_jane)["company"], &of(&with_jane)["visitor_name"]),
        (&json!("Fabrikam"), &json!("Zoë Muster")),
        "what was announced stays"
    );
    assert_eq!(of(&with_nobody)["visitor_host"]["id"], json!(adam));
    assert_eq!(of(&tomorrow)["state"], "expected");
    house.server.stop().await;
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one story")]
async fn two_of_one_name_leave_one_after_the_other() {
    let house = House::start().await;
    let door = house.door("Pier 7", with_desk()).await;
    let other = house.door("Gate", with_desk()).await;
    let (first, _) = door
        .come("Mia Muster", json!({"company": "Fabrikam"}))
        .await;
    let (second, badge) = door
        .come("Mia Muster", json!({"company": "Tailspin"}))
        .await;
    let (kai, _) = door.come("Kai Zoë", json!({})).await;
    let (away, away_badge) = other.come("Mia Muster", json!({})).await;
    for (name, wanted, expected) in [
        ("nobody", json!({"name": "Nobody"}), (404, "nobody_here")),
        (
            "the beginning of a name",
            json!({"name": "Mi"}),
            (404, "nobody_here"),
        ),
        ("one letter", json!({"name": "M"}), (400, "too_short")),
        (
            "both",
            json!({"name": "muster mia"}),
            (409, "which_visitor"),
        ),
        (
            "part of the only one",
            json!({"name": "zoe"}),
            (409, "which_visitor"),
        ),
        (
            "a visit and another name",
            json!({"name": "Kai", "visit": first}),
            (404, "nobody_here"),
        ),
        (
            "a visit elsewhere",
            json!({"name": "Mia Muster", "visit": away}),
            (404, "nobody_here"),
        ),
        (
            "no such visit",
            json!({"name": "Mia Muster", "visit": "x"}),
            (404, "nobody_here"),
        ),
        (
            "a badge of elsewhere",
            json!({"code": away_badge}),
            (404, "badge_unknown"),
        ),
        (
            "no badge",
            json!({"code": "prv_visit_AAAA"}),
            (404, "badge_unknown"),
        ),
        ("nothing", json!({}), (400, "invalid")),
        (
            "all at once",
            json!({"code": badge, "name": "Mia Muster"}),
            (400, "invalid"),
        ),
    ] {
        let answer = door.sign_out(wanted).await;
        assert_eq!((answer.status, code(&answer)), expected, "{name}: {answer}");
    }
    assert_eq!(door.roll_call().await.len(), 3, "nobody has left by that");
    let which = door.sign_out(json!({"name": "Mia Muster"})).await;
    let choices: Vec<_> = which.json["choices"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["visit"].clone(), it["company"].clone()))
        .collect();
    assert_eq!(
        choices,
        [
            (json!(second), json!("Tailspin")),
            (json!(first), json!("Fabrikam"))
        ],
        "the latest first"
    );
    let chosen = door
        .sign_out(json!({"name": "Mia Muster", "visit": first}))
        .await;
    assert_eq!(chosen.json["signed_out"]["visit"], json!(first), "{chosen}");
    let scanned = format!("https://portreeve.example/visit/out/{badge}");
    for _ in 0..2 {
        let out = door.sign_out(json!({"code": scanned})).await;
        assert_eq!(
            out.json["signed_out"],
            json!({"visit": second, "name": "Mia Muster"}),
            "{out}"
        );
    }
    let whole = door.sign_out(json!({"name": " kai ZOE "})).await;
    assert_eq!(whole.json["signed_out"]["visit"], json!(kai), "{whole}");
    assert!(door.roll_call().await.is_empty());
    assert_eq!(other.roll_call().await, ["Mia Muster"]);
    let events = house.server.admin().get("/events?category=VISITOR").await;
    let text = events.json.to_string();
    assert!(
        !text.contains("Muster") && !text.contains("Kai"),
        "the log never forgets: {text}"
    );
    let outs = events
        .json
        .as_array()
        .unwrap()
        .iter()
        .filter(|event| event["action"] == "sign_out");
    let outs: Vec<&Value> = outs.collect();
    assert_eq!(outs.len(), 3, "{text}");
    assert!(
        outs.iter().all(|event| event["actor"]["type"] == "device"),
        "{text}"
    );
    house.server.stop().await;
}

/// Clocks are those on the wall of the location, in summer as in winter; and whoever is in can always leave.
#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn visitors_are_received_while_the_location_is_open() {
    let house = House::start().await;
    let mut settings = with_desk();
    settings["time_zone"] = json!("Europe/Vienna");
    settings["hours"] = json!([{"days": ["mon", "tue", "wed", "thu", "fri"], "from": "08:30", "until": "18:00"}, {"days": ["sat"], "from": "22:00", "until": "03:00"}]);
    let door = house.door("Pier 7", settings).await;
    for (name, time, is_open, next) in [
        (
            "winter, before",
            "2026-01-05T07:29:59Z",
            false,
            "2026-01-05T07:30:00Z",
        ),
        ("winter, at the minute", "2026-01-05T07:30:00Z", true, ""),
        ("winter, the last minute", "2026-01-05T16:59:59Z", true, ""),
        (
            "winter, after",
            "2026-01-05T17:00:00Z",
            false,
            "2026-01-06T07:30:00Z",
        ),
        ("summer, at the minute", "2026-07-06T06:30:00Z", true, ""),
        (
            "summer, after",
            "2026-07-06T16:00:00Z",
            false,
            "2026-07-07T06:30:00Z",
        ),
        (
            "the night of one hour less",
            "2026-03-29T00:59:00Z",
            true,
            "",
        ),
        (
            "at three, which follows on two",
            "2026-03-29T01:00:00Z",
            false,
            "2026-03-30T06:30:00Z",
        ),
        (
            "the night of one hour more",
            "2026-10-25T01:59:00Z",
            true,
            "",
        ),
        (
            "at three",
            "2026-10-25T02:00:00Z",
            false,
            "2026-10-26T07:30:00Z",
        ),
    ] {
        house.set(time);
        let state = door.tablet.get("/state").await;
        assert_eq!(state.json["is_open"], is_open, "{name}: {state}");
        let opens_at = state.json["opens_at"].as_str().unwrap_or_default();
        assert_eq!(opens_at, next, "{name}");
        let answer = door.sign_in(name, json!({})).await;
        match is_open {
            true => assert_eq!(answer.status, 201, "{name}: {answer}"),
            false => assert_eq!(
                (answer.status, code(&answer)),
                (409, "location_closed"),
                "{name}: {answer}"
            ),
        }
    }
    assert_eq!(
        door.roll_call().await.len(),
        5,
        "closed, and the list is there"
    );
    let out = door
        .sign_out(json!({"name": "summer, at the minute"}))
        .await;
    assert_eq!(out.status, 200, "{out}");
    house.server.stop().await;
}
