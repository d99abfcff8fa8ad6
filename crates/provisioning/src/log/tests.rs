use jiff::Timestamp;
use portreeve_directory::applications::{self, New, records};
use portreeve_directory::roll;
use portreeve_store::{Database, Options, Scope, Store, Tx};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{Filter, Json, Page, Place, Tables, read, row};
use crate::engine::codes::Code;
use crate::engine::steps::{
    Identity, Initiator, InitiatorType, ModifiedProperty, REDACTED, Record, RecordAction, Status,
    StatusInfo, Step, StepName, System,
};
use crate::source::Kind;

/// So many minutes after noon.
fn at(minute: i64) -> Timestamp {
    let noon: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
    noon + jiff::SignedDuration::from_mins(minute)
}

/// An entry of that many minutes after noon, about the person of that key.
fn entry(minute: i64, key: &str, action: RecordAction, status: StatusInfo) -> Record {
    let system = |id: &str, name: &str| System {
        id: id.to_owned(),
        display_name: name.to_owned(),
    };
    Record {
        id: format!("record-{minute}"),
        activity_date_time: at(minute),
        job_id: "job".to_owned(),
        cycle_id: "cycle".to_owned(),
        change_id: format!("change-{minute}"),
        provisioning_action: action,
        duration_in_milliseconds: 12,
        provisioning_status_info: status,
        provisioning_steps: Vec::new(),
        modified_properties: Vec::new(),
        source_identity: Identity {
            id: key.to_owned(),
            display_name: None,
            identity_type: Kind::User,
            details: Map::new(),
        },
        target_identity: None,
        source_system: system("hr", "Staff"),
        target_system: system("app", "Smallstep"),
        initiated_by: Initiator {
            id: "job".to_owned(),
            display_name: "Schedule".to_owned(),
            initiator_type: InitiatorType::System,
        },
    }
}

fn property(name: &str, old: Option<&str>, new: Option<&str>) -> ModifiedProperty {
    ModifiedProperty {
        display_name: name.to_owned(),
        old_value: old.map(str::to_owned),
        new_value: new.map(str::to_owned),
    }
}

/// A creation with everything that an entry can have, a failure, and one that changed nothing.
fn log() -> Vec<Record> {
    let details = json!({"userPrincipalName": "ada@contoso.example"});
    let created = Record {
        source_identity: Identity {
            id: "1001".to_owned(),
            display_name: Some("Lovelace, \"Ada\"".to_owned()),
            identity_type: Kind::User,
            details: details.as_object().unwrap().clone(),
        },
        target_identity: Some(Identity {
            id: "9d1e".to_owned(),
            display_name: Some("=HYPERLINK(\"http://evil.example\",\"Ada\")".to_owned()),
            identity_type: Kind::User,
            details: Map::new(),
        }),
        provisioning_steps: vec![
            Step::new(
                StepName::EntryImportAdd,
                Status::Success,
                "Ada was read from Staff.",
            ),
            Step::new(
                StepName::EntrySynchronizationScoping,
                Status::Success,
                "In scope.",
            )
            .with("Assigned", true)
            .with("ScopeEvaluationResult", "{}"),
        ],
        modified_properties: vec![
            property("userName", None, Some("ada")),
            property(
                "phoneNumbers[type eq \"work\"].value",
                Some("555"),
                Some("+1 555"),
            ),
            property("title", Some("Countess\nof Lovelace"), None),
            property("password", Some(REDACTED), Some(REDACTED)),
        ],
        ..entry(0, "1001", RecordAction::Create, StatusInfo::success())
    };
    let mut conflict = StatusInfo::of(Code::EntryConflict, "userName is taken.");
    if let Some(information) = &mut conflict.error_information {
        information.additional_details = Some("@SUM(1) is not unique".to_owned());
    }
    vec![
        created,
        entry(1, "1002", RecordAction::Update, conflict),
        entry(
            2,
            "1003",
            RecordAction::StagedDelete,
            StatusInfo::of(Code::TooManyDeletes, "held"),
        ),
    ]
}

#[test]
fn the_tables_are_joined_by_the_change_and_hold_no_formula() {
    let mut tables = Tables::begin(Vec::new(), Vec::new(), Vec::new()).unwrap();
    for record in log() {
        tables.add(&record).unwrap();
    }
    let texts = tables.end().unwrap();
    let texts = texts.map(|bytes| String::from_utf8(bytes).unwrap().replace("\r\n", "\n"));
    insta::assert_snapshot!(texts.join("\n"));
}

#[test]
fn the_json_is_one_document_of_whole_entries() {
    let mut json = Json::begin(Vec::new()).unwrap();
    for record in log() {
        json.add(&record).unwrap();
    }
    let text = String::from_utf8(json.end().unwrap()).unwrap();
    let read: Vec<Record> = serde_json::from_str(&text).unwrap();
    assert_eq!(read, log());
    insta::assert_snapshot!(text);
    let empty = Json::begin(Vec::new()).unwrap().end().unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&empty).unwrap(), json!([]));
}

