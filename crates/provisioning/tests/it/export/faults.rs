//! What the target does wrong, and what that means for one object and for all others.

use portreeve_provisioning::engine::codes::Code;
use portreeve_provisioning::engine::plan::Link;
use portreeve_provisioning::engine::quarantine::Reason;
use portreeve_provisioning::engine::steps::Status;
use portreeve_provisioning::job::{Counted, Outcome, Target, export};
use serde_json::json;

use super::{
    DISABLED, MANAGED, ada, application, bring, id, linked, list, nobody, refusal, sales, shown,
    shown_with, stamp, with_facts,
};
use crate::double::{Double, Reply, Seen};

fn here() -> Reply {
    Reply::scim(200, &json!(shown()))
}

fn page() -> Reply {
    Reply::with(502, "text/html", "<html>Bad gateway</html>")
}

/// Brings Ada to a target that answers by what is asked: searches find nobody, and everything else is answered so.
async fn bring_to(linked_to: bool, answer: impl Fn(&Seen) -> Reply + Send + 'static) -> Outcome {
    let double = Double::start(move |seen| answer(seen)).await;
    let target = Target::new(double.open("").unwrap().0);
    let subject = match linked_to {
        true => linked(ada(), MANAGED),
        false => ada(),
    };
    export(
        &application(|text| text),
        &target,
        &subject,
        false,
        &stamp(),
    )
    .await
}

fn is_search(seen: &Seen) -> bool {
    seen.method == "GET" && seen.target.contains("filter=")
}

#[tokio::test]
async fn a_refusal_of_one_object_is_its_own_affair() {
    let create = [
        ("400", refusal(400, None), Code::ServiceIncompatible),
        (
            "invalid",
            refusal(400, Some("invalidValue")),
            Code::UnprocessableEntity,
        ),
        (
            "unknown path",
            refusal(400, Some("invalidPath")),
            Code::SchemaAttributeNotFound,
        ),
        ("403", refusal(403, None), Code::InsufficientRights),
        ("405", refusal(405, None), Code::MethodNotAllowed),
        (
            "taken",
            refusal(409, Some("uniqueness")),
            Code::EntryConflict,
        ),
        ("409", refusal(409, None), Code::EntryConflict),
        ("412", refusal(412, None), Code::Conflict),
        ("422", refusal(422, None), Code::UnprocessableEntity),
        ("500", refusal(500, None), Code::InternalServerError),
        ("501", refusal(501, None), Code::NotImplemented),
        ("503", refusal(503, None), Code::InternalServerError),
        (
            "HTML",
            Reply::with(200, "text/html", "<html>"),
            Code::ServiceIncompatible,
        ),
        ("hangs up", Reply::HangUp, Code::WebExceptionProtocolError),
    ];
    for (name, reply, code) in create {
        // Who may have been made all the same is looked for, should they leave before the next try.
        let unsure = ["500", "503", "HTML", "hangs up"].contains(&name);
        let link = if unsure { Link::Sent } else { Link::None };
        let answer = move |seen: &Seen| match is_search(seen) {
            true => nobody(),
            false => reply.clone(),
        };
        let outcome = bring_to(false, answer).await;
        assert_eq!(outcome.stop, None, "{name}");
        assert_eq!(
            outcome.escrow.map(|escrow| escrow.code),
            Some(code),
            "{name}: {outcome:?}"
        );
        assert_eq!(
            (outcome.counted, outcome.link),
            (Counted::Failed, link),
            "{name}"
        );
        assert!(outcome.is_settled(), "{name}");
        let status = outcome.record.unwrap().provisioning_status_info;
        assert_eq!(status.status, Status::Failure, "{name}");
        let told = status.error_information.unwrap();
        assert_eq!(told.error_code, code, "{name}");
        assert!(!told.recommended_action.is_empty(), "{name}: {told:?}");
        assert!(told.reason.contains("retried 0 times"), "{name}: {told:?}");
    }
}

