//! Which requests an object takes, and what is known of it afterwards.

use portreeve_provisioning::engine::plan::Link;
use portreeve_provisioning::engine::steps::{RecordAction, Status, StepName};
use portreeve_provisioning::job::{Counted, Outcome, Subject, Target, export};
use serde_json::json;

use super::{
    DISABLED, MANAGED, MANAGER, ada, application, bring, id, linked, list, nobody, refusal, sales,
    shown, shown_with, stamp, with_facts,
};
use crate::double::{Double, Reply};
use portreeve_provisioning::engine::plan::Presence;

const BY_NAME: &str = "GET /scim/Users?filter=userName+eq+%22ada%40contoso.example%22";
const BY_KEY: &str = "GET /scim/Users?filter=externalId+eq+%22k1%22";
const READ: &str = "GET /scim/Users/u1";
const POST: &str = "POST /scim/Users";
const PATCH: &str = "PATCH /scim/Users/u1";
const EQUAL: &str = "equal";
const DELETE: &str = "DELETE /scim/Users/u1";

#[derive(Clone)]
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

/// How it ends: what it counts as, its link, and what the log tells, if anything.
type End = (Counted, Link, Option<(RecordAction, Status)>);

const CREATED: End = (
    Counted::Created,
    MANAGED,
    Some((RecordAction::Create, Status::Success)),
);

const UPDATED: End = (
    Counted::Updated,
    MANAGED,
    Some((RecordAction::Update, Status::Success)),
);

const UNCHANGED: End = (
    Counted::Unchanged,
    MANAGED,
    Some((RecordAction::Other, Status::Skipped)),
);

const DELETED: End = (
    Counted::Deleted,
    Link::None,
    Some((RecordAction::Delete, Status::Success)),
);

fn disabled(link: Link) -> End {
    let told = (RecordAction::Disable, Status::Success);
    (Counted::Disabled, link, Some(told))
}

