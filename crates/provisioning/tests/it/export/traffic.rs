//! Which requests an object takes, and what is known of it afterwards.

use portreeve_provisioning::engine::plan::Link;
use portreeve_provisioning::engine::steps::{RecordAction, Status, StepName};
use portreeve_provisioning::job::{Counted, Outcome, Subject};
use serde_json::json;

use super::{
    DISABLED, MANAGED, MANAGER, ada, bring, id, linked, list, nobody, refusal, sales, shown,
    shown_with, with_facts,
};
use crate::double::Reply;
use portreeve_provisioning::engine::plan::Presence;

const BY_NAME: &str = "GET /scim/Users?filter=userName+eq+%22ada%40contoso.example%22";
const BY_KEY: &str = "GET /scim/Users?filter=externalId+eq+%22k1%22";
const READ: &str = "GET /scim/Users/u1";
const POST: &str = "POST /scim/Users";
const PATCH: &str = "PATCH /scim/Users/u1";
const DELETE: &str = "DELETE /scim/Users/u1";

struct Case {
    name: &'static str,
    subject: Subject,
    held: bool,
    replies: Vec<Reply>,
    lines: Vec<&'static str>,
    counted: Counted,
    link: Link,
    /// What the log tells, if anything.
    told: Option<(RecordAction, Status)>,
}

fn here() -> Reply {
    Reply::scim(200, &json!(shown()))
}

fn made() -> Reply {
    Reply::scim(201, &json!({"id": "u1", "userName": "ada@contoso.example"}))
}

fn blocked(subject: Subject) -> Subject {
    with_facts(subject, |facts| facts.enabled = false)
}

fn unassigned(subject: Subject) -> Subject {
    with_facts(subject, |facts| facts.assigned = false)
}

fn gone(subject: Subject) -> Subject {
    with_facts(subject, |facts| facts.presence = Presence::Gone)
}

fn inactive() -> Reply {
    Reply::scim(200, &shown_with("active", json!(false)))
}

fn comes() -> Vec<Case> {
    let case = |name, replies, lines, counted, told| Case {
        name,
        subject: ada(),
        held: false,
        replies,
        lines,
        counted,
        link: MANAGED,
        told: Some(told),
    };
    let success = Status::Success;
    vec![
        case(
            "unknown to the target: made",
            vec![nobody(), nobody(), made()],
            vec![BY_NAME, BY_KEY, POST],
            Counted::Created,
            (RecordAction::Create, success),
        ),
        case(
            "there under its name, and all is equal",
            vec![list(&[json!(shown())])],
            vec![BY_NAME],
            Counted::Unchanged,
            (RecordAction::Other, Status::Skipped),
        ),
        case(
            "there under its old name",
            vec![
                nobody(),
                list(&[shown_with("userName", json!("ada@old.example"))]),
                Reply::empty(204),
            ],
            vec![BY_NAME, BY_KEY, PATCH],
            Counted::Updated,
            (RecordAction::Update, success),
        ),
        Case {
            link: Link::None,
            subject: blocked(ada()),
            told: None,
            ..case(
                "may not sign in: not made",
                vec![],
                vec![],
                Counted::Skipped,
                (RecordAction::Other, success),
            )
        },
        Case {
            subject: linked(ada(), Link::Released),
            ..case(
                "comes back",
                vec![inactive(), Reply::empty(204)],
                vec![READ, PATCH],
                Counted::Updated,
                (RecordAction::Update, success),
            )
        },
    ]
}

fn stays() -> Vec<Case> {
    let case = |name, replies, lines, counted, told| Case {
        name,
        subject: linked(ada(), MANAGED),
        held: false,
        replies,
        lines,
        counted,
        link: MANAGED,
        told,
    };
    let updated = Some((RecordAction::Update, Status::Success));
    let created = Some((RecordAction::Create, Status::Success));
    vec![
        case("equal", vec![here()], vec![READ], Counted::Unchanged, None),
        case(
            "renamed",
            vec![
                Reply::scim(200, &shown_with("displayName", json!("A"))),
                Reply::empty(204),
            ],
            vec![READ, PATCH],
            Counted::Updated,
            updated,
        ),
        Case {
            subject: linked(ada(), DISABLED),
            ..case(
                "may sign in again",
                vec![inactive(), Reply::empty(204)],
                vec![READ, PATCH],
                Counted::Updated,
                updated,
            )
        },
        case(
            "gone at the target: made anew",
            vec![refusal(404, None), nobody(), nobody(), made()],
            vec![READ, BY_NAME, BY_KEY, POST],
            Counted::Created,
            created,
        ),
        case(
            "gone for good, says the target",
            vec![refusal(410, None), nobody(), nobody(), made()],
            vec![READ, BY_NAME, BY_KEY, POST],
            Counted::Created,
            created,
        ),
        case(
            "gone between reading and writing",
            vec![
                Reply::scim(200, &shown_with("displayName", json!("A"))),
                refusal(404, None),
                nobody(),
                nobody(),
                made(),
            ],
            vec![READ, PATCH, BY_NAME, BY_KEY, POST],
            Counted::Created,
            created,
        ),
        case(
            "deleted there and made again by hand",
            vec![refusal(404, None), list(&[json!(shown())])],
            vec![READ, BY_NAME],
            Counted::Unchanged,
            None,
        ),
    ]
}

