//! What the client makes of answers and of their absence: when it repeats, and what it reports.

use std::time::Duration;

use portreeve_provisioning::target::{Created, Error, Limits, Patch, ResourceId, ResourceKind};
use serde_json::{Value, json};

use crate::double::{Double, Reply, Standstill, client};

const POST: &str = "POST /scim/Users";
const LOOKUP: &str =
    "GET /scim/Users?excludedAttributes=members&filter=userName+eq+%22ada%40contoso.example%22";

fn ada() -> Value {
    json!({"userName": "ada@contoso.example", "externalId": "e1"})
}

fn stored(external_id: &str) -> Value {
    json!({"id": "u1", "userName": "Ada@contoso.example", "externalId": external_id})
}

fn list(resources: &[Value]) -> Reply {
    let schema = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
    Reply::scim(
        200,
        &json!({"schemas": [schema], "totalResults": resources.len(), "Resources": resources}),
    )
}

fn refusal(status: u16, scim_type: &str) -> Reply {
    let schema = "urn:ietf:params:scim:api:messages:2.0:Error";
    let body = json!({"schemas": [schema], "status": status.to_string(), "scimType": scim_type, "detail": "no"});
    Reply::scim(status, &body)
}

/// A result in a few words, so that a table can hold it.
fn words<T: std::fmt::Debug>(outcome: &Result<T, Error>) -> String {
    match outcome {
        Ok(value) => format!("{value:?}"),
        Err(Error::Refused {
            status,
            scim_type,
            detail,
        }) => {
            format!(
                "refused {status} {} {detail}",
                scim_type.as_deref().unwrap_or("-")
            )
        }
        Err(Error::Throttled { retry_after }) => format!("throttled {retry_after:?}"),
        Err(Error::Unreachable { attempts, .. }) => format!("unreachable after {attempts}"),
        Err(Error::NotScim { reason, .. }) => format!("not SCIM: {reason}"),
        Err(other) => format!("{other:?}"),
    }
}

/// One POST of Ada: the answers it meets, the requests that must come of it, the outcome and the pauses.
struct Creation {
    name: &'static str,
    replies: Vec<Reply>,
    requests: &'static [&'static str],
    outcome: &'static str,
    pauses: &'static [u128],
}

async fn check(case: Creation) {
    let double = Double::script(case.replies).await;
    let (client, time) = double.client(Limits::default());
    let outcome = client
        .create(ResourceKind::User, &ada())
        .await
        .map(|created| match created {
            Created::Now(resource) => format!("created {}", resource.id()),
            Created::Found(resource) => format!("found {}", resource.id()),
        })
        .map_err(|refused| refused.error);
    assert_eq!(
        words(&outcome).replace('"', ""),
        case.outcome,
        "{}",
        case.name
    );
    assert_eq!(double.lines(), case.requests, "{}", case.name);
    assert_eq!(time.pauses(), case.pauses, "{}", case.name);
}

#[tokio::test]
async fn a_post_that_was_not_applied_is_repeated_as_the_target_asks() {
    let created = || Reply::scim(201, &stored("e1"));
    let busy = |after: &str| refusal(429, "x").header("retry-after", after);
    let cases = [
        Creation {
            name: "first attempt",
            replies: vec![created()],
            requests: &[POST],
            outcome: "created u1",
            pauses: &[],
        },
        Creation {
            name: "two waits, in seconds and until a date",
            replies: vec![
                busy("7"),
                busy("Sat, 21 Nov 2026 12:00:30 GMT").header("date", Standstill::NOON),
                created(),
            ],
            requests: &[POST, POST, POST],
            outcome: "created u1",
            pauses: &[7_500, 31_000],
        },
        Creation {
            name: "too many requests without saying until when",
            replies: vec![Reply::with(429, "text/plain", "slow down"), created()],
            requests: &[POST, POST],
            outcome: "created u1",
            pauses: &[500],
        },
        Creation {
            name: "longer than the limit",
            replies: vec![busy("3600")],
            requests: &[POST],
            outcome: "throttled Some(3600s)",
            pauses: &[],
        },
        Creation {
            name: "without end",
            replies: vec![busy("1"); 9],
            requests: &[POST; 6],
            outcome: "throttled Some(1s)",
            pauses: &[1_500, 2_000, 2_000, 2_000, 2_000],
        },
    ];
    for case in cases {
        check(case).await;
    }
}

#[tokio::test]
async fn a_post_whose_answer_was_lost_is_looked_up_before_it_is_repeated() {
    let created = Reply::scim(201, &stored("e1"));
    let taken = || refusal(409, "uniqueness");
    let cases = [
        Creation {
            name: "it had been created",
            replies: vec![Reply::HangUp, list(&[stored("e1")])],
            requests: &[POST, LOOKUP],
            outcome: "found u1",
            pauses: &[500],
        },
        Creation {
            name: "it had not been created",
            replies: vec![Reply::HangUp, list(&[]), created],
            requests: &[POST, LOOKUP, POST],
            outcome: "created u1",
            pauses: &[500],
        },
        Creation {
            name: "it is created while we look",
            replies: vec![Reply::HangUp, list(&[]), taken(), list(&[stored("e1")])],
            requests: &[POST, LOOKUP, POST, LOOKUP],
            outcome: "found u1",
            pauses: &[500],
        },
        Creation {
            name: "somebody else has taken the name",
            replies: vec![
                Reply::HangUp,
                list(&[stored("e2")]),
                taken(),
                list(&[stored("e2")]),
            ],
            requests: &[POST, LOOKUP, POST, LOOKUP],
            outcome: "refused 409 uniqueness no",
            pauses: &[500],
        },
    ];
    for case in cases {
        check(case).await;
    }
}