/// Whoever gets access again may have it, though nobody has heard so.
#[tokio::test]
async fn access_that_may_have_been_given_can_be_taken_away_again() {
    let app = application(|text| text);
    for link in [Link::Released, DISABLED] {
        let double = Double::start(|seen: &Seen| match seen.method.as_str() {
            "PATCH" => Reply::HangUp,
            _ => Reply::scim(200, &shown_with("active", json!(false))),
        });
        let target = Target::new(double.await.open("").unwrap().0);
        let outcome = export(&app, &target, &linked(ada(), link), false, &stamp()).await;
        assert_eq!(outcome.counted, Counted::Failed, "{outcome:?}");
        assert_eq!((outcome.link, outcome.exported), (MANAGED, None));
    }
}

#[tokio::test]
async fn a_refused_change_keeps_the_link_and_forgets_what_was_written() {
    let change = [
        ("400", refusal(400, None), Code::ServiceIncompatible),
        ("403", refusal(403, None), Code::InsufficientRights),
        ("PATCH refused", refusal(501, None), Code::NotImplemented),
        (
            "taken",
            refusal(409, Some("uniqueness")),
            Code::EntryConflict,
        ),
        ("changed meanwhile", refusal(409, None), Code::Conflict),
        ("500", refusal(500, None), Code::InternalServerError),
    ];
    for (name, reply, code) in change {
        let answer = move |seen: &Seen| match (is_search(seen), &*seen.method) {
            (true, _) => nobody(),
            (_, "GET") => Reply::scim(200, &shown_with("displayName", json!("A"))),
            _ => reply.clone(),
        };
        let outcome = bring_to(true, answer).await;
        assert_eq!(
            outcome.escrow.map(|escrow| escrow.code),
            Some(code),
            "{name}: {outcome:?}"
        );
        assert_eq!((outcome.stop, outcome.link), (None, MANAGED), "{name}");
        assert_eq!(
            (outcome.target_id, outcome.exported),
            (Some(id("u1")), None),
            "{name}"
        );
    }
    // What was found by matching is linked, even if it cannot be changed yet.
    let found = vec![
        list(&[shown_with("displayName", json!("A"))]),
        refusal(403, None),
    ];
    let (outcome, _) = bring(&ada(), false, found).await;
    assert_eq!((outcome.counted, outcome.link), (Counted::Failed, MANAGED));
    assert_eq!(outcome.target_id, Some(id("u1")));
}

#[tokio::test]
async fn what_goes_for_every_request_ends_the_cycle() {
    let cases: [(&str, Reply, &str); 6] = [
        ("the token is revoked", refusal(401, None), "secret token"),
        (
            "to be left alone for an hour",
            Reply::empty(429).header("retry-after", "3600"),
            "fewer requests",
        ),
        (
            "HTML for everything",
            Reply::with(200, "text/html", "<html>"),
            "not SCIM",
        ),
        ("a broken gateway", page(), ""),
        (
            "hangs up on everybody",
            Reply::HangUp,
            "could not be reached",
        ),
        (
            "finds somebody for every search",
            list(&[json!({"id": "x", "userName": "somebody"})]),
            "ignores filters",
        ),
    ];
    for (name, reply, says) in cases {
        let outcome = bring_to(false, move |_| reply.clone()).await;
        if name == "a broken gateway" {
            // 502 is the target's own failure, which passes.
            assert_eq!(
                (outcome.stop, outcome.counted),
                (None, Counted::Failed),
                "{name}"
            );
            continue;
        }
        let (reason, message) = outcome
            .stop
            .clone()
            .unwrap_or_else(|| panic!("{name}: {outcome:?}"));
        assert_eq!(reason, Reason::EncounteredQuarantineException, "{name}");
        assert!(message.contains(says), "{name}: {message}");
        assert!(!outcome.is_settled(), "{name}: it is still to be done");
        assert_eq!((outcome.escrow, outcome.link), (None, Link::None), "{name}");
    }
}