#[test]
fn files_are_named_as_entra_names_them() {
    let folder = tempfile::tempdir().unwrap();
    let mut tables = Tables::create(folder.path()).unwrap();
    log().iter().for_each(|record| tables.add(record).unwrap());
    tables.end().unwrap();
    for (name, rows) in [
        ("ProvisioningLogs.csv", 3),
        ("ProvisioningLogs_ProvisioningSteps.csv", 2),
        ("ProvisioningLogs_ModifiedProperties.csv", 4),
    ] {
        let mut reader = csv::Reader::from_path(folder.path().join(name)).unwrap();
        let changes = reader
            .headers()
            .unwrap()
            .iter()
            .any(|name| name == "changeId");
        assert!(changes, "{name}");
        assert_eq!(reader.records().map(Result::unwrap).count(), rows, "{name}");
    }
}

fn by(set: fn(&mut Filter)) -> Filter {
    let mut filter = Filter::default();
    set(&mut filter);
    filter
}

#[test]
fn a_filter_finds_what_is_asked_for() {
    let both = vec![Status::Failure, Status::Success];
    let cases: [(&str, Filter, &[usize]); 13] = [
        ("everything", Filter::default(), &[0, 1, 2]),
        ("status", by(|it| it.statuses = vec![Status::Failure]), &[1]),
        (
            "action",
            by(|it| it.actions = vec![RecordAction::StagedDelete]),
            &[2],
        ),
        ("code", by(|it| it.codes = vec![Code::EntryConflict]), &[1]),
        ("since", by(|it| it.since = Some(at(1))), &[1, 2]),
        ("until, not included", by(|it| it.until = Some(at(1))), &[0]),
        ("key", by(|it| it.source = "1002".to_owned()), &[1]),
        (
            "name in capitals",
            by(|it| it.source = "LOVELACE".to_owned()),
            &[0],
        ),
        ("detail", by(|it| it.source = "ada@".to_owned()), &[0]),
        (
            "id at the target",
            by(|it| it.target = "9d".to_owned()),
            &[0],
        ),
        (
            "key at the target",
            by(|it| it.target = "1001".to_owned()),
            &[],
        ),
        ("id at either", by(|it| it.object = "9d1e".to_owned()), &[0]),
        (
            "key at either",
            by(|it| it.object = "1003".to_owned()),
            &[2],
        ),
    ];
    let found = |filter: &Filter| -> Vec<usize> {
        let log = log();
        (0..log.len())
            .filter(|n| filter.matches(&log[*n]))
            .collect()
    };
    for (name, filter, expected) in cases {
        assert_eq!(found(&filter), expected, "{name}");
        let both = Filter {
            statuses: both.clone(),
            ..filter
        };
        let expected: Vec<usize> = expected.iter().copied().filter(|n| *n != 2).collect();
        if name != "status" {
            assert_eq!(found(&both), expected, "{name}, and success or failure");
        }
    }
}

#[test]
fn words_of_a_filter_are_those_of_the_log() {
    assert_eq!(Filter::word("failure"), Ok(Status::Failure));
    assert_eq!(Filter::word("stagedDelete"), Ok(RecordAction::StagedDelete));
    assert_eq!(Filter::word("EntryConflict"), Ok(Code::EntryConflict));
    let error = Filter::word::<Status>("failed").unwrap_err();
    assert!(
        error.contains("`failed`") && error.contains("`failure`"),
        "{error}"
    );
}

/// The log of an application that has these entries.
async fn stored(records: &[Record]) -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.sqlite");
    let store = Store::open(&Options::new(
        Database::Sqlite { path },
        roll::MIGRATIONS,
        0,
    ))
    .unwrap();
    let rows: Vec<records::Record> = records.iter().map(row).collect();
    let write = store.write(Scope::ALL, move |tx| {
        let new = New {
            id: "app".to_owned(),
            team_id: "local".to_owned(),
            name: "App".to_owned(),
            definition: "{}".to_owned(),
        };
        applications::create(tx, &new, 0)?;
        records::append(tx, "local", "app", &rows)
    });
    write.await.unwrap();
    (folder, store)
}

async fn all(store: &Store, filter: &Filter, from: Place, limit: usize) -> Vec<String> {
    let (mut place, mut out) = (from, Vec::new());
    loop {
        let filter = filter.clone();
        let read = move |tx: &mut Tx<'_>| read(tx, "app", &filter, place, limit);
        let page: Page = store.read(read).await.unwrap();
        assert!(page.entries.len() <= limit);
        out.extend(page.entries.into_iter().map(|(_, record)| record.id));
        if page.ended {
            return out;
        }
        assert_ne!(page.next, place);
        place = page.next;
    }
}