fn leaves() -> Vec<Case> {
    let case = |name, subject, replies, lines, counted, link, told| Case {
        name,
        subject,
        held: false,
        replies,
        lines,
        counted,
        link,
        told: Some((told, Status::Success)),
    };
    let managed = || linked(ada(), MANAGED);
    let disable = |name, subject, link| {
        case(
            name,
            subject,
            vec![here(), Reply::empty(204)],
            vec![READ, PATCH],
            Counted::Disabled,
            link,
            RecordAction::Disable,
        )
    };
    let delete = |name, subject, status| {
        let there = match status {
            204 => Reply::empty(204),
            status => refusal(status, None),
        };
        let (counted, action) = (Counted::Deleted, RecordAction::Delete);
        case(
            name,
            subject,
            vec![there],
            vec![DELETE],
            counted,
            Link::None,
            action,
        )
    };
    vec![
        disable("may not sign in", blocked(managed()), DISABLED),
        disable("unassigned", unassigned(managed()), Link::Released),
        delete("purged", gone(managed()), 204),
        delete("purged, and deleted there before", gone(managed()), 404),
        delete("purged, and deleted there for good", gone(managed()), 410),
        Case {
            told: Some((RecordAction::Other, Status::Skipped)),
            ..case(
                "disabled before, and now unassigned",
                unassigned(linked(ada(), DISABLED)),
                vec![],
                vec![],
                Counted::Released,
                Link::Released,
                RecordAction::Other,
            )
        },
        Case {
            told: Some((RecordAction::Other, Status::Skipped)),
            ..case(
                "to be disabled, and gone at the target",
                blocked(managed()),
                vec![refusal(404, None)],
                vec![READ],
                Counted::Skipped,
                Link::None,
                RecordAction::Other,
            )
        },
        Case {
            held: true,
            told: Some((RecordAction::StagedDelete, Status::Skipped)),
            ..case(
                "held by the guard",
                gone(managed()),
                vec![],
                vec![],
                Counted::Held,
                MANAGED,
                RecordAction::StagedDelete,
            )
        },
    ]
}

#[tokio::test]
async fn an_object_takes_the_requests_that_it_needs() {
    for case in comes().into_iter().chain(stays()).chain(leaves()) {
        let name = case.name;
        let (outcome, double) = bring(&case.subject, case.held, case.replies).await;
        assert_eq!(double.lines(), case.lines, "{name}");
        assert_eq!(outcome.counted, case.counted, "{name}: {outcome:?}");
        assert_eq!(outcome.link, case.link, "{name}");
        let linked = (case.link != Link::None).then(|| id("u1"));
        assert_eq!(outcome.target_id, linked, "{name}");
        assert_eq!((outcome.escrow, &outcome.stop), (None, &None), "{name}");
        assert_eq!(outcome.is_settled(), !case.held, "{name}");
        if let Some(told) = case.told {
            assert_eq!(outcome.record.as_ref().map(told_of), Some(told), "{name}");
        }
        if name == "equal" {
            assert_eq!(outcome.record, None, "{name}: nothing happened");
        }
    }
}

fn told_of(record: &portreeve_provisioning::engine::steps::Record) -> (RecordAction, Status) {
    (
        record.provisioning_action,
        record.provisioning_status_info.status,
    )
}