fn case(
    name: &'static str,
    subject: Subject,
    replies: Vec<Reply>,
    lines: &[&'static str],
    (counted, link, told): End,
) -> Case {
    Case {
        name,
        subject,
        held: false,
        replies,
        lines: lines.to_vec(),
        counted,
        link,
        told,
    }
}

fn renamed() -> Reply {
    Reply::scim(200, &shown_with("displayName", json!("A")))
}

fn done() -> Reply {
    Reply::empty(204)
}

fn comes() -> Vec<Case> {
    let old = || list(&[shown_with("userName", json!("ada@old.example"))]);
    vec![
        case(
            "unknown to the target: made",
            ada(),
            vec![nobody(), nobody(), made()],
            &[BY_NAME, BY_KEY, POST],
            CREATED,
        ),
        case(
            "there under its name, and all is equal",
            ada(),
            vec![list(&[json!(shown())])],
            &[BY_NAME],
            UNCHANGED,
        ),
        case(
            "there under its old name",
            ada(),
            vec![nobody(), old(), done()],
            &[BY_NAME, BY_KEY, PATCH],
            UPDATED,
        ),
        case(
            "may not sign in: not made",
            blocked(ada()),
            vec![],
            &[],
            (Counted::Skipped, Link::None, None),
        ),
        case(
            "comes back",
            linked(ada(), Link::Released),
            vec![inactive(), done()],
            &[READ, PATCH],
            UPDATED,
        ),
    ]
}

fn stays() -> Vec<Case> {
    let managed = || linked(ada(), MANAGED);
    vec![
        case(
            EQUAL,
            managed(),
            vec![here()],
            &[READ],
            (Counted::Unchanged, MANAGED, None),
        ),
        case(
            "renamed",
            managed(),
            vec![renamed(), done()],
            &[READ, PATCH],
            UPDATED,
        ),
        case(
            "may sign in again",
            linked(ada(), DISABLED),
            vec![inactive(), done()],
            &[READ, PATCH],
            UPDATED,
        ),
    ]
}

fn vanishes_there() -> Vec<Case> {
    let managed = || linked(ada(), MANAGED);
    let anew = [READ, BY_NAME, BY_KEY, POST];
    vec![
        case(
            "gone at the target: made anew",
            managed(),
            vec![refusal(404, None), nobody(), nobody(), made()],
            &anew,
            CREATED,
        ),
        case(
            "gone for good, says the target",
            managed(),
            vec![refusal(410, None), nobody(), nobody(), made()],
            &anew,
            CREATED,
        ),
        case(
            "gone between reading and writing",
            managed(),
            vec![renamed(), refusal(404, None), nobody(), nobody(), made()],
            &[READ, PATCH, BY_NAME, BY_KEY, POST],
            CREATED,
        ),
        case(
            "deleted there and made again by hand",
            managed(),
            vec![refusal(404, None), list(&[json!(shown())])],
            &[READ, BY_NAME],
            (Counted::Unchanged, MANAGED, None),
        ),
        case(
            "to be disabled, and gone at the target",
            blocked(managed()),
            vec![refusal(404, None)],
            &[READ],
            (
                Counted::Skipped,
                Link::None,
                Some((RecordAction::Other, Status::Skipped)),
            ),
        ),
    ]
}

fn leaves() -> Vec<Case> {
    let managed = || linked(ada(), MANAGED);
    let disable = |name, subject, link| {
        let replies = vec![here(), done()];
        case(name, subject, replies, &[READ, PATCH], disabled(link))
    };
    let delete = |name, answer| case(name, gone(managed()), vec![answer], &[DELETE], DELETED);
    let skipped = |action| Some((action, Status::Skipped));
    vec![
        disable("may not sign in", blocked(managed()), DISABLED),
        disable("unassigned", unassigned(managed()), Link::Released),
        delete("purged", done()),
        delete("purged, and deleted there before", refusal(404, None)),
        delete("purged, and deleted there for good", refusal(410, None)),
        case(
            "disabled before, and now unassigned",
            unassigned(linked(ada(), DISABLED)),
            vec![],
            &[],
            (
                Counted::Released,
                Link::Released,
                skipped(RecordAction::Other),
            ),
        ),
        Case {
            held: true,
            ..case(
                "held by the guard",
                gone(managed()),
                vec![],
                &[],
                (Counted::Held, MANAGED, skipped(RecordAction::StagedDelete)),
            )
        },
    ]
}

/// Somebody whom a request was to make, whose answer nobody has heard.
fn sent() -> Vec<Case> {
    let sent = |subject: Subject| Subject {
        link: Link::Sent,
        ..subject
    };
    let found = || list(&[json!(shown())]);
    let nothing = (Counted::Skipped, Link::None, None);
    vec![
        case(
            "sent, and there",
            sent(ada()),
            vec![found()],
            &[BY_NAME],
            UNCHANGED,
        ),
        case(
            "sent, out of scope, and there",
            sent(unassigned(ada())),
            vec![found(), here(), done()],
            &[BY_NAME, READ, PATCH],
            disabled(Link::Released),
        ),
        case(
            "sent, purged, and there",
            sent(gone(ada())),
            vec![found(), done()],
            &[BY_NAME, DELETE],
            DELETED,
        ),
        case(
            "sent, out of scope, and never made",
            sent(unassigned(ada())),
            vec![nobody(), nobody()],
            &[BY_NAME, BY_KEY],
            nothing,
        ),
        Case {
            held: true,
            ..case(
                "sent, purged, and held by the guard",
                sent(gone(ada())),
                vec![],
                &[],
                (
                    Counted::Held,
                    Link::Sent,
                    Some((RecordAction::StagedDelete, Status::Skipped)),
                ),
            )
        },
    ]
}

/// Somebody who was disabled when all links were dropped.
fn dropped() -> Vec<Case> {
    let dropped = Subject {
        link: Link::Dropped,
        ..blocked(ada())
    };
    let nothing = (Counted::Skipped, Link::None, None);
    vec![
        case(
            "disabled when links were dropped",
            dropped.clone(),
            vec![list(&[shown_with("active", json!(false))]), inactive()],
            &[BY_NAME, READ],
            (
                Counted::Unchanged,
                DISABLED,
                Some((RecordAction::Other, Status::Skipped)),
            ),
        ),
        case(
            "disabled when links were dropped, and deleted there",
            dropped,
            vec![nobody(), nobody()],
            &[BY_NAME, BY_KEY],
            nothing,
        ),
    ]
}

/// The target says that somebody is there whom it did not show a moment ago.
fn conflicts() -> Vec<Case> {
    let taken = || refusal(409, Some("uniqueness"));
    vec![
        case(
            "made by a request whose answer was lost",
            ada(),
            vec![nobody(), nobody(), taken(), list(&[json!(shown())])],
            &[BY_NAME, BY_KEY, POST, BY_NAME],
            UNCHANGED,
        ),
        case(
            "the same, and renamed since",
            ada(),
            vec![
                nobody(),
                nobody(),
                taken(),
                list(&[shown_with("displayName", json!("A"))]),
                done(),
            ],
            &[BY_NAME, BY_KEY, POST, BY_NAME, PATCH],
            UPDATED,
        ),
    ]
}

#[tokio::test]
async fn an_object_takes_the_requests_that_it_needs() {
    let cases = [
        comes(),
        stays(),
        vanishes_there(),
        leaves(),
        sent(),
        dropped(),
        conflicts(),
    ];
    for case in cases.concat() {
        let name = case.name;
        let (outcome, double) = bring(&case.subject, case.held, case.replies).await;
        assert_eq!(double.lines(), case.lines, "{name}");
        assert_eq!(outcome.counted, case.counted, "{name}: {outcome:?}");
        assert_eq!(outcome.link, case.link, "{name}");
        let has_resource = !matches!(case.link, Link::None | Link::Sent);
        let linked = has_resource.then(|| id("u1"));
        assert_eq!(outcome.target_id, linked, "{name}");
        assert_eq!((outcome.escrow, &outcome.stop), (None, &None), "{name}");
        assert_eq!(outcome.is_settled(), !case.held, "{name}");
        if let Some(told) = case.told {
            assert_eq!(outcome.record.as_ref().map(told_of), Some(told), "{name}");
        }
        if name == EQUAL {
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

/// `FlowAlways` writes over what somebody has changed at the target, though nothing has changed at the source.
#[tokio::test]
async fn what_flows_always_is_compared_every_time() {
    let always = |text: String| {
        let named = r#"attribute = "displayName" },
    { target = "title""#;
        let always = r#"attribute = "displayName", flowBehavior = "FlowAlways" },
    { target = "title""#;
        assert!(text.contains(named));
        text.replace(named, always)
    };
    for (name, app, lines) in [
        ("when changed", application(|text| text), vec![]),
        ("always", application(always), vec![READ, PATCH]),
    ] {
        let replies = vec![nobody(), nobody(), made(), renamed(), done()];
        let double = Double::script(replies).await;
        let target = Target::new(double.open("").unwrap().0);
        let made = export(&app, &target, &ada(), false, &stamp()).await;
        double.lines();
        let again = Subject {
            link: made.link,
            target_id: made.target_id,
            exported: made.exported,
            ..ada()
        };
        export(&app, &target, &again, false, &stamp()).await;
        assert_eq!(double.lines(), lines, "{name}");
    }
}