#[tokio::test]
async fn a_post_that_met_a_server_failure_is_looked_up_before_it_is_repeated() {
    let cases = [
        Creation {
            name: "unavailable, with a time",
            replies: vec![
                refusal(503, "x").header("retry-after", "2"),
                list(&[]),
                Reply::scim(201, &stored("e1")),
            ],
            requests: &[POST, LOOKUP, POST],
            outcome: "created u1",
            pauses: &[2_500],
        },
        Creation {
            name: "a gateway gives up, and the lookup meets a failure, too",
            replies: vec![
                Reply::with(504, "text/html", "<html>"),
                Reply::HangUp,
                list(&[stored("e1")]),
            ],
            requests: &[POST, LOOKUP, LOOKUP],
            outcome: "found u1",
            pauses: &[500, 500],
        },
    ];
    for case in cases {
        check(case).await;
    }
}

/// Checks that an answer to a POST is final, and what is made of it.
async fn check_final(name: &str, reply: Reply, expected: &str) {
    let double = Double::script(vec![reply]).await;
    let (client, _) = double.client(Limits {
        largest_answer: 65_536,
        ..Limits::default()
    });
    let outcome = client.create(ResourceKind::User, &ada()).await;
    let outcome = outcome.map_err(|refused| refused.error);
    assert_eq!(words(&outcome), expected, "{name}");
    assert_eq!(double.lines(), [POST], "{name}");
    assert!(
        outcome.is_err_and(|error| error.remedy().ends_with('.')),
        "{name}"
    );
}

#[tokio::test]
async fn a_refusal_is_final() {
    let numeric = r#"{"status":400,"detail":"bad"}"#;
    let cases = [
        ("wrong token", refusal(401, "x"), "refused 401 x no"),
        (
            "wrong token, says a proxy",
            Reply::with(401, "text/html", "<html>"),
            "refused 401 - Unauthorized",
        ),
        ("forbidden", refusal(403, "x"), "refused 403 x no"),
        (
            "duplicate",
            refusal(409, "uniqueness"),
            "refused 409 uniqueness no",
        ),
        ("not implemented", refusal(501, "x"), "refused 501 x no"),
        ("no body", Reply::empty(404), "refused 404 - Not Found"),
        (
            "numeric status",
            Reply::with(400, "application/json", numeric),
            "refused 400 - bad",
        ),
    ];
    for (name, reply, expected) in cases {
        check_final(name, reply, expected).await;
    }
}

#[tokio::test]
async fn an_answer_that_is_not_scim_is_final() {
    let page = |status| Reply::with(status, "text/html", "<html>");
    let long = Reply::with(201, "application/scim+json", &"x".repeat(70_000));
    let endless = Reply::Chunks {
        status: 201,
        chunk: "[".repeat(1024),
        times: 100,
    };
    let cases = [
        (
            "a page",
            page(200),
            "neither application/scim+json nor application/json",
        ),
        (
            "a page for an error",
            page(404),
            "an error that is no SCIM message",
        ),
        (
            "an id that is none",
            Reply::scim(201, &json!({"id": ".."})),
            "a resource has no usable id",
        ),
        ("announced too large", long, "it is larger than 65536 bytes"),
        (
            "too large without notice",
            endless,
            "it is larger than 65536 bytes",
        ),
    ];
    for (name, reply, expected) in cases {
        check_final(name, reply, &format!("not SCIM: {expected}")).await;
    }
}

#[tokio::test]
async fn a_redirect_that_leads_away_or_loses_the_body_is_not_followed() {
    let cases = [
        ("another host", 307, "https://elsewhere.example/"),
        ("another port", 308, "http://127.0.0.1:1/scim/Users"),
        ("a GET in the place of the POST", 302, "/scim/Users/u1"),
    ];
    for (name, status, to) in cases {
        let reply = Reply::empty(status).header("location", to);
        check_final(
            name,
            reply,
            &format!("not SCIM: the target redirects to {to}"),
        )
        .await;
    }
}

#[tokio::test]
async fn what_is_not_scim_is_shown() {
    let page = format!("<html>\r\n{}", "é".repeat(300));
    let double = Double::script(vec![Reply::with(200, "text/html; charset=utf-8", &page)]).await;
    let (client, _) = double.client(Limits::default());
    let error = client.probe(ResourceKind::User).await.unwrap_err();
    let Error::NotScim {
        status,
        content_type,
        start,
        ..
    } = &error
    else {
        panic!("{error:?}")
    };
    assert_eq!(
        (*status, &**content_type),
        (200, "text/html; charset=utf-8")
    );
    assert_eq!(*start, format!("<html>  {}", "é".repeat(192)));
    assert!(error.to_string().contains("text/html") && error.concerns_every_request());
}