#[tokio::test]
async fn what_was_written_once_is_not_even_compared_again() {
    let (made, _) = bring(&ada(), false, vec![nobody(), nobody(), made()]).await;
    let again = |outcome: &Outcome, subject: Subject| Subject {
        link: outcome.link,
        target_id: outcome.target_id.clone(),
        exported: outcome.exported.clone(),
        ..subject
    };
    let (same, double) = bring(&again(&made, ada()), false, vec![]).await;
    assert_eq!(double.lines(), Vec::<String>::new());
    assert_eq!((same.counted, &same.record), (Counted::Unchanged, &None));
    assert_eq!(same.exported, made.exported);
    // Only on creation does the nickname flow; the manager is written by itself.
    let mut renamed = ada();
    renamed
        .attributes
        .insert("mailNickname".to_owned(), json!("a"));
    renamed.attributes.insert("manager".to_owned(), json!("k3"));
    let (same, double) = bring(&again(&made, renamed), false, vec![]).await;
    assert_eq!(double.lines(), Vec::<String>::new());
    assert_eq!(
        same.references,
        Some(vec![(MANAGER.to_owned(), vec!["k3".to_owned()])])
    );
    let mut renamed = ada();
    renamed
        .attributes
        .insert("displayName".to_owned(), json!("Ada L"));
    let (other, double) = bring(
        &again(&made, renamed),
        false,
        vec![here(), Reply::empty(204)],
    )
    .await;
    assert_eq!(double.lines(), [READ, PATCH]);
    assert_ne!(other.exported, made.exported);
}

#[tokio::test]
async fn references_are_told_and_not_sent() {
    let (made, double) = bring(&ada(), false, vec![nobody(), nobody(), made()]).await;
    let post = double.requests().pop().unwrap().body.unwrap();
    assert!(!post.to_string().contains("manager"), "{post}");
    assert_eq!(
        made.references,
        Some(vec![(MANAGER.to_owned(), vec!["k2".to_owned()])])
    );
    // Nobody any more.
    let mut alone = linked(ada(), MANAGED);
    alone.attributes.remove("manager");
    let (outcome, _) = bring(&alone, false, vec![here()]).await;
    assert_eq!(outcome.references, Some(vec![(MANAGER.to_owned(), vec![])]));
    // Out of scope, nothing is said of them.
    let (outcome, _) = bring(
        &unassigned(linked(ada(), MANAGED)),
        false,
        vec![here(), Reply::empty(204)],
    )
    .await;
    assert_eq!(outcome.references, None);
}

#[tokio::test]
async fn groups_are_read_without_their_members() {
    let shown = json!({"id": "u1", "displayName": "Sales", "externalId": "k1", "members": [{"value": "x"}]});
    let by_name = "GET /scim/Groups?excludedAttributes=members&filter=displayName+eq+%22Sales%22";
    let (found, double) = bring(&sales(), false, vec![list(std::slice::from_ref(&shown))]).await;
    assert_eq!(double.lines(), [by_name]);
    assert_eq!(
        (found.counted, found.references),
        (Counted::Unchanged, Some(vec![]))
    );
    let (_, double) = bring(
        &linked(sales(), MANAGED),
        false,
        vec![Reply::scim(200, &shown)],
    )
    .await;
    assert_eq!(
        double.lines(),
        ["GET /scim/Groups/u1?excludedAttributes=members"]
    );
    // A group that leaves is deleted.
    let (_, double) = bring(
        &unassigned(linked(sales(), MANAGED)),
        false,
        vec![Reply::empty(204)],
    )
    .await;
    assert_eq!(double.lines(), ["DELETE /scim/Groups/u1"]);
}

#[tokio::test]
async fn the_log_tells_the_way_of_an_object_and_what_changed() {
    let before = shown_with("displayName", json!("A"));
    let replies = vec![Reply::scim(200, &before), Reply::empty(204)];
    let (outcome, _) = bring(&linked(ada(), MANAGED), false, replies).await;
    let record = outcome.record.unwrap();
    let steps: Vec<StepName> = record
        .provisioning_steps
        .iter()
        .map(|step| step.name)
        .collect();
    assert_eq!(
        steps,
        [
            StepName::EntryImportUpdate,
            StepName::EntrySynchronizationScoping,
            StepName::EntrySynchronizationUpdate,
            StepName::EntryExportUpdate,
        ]
    );
    let modified = serde_json::to_value(&record.modified_properties).unwrap();
    let expected = json!([{"displayName": "displayName", "oldValue": "A", "newValue": "Ada"}]);
    assert_eq!(modified, expected);
    assert_eq!(record.source_identity.id, "k1");
    let target = record.target_identity.unwrap();
    assert_eq!(
        (&*target.id, target.display_name.as_deref()),
        ("u1", Some("Ada"))
    );
}
