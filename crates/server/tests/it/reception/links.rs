//! The pages behind the code on a badge and the link in a mail.

use super::{House, with_desk};
use crate::sink::Sink;
use http::Method;
use portreeve_testbed::{Answer, Client};
use serde_json::json;

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// What a page says.
fn page(answer: &Answer) -> &str {
    answer.json.as_str().unwrap_or_else(|| panic!("{answer}"))
}

async fn post(client: &Client, path: &str, form: &str) -> Answer {
    client
        .send(Method::POST, path, &[FORM], Some(form.to_owned()))
        .await
}

/// The path of the link in a mail, whose lines may be broken (RFC 2045 section 6.7).
fn link(mail: &str) -> String {
    let whole = mail.replace("=\r\n", "").replace("=\n", "");
    let (_, rest) = whole
        .split_once("/visit/answer/")
        .expect("the mail has a link");
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && !"_-".contains(c));
    format!("/visit/answer/{}", &rest[..end.unwrap_or(rest.len())])
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one story")]
async fn whoever_is_visited_answers_by_the_link_in_the_mail_and_the_visitor_leaves_by_the_badge() {
    let mut sink = Sink::start(0).await;
    let house = House::start_with(|config| sink.serve(config)).await;
    let jane = house.person("Jane", "Doe", "Engines").await;
    let door = house.door("Pier 7", with_desk()).await;
    let script = "<b onload=x>Mia</b>";
    let more = json!({"visitor_host": jane, "company": script});
    let (visit, badge) = door.come(script, more).await;
    let answer = link(&sink.next().await);
    let out = format!("/visit/out/{badge}");
    let anybody = house.server.stranger();

    // Whoever checks mails looks at links, and changes nothing.
    for path in [&answer, &out] {
        for _ in 0..2 {
            let looked = anybody.get(path).await;
            assert_eq!(looked.status, 200, "{looked}");
            assert!(!page(&looked).contains("<b onload"), "{looked}");
            assert_eq!(looked.header("cache-control"), Some("no-store"));
        }
    }
    let shown = anybody.get(&answer).await;
    assert!(page(&shown).contains("&#60;b onload=x&#62;Mia"), "{shown}");
    let state = door.tablet.get("/state").await;
    assert_eq!(state.json["attention"], json!([]));
    let german = anybody
        .send(
            Method::GET,
            &answer,
            &[("accept-language", "de-AT,en;q=0.5")],
            None,
        )
        .await;
    assert!(page(&german).contains(r#"<html lang="de">"#), "{german}");

    // Neither secret is good for what the other one is.
    let secret = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    for path in [
        format!("/visit/answer/{badge}"),
        format!("/visit/out/{}", secret(&answer)),
        "/visit/answer/prv_visit_AAAA".to_owned(),
        "/visit/out/x".to_owned(),
    ] {
        assert_eq!(anybody.get(&path).await.status, 404, "{path}");
        assert_eq!(
            post(&anybody, &path, "answer=on_my_way").await.status,
            404,
            "{path}"
        );
    }
    assert_eq!(door.roll_call().await, [script]);

    for (form, what) in [
        ("answer=maybe", None),
        ("", None),
        ("answer=on_my_way", Some("on_my_way")),
        ("answer=cannot_come", Some("cannot_come")),
    ] {
        let answered = post(&anybody, &answer, form).await;
        assert_eq!(
            (answered.status, answered.header("location")),
            (303, Some(&*answer))
        );
        let state = door.tablet.get("/state").await;
        let shown = state.json["attention"][0]["what"].as_str();
        assert_eq!(shown, what, "{form}: {state}");
    }
    let shown = house.server.admin().get(&format!("/visits/{visit}")).await;
    assert_eq!(shown.json["answer"]["what"], "cannot_come", "{shown}");
    // A quarter of an hour later nobody stands there.
    house
        .server
        .clock()
        .advance(std::time::Duration::from_secs(16 * 60));
    let state = door.tablet.get("/state").await;
    assert_eq!(state.json["attention"], json!([]), "{state}");

    let left = post(&anybody, &out, "answer=out").await;
    assert_eq!((left.status, left.header("location")), (303, Some(&*out)));
    assert!(door.roll_call().await.is_empty());
    for path in [&answer, &out] {
        let over = anybody.get(path).await;
        assert_eq!(over.status, 200, "{over}");
        assert!(
            !page(&over).contains("<button"),
            "there is nothing left to do: {over}"
        );
    }
    let late = post(&anybody, &answer, "answer=on_my_way").await;
    assert_eq!(late.status, 303, "{late}");
    let shown = house.server.admin().get(&format!("/visits/{visit}")).await;
    assert_eq!(
        shown.json["answer"]["what"], "cannot_come",
        "the visit is over"
    );
    house.server.stop().await;
}