#[tokio::test]
async fn pages_of_any_size_are_the_whole_log_in_either_direction() {
    let failed = || StatusInfo::of(Code::EntryConflict, "taken");
    let status = |n: i64| {
        if n % 7 == 0 {
            failed()
        } else {
            StatusInfo::success()
        }
    };
    let records: Vec<Record> = (0..1200)
        .map(|n| entry(n, &format!("key-{n}"), RecordAction::Create, status(n)))
        .collect();
    let (_folder, store) = stored(&records).await;
    let failures = Filter {
        statuses: vec![Status::Failure],
        ..Filter::default()
    };
    for filter in [Filter::default(), failures] {
        let mut expected: Vec<String> = records
            .iter()
            .filter(|record| filter.matches(record))
            .map(|record| record.id.clone())
            .collect();
        for limit in [7, 99, 500, 5000] {
            assert_eq!(
                all(&store, &filter, Place::After(0), limit).await,
                expected,
                "{limit}"
            );
        }
        expected.reverse();
        for limit in [7, 99, 500, 5000] {
            let found = all(&store, &filter, Place::Before(i64::MAX), limit).await;
            assert_eq!(found, expected, "{limit}");
        }
    }
}

#[tokio::test]
async fn who_looks_for_little_in_much_is_told_where_to_go_on() {
    let many = |n| entry(n, "key", RecordAction::Create, StatusInfo::success());
    let records: Vec<Record> = (0..5_600).map(many).collect();
    let (_folder, store) = stored(&records).await;
    let read = |place| {
        let nobody = by(|it| it.statuses = vec![Status::Warning]);
        store.read(move |tx: &mut Tx<'_>| read(tx, "app", &nobody, place, 100))
    };
    let page: Page = read(Place::After(0)).await.unwrap();
    assert_eq!(
        (page.entries.len(), page.next, page.ended),
        (0, Place::After(5_000), false)
    );
    let page: Page = read(page.next).await.unwrap();
    assert_eq!(
        (page.entries.len(), page.next, page.ended),
        (0, Place::After(5_600), true)
    );
}

#[tokio::test]
async fn old_entries_are_not_looked_through_and_a_clock_set_back_hides_nothing() {
    let day = 24 * 60;
    let minutes = [0, 3 * day, 3 * day - 60, 3 * day + 1];
    let records =
        minutes.map(|minute| entry(minute, "key", RecordAction::Create, StatusInfo::success()));
    let (_folder, store) = stored(&records).await;
    let filter = Filter {
        since: Some(records[1].activity_date_time),
        ..Filter::default()
    };
    let found = all(&store, &filter, Place::Before(i64::MAX), 10).await;
    assert_eq!(found, [&*records[3].id, &*records[1].id]);
}

fn a_filter() -> impl Strategy<Value = Filter> {
    let statuses = prop::collection::vec(
        prop::sample::select(vec![Status::Success, Status::Failure, Status::Skipped]),
        0..3,
    );
    let actions = prop::collection::vec(
        prop::sample::select(vec![RecordAction::Create, RecordAction::Update]),
        0..3,
    );
    let codes = prop::collection::vec(prop::sample::select(Code::ALL.to_vec()), 0..3);
    (statuses, actions, codes).prop_map(|(statuses, actions, codes)| Filter {
        statuses,
        actions,
        codes,
        ..Filter::default()
    })
}

proptest! {
    #[test]
    fn the_columns_never_hide_an_entry_that_is_looked_for(
        filter in a_filter(),
        code in prop::option::of(prop::sample::select(Code::ALL.to_vec())),
        action in prop::sample::select(vec![RecordAction::Create, RecordAction::Delete]),
    ) {
        let status = code.map_or_else(StatusInfo::success, |code| StatusInfo::of(code, ""));
        let record = entry(0, "key", action, status);
        prop_assert_eq!(filter.may_match(&row(&record)), filter.matches(&record));
    }

    #[test]
    fn a_cell_is_what_it_was_and_never_a_formula(name in any::<String>(), first in prop::sample::select(vec!["", "=", "+", "-", "@", "\t", " =", "＝", "\r\n-"])) {
        let name = format!("{first}{name}");
        let record = Record {
            modified_properties: vec![property("title", None, Some(&name))],
            ..entry(0, "key", RecordAction::Update, StatusInfo::success())
        };
        let mut tables = Tables::begin(Vec::new(), Vec::new(), Vec::new()).unwrap();
        tables.add(&record).unwrap();
        let [_, _, properties] = tables.end().unwrap();
        let mut reader = csv::Reader::from_reader(&*properties);
        let cells = reader.records().next().unwrap().unwrap();
        let cell = &cells[3];
        prop_assert!(cell == name || cell.strip_prefix('\'') == Some(&*name), "{cell:?}");
        prop_assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝']), "{cell:?}");
    }
}