#[tokio::test]
async fn a_redirect_inside_the_target_keeps_method_token_and_body() {
    let moved = Reply::empty(308).header("location", "/v2/Users");
    let double = Double::script(vec![moved, Reply::scim(201, &stored("e1"))]).await;
    let (client, _) = double.client(Limits::default());
    client.create(ResourceKind::User, &ada()).await.unwrap();
    let requests = double.requests();
    assert_eq!(requests[1].line(), "POST /v2/Users");
    assert_eq!(requests[1].body, Some(ada()));
}

#[tokio::test]
async fn a_failing_target_is_asked_less_and_less_often() {
    let double = Double::script(vec![refusal(500, "x"); 9]).await;
    let (client, time) = double.client(Limits {
        longest_pause: Duration::from_secs(3),
        ..Limits::default()
    });
    let id = ResourceId::new("u1").unwrap();
    let outcome = client
        .patch(
            ResourceKind::User,
            &id,
            &Patch::new().replace("title", json!("CEO")),
        )
        .await;
    assert_eq!(words(&outcome), "refused 500 x no");
    assert_eq!(double.lines(), ["PATCH /scim/Users/u1"; 6]);
    assert_eq!(time.pauses(), [500, 1_000, 2_000, 3_000, 3_000]);
}

#[tokio::test]
async fn nobody_there_is_told_after_the_last_attempt() {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
        .await
        .unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let (client, time) = client(
        &format!("http://{address}/scim"),
        Limits {
            attempts: 3,
            ..Limits::default()
        },
    );
    let refused = client.create(ResourceKind::User, &ada()).await.unwrap_err();
    assert!(!refused.in_doubt, "nothing was sent");
    let error = refused.error;
    let Error::Unreachable { attempts: 3, cause } = &error else {
        panic!("{error:?}")
    };
    assert!(cause.starts_with("no connection"), "{cause}");
    assert_eq!(time.pauses(), [500, 1_000]);
}

#[tokio::test]
async fn a_target_that_never_answers_is_given_up() {
    let double = Double::script(vec![Reply::Silence]).await;
    let limits = Limits {
        attempts: 1,
        request_timeout: Duration::from_millis(50),
        ..Limits::default()
    };
    let (client, _) = double.client(limits);
    let error = client.probe(ResourceKind::Group).await.unwrap_err();
    let Error::Unreachable { attempts: 1, cause } = &error else {
        panic!("{error:?}")
    };
    assert!(cause.starts_with("no answer in time"), "{cause}");
}

#[tokio::test]
async fn a_deletion_whose_answer_was_lost_counts_once() {
    let gone = || refusal(404, "x");
    let cases = [
        ("deleted", vec![Reply::empty(204)], "()", 1),
        ("unknown", vec![gone()], "refused 404 x no", 1),
        ("answer lost", vec![Reply::HangUp, gone()], "()", 2),
        (
            "answer lost before it was done",
            vec![Reply::HangUp, Reply::empty(204)],
            "()",
            2,
        ),
        (
            "refused for the moment, then unknown",
            vec![Reply::empty(429), gone()],
            "refused 404 x no",
            2,
        ),
    ];
    for (name, replies, expected, requests) in cases {
        let double = Double::script(replies).await;
        let (client, _) = double.client(Limits::default());
        let outcome = client
            .delete(ResourceKind::User, &ResourceId::new("u1").unwrap())
            .await;
        assert_eq!(words(&outcome), expected, "{name}");
        assert_eq!(
            double.lines(),
            vec!["DELETE /scim/Users/u1"; requests],
            "{name}"
        );
    }
}

#[tokio::test]
async fn changes_are_answered_with_a_resource_or_with_nothing() {
    let id = ResourceId::new("a/b").unwrap();
    let patch = Patch::new().replace("active", json!(false));
    let double = Double::script(vec![
        Reply::empty(204),
        Reply::scim(200, &stored("e1")),
        Reply::with(200, "application/json", &stored("e1").to_string()),
        Reply::empty(200),
    ])
    .await;
    let (client, _) = double.client(Limits::default());
    assert_eq!(
        client.patch(ResourceKind::User, &id, &patch).await,
        Ok(None)
    );
    let changed = client
        .patch(ResourceKind::User, &id, &patch)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(changed.attribute("externalid"), Some(&json!("e1")));
    assert_eq!(
        client
            .replace(ResourceKind::User, &id, &ada())
            .await
            .unwrap()
            .id()
            .as_str(),
        "u1"
    );
    assert_eq!(
        client.patch(ResourceKind::User, &id, &patch).await,
        Ok(None)
    );
    let lines = double.lines();
    assert_eq!(lines[0], "PATCH /scim/Users/a%2Fb");
    assert_eq!(lines[2], "PUT /scim/Users/a%2Fb");
}