#[tokio::test]
async fn a_search_that_is_refused_by_itself_does_not_end_the_cycle() {
    // The target filters, and takes somebody with a likeness for the one who is looked for.
    let likeness = |seen: &Seen| match seen.target.contains("ada") {
        true => list(&[json!({"id": "x", "userName": "Adá@contoso.example"})]),
        false => nobody(),
    };
    let outcome = bring_to(false, likeness).await;
    assert_eq!(outcome.stop, None, "{outcome:?}");
    let code = outcome.escrow.map(|escrow| escrow.code);
    assert_eq!(code, Some(Code::ServiceIncompatibleFiltering));
    // Several are one object's trouble as well.
    let twice = vec![list(&[
        shown_with("id", json!("u1")),
        shown_with("id", json!("u2")),
    ])];
    let (outcome, _) = bring(&ada(), false, twice).await;
    let code = outcome.escrow.map(|escrow| escrow.code);
    assert_eq!(
        (outcome.stop, code),
        (None, Some(Code::DuplicateTargetEntries))
    );
}

#[tokio::test]
async fn an_object_without_a_matching_value_is_not_looked_for() {
    let mut nameless = sales();
    nameless.attributes.remove("displayName");
    let (outcome, double) = bring(&nameless, false, vec![]).await;
    assert_eq!(double.lines(), Vec::<String>::new());
    let escrow = outcome.escrow.unwrap();
    assert_eq!((escrow.code, escrow.next_at), (Code::ImportSkipped, None));
    let status = outcome.record.unwrap().provisioning_status_info.status;
    assert_eq!(status, Status::Skipped);
}

#[tokio::test]
async fn a_value_that_cannot_be_worked_out_keeps_an_object_from_being_written_but_not_from_leaving()
{
    let mut strange = ada();
    for (name, value) in [("jobTitle", "Engineer"), ("from", "x")] {
        strange.attributes.insert(name.to_owned(), json!(value));
    }
    let (outcome, double) = bring(&linked(strange.clone(), MANAGED), false, vec![here()]).await;
    assert_eq!(double.lines(), Vec::<String>::new());
    let code = outcome.escrow.map(|escrow| escrow.code);
    assert_eq!(code, Some(Code::EntrySynchronizationError), "{outcome:?}");
    let leaving = with_facts(linked(strange, MANAGED), |facts| facts.enabled = false);
    let (outcome, double) = bring(&leaving, false, vec![here(), Reply::empty(204)]).await;
    let patch = double.requests().pop().unwrap();
    assert_eq!(patch.method, "PATCH");
    assert_eq!(
        patch.body.unwrap()["Operations"],
        json!([{"op": "Replace", "path": "active", "value": "False"}])
    );
    // Not all values are written, so it is compared again.
    assert_eq!(
        (outcome.counted, outcome.exported),
        (Counted::Disabled, None)
    );
}

#[tokio::test]
async fn two_objects_never_share_a_resource() {
    let double = Double::start(|seen| match is_search(seen) {
        true => list(&[json!(shown())]),
        false => Reply::empty(204),
    })
    .await;
    let target = Target::new(double.open("").unwrap().0);
    let (app, stamp) = (application(|text| text), stamp());
    let first = export(&app, &target, &ada(), false, &stamp).await;
    assert_eq!(first.link, MANAGED);
    let mut second = ada();
    second.key = "k9".to_owned();
    let second = export(&app, &target, &second, false, &stamp).await;
    let code = second.escrow.map(|escrow| escrow.code);
    assert_eq!(
        (second.link, code),
        (Link::None, Some(Code::DuplicateSourceEntries))
    );
    assert!(second.detail.unwrap().contains("k1"), "names the other one");
    assert!(double.lines().iter().all(|line| line.starts_with("GET")));
}

#[tokio::test]
async fn who_fails_again_waits_longer() {
    let no = || vec![nobody(), nobody(), refusal(403, None)];
    let (first, _) = bring(&ada(), false, no()).await;
    let mut again = ada();
    again.escrow = first.escrow;
    let (second, _) = bring(&again, false, no()).await;
    assert_eq!(second.escrow.unwrap().attempts, 1);
    let reason = second
        .record
        .unwrap()
        .provisioning_status_info
        .error_information
        .unwrap()
        .reason;
    assert!(reason.contains("retried 1 time."), "{reason}");
    again.escrow = None;
    let (good, _) = bring(&linked(again, MANAGED), false, vec![here()]).await;
    assert_eq!(good.escrow, None);
}
